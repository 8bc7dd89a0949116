"""One bar of a simulated book: first the working orders meet the bar, then the strategy decides at its close.

``step`` joins both halves for backtests. A live deployment uses the same halves apart: ``decide`` at the strategy,
and ``match_bar``, ``apply_fill`` and ``FeeModel`` where its orders are filled and booked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.executor import Decision, Executor, Intent, client_order_id
from alphintra.engine.graph.values import StateView
from alphintra.engine.matching import OrderTerms, match_bar, require_slippage
from alphintra.engine.portfolio import FLAT, FeeModel, Position, apply_fill, cash_delta
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from alphintra.engine.bars import Bar
    from alphintra.engine.gate import Denial, Gate

__all__ = ["Book", "Costs", "Fill", "Order", "Origin", "Refusal", "StepResult", "decide", "fill_working", "step"]

EXCEEDS_FREE_BALANCE = "EXCEEDS_FREE_BALANCE"


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs: venue fees, and slippage of market orders in bps (0 to 1000)."""

    fees: FeeModel = FeeModel()  # noqa: RUF009 - frozen, so sharing the default is safe
    slippage_bps: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        require_slippage(self.slippage_bps)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who places the orders: the deployment (or ``backtest``) and the symbol; parts of every client order id."""

    deployment_key: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order born of an intent at the close ``created_ts``."""

    client_order_id: str
    created_ts: datetime
    intent: Intent


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution; ``ts`` is the close time of the bar that filled, ``realized`` is before fees."""

    client_order_id: str
    ts: datetime
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    realized: Decimal


@dataclass(frozen=True, slots=True)
class Refusal:
    """An order that met a bar and could not be booked, with the code a live risk check would give."""

    client_order_id: str
    ts: datetime
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Book:
    """Cash, position and working orders of one strategy on one symbol."""

    cash: Decimal
    position: Position = FLAT
    working: tuple[Order, ...] = ()

    def equity(self, mark: Decimal) -> Decimal:
        """Return cash plus the position at price ``mark``."""
        return self.cash + self.position.market_value(mark)

    def view(self, mark: Decimal) -> StateView:
        """Return what the strategy may know of this book at price ``mark``."""
        return StateView(
            qty=self.position.qty,
            avg_price=self.position.avg_price,
            cash=self.cash,
            equity=self.equity(mark),
            is_order_working=bool(self.working),
        )


@dataclass(frozen=True, slots=True)
class StepResult:
    """Everything one bar brought about; of ``orders`` those that were not denied work from now on."""

    book: Book
    fills: tuple[Fill, ...]
    refusals: tuple[Refusal, ...]
    decision: Decision
    orders: tuple[Order, ...]
    denials: tuple[Denial, ...] = ()


def step(
    executor: Executor, book: Book, bar: Bar, *, costs: Costs, origin: Origin, gate: Gate | None = None
) -> StepResult:
    """Advance a simulated book by one bar: fills at the bar, then the decision at its close, then the controls.

    Raises:
        AlphintraError: TIME_ORDER for a repeated or older bar, NODE_VALUE.
    """
    book, fills, refusals = fill_working(book, bar, costs=costs)
    view = book.view(bar.close)
    decision, orders = decide(executor, bar, view, origin=origin)
    denials = () if gate is None else _denied(gate, bar, book, view=view, fills=fills, orders=orders)
    if not denials:
        return StepResult(replace(book, working=book.working + orders), fills, refusals, decision, orders)
    names = {denial.client_order_id for denial in denials}
    passed = tuple(order for order in orders if order.client_order_id not in names)
    refused = tuple(found.code for denial in denials for found in denial.findings)
    book = replace(book, working=book.working + passed)
    return StepResult(book, fills, refusals, replace(decision, refused=refused), orders, denials)


def _denied(
    gate: Gate, bar: Bar, book: Book, *, view: StateView, fills: Sequence[Fill], orders: Sequence[Order]
) -> tuple[Denial, ...]:
    """Let the controls take note of a bar as risk does, executions first, and judge what is asked for at its close."""
    for fill in fills:
        gate.note_fill(at=fill.ts)
    gate.note_equity(view.equity, at=bar.ts)
    if not orders:
        return ()
    asked = [(order.client_order_id, order.intent) for order in orders]
    working = [order.client_order_id for order in book.working]
    return tuple(gate.screen(asked, view, working=working, at=bar.ts, price=bar.close))


def fill_working(book: Book, bar: Bar, *, costs: Costs) -> tuple[Book, tuple[Fill, ...], tuple[Refusal, ...]]:
    """Let every working order meet the bar, oldest first; filled and refused ones stop working.

    A buy that costs more than the free cash is refused whole, as in a cash account.
    """
    fills: list[Fill] = []
    refusals: list[Refusal] = []
    working: list[Order] = []
    cash, position = book.cash, book.position
    for order in book.working:
        intent = order.intent
        terms = OrderTerms(intent.side, intent.order_type, order.created_ts)
        price = match_bar(terms, bar, slippage_bps=costs.slippage_bps)
        if price is None:
            working.append(order)
            continue
        fee = costs.fees.fee(intent.qty, price)
        delta = cash_delta(intent.side, intent.qty, price=price, fee=fee)
        if intent.side is Side.BUY and cash + delta < 0:
            detail = f"{intent.qty} at {price} with fee {fee} costs {-delta}, free cash is {cash}"
            refusals.append(Refusal(order.client_order_id, bar.ts, EXCEEDS_FREE_BALANCE, detail))
            continue
        position, realized = apply_fill(position, intent.side, qty=intent.qty, price=price)
        cash += delta
        fills.append(Fill(order.client_order_id, bar.ts, intent.side, intent.qty, price, fee, realized))
    return Book(cash, position, tuple(working)), tuple(fills), tuple(refusals)


def decide(executor: Executor, bar: Bar, view: StateView, *, origin: Origin) -> tuple[Decision, tuple[Order, ...]]:
    """Evaluate the strategy at the close of a bar and name the orders it asks for."""
    decision = executor.on_bar(bar, view)
    orders = [
        Order(
            client_order_id=client_order_id(
                origin.deployment_key,
                executor.plan.graph_hash,
                bar_ts=bar.ts,
                symbol=origin.symbol,
                intent_index=intent.index,
                attempt=1,
            ),
            created_ts=bar.ts,
            intent=intent,
        )
        for intent in decision.intents
    ]
    return decision, tuple(orders)
