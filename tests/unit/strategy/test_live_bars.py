"""Live bars are published once, in order, when they are over; the hours of markets say when one is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.bars import Bar
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.intervals import interval_of
from alphintra.strategy.domain.live_bars import (
    PATIENCE,
    LiveTerms,
    RawBar,
    close_of,
    is_due,
    next_close,
    next_poll,
    require_live_interval,
    retry_in,
    take,
)

MINUTE = timedelta(minutes=1)
OPEN = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)  # a Monday, clocks of New York still at -5
CLOSE = datetime(2026, 3, 2, 21, tzinfo=UTC)


def terms(*symbols: str, interval: str = "1m", is_extended: bool = False) -> LiveTerms:
    return LiveTerms(symbols=symbols or ("AAPL",), interval=interval_of(interval), is_extended=is_extended)


def raw(index: int, price: str = "10", *, symbol: str = "AAPL") -> RawBar:
    return RawBar(symbol, OPEN + index * MINUTE, (*[Decimal(price)] * 4, Decimal(100)))


def at(index: int, seconds: int = 5) -> datetime:
    """Return a moment after the close of bar ``index``."""
    return OPEN + (index + 1) * MINUTE + timedelta(seconds=seconds)


class Record:
    """What a feed has recorded, fed answer by answer."""

    def __init__(self, feed: LiveTerms) -> None:
        self.terms = feed
        self.bars: dict[tuple[str, datetime], Bar] = {}
        self.times: list[datetime] = []
        self.remarks: list[tuple[str, str]] = []

    def answer(self, *bars: RawBar, now: datetime) -> list[datetime]:
        last = self.times[-1] if self.times else OPEN
        taken = take(self.bars, bars, terms=self.terms, begun_at=OPEN, last_ts=last, at=now)
        for closed_at, each in taken.steps:
            self.bars |= {(symbol, closed_at): bar for symbol, bar in each}
        fresh = [closed_at for closed_at, _bars in taken.steps]
        self.times += fresh
        self.remarks += [(remark.kind, remark.symbol) for remark in taken.remarks]
        return fresh


@given(st.lists(st.lists(st.integers(0, 8), max_size=12), min_size=1, max_size=9))
def test_whatever_order_bars_come_in_each_is_published_once_and_in_order(answers: list[list[int]]) -> None:
    record = Record(terms())
    for number, indices in enumerate(answers):
        record.answer(*map(raw, indices), now=at(number))
    assert record.times == sorted(set(record.times))
    assert all(closed_at <= at(len(answers) - 1) for closed_at in record.times)
    published = {closed_at - MINUTE for closed_at in record.times}
    over = {OPEN + index * MINUTE for number, each in enumerate(answers) for index in each if index <= number}
    late = over - published
    assert len(late) <= sum(kind == "late" for kind, _symbol in record.remarks)


def test_a_bar_under_way_is_none_until_it_is_over_and_settled() -> None:
    record = Record(terms())
    assert record.answer(raw(0), now=OPEN + MINUTE) == []
    assert record.answer(raw(0), now=OPEN + MINUTE + timedelta(seconds=2)) == [OPEN + MINUTE]


def test_a_correction_is_remarked_and_changes_nothing() -> None:
    record = Record(terms())
    record.answer(raw(0), now=at(0))
    record.answer(raw(0, "10.5"), raw(1), now=at(1))
    assert record.remarks == [("corrected", "AAPL")]
    assert record.bars["AAPL", OPEN + MINUTE].close == 10


def test_a_bar_that_comes_after_later_ones_is_late_and_none_of_the_feed() -> None:
    record = Record(terms())
    record.answer(raw(1), now=at(1))
    assert record.answer(raw(0), raw(1), raw(2), now=at(2)) == [OPEN + 3 * MINUTE]
    assert record.remarks == [("late", "AAPL")]


def test_a_bar_that_contradicts_itself_is_remarked_and_the_next_goes_on() -> None:
    record = Record(terms())
    broken = RawBar("AAPL", OPEN, (Decimal(10), Decimal(9), Decimal(8), Decimal(10), Decimal(1)))
    nothing = RawBar("AAPL", OPEN + MINUTE, (*[Decimal("NaN")] * 4, Decimal(1)))
    assert record.answer(broken, nothing, raw(2), now=at(2)) == [OPEN + 3 * MINUTE]
    assert record.remarks == [("invalid", "AAPL"), ("invalid", "AAPL")]


def test_a_step_waits_for_every_symbol_a_while_and_not_for_one_that_is_past_it() -> None:
    record = Record(terms("AAPL", "MSFT"))
    assert record.answer(raw(0), now=at(0)) == []
    assert record.answer(raw(0), raw(0, symbol="MSFT"), now=at(0, 6)) == [OPEN + MINUTE]
    patience = 2 + int(PATIENCE.total_seconds())
    assert record.answer(raw(1), now=at(1, patience - 1)) == []
    assert record.answer(raw(1), now=at(1, patience)) == [OPEN + 2 * MINUTE]
    assert record.answer(raw(2), raw(3), raw(3, symbol="MSFT"), now=at(3, 3)) == [OPEN + 3 * MINUTE, OPEN + 4 * MINUTE]


def test_a_pair_does_not_wait_at_night_for_a_stock() -> None:
    night = OPEN + timedelta(hours=12)
    pair = RawBar("BTC/USD", night, (*[Decimal(9)] * 4, Decimal(1)))
    feed = terms("AAPL", "BTC/USD")
    taken = take({}, [pair], terms=feed, begun_at=OPEN, last_ts=OPEN, at=night + MINUTE + timedelta(seconds=3))
    assert [closed_at for closed_at, _bars in taken.steps] == [night + MINUTE]


@pytest.mark.parametrize(
    ("symbol", "interval", "opened", "closed"),
    [
        ("AAPL", "1m", OPEN, OPEN + MINUTE),
        ("AAPL", "1m", OPEN - MINUTE, None),
        ("AAPL", "1m", CLOSE, None),
        ("AAPL", "1h", OPEN - timedelta(minutes=30), OPEN + timedelta(minutes=30)),
        ("AAPL", "1d", datetime(2026, 3, 2, 5, tzinfo=UTC), CLOSE),
        ("AAPL", "1d", datetime(2026, 11, 27, 5, tzinfo=UTC), datetime(2026, 11, 27, 18, tzinfo=UTC)),
        ("AAPL", "1d", datetime(2026, 7, 3, 4, tzinfo=UTC), None),
        ("BTC/USD", "1d", datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)),
        ("BTC/USD", "5m", CLOSE, CLOSE + 5 * MINUTE),
    ],
)
def test_a_bar_closes_by_the_hours_of_its_market(
    symbol: str, interval: str, opened: datetime, closed: datetime | None
) -> None:
    assert close_of(symbol, opened, terms(symbol, interval=interval)) == closed


@pytest.mark.parametrize(
    ("symbol", "interval", "after", "due"),
    [
        ("AAPL", "1m", OPEN, OPEN + MINUTE),
        ("AAPL", "1m", OPEN - timedelta(hours=1), OPEN + MINUTE),
        ("AAPL", "1m", CLOSE - MINUTE, CLOSE),
        ("AAPL", "1m", CLOSE, OPEN + timedelta(days=1, minutes=1)),
        (
            "AAPL",
            "5m",
            datetime(2026, 3, 6, 21, tzinfo=UTC),
            datetime(2026, 3, 9, 13, 35, tzinfo=UTC),
        ),  # clocks changed
        ("AAPL", "1d", CLOSE, CLOSE + timedelta(days=1)),
        ("BTC/USD", "1h", OPEN, OPEN + timedelta(minutes=30)),
    ],
)
def test_the_next_close_is_that_of_the_next_bar_there_can_be(
    symbol: str, interval: str, after: datetime, due: datetime
) -> None:
    assert next_close(symbol, after, terms(symbol, interval=interval)) == due


def test_prices_are_due_in_sessions_and_while_the_last_bar_of_one_is_owed() -> None:
    feed = terms()
    assert not is_due(feed, CLOSE, CLOSE + timedelta(hours=3))
    assert is_due(feed, CLOSE, OPEN + timedelta(days=1))
    assert is_due(feed, CLOSE - 2 * MINUTE, CLOSE + timedelta(hours=3))
    daily = terms(interval="1d")
    assert not is_due(daily, CLOSE, CLOSE + timedelta(hours=23))
    assert is_due(daily, CLOSE, CLOSE + timedelta(hours=24))


def test_a_source_is_asked_when_a_bar_is_over_and_often_while_it_is_overdue() -> None:
    feed = terms()
    assert next_poll(feed, OPEN, OPEN + timedelta(seconds=10)) == 52
    assert [next_poll(feed, OPEN, OPEN + MINUTE + timedelta(seconds=late)) for late in (2, 10, 300)] == [1, 2, 15]
    assert next_poll(feed, CLOSE, CLOSE) == (OPEN + timedelta(days=1) - CLOSE).total_seconds() + 62


def test_attempts_spread_and_become_rarer_up_to_a_minute() -> None:
    assert [retry_in(failures, chance=1.0) for failures in (0, 1, 4, 30)] == [0.5, 1.0, 8.0, 60.0]
    assert retry_in(4, chance=0.0) == 4.0


@pytest.mark.parametrize(("interval", "symbols"), [("7m", ("AAPL",)), ("4h", ("AAPL",)), ("1w", ("BTC/USD",))])
def test_an_interval_that_does_not_fit_days_is_refused(interval: str, symbols: tuple[str, ...]) -> None:
    with pytest.raises(AlphintraError, match="LIVE_TIMEFRAME"):
        require_live_interval(interval_of(interval), symbols)
