"""Bars are held against the sessions of their exchange, and what is odd in them is named and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.sessions import calendar_named
from alphintra.strategy.gateways.market_checks import coverage_of, missing_sessions, oddities

NYSE = calendar_named("XNYS")
NEW_YORK = ZoneInfo("America/New_York")
FIRST, LAST = date(2024, 2, 26), date(2024, 3, 22)  # the clocks of New York go forward on March 10
SESSIONS = NYSE.sessions(FIRST, LAST)


def table(closes: Iterable[datetime], price: Callable[[int], float] = lambda _index: 100.0) -> pl.DataFrame:
    """Return bars that closed then, flat at a price each."""
    moments = list(closes)
    prices = [price(index) for index in range(len(moments))]
    columns = {"ts": moments} | dict.fromkeys(("open", "high", "low", "close"), prices)
    schema = {"ts": pl.Datetime("us", "UTC")} | dict.fromkeys(("open", "high", "low", "close"), pl.Decimal(28, 9))
    return pl.DataFrame(columns, schema=schema).with_columns(volume=pl.lit(5).cast(pl.Decimal(28, 9)))


def climbing(index: int) -> float:
    return 100.0 + index % 2


def minutes_of_sessions(minutes: int, *, shift: timedelta = timedelta(0)) -> list[datetime]:
    step = timedelta(minutes=minutes)
    return [
        session.open + step * (index + 1) + shift
        for session in SESSIONS
        for index in range(-(-int((session.close - session.open) / timedelta(minutes=1)) // minutes))
    ]


def codes(frame: pl.DataFrame, symbol: str, timeframe: str) -> dict[str, int]:
    return {finding.code: finding.count for finding in oddities(frame, symbol, timeframe, ())}


def test_days_without_a_session_are_not_expected_and_sessions_without_a_bar_are_named() -> None:
    days = [session.close for session in NYSE.sessions(date(2024, 1, 2), date(2024, 2, 29))]
    whole = coverage_of(table(days, climbing), "AAPL", "1d")
    assert (whole.calendar, whole.bars_expected, whole.bars_found, whole.gaps) == ("XNYS", 41, 41, 0)
    assert missing_sessions(whole, "1d") == ()
    holed = coverage_of(table([*days[:5], *days[7:20], *days[21:]], climbing), "AAPL", "1d")
    assert (holed.bars_expected, holed.bars_found, holed.sessions_found) == (41, 38, 38)
    assert (holed.gaps, holed.gap_bars, holed.gap_after) == (2, 2, days[4])
    (finding,) = missing_sessions(holed, "1d")
    assert (finding.code, finding.count) == ("BAR_GAP", 2)
    assert finding.details[0].startswith("3 of 41 bars that XNYS expects are missing in 2 gaps, the longest of 2 after")


@given(st.sets(st.integers(1, 30), max_size=20))
def test_every_session_left_out_is_counted_once(left_out: set[int]) -> None:
    days = [session.close for session in NYSE.sessions(date(2024, 1, 2), date(2024, 2, 15))][:32]
    kept = [day for index, day in enumerate(days) if index not in left_out]
    found = coverage_of(table(kept), "AAPL", "1d")
    assert (found.bars_expected, found.bars_found) == (32, 32 - len(left_out))
    runs = sum(1 for index in left_out if index - 1 not in left_out)
    assert (found.gaps, found.gap_bars > 0) == (runs, bool(left_out))


@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_bars_of_regular_hours_are_whole_across_a_change_of_clocks(minutes: int) -> None:
    frame = table(minutes_of_sessions(minutes), climbing)
    found = coverage_of(frame, "AAPL", f"{minutes}m" if minutes < 60 else "1h")
    assert (found.bars_expected, found.bars_found, found.bars_outside) == (len(frame), len(frame), 0)
    assert (found.sessions_expected, found.sessions_found) == (len(SESSIONS), len(SESSIONS))
    assert codes(frame, "AAPL", f"{minutes}m" if minutes < 60 else "1h") == {}


def test_hours_that_begin_on_the_hour_cover_a_session_too() -> None:
    closes = [session.open.replace(minute=0) + timedelta(hours=index + 1) for session in SESSIONS for index in range(7)]
    found = coverage_of(table(closes, climbing), "AAPL", "1h")
    assert (found.bars_expected, found.bars_found, found.gaps) == (len(closes), len(closes), 0)


def test_bars_outside_regular_hours_are_neither_expected_nor_missing() -> None:
    early = [session.open - timedelta(minutes=30) for session in SESSIONS]
    late = [session.close + timedelta(minutes=30) for session in SESSIONS]
    frame = table(sorted(minutes_of_sessions(30) + early + late), climbing)
    found = coverage_of(frame, "AAPL", "30m")
    assert (found.bars_outside, found.bars_found, found.gaps) == (2 * len(SESSIONS), 13 * len(SESSIONS), 0)


def test_a_half_day_ends_early() -> None:
    (session,) = NYSE.sessions(date(2024, 11, 29), date(2024, 11, 29))
    closes = [session.open + timedelta(minutes=30 * (index + 1)) for index in range(7)]
    after = NYSE.sessions(date(2024, 12, 2), date(2024, 12, 2))[0]
    frame = table([*closes, after.open + timedelta(minutes=30)], climbing)
    found = coverage_of(frame, "AAPL", "30m")
    assert (found.bars_expected, found.bars_found, found.gaps) == (8, 8, 0)


def test_clocks_that_were_not_changed_are_named() -> None:
    fixed = [
        close if close < datetime(2024, 3, 10, tzinfo=UTC) else close + timedelta(hours=1)
        for close in minutes_of_sessions(30)
    ]
    found = oddities(table(fixed, climbing), "AAPL", "30m", ())
    (shifted,) = [finding for finding in found if finding.code == "TIME_ZONE"]
    assert shifted.count in {10, len(SESSIONS) - 10}
    assert "an hour off the others" in shifted.details[0]


def test_a_pair_is_held_against_every_hour_and_a_stock_that_trades_at_weekends_too() -> None:
    start = datetime(2024, 1, 5, tzinfo=UTC)
    closes = [start + timedelta(minutes=5 * index) for index in range(1, 1000) if index not in {100, 101, 500}]
    for symbol in ("ETH/BTC", "ETHBTC"):
        found = coverage_of(table(closes, climbing), symbol, "5m")
        assert (found.calendar, found.bars_expected, found.bars_found, found.gap_bars) == ("24/7", 999, 996, 2)
    assert codes(table(closes, climbing), "ETH/BTC", "5m") == {"BAR_GAP": 2}
    assert codes(table(closes, climbing), "ETHBTC", "5m")["CALENDAR_MISMATCH"] == 575


def test_weeks_and_months_are_counted_as_such() -> None:
    weeks = [datetime(2024, 1, 8, 5, tzinfo=UTC) + timedelta(weeks=week) for week in range(8) if week != 3]
    found = coverage_of(table(weeks), "AAPL", "1w")
    assert (found.bars_expected, found.bars_found, found.gap_bars) == (8, 7, 1)
    fridays = [datetime(2024, 3, day, 20, tzinfo=UTC) for day in (15, 22, 27)]
    assert coverage_of(table(fridays), "AAPL", "1w").bars_found == 3
    months = [datetime(2024, month, 1, tzinfo=NEW_YORK).astimezone(UTC) for month in (1, 2, 3, 6)]
    found = coverage_of(table(months), "AAPL", "1mo")
    assert (found.bars_expected, found.bars_found, found.gap_bars) == (6, 4, 2)


def test_bars_between_the_marks_of_their_interval_are_mixed() -> None:
    closes = sorted([*minutes_of_sessions(30), SESSIONS[3].open + timedelta(minutes=42)])
    assert codes(table(closes, climbing), "AAPL", "30m") == {"INTERVAL_MIXED": 1}


def test_prices_that_stand_still_for_ten_bars_are_frozen() -> None:
    closes = minutes_of_sessions(30)
    assert codes(table(closes[:10]), "AAPL", "30m") == {}
    assert codes(table(closes[:11]), "AAPL", "30m") == {"PRICE_FROZEN": 1}
    still = table(closes[:40], lambda index: 100.0 if index < 12 or index > 28 else climbing(index))
    assert codes(still, "AAPL", "30m") == {"PRICE_FROZEN": 2}


@pytest.mark.parametrize(
    ("factor", "code"),
    [
        (0.5, "SPLIT_SUSPECTED"),
        (1 / 3, "SPLIT_SUSPECTED"),
        (10, "SPLIT_SUSPECTED"),
        (0.56, None),
        (3.4, "PRICE_OUTLIER"),
    ],
)
def test_a_step_near_a_simple_ratio_between_sessions_looks_like_a_split(factor: float, code: str | None) -> None:
    days = [session.close for session in SESSIONS]
    frame = table(days, lambda index: round(climbing(index // 9) * (factor if index >= 9 else 1), 6))
    assert codes(frame, "AAPL", "1d") == ({} if code is None else {code: 1})
    assert codes(frame, "BTC/USD", "1d").get("SPLIT_SUSPECTED") is None
    assert oddities(frame, "AAPL", "1d", [days[9]]) == ()


def test_no_step_within_a_session_looks_like_a_split() -> None:
    deep = table(minutes_of_sessions(30), lambda index: 100.0 if index < 3 else climbing(index) / 4)
    assert codes(deep, "AAPL", "30m") == {"PRICE_OUTLIER": 1}
    frame = table(minutes_of_sessions(30), lambda index: 100.0 if index < 3 else climbing(index) / 2)
    assert codes(frame, "AAPL", "30m") == {}
