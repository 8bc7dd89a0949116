"""What strategy answers and tells."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from alphintra.contracts.datasets import (
    CancelDownload,
    CheckDataset,
    CoverageView,
    DataCheckView,
    DataIssueView,
    DatasetsView,
    DatasetView,
    DownloadsView,
    DownloadView,
    GetDownload,
    ImportDataset,
    ImportView,
    ListDownloads,
    StartDownload,
)
from alphintra.kernel.messages import Command, Event, Utc, View
from alphintra.kernel.vocabulary import Intrabar

__all__ = [
    "BacktestFinished",
    "BacktestView",
    "BacktestsView",
    "BarView",
    "BarsView",
    "CancelBacktest",
    "CancelDownload",
    "CheckDataset",
    "ControlFeed",
    "CoverageView",
    "CreateDeployment",
    "CreateFeed",
    "DataCheckView",
    "DataIssueView",
    "DatasetView",
    "DatasetsView",
    "DecisionView",
    "DecisionsView",
    "DeploymentView",
    "DeploymentsView",
    "DownloadView",
    "DownloadsView",
    "FeedFinished",
    "FeedStatusChanged",
    "FeedView",
    "FeedsView",
    "GetBacktest",
    "GetDataset",
    "GetDeployment",
    "GetDownload",
    "GetFeed",
    "GetImport",
    "HeldView",
    "ImportDataset",
    "ImportView",
    "IntentSubmitted",
    "ListBacktests",
    "ListBars",
    "ListDatasets",
    "ListDecisions",
    "ListDeployments",
    "ListDownloads",
    "ListFeeds",
    "ProtectionLost",
    "StageUpload",
    "StagedView",
    "StartBacktest",
    "StartDownload",
    "StopDeployment",
]


class StagedView(View, frozen=True):
    """How many bytes of an upload have arrived."""

    received: int


class BacktestView(View, frozen=True):
    """State and result of a backtest; metrics, trades and equity are there once it is finished.

    ``run_hash`` names what was run (graph, data, settings, limits, engine), ``result_hash`` what came out.
    ``limit_version`` and ``limit_hash`` name the limit set every order was held against. Of several ``symbols``,
    ``symbol`` holds all of them, joined by commas. ``template`` names the ready strategy whose sample it is: everybody
    may read it, and its version is nil. ``repeats`` is the backtest it was made again of.
    """

    backtest_id: UUID
    version_id: UUID
    dataset_id: UUID
    symbol: str
    status: str
    progress: float
    run_hash: str
    result_hash: str
    metrics: dict[str, float | None]
    result: str
    error_code: str
    error: str
    created_at: Utc
    finished_at: Utc | None
    limit_version: int = 0
    limit_hash: str = ""
    workflow_id: UUID | None = None
    symbols: tuple[str, ...] = ()
    template: str = ""
    repeats: UUID | None = None


class BacktestsView(View, frozen=True):
    """Backtests, newest first, without their results."""

    backtests: tuple[BacktestView, ...]


class FeedView(View, frozen=True):
    """A price feed: a replay of catalogue bars at its own pace, or live bars; paused, running, finished or failed.

    A live feed has a ``source`` and as many steps as bars were recorded; ``error`` says why none come at present.
    """

    feed_id: UUID
    name: str
    symbols: tuple[str, ...]
    status: str
    seq: int
    steps: int
    interval_ms: int
    last_ts: Utc | None
    error: str
    source: str = ""
    timeframe: str = ""


class FeedsView(View, frozen=True):
    """All feeds, oldest first."""

    feeds: tuple[FeedView, ...]


class HeldView(View, frozen=True):
    """What a deployment over several symbols holds of one of them."""

    symbol: str
    qty: Decimal
    avg_price: Decimal
    last_price: Decimal | None
    realized_pnl: Decimal


class DeploymentView(View, frozen=True):
    """A workflow version that trades an account; bound for life to both.

    Of several ``symbols``, ``symbol`` holds all of them, joined by commas, and ``positions`` what is held of each.
    """

    deployment_id: UUID
    version_id: UUID
    graph_hash: str
    account_id: UUID
    feed_id: UUID
    symbol: str
    capital: Decimal
    status: str
    last_seq: int
    intents: int
    cash: Decimal
    position_qty: Decimal
    equity: Decimal
    realized_pnl: Decimal
    fees: Decimal
    error: str
    created_at: Utc
    symbols: tuple[str, ...] = ()
    positions: tuple[HeldView, ...] = ()


class DeploymentsView(View, frozen=True):
    """The acting user's deployments, newest first."""

    deployments: tuple[DeploymentView, ...]


class DecisionView(View, frozen=True):
    """What a deployment decided on one bar, and why; ``values`` are the node values as JSON text.

    Over several symbols ``values`` holds outcome and values of each symbol that had a bar, and ``client_order_id`` the
    ids of the orders of that close as they were placed, joined by commas. ``reason`` says why the deployment failed on
    it, and is empty for every other outcome.
    """

    seq: int
    bar_ts: Utc
    outcome: str
    values: str
    client_order_id: str
    order_code: str
    reason: str = ""


class DecisionsView(View, frozen=True):
    """Decisions, newest first."""

    decisions: tuple[DecisionView, ...]


class BarView(View, frozen=True):
    """Prices of one interval, by the time it opened."""

    opened_at: Utc
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class BarsView(View, frozen=True):
    """A page of bars of a symbol; ``has_more`` tells whether there are further ones in the direction of reading."""

    symbol: str
    timeframe: str
    bars: tuple[BarView, ...]
    has_more: bool


class ListBars(Command[BarsView], tag="strategy.list_bars.v1", frozen=True):
    """List bars of a symbol by opening time, oldest first unless ``newest_first``, at most ``limit``.

    ``timeframe`` is an interval such as 5m, 1h, 1d, 1w or 1mo, which the stored bars must add up to; None for the
    stored one. Openings lie from ``start`` to ``end``, both included, and beyond ``after`` where a page follows one.
    Days, weeks and months are those of the symbol's exchange. Prices are raw unless ``is_split_adjusted``.
    """

    symbol: str
    timeframe: str | None = None
    start: Utc | None = None
    end: Utc | None = None
    after: Utc | None = None
    newest_first: bool = False
    is_split_adjusted: bool = False
    limit: int = 1000


class StageUpload(Command[StagedView], tag="strategy.stage_upload.v1", frozen=True):
    """Send a piece of a file, at most 512 KiB, at its offset; repeating a piece changes nothing."""

    upload_id: UUID
    offset: int
    data: bytes


class GetImport(Command[ImportView], tag="strategy.get_import.v1", frozen=True):
    """Fetch an import's state."""

    import_id: UUID


class ListDatasets(Command[DatasetsView], tag="strategy.list_datasets.v1", frozen=True):
    """List the catalogue."""


class GetDataset(Command[DatasetView], tag="strategy.get_dataset.v1", frozen=True):
    """Fetch one dataset's description by symbol."""

    symbol: str


class StartBacktest(Command[BacktestView], tag="strategy.start_backtest.v1", frozen=True):
    """Queue a backtest of a workflow version on the bars of a symbol, or of several, within ``[start, end)``.

    ``symbol`` names one, ``symbols`` several that share the cash: one of the two. Their order settles ties.
    Its orders are held against the limits of ``account_id`` as they are now, else against those of a new account.
    ``parameters`` replaces numbers of the version by ``node.param``, as a trial of a sweep does. ``intrabar`` is what a
    bar does to stops and targets.
    """

    version_id: UUID
    symbol: str = ""
    start: Utc | None = None
    end: Utc | None = None
    initial_cash: Decimal = Decimal(100000)
    fee_bps: Decimal = Decimal(0)
    fee_per_share: Decimal = Decimal(0)
    slippage_bps: Decimal = Decimal(0)
    account_id: UUID | None = None
    parameters: dict[str, Decimal] = msgspec.field(default_factory=dict)
    symbols: tuple[str, ...] = ()
    intrabar: Intrabar = Intrabar.CHRONOLOGICAL


class GetBacktest(Command[BacktestView], tag="strategy.get_backtest.v1", frozen=True):
    """Fetch a backtest with its result."""

    backtest_id: UUID


class ListBacktests(Command[BacktestsView], tag="strategy.list_backtests.v1", frozen=True):
    """List the acting user's backtests."""

    limit: int = 50


class CancelBacktest(Command[BacktestView], tag="strategy.cancel_backtest.v1", frozen=True):
    """Stop a queued or running backtest; a finished one is answered as it is."""

    backtest_id: UUID


class CreateFeed(Command[FeedView], tag="strategy.create_feed.v1", frozen=True):
    """Make a paused replay of split-adjusted catalogue bars within ``[start, end)``, or a feed of live bars.

    Live bars have a ``source`` (alpaca, alpaca:sip, or ccxt: and an exchange) and a ``timeframe``. ``connection`` is a
    live account of one's own whose connection lends its keys, where the source wants some; ``history`` counts the bars
    before its begin that strategies are warmed up on. ``is_extended`` takes those outside of regular hours, too.
    """

    name: str
    symbols: tuple[str, ...]
    start: Utc | None = None
    end: Utc | None = None
    interval_ms: int = 1000
    source: str = ""
    timeframe: str = ""
    connection: UUID | None = None
    history: int = 500
    is_extended: bool = False


class GetFeed(Command[FeedView], tag="strategy.get_feed.v1", frozen=True):
    """Fetch a feed."""

    feed_id: UUID


class ListFeeds(Command[FeedsView], tag="strategy.list_feeds.v1", frozen=True):
    """List feeds."""


class ControlFeed(Command[FeedView], tag="strategy.control_feed.v1", frozen=True):
    """Resume or pause a feed, or change its pace; ``pause_at`` stops it by itself after that step."""

    feed_id: UUID
    action: str
    interval_ms: int | None = None
    pause_at: int | None = None


class CreateDeployment(Command[DeploymentView], tag="strategy.create_deployment.v1", frozen=True):
    """Let a workflow version trade a symbol, or several ``symbols``, in an account from the feed's next bar on.

    A live account is confirmed by its name, and ``feed_id`` is one of live bars of its venue; a paper one has its own.
    ``intrabar`` can only be ours: other engines' orders of events are for backtests.
    """

    version_id: UUID
    account_id: UUID
    capital: Decimal
    symbol: str = ""
    symbols: tuple[str, ...] = ()
    feed_id: UUID | None = None
    confirm: str = ""
    intrabar: Intrabar = Intrabar.CHRONOLOGICAL


class GetDeployment(Command[DeploymentView], tag="strategy.get_deployment.v1", frozen=True):
    """Fetch a deployment."""

    deployment_id: UUID


class ListDeployments(Command[DeploymentsView], tag="strategy.list_deployments.v1", frozen=True):
    """List the acting user's deployments."""


class StopDeployment(Command[DeploymentView], tag="strategy.stop_deployment.v1", frozen=True):
    """Stop a deployment: no new orders, working entries are canceled; what it holds stays with its exits."""

    deployment_id: UUID


class ListDecisions(Command[DecisionsView], tag="strategy.list_decisions.v1", frozen=True):
    """List a deployment's decisions, newest first."""

    deployment_id: UUID
    outcome: str | None = None
    limit: int = 100


class BacktestFinished(Event, tag="strategy.backtest_finished.v1", frozen=True):
    """A backtest ended: finished, failed or canceled; ``figures`` are the chief ones of its metrics."""

    backtest_id: UUID
    owner_id: UUID
    symbol: str
    status: str
    total_return: float | None
    version_id: UUID | None = None
    started_at: Utc | None = None
    figures: dict[str, float | None] | None = None


class IntentSubmitted(Event, tag="strategy.intent_submitted.v1", frozen=True):
    """A deployment asked trading for an order."""

    deployment_id: UUID
    owner_id: UUID
    client_order_id: str
    symbol: str


class ProtectionLost(Event, tag="strategy.protection_lost.v1", frozen=True):
    """A deployment holds something its entry's exits do not close any more, and no order to leave it works.

    ``code`` is what refused the order that was to leave it, or EXITS_GONE where the exits ended by themselves. The
    deployment tries to leave at each bar from then on.
    """

    loss_id: UUID
    deployment_id: UUID
    owner_id: UUID
    account_id: UUID
    symbol: str
    qty: Decimal
    code: str
    detail: str


class FeedStatusChanged(Event, tag="strategy.feed_status_changed.v1", frozen=True):
    """A feed began to run, with a step every so many milliseconds, or runs no more.

    A live feed is ``waiting`` while no bar is due, e.g. when the market is closed.
    """

    feed_id: UUID
    status: str
    interval_ms: int


class FeedFinished(Event, tag="strategy.feed_finished.v1", frozen=True):
    """A feed reached its end or failed."""

    feed_id: UUID
    owner_id: UUID
    status: str
    error: str
