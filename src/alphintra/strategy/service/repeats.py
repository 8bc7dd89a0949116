"""Use cases of backtests made again: the same strategy, bars, range and terms, held against what came out before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.contracts.courses import RunTrial
from alphintra.contracts.samples import BacktestComparisonView, CompareBacktests, RepeatBacktest
from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import graph_hash
from alphintra.infrastructure.events import append_audit
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.domain.comparison import Ran, differences
from alphintra.strategy.domain.search import with_point
from alphintra.strategy.domain.universes import name_of
from alphintra.strategy.service.algorithms import require_algorithm
from alphintra.strategy.service.backtests import (
    acting_user,
    get_backtest,
    identity_of,
    readable,
    thresholds_in_force,
)
from alphintra.strategy.service.queueing import Queued, enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alphintra.contracts.strategy import BacktestView
    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.graph.wire import Graph
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.repository import Desk, DeskTransaction

__all__ = ["compare_backtests", "repeat_backtest", "run_trial"]


async def repeat_backtest(
    command: RepeatBacktest, context: Context, *, desk: Desk, host: Host, ids: IdSource, at: datetime
) -> BacktestView:
    """Queue a finished backtest anew, under its own terms and limits, whatever holds now.

    It shows nothing that was not seen before: no locked bars count as looked at by it, and in the ledger of trials it
    is the run it repeats.

    Raises BACKTEST_NOT_FOUND, BACKTEST_NOT_FINISHED and ALGORITHM_*.
    """
    row = readable(await desk.row("backtests.inputs", command.backtest_id), command.backtest_id, context)
    _require_finished(row["status"])
    graph, settings = parse_graph(row["graph"].encode()), msgspec.json.decode(row["settings"], type=BacktestSettings)
    queued = await _queued(row, graph, settings, context, desk=desk, host=host, ids=ids)
    queued = replace(queued, graph=row["graph"], thresholds=row["thresholds"], repeats=command.backtest_id)
    facts: dict[str, Any] = {"repeats": str(command.backtest_id)}
    async with desk.transaction() as tx:
        await _enter(tx, queued, facts, context, ids=ids, at=at)
    return await get_backtest(queued.backtest_id, context, desk=desk)


async def run_trial(
    command: RunTrial, context: Context, *, desk: Desk, host: Host, ids: IdSource, at: datetime
) -> BacktestView:
    """Queue a backtest of a trial over the very bars and under the terms of its sweep, whatever holds now.

    Raises SWEEP_NOT_FOUND, TRIAL_NOT_FOUND and ALGORITHM_*.
    """
    row = await desk.row("sweeps.inputs", command.sweep_id)
    if row is None or row["owner_id"] != acting_user(context):
        raise AlphintraError("SWEEP_NOT_FOUND", f"there is no sweep {command.sweep_id}", kind=Kind.NOT_FOUND)
    tried = await desk.row("trials.get", command.sweep_id, command.role, command.segment, command.number)
    if tried is None:
        message = (
            f"the sweep has no trial {command.number} in segment {command.segment} of its {command.role[:10]} runs"
        )
        raise AlphintraError("TRIAL_NOT_FOUND", message, kind=Kind.NOT_FOUND)
    point = {name: Decimal(value) for name, value in msgspec.json.decode(tried["parameters"]).items()}
    graph = with_point(parse_graph(row["graph"].encode()), point)
    settings = msgspec.json.decode(row["settings"], type=BacktestSettings)
    run = {**row, "start_ts": tried["start_ts"], "end_ts": tried["end_ts"]}
    queued = await _queued(run, graph, settings, context, desk=desk, host=host, ids=ids)
    facts: dict[str, Any] = {"sweep": str(command.sweep_id), "trial": command.number}
    async with desk.transaction() as tx:
        mine = msgspec.json.encode(await thresholds_in_force(acting_user(context), tx)).decode()
        await _enter(tx, replace(queued, thresholds=mine), facts, context, ids=ids, at=at)
        await tx.execute(
            "holdout.note",
            queued.backtest_id,
            queued.owner_id,
            queued.workflow_id,
            queued.symbols,
            at,
            tried["end_ts"],
        )
    return await get_backtest(queued.backtest_id, context, desk=desk)


async def _queued(  # noqa: PLR0913 - what is run again, and from what
    row: Mapping[str, Any],
    graph: Graph,
    settings: BacktestSettings,
    context: Context,
    *,
    desk: Desk,
    host: Host,
    ids: IdSource,
) -> Queued:
    """Return a run over the bars that a stored one names, known by the hash that such a run has now."""
    wanted = row["dataset_ids"] or [row["dataset_id"]]
    known = {dataset.dataset_id: dataset for dataset in await desk.datasets(wanted)}
    await require_algorithm(graph, host=host)
    span, symbols = (row["start_ts"], row["end_ts"]), tuple(row["symbols"]) or (row["symbol"],)
    data_hash = ",".join(known[dataset_id].data_hash for dataset_id in wanted)
    return Queued(
        backtest_id=ids.new(),
        owner_id=acting_user(context),
        version_id=row["version_id"],
        workflow_id=row["workflow_id"],
        symbols=symbols,
        dataset_ids=wanted,
        graph=msgspec.json.encode(graph).decode(),
        settings=settings,
        span=span,
        run_hash=identity_of(graph_hash(graph), row["symbol"], data_hash, span=span, settings=settings),
        thresholds="",
    )


async def _enter(
    tx: DeskTransaction,
    queued: Queued,
    facts: Mapping[str, Any],
    context: Context,
    *,
    ids: IdSource,
    at: datetime,
) -> None:
    await enqueue(tx, queued, at=at)
    told = {"symbol": name_of(queued.symbols), "run_hash": queued.run_hash, **facts}
    subject = f"backtest:{queued.backtest_id}"
    await append_audit(tx.session, "backtest.start", subject, told, ids=ids, context=context, at=at)


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
