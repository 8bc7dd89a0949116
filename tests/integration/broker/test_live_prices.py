"""Prices of a live account: asked for at its venue, told to risk and trading, and missed when they do not come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from alphintra.contracts.broker import ListVenueBars, ListWatchedPrices, WatchPrices
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from fixtures.services import person_context
from fixtures.waiting import until
from integration.broker.desk import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.broker.live_desk import LiveDesk

SNAPSHOTS = ("GET", "/v2/stocks/snapshots")


async def watching(desk: LiveDesk, *symbols: str) -> None:
    await desk.start()
    await desk.connect()
    await desk.links.watch_prices(WatchPrices(account_id=desk.account_id, symbols=symbols), desk.owner)


async def asked_again(desk: LiveDesk) -> None:
    calls = desk.venue.calls
    wanted = calls.count(SNAPSHOTS) + 2
    await until(lambda: calls.count(SNAPSHOTS) >= wanted)


async def stalls(desk: LiveDesk) -> Sequence[dict[str, Any]]:
    return [event for name, event in await desk.events() if name == "prices_stalled"]


async def test_what_the_venue_tells_reaches_risk_and_trading_once(live_desk: LiveDesk) -> None:
    async def is_kept() -> bool:
        asked = ListWatchedPrices(account_id=live_desk.account_id)
        view = await live_desk.links.list_watched_prices(asked, live_desk.owner)
        kept = {each.symbol: each.price for each in view.prices}
        return kept == {"AAPL": Decimal(101), "BTC/USD": Decimal("60000.25"), "NONE": None}

    now = SystemClock().now()
    live_desk.venue.market.quote("AAPL", "100.5", at=now, bid="100.4", ask="100.6")
    live_desk.venue.market.quote("BTC/USD", "60000.25", at=now - timedelta(hours=1))
    await watching(live_desk, "AAPL", "BTC/USD", "NONE")
    async with live_desk.keeper():
        await until(lambda: len(live_desk.valued) == 1)
        await asked_again(live_desk)
        old, new = live_desk.marked
        assert [(mark.symbol, mark.price, mark.bid) for mark in old.prices] == [("BTC/USD", Decimal("60000.25"), None)]
        (mark,) = new.prices
        assert (mark.symbol, mark.price, mark.bid, mark.ask) == (
            "AAPL",
            Decimal("100.5"),
            Decimal("100.4"),
            Decimal("100.6"),
        )
        assert {old.feed_id, new.feed_id, live_desk.valued[0].feed_id} == {live_desk.account_id}
        assert (new.at, old.seq < new.seq) == (now, True)
        live_desk.venue.market.quote("AAPL", "101", at=now + timedelta(seconds=1))
        await until(lambda: len(live_desk.marked) == 3)
        await until(is_kept)
    assert live_desk.marked[2].seq > new.seq


async def test_prices_that_do_not_come_are_told_and_so_is_that_they_come_again(live_desk: LiveDesk) -> None:
    live_desk.price_silence = timedelta(0)
    await watching(live_desk, "BTC/USD")

    async def are_told(count: int) -> bool:
        return len(await stalls(live_desk)) == count

    async with live_desk.keeper():
        await until(lambda: are_told(1))
        live_desk.venue.market.quote("BTC/USD", "60000", at=SystemClock().now() + timedelta(days=1))
        await until(lambda: are_told(2))
    told = await stalls(live_desk)
    assert [(event["symbol"], event["is_stalled"]) for event in told] == [("BTC/USD", True), ("BTC/USD", False)]
    assert (told[0]["priced_at"], told[1]["priced_at"] is None) == (None, False)


async def test_prices_nobody_can_read_leave_the_connection_as_it_is(live_desk: LiveDesk) -> None:
    live_desk.venue.market.snapshots["AAPL"] = {"latestTrade": {"t": "soon", "p": 100}}
    await watching(live_desk, "AAPL")
    async with live_desk.keeper():
        await asked_again(live_desk)
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
    assert (live_desk.marked, await live_desk.codes()) == ([], [])
    assert await live_desk.link_status() == "open"


async def test_symbols_are_asked_for_until_others_are_named_and_nothing_is_held(live_desk: LiveDesk) -> None:
    await watching(live_desk, "AAPL", "MSFT", "AAPL")
    terms = await live_desk.place()
    renamed = WatchPrices(account_id=live_desk.account_id, symbols=("SPY",))
    view = await live_desk.links.watch_prices(renamed, live_desk.owner)
    assert [each.symbol for each in view.prices] == ["SPY"]
    asked = ListWatchedPrices(account_id=live_desk.account_id)
    listed = await live_desk.links.list_watched_prices(asked, live_desk.owner)
    assert [each.symbol for each in listed.prices] == ["AAPL", "SPY"]
    await live_desk.cancel(terms.order_id)
    listed = await live_desk.links.list_watched_prices(asked, live_desk.owner)
    assert [each.symbol for each in listed.prices] == ["SPY"]


@pytest.mark.parametrize(
    ("symbols", "code"),
    [(("aapl",), "FIELD_VALUE"), (("",), "FIELD_VALUE"), (("A,B",), "FIELD_VALUE"), (("A",) * 101, "FIELD_LENGTH")],
)
async def test_what_is_no_symbol_changes_nothing(live_desk: LiveDesk, symbols: tuple[str, ...], code: str) -> None:
    await watching(live_desk, "AAPL")
    before = await live_desk.fingerprint("live_prices", "audit_events")
    with pytest.raises(AlphintraError) as refused:
        await live_desk.links.watch_prices(
            WatchPrices(account_id=live_desk.account_id, symbols=symbols), live_desk.owner
        )
    assert refused.value.code == code
    assert await live_desk.fingerprint("live_prices", "audit_events") == before


async def test_other_peoples_prices_are_as_if_there_were_none(live_desk: LiveDesk) -> None:
    await watching(live_desk, "AAPL")
    with pytest.raises(AlphintraError) as refused:
        await live_desk.links.list_watched_prices(
            ListWatchedPrices(account_id=live_desk.account_id), person_context("trader", user_id=new_id())
        )
    assert refused.value.code == "CONNECTION_NOT_FOUND"


async def test_bars_are_asked_for_with_the_keys_of_the_connection_and_shown_to_nobody_else(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    opened = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    for minute in (30, 31):
        bar = {"t": f"2026-03-02T14:{minute}:00Z", "o": 10.1, "h": 11, "l": 9.5, "c": 10.25, "v": 100, "n": 3, "vw": 10}
        live_desk.venue.market.bars.setdefault("AAPL", []).append(bar)
    wanted = ListVenueBars(
        account_id=live_desk.account_id, symbols=("AAPL",), minutes=60, start=opened, end=opened + timedelta(hours=1)
    )
    first = await live_desk.links.list_venue_bars(wanted, live_desk.owner)
    second = await live_desk.links.list_venue_bars(
        msgspec.structs.replace(wanted, page_token=first.next_page_token), live_desk.owner
    )
    assert [bar.opened_at for bar in (*first.bars, *second.bars)] == [opened, opened + timedelta(minutes=1)]
    assert (first.bars[0].open, first.bars[0].close, second.next_page_token) == (Decimal("10.1"), Decimal("10.25"), "")
    asked = live_desk.venue.asked_bars[0]
    assert (asked["timeframe"], asked["feed"], asked["adjustment"]) == ("1Hour", "iex", "raw")
    with pytest.raises(AlphintraError, match="CONNECTION_NOT_FOUND"):
        await live_desk.links.list_venue_bars(wanted, person_context(user_id=new_id()))
    mixed = msgspec.structs.replace(wanted, symbols=("AAPL", "BTC/USD"))
    with pytest.raises(AlphintraError, match="FIELD_VALUE"):
        await live_desk.links.list_venue_bars(mixed, live_desk.owner)
