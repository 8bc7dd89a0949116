"""The runner of live feeds: asks a source when a bar is due, steps the feed on what is recorded, waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.live_bars import retry_in
from alphintra.strategy.domain.replay import following
from alphintra.strategy.gateways.bar_sources import ALPACA_FEEDS
from alphintra.strategy.gateways.services import service_context
from alphintra.strategy.gateways.venue_bars import owner_of_feed
from alphintra.strategy.service.jobs import IDLE_S
from alphintra.strategy.service.live_feeds import LiveFeed, keep_recorded, terms_of
from alphintra.strategy.service.stepping import Stepper

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import FeedId, IdSource
    from alphintra.strategy.gateways.bar_sources import LiveSource, Sources
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.services import Market, Orders
    from alphintra.strategy.gateways.venue_bars import Connections
    from alphintra.strategy.repository import Desk, Feed
    from alphintra.strategy.service.jobs import Waker

__all__ = ["LiveRunner"]

LEFT_PAUSE_S: Final = 2.0  # between two looks at an order that waits for its venue to let go of others
_OF_SOURCES: Final = ("SOURCE_", "SYMBOL_", "VENUE_")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRunner:
    """Works live feeds.

    Attributes:
        desk: what is kept of feeds.
        catalogue: where recorded bars are entered when a feed pauses.
        sources: who is asked for bars.
        connections: who is asked for them with the keys of an account.
        market: broker and risk.
        orders: trading.
        host: where algorithms run.
        clock: time of day.
        ids: of events and datasets.
        chance: draws a number from 0 to 1, which spreads the attempts of many.
    """

    desk: Desk
    catalogue: Catalogue
    sources: Sources
    connections: Connections
    market: Market
    orders: Orders
    host: Host
    clock: Clock
    ids: IdSource
    chance: Callable[[], float]

    async def prepare(self, feed: Feed, trace_id: str) -> None:
        """Record the bars before a feed's begin. Raises SOURCE_*, EXCHANGE_UNKNOWN."""
        async with self._source(feed, trace_id) as source:
            await self._live(feed).begin(feed, source, self.market, service_context(trace_id))

    async def run(self, feed: Feed, waker: Waker, trace_id: str, *, at_step: Callable[[int], None]) -> None:
        """Work a feed until it is paused; what was recorded is in the catalogue then.

        A source that does not answer is asked again, less and less often, and why is kept with the feed.

        Raises what a step raises; the feed goes on from there when it is run again.
        """
        live, stepper = self._live(feed), await self.stepper(feed)
        async with self._source(feed, trace_id) as source:
            failures = 0
            while await self._caught_up(feed.feed_id, stepper, trace_id, at_step):
                await live.tell_expected()
                try:
                    fresh = await live.collect(source)
                except AlphintraError as error:
                    if not error.code.startswith(_OF_SOURCES):
                        raise
                    failures += 1
                    pause = retry_in(failures, chance=self.chance())
                    await live.tell_trouble(str(error))
                    get_logger().warning("live.retry", feed_id=str(feed.feed_id), code=error.code, pause_s=pause)
                else:
                    if failures:
                        await live.tell_trouble("")
                    failures = 0
                    stepper.add(fresh)
                    if fresh:
                        continue
                    pause = await live.next_poll()
                if await stepper.place_left(trace_id):
                    pause = min(pause, LEFT_PAUSE_S)
                await self._rest(feed.feed_id, waker, pause)
        after = await self.desk.feed(feed.feed_id)
        if after is not None and after.status == "paused":
            at = self.clock.now()
            await keep_recorded(after, desk=self.desk, catalogue=self.catalogue, ids=self.ids, at=at)

    async def stepper(self, feed: Feed) -> Stepper:
        """Return what steps a feed on the bars recorded so far."""
        return Stepper(
            feed.feed_id,
            await self._live(feed).steps(),
            desk=self.desk,
            market=self.market,
            orders=self.orders,
            host=self.host,
            clock=self.clock,
            ids=self.ids,
            live=terms_of(feed),
        )

    @asynccontextmanager
    async def _source(self, feed: Feed, trace_id: str) -> AsyncIterator[LiveSource]:
        if feed.connection_id is not None:
            context = owner_of_feed(feed.feed_id, feed.owner_id, trace_id)
            yield self.connections.bars(feed.connection_id, ALPACA_FEEDS[feed.source], context)
            return
        async with self.sources.open(feed.source) as source:
            yield source

    def _live(self, feed: Feed) -> LiveFeed:
        return LiveFeed(feed_id=feed.feed_id, terms=terms_of(feed), desk=self.desk, clock=self.clock, ids=self.ids)

    async def _caught_up(
        self, feed_id: FeedId, stepper: Stepper, trace_id: str, at_step: Callable[[int], None]
    ) -> bool:
        """Do every step that is recorded; False as soon as the feed is not to run any more."""
        while True:
            feed = await self.desk.feed(feed_id)
            if feed is None or feed.status != "running":
                return False
            step = following(stepper.steps, feed.seq)
            if step is None:
                return True
            at_step(feed.seq)
            await stepper.advance(step, trace_id)

    async def _rest(self, feed_id: FeedId, waker: Waker, pause_s: float) -> None:
        """Wait, by whichever clock is over first; return early when the feed is not to run any more."""
        loop = asyncio.get_running_loop()
        until, wakes_at = loop.time() + pause_s, self.clock.now() + timedelta(seconds=pause_s)
        while (rest_s := until - loop.time()) > 0 and self.clock.now() < wakes_at:
            await waker.sleep(min(rest_s, IDLE_S))
            feed = await self.desk.feed(feed_id)
            if feed is None or feed.status != "running":
                return
