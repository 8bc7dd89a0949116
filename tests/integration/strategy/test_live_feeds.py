"""Live bars come over real HTTP, are recorded and stepped once each, and go on after whatever breaks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from starlette.responses import HTMLResponse, JSONResponse

from alphintra.contracts.strategy import GetDataset
from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.bars import Bar
from alphintra.engine.graph import compile_plan
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.service import live_feeds
from alphintra.strategy.service.live_feeds import LiveFeed, terms_of
from fixtures.bar_market import running_market
from fixtures.single_service import PowerCutError, stop_at
from integration.strategy.live_stage import MINUTE, OPEN, STRATEGY, Live
from integration.strategy.stage import WAVE, Stage, eventually
from integration.strategy.town import FEES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture
async def live(stage: Stage) -> AsyncIterator[Live]:
    async with running_market() as market:
        stage.urls.update({"alpaca": market.url, "alpaca:sip": market.url, "ccxt:kraken": market.url})
        yield Live(stage, market)


def wave(minutes: int) -> list[Bar]:
    prices = [Decimal(WAVE[minute % len(WAVE)]) for minute in range(minutes)]
    return [
        Bar(OPEN + minute * MINUTE, price, price, price, price, Decimal(100))
        for minute, price in enumerate(prices, start=1)
    ]


def wanted_fills(minutes: int) -> list[tuple[str, str, Decimal, Decimal]]:
    settings = BacktestSettings(initial_cash=Decimal(10000), fees=FEES)
    result = run_backtest(compile_plan(STRATEGY), "AAPL", bars=wave(minutes), settings=settings)
    return [(fill.ts.isoformat(), fill.side.value, fill.qty, fill.price) for fill in result.fills]


async def test_a_paper_deployment_on_live_bars_trades_as_the_backtest_of_the_same_bars(live: Live) -> None:
    await live.begin()
    deployed = await live.stage.deploy(live.feed_id, STRATEGY)
    await live.play(0, 30)
    assert live.stage.town.books(deployed.deployment_id) == wanted_fills(30) != []
    assert [seq for seq, _at, _close in await live.recorded()] == list(range(1, 31))
    found = await live.stage.feed(live.feed_id)
    assert (found.status, found.seq, found.steps, found.source, found.timeframe) == ("running", 30, 30, "alpaca", "1m")


async def test_keys_go_to_the_source_alone_and_the_bars_asked_for_are_those_of_iex(live: Live) -> None:
    await live.begin()
    await live.play(0, 2)
    assert live.market.keys == {"canary-source-key"}
    assert {query["feed"] for query in live.market.asked} == {"iex"}
    for table in ("feeds", "audit_events", "event_log", "recorded_bars", "bar_remarks"):
        assert "canary" not in str(await live.stage.rows(f"select * from {table}"))  # noqa: S608 - names of tables


async def test_bars_missed_while_nobody_listened_are_asked_for_in_order(live: Live) -> None:
    await live.begin()
    deployed = await live.stage.deploy(live.feed_id, STRATEGY)
    await live.play(0, 6)
    for minute in range(6, 9):
        live.market.happen("AAPL", OPEN + minute * MINUTE, str(WAVE[minute]))
    live.restart()
    assert await live.look(8) == [OPEN + minute * MINUTE for minute in (7, 8, 9)]
    await live.play(9, 30)
    assert [at for _seq, at, _close in await live.recorded()] == [bar.ts for bar in wave(30)]
    assert len(await live.stage.decisions(deployed.deployment_id)) == 30


async def test_an_entry_on_a_bar_after_which_another_has_closed_is_not_placed_and_an_exit_is(live: Live) -> None:
    await live.begin()
    deployed = await live.stage.deploy(live.feed_id, STRATEGY)
    for minute in range(30):
        live.market.happen("AAPL", OPEN + minute * MINUTE, str(WAVE[minute % len(WAVE)]))
    await live.look(29)
    assert live.stage.town.books(deployed.deployment_id) == []
    rows = await live.stage.rows("select reason, order_code, status from intents")
    assert {(row["reason"], row["order_code"], row["status"]) for row in rows} == {("entry", "BAR_LATE", "closed")}

    live.market.bars.clear()
    for minute in range(30, 34):
        live.market.happen("AAPL", OPEN + minute * MINUTE, str((9, 14, 16, 17)[minute - 30]))
        await live.look(minute)
    held = await live.stage.deployment(deployed.deployment_id)
    assert held.position_qty > 0
    for minute in range(34, 40):
        live.market.happen("AAPL", OPEN + minute * MINUTE, "8")
    await live.look(39)
    assert (await live.stage.deployment(deployed.deployment_id)).position_qty == 0


async def test_bars_twice_and_disordered_are_published_once_and_in_order(live: Live) -> None:
    live.market.is_disordered, live.market.page = True, 3
    await live.begin()
    await live.play(0, 8)
    assert [at for _seq, at, _close in await live.recorded()] == [bar.ts for bar in wave(8)]
    assert await live.remarks() == []


async def test_corrections_and_late_bars_are_recorded_and_change_nothing(live: Live) -> None:
    await live.begin()
    live.market.happen("AAPL", OPEN + MINUTE, "11")
    await live.look(1)
    live.market.happen("AAPL", OPEN + MINUTE, "12")
    live.market.happen("AAPL", OPEN, "10")
    live.market.happen("AAPL", OPEN + 2 * MINUTE, "13")
    for second in (5, 20):
        await live.look(2, seconds=second)
    assert await live.remarks() == [("late", OPEN + MINUTE), ("corrected", OPEN + 2 * MINUTE)]
    assert [close for _seq, _at, close in await live.recorded()] == [11, 13]


@pytest.mark.parametrize("point", ["strategy.live_answered", "strategy.live_recorded", "strategy.live_committed"])
async def test_a_runner_killed_while_it_records_goes_on_exactly(
    live: Live, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await live.begin()
    deployed = await live.stage.deploy(live.feed_id, STRATEGY)
    await live.play(0, 12)
    live.market.happen("AAPL", OPEN + 12 * MINUTE, str(WAVE[12]))
    with monkeypatch.context() as crashing:
        stop_at(crashing, live_feeds, point)
        with pytest.raises(PowerCutError):
            await live.look(12)
    live.restart()
    await live.look(12, seconds=9)
    await live.play(13, 30)
    assert live.stage.town.books(deployed.deployment_id) == wanted_fills(30)
    assert [seq for seq, _at, _close in await live.recorded()] == list(range(1, 31))


async def test_strategies_are_warmed_up_on_the_bars_before_the_begin(live: Live) -> None:
    for minute in range(-6, 0):
        live.market.happen("BTC/USD", OPEN + minute * MINUTE, str(WAVE[minute]))
    live.symbols, live.source = ("BTC/USD",), "ccxt:kraken"
    await live.begin(history=5)
    assert [seq for seq, _at, _close in await live.recorded()] == [-4, -3, -2, -1, 0]
    assert live.stage.town.marks[live.feed_id] == [0]
    deployed = await live.stage.deploy(live.feed_id, STRATEGY, symbol="BTC/USD")
    await live.play(0, 1, symbol="BTC/USD")
    (first,) = await live.stage.decisions(deployed.deployment_id)
    assert first.outcome != "warming_up"


async def test_two_runners_record_a_bar_once(live: Live) -> None:
    await live.begin()
    live.market.happen("AAPL", OPEN, "10")
    feed = await live.stage.desk.feed(live.feed_id)
    assert feed is not None
    one = LiveFeed(
        feed_id=live.feed_id, terms=terms_of(feed), desk=live.stage.desk, clock=live.stage.clock, ids=live.stage.ids
    )
    live.stage.clock.at = OPEN + MINUTE + timedelta(seconds=5)

    class Slow:
        async def recent(self, wanted: Any) -> Any:  # noqa: ANN401 - as the source has it
            async with live.stage.sources.open("alpaca") as source:
                await one.collect(source)
                return await source.recent(wanted)

    with pytest.raises(AlphintraError, match="FEED_MOVED"):
        await one.collect(Slow())
    assert len(await live.recorded()) == 1


async def test_a_running_feed_outlives_a_source_that_breaks_and_is_kept_when_it_pauses(live: Live) -> None:
    stage, market = live.stage, live.market
    market.happen("AAPL", OPEN - 3 * timedelta(days=1) + MINUTE, "9")
    stage.clock.at = OPEN + timedelta(seconds=1)
    await live.create(history=1)
    async with stage.running() as runner:
        await stage.until(live.feed_id, lambda feed: feed.status == "paused", timeout_s=30)
        await live.control("resume")
        market.spoilt = [JSONResponse({}, 429), HTMLResponse("<html>maintenance</html>"), JSONResponse({}, 403)]
        market.happen("AAPL", OPEN, "10")
        stage.clock.at = OPEN + MINUTE + timedelta(seconds=5)
        runner.wake()
        await stage.until(live.feed_id, lambda feed: feed.seq == 1 and not feed.error, timeout_s=30)
        assert not market.spoilt
        await live.control("pause")
        runner.wake()

        async def is_kept() -> bool:
            return bool(await stage.rows("select 1 from datasets"))

        await eventually(is_kept, timeout_s=30)
    kept = await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), stage.owner)
    assert (kept.source, kept.rows, kept.timeframe) == ("recorded live bars of alpaca", 2, "1m")


async def test_risk_is_told_when_prices_are_due_and_when_none_are(live: Live) -> None:
    await live.begin()
    await live.play(0, 1)
    await live.look(389)  # the session is over, its last bar owed
    live.market.happen("AAPL", OPEN + 389 * MINUTE, "10")
    await live.look(389, seconds=30)
    await live.look(420)
    await live.look(24 * 60)
    told = [(event["status"], event["interval_ms"]) for event in await live.stage.told("feed_status_changed")]
    assert told == [("running", 60_000), ("waiting", 60_000), ("running", 60_000)]


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"source": "yahoo"}, "SOURCE_UNKNOWN"),
        ({"timeframe": "7m"}, "LIVE_TIMEFRAME"),
        ({"timeframe": "soon"}, "TIMEFRAME_INVALID"),
        ({"symbols": ("aapl",)}, "SYMBOL_FORMAT"),
        ({"history": 5001}, "FIELD_RANGE"),
        ({"start": OPEN}, "FIELD_FORBIDDEN"),
    ],
)
async def test_a_live_feed_that_cannot_be_is_refused(live: Live, wishes: dict[str, Any], code: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        await live.create(**wishes)
    assert caught.value.code == code
    assert await live.stage.desk.feeds() == ()


async def test_a_live_feed_has_no_pace_of_its_own(live: Live) -> None:
    await live.begin()
    with pytest.raises(AlphintraError, match="FEED_LIVE"):
        await live.stage.control(live.feed_id, "resume", pause_at=5)
