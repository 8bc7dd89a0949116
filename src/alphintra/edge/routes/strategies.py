"""Backtests, deployments and what they decided."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import Depends, Query

from alphintra.contracts.algorithms import AlgorithmsView, ListAlgorithms
from alphintra.contracts.drift import DriftView, GetDrift, MeasureDrift
from alphintra.contracts.explanations import ExplainBacktest, ExplainDeployment, ExplanationView
from alphintra.contracts.previews import GraphPreviewView, PreviewGraph
from alphintra.contracts.samples import (
    BacktestComparisonView,
    CompareBacktests,
    ListTemplateBacktests,
    MakeTemplateBacktests,
    RepeatBacktest,
    TemplateBacktestsView,
)
from alphintra.contracts.strategy import (
    BacktestsView,
    BacktestView,
    CancelBacktest,
    CreateDeployment,
    DecisionsView,
    DeploymentsView,
    DeploymentView,
    GetBacktest,
    GetDeployment,
    ListBacktests,
    ListDecisions,
    ListDeployments,
    StartBacktest,
    StopDeployment,
)
from alphintra.edge.decoding import Amount, Document
from alphintra.edge.routing import Body, PageLimit, Reader, Routes, Trader
from alphintra.edge.step_up import require_recent_unless_paper
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Utc
from alphintra.kernel.vocabulary import Intrabar

__all__ = ["routes"]

routes = Routes("strategies")
WHY_TIMEOUT_S: Final = 25.0
"""A backtest is computed again up to the bar; a few hundred thousand bars take that long."""
PREVIEW_TIMEOUT_S: Final = 15.0
_At = Annotated[datetime, Query(description="When the bar closed, or before.")]


class BacktestBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A backtest of a workflow version on the bars of a symbol, or of several symbols, within ``[start, end)``.

    One of ``symbol`` and ``symbols`` is there. Several share the cash; their order settles ties.
    ``initial_cash`` is 100000 and every cost is 0 where they are left out. Orders are held against the limits of the
    account named, else against those a new paper account starts with. ``parameters`` replaces numbers of the version,
    by ``node.param``, as a trial of a sweep does. ``intrabar`` is what a bar does to stops and targets: our own
    rule, or that of another engine.
    """

    version_id: UUID
    symbol: str = ""
    symbols: tuple[str, ...] = ()
    start: Utc | None = None
    end: Utc | None = None
    initial_cash: Amount = msgspec.field(default_factory=lambda: Amount(100000))
    fee_bps: Amount = msgspec.field(default_factory=Amount)
    fee_per_share: Amount = msgspec.field(default_factory=Amount)
    slippage_bps: Amount = msgspec.field(default_factory=Amount)
    account_id: UUID | None = None
    parameters: dict[str, Amount] = msgspec.field(default_factory=dict)
    intrabar: Intrabar = Intrabar.CHRONOLOGICAL


class DeploymentBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A workflow version to trade a symbol, or several symbols, in an account with some of its cash.

    A live account takes the feed of its venue's live bars, and its name written once more as ``confirm``. ``intrabar``
    can only be chronological.
    """

    version_id: UUID
    account_id: UUID
    symbol: str = ""
    symbols: tuple[str, ...] = ()
    capital: Amount
    feed_id: UUID | None = None
    confirm: str = ""
    intrabar: Intrabar = Intrabar.CHRONOLOGICAL


class PreviewBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A graph, with problems or without, to compute over the newest bars of a symbol; ``nodes`` asks for some alone."""

    graph: Document
    symbol: str
    bars: int = 120
    nodes: tuple[str, ...] = ()


@routes.post("/graph-previews")
async def preview_graph(caller: Reader, body: Annotated[PreviewBody, Depends(Body(PreviewBody))]) -> GraphPreviewView:
    """Compute what the nodes of a graph give over the newest bars of a symbol, as in a run."""
    return await caller.ask(
        PreviewGraph(graph=str(body.graph), symbol=body.symbol, bars=body.bars, nodes=body.nodes),
        timeout_s=PREVIEW_TIMEOUT_S,
    )


@routes.get("/algorithms")
async def list_algorithms(caller: Reader) -> AlgorithmsView:
    """List the algorithms of installed Python packages: their parameters, or why they cannot run."""
    return await caller.ask(ListAlgorithms())


@routes.get("/backtests")
async def list_backtests(caller: Reader, limit: PageLimit = 50) -> BacktestsView:
    """List one's backtests, without their results."""
    return await caller.ask(ListBacktests(limit=limit))


@routes.post("/backtests", status=202)
async def start_backtest(caller: Trader, body: Annotated[BacktestBody, Depends(Body(BacktestBody))]) -> BacktestView:
    """Queue a backtest."""
    command = StartBacktest(
        version_id=body.version_id,
        symbol=body.symbol,
        symbols=body.symbols,
        start=body.start,
        end=body.end,
        initial_cash=Decimal(body.initial_cash),
        fee_bps=Decimal(body.fee_bps),
        fee_per_share=Decimal(body.fee_per_share),
        slippage_bps=Decimal(body.slippage_bps),
        account_id=body.account_id,
        parameters={name: Decimal(value) for name, value in body.parameters.items()},
        intrabar=body.intrabar,
    )
    backtest = await caller.ask(command)
    caller.headers["Location"] = f"/api/v1/backtests/{backtest.backtest_id}"
    return backtest


@routes.get("/backtests/{backtest_id}")
async def get_backtest(caller: Reader, backtest_id: UUID) -> BacktestView:
    """Fetch a backtest with its result once it is finished."""
    return await caller.ask(GetBacktest(backtest_id=backtest_id))


@routes.post("/backtests/{backtest_id}/cancel")
async def cancel_backtest(caller: Trader, backtest_id: UUID) -> BacktestView:
    """Stop a queued or running backtest; a finished one is answered as it is."""
    return await caller.ask(CancelBacktest(backtest_id=backtest_id))


@routes.post("/backtests/{backtest_id}/repeat", status=202)
async def repeat_backtest(caller: Trader, backtest_id: UUID) -> BacktestView:
    """Queue a finished backtest anew, from the very same strategy, bars, range and terms."""
    backtest = await caller.ask(RepeatBacktest(backtest_id=backtest_id))
    caller.headers["Location"] = f"/api/v1/backtests/{backtest.backtest_id}"
    return backtest


@routes.get("/backtests/{backtest_id}/compare/{other_id}")
async def compare_backtests(caller: Reader, backtest_id: UUID, other_id: UUID) -> BacktestComparisonView:
    """Say whether two finished backtests are the same run and came to the same, and where they part."""
    return await caller.ask(CompareBacktests(backtest_id=backtest_id, other_id=other_id))


@routes.get("/templates/backtests")
async def list_template_backtests(caller: Reader) -> TemplateBacktestsView:
    """List the backtests of the ready strategies with their chief figures."""
    return await caller.ask(ListTemplateBacktests())


@routes.post("/templates/backtests", status=202)
async def make_template_backtests(caller: Trader) -> TemplateBacktestsView:
    """Queue those backtests of ready strategies that are missing; nothing happens where all are there."""
    return await caller.ask(MakeTemplateBacktests())


@routes.get("/deployments")
async def list_deployments(caller: Reader) -> DeploymentsView:
    """List one's deployments."""
    return await caller.ask(ListDeployments())


@routes.post("/deployments", status=201)
async def create_deployment(
    caller: Trader, body: Annotated[DeploymentBody, Depends(Body(DeploymentBody))]
) -> DeploymentView:
    """Let a workflow version trade from the feed's next bar on."""
    await require_recent_unless_paper(caller, body.account_id)
    command = CreateDeployment(
        version_id=body.version_id,
        account_id=body.account_id,
        symbol=body.symbol,
        symbols=body.symbols,
        capital=Decimal(body.capital),
        feed_id=body.feed_id,
        confirm=body.confirm,
        intrabar=body.intrabar,
    )
    return await caller.ask(command)


@routes.get("/deployments/{deployment_id}")
async def get_deployment(caller: Reader, deployment_id: UUID) -> DeploymentView:
    """Fetch a deployment with its own books."""
    return await caller.ask(GetDeployment(deployment_id=deployment_id))


@routes.post("/deployments/{deployment_id}/stop")
async def stop_deployment(caller: Trader, deployment_id: UUID) -> DeploymentView:
    """Stop a deployment: no new orders, working entries are canceled; what it holds stays with its exits."""
    return await caller.ask(StopDeployment(deployment_id=deployment_id))


@routes.post("/deployments/{deployment_id}/drift")
async def measure_drift(caller: Trader, deployment_id: UUID) -> DriftView:
    """Hold a deployment against the backtest of its bars now, and keep the report."""
    return await caller.ask(MeasureDrift(deployment_id=deployment_id))


@routes.get("/deployments/{deployment_id}/drift")
async def get_drift(caller: Reader, deployment_id: UUID) -> DriftView:
    """Fetch the newest report on a deployment's drift."""
    return await caller.ask(GetDrift(deployment_id=deployment_id))


@routes.get("/deployments/{deployment_id}/decisions")
async def list_decisions(
    caller: Reader,
    deployment_id: UUID,
    outcome: Annotated[str | None, Query(max_length=40)] = None,
    limit: PageLimit = 100,
) -> DecisionsView:
    """List what a deployment decided on each bar, and why."""
    return await caller.ask(ListDecisions(deployment_id=deployment_id, outcome=outcome, limit=limit))


@routes.get("/backtests/{backtest_id}/why")
async def explain_backtest(caller: Reader, backtest_id: UUID, at: _At) -> ExplanationView:
    """Say why a finished backtest traded or did not on the first bar that closed at a time or later."""
    return await caller.ask(ExplainBacktest(backtest_id=backtest_id, at=_with_zone(at)), timeout_s=WHY_TIMEOUT_S)


@routes.get("/deployments/{deployment_id}/why")
async def explain_deployment(caller: Reader, deployment_id: UUID, at: _At) -> ExplanationView:
    """Say why a deployment traded or did not on the first bar that closed at a time or later."""
    return await caller.ask(ExplainDeployment(deployment_id=deployment_id, at=_with_zone(at)), timeout_s=WHY_TIMEOUT_S)


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise AlphintraError("TIME_NO_ZONE", "at has no zone: write it as 2012-05-01T00:00:00Z", pointer="/at")
    return moment.astimezone(UTC)
