"""What strategy answers and tells."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec

from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = [
    "BacktestFinished",
    "BacktestView",
    "BacktestsView",
    "BarView",
    "BarsView",
    "CancelBacktest",
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
    "FeedFinished",
    "FeedStatusChanged",
    "FeedView",
    "FeedsView",
    "GetBacktest",
    "GetDataset",
    "GetDeployment",
    "GetFeed",
    "GetImport",
    "ImportDataset",
    "ImportView",
    "IntentSubmitted",
    "ListBacktests",
    "ListBars",
    "ListDatasets",
    "ListDecisions",
    "ListDeployments",
    "ListFeeds",
    "ProtectionLost",
    "StageUpload",
    "StagedView",
    "StartBacktest",
    "StopDeployment",
]


class DataIssueView(View, frozen=True):
    """Something odd in data: its code, what was done (dropped, kept), how often, sentences on the first, and a fix."""

    code: str
    action: str
    count: int
    details: tuple[str, ...]
    fix: str


class DatasetView(View, frozen=True):
    """Bars of one symbol in the catalogue; findings name what is odd in the data, issues group it by code.

    ``splits`` and ``dividends`` are factors beside raw bars, each with its date. ``price_basis`` says what the source
    had adjusted for already: raw, split_adjusted or adjusted. ``zone`` is that of the file's times, empty for dates;
    ``stamps`` says whether they were opening or closing times.
    """

    dataset_id: UUID
    symbol: str
    timeframe: str
    source: str
    rows: int
    first_ts: Utc
    last_ts: Utc
    splits: tuple[str, ...]
    findings: tuple[str, ...]
    data_hash: str
    imported_at: Utc
    dividends: tuple[str, ...] = ()
    licence: str = ""
    file_format: str = ""
    file_hash: str = ""
    zone: str = ""
    stamps: str = "open"
    price_basis: str = "raw"
    issues: tuple[DataIssueView, ...] = ()


class DatasetsView(View, frozen=True):
    """The catalogue, by symbol."""

    datasets: tuple[DatasetView, ...]


class CoverageView(View, frozen=True):
    """How much of what a calendar expects between the first bar and the last is there.

    ``calendar`` is XNYS or 24/7, whose sessions are UTC days. ``bars_outside`` lie outside regular hours.
    ``share`` is bars found of bars expected. The longest of the ``gaps`` lacks ``gap_bars`` after ``gap_after``.
    """

    calendar: str
    sessions_expected: int
    sessions_found: int
    bars_expected: int
    bars_found: int
    bars_outside: int
    share: float
    gaps: int
    gap_bars: int
    gap_after: Utc | None


class DataCheckView(View, frozen=True):
    """What is odd in the bars of a symbol as they are stored, and what its import left out.

    ``is_intact`` tells whether the stored bars have the hash they were entered with; None if it was not asked for.
    """

    dataset_id: UUID
    symbol: str
    timeframe: str
    rows: int
    first_ts: Utc
    last_ts: Utc
    coverage: CoverageView
    issues: tuple[DataIssueView, ...]
    is_intact: bool | None


class StagedView(View, frozen=True):
    """How many bytes of an upload have arrived."""

    received: int


class ImportView(View, frozen=True):
    """State of an import: queued, running, finished or failed with a code."""

    import_id: UUID
    status: str
    progress: float
    dataset_ids: tuple[UUID, ...]
    error_code: str
    error: str


class BacktestView(View, frozen=True):
    """State and result of a backtest; metrics, trades and equity are there once it is finished.

    ``run_hash`` names what was run (graph, data, settings, limits, engine), ``result_hash`` what came out.
    ``limit_version`` and ``limit_hash`` name the limit set every order was held against.
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


class BacktestsView(View, frozen=True):
    """Backtests, newest first, without their results."""

    backtests: tuple[BacktestView, ...]


class FeedView(View, frozen=True):
    """A price feed: a replay of catalogue bars at its own pace; status paused, running, finished or failed."""

    feed_id: UUID
    name: str
    symbols: tuple[str, ...]
    status: str
    seq: int
    steps: int
    interval_ms: int
    last_ts: Utc | None
    error: str


class FeedsView(View, frozen=True):
    """All feeds, oldest first."""

    feeds: tuple[FeedView, ...]


class DeploymentView(View, frozen=True):
    """A workflow version that trades an account; bound for life to both."""

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


class DeploymentsView(View, frozen=True):
    """The acting user's deployments, newest first."""

    deployments: tuple[DeploymentView, ...]


class DecisionView(View, frozen=True):
    """What a deployment decided on one bar, and why; ``values`` are the node values as JSON text.

    ``reason`` says why the deployment failed on it, and is empty for every other outcome.
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


class ImportDataset(Command[ImportView], tag="strategy.import_dataset.v1", frozen=True):
    """Turn an uploaded file (CSV, plain, gzip or zip; JSON arrays; Parquet) into bars, one dataset per symbol.

    ``format`` names a layout, else the first line tells. ``columns`` says which column means ts, symbol, open, high,
    low, close, volume or adjusted. ``zone`` is that of times without one, ``stamps`` whether times open or close an
    interval, ``timeframe`` the interval where the file cannot show it. ``allow`` names what may be mended (sort,
    duplicates), ``splits`` those to be adjusted for (2005-02-28=2/1), ``licence`` the terms the data is kept under.
    """

    upload_id: UUID
    file_name: str
    source: str
    symbol: str | None = None
    format: str = "auto"
    columns: dict[str, str] = msgspec.field(default_factory=dict)
    zone: str = ""
    stamps: str = "open"
    timeframe: str = ""
    allow: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    licence: str = ""


class GetImport(Command[ImportView], tag="strategy.get_import.v1", frozen=True):
    """Fetch an import's state."""

    import_id: UUID


class ListDatasets(Command[DatasetsView], tag="strategy.list_datasets.v1", frozen=True):
    """List the catalogue."""


class GetDataset(Command[DatasetView], tag="strategy.get_dataset.v1", frozen=True):
    """Fetch one dataset's description by symbol."""

    symbol: str


class CheckDataset(Command[DataCheckView], tag="strategy.check_dataset.v1", frozen=True):
    """Check the newest bars of a symbol against its calendar and themselves; with ``has_hash`` against their hash."""

    symbol: str
    has_hash: bool = False


class StartBacktest(Command[BacktestView], tag="strategy.start_backtest.v1", frozen=True):
    """Queue a backtest of a workflow version on a symbol's bars within ``[start, end)``.

    Its orders are held against the limits of ``account_id`` as they are now, else against those of a new account.
    ``parameters`` replaces numbers of the version by ``node.param``, as a trial of a sweep does.
    """

    version_id: UUID
    symbol: str
    start: Utc | None = None
    end: Utc | None = None
    initial_cash: Decimal = Decimal(100000)
    fee_bps: Decimal = Decimal(0)
    fee_per_share: Decimal = Decimal(0)
    slippage_bps: Decimal = Decimal(0)
    account_id: UUID | None = None
    parameters: dict[str, Decimal] = msgspec.field(default_factory=dict)


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
    """Make a paused replay of split-adjusted catalogue bars within ``[start, end)``."""

    name: str
    symbols: tuple[str, ...]
    start: Utc | None = None
    end: Utc | None = None
    interval_ms: int = 1000


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
    """Let a workflow version trade a symbol in an account from the feed's next bar on."""

    version_id: UUID
    account_id: UUID
    symbol: str
    capital: Decimal


class GetDeployment(Command[DeploymentView], tag="strategy.get_deployment.v1", frozen=True):
    """Fetch a deployment."""

    deployment_id: UUID


class ListDeployments(Command[DeploymentsView], tag="strategy.list_deployments.v1", frozen=True):
    """List the acting user's deployments."""


class StopDeployment(Command[DeploymentView], tag="strategy.stop_deployment.v1", frozen=True):
    """Stop a deployment: no new orders; what it holds stays."""

    deployment_id: UUID


class ListDecisions(Command[DecisionsView], tag="strategy.list_decisions.v1", frozen=True):
    """List a deployment's decisions, newest first."""

    deployment_id: UUID
    outcome: str | None = None
    limit: int = 100


class BacktestFinished(Event, tag="strategy.backtest_finished.v1", frozen=True):
    """A backtest ended: finished, failed or canceled."""

    backtest_id: UUID
    owner_id: UUID
    symbol: str
    status: str
    total_return: float | None


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
    """A feed began to run, with a step every so many milliseconds, or runs no more."""

    feed_id: UUID
    status: str
    interval_ms: int


class FeedFinished(Event, tag="strategy.feed_finished.v1", frozen=True):
    """A feed reached its end or failed."""

    feed_id: UUID
    owner_id: UUID
    status: str
    error: str
