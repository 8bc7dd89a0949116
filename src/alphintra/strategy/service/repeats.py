"""Use cases of backtests made again: the same strategy, bars, range and terms, held against what came out before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.contracts.samples import BacktestComparisonView, CompareBacktests, RepeatBacktest
from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import graph_hash
from alphintra.infrastructure.events import append_audit
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.domain.comparison import Ran, differences
from alphintra.strategy.service.algorithms import require_algorithm
from alphintra.strategy.service.backtests import acting_user, get_backtest, identity_of, readable
from alphintra.strategy.service.queueing import Queued, enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alphintra.contracts.strategy import BacktestView
    from alphintra.engine.algorithm_runs import Host
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.repository import Desk

__all__ = ["compare_backtests", "repeat_backtest"]


async def repeat_backtest(
    command: RepeatBacktest, context: Context, *, desk: Desk, host: Host, ids: IdSource, at: datetime
) -> BacktestView:
    """Queue a finished backtest anew, under its own terms and limits, whatever holds now.

    It shows nothing that was not seen before: no locked bars count as looked at by it, and in the ledger of trials it
    is the run it repeats.

    Raises BACKTEST_NOT_FOUND, BACKTEST_NOT_FINISHED and ALGORITHM_*.
    """
    backtest_id = command.backtest_id
    row = readable(await desk.row("backtests.inputs", backtest_id), backtest_id, context)
    _require_finished(row["status"])
    wanted = row["dataset_ids"] or [row["dataset_id"]]
    known = {dataset.dataset_id: dataset for dataset in await desk.datasets(wanted)}
    graph = parse_graph(row["graph"].encode())
    await require_algorithm(graph, host=host)
    settings = msgspec.json.decode(row["settings"], type=BacktestSettings)
    span, symbols = (row["start_ts"], row["end_ts"]), tuple(row["symbols"]) or (row["symbol"],)
    data_hash = ",".join(known[dataset_id].data_hash for dataset_id in wanted)
    run_hash = identity_of(graph_hash(graph), row["symbol"], data_hash, span=span, settings=settings)
    queued = Queued(
        backtest_id=ids.new(),
        owner_id=acting_user(context),
        version_id=row["version_id"],
        workflow_id=row["workflow_id"],
        symbols=symbols,
        dataset_ids=wanted,
        graph=row["graph"],
        settings=settings,
        span=span,
        run_hash=run_hash,
        thresholds=row["thresholds"],
        repeats=backtest_id,
    )
    facts: dict[str, Any] = {"symbol": row["symbol"], "run_hash": run_hash, "repeats": str(backtest_id)}
    async with desk.transaction() as tx:
        await enqueue(tx, queued, at=at)
        subject = f"backtest:{queued.backtest_id}"
        await append_audit(tx.session, "backtest.start", subject, facts, ids=ids, context=context, at=at)
    return await get_backtest(queued.backtest_id, context, desk=desk)


async def compare_backtests(command: CompareBacktests, context: Context, *, desk: Desk) -> BacktestComparisonView:
    """Say whether two finished backtests are the same run and came to the same.

    Raises BACKTEST_NOT_FOUND or BACKTEST_NOT_FINISHED.
    """
    one, other = [await _ran(each, context, desk=desk) for each in (command.backtest_id, command.other_id)]
    return BacktestComparisonView(
        is_same_run=one.run_hash == other.run_hash,
        is_equal=one.result_hash == other.result_hash,
        differences=differences(one, other),
    )


async def _ran(backtest_id: UUID, context: Context, *, desk: Desk) -> Ran:
    found = await get_backtest(backtest_id, context, desk=desk)
    _require_finished(found.status)
    return Ran(run_hash=found.run_hash, result_hash=found.result_hash, metrics=found.metrics, report=found.result)


def _require_finished(status: str) -> None:
    if status != "finished":
        message = f"the backtest is {status}: only a finished one can be repeated or compared"
        raise AlphintraError("BACKTEST_NOT_FINISHED", message, kind=Kind.CONFLICT)
