"""Use cases of price feeds: making, controlling and reading them; replays are read here, live bars elsewhere."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from alphintra.contracts.strategy import ControlFeed, CreateFeed, FeedStatusChanged, FeedsView, FeedView
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import FeedId, UserId
from alphintra.strategy.domain.replay import Step, steps_of, within
from alphintra.strategy.domain.requests import require_label
from alphintra.strategy.repository import Feed
from alphintra.strategy.service.imports import newest_dataset
from alphintra.strategy.service.live_feeds import live_feed

if TYPE_CHECKING:
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.bar_sources import Sources
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.services import Market
    from alphintra.strategy.repository import Dataset, Desk

__all__ = [
    "Source",
    "control_feed",
    "create_feed",
    "feed_source",
    "feed_steps",
    "get_feed",
    "list_feeds",
    "prepare_feed",
]

SYMBOLS_MAX = 50
INTERVAL_MS_MAX = 86_400_000
NAME_MAX = 80


class Source(NamedTuple):
    """Where the bars of a feed are, and which of them it plays."""

    start_ts: datetime | None
    end_ts: datetime | None
    datasets: tuple[Dataset, ...]


async def create_feed(
    command: CreateFeed, context: Context, *, desk: Desk, sources: Sources, ids: IdSource, at: datetime
) -> FeedView:
    """Make a feed; the runner then reads its bars, gives risk the first prices, and leaves it paused.

    Raises SYMBOL_UNKNOWN, RANGE, FEED_TIMEFRAME or FIELD_*; for live bars what `live_feeds.live_feed` does.
    """
    symbols = tuple(dict.fromkeys(command.symbols))
    if not 1 <= len(symbols) <= SYMBOLS_MAX:
        raise AlphintraError("FIELD_LENGTH", f"a feed has 1 to {SYMBOLS_MAX} symbols", pointer="/symbols")
    require_label(command.name.strip(), "name", length_max=NAME_MAX)
    _check_interval(command.interval_ms)
    if command.source:
        feed = live_feed(command, context, symbols=symbols, sources=sources, ids=ids)
    else:
        feed = await _replay(command, context, symbols=symbols, desk=desk, ids=ids)
    facts: dict[str, Any] = {"symbols": list(symbols)} | ({"source": feed.source} if feed.is_live else {})
    async with desk.transaction() as tx:
        await tx.add_feed(feed, at=at)
        subject = f"feed:{feed.feed_id}"
        await append_audit(tx.session, "feed.create", subject, facts, ids=ids, context=context, at=at)
        tx.wake_service()
    return _view(feed)


async def _replay(
    command: CreateFeed, context: Context, *, symbols: tuple[str, ...], desk: Desk, ids: IdSource
) -> Feed:
    datasets = [await newest_dataset(symbol, context, desk=desk) for symbol in symbols]
    if len({dataset.timeframe for dataset in datasets}) != 1:
        raise AlphintraError("FEED_TIMEFRAME", "all symbols of a feed need bars of one interval", pointer="/symbols")
    _check_range(command, datasets)
    return Feed(
        feed_id=FeedId(ids.new()),
        owner_id=None if context.actor.user_id is None else UserId(context.actor.user_id),
        name=command.name.strip(),
        symbols=symbols,
        dataset_ids=tuple(dataset.dataset_id for dataset in datasets),
        start_ts=command.start,
        end_ts=command.end,
        status="preparing",
        seq=0,
        steps=0,
        interval_ms=command.interval_ms,
        pause_at=None,
        last_ts=None,
        error="",
    )


async def prepare_feed(feed: Feed, context: Context, *, desk: Desk, catalogue: Catalogue, market: Market) -> None:
    """Read a new feed's bars and give risk its first prices; safe to repeat. Raises RANGE, DATASET_MISSING."""
    steps = await feed_steps(await feed_source(feed, desk=desk), catalogue=catalogue)
    opening = Step(0, steps[0].ts, _first_bars(steps))
    await market.mark(feed.feed_id, opening, context, await_executions=())
    async with desk.transaction() as tx:
        await tx.execute("feeds.prepared", feed.feed_id, len(steps))


async def feed_source(feed: Feed, *, desk: Desk) -> Source:
    """Return what a feed's bars are read from; where it is the same, they are."""
    datasets = {dataset.dataset_id: dataset for dataset in await desk.datasets(feed.dataset_ids)}
    return Source(feed.start_ts, feed.end_ts, tuple(datasets[dataset_id] for dataset_id in feed.dataset_ids))


async def feed_steps(source: Source, *, catalogue: Catalogue) -> tuple[Step, ...]:
    """Read a feed's bars and number its steps. Raises RANGE, DATASET_MISSING."""
    series = {}
    for dataset in source.datasets:
        bars = await asyncio.to_thread(catalogue.read, dataset.dataset_id, dataset.splits)
        series[dataset.symbol] = within(bars, source.start_ts, source.end_ts)
    return steps_of(series)


async def get_feed(feed_id: FeedId, *, desk: Desk) -> FeedView:
    """Return a feed. Raises FEED_NOT_FOUND."""
    feed = await desk.feed(feed_id)
    if feed is None:
        raise _not_found(feed_id)
    return _view(feed)


async def list_feeds(*, desk: Desk) -> FeedsView:
    """Return all feeds, oldest first."""
    return FeedsView(feeds=tuple(_view(feed) for feed in await desk.feeds()))


async def control_feed(command: ControlFeed, context: Context, *, desk: Desk, ids: IdSource, at: datetime) -> FeedView:
    """Resume or pause a feed, or change its pace.

    A failed feed goes on where it stopped when it is resumed; one that could not be prepared is prepared again, and is
    paused then. Pausing a failed feed leaves it failed, with its error.

    Raises FEED_NOT_FOUND, FEED_FINISHED, FEED_PREPARING, FEED_LIVE, FIELD_CHOICE, RANGE.
    """
    if command.action not in {"resume", "pause"}:
        raise AlphintraError("FIELD_CHOICE", "action is resume or pause", pointer="/action")
    async with desk.transaction() as tx:
        feed = await tx.lock_feed(FeedId(command.feed_id))
        if feed is None or not _may_control(feed, context):
            raise _not_found(FeedId(command.feed_id))
        if feed.status == "finished":
            raise AlphintraError("FEED_FINISHED", "the feed has reached its end: make a new one", kind=Kind.CONFLICT)
        if feed.status == "preparing":
            raise AlphintraError("FEED_PREPARING", "the feed is being prepared: try again", kind=Kind.UNAVAILABLE)
        if feed.is_live and (command.interval_ms is not None or command.pause_at is not None):
            message = "a live feed goes with the market: it is resumed and paused, at no pace of its own"
            raise AlphintraError("FEED_LIVE", message, pointer="/interval_ms")
        interval_ms = feed.interval_ms if command.interval_ms is None else command.interval_ms
        _check_interval(interval_ms)
        if command.pause_at is not None and not feed.seq < command.pause_at <= feed.steps:
            message = f"the feed is at step {feed.seq} of {feed.steps}: pause it after a step to come"
            raise AlphintraError("RANGE", message, pointer="/pause_at")
        wanted = _status_after(feed, command.action)
        await tx.execute("feeds.control", feed.feed_id, wanted, interval_ms, command.pause_at)
        told = FeedStatusChanged(feed_id=feed.feed_id, status=wanted, interval_ms=interval_ms)
        await append_event(tx.session, told, ids=ids, aggregate_id=feed.feed_id, context=context, at=at)
        facts: dict[str, Any] = {"action": command.action, "interval_ms": interval_ms}
        subject = f"feed:{feed.feed_id}"
        await append_audit(tx.session, "feed.control", subject, facts, ids=ids, context=context, at=at)
        tx.wake_service()
    return await get_feed(feed.feed_id, desk=desk)


def _may_control(feed: Feed, context: Context) -> bool:
    actor = context.actor
    return actor.id == "operator" or "owner" in actor.roles or actor.user_id == feed.owner_id


def _status_after(feed: Feed, action: str) -> str:
    if action == "resume":
        is_prepared = feed.start_ts is not None if feed.is_live else feed.steps
        return "running" if is_prepared else "preparing"
    return "failed" if feed.status == "failed" else "paused"


def _check_range(command: CreateFeed, datasets: list[Dataset]) -> None:
    first, last = max(item.first_ts for item in datasets), min(item.last_ts for item in datasets)
    start, end = command.start or first, command.end
    if start > last or (end is not None and (end <= start or end <= first)):
        message = f"no bar lies in the range: the data spans {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        raise AlphintraError("RANGE", message, pointer="/start")


def _check_interval(interval_ms: int) -> None:
    if not 0 <= interval_ms <= INTERVAL_MS_MAX:
        message = f"interval_ms must be 0 to {INTERVAL_MS_MAX}"
        raise AlphintraError("RANGE", message, pointer="/interval_ms")


def _first_bars(steps: tuple[Step, ...]) -> tuple[tuple[str, Any], ...]:
    first: dict[str, Any] = {}
    for step in steps:
        for symbol, bar in step.bars:
            first.setdefault(symbol, bar)
    return tuple(sorted(first.items()))


def _not_found(feed_id: FeedId) -> AlphintraError:
    return AlphintraError("FEED_NOT_FOUND", f"there is no feed {feed_id}", kind=Kind.NOT_FOUND)


def _view(feed: Feed) -> FeedView:
    return FeedView(
        feed_id=feed.feed_id,
        name=feed.name,
        symbols=feed.symbols,
        status=feed.status,
        seq=feed.seq,
        steps=feed.steps,
        interval_ms=feed.interval_ms,
        last_ts=feed.last_ts,
        error=feed.error,
        source=feed.source,
        timeframe=feed.timeframe,
    )
