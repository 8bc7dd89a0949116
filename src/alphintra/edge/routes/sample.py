"""The sample of a new person: a strategy, its backtest, and a paper account in which it trades replayed prices.

Everything is made by the commands people send themselves, and is stored like theirs. See docs/decisions/0029.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from alphintra.contracts.nocode import ArchiveWorkflow, CreateWorkflow, ListWorkflows, WorkflowView
from alphintra.contracts.samples import SAMPLE_SOURCE
from alphintra.contracts.strategy import (
    BacktestView,
    ControlFeed,
    CreateDeployment,
    CreateFeed,
    DeploymentView,
    FeedView,
    ListBacktests,
    ListDatasets,
    ListDeployments,
    ListFeeds,
    StartBacktest,
    StopDeployment,
)
from alphintra.contracts.trading import CancelOrders, ListAccounts, OpenAccount
from alphintra.contracts.user import GetProfile, UpdateProfile
from alphintra.edge.routing import Reader, Routes, Trader

if TYPE_CHECKING:
    from alphintra.contracts.orders import AccountView
    from alphintra.edge.guards import Caller

__all__ = ["routes"]

routes = Routes("sample")

ACCOUNT: Final = "Sample: replayed prices"
FEED: Final = "Sample: daily prices of AAPL and MSFT from 2005, replayed"
WORKFLOW: Final = "Sample: EMA crossover"
SYMBOL: Final = "AAPL"
SYMBOLS: Final = (SYMBOL, "MSFT")
FROM: Final = datetime(2005, 1, 1, tzinfo=UTC)
"""Old prices are split adjusted and everybody's: see `alphintra up --sample`."""
CASH: Final = Decimal(250_000)
CAPITAL: Final = Decimal(100_000)
"""Of the sample strategy and its backtest; what is left is for strategies and orders of one's own."""
COSTS_BPS: Final = (Decimal(5), Decimal(2))
BEFORE: Final = 392
"""Bars replayed at once, for something to see, up to just before the strategy buys; then one a second."""
PACE_MS: Final = 1000
PREFERENCE: Final = "sample"
REMOVED: Final = "removed"


class SampleView(msgspec.Struct, frozen=True, kw_only=True):
    """The sample of the acting user.

    ``state`` is absent (there are no sample prices), offered, coming (ask for it again), there or removed; the ids are
    null where there is none of it yet.
    """

    state: str
    feed_id: UUID | None = None
    account_id: UUID | None = None
    workflow_id: UUID | None = None
    version_id: UUID | None = None
    backtest_id: UUID | None = None
    deployment_id: UUID | None = None


class _Parts(msgspec.Struct, kw_only=True):
    """What is there of a sample."""

    account: AccountView | None
    feed: FeedView | None
    workflow: WorkflowView | None
    backtest: BacktestView | None
    deployment: DeploymentView | None


@routes.get("/sample")
async def get_sample(caller: Reader) -> SampleView:
    """Tell what there is of one's sample."""
    return await _view(caller, await _parts(caller))


@routes.post("/sample")
async def bring_sample(caller: Trader) -> SampleView:
    """Make what is missing of one's sample, as far as it can be made by now: to be repeated while it is coming."""
    parts = await _parts(caller)
    if await _state(caller, parts) in {"offered", "coming"}:
        await _bring(caller, parts)
    return await _view(caller, await _parts(caller))


@routes.delete("/sample")
async def remove_sample(caller: Trader) -> SampleView:
    """Stop the prices and all that trades in the sample account, and put the strategy away; the books are kept."""
    parts = await _parts(caller)
    if parts.account is not None:
        for one in (await caller.ask(ListDeployments())).deployments:
            if one.account_id == parts.account.account_id and one.status == "active":
                await caller.ask(StopDeployment(deployment_id=one.deployment_id))
        await caller.ask(CancelOrders(account_id=parts.account.account_id))
    if parts.feed is not None and parts.feed.status in {"running", "paused"}:
        await caller.ask(ControlFeed(feed_id=parts.feed.feed_id, action="pause"))
    if parts.workflow is not None and parts.workflow.archived_at is None:
        await caller.ask(ArchiveWorkflow(workflow_id=parts.workflow.workflow_id))
    profile = await caller.ask(GetProfile())
    kept = {**profile.preferences, PREFERENCE: REMOVED}
    await caller.ask(UpdateProfile(version=profile.version, preferences=kept))
    return await _view(caller, await _parts(caller))


async def _parts(caller: Caller) -> _Parts:
    accounts = (await caller.ask(ListAccounts())).accounts
    account = next((one for one in accounts if one.name == ACCOUNT), None)
    workflows = (await caller.ask(ListWorkflows(with_archived=True))).workflows
    workflow = next((one for one in workflows if one.name == WORKFLOW), None)
    backtest = deployment = feed = None
    if account is not None:
        feeds = (await caller.ask(ListFeeds())).feeds
        feed = next((one for one in feeds if one.feed_id == account.feed_id), None)
        deployments = (await caller.ask(ListDeployments())).deployments
        deployment = next((one for one in reversed(deployments) if one.account_id == account.account_id), None)
    if workflow is not None:
        backtests = (await caller.ask(ListBacktests(limit=200))).backtests
        backtest = next((one for one in reversed(backtests) if one.workflow_id == workflow.workflow_id), None)
    return _Parts(account=account, feed=feed, workflow=workflow, backtest=backtest, deployment=deployment)


async def _view(caller: Caller, parts: _Parts) -> SampleView:
    return SampleView(
        state=await _state(caller, parts),
        feed_id=None if parts.feed is None else parts.feed.feed_id,
        account_id=None if parts.account is None else parts.account.account_id,
        workflow_id=None if parts.workflow is None else parts.workflow.workflow_id,
        version_id=None if parts.workflow is None else parts.workflow.version_id,
        backtest_id=None if parts.backtest is None else parts.backtest.backtest_id,
        deployment_id=None if parts.deployment is None else parts.deployment.deployment_id,
    )


async def _state(caller: Caller, parts: _Parts) -> str:
    if (await caller.ask(GetProfile())).preferences.get(PREFERENCE) == REMOVED:
        return REMOVED
    if parts.deployment is not None and parts.feed is not None and parts.feed.interval_ms == PACE_MS:
        return "there"
    if parts.account is not None:
        return "coming"
    datasets = (await caller.ask(ListDatasets())).datasets
    brought = {one.symbol for one in datasets if one.source == SAMPLE_SOURCE}
    return "offered" if brought >= set(SYMBOLS) else "absent"


async def _bring(caller: Caller, parts: _Parts) -> None:
    """Make what is missing; what needs the feed or the account to be ready waits for the next time."""
    account = parts.account or await _open_account(caller)
    workflow = parts.workflow
    if workflow is None:
        workflow = await caller.ask(CreateWorkflow(name=WORKFLOW, template="ema_crossover"))
    if parts.backtest is None:
        fee, slippage = COSTS_BPS
        await caller.ask(
            StartBacktest(
                version_id=workflow.version_id, symbol=SYMBOL, initial_cash=CAPITAL, fee_bps=fee, slippage_bps=slippage
            )
        )
    feed = parts.feed
    if feed is None or feed.status == "preparing" or account.status != "active":
        return
    if parts.deployment is None:
        await caller.ask(
            CreateDeployment(
                version_id=workflow.version_id, account_id=account.account_id, symbol=SYMBOL, capital=CAPITAL
            )
        )
        return
    await _replay(caller, feed)


async def _open_account(caller: Caller) -> AccountView:
    feed = await caller.ask(CreateFeed(name=FEED, symbols=SYMBOLS, start=FROM, interval_ms=0))
    return await caller.ask(OpenAccount(name=ACCOUNT, starting_cash=CASH, feed_id=feed.feed_id, key=PREFERENCE))


async def _replay(caller: Caller, feed: FeedView) -> None:
    """The first bars at once, then one a second."""
    if feed.status != "paused":
        return
    if feed.seq >= BEFORE:
        await caller.ask(ControlFeed(feed_id=feed.feed_id, action="resume", interval_ms=PACE_MS))
    elif feed.steps > BEFORE:
        await caller.ask(ControlFeed(feed_id=feed.feed_id, action="resume", interval_ms=0, pause_at=BEFORE))
