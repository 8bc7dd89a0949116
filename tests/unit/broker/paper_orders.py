"""Orders at a paper venue without a database, and a step of bars over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from alphintra.broker.domain.floor import Execution, Happening, StepOutcome, run_step
from alphintra.broker.domain.market import Hours, Step, step_of
from alphintra.broker.domain.orders import Order, VenueOrderStatus
from alphintra.broker.domain.paper import PaperOrder, PaperSettings
from alphintra.engine.bars import Bar
from alphintra.kernel.ids import AccountId, FeedId, OrderId
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side, TimeInForce
from unit.engine.builders import bar, day

FEED = FeedId(UUID(int=0xFEED0000 << 96))
ACCOUNT = AccountId(UUID(int=2))
ENTRY, TARGET, STOP = (OrderId(UUID(int=number)) for number in (11, 12, 13))
NAMES = {ENTRY: "entry", TARGET: "target", STOP: "stop"}


def entry_of(
    number: int = 3,
    *,
    settings: PaperSettings | None = None,
    known_ts: datetime | None = None,
    **terms: Any,  # noqa: ANN401 - those of an order
) -> PaperOrder:
    """Build a working order to buy ten AAPL at the market, day; another one with other terms."""
    order = Order(
        order_id=OrderId(UUID(int=number)),
        client_order_id=f"c-{number}",
        account_id=ACCOUNT,
        symbol="AAPL",
        side=Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        qty=Decimal(10),
    )
    for name in ("qty", "notional", "limit_price", "stop_price", "trail_price"):
        if terms.get(name) is not None:
            terms[name] = Decimal(terms[name])
    return PaperOrder(
        order=replace(order, **terms),
        settings=settings or PaperSettings(),
        status=VenueOrderStatus.WORKING,
        accepted_seq=0,
        known_ts=known_ts or day(0),
    )


def bracket(
    target: str,
    stop: str,
    *,
    settings: PaperSettings | None = None,
    **entry: Any,  # noqa: ANN401 - terms
) -> list[PaperOrder]:
    """Build a group that buys ten, with a target and a stop that are held."""
    shared: dict[str, Any] = {"order_class": OrderClass.BRACKET, "group_id": ENTRY}
    gtc: dict[str, Any] = {
        "time_in_force": TimeInForce.GTC,
        "side": Side.SELL,
        "reduce_only": True,
        "settings": settings,
    }
    orders = [
        entry_of(11, settings=settings, **{"time_in_force": TimeInForce.GTC, **shared, **entry}),
        entry_of(12, **shared, **gtc, type=OrderType.LIMIT, limit_price=target, leg=Leg.TAKE_PROFIT),
        entry_of(13, **shared, **gtc, type=OrderType.STOP, stop_price=stop, leg=Leg.STOP_LOSS),
    ]
    held = [replace(order, status=VenueOrderStatus.HELD, accepted_seq=None, known_ts=None) for order in orders[1:]]
    return [orders[0], *held]


class Venue:
    """A paper venue that keeps its orders and positions in memory, step after step."""

    def __init__(self, orders: Iterable[PaperOrder], *, position: int = 0) -> None:
        self.orders = {entry.order.order_id: entry for entry in orders}
        self.position = Decimal(position)
        self.seq = 0

    def step(self, shape: str | Bar, *, hours: Hours | None = None) -> list[str]:
        """Let a bar "open high low close" of the next day, or a bar of its own, pass; return what happened."""
        self.seq += 1
        whole = bar(self.seq, shape) if isinstance(shape, str) else shape
        return self.do(step_of(FEED, self.seq, [("AAPL", whole, hours)]))

    def do(self, step: Step) -> list[str]:
        """Do a step and keep what it made of the orders."""
        alive = [entry for entry in self.orders.values() if entry.status is VenueOrderStatus.WORKING]
        groups = {entry.order.group_id for entry in alive} - {None}
        touched = [entry for entry in self.orders.values() if entry in alive or entry.order.group_id in groups]
        outcome: StepOutcome = run_step(touched, step, positions={(ACCOUNT, "AAPL"): self.position})
        self.orders |= {entry.order.order_id: entry for entry in outcome.changed}
        for fill in outcome.executions:
            self.position += fill.qty if fill.side is Side.BUY else -fill.qty
        return [told(happening) for happening in outcome.happenings]

    def statuses(self) -> dict[str, str]:
        """Return where each order is."""
        return {NAMES.get(order_id, str(order_id.int)): entry.status.value for order_id, entry in self.orders.items()}


def told(happening: Happening) -> str:
    """Return what happened in a few words: "entry 10@100", "stop canceled"."""
    kind = type(happening).__name__.lower()
    order_id = getattr(happening, "order_id", None) or getattr(happening, "group_id", None)
    name = NAMES.get(order_id, "" if order_id is None else str(order_id.int))  # type: ignore[arg-type] # any order id
    if isinstance(happening, Execution):
        amounts = f"{happening.qty.normalize():f}@{happening.price.normalize():f}"
        return f"{name} {amounts}{'?' if happening.is_ambiguous else ''}"
    return f"{name} {kind}"
