"""One bar of a simulated book: first the working orders meet the bar, then the strategy decides at its close.

``step`` joins both halves for backtests. A live deployment uses the same halves apart: ``decide`` at the strategy,
and ``match_bar``, ``apply_fill`` and ``FeeModel`` where its orders are filled and booked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alphintra.engine.book import Book, Fill, Order, Refusal, fill_working
from alphintra.engine.costs import Costs
from alphintra.engine.graph.values import StateView
from alphintra.engine.graph.wire import MINUTES
from alphintra.engine.intents import Decision, client_order_id
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.vocabulary import Intrabar, OrderType, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from alphintra.engine.algorithm_runs import Decider
    from alphintra.engine.bars import Bar
    from alphintra.engine.gate import Denial, Gate
    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.intents import Intent

__all__ = ["Origin", "StepResult", "decide", "orders_of", "step", "works_until"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who places the orders: the deployment (or ``backtest``) and the symbol; parts of every client order id."""

    deployment_key: str
    symbol: str


@dataclass(frozen=True, slots=True)
class StepResult:
    """Everything one bar brought about; of ``orders`` those that were not denied work from now on."""

    book: Book
    fills: tuple[Fill, ...]
    refusals: tuple[Refusal, ...]
    decision: Decision
    orders: tuple[Order, ...]
    denials: tuple[Denial, ...] = ()


def step(  # noqa: PLR0913 - who decides, on what, and by which rules
    executor: Decider,
    book: Book,
    bar: Bar,
    *,
    costs: Costs,
    origin: Origin,
    gate: Gate | None = None,
    intrabar: Intrabar = Intrabar.CHRONOLOGICAL,
) -> StepResult:
    """Advance a simulated book by one bar: fills at the bar, then the decision at its close, then the controls.

    Raises:
        AlphintraError: TIME_ORDER for a repeated or older bar, NODE_VALUE.
    """
    book, fills, refusals = fill_working(book, bar, costs=costs, intrabar=intrabar)
    view = book.view(bar.close)
    decision, orders = decide(executor, bar, view, origin=origin)
    book, withdrawn = book.after(decision)
    refusals += withdrawn
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


def decide(executor: Decider, bar: Bar, view: StateView, *, origin: Origin) -> tuple[Decision, tuple[Order, ...]]:
    """Evaluate the strategy at the close of a bar and name the orders it asks for."""
    decision = executor.on_bar(bar, view)
    return decision, orders_of(executor.plan, bar, decision.intents, origin=origin)


def orders_of(plan: Plan, bar: Bar, intents: Sequence[Intent], *, origin: Origin) -> tuple[Order, ...]:
    """Name the orders that intents at the close of a bar become."""
    return tuple(_order(plan, bar.ts, intent, origin) for intent in intents)


def _order(plan: Plan, ts: datetime, intent: Intent, origin: Origin) -> Order:
    name = client_order_id(
        origin.deployment_key,
        plan.graph_hash,
        bar_ts=ts,
        symbol=origin.symbol,
        intent_index=intent.index,
        attempt=1,
    )
    return Order(name, ts, intent, works_until(plan, intent, ts, origin.symbol))


def works_until(plan: Plan, intent: Intent, ts: datetime, symbol: str) -> datetime | None:
    """Return the closing that ends an order of the day which waits for a price; None where a bar is a session."""
    waits = intent.order_type is not OrderType.MARKET and intent.time_in_force is TimeInForce.DAY
    if not waits or MINUTES[plan.timeframe] >= MINUTES["1d"]:
        return None
    return calendar_of(symbol).session_at(ts).close
