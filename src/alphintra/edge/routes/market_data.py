"""Uploads, imports, the catalogue of bars, and the feeds that replay it."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import Depends, Query
from starlette.requests import Request

from alphintra.contracts.courses import BarCourseView, DrawBars
from alphintra.contracts.strategy import (
    CancelDownload,
    CheckDataset,
    ControlFeed,
    CreateFeed,
    DataCheckView,
    DatasetsView,
    DatasetView,
    DownloadsView,
    DownloadView,
    FeedsView,
    FeedView,
    GetDataset,
    GetDownload,
    GetFeed,
    GetImport,
    ImportDataset,
    ImportView,
    ListDatasets,
    ListDownloads,
    ListFeeds,
    StageUpload,
    StartDownload,
)
from alphintra.edge.decoding import Label
from alphintra.edge.routes.holdings import utc
from alphintra.edge.routing import Body, PageLimit, Reader, Routes, Trader
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Utc

__all__ = ["routes"]

CHECK_TIMEOUT_S: Final = 300.0
"""A check reads every stored bar, and with its hash writes each out as text."""
routes = Routes("market data")

PIECE_BYTES: Final = 512 * 1024
INTERVAL_MS_MAX: Final = 86_400_000
HISTORY_MAX: Final = 5000


class FeedAction(StrEnum):
    """What can be done to a feed."""

    RESUME = "resume"
    PAUSE = "pause"


class FeedBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A replay of catalogue bars within ``[start, end)``, one step each ``interval_ms``; or live bars of a source.

    A source is alpaca, alpaca:sip, or ccxt: and the id of an exchange; connection is an account whose connection lends
    its keys, history how many bars before its begin strategies are warmed up on.
    """

    name: Label
    symbols: tuple[str, ...]
    start: Utc | None = None
    end: Utc | None = None
    interval_ms: Annotated[int, msgspec.Meta(ge=0, le=INTERVAL_MS_MAX)] = 1000
    source: str = ""
    timeframe: str = ""
    connection: UUID | None = None
    history: Annotated[int, msgspec.Meta(ge=0, le=HISTORY_MAX)] = 500
    is_extended: bool = False


class DownloadBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Bars of a symbol that opened in ``[start, end)``; the source is alpaca, or ccxt: and the id of an exchange."""

    source: str
    symbol: str
    timeframe: str
    start: Utc | None = None
    end: Utc | None = None
    licence: str = ""


class FeedControlBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A new pace, and the step after which the feed stops by itself."""

    interval_ms: Annotated[int, msgspec.Meta(ge=0, le=INTERVAL_MS_MAX)] | None = None
    pause_at: Annotated[int, msgspec.Meta(ge=0, le=2**31)] | None = None


class Said(msgspec.Struct, kw_only=True):
    """What somebody says of a file."""

    columns: dict[str, str]
    format: str
    zone: str
    stamps: str
    timeframe: str
    allow: tuple[str, ...]
    splits: tuple[str, ...]
    licence: str


def _said(  # noqa: PLR0913 - what a query may say
    *,
    format: Annotated[str, Query(max_length=20, description="Layout of the file; auto looks at it.")] = "auto",  # noqa: A002 - its name
    columns: Annotated[str, Query(max_length=1000, description="Which column means what: ts=Date;open=first.")] = "",
    zone: Annotated[str, Query(max_length=60, description="IANA zone of times without one.")] = "",
    stamps: Annotated[str, Query(max_length=10, description="Whether times open or close bars.")] = "open",
    timeframe: Annotated[str, Query(max_length=20, description="Interval, where the file cannot show it.")] = "",
    allow: Annotated[str, Query(max_length=40, description="What may be mended: sort,duplicates.")] = "",
    splits: Annotated[str, Query(max_length=2000, description="Splits to adjust for: 2005-02-28=2/1,…")] = "",
    licence: Annotated[str, Query(max_length=500, description="Terms of the data, or attribution.")] = "",
) -> Said:
    pairs = [text.partition("=") for text in columns.split(";") if text]
    wrong = next((name for name, equals, _title in pairs if not equals), None)
    if wrong is not None:
        raise AlphintraError("CSV_COLUMN", f"{wrong[:40]!r} names no column: write ts=Date", pointer="/columns")
    return Said(
        columns={name.strip(): title for name, _equals, title in pairs},
        format=format,
        zone=zone,
        stamps=stamps,
        timeframe=timeframe,
        allow=tuple(text for text in allow.split(",") if text),
        splits=tuple(text for text in splits.split(",") if text),
        licence=licence,
    )


@routes.post("/datasets", status=202)
async def import_dataset(
    caller: Trader,
    request: Request,
    said: Annotated[Said, Depends(_said)],
    filename: Annotated[str, Query(min_length=1, max_length=200, description="Name of the file, for messages.")],
    source: Annotated[str, Query(min_length=1, max_length=120, description="Where the data is from.")] = "upload",
    symbol: Annotated[str | None, Query(max_length=32, description="Symbol, where the file has no column.")] = None,
) -> ImportView:
    """Upload a file (CSV, plain, gzip or zip; JSON arrays; Parquet; at most 64 MiB) as the raw body; import it."""
    for name, value in (("filename", filename), ("source", source), ("symbol", symbol or "")):
        if any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in value):
            raise AlphintraError("FIELD_CHARS", f"{name} holds control characters", pointer=f"/{name}")
    upload_id = caller.gate.ids.new()
    offset = 0
    async for piece in _pieces(request):
        await caller.ask(StageUpload(upload_id=upload_id, offset=offset, data=piece))
        offset += len(piece)
    if offset == 0:
        raise AlphintraError("BODY_EMPTY", "the body is empty: send the file as it is")
    command = ImportDataset(
        upload_id=upload_id, file_name=filename, source=source, symbol=symbol, **msgspec.structs.asdict(said)
    )
    started = await caller.ask(command)
    caller.headers["Location"] = f"/api/v1/imports/{started.import_id}"
    return started


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in pieces of exactly 512 KiB, the last one shorter; never more than one piece in memory."""
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)


@routes.get("/imports/{import_id}")
async def get_import(caller: Reader, import_id: UUID) -> ImportView:
    """Fetch the state of an import."""
    return await caller.ask(GetImport(import_id=import_id))


@routes.get("/datasets")
async def list_datasets(caller: Reader) -> DatasetsView:
    """List the catalogue, with what is odd in the data."""
    return await caller.ask(ListDatasets())


@routes.get("/datasets/{symbol:path}/check")
async def check_dataset(
    caller: Reader,
    symbol: str,
    has_hash: Annotated[bool, Query(description="Compare the hash of the bars, too.")] = False,  # noqa: FBT002 - a query
) -> DataCheckView:
    """Check bars against their calendar and against themselves: coverage, and what is odd."""
    return await caller.ask(CheckDataset(symbol=symbol, has_hash=has_hash), timeout_s=CHECK_TIMEOUT_S)


@routes.get("/datasets/{symbol:path}/course")
async def draw_bars(
    caller: Reader, symbol: str, start: datetime | None = None, end: datetime | None = None
) -> BarCourseView:
    """Fetch bars to be drawn, adjusted for splits: where there are more than 5,000, neighbours are joined."""
    return await caller.ask(DrawBars(symbol=symbol, start=utc(start, "start"), end=utc(end, "end")))


@routes.get("/datasets/{symbol:path}")
async def get_dataset(caller: Reader, symbol: str) -> DatasetView:
    """Fetch one dataset's description."""
    return await caller.ask(GetDataset(symbol=symbol))


@routes.get("/downloads")
async def list_downloads(caller: Reader, limit: PageLimit = 50) -> DownloadsView:
    """List downloads, newest first."""
    return await caller.ask(ListDownloads(limit=limit))


@routes.post("/downloads", status=202)
async def start_download(caller: Trader, body: Annotated[DownloadBody, Depends(Body(DownloadBody))]) -> DownloadView:
    """Download bars from a public source into the catalogue."""
    command = StartDownload(
        source=body.source,
        symbol=body.symbol,
        timeframe=body.timeframe,
        start=body.start,
        end=body.end,
        licence=body.licence,
    )
    started = await caller.ask(command)
    caller.headers["Location"] = f"/api/v1/downloads/{started.download_id}"
    return started


@routes.get("/downloads/{download_id}")
async def get_download(caller: Reader, download_id: UUID) -> DownloadView:
    """Fetch the state of a download."""
    return await caller.ask(GetDownload(download_id=download_id))


@routes.post("/downloads/{download_id}/cancel")
async def cancel_download(caller: Trader, download_id: UUID) -> DownloadView:
    """Stop a download; what has come stays."""
    return await caller.ask(CancelDownload(download_id=download_id))


@routes.get("/feeds")
async def list_feeds(caller: Reader) -> FeedsView:
    """List price feeds."""
    return await caller.ask(ListFeeds())


@routes.post("/feeds", status=201)
async def create_feed(caller: Trader, body: Annotated[FeedBody, Depends(Body(FeedBody))]) -> FeedView:
    """Make a paused replay of catalogue bars, or a paused feed of live bars."""
    command = CreateFeed(
        name=str(body.name),
        symbols=body.symbols,
        start=body.start,
        end=body.end,
        interval_ms=body.interval_ms,
        source=body.source,
        timeframe=body.timeframe,
        connection=body.connection,
        history=body.history,
        is_extended=body.is_extended,
    )
    return await caller.ask(command)


@routes.get("/feeds/{feed_id}")
async def get_feed(caller: Reader, feed_id: UUID) -> FeedView:
    """Fetch a feed."""
    return await caller.ask(GetFeed(feed_id=feed_id))


@routes.post("/feeds/{feed_id}/{action}")
async def control_feed(
    caller: Trader,
    feed_id: UUID,
    action: FeedAction,
    body: Annotated[FeedControlBody, Depends(Body(FeedControlBody, is_optional=True))],
) -> FeedView:
    """Resume or pause a feed, at a new pace where the body says one."""
    command = ControlFeed(
        feed_id=feed_id,
        action=action.value,
        interval_ms=body.interval_ms,
        pause_at=body.pause_at,
    )
    return await caller.ask(command)
