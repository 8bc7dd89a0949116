"""Use cases of live feeds: bars of the market as they come, recorded, numbered as steps, and kept.

A bar is recorded in the transaction that makes it a step, and published from there: after a restart the feed goes on
with what is recorded, and asks its source for what was missed meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_OID, uuid5

from alphintra.contracts.strategy import CreateFeed, FeedStatusChanged
from alphintra.engine.sessions import calendar_of
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import DatasetId, FeedId, UserId
from alphintra.strategy.domain.intervals import interval_of
from alphintra.strategy.domain.live_bars import (
    LiveTerms,
    ask_from,
    is_due,
    next_poll,
    require_live_interval,
    take,
)
from alphintra.strategy.domain.market_files import require_symbol
from alphintra.strategy.domain.replay import Step
from alphintra.strategy.gateways.bar_sources import ALPACA_FEEDS, Recent
from alphintra.strategy.gateways.catalogue import data_hash
from alphintra.strategy.gateways.services import service_context
from alphintra.strategy.repository import Dataset, Feed, recorded_bar

if TYPE_CHECKING:
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.domain.live_bars import Remark
    from alphintra.strategy.gateways.bar_sources import LiveSource, Sources
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.services import Market
    from alphintra.strategy.repository import Desk, DeskTransaction

__all__ = ["LiveFeed", "keep_recorded", "live_feed", "recorded_steps", "terms_of"]

HISTORY_MAX: Final = 5000
STEPS_KEPT: Final = 20_000  # steps that are read at a start: what strategies are warmed up on
DAILY_EXPECTED_MS: Final = 600_000  # a daily bar is due after the close; half an hour later it counts as silent
_SECOND_MS: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def live_feed(
    command: CreateFeed, context: Context, *, symbols: tuple[str, ...], sources: Sources, ids: IdSource
) -> Feed:
    """Return a new feed of live bars.

    Raises SYMBOL_FORMAT, TIMEFRAME_INVALID, LIVE_TIMEFRAME, FIELD_RANGE, FIELD_FORBIDDEN and what `Sources.require`
    does.
    """
    for symbol in symbols:
        require_symbol(symbol)
    if command.connection is None:
        sources.require_live(command.source)
    elif command.source not in ALPACA_FEEDS:
        message = "an exchange tells bars to everybody, without keys: leave the account out; alpaca wants keys"
        raise AlphintraError("FIELD_FORBIDDEN", message, pointer="/connection")
    interval = interval_of(command.timeframe)
    require_live_interval(interval, symbols)
    if not 0 <= command.history <= HISTORY_MAX:
        raise AlphintraError("FIELD_RANGE", f"history is 0 to {HISTORY_MAX} bars", pointer="/history")
    if command.start is not None or command.end is not None:
        message = "a live feed begins now and has no end: leave start and end out"
        raise AlphintraError("FIELD_FORBIDDEN", message, pointer="/start")
    return Feed(
        feed_id=FeedId(ids.new()),
        owner_id=None if context.actor.user_id is None else UserId(context.actor.user_id),
        name=command.name.strip(),
        symbols=symbols,
        dataset_ids=(),
        start_ts=None,
        end_ts=None,
        status="preparing",
        seq=0,
        steps=0,
        interval_ms=interval.minutes * 60 * _SECOND_MS if interval.is_intraday else DAILY_EXPECTED_MS,
        pause_at=None,
        last_ts=None,
        error="",
        source=command.source,
        timeframe=interval.polars_name,
        connection_id=command.connection,
        history=command.history,
        is_extended=command.is_extended,
    )


def terms_of(feed: Feed) -> LiveTerms:
    """Return what a live feed carries."""
    return LiveTerms(symbols=feed.symbols, interval=interval_of(feed.timeframe), is_extended=feed.is_extended)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFeed:
    """A live feed at work: what it asks its source for, and what it records."""

    feed_id: FeedId
    terms: LiveTerms
    desk: Desk
    clock: Clock
    ids: IdSource

    async def begin(self, feed: Feed, source: LiveSource, market: Market, context: Context) -> None:
        """Record the bars before the begin, and give risk the newest prices; safe to repeat. Raises SOURCE_*."""
        at, terms = self.clock.now(), self.terms
        steps: tuple[Step, ...] = ()
        if feed.history:
            answer = await source.recent(_recent(feed, _history_start(terms, feed.history, at), at))
            taken = take({}, answer, terms=terms, begun_at=_EPOCH, last_ts=_EPOCH, at=at).steps[-feed.history :]
            steps = tuple(Step(place - len(taken), ts, bars) for place, (ts, bars) in enumerate(taken, start=1))
        if steps:
            newest = {symbol: (symbol, bar) for step in steps for symbol, bar in step.bars}
            opening = Step(0, steps[-1].ts, tuple(newest[symbol] for symbol in sorted(newest)))
            await market.mark(self.feed_id, opening, context, await_executions=())
        async with self.desk.transaction() as tx:
            locked = await tx.lock_feed(self.feed_id)
            if locked is not None and locked.status == "preparing":
                await _record(tx, self.feed_id, steps, at=at)
                await tx.execute("feeds.begun", self.feed_id, steps[-1].ts if steps else at)

    async def steps(self) -> list[Step]:
        """Read the steps that were recorded, those before the begin too, oldest first."""
        return await recorded_steps(await self._feed(), desk=self.desk)

    async def collect(self, source: LiveSource) -> tuple[Step, ...]:
        """Ask for what came since the last bar, record it and return it as steps.

        Raises SOURCE_*, with nothing recorded, and FEED_MOVED where another runner records the feed.
        """
        feed, at, last_ts = await self._feed(), self.clock.now(), await self.last_ts()
        start = ask_from(self.terms, last_ts)
        answer = await source.recent(_recent(feed, start, at))
        fault_point("strategy.live_answered")
        async with self.desk.transaction() as tx:
            locked = await tx.lock_feed(self.feed_id)
            if locked is None or locked.steps != feed.steps:
                raise AlphintraError("FEED_MOVED", "the feed is recorded by another runner", kind=Kind.CONFLICT)
            known = {
                (row["symbol"], row["closed_at"]): recorded_bar(row)
                for row in await tx.session.rows("bars.since", self.feed_id, start)
            }
            begun_at = locked.start_ts or last_ts
            intake = take(known, answer, terms=self.terms, begun_at=begun_at, last_ts=last_ts, at=at)
            steps = tuple(Step(locked.steps + place, *each) for place, each in enumerate(intake.steps, start=1))
            if steps:
                await _record(tx, self.feed_id, steps, at=at)
                await tx.execute("feeds.recorded", self.feed_id, steps[-1].seq)
            for remark in intake.remarks:
                await tx.execute("remarks.add", self.feed_id, *_remarked(remark), at)
            fault_point("strategy.live_recorded")
        fault_point("strategy.live_committed")
        return steps

    async def last_ts(self) -> datetime:
        """Return when the newest recorded bar closed, or the feed began."""
        row = await self.desk.row("bars.last", self.feed_id)
        found: datetime | None = None if row is None else row["last_ts"]
        return found or self.clock.now()

    async def next_poll(self) -> float:
        """Return the seconds until the source is to be asked again."""
        return next_poll(self.terms, await self.last_ts(), self.clock.now())

    async def tell_expected(self) -> None:
        """Tell whether prices are due, when that changes: risk watches over silence only then."""
        feed, at = await self._feed(), self.clock.now()
        is_expected = is_due(self.terms, await self.last_ts(), at)
        if feed.status != "running" or feed.is_expected == is_expected:
            return
        async with self.desk.transaction() as tx:
            if await tx.execute("feeds.expected", self.feed_id, is_expected):
                status = "running" if is_expected else "waiting"
                event = FeedStatusChanged(feed_id=self.feed_id, status=status, interval_ms=feed.interval_ms)
                context = service_context(self.feed_id.hex)
                await append_event(tx.session, event, ids=self.ids, aggregate_id=self.feed_id, context=context, at=at)

    async def tell_trouble(self, text: str) -> None:
        """Keep why no bars come, empty when they come again; for people to see."""
        async with self.desk.transaction() as tx:
            await tx.execute("feeds.troubled", self.feed_id, text)

    async def _feed(self) -> Feed:
        feed = await self.desk.feed(self.feed_id)
        if feed is None:
            raise AlphintraError("FEED_NOT_FOUND", f"there is no feed {self.feed_id}", kind=Kind.NOT_FOUND)
        return feed


async def recorded_steps(feed: Feed, *, desk: Desk) -> list[Step]:
    """Read the newest steps a live feed has recorded, those before its begin too, oldest first."""
    rows = await desk.rows("bars.steps", feed.feed_id, feed.seq - STEPS_KEPT)
    return [
        Step(seq, bars[0][1].ts, tuple(bars))
        for seq, bars in (
            (seq, [(row["symbol"], recorded_bar(row)) for row in each])
            for seq, each in groupby(rows, key=lambda row: row["seq"])
        )
    ]


async def keep_recorded(feed: Feed, *, desk: Desk, catalogue: Catalogue, ids: IdSource, at: datetime) -> None:
    """Enter the bars recorded so far into the catalogue, as a dataset for each symbol; the same bars only once."""
    for symbol in feed.symbols:
        bars = [recorded_bar(row) for row in await desk.rows("bars.of_symbol", feed.feed_id, symbol)]
        if not bars:
            continue
        known_as = data_hash(bars, ())
        dataset_id = DatasetId(uuid5(NAMESPACE_OID, f"{feed.feed_id} {symbol} {known_as}"))
        if await desk.datasets([dataset_id]):
            continue
        await asyncio.to_thread(catalogue.write, dataset_id, bars)
        dataset = Dataset(
            dataset_id=dataset_id,
            symbol=symbol,
            timeframe=feed.timeframe,
            source=f"recorded live bars of {feed.source}",
            row_count=len(bars),
            first_ts=bars[0].ts,
            last_ts=bars[-1].ts,
            splits=(),
            findings=(),
            data_hash=known_as,
            imported_at=at,
            owner_id=feed.owner_id,
            file_format="recorded",
            zone="UTC",
            stamps="close",
        )
        async with desk.transaction() as tx:
            entered = await tx.put_dataset(dataset)
            await asyncio.to_thread(catalogue.rename, dataset_id, entered)
            facts: dict[str, Any] = {"rows": len(bars), "dataset_id": str(entered)}
            context, subject = service_context(feed.feed_id.hex), f"feed:{feed.feed_id}"
            await append_audit(tx.session, "dataset.enter", subject, facts, ids=ids, context=context, at=at)


async def _record(tx: DeskTransaction, feed_id: FeedId, steps: Iterable[Step], *, at: datetime) -> None:
    rows = [(symbol, bar, step.seq) for step in steps for symbol, bar in step.bars]
    if not rows:
        return
    bars = [bar for _symbol, bar, _seq in rows]
    amounts = ([getattr(bar, name) for bar in bars] for name in ("open", "high", "low", "close", "volume"))
    names, seqs = [symbol for symbol, _bar, _seq in rows], [seq for _symbol, _bar, seq in rows]
    await tx.execute("bars.record", feed_id, names, [bar.ts for bar in bars], seqs, *amounts, at)


def _remarked(remark: Remark) -> tuple[object, ...]:
    bar = remark.bar
    amounts = (None,) * 5 if bar is None else (bar.open, bar.high, bar.low, bar.close, bar.volume)
    return (remark.symbol, remark.closed_at, remark.kind, remark.detail, *amounts)


def _recent(feed: Feed, start: datetime, at: datetime) -> Recent:
    return Recent(symbols=feed.symbols, timeframe=feed.timeframe, start=start, end=at)


def _history_start(terms: LiveTerms, history: int, at: datetime) -> datetime:
    """Return from when on there are that many bars of the symbol that trades least; some more come."""
    minutes = min(calendar_of(symbol).session_minutes for symbol in terms.symbols)
    is_always = all(calendar_of(symbol).is_always_open for symbol in terms.symbols)
    days = history if not terms.interval.is_intraday else history * terms.interval.minutes / minutes
    return at - timedelta(days=days + 1 if is_always else days * 1.6 + 5)
