"""Use cases of sweeps and walk-forwards: queued, watched, canceled, judged; the work itself is in ``sweep_runs``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.contracts.strategy import BacktestView, StartBacktest
from alphintra.contracts.sweeps import (
    StartSweep,
    SweepFinished,
    SweepsView,
    SweepView,
    TrialsView,
    TrialView,
    VerdictReason,
    VerdictView,
)
from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.portfolio import FeeModel
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.domain.proposals import METHODS
from alphintra.strategy.domain.requests import require_timeframe
from alphintra.strategy.domain.sweeps import Lengths, Range, SweepPlan, space_of, with_exposed
from alphintra.strategy.domain.universes import chosen_symbols, name_of, require_runnable
from alphintra.strategy.service.algorithms import algorithm_facts, require_algorithm
from alphintra.strategy.service.backtests import PAGE_MAX, acting_user, get_backtest, limited, start_backtest
from alphintra.strategy.service.imports import newest_datasets
from alphintra.strategy.service.thresholds import thresholds_of_run, view_of

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.metrics.returns import Moments
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.services import Limits, Workflows
    from alphintra.strategy.repository import Desk

__all__ = ["cancel_sweep", "get_sweep", "get_verdict", "list_sweeps", "list_trials", "start_sweep", "unlock_holdout"]

_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


async def start_sweep(  # noqa: PLR0913 - what to search, for whom, and from what
    command: StartSweep,
    context: Context,
    *,
    desk: Desk,
    workflows: Workflows,
    limits: Limits,
    host: Host,
    ids: IdSource,
    at: datetime,
) -> SweepView:
    """Queue a sweep or a walk-forward.

    Several symbols share one cash in each trial, as in a backtest.

    Raises SWEEP_RANGE, SWEEP_METHOD, SWEEP_OBJECTIVE, CONSTRAINT_FORMAT, PARAMETER_UNKNOWN, HOLDOUT_RANGE and what
    ``start_backtest`` raises.
    """
    owner_id = acting_user(context)
    settings = BacktestSettings(
        initial_cash=command.initial_cash,
        fees=FeeModel(commission_bps=command.fee_bps, per_share=command.fee_per_share),
        slippage_bps=command.slippage_bps,
        seed=command.seed,
    )
    plan = _plan(command)
    symbols = chosen_symbols(command.symbol, command.symbols)
    settings = await limited(settings, command.account_id, symbols, context, limits=limits)
    version = await workflows.version(command.version_id, context)
    datasets = await newest_datasets(symbols, context, desk=desk)
    graph = parse_graph(version.graph.encode())
    for dataset in datasets:
        require_timeframe(graph.timeframe, dataset.timeframe, symbol=dataset.symbol)
    require_runnable(compile_plan(graph), symbols)
    plan = with_exposed(plan, graph)
    space = space_of(plan, graph)
    if plan.method == "grid":
        space.grid()
    await require_algorithm(graph, host=host)
    sweep_id = ids.new()
    kind = "sweep" if plan.walk_forward is None else "walk_forward"
    async with desk.transaction() as tx:
        await tx.execute(
            "sweeps.insert",
            sweep_id,
            owner_id,
            version.workflow_id,
            command.version_id,
            datasets[0].dataset_id,
            name_of(symbols),
            kind,
            version.graph,
            _encode(settings).decode(),
            _encode(plan).decode(),
            command.start,
            command.end,
            at,
            symbols,
            [dataset.dataset_id for dataset in datasets],
        )
        facts: dict[str, Any] = {
            "symbol": name_of(symbols),
            "kind": kind,
            "method": plan.method,
            **algorithm_facts(graph),
        }
        await append_audit(tx.session, "sweep.start", f"sweep:{sweep_id}", facts, ids=ids, context=context, at=at)
        tx.wake_service()
    return await get_sweep(sweep_id, context, desk=desk)


async def get_sweep(sweep_id: UUID, context: Context, *, desk: Desk) -> SweepView:
    """Return a sweep with its result. Raises SWEEP_NOT_FOUND, also for other people's."""
    return _view(await _row(sweep_id, context, desk=desk))


async def list_sweeps(context: Context, *, desk: Desk, limit: int) -> SweepsView:
    """Return the acting user's sweeps without results, newest first."""
    _require_page(limit)
    rows = await desk.rows("sweeps.list", acting_user(context), limit)
    return SweepsView(sweeps=tuple(_view(row) for row in rows))


async def list_trials(sweep_id: UUID, context: Context, *, desk: Desk, limit: int) -> TrialsView:
    """Return a sweep's trials, the best first. Raises SWEEP_NOT_FOUND."""
    _require_page(limit)
    await _row(sweep_id, context, desk=desk)
    rows = await desk.rows("trials.list", sweep_id, limit)
    return TrialsView(trials=tuple(_trial(row) for row in rows))


async def cancel_sweep(sweep_id: UUID, context: Context, *, desk: Desk, ids: IdSource, at: datetime) -> SweepView:
    """Stop a sweep that waits or runs; its trials stay in the ledger. One that ended is answered as it is."""
    found = await _row(sweep_id, context, desk=desk)
    async with desk.transaction() as tx:
        row = await tx.session.row("sweeps.cancel", sweep_id, at)
        if row is not None:
            await append_audit(tx.session, "sweep.cancel", f"sweep:{sweep_id}", {}, ids=ids, context=context, at=at)
        if row is not None and row["status"] == "canceled":
            event = SweepFinished(
                sweep_id=sweep_id,
                owner_id=row["owner_id"],
                symbol=found["symbol"],
                kind=found["kind"],
                status="canceled",
            )
            await append_event(tx.session, event, ids=ids, aggregate_id=sweep_id, context=context, at=at)
    return await get_sweep(sweep_id, context, desk=desk)


async def unlock_holdout(  # noqa: PLR0913 - as start_backtest, which it calls
    sweep_id: UUID,
    context: Context,
    *,
    desk: Desk,
    workflows: Workflows,
    limits: Limits,
    host: Host,
    ids: IdSource,
    at: datetime,
) -> BacktestView:
    """Queue a backtest of the best trial over all bars of the sweep's range, the locked ones too.

    Starting it notes the unlock, as any backtest of the workflow does that reads locked bars. Raises SWEEP_NOT_FOUND,
    SWEEP_NOT_FINISHED or SWEEP_NOTHING_FOUND.
    """
    row = await _row(sweep_id, context, desk=desk)
    if row["status"] != "finished":
        message = f"the sweep is {row['status']}: its holdout can be opened once it has chosen"
        raise AlphintraError("SWEEP_NOT_FINISHED", message, kind=Kind.CONFLICT)
    best = msgspec.json.decode(row["result"])["best"]
    if best is None:
        message = "no trial of the sweep has a score, so there is nothing to try on the holdout"
        raise AlphintraError("SWEEP_NOTHING_FOUND", message, kind=Kind.CONFLICT)
    settings = msgspec.json.decode(row["settings"], type=BacktestSettings)
    command = StartBacktest(
        version_id=row["version_id"],
        symbol="" if len(row["symbols"]) > 1 else row["symbol"],
        symbols=tuple(row["symbols"]) if len(row["symbols"]) > 1 else (),
        start=row["start_ts"],
        end=row["end_ts"],
        initial_cash=settings.initial_cash,
        fee_bps=settings.fees.commission_bps,
        fee_per_share=settings.fees.per_share,
        slippage_bps=settings.slippage_bps,
        parameters=_decimals(best["parameters"]),
    )
    return await start_backtest(
        command, context, desk=desk, workflows=workflows, limits=limits, host=host, ids=ids, at=at
    )


async def get_verdict(backtest_id: UUID, context: Context, *, desk: Desk) -> VerdictView:
    """Judge a finished backtest by every trial of its workflow.

    Raises BACKTEST_NOT_FOUND, or BACKTEST_NOT_FINISHED while it has no figures.
    """
    from alphintra.engine.overfit.deflation import deflated_sharpe, expected_best  # noqa: PLC0415 - loads numpy
    from alphintra.engine.overfit.verdict import Evidence, judge  # noqa: PLC0415 - as above

    backtest = await get_backtest(backtest_id, context, desk=desk)
    if backtest.status != "finished":
        message = f"the backtest is {backtest.status}: only a finished one can be judged"
        raise AlphintraError("BACKTEST_NOT_FINISHED", message, kind=Kind.CONFLICT)
    family = (acting_user(context), backtest.workflow_id)
    counted = await desk.row("trials.family", *family)
    unlocked = await desk.row("holdout.unlocks", *family)
    sweep = await desk.row("sweeps.newest", *family, "sweep")
    walk = await desk.row("sweeps.newest", *family, "walk_forward")
    searched, walked = (None if row is None else msgspec.json.decode(row["result"]) for row in (sweep, walk))
    trials = max(1, counted["trials"] if counted else 1)
    variance = float(counted["variance"]) if counted else 0.0
    moments = _moments(backtest.metrics)
    deflated = None if moments is None else deflated_sharpe(moments, trials=trials, variance=variance)
    stitched = (walked or {}).get("stitched") or {}
    evidence = Evidence(
        dsr=None if deflated is None else deflated.probability,
        trials=trials,
        pbo=((searched or {}).get("pbo") or {}).get("pbo"),
        oos_sharpe=stitched.get("sharpe"),
        oos_t=stitched.get("t"),
        trades=int(backtest.metrics.get("trade_count") or 0),
        stress=((searched or {}).get("stress") or {}).get("share"),
        unlocks=unlocked["count"] if unlocked else 0,
    )
    thresholds = await thresholds_of_run(backtest_id, desk=desk)
    card = judge(evidence, thresholds)
    told = None if searched is None else {name: part for name, part in searched.items() if name != "surface"}
    return VerdictView(
        backtest_id=backtest_id,
        colour=card.colour,
        reasons=tuple(VerdictReason(code=r.code, colour=r.colour, text=r.text) for r in card.reasons),
        trials=trials,
        variance=variance,
        expected_best=expected_best(trials, variance),
        deflated_sharpe=evidence.dsr,
        unlocks=evidence.unlocks,
        evidence=_encode({"sweep": told, "walk_forward": walked}).decode(),
        thresholds=view_of(thresholds),
    )


def _plan(command: StartSweep) -> SweepPlan:
    if command.method not in METHODS:
        message = f"the method {command.method[:20]!r} is not known: write {', '.join(METHODS)}"
        raise AlphintraError("SWEEP_METHOD", message, pointer="/method")
    if not 0 <= command.holdout < 1:
        message = "lock away 0 to less than 1 of the bars"
        raise AlphintraError("HOLDOUT_RANGE", message, pointer="/holdout")
    if command.start is not None and command.end is not None and command.start >= command.end:
        raise AlphintraError("RANGE", "the range ends before it starts", pointer="/end")
    if not 0 <= command.seed < 2**32:
        raise AlphintraError("FIELD_RANGE", "seed must be 0 to 4294967295", pointer="/seed")
    terms = command.walk_forward
    return SweepPlan(
        parameters=tuple(Range(name=p.name, min=p.min, max=p.max, step=p.step) for p in command.parameters),
        constraints=command.constraints,
        method=command.method,
        trials=command.trials,
        seed=command.seed,
        objective=command.objective,
        holdout=command.holdout,
        walk_forward=None
        if terms is None
        else Lengths(train=terms.train, test=terms.test, step=terms.step, is_anchored=terms.is_anchored),
    )


async def _row(sweep_id: UUID, context: Context, *, desk: Desk) -> Mapping[str, Any]:
    row = await desk.row("sweeps.get", sweep_id)
    if row is None or row["owner_id"] != acting_user(context):
        raise AlphintraError("SWEEP_NOT_FOUND", f"there is no sweep {sweep_id}", kind=Kind.NOT_FOUND)
    return row


def _require_page(limit: int) -> None:
    if not 1 <= limit <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}", pointer="/limit")


def _moments(metrics: Mapping[str, float | None]) -> Moments | None:
    """Return the moments of daily returns that the stored figures stand for; a unit deviation gives the same ratio."""
    from alphintra.engine.metrics.returns import Moments  # noqa: PLC0415 - loads numpy

    names = ("sharpe", "skewness", "kurtosis", "days", "periods_per_year")
    sharpe, skewness, kurtosis, days, periods = (metrics.get(name) for name in names)
    if sharpe is None or skewness is None or kurtosis is None or not days or not periods:
        return None
    return Moments(int(days), sharpe / math.sqrt(periods), 1.0, skewness, kurtosis)


def _decimals(parameters: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in parameters.items()}


def _trial(row: Mapping[str, Any]) -> TrialView:
    return TrialView(
        role=row["role"],
        segment=row["segment"],
        number=row["number"],
        parameters=_decimals(msgspec.json.decode(row["parameters"])),
        start=row["start_ts"],
        end=row["end_ts"],
        run_hash=row["run_hash"],
        result_hash=row["result_hash"],
        score=row["score"],
        metrics=msgspec.json.decode(row["metrics"]),
        error_code=row["error_code"],
    )


def _view(row: Mapping[str, Any]) -> SweepView:
    names = ("sweep_id", "workflow_id", "version_id", "dataset_id", "symbol", "kind", "status", "progress", "trials")
    more = ("unlocks", "holdout_ts", "result", "error_code", "error", "created_at", "finished_at")
    told = {name: row[name] for name in (*names, *more)}
    return SweepView(**told, symbols=tuple(row["symbols"]) or (row["symbol"],))
