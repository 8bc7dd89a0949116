"""Use cases of backtests: queued, carried out by a worker, kept with everything needed to repeat them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra import __version__
from alphintra.contracts.strategy import BacktestFinished, BacktestsView, BacktestView, StartBacktest
from alphintra.engine.backtest import BacktestSettings, run_hash
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.overfit.verdict import Thresholds
from alphintra.engine.portfolio import FeeModel
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.strategy.domain.histories import run_over
from alphintra.strategy.domain.reports import course_across, course_beside, write_report
from alphintra.strategy.domain.requests import require_timeframe
from alphintra.strategy.domain.search import with_point
from alphintra.strategy.domain.universes import chosen_symbols, name_of, require_runnable, within_each
from alphintra.strategy.gateways.services import service_context
from alphintra.strategy.service.algorithms import algorithm_facts, require_algorithm
from alphintra.strategy.service.imports import newest_datasets
from alphintra.strategy.service.jobs import LEASE, Progress, carry_out
from alphintra.strategy.service.queueing import Queued, enqueue

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.graph.plan import Plan
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import DatasetId, IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.services import Limits, Workflows
    from alphintra.strategy.repository import Dataset, Desk, DeskTransaction

__all__ = [
    "acting_user",
    "cancel_backtest",
    "get_backtest",
    "identity_of",
    "limited",
    "list_backtests",
    "readable",
    "run_one",
    "start_backtest",
    "thresholds_in_force",
]

PAGE_MAX = 200
CHIEF_FIGURES = ("total_return", "cagr", "sharpe", "max_drawdown", "trade_count", "win_rate")
"""Metrics told with the end of a backtest: what a list of them shows."""

_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a run leaves behind, ready to be stored."""

    digest: str
    metrics: dict[str, float | None]
    report: str


def acting_user(context: Context) -> UserId:
    """Return the person a command runs for. Raises USER_REQUIRED for anybody else."""
    if context.actor.user_id is None:
        raise AlphintraError("USER_REQUIRED", "only a signed-in person has strategies", kind=Kind.FORBIDDEN)
    return UserId(context.actor.user_id)


async def start_backtest(  # noqa: PLR0913 - what to run, for whom, and from what
    command: StartBacktest,
    context: Context,
    *,
    desk: Desk,
    workflows: Workflows,
    limits: Limits,
    host: Host,
    ids: IdSource,
    at: datetime,
) -> BacktestView:
    """Queue a backtest, under the limits in force for the account named, as they are now.

    Raises WORKFLOW_NOT_FOUND, ACCOUNT_NOT_FOUND, SYMBOL_UNKNOWN, TIMEFRAME_MISMATCH, RANGE, QTY_NOT_POSITIVE,
    FEE_SIGN, PARAMETER_UNKNOWN, FIELD_TYPE, NUMBER_*, ALGORITHM_*, RISK_UNAVAILABLE, GRAPH_UNIVERSE and what
    ``chosen_symbols`` raises.
    """
    owner_id = acting_user(context)
    settings = _terms(command)
    symbols = chosen_symbols(command.symbol, command.symbols)
    symbol = name_of(symbols)
    settings = await limited(settings, command.account_id, symbols, context, limits=limits)
    version = await workflows.version(command.version_id, context)
    datasets = await newest_datasets(symbols, context, desk=desk)
    graph = parse_graph(version.graph.encode())
    for dataset in datasets:
        require_timeframe(graph.timeframe, dataset.timeframe, symbol=dataset.symbol)
    text = version.graph
    if command.parameters:
        graph = with_point(graph, command.parameters)
        text = msgspec.json.encode(graph).decode()
    plan = compile_plan(graph)
    require_runnable(plan, symbols)
    graph_id = plan.graph_hash if command.parameters else version.graph_hash
    await require_algorithm(graph, host=host)
    span = (command.start, command.end)
    data_hash = ",".join(dataset.data_hash for dataset in datasets)
    identity = identity_of(graph_id, symbol, data_hash, span=span, settings=settings)
    backtest_id = ids.new()
    facts: dict[str, Any] = {"symbol": symbol, "run_hash": identity, **algorithm_facts(graph)}
    async with desk.transaction() as tx:
        queued = Queued(
            backtest_id=backtest_id,
            owner_id=owner_id,
            version_id=command.version_id,
            workflow_id=version.workflow_id,
            symbols=symbols,
            dataset_ids=[dataset.dataset_id for dataset in datasets],
            graph=text,
            settings=settings,
            span=span,
            run_hash=identity,
            thresholds=msgspec.json.encode(await thresholds_in_force(owner_id, tx)).decode(),
        )
        await enqueue(tx, queued, at=at)
        await tx.execute("holdout.note", backtest_id, owner_id, version.workflow_id, symbols, at, command.end)
        subject = f"backtest:{backtest_id}"
        await append_audit(tx.session, "backtest.start", subject, facts, ids=ids, context=context, at=at)
    return await get_backtest(backtest_id, context, desk=desk)


def _terms(command: StartBacktest) -> BacktestSettings:
    settings = BacktestSettings(
        initial_cash=command.initial_cash,
        fees=FeeModel(commission_bps=command.fee_bps, per_share=command.fee_per_share),
        slippage_bps=command.slippage_bps,
        intrabar=command.intrabar,
    )
    if command.start is not None and command.end is not None and command.start >= command.end:
        raise AlphintraError("RANGE", "the range ends before it starts", pointer="/end")
    return settings


async def thresholds_in_force(owner_id: UserId, tx: DeskTransaction) -> Thresholds:
    """Return where a person wants the colours of a verdict to begin, as of now."""
    row = await tx.session.row("thresholds.get", owner_id)
    return Thresholds() if row is None else msgspec.json.decode(row["thresholds"], type=Thresholds)


async def limited(
    settings: BacktestSettings, account_id: UUID | None, symbols: Sequence[str], context: Context, *, limits: Limits
) -> BacktestSettings:
    """Return the terms with what risk holds the account's orders against; without an account as they are."""
    if account_id is None:
        return settings
    in_force = await limits.of_account(account_id, context)
    known = {symbol: await limits.instrument(symbol, context) for symbol in symbols}
    if len(symbols) == 1:
        return replace(settings, limits=in_force, instrument=known[symbols[0]])
    specified = {symbol: its for symbol, its in known.items() if its is not None}
    return replace(settings, limits=in_force, instruments=specified)


def identity_of(
    graph_id: str,
    symbol: str,
    data_hash: str,
    *,
    span: tuple[datetime | None, datetime | None],
    settings: BacktestSettings,
) -> str:
    """Return the hash that names a run: the same strategy, bars, range, terms and engine have the same."""
    data = f"{symbol}/{data_hash}/{_moment(span[0])}/{_moment(span[1])}"
    return run_hash(graph_id, data, settings=settings, engine_version=__version__)


async def get_backtest(backtest_id: UUID, context: Context, *, desk: Desk) -> BacktestView:
    """Return a backtest with its result: one's own, or a template's. Raises BACKTEST_NOT_FOUND."""
    return _view(readable(await desk.row("backtests.get", backtest_id), backtest_id, context))


def readable(row: Mapping[str, Any] | None, backtest_id: UUID, context: Context) -> Mapping[str, Any]:
    """Return the row of a backtest the acting user may see: their own, or a template's. Raises BACKTEST_NOT_FOUND."""
    user_id = acting_user(context)
    if row is None or (row["owner_id"] != user_id and not row["template"]):
        raise AlphintraError("BACKTEST_NOT_FOUND", f"there is no backtest {backtest_id}", kind=Kind.NOT_FOUND)
    return row


async def list_backtests(context: Context, *, desk: Desk, limit: int) -> BacktestsView:
    """Return the acting user's backtests without results, newest first."""
    if not 1 <= limit <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}", pointer="/limit")
    rows = await desk.rows("backtests.list", acting_user(context), limit)
    return BacktestsView(backtests=tuple(_view(row) for row in rows))


async def cancel_backtest(
    backtest_id: UUID, context: Context, *, desk: Desk, ids: IdSource, at: datetime
) -> BacktestView:
    """Stop a backtest that waits or runs; one that ended is answered as it is. Raises BACKTEST_SHARED."""
    found = await get_backtest(backtest_id, context, desk=desk)
    if found.template:
        message = f"the backtest of the template {found.template} is everybody's: run one of your own to cancel it"
        raise AlphintraError("BACKTEST_SHARED", message, kind=Kind.FORBIDDEN)
    async with desk.transaction() as tx:
        row = await tx.session.row("backtests.cancel", backtest_id, at)
        if row is not None:
            subject = f"backtest:{backtest_id}"
            await append_audit(tx.session, "backtest.cancel", subject, {}, ids=ids, context=context, at=at)
        if row is not None and row["status"] == "canceled":
            event = _finished(row, "canceled", {})
            await append_event(tx.session, event, ids=ids, aggregate_id=backtest_id, context=context, at=at)
    return await get_backtest(backtest_id, context, desk=desk)


async def run_one(
    row: Mapping[str, Any], *, desk: Desk, catalogue: Catalogue, host: Host, clock: Clock, ids: IdSource
) -> None:
    """Carry out a leased backtest; killed half way, it is leased again and yields the same result."""
    wanted: Sequence[DatasetId] = row["dataset_ids"] or [row["dataset_id"]]
    found = {dataset.dataset_id: dataset for dataset in await desk.datasets(wanted)}
    datasets = [found[dataset_id] for dataset_id in wanted]
    progress = Progress()

    async def keep_lease() -> None:
        async with desk.transaction() as tx:
            until = clock.now() + LEASE
            asked = await tx.session.value("backtests.progress", row["backtest_id"], progress.share, until)
        progress.is_stop_asked = progress.is_stop_asked or bool(asked)

    await keep_lease()  # asked to stop while its worker was dead: nothing is computed any more
    compute = partial(_compute, row, datasets, catalogue, host, progress)
    outcome = await carry_out(compute, progress, keep_lease=keep_lease)
    fault_point("strategy.backtest_computed")
    await _finish(row, outcome, desk=desk, clock=clock, ids=ids)


def _compute(
    row: Mapping[str, Any], datasets: Sequence[Dataset], catalogue: Catalogue, host: Host, progress: Progress
) -> _Outcome:
    from alphintra.engine.metrics.results import measure  # noqa: PLC0415 - loads numpy, which a start must not wait for

    progress.check()
    plan = compile_plan(parse_graph(row["graph"].encode()))
    settings = msgspec.json.decode(row["settings"], type=BacktestSettings)
    if len(datasets) > 1:
        return _computed_across(row, datasets, catalogue, progress=progress, plan=plan, settings=settings)
    (dataset,) = datasets
    history = catalogue.history(dataset.dataset_id, dataset.splits, start=row["start_ts"], end=row["end_ts"])
    result = run_over(
        history,
        plan,
        row["symbol"],
        settings=settings,
        progress=progress.told,
        should_stop=progress.should_stop,
        host=host,
    )
    tape = history.tape
    return _Outcome(result.digest, measure(result, tape), write_report(result, beside=course_beside(result, tape)))


def _computed_across(
    row: Mapping[str, Any],
    datasets: Sequence[Dataset],
    catalogue: Catalogue,
    *,
    progress: Progress,
    plan: Plan,
    settings: BacktestSettings,
) -> _Outcome:
    """Run a strategy over several symbols; the order they were named in settles ties."""
    from alphintra.engine.metrics.across import measure_across  # noqa: PLC0415 - loads numpy, as does the next
    from alphintra.engine.universe_backtest import run_universe  # noqa: PLC0415

    read = {dataset.symbol: catalogue.read(dataset.dataset_id, dataset.splits) for dataset in datasets}
    bars = within_each(read, row["start_ts"], row["end_ts"])
    progress.check()
    result = run_universe(plan, bars, settings=settings, progress=progress.told, should_stop=progress.should_stop)
    report = write_report(result, beside=course_across(result, bars))
    return _Outcome(result.digest, measure_across(result, bars), report)


async def _finish(
    row: Mapping[str, Any], outcome: _Outcome | AlphintraError, *, desk: Desk, clock: Clock, ids: IdSource
) -> None:
    backtest_id: UUID = row["backtest_id"]
    at = clock.now()
    if isinstance(outcome, AlphintraError):
        status = "canceled" if outcome.code == "RUN_STOPPED" else "failed"
        ended = (status, 1.0, "", "{}", "", outcome.code, outcome.detail, at)
        metrics: dict[str, float | None] = {}
    else:
        status = "finished"
        ended = (status, 1.0, outcome.digest, _encode(outcome.metrics).decode(), outcome.report, "", "", at)
        metrics = outcome.metrics
    event = _finished(row, status, metrics)
    context = service_context(backtest_id.hex)
    async with desk.transaction() as tx:
        if await tx.execute("backtests.finish", backtest_id, *ended):
            if not isinstance(outcome, AlphintraError) and row["workflow_id"] is not None:
                await _enter_trial(tx, row, outcome, at=at)
            if not row["template"]:  # nobody asked for a sample, so nobody is told
                await append_event(tx.session, event, ids=ids, aggregate_id=backtest_id, context=context, at=at)
    fault_point("strategy.backtest_stored")


def _finished(row: Mapping[str, Any], status: str, metrics: Mapping[str, float | None]) -> BacktestFinished:
    return BacktestFinished(
        backtest_id=row["backtest_id"],
        owner_id=row["owner_id"],
        symbol=row["symbol"],
        status=status,
        total_return=metrics.get("total_return"),
        version_id=row["version_id"],
        started_at=row["created_at"],
        figures={name: metrics[name] for name in CHIEF_FIGURES if name in metrics},
    )


async def _enter_trial(tx: DeskTransaction, row: Mapping[str, Any], outcome: _Outcome, *, at: datetime) -> None:
    """Count a run of a workflow in the ledger that its best run is held against."""
    sharpe, periods = outcome.metrics["sharpe"], outcome.metrics["periods_per_year"]
    await tx.execute(
        "trials.insert",
        row["backtest_id"],
        "backtest",
        0,
        0,
        row["owner_id"],
        row["workflow_id"],
        row["symbol"],
        "{}",
        row["start_ts"],
        row["end_ts"],
        row["run_hash"],
        outcome.digest,
        None,
        None if sharpe is None or periods is None else sharpe / math.sqrt(periods),
        "{}",
        b"",
        "",
        at,
    )


def _moment(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).isoformat()


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
        limit_version=row["limit_version"],
        limit_hash=row["limit_hash"],
        workflow_id=row["workflow_id"],
        symbols=tuple(row["symbols"]) or (row["symbol"],),
        template=row["template"],
        repeats=row["repeats"],
    )
