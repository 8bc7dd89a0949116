"""Use cases of downloads: bars of public sources, page by page, continued where the catalogue or a crash left off."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from alphintra.contracts.strategy import DownloadsView, DownloadView, StartDownload
from alphintra.infrastructure.events import append_audit
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import DatasetId
from alphintra.strategy.domain.intervals import interval_of
from alphintra.strategy.domain.market_files import Finding, ImportOptions, require_symbol, sentences
from alphintra.strategy.domain.requests import may_see, require_label
from alphintra.strategy.gateways import market_checks
from alphintra.strategy.gateways.bar_sources import Wanted
from alphintra.strategy.gateways.catalogue import data_hash, read_split
from alphintra.strategy.gateways.corporate_events import Events, TellsEvents, kept_events
from alphintra.strategy.gateways.market_rows import text_pieces
from alphintra.strategy.gateways.market_tables import tables_of
from alphintra.strategy.gateways.services import service_context
from alphintra.strategy.repository import Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.bar_sources import BarSource, Page, Sources
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.repository import Desk

__all__ = ["cancel_download", "get_download", "list_downloads", "run_download", "start_download"]

LEASE: Final = timedelta(seconds=90)
ATTEMPTS: Final = 5
WAIT_S: Final = 2.0
LICENCE_MAX: Final = 500
LIST_MAX: Final = 200
ROWS_MAX: Final = 5_000_000


async def start_download(
    command: StartDownload, context: Context, *, desk: Desk, sources: Sources, ids: IdSource, at: datetime
) -> DownloadView:
    """Queue a download; without a start it goes on where the bars of that source in the catalogue end.

    Raises SYMBOL_FORMAT, TIMEFRAME_INVALID, START_REQUIRED, RANGE, FIELD_LENGTH, FIELD_CHARS, or what
    `Sources.require` does.
    """
    require_symbol(command.symbol)
    sources.require(command.source)
    timeframe = interval_of(command.timeframe).polars_name
    if command.licence:
        require_label(command.licence, "licence", length_max=LICENCE_MAX)
    known = await _known(command.symbol, timeframe, command.source, context.actor.user_id, desk=desk)
    start = command.start or (None if known is None else known.last_ts)
    if start is None:
        message = f"the catalogue has no {timeframe} bars of {command.symbol} from {command.source}: say from when on"
        raise AlphintraError("START_REQUIRED", message, pointer="/start")
    end = command.end or at
    if start >= end:
        raise AlphintraError("RANGE", f"there is nothing between {start} and {end}", pointer="/end")
    download_id = ids.new()
    licence = command.licence or ("" if known is None else known.licence)
    values = (command.source, command.symbol, timeframe, start, end, licence)
    facts: dict[str, Any] = {"source": command.source, "symbol": command.symbol, "timeframe": timeframe}
    async with desk.transaction() as tx:
        await tx.execute("downloads.insert", download_id, context.actor.user_id, *values, at)
        subject = f"download:{download_id}"
        await append_audit(tx.session, "download.start", subject, facts, ids=ids, context=context, at=at)
        tx.wake_service()
    return await get_download(download_id, context, desk=desk)


async def get_download(download_id: UUID, context: Context, *, desk: Desk) -> DownloadView:
    """Return a download's state. Raises DOWNLOAD_NOT_FOUND, also for other people's."""
    row = await desk.row("downloads.get", download_id)
    if row is None or not may_see(row["owner_id"], context):
        raise AlphintraError("DOWNLOAD_NOT_FOUND", f"there is no download {download_id}", kind=Kind.NOT_FOUND)
    return _view(row)


async def list_downloads(context: Context, *, desk: Desk, limit: int) -> DownloadsView:
    """Return the acting user's downloads, newest first. Raises PAGE_LIMIT."""
    if not 1 <= limit <= LIST_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {LIST_MAX}", pointer="/limit")
    return DownloadsView(downloads=tuple(map(_view, await desk.rows("downloads.list", context.actor.user_id, limit))))


async def cancel_download(
    download_id: UUID, context: Context, *, desk: Desk, ids: IdSource, at: datetime
) -> DownloadView:
    """Stop a download; what has come stays. Raises DOWNLOAD_NOT_FOUND; an ended one is answered as it is."""
    await get_download(download_id, context, desk=desk)
    async with desk.transaction() as tx:
        if await tx.execute("downloads.cancel", download_id):
            subject = f"download:{download_id}"
            await append_audit(tx.session, "download.cancel", subject, {}, ids=ids, context=context, at=at)
    return await get_download(download_id, context, desk=desk)


@dataclass(slots=True)
class _Run:
    """A leased download: what has come is kept with each page, so that the next worker goes on from there."""

    row: Mapping[str, Any]
    desk: Desk
    catalogue: Catalogue
    clock: Clock
    cursor: datetime
    offset: int
    rows: int
    events: Events = field(default_factory=Events)

    async def keep(self) -> bool:
        """Keep the lease and tell what has come; True if somebody wants it to stop."""
        start, end = self.row["start_ts"], self.row["end_ts"]
        share = min(0.99, max(0.0, (self.cursor - start) / (end - start)))
        until = self.clock.now() + LEASE
        values = (self.row["download_id"], share, until, self.cursor, self.offset, self.rows)
        async with self.desk.transaction() as tx:
            return bool(await tx.session.value("downloads.progress", *values))

    async def take(self, page: Page) -> None:
        """Store a page behind what has come."""
        text = "".join(f"{opened},{','.join(values)}\n" for opened, values in page.rows)
        download_id = self.row["download_id"]
        self.offset = await asyncio.to_thread(self.catalogue.append_rows, download_id, self.offset, text.encode())
        self.rows += len(page.rows)
        self.cursor = self.row["end_ts"] if page.after is None else page.after


async def run_download(
    row: Mapping[str, Any], *, desk: Desk, catalogue: Catalogue, sources: Sources, clock: Clock, ids: IdSource
) -> None:
    """Carry out a leased download, from the page on that was stored last.

    What has come is entered into the catalogue however it ends, so that the next download goes on behind it.
    """
    run = _Run(row, desk, catalogue, clock, row["cursor_ts"], row["staged_bytes"], row["row_count"])
    status, code, reason = "finished", "", ""
    try:
        async with sources.open(row["source"]) as source:
            if not await _fetched(run, source):
                status = "canceled"
            elif isinstance(source, TellsEvents) and run.rows:
                whole = Wanted(
                    symbol=row["symbol"], timeframe=row["timeframe"], start=row["start_ts"], end=row["end_ts"]
                )
                run.events = await source.events(whole)
    except AlphintraError as error:
        status, code, reason = "failed", error.code, error.detail
    fault_point("strategy.download_fetched")
    entered: Dataset | None = None
    if run.rows:
        try:
            entered = await _entered(run, ids=ids)
        except AlphintraError as error:
            status, code, reason = "failed", error.code, error.detail
    elif status == "finished":
        status, code, reason = (
            "failed",
            "DOWNLOAD_EMPTY",
            f"{row['source']} has no bars of {row['symbol']} in that time",
        )
    context = service_context(row["download_id"].hex)
    async with desk.transaction() as tx:
        dataset_id = None if entered is None else await tx.put_dataset(entered)
        if entered is not None and dataset_id is not None:
            await asyncio.to_thread(catalogue.rename, entered.dataset_id, dataset_id)
        if await tx.execute("downloads.finish", row["download_id"], status, 1.0, dataset_id, code, reason):
            facts: dict[str, Any] = {"status": status, "rows": run.rows}
            subject = f"download:{row['download_id']}"
            await append_audit(tx.session, "dataset.enter", subject, facts, ids=ids, context=context, at=clock.now())
    fault_point("strategy.download_stored")
    catalogue.drop_rows(row["download_id"])


async def _fetched(run: _Run, source: BarSource) -> bool:
    """Fetch page after page; False if somebody wanted it to stop."""
    end = run.row["end_ts"]
    while run.cursor < end and run.rows < ROWS_MAX:
        if await run.keep():
            return False
        wanted = Wanted(symbol=run.row["symbol"], timeframe=run.row["timeframe"], start=run.cursor, end=end)
        await run.take(await _patiently(run, source, wanted))
        fault_point("strategy.download_page")
    return not await run.keep()


async def _patiently(run: _Run, source: BarSource, wanted: Wanted) -> Page:
    """Ask for a page, again and later where the source is busy. Raises what it raises in the end."""
    attempt = 1
    while True:
        try:
            return await source.page(wanted)
        except AlphintraError as error:
            if error.code != "SOURCE_BUSY" or attempt >= ATTEMPTS:
                raise
        await asyncio.sleep(WAIT_S * 2 ** (attempt - 1))
        await run.keep()
        attempt += 1


async def _entered(run: _Run, *, ids: IdSource) -> Dataset:
    """Return what has come, joined with the bars there are of that source, as a dataset whose file is written."""
    row = run.row
    known = await _known(row["symbol"], row["timeframe"], row["source"], row["owner_id"], desk=run.desk)
    return await asyncio.to_thread(_merged, run, known, DatasetId(ids.new()), run.clock.now())


def _merged(run: _Run, known: Dataset | None, dataset_id: DatasetId, at: datetime) -> Dataset:
    row = run.row
    options = ImportOptions(symbol=row["symbol"], timeframe=row["timeframe"], format="ccxt", allow=("duplicates",))
    lines = run.catalogue.rows_of(row["download_id"], run.offset)
    (table,) = tables_of(text_pieces(lines, options), options, at=at)
    frame, findings = table.frame, list(table.findings)
    splits: tuple[str, ...] = ()
    dividends: tuple[str, ...] = ()
    if known is not None:
        splits, dividends = known.splits, known.dividends
        before = run.catalogue.read_frame(known.dataset_id)
        frame, revised = _joined(before, table.frame)
        dropped = [finding for finding in findings if finding.action == "dropped"]
        split_times = [read_split(text, ()).ts for text in splits]
        findings = [*dropped, *revised, *market_checks.oddities(frame, row["symbol"], row["timeframe"], split_times)]
    more_splits, more_dividends = kept_events(run.events, frame)
    splits = tuple(sorted({*splits, *more_splits}))
    dividends = tuple(sorted({*dividends, *more_dividends}))
    if more_splits:  # fresh steps of the price are explained by them
        kept = [finding for finding in findings if finding.action == "dropped" or finding.code == "BAR_REVISED"]
        times = [read_split(text, ()).ts for text in splits]
        findings = [*kept, *market_checks.oddities(frame, row["symbol"], row["timeframe"], times)]
    run.catalogue.write_frame(dataset_id, frame)
    return Dataset(
        dataset_id=dataset_id,
        symbol=row["symbol"],
        timeframe=row["timeframe"],
        source=row["source"],
        row_count=len(frame),
        first_ts=frame["ts"][0],
        last_ts=frame["ts"][-1],
        splits=splits,
        findings=sentences(findings),
        data_hash=data_hash(frame, splits, dividends),
        imported_at=at,
        owner_id=row["owner_id"],
        dividends=dividends,
        licence=row["licence"],
        file_format="download",
        zone="UTC",
        issues=msgspec.json.encode(findings).decode(),
    )


def _joined(before: pl.DataFrame, fresh: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    """Return old bars outside the time of the new ones, and the new ones; tell which of the old came differently."""
    import polars as pl  # noqa: PLC0415 - heavy, and only workers need it

    first, last = fresh["ts"][0], fresh["ts"][-1]
    outside = before.filter((pl.col("ts") < first) | (pl.col("ts") > last))
    inside = before.filter(pl.col("ts").is_between(first, last))
    changed = inside.join(fresh, on=inside.columns, how="anti")
    findings = []
    if len(changed):
        text = f"{len(changed)} bars came otherwise than before, first {changed['ts'][0]:%Y-%m-%d %H:%MZ}"
        fix = "sources correct bars for some time; results on the earlier bars keep the hash of those"
        findings.append(Finding(code="BAR_REVISED", action="kept", count=len(changed), details=(text,), fix=fix))
    return pl.concat([outside, fresh]).sort("ts"), findings


async def _known(symbol: str, timeframe: str, source: str, owner_id: UUID | None, *, desk: Desk) -> Dataset | None:
    """Return the newest bars of that source in the catalogue."""
    found = [each for each in await desk.newest_datasets(owner_id) if each.symbol == symbol]
    same = [each for each in found if (each.timeframe, each.source, each.owner_id) == (timeframe, source, owner_id)]
    return same[0] if same else None


def _view(row: Mapping[str, Any]) -> DownloadView:
    return DownloadView(
        download_id=row["download_id"],
        source=row["source"],
        symbol=row["symbol"],
        timeframe=row["timeframe"],
        start=row["start_ts"],
        end=row["end_ts"],
        status=row["status"],
        progress=row["progress"],
        rows=row["row_count"],
        fetched_to=row["cursor_ts"],
        dataset_id=row["dataset_id"],
        error_code=row["error_code"],
        error=row["error"],
        created_at=row["created_at"],
    )
