"""The runner of feeds: each at its own pace, those of recorded bars and live ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alphintra.contracts import strategy as messages
from alphintra.infrastructure.events import append_event
from alphintra.infrastructure.telemetry import get_logger, new_trace_id
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import FeedId
from alphintra.strategy.gateways.services import service_context
from alphintra.strategy.service import feeds
from alphintra.strategy.service.jobs import IDLE_S, Waker
from alphintra.strategy.service.live_runner import LiveRunner
from alphintra.strategy.service.stepping import Stepper

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.engine.algorithm_runs import Host
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.strategy.gateways.bar_sources import Sources
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.services import Fleet, Market, Orders
    from alphintra.strategy.gateways.venue_bars import Connections
    from alphintra.strategy.repository import Desk, Feed

__all__ = ["FeedRunner"]

RETRY_MAX_S = 5.0
REPORT_EVERY = timedelta(seconds=10)
REPORTED_MAX = 500
KEPT_MAX = 4  # paused feeds whose bars stay in memory: one that is stepped by hand would be read for every step
KEPT_STEPS_MAX = 20_000


class FeedRunner:
    """Runs every feed that is to run, each at its own pace, and tells risk which deployments it runs by that."""

    def __init__(  # noqa: PLR0913 - what a feed moves
        self,
        *,
        desk: Desk,
        catalogue: Catalogue,
        market: Market,
        orders: Orders,
        fleet: Fleet,
        host: Host,
        sources: Sources,
        connections: Connections,
        chance: Callable[[], float],
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._desk = desk
        self._catalogue = catalogue
        self._live = LiveRunner(
            desk=desk,
            catalogue=catalogue,
            sources=sources,
            connections=connections,
            market=market,
            orders=orders,
            host=host,
            clock=clock,
            ids=ids,
            chance=chance,
        )
        self._market = market
        self._orders = orders
        self._clock = clock
        self._ids = ids
        self._fleet = fleet
        self._host = host
        self._instance = str(ids.new())
        self._reported_at: datetime | None = None
        self._reported: list[tuple[UUID, str]] = []
        self._waker = Waker()
        self._tasks: dict[FeedId, asyncio.Task[None]] = {}
        self._wakers: dict[FeedId, Waker] = {}
        self._steppers: dict[FeedId, tuple[feeds.Source, Stepper]] = {}

    def wake(self) -> None:
        """Look at once what feeds are to do."""
        for waker in (self._waker, *self._wakers.values()):
            waker.wake()

    async def run(self) -> None:
        """Run feeds until cancelled."""
        try:
            while True:
                busy = await self._desk.busy_feeds()
                await self._report(self._clock.now())
                self._tasks = {feed_id: task for feed_id, task in self._tasks.items() if not task.done()}
                self._wakers = {feed_id: self._wakers[feed_id] for feed_id in self._tasks}
                for feed_id in busy:
                    if feed_id not in self._tasks:
                        self._wakers[feed_id] = Waker()
                        self._tasks[feed_id] = asyncio.create_task(self._run_feed(feed_id))
                await self._waker.sleep(IDLE_S)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _report(self, now: datetime) -> None:
        """Tell risk now and then which deployments run here; it refuses their orders while another runs them too."""
        running = sorted((await self._desk.running_deployments()).items())
        is_due = self._reported_at is None or now - self._reported_at >= REPORT_EVERY
        if not is_due and running == self._reported:
            return
        self._reported_at, self._reported = now, running
        context = service_context(new_trace_id())
        for start in range(0, len(running), REPORTED_MAX):
            part = dict(running[start : start + REPORTED_MAX])
            try:
                told = await self._fleet.report(self._instance, part, context)
            except AlphintraError as error:
                # Its orders meet the same silence; this report comes again.
                get_logger().warning("fleet.unreported", code=error.code, detail=error.detail)
                self._reported_at = None
                return
            if told.doubled:
                doubled = [str(deployment_id) for deployment_id in told.doubled]
                get_logger().error("fleet.doubled", deployments=doubled, instance=self._instance)

    async def _run_feed(self, feed_id: FeedId) -> None:
        """Step a feed until it is paused, finished or cannot go on; what is unavailable is waited for."""
        log = get_logger().bind(feed_id=str(feed_id))
        failures, failed_at = 0, -1
        while True:
            progress = _FeedProgress()
            try:
                await self._steps(feed_id, progress)
            except AlphintraError as error:
                if error.kind in {Kind.UNAVAILABLE, Kind.LIMITED, Kind.CONFLICT}:
                    failures = failures + 1 if progress.seq == failed_at else 1
                    failed_at = progress.seq
                    log.warning("feed.retry", failures=failures, code=error.code, detail=error.detail)
                    await asyncio.sleep(min(0.1 * 2 ** min(failures, 10), RETRY_MAX_S))
                    continue
                await self._fail(feed_id, error)
            except Exception as error:
                log.exception("feed.failed")
                bug = AlphintraError("INTERNAL", f"the feed failed: {type(error).__name__}", kind=Kind.BUG)
                await self._fail(feed_id, bug)
            self._waker.wake()
            return

    async def _steps(self, feed_id: FeedId, progress: _FeedProgress) -> None:
        feed = await self._desk.feed(feed_id)
        if feed is None:
            return
        trace_id = new_trace_id()
        if feed.is_live:
            if feed.status == "preparing":
                await self._live.prepare(feed, trace_id)
            else:
                await self._live.run(feed, self._wakers[feed_id], trace_id, at_step=progress.stand_at)
            return
        if feed.status == "preparing":
            context = service_context(trace_id)
            await feeds.prepare_feed(feed, context, desk=self._desk, catalogue=self._catalogue, market=self._market)
            return
        source = await feeds.feed_source(feed, desk=self._desk)
        stepper = await self._stepper(feed_id, source)
        loop = asyncio.get_running_loop()
        while feed is not None and feed.status == "running" and feed.seq < len(stepper.steps):
            progress.seq = feed.seq
            started = loop.time()
            await stepper.advance(stepper.steps[feed.seq], trace_id)
            feed = await self._next_due(feed_id, started)
        if len(stepper.steps) <= KEPT_STEPS_MAX and feed is not None and feed.status == "paused":
            self._steppers[feed_id] = source, stepper
            while len(self._steppers) > KEPT_MAX:
                del self._steppers[next(iter(self._steppers))]

    async def _stepper(self, feed_id: FeedId, source: feeds.Source) -> Stepper:
        """Return the feed's stepper of before its pause, for one that is stepped by hand; else a new one."""
        before = self._steppers.pop(feed_id, None)
        if before is not None and before[0] == source:
            before[1].forget()
            return before[1]
        return Stepper(
            feed_id,
            await feeds.feed_steps(source, catalogue=self._catalogue),
            desk=self._desk,
            market=self._market,
            orders=self._orders,
            host=self._host,
            clock=self._clock,
            ids=self._ids,
        )

    async def _next_due(self, feed_id: FeedId, started: float) -> Feed | None:
        """Return the feed when its next step is due, or as soon as it is not to run any more."""
        loop = asyncio.get_running_loop()
        while True:
            feed = await self._desk.feed(feed_id)
            if feed is None or feed.status != "running":
                return feed
            rest_s = started + feed.interval_ms / 1000 - loop.time()
            if rest_s <= 0:
                return feed
            await self._wakers[feed_id].sleep(min(rest_s, IDLE_S))

    async def _fail(self, feed_id: FeedId, error: AlphintraError) -> None:
        context, at = service_context(new_trace_id()), self._clock.now()
        async with self._desk.transaction() as tx:
            row = await tx.session.row("feeds.fail", feed_id, str(error))
            if row is None:
                return
            told = messages.FeedStatusChanged(feed_id=feed_id, status="failed", interval_ms=row["interval_ms"])
            await append_event(tx.session, told, ids=self._ids, aggregate_id=feed_id, context=context, at=at)
            if row["owner_id"] is None:
                return
            event = messages.FeedFinished(feed_id=feed_id, owner_id=row["owner_id"], status="failed", error=str(error))
            await append_event(tx.session, event, ids=self._ids, aggregate_id=feed_id, context=context, at=at)


@dataclass(slots=True)
class _FeedProgress:
    """The step a feed stood at; a retry that got further starts with short pauses again."""

    seq: int = -1

    def stand_at(self, seq: int) -> None:
        """Note where the feed stands."""
        self.seq = seq
