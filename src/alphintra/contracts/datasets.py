"""What strategy answers and is told of datasets: imports, downloads and checks of bars."""

from __future__ import annotations

from uuid import UUID

import msgspec

from alphintra.kernel.messages import Command, Utc, View

__all__ = [
    "CancelDownload",
    "CheckDataset",
    "CoverageView",
    "DataCheckView",
    "DataIssueView",
    "DatasetView",
    "DatasetsView",
    "DownloadView",
    "DownloadsView",
    "GetDownload",
    "ImportDataset",
    "ImportView",
    "ListDownloads",
    "StartDownload",
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


class ImportView(View, frozen=True):
    """State of an import: queued, running, finished or failed with a code."""

    import_id: UUID
    status: str
    progress: float
    dataset_ids: tuple[UUID, ...]
    error_code: str
    error: str


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


class DownloadView(View, frozen=True):
    """State of a download: queued, running, finished, failed with a code, or canceled; what came stays either way.

    ``fetched_to`` is where it goes on; ``dataset_id`` is there once what came is in the catalogue.
    """

    download_id: UUID
    source: str
    symbol: str
    timeframe: str
    start: Utc
    end: Utc
    status: str
    progress: float
    rows: int
    fetched_to: Utc
    dataset_id: UUID | None
    error_code: str
    error: str
    created_at: Utc


class DownloadsView(View, frozen=True):
    """Downloads, newest first."""

    downloads: tuple[DownloadView, ...]


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


class CheckDataset(Command[DataCheckView], tag="strategy.check_dataset.v1", frozen=True):
    """Check the newest bars of a symbol against its calendar and themselves; with ``has_hash`` against their hash."""

    symbol: str
    has_hash: bool = False


class StartDownload(Command[DownloadView], tag="strategy.start_download.v1", frozen=True):
    """Download bars that opened in ``[start, end)`` from a source: ``alpaca``, or ``ccxt:`` and an exchange's id there.

    Without ``start`` it goes on where the bars of that source in the catalogue end, without ``end`` until now.
    """

    source: str
    symbol: str
    timeframe: str
    start: Utc | None = None
    end: Utc | None = None
    licence: str = ""


class GetDownload(Command[DownloadView], tag="strategy.get_download.v1", frozen=True):
    """Fetch a download's state."""

    download_id: UUID


class ListDownloads(Command[DownloadsView], tag="strategy.list_downloads.v1", frozen=True):
    """List the acting user's downloads."""

    limit: int = 50


class CancelDownload(Command[DownloadView], tag="strategy.cancel_download.v1", frozen=True):
    """Stop a queued or running download; an ended one is answered as it is."""

    download_id: UUID
