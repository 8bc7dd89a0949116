"""What Yahoo draws becomes what was traded: prices, volumes, splits and dividends; and every refusal has a sentence."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx
import pytest

from alphintra.engine.corporate_actions import adjust_for_splits
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.gateways.bar_sources import Recent, Sources, Wanted
from alphintra.strategy.gateways.catalogue import frame_of, read_split
from alphintra.strategy.gateways.corporate_events import CashDividend, Events, ShareSplit, kept_events
from alphintra.strategy.gateways.yahoo_bars import YahooBars, open_yahoo
from unit.engine.builders import flat_bars
from unit.strategy.yahoo_answers import AAPL, NOTHING, aapl

NOW = datetime(2024, 1, 2, tzinfo=UTC)
JUNE = Wanted(
    symbol="AAPL", timeframe="1d", start=datetime(2014, 6, 1, tzinfo=UTC), end=datetime(2014, 8, 8, tzinfo=UTC)
)
Answer = Callable[[httpx.Request], httpx.Response]


@asynccontextmanager
async def yahoo(answer: Answer | dict[str, Any]) -> AsyncIterator[YahooBars]:
    def told(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answer) if isinstance(answer, dict) else answer(request)

    async with httpx.AsyncClient(base_url="http://yahoo.test", transport=httpx.MockTransport(told)) as client:
        yield YahooBars(client, now=NOW)


async def test_prices_and_volumes_are_those_that_were_traded() -> None:
    async with yahoo(AAPL) as source:
        page = await source.page(JUNE)
    assert page.after is None
    rows = {datetime.fromtimestamp(at / 1000, UTC): values for at, values in page.rows}
    assert list(rows) == [datetime(2014, 6, day, 4, tzinfo=UTC) for day in (5, 6, 9, 10)]  # midnights of New York
    found = list(rows.values())
    assert [row[3] for row in found] == ["647.35", "645.57", "93.7", "94.25"]
    assert found[0][:3] == ("646.2", "649.37", "642.61")
    assert [row[4] for row in found] == ["10850200", "12497800", "75415000", "62777000"]


async def test_splits_and_dividends_are_those_of_the_time_in_the_cash_of_the_day() -> None:
    async with yahoo(AAPL) as source:
        events = await source.events(JUNE)
    ex_split, ex_dividend = datetime(2014, 6, 9, 13, 30, tzinfo=UTC), datetime(2014, 8, 7, 13, 30, tzinfo=UTC)
    assert events.splits == (ShareSplit(at=ex_split, ratio=Fraction(7)),)
    assert events.dividends == (CashDividend(at=ex_dividend, amount=Decimal("0.47")),)


async def test_what_is_asked_reaches_to_today_for_the_splits_since() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=AAPL)

    async with yahoo(answer) as source:
        for symbol in ("AAPL", "BRK.B", "VOD.L", "BTC/USD"):
            await source.page(Wanted(symbol=symbol, timeframe="1h", start=JUNE.start, end=JUNE.end))
    paths = [request.url.path.rpartition("/")[2] for request in asked]
    assert paths == ["AAPL", "BRK-B", "VOD.L", "BTC-USD"]
    query = dict(asked[0].url.params)
    assert (query["interval"], query["events"], query["period1"]) == ("60m", "div,splits", "1401580800")
    assert int(query["period2"]) > NOW.timestamp()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(429, text="Too Many Requests"), "SOURCE_BUSY"),
        (httpx.Response(503, text="Will be right back"), "SOURCE_BUSY"),
        (httpx.Response(404, json=NOTHING), "SYMBOL_UNKNOWN"),
        (httpx.Response(422, json=NOTHING), "SOURCE_REFUSED"),
        (httpx.Response(401, text="Invalid Crumb"), "SOURCE_REFUSED"),
        (httpx.Response(200, json=NOTHING), "SOURCE_REFUSED"),
        (httpx.Response(200, text="<html>"), "SOURCE_PROTOCOL"),
        (httpx.Response(200, json={"chart": {"result": [], "error": None}}), "SOURCE_PROTOCOL"),
        (httpx.Response(200, json=aapl(timestamp=[1])), "SOURCE_PROTOCOL"),
        (httpx.Response(200, json=aapl(indicators={"quote": []})), "SOURCE_PROTOCOL"),
        (
            httpx.Response(200, json=aapl(meta={"exchangeTimezoneName": "Mars/Olympus", "instrumentType": ""})),
            "SOURCE_PROTOCOL",
        ),
        (
            httpx.Response(200, json=aapl(events={"splits": {"1": {"date": 1, "numerator": 1, "denominator": 0}}})),
            "SOURCE_PROTOCOL",
        ),
    ],
)
async def test_every_other_answer_has_its_code_and_a_sentence(answer: httpx.Response, code: str) -> None:
    async with yahoo(lambda _: answer) as source:
        with pytest.raises(AlphintraError) as caught:
            await source.page(JUNE)
    assert caught.value.code == code
    assert "yahoo" in caught.value.detail


async def test_a_source_that_is_not_there_is_busy_and_others_are_refused() -> None:
    def breaks(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    async with yahoo(breaks) as source:
        with pytest.raises(AlphintraError, match="SOURCE_BUSY"):
            await source.page(JUNE)
        with pytest.raises(AlphintraError, match="TIMEFRAME_UNAVAILABLE"):
            await source.page(Wanted(symbol="AAPL", timeframe="4h", start=JUNE.start, end=JUNE.end))
        recent = Recent(symbols=("AAPL",), timeframe="1m", start=JUNE.start, end=JUNE.end)
        with pytest.raises(AlphintraError, match="SOURCE_REFUSED"):
            await source.recent(recent)


async def test_no_bars_are_no_rows_and_sources_know_it_by_name() -> None:
    empty = json.loads(json.dumps(AAPL))
    for name in ("timestamp", "events"):
        del empty["chart"]["result"][0][name]
    async with yahoo(empty) as source:
        assert (await source.page(JUNE)).rows == ()
        assert await source.events(JUNE) == Events()
    sources = Sources({}, others={"yahoo": lambda url: open_yahoo(url, NOW)})
    sources.require("yahoo")
    with pytest.raises(AlphintraError, match="SOURCE_UNKNOWN"):
        Sources({}).require("yahoo")
    async with sources.open("yahoo") as opened:
        assert isinstance(opened, YahooBars)


def test_events_are_kept_at_the_first_bar_that_closed_after_them() -> None:
    bars = flat_bars(["70", "70", "10", "10"])
    at = bars[2].ts.replace(hour=13)
    events = Events(
        splits=(ShareSplit(at=at, ratio=Fraction(7)), ShareSplit(at=bars[0].ts.replace(hour=1), ratio=Fraction(2))),
        dividends=(CashDividend(at=bars[3].ts.replace(hour=13), amount=Decimal("0.5")),),
    )
    splits, dividends = kept_events(events, frame_of(bars))
    assert splits == (f"{bars[2].ts.isoformat()} 7/1",)
    assert [bar.close for bar in adjust_for_splits(bars, [read_split(splits[0], bars)])] == [10] * 4
    ((when, amount, factor),) = [text.split(" ") for text in dividends]
    assert (when, amount) == (bars[3].ts.isoformat(), "0.5")
    assert float(factor) == pytest.approx(1 / 0.95)
