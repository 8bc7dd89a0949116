"""Prices of venues: what is news, what has stopped coming, and how Alpaca writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from alphintra.broker.domain.prices import Quote, Stall, Watched, by_minute, news, stalls
from alphintra.broker.gateways import alpaca_wire as wire
from alphintra.broker.gateways.venue import VenueError

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)  # a Monday in New York
PATIENCE = timedelta(minutes=2)


def watched(symbol: str = "AAPL", *, at: datetime | None = None, is_stalled: bool = False) -> Watched:
    price = None if at is None else Decimal(100)
    return Watched(
        symbol=symbol,
        price=price,
        bid=None,
        ask=None,
        priced_at=at,
        watched_at=NOON - timedelta(days=7),
        is_stalled=is_stalled,
    )


def quote(symbol: str, at: datetime) -> Quote:
    return Quote(symbol=symbol, price=Decimal(100), bid=None, ask=None, at=at)


def test_only_what_is_dated_later_is_news_and_only_of_what_was_asked_for() -> None:
    known = [watched("A", at=NOON), watched("B", at=NOON), watched("C")]
    told = [quote("A", NOON), quote("B", NOON + PATIENCE), quote("C", NOON), quote("D", NOON)]
    assert [each.symbol for each in news(known, told)] == ["C", "B"]


def test_worth_is_kept_by_the_minute() -> None:
    known = [watched("A", at=NOON), watched("B", at=NOON - timedelta(seconds=1)), watched("C")]
    told = [quote(symbol, NOON + timedelta(seconds=59)) for symbol in "ABC"]
    assert [each.symbol for each in by_minute(known, told)] == ["B", "C"]


@pytest.mark.parametrize(
    ("each", "at", "found"),
    [
        (watched(at=NOON - PATIENCE), NOON, None),
        (watched(at=NOON - PATIENCE - timedelta(seconds=1)), NOON, True),
        (watched(at=NOON - timedelta(seconds=1), is_stalled=True), NOON, False),
        (watched(at=NOON - timedelta(hours=1), is_stalled=True), NOON, None),
        (watched(), NOON, True),
        (watched(at=NOON), NOON + timedelta(days=5), None),
        (watched(at=NOON), datetime(2026, 11, 24, 14, 31, tzinfo=UTC), None),
        (watched(at=NOON), datetime(2026, 11, 24, 14, 33, tzinfo=UTC), True),
        (watched("BTC/USD", at=NOON), NOON + timedelta(days=5), True),
    ],
    ids=["in time", "late", "again", "known", "none yet", "saturday", "just opened", "opened", "always open"],
)
def test_silence_is_told_while_the_market_is_open_and_only_when_it_changes(
    each: Watched, at: datetime, *, found: bool | None
) -> None:
    expected = () if found is None else (Stall(each.symbol, found, each.priced_at),)
    assert stalls([each], at=at, patience=PATIENCE) == expected


def test_a_snapshot_is_the_last_trade_with_the_quote_around_it() -> None:
    data = {
        "latestTrade": {"t": "2026-11-23T17:00:00.123456789Z", "p": 100.5},
        "latestQuote": {"t": "2026-11-23T17:00:01Z", "bp": 100.25, "ap": 100.75},
    }
    found = wire.quote_of("AAPL", data)
    assert found is not None
    assert (found.price, found.bid, found.ask) == (Decimal("100.5"), Decimal("100.25"), Decimal("100.75"))
    assert found.at == NOON + timedelta(seconds=1)
    one_sided = wire.quote_of("AAPL", {**data, "latestQuote": {"t": "2026-11-23T17:00:01Z", "bp": 0, "ap": 100.75}})
    assert one_sided is not None
    assert (one_sided.bid, one_sided.ask) == (None, None)
    assert wire.quote_of("AAPL", None) is wire.quote_of("AAPL", {"latestTrade": None}) is None


@pytest.mark.parametrize("trade", [{"t": "soon", "p": 1}, {"t": "2026-11-23T17:00:00Z", "p": 0}, {"p": 1}, 7])
def test_a_snapshot_that_cannot_be_read_is_no_price(trade: Any) -> None:  # noqa: ANN401 - JSON of any shape
    with pytest.raises(VenueError) as refused:
        wire.quote_of("AAPL", {"latestTrade": trade})
    assert refused.value.code == "VENUE_PROTOCOL"
