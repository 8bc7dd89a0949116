"""Sweeps and walk-forwards, their trials, and the verdict on a backtest."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

from alphintra.contracts.courses import RunTrial
from alphintra.contracts.strategy import BacktestView
from alphintra.contracts.sweeps import (
    CancelSweep,
    ExposedParameter,
    GetSweep,
    GetThresholds,
    GetVerdict,
    ListSweeps,
    ListTrials,
    SetThresholds,
    StartSweep,
    SweepsView,
    SweepView,
    ThresholdsView,
    TrialsView,
    UnlockHoldout,
    VerdictView,
    WalkForwardTerms,
)
from alphintra.edge.decoding import Amount
from alphintra.edge.routing import Body, PageLimit, Reader, Routes, Trader
from alphintra.kernel.messages import Utc

__all__ = ["routes"]

routes = Routes("sweeps")


class ParameterBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A number of the strategy, by ``node.param``, and the values to try: ``min``, ``min + step`` … ``max``."""

    name: str
    min: Amount
    max: Amount
    step: Amount


class WalkForwardBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Lengths of a walk-forward in bars; ``step`` is ``test`` where it is left out."""

    train: int
    test: int
    step: int | None = None
    is_anchored: bool = False


class SweepBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A search for parameters of a workflow version on the bars of a symbol, or of several, within ``[start, end)``.

    One of ``symbol`` and ``symbols`` is there. Several share the cash; their order settles ties.
    ``method`` is grid, random or tpe, ``objective`` the figure that is made as large as it can be. The newest
    ``holdout`` of the bars, a fifth where it is left out, is locked away. With ``walk_forward`` the search is repeated
    in each window and tried on the bars that follow it.
    """

    version_id: UUID
    symbol: str = ""
    symbols: tuple[str, ...] = ()
    parameters: tuple[ParameterBody, ...] = ()
    constraints: tuple[str, ...] = ()
    method: str = "grid"
    trials: int = 100
    seed: int = 0
    objective: str = "sharpe"
    walk_forward: WalkForwardBody | None = None
    holdout: Amount = msgspec.field(default_factory=lambda: Amount("0.2"))
    start: Utc | None = None
    end: Utc | None = None
    initial_cash: Amount = msgspec.field(default_factory=lambda: Amount(100000))
    fee_bps: Amount = msgspec.field(default_factory=Amount)
    fee_per_share: Amount = msgspec.field(default_factory=Amount)
    slippage_bps: Amount = msgspec.field(default_factory=Amount)
    account_id: UUID | None = None


@routes.get("/sweeps")
async def list_sweeps(caller: Reader, limit: PageLimit = 50) -> SweepsView:
    """List one's sweeps and walk-forwards, without their results."""
    return await caller.ask(ListSweeps(limit=limit))


@routes.post("/sweeps", status=202)
async def start_sweep(caller: Trader, body: Annotated[SweepBody, Depends(Body(SweepBody))]) -> SweepView:
    """Queue a sweep, or a walk-forward."""
    terms = body.walk_forward
    walk_forward = None
    if terms is not None:
        walk_forward = WalkForwardTerms(
            train=terms.train, test=terms.test, step=terms.step, is_anchored=terms.is_anchored
        )
    command = StartSweep(
        version_id=body.version_id,
        symbol=body.symbol,
        symbols=body.symbols,
        parameters=tuple(
            ExposedParameter(name=p.name, min=Decimal(p.min), max=Decimal(p.max), step=Decimal(p.step))
            for p in body.parameters
        ),
        constraints=body.constraints,
        method=body.method,
        trials=body.trials,
        seed=body.seed,
        objective=body.objective,
        walk_forward=walk_forward,
        holdout=Decimal(body.holdout),
        start=body.start,
        end=body.end,
        initial_cash=Decimal(body.initial_cash),
        fee_bps=Decimal(body.fee_bps),
        fee_per_share=Decimal(body.fee_per_share),
        slippage_bps=Decimal(body.slippage_bps),
        account_id=body.account_id,
    )
    sweep = await caller.ask(command)
    caller.headers["Location"] = f"/api/v1/sweeps/{sweep.sweep_id}"
    return sweep


@routes.get("/sweeps/{sweep_id}")
async def get_sweep(caller: Reader, sweep_id: UUID) -> SweepView:
    """Fetch a sweep with its result once it is finished."""
    return await caller.ask(GetSweep(sweep_id=sweep_id))


@routes.get("/sweeps/{sweep_id}/trials")
async def list_trials(caller: Reader, sweep_id: UUID, limit: PageLimit = 50) -> TrialsView:
    """List a sweep's trials, the best first."""
    return await caller.ask(ListTrials(sweep_id=sweep_id, limit=limit))


class TrialBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One trial of a sweep, as the list of trials names it: sweep, train or test, its window, and its number."""

    role: str
    segment: int
    number: int


@routes.post("/sweeps/{sweep_id}/trials", status=202)
async def run_trial(
    caller: Trader, sweep_id: UUID, body: Annotated[TrialBody, Depends(Body(TrialBody))]
) -> BacktestView:
    """Queue a backtest of one trial: the very run, so that it comes to the trial's result."""
    command = RunTrial(sweep_id=sweep_id, role=body.role, segment=body.segment, number=body.number)
    backtest = await caller.ask(command)
    caller.headers["Location"] = f"/api/v1/backtests/{backtest.backtest_id}"
    return backtest


@routes.post("/sweeps/{sweep_id}/cancel")
async def cancel_sweep(caller: Trader, sweep_id: UUID) -> SweepView:
    """Stop a queued or running sweep; its trials are kept. A finished one is answered as it is."""
    return await caller.ask(CancelSweep(sweep_id=sweep_id))


@routes.post("/sweeps/{sweep_id}/unlock", status=202)
async def unlock_holdout(caller: Trader, sweep_id: UUID) -> BacktestView:
    """Queue a backtest of the best trial over all bars, the locked ones too; the unlock is noted for good."""
    backtest = await caller.ask(UnlockHoldout(sweep_id=sweep_id))
    caller.headers["Location"] = f"/api/v1/backtests/{backtest.backtest_id}"
    return backtest


@routes.get("/backtests/{backtest_id}/verdict")
async def get_verdict(caller: Reader, backtest_id: UUID) -> VerdictView:
    """Judge a finished backtest by every trial of its workflow."""
    return await caller.ask(GetVerdict(backtest_id=backtest_id))


class ThresholdsBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where a verdict's green begins and where red does; what is left out stays, ``is_default`` puts all back first."""

    dsr_green: float | None = None
    dsr_red: float | None = None
    pbo_green: float | None = None
    pbo_red: float | None = None
    oos_t_green: float | None = None
    trades_green: int | None = None
    trades_red: int | None = None
    stress_green: float | None = None
    stress_red: float | None = None
    is_default: bool = False


@routes.get("/verdict-thresholds")
async def get_thresholds(caller: Reader) -> ThresholdsView:
    """Fetch where one's own verdicts turn green and red."""
    return await caller.ask(GetThresholds())


@routes.patch("/verdict-thresholds")
async def set_thresholds(
    caller: Trader, body: Annotated[ThresholdsBody, Depends(Body(ThresholdsBody))]
) -> ThresholdsView:
    """Say where one's own verdicts turn green and red, for backtests from now on."""
    return await caller.ask(SetThresholds(**msgspec.structs.asdict(body)))
