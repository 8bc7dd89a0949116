"""Driving the paper venue."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.market import Execution, StepOutcome, match_step, require_next, step_of
from alphintra.contracts.broker import (
    AdvanceMarket,
    ExecutionReported,
    MarketAdvanced,
    OrderExpired,
    VenueExecution,
)
from alphintra.engine.bars import Bar
from alphintra.infrastructure.events import append_audit, append_events
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.ids import FeedId

if TYPE_CHECKING:
    from alphintra.broker.repository.records import Records
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context, Event

__all__ = ["advance_market"]


async def advance_market(
    command: AdvanceMarket, context: Context, *, records: Records, ids: IdSource, at: datetime
) -> MarketAdvanced:
    """Drive the paper venue of a feed by one step.

    A step done before is answered as it was. Raises MARKET_SEQ for a step that is not the next, TIME_ORDER,
    MARKET_BARS, BAR_INVALID, PRICE_MISSING, FIELD_RANGE and NUMBER_*, with nothing done.
    """
    bars = ((bar.symbol, Bar(bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume)) for bar in command.bars)
    step = step_of(FeedId(command.feed_id), command.seq, bars)
    if await records.advance_idle(step):
        return MarketAdvanced(seq=step.seq, executions=())
    async with records.transaction() as tx:
        market = await tx.lock_market(step.feed_id, at=at)
        if step.seq <= market.last_seq:
            return _advanced(step.seq, await tx.made_by(step.feed_id, step.seq))
        require_next(market, step)
        outcome = match_step(await tx.working(step), step)
        await tx.store_step(step, outcome, at=at)
        if outcome.executions or outcome.expired:
            await append_events(tx.session, _told(outcome), ids=ids, context=context, at=at)
            detail: dict[str, object] = {
                "seq": step.seq,
                "executions": [execution.execution_id for execution in outcome.executions],
                "expired": outcome.expired,
            }
            what = f"feed:{step.feed_id}"
            await append_audit(tx.session, "market.advance", what, detail, ids=ids, context=context, at=at)
        fault_point("broker.step_stored")
    fault_point("broker.step_committed")
    made = tuple((execution.execution_id, execution.order_id, execution.account_id) for execution in outcome.executions)
    return _advanced(step.seq, made)


def _told(outcome: StepOutcome) -> list[tuple[UUID, Event]]:
    events: list[tuple[UUID, Event]] = [(fill.order_id, _execution_reported(fill)) for fill in outcome.executions]
    return events + [(order_id, OrderExpired(order_id=order_id)) for order_id in outcome.expired]


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
    )


def _advanced(seq: int, made: tuple[tuple[str, UUID, UUID], ...]) -> MarketAdvanced:
    executions = tuple(
        VenueExecution(execution_id=execution_id, order_id=order_id, account_id=account_id)
        for execution_id, order_id, account_id in made
    )
    return MarketAdvanced(seq=seq, executions=executions)
