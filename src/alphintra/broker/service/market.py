"""Driving the paper venue."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.floor import (
    Activated,
    Canceled,
    Execution,
    Expired,
    Exposed,
    Happening,
    Repriced,
    StepOutcome,
    Trailed,
    Triggered,
    run_step,
)
from alphintra.broker.domain.market import Hours, Step, require_next, step_of
from alphintra.broker.domain.orders import VenueOrderStatus
from alphintra.broker.domain.paper import PaperOrder, paper_order_id
from alphintra.contracts.broker import (
    AdvanceMarket,
    BarView,
    BreakFound,
    ExecutionReported,
    MarketAdvanced,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderTrailed,
    OrderTriggered,
    VenueExecution,
)
from alphintra.engine.bars import Bar
from alphintra.engine.sessions import calendar_named
from alphintra.infrastructure.events import append_audit, append_events
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import FeedId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.broker.repository.paper import Fill
    from alphintra.broker.repository.records import Records, RecordsTransaction
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context, Event

__all__ = ["EXECUTIONS_AT_ONCE", "advance_market"]

EXECUTIONS_AT_ONCE = 2000  # one answer stays well below the bus's limit of one megabyte
PROTECTION_MISSING = "PROTECTION_MISSING"


async def advance_market(
    command: AdvanceMarket, context: Context, *, records: Records, ids: IdSource, at: datetime
) -> MarketAdvanced:
    """Drive the paper venue of a feed by one step.

    A step done before is answered as it was; executions beyond one answer are asked for with ``after``.

    Raises MARKET_SEQ for a step that is not the next, TIME_ORDER, MARKET_BARS, CALENDAR_UNKNOWN, CALENDAR_RANGE,
    BAR_INVALID, PRICE_MISSING, FIELD_RANGE and NUMBER_*, with nothing done.
    """
    step = step_of(FeedId(command.feed_id), command.seq, [_bar(bar) for bar in command.bars])
    if command.after is None and await records.advance_idle(step):
        return MarketAdvanced(seq=step.seq, executions=())
    async with records.transaction() as tx:
        market = await tx.paper.lock_market(step.feed_id, at=at)
        if step.seq <= market.last_seq:
            made = await tx.paper.made_by(step.feed_id, step.seq, after=command.after, limit=EXECUTIONS_AT_ONCE + 1)
            return _advanced(step.seq, made)
        require_next(market, step)
        if command.after is not None:
            message = f"step {step.seq} is not done yet: send it without after first"
            raise AlphintraError("MARKET_SEQ", message, kind=Kind.CONFLICT, pointer="/after")
        outcome = await _do(tx, step, ids=ids, context=context, at=at)
        fault_point("broker.step_stored")
    fault_point("broker.step_committed")
    fills = sorted(outcome.executions, key=lambda fill: fill.order_id)
    return _advanced(step.seq, [(fill.execution_id, fill.order_id, fill.account_id) for fill in fills])


async def _do(tx: RecordsTransaction, step: Step, *, ids: IdSource, context: Context, at: datetime) -> StepOutcome:
    """Match a step, store what it did and tell it."""
    orders = await tx.paper.touched(step)
    outcome = run_step(orders, step, positions=await tx.paper.positions(orders))
    await tx.paper.store_step(step, outcome, closed=_closed(orders, outcome), at=at)
    told = [
        (aggregate_id, event)
        for happening in outcome.happenings
        for aggregate_id, event in await _told(tx, happening, ids=ids, at=at)
    ]
    if told:
        await append_events(tx.session, told, ids=ids, context=context, at=at)
        detail: dict[str, object] = {
            "seq": step.seq,
            "executions": [fill.execution_id for fill in outcome.executions],
            "ambiguous": [fill.execution_id for fill in outcome.executions if fill.is_ambiguous],
            "expired": [gone.order_id for gone in outcome.happenings if isinstance(gone, Expired)],
            "canceled": [gone.order_id for gone in outcome.happenings if isinstance(gone, Canceled)],
        }
        what = f"feed:{step.feed_id}"
        await append_audit(tx.session, "market.advance", what, detail, ids=ids, context=context, at=at)
    return outcome


def _bar(view: BarView) -> tuple[str, Bar, Hours | None]:
    bar = Bar(view.ts, view.open, view.high, view.low, view.close, view.volume)
    if view.opened_at is None or view.calendar is None:
        return view.symbol, bar, None
    return view.symbol, bar, Hours(view.opened_at, calendar_named(view.calendar))


def _closed(orders: Sequence[PaperOrder], outcome: StepOutcome) -> int:
    """Return by how many the working orders became fewer; less than zero where held ones came to work."""
    changed = {entry.order.order_id: entry.status for entry in outcome.changed}
    working = VenueOrderStatus.WORKING
    return sum(
        (entry.status is working) - (changed[entry.order.order_id] is working)
        for entry in orders
        if entry.order.order_id in changed
    )


async def _told(
    tx: RecordsTransaction, happening: Happening, *, ids: IdSource, at: datetime
) -> list[tuple[UUID, Event]]:
    match happening:
        case Execution(order_id=order_id):
            return [(order_id, _execution_reported(happening))]
        case Activated(order_id, limit, stop) | Repriced(order_id, limit, stop):
            told = OrderAcknowledged(
                order_id=order_id, venue_order_id=paper_order_id(order_id), limit_price=limit, stop_price=stop
            )
            return [(order_id, told)]
        case Triggered(order_id, stop_price):
            return [(order_id, OrderTriggered(order_id=order_id, stop_price=stop_price))]
        case Trailed(order_id, hwm):
            return [(order_id, OrderTrailed(order_id=order_id, hwm=hwm))]
        case Canceled(order_id) | Expired(order_id):
            gone = OrderCanceled if isinstance(happening, Canceled) else OrderExpired
            return [(order_id, gone(order_id=order_id))]
        case Exposed():
            is_new = await tx.paper.add_break(happening, at=at)
            return [(happening.account_id, _break_found(happening, ids.new()))] if is_new else []


def _break_found(exposed: Exposed, break_id: UUID) -> BreakFound:
    detail = (
        f"{exposed.qty:f} of {exposed.symbol} opened by the group of order {exposed.group_id} has no working stop: "
        "its stop was canceled or expired; close the position or place another stop"
    )
    return BreakFound(
        break_id=break_id,
        account_id=exposed.account_id,
        code=PROTECTION_MISSING,
        symbol=exposed.symbol,
        order_id=exposed.group_id,
        detail=detail,
    )


def _execution_reported(fill: Execution) -> ExecutionReported:
    return ExecutionReported(
        execution_id=fill.execution_id,
        order_id=fill.order_id,
        account_id=fill.account_id,
        symbol=fill.symbol,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        fee=fill.fee,
        executed_at=fill.executed_at,
        final_qty=fill.final_qty,
    )


def _advanced(seq: int, made: Sequence[Fill]) -> MarketAdvanced:
    page = made[:EXECUTIONS_AT_ONCE]
    executions = tuple(
        VenueExecution(execution_id=execution_id, order_id=order_id, account_id=account_id)
        for execution_id, order_id, account_id in page
    )
    after = page[-1][1] if len(made) > len(page) else None
    return MarketAdvanced(seq=seq, executions=executions, after=after)
