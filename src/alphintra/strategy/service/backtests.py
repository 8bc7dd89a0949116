"""Use cases of backtests: queued, carried out by a worker, kept with everything needed to repeat them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra import __version__
from alphintra.contracts.strategy import BacktestFinished, BacktestsView, BacktestView, StartBacktest
from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest, run_hash
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.statistics import Statistics, compute_statistics
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.strategy.domain.replay import within
from alphintra.strategy.gateways.services import service_context
from alphintra.strategy.service.imports import HEARTBEAT_S, LEASE, newest_dataset

if TYPE_CHECKING:
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.services import Workflows
    from alphintra.strategy.repository import Dataset, Desk

__all__ = ["acting_user", "cancel_backtest", "get_backtest", "list_backtests", "run_one", "start_backtest"]

PAGE_MAX = 200
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


@dataclass(slots=True)
class _Run:
    share: float = 0.0
    is_cancel_asked: bool = False


def acting_user(context: Context) -> UserId:
    """Return the person a command runs for. Raises USER_REQUIRED for anybody else."""
    if context.actor.user_id is None:
        raise AlphintraError("USER_REQUIRED", "only a signed-in person has strategies", kind=Kind.FORBIDDEN)
    return UserId(context.actor.user_id)


async def start_backtest(
    command: StartBacktest, context: Context, *, desk: Desk, workflows: Workflows, ids: IdSource, at: datetime
) -> BacktestView:
    """Queue a backtest. Raises WORKFLOW_NOT_FOUND, SYMBOL_UNKNOWN, RANGE, QTY_NOT_POSITIVE or NUMBER_*."""
    owner_id = acting_user(context)
    settings = BacktestSettings(
        initial_cash=command.initial_cash,
        fees=FeeModel(commission_bps=command.fee_bps, per_share=command.fee_per_share),
        slippage_bps=command.slippage_bps,
    )
    if command.start is not None and command.end is not None and command.start >= command.end:
        raise AlphintraError("RANGE", "the range ends before it starts", pointer="/end")
    version = await workflows.version(command.version_id, context)
    dataset = await newest_dataset(command.symbol, desk=desk)
    span = f"{command.start}/{command.end}"
    identity = run_hash(
        version.graph_hash, f"{dataset.data_hash}/{span}", settings=settings, engine_version=__version__
    )
    backtest_id = ids.new()
    facts: dict[str, Any] = {"symbol": command.symbol, "run_hash": identity}
    async with desk.transaction() as tx:
        await tx.execute(
            "backtests.insert",
            backtest_id,
            owner_id,
            command.version_id,
            dataset.dataset_id,
            command.symbol,
            version.graph,
            _encode(settings).decode(),
            command.start,
            command.end,
            identity,
            at,
        )
        subject = f"backtest:{backtest_id}"
        await append_audit(tx.session, "backtest.start", subject, facts, ids=ids, context=context, at=at)
        tx.wake_service()
    return await get_backtest(backtest_id, context, desk=desk)


async def get_backtest(backtest_id: UUID, context: Context, *, desk: Desk) -> BacktestView:
    """Return a backtest with its result. Raises BACKTEST_NOT_FOUND, also for other people's."""
    row = await desk.row("backtests.get", backtest_id)
    if row is None or row["owner_id"] != acting_user(context):
        raise AlphintraError("BACKTEST_NOT_FOUND", f"there is no backtest {backtest_id}", kind=Kind.NOT_FOUND)
    return _view(row)


async def list_backtests(context: Context, *, desk: Desk, limit: int) -> BacktestsView:
    """Return the acting user's backtests without results, newest first."""
    if not 1 <= limit <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}", pointer="/limit")
    rows = await desk.rows("backtests.list", acting_user(context), limit)
    return BacktestsView(backtests=tuple(_view(row) for row in rows))


async def cancel_backtest(
    backtest_id: UUID, context: Context, *, desk: Desk, ids: IdSource, at: datetime
) -> BacktestView:
    """Stop a backtest that waits or runs; one that ended is answered as it is."""
    await get_backtest(backtest_id, context, desk=desk)
    async with desk.transaction() as tx:
        if await tx.execute("backtests.cancel", backtest_id, at):
            subject = f"backtest:{backtest_id}"
            await append_audit(tx.session, "backtest.cancel", subject, {}, ids=ids, context=context, at=at)
    return await get_backtest(backtest_id, context, desk=desk)


async def run_one(row: Mapping[str, Any], *, desk: Desk, catalogue: Catalogue, clock: Clock, ids: IdSource) -> None:
    """Carry out a leased backtest; killed half way, it is leased again and yields the same result."""
    (dataset,) = await desk.datasets([row["dataset_id"]])
    run = _Run()
    work = asyncio.create_task(asyncio.to_thread(_compute, row, dataset, catalogue, run))
    while not (await asyncio.wait({work}, timeout=HEARTBEAT_S))[0]:
        async with desk.transaction() as tx:
            asked = await tx.session.value("backtests.progress", row["backtest_id"], run.share, clock.now() + LEASE)
        run.is_cancel_asked = run.is_cancel_asked or bool(asked)
    try:
        result, statistics = work.result()
    except AlphintraError as error:
        status = "canceled" if error.code == "RUN_STOPPED" else "failed"
        await _finish(row, status, error=error, desk=desk, clock=clock, ids=ids)
        return
    except Exception:  # noqa: BLE001 - logged; the run is marked failed, the worker goes on
        get_logger().exception("backtest.failed", backtest_id=str(row["backtest_id"]))
        bug = AlphintraError("INTERNAL", "the run failed: see the log", kind=Kind.BUG)
        await _finish(row, "failed", error=bug, desk=desk, clock=clock, ids=ids)
        return
    fault_point("strategy.backtest_computed")
    await _finish(row, "finished", outcome=(result, statistics), desk=desk, clock=clock, ids=ids)


def _compute(
    row: Mapping[str, Any], dataset: Dataset, catalogue: Catalogue, run: _Run
) -> tuple[BacktestResult, Statistics]:
    def told(done: int, total: int) -> None:
        run.share = done / total

    plan = compile_plan(parse_graph(row["graph"].encode()))
    bars = within(catalogue.read(dataset.dataset_id, dataset.splits), row["start_ts"], row["end_ts"])
    result = run_backtest(
        plan,
        row["symbol"],
        bars=bars,
        settings=msgspec.json.decode(row["settings"], type=BacktestSettings),
        progress=told,
        should_stop=lambda: run.is_cancel_asked,
    )
    return result, compute_statistics(result)


async def _finish(  # noqa: PLR0913 - how it ended, and where that is stored
    row: Mapping[str, Any],
    status: str,
    *,
    desk: Desk,
    clock: Clock,
    ids: IdSource,
    outcome: tuple[BacktestResult, Statistics] | None = None,
    error: AlphintraError | None = None,
) -> None:
    backtest_id: UUID = row["backtest_id"]
    at = clock.now()
    metrics = {} if outcome is None else _metrics(outcome[1])
    event = BacktestFinished(
        backtest_id=backtest_id,
        owner_id=row["owner_id"],
        symbol=row["symbol"],
        status=status,
        total_return=metrics.get("total_return"),
    )
    context = service_context(backtest_id.hex)
    async with desk.transaction() as tx:
        stored = await tx.execute(
            "backtests.finish",
            backtest_id,
            status,
            1.0,
            "" if outcome is None else outcome[0].digest,
            _encode(metrics).decode(),
            "" if outcome is None else _report(outcome[0]),
            "" if error is None else error.code,
            "" if error is None else error.detail,
            at,
        )
        if stored:
            await append_event(tx.session, event, ids=ids, aggregate_id=backtest_id, context=context, at=at)


def _metrics(statistics: Statistics) -> dict[str, float | None]:
    plain: dict[str, Any] = msgspec.to_builtins(statistics)
    return {name: None if value is None else float(value) for name, value in plain.items()}


def _report(result: BacktestResult) -> str:
    return _encode(
        {
            "orders": result.orders,
            "fills": result.fills,
            "trades": result.trades,
            "equity": result.equity,
            "position": result.position,
            "blocked": result.blocked,
            "honesty": result.honesty,
        }
    ).decode()


def _view(row: Mapping[str, Any]) -> BacktestView:
    return BacktestView(
        backtest_id=row["backtest_id"],
        version_id=row["version_id"],
        dataset_id=row["dataset_id"],
        symbol=row["symbol"],
        status=row["status"],
        progress=row["progress"],
        run_hash=row["run_hash"],
        result_hash=row["result_hash"],
        metrics=msgspec.json.decode(row["metrics"]),
        result=row["result"],
        error_code=row["error_code"],
        error=row["error"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )
