"""A deployment: a strategy version with its own book inside an account, advanced bar by bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from alphintra.engine.account.asking import expected_levels, leaving
from alphintra.engine.algorithm_runs import Decider
from alphintra.engine.bars import Bar
from alphintra.engine.book import Order
from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import LEAVING, Decision, Intent, Outcome
from alphintra.engine.portfolio import Position, apply_fill, cash_delta, fee_worth, position_delta
from alphintra.engine.protection import STOP, TARGET, LevelKind
from alphintra.engine.step import Origin, decide, orders_of
from alphintra.engine.ticks import limit_on_tick, stop_on_tick, trail_on_tick
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.ids import AccountId, DeploymentId, FeedId, UserId, WorkflowVersionId
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce
from alphintra.strategy.domain.holdings import Holding

__all__ = [
    "LEAVING",
    "BookedFill",
    "Deployment",
    "Evaluation",
    "Exits",
    "OpenIntent",
    "StoredIntent",
    "evaluate",
    "exits_of",
    "fold_fills",
    "intent_of",
    "warm_up",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment as stored; the executor's state is kept as text, so that a killed runner goes on exactly.

    ``bars_held`` counts the bars its position has met, that of the entry's fill included. ``exit_owed`` is the label of
    the rule by which it is to leave a position whose exits are gone, empty where there is none. Its position is made
    of so many ``entries``, the last by ``last_entry_order`` at ``last_entry``; of none while it is flat. One over
    several ``symbols`` has a holding for each, in their order, and ``symbol`` is what they are called together.
    """

    deployment_id: DeploymentId
    owner_id: UserId
    version_id: WorkflowVersionId
    graph_hash: str
    graph: str
    account_id: AccountId
    feed_id: FeedId
    symbol: str
    capital: Decimal
    status: str
    last_seq: int
    executor_state: str
    cash: Decimal
    position: Position
    fees: Decimal
    last_price: Decimal | None
    intent_count: int
    bars_held: int
    exit_owed: str
    entries: int = 0
    last_entry: Decimal = Decimal(0)
    last_entry_order: UUID | None = None
    error: str
    created_at: datetime
    symbols: tuple[str, ...] = ()
    holdings: tuple[Holding, ...] = ()

    @property
    def equity(self) -> Decimal:
        """Cash plus what is held at the last prices seen."""
        cash = sum((holding.worth for holding in self.holdings), self.cash)
        if self.last_price is None:
            return cash
        return cash + self.position.market_value(self.last_price)

    @property
    def realized(self) -> Decimal:
        """Profit of what was closed, before fees."""
        return sum((holding.position.realized for holding in self.holdings), self.position.realized)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """The exits an entry brings with it, as orders have them: one target at most, and one stop, which may trail.

    With ``profit_from_fill`` and ``stop_from_fill`` their prices follow from that at which the entry fills; until then
    target and stop are where they lie if it fills at the price it waits for, else at the close of the decision.
    """

    take_profit: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    profit_from_fill: FromFill | None = None
    stop_from_fill: FromFill | None = None

    @property
    def has_stop(self) -> bool:
        """Tell whether one of them is a stop."""
        return self.stop_price is not None or self.trail_price is not None or self.trail_percent is not None

    def on_ticks(self, tick: Decimal, entry: Side) -> Exits:
        """Return the exits of an entry on that side with prices of whole ticks."""
        side = Side.SELL if entry is Side.BUY else Side.BUY
        target, stop, trail = self.take_profit, self.stop_price, self.trail_price
        return replace(
            self,
            take_profit=None if target is None else limit_on_tick(target, tick, side),
            stop_price=None if stop is None else stop_on_tick(stop, tick, side),
            trail_price=None if trail is None else trail_on_tick(trail, tick),
            profit_from_fill=_on_tick(self.profit_from_fill, tick),
            stop_from_fill=_on_tick(self.stop_from_fill, tick),
        )

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return self.take_profit is not None or self.has_stop


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIntent:
    """What a deployment asks trading for.

    ``pending`` until trading has answered, then ``working``, and ``closed`` once neither its order nor an exit that
    came with it works any more. An entry that waits for a price ends after ``bars_max`` bars, at ``works_until``, or
    where a rule has withdrawn it.
    """

    client_order_id: str
    deployment_id: DeploymentId
    seq: int
    intent_index: int
    side: Side
    qty: Decimal
    type: OrderType
    time_in_force: TimeInForce
    reason: str
    tag: str
    exits: Exits
    status: str
    order_id: UUID | None
    order_code: str
    created_at: datetime
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    bars_max: int | None = None
    works_until: datetime | None = None
    is_withdrawn: bool = False
    entry_number: int = 1
    symbol: str = ""  # where the deployment has several

    @property
    def is_waiting(self) -> bool:
        """Tell whether it is an entry that waits for its price."""
        return not self.is_leaving and self.type is not OrderType.MARKET

    def is_over(self, closes: Sequence[datetime]) -> bool:
        """Tell whether its time is over, by the closes of its symbol's bars since it was asked for."""
        if not closes:
            return False
        if self.bars_max is not None and len(closes) >= self.bars_max:
            return True
        return self.works_until is not None and closes[-1] >= self.works_until

    @property
    def is_leaving(self) -> bool:
        """Tell whether it is to close a position."""
        return self.reason in LEAVING


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """An intent that is not closed, with what is needed to place and follow its order."""

    intent: StoredIntent
    owner_id: UserId
    account_id: UUID
    symbol: str
    graph_hash: str
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class BookedFill:
    """An execution as trading has booked it for the deployment; of ``qty`` the venue kept ``fee_qty`` as a fee."""

    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    order_id: UUID | None = None
    fee_qty: Decimal = Decimal(0)

    @property
    def net_qty(self) -> Decimal:
        """What came into the position or left it, above zero."""
        return abs(position_delta(self.side, self.qty, fee_qty=self.fee_qty))

    @property
    def fee_worth(self) -> Decimal:
        """The whole fee in money, what was kept at the price of the execution: as trading books it."""
        return fee_worth(self.side, qty=self.qty, price=self.price, fee=self.fee, fee_qty=self.fee_qty)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one bar made of a deployment."""

    deployment: Deployment
    decision: Decision
    intents: tuple[StoredIntent, ...]


def warm_up(executor: Decider, bars: Sequence[Bar], *, capital: Decimal) -> None:
    """Show an executor the bars that were over before its deployment; nothing is ordered on them."""
    flat = StateView(qty=Decimal(0), avg_price=Decimal(0), cash=capital, equity=capital, is_order_working=False)
    for bar in bars:
        executor.on_bar(bar, flat)


def fold_fills(deployment: Deployment, fills: Iterable[BookedFill]) -> Deployment:
    """Return the deployment's book after executions of its orders, in order of time."""
    cash, position, fees = deployment.cash, deployment.position, deployment.fees
    bars_held = deployment.bars_held
    entries, last_entry, last_order = deployment.entries, deployment.last_entry, deployment.last_entry_order
    for fill in fills:
        before = position.qty
        position, _realized = apply_fill(position, fill.side, qty=fill.net_qty, price=fill.price)
        if before * position.qty <= 0:  # opened, closed or turned: the count begins anew
            bars_held, entries, last_entry, last_order = 0, 0, Decimal(0), None
        if abs(position.qty) > abs(before) or before * position.qty < 0:
            entries += last_order is None or fill.order_id != last_order
            last_entry, last_order = fill.price, fill.order_id
        cash += cash_delta(fill.side, fill.qty, price=fill.price, fee=fill.fee)
        fees += fill.fee_worth
    is_flat = not position.qty
    return replace(
        deployment,
        cash=cash,
        position=position,
        fees=fees,
        bars_held=bars_held,
        exit_owed="" if is_flat else deployment.exit_owed,
        entries=entries,
        last_entry=last_entry,
        last_entry_order=last_order,
    )


def evaluate(  # noqa: PLR0913 - what a deployment knows of its book at a close
    deployment: Deployment,
    executor: Decider,
    bar: Bar,
    *,
    seq: int,
    is_order_working: bool,
    at: datetime,
    is_entry_working: bool = False,
) -> Evaluation:
    """Evaluate a deployment at the close of a bar; its book must hold the fills of that bar already."""
    deployment = replace(deployment, bars_held=deployment.bars_held + 1 if deployment.position.qty else 0)
    view = StateView(
        qty=deployment.position.qty,
        avg_price=deployment.position.avg_price,
        cash=deployment.cash,
        equity=deployment.cash + deployment.position.market_value(bar.close),
        is_order_working=is_order_working,
        bars_held=deployment.bars_held,
        is_entry_working=is_entry_working,
        entries=deployment.entries,
        last_entry=deployment.last_entry,
    )
    origin = Origin(str(deployment.deployment_id), deployment.symbol)
    decision, orders = decide(executor, bar, view, origin=origin)
    if deployment.exit_owed and not orders and not is_order_working:
        owed = leaving(view, "exit", tag=deployment.exit_owed)
        decision = replace(decision, outcome=Outcome.INTENT, intents=(owed,))
        orders = orders_of(executor.plan, bar, (owed,), origin=origin)
    moved = replace(
        deployment,
        last_seq=seq,
        executor_state=executor.snapshot().decode(),
        last_price=bar.close,
        intent_count=deployment.intent_count + len(orders),
    )
    intents = tuple(intent_of(moved, order, close=bar.close, seq=seq, at=at) for order in orders)
    return Evaluation(moved, decision, intents)


def exits_of(entry: Intent, close: Decimal) -> Exits:
    """Return the exits of an entry that is decided at a close as a venue can work them.

    Raises:
        AlphintraError: EXITS_UNSUPPORTED for what no order of a group says.
    """
    protection = entry.protection
    if protection is None:
        return Exits()
    trail = protection.trail
    moves = protection.chandelier is not None or protection.break_even is not None
    if moves or (protection.stop is not None and trail is not None):
        message = "the exits of the entry cannot be placed as one stop and one target: use one kind of stop"
        raise AlphintraError("EXITS_UNSUPPORTED", message)
    stop, target = expected_levels(entry, close)
    is_percent = trail is not None and trail.kind is LevelKind.PERCENT
    return Exits(
        take_profit=target,
        stop_price=stop,
        trail_price=None if trail is None or is_percent else trail.amount,
        trail_percent=trail.amount if trail is not None and is_percent else None,
        profit_from_fill=protection.reckoned(entry.side, leg=TARGET),
        stop_from_fill=protection.reckoned(entry.side, leg=STOP),
    )


def _on_tick(reckoning: FromFill | None, tick: Decimal) -> FromFill | None:
    if reckoning is None:
        return None
    return FromFill(factor=reckoning.factor, offset=reckoning.offset, tick=tick)


def intent_of(deployment: Deployment, order: Order, *, close: Decimal, seq: int, at: datetime) -> StoredIntent:
    """Return what a deployment asks trading for at a close, to be stored before it does."""
    return StoredIntent(
        client_order_id=order.client_order_id,
        deployment_id=deployment.deployment_id,
        seq=seq,
        intent_index=order.intent.index,
        side=order.intent.side,
        qty=order.intent.qty,
        type=order.intent.order_type,
        time_in_force=order.intent.time_in_force,
        reason=order.intent.reason,
        tag=order.intent.tag,
        exits=exits_of(order.intent, close),
        status="pending",
        order_id=None,
        order_code="",
        created_at=at,
        limit_price=order.intent.limit_price,
        trigger_price=order.intent.stop_price,
        bars_max=order.intent.bars_max,
        works_until=order.works_until,
        entry_number=deployment.entries + 1 if order.intent.reason == "entry" else 1,
    )
