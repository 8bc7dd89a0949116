"""Live feeds of minutes on a market the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from alphintra.contracts.strategy import ControlFeed, CreateFeed, FeedView
from alphintra.engine.templates import crossover
from alphintra.infrastructure.telemetry import new_trace_id
from alphintra.kernel.ids import FeedId
from alphintra.strategy.domain.replay import following
from alphintra.strategy.service.live_feeds import LiveFeed, terms_of
from alphintra.strategy.service.live_runner import LiveRunner
from integration.strategy.stage import WAVE

if TYPE_CHECKING:
    from decimal import Decimal

    from alphintra.strategy.service.stepping import Stepper
    from fixtures.bar_market import BarMarket
    from integration.strategy.stage import Stage

OPEN = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STRATEGY = crossover(2, 4, average="sma", percent="50", timeframe="1m")


class Live:
    """A live feed of minutes on a market the test moves."""

    def __init__(self, stage: Stage, market: BarMarket) -> None:
        self.stage = stage
        self.market = market
        self.feed_id = FeedId(stage.owner_id)
        self.source = "alpaca"
        self.symbols = ("AAPL",)
        self._stepper: Stepper | None = None

    @property
    def runner(self) -> LiveRunner:
        stage = self.stage
        return LiveRunner(
            desk=stage.desk,
            catalogue=stage.catalogue,
            sources=stage.sources,
            connections=stage.connections,
            market=stage.market,
            orders=stage.orders,
            host=stage.host,
            clock=stage.clock,
            ids=stage.ids,
            chance=lambda: 0.0,
        )

    async def create(self, **wishes: Any) -> FeedView:  # noqa: ANN401 - fields of the command
        wanted = {"name": "live", "symbols": self.symbols, "source": self.source, "timeframe": "1Min"} | wishes
        made = await self.stage.endpoints.create_feed(CreateFeed(**wanted), self.stage.owner)
        self.feed_id = FeedId(made.feed_id)
        return made

    async def begin(self, **wishes: Any) -> None:  # noqa: ANN401 - fields of the command
        """Make a feed that runs from the opening on."""
        self.stage.clock.at = OPEN + timedelta(seconds=5)
        await self.create(**wishes)
        feed = await self.stage.desk.feed(self.feed_id)
        assert feed is not None
        await self.runner.prepare(feed, new_trace_id())
        await self.control("resume")

    async def control(self, action: str) -> FeedView:
        return await self.stage.endpoints.control_feed(
            ControlFeed(feed_id=self.feed_id, action=action), self.stage.owner
        )

    def restart(self) -> None:
        """Forget what a process holds."""
        self._stepper = None

    async def look(self, minute: int, *, seconds: int = 5) -> list[datetime]:
        """Let the feed look for bars a while after the close of a minute, and step on those that came."""
        self.stage.clock.at = OPEN + (minute + 1) * MINUTE + timedelta(seconds=seconds)
        feed = await self.stage.desk.feed(self.feed_id)
        assert feed is not None
        if self._stepper is None:
            self._stepper = await self.runner.stepper(feed)
        live = LiveFeed(
            feed_id=self.feed_id,
            terms=terms_of(feed),
            desk=self.stage.desk,
            clock=self.stage.clock,
            ids=self.stage.ids,
        )
        await live.tell_expected()
        async with self.stage.sources.open(feed.source) as source:
            fresh = await live.collect(source)
        self._stepper.add(fresh)
        while (step := following(self._stepper.steps, feed.seq)) is not None:
            await self._stepper.advance(step, new_trace_id())
            feed = await self.stage.desk.feed(self.feed_id)
            assert feed is not None
        return [step.ts for step in fresh]

    async def play(self, first: int, last: int, *, symbol: str = "AAPL") -> None:
        """Let bars of the wave happen, and the feed look after each."""
        for minute in range(first, last):
            self.market.happen(symbol, OPEN + minute * MINUTE, str(WAVE[minute % len(WAVE)]))
            await self.look(minute)

    async def recorded(self) -> list[tuple[int, datetime, Decimal]]:
        rows = await self.stage.rows(
            "select seq, closed_at, close from recorded_bars where feed_id = $1 order by seq", self.feed_id
        )
        return [(row["seq"], row["closed_at"], row["close"]) for row in rows]

    async def remarks(self) -> list[tuple[str, datetime]]:
        rows = await self.stage.rows("select kind, closed_at from bar_remarks order by closed_at, kind")
        return [(row["kind"], row["closed_at"]) for row in rows]
