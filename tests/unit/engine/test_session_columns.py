"""Where a close lies in its session: for one close as for many, on changes of the clocks and half days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.graph.tape import epoch_ns
from alphintra.engine.session_columns import SESSION_COLUMNS, session_columns
from alphintra.engine.sessions import NEW_YORK, Calendar, Session, calendar_of
from alphintra.kernel.errors import AlphintraError

EXCHANGE, ALWAYS = calendar_of("AAPL"), calendar_of("BTC/USD")
MOMENTS = st.datetimes(datetime(1970, 2, 1), datetime(2039, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def columns(calendar: Calendar, *closes: datetime) -> dict[str, list[float]]:
    ts = np.array([epoch_ns(close) for close in closes], dtype=np.int64)
    return {name: column.tolist() for name, column in session_columns(ts, calendar).items()}


def at(text: str) -> datetime:
    """Return a time of New York as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def session_of(calendar: Calendar, close: datetime) -> Session:
    """Return the session of a close as the calendar's own methods tell it."""
    moment = close - timedelta(microseconds=1)
    day = moment.date() if calendar.is_always_open else moment.astimezone(NEW_YORK).date()
    while (session := calendar.session_on(day)) is None:
        day -= timedelta(days=1)
    return session


@pytest.mark.parametrize(
    ("close", "minute", "to_close", "is_last"),
    [
        ("2024-03-08T09:31", 571, 389, 0),  # winter time, the Friday before the clocks go forward
        ("2024-03-11T09:31", 571, 389, 0),  # summer time, the Monday after
        ("2024-11-01T16:00", 960, 0, 1),
        ("2024-11-04T16:00", 960, 0, 1),
        ("2024-07-03T12:59", 779, 1, 0),  # half day before Independence Day
        ("2024-07-03T13:00", 780, 0, 1),
        ("2024-07-03T16:00", 960, -180, 1),  # a daily bar is stamped so
        ("2024-07-03T04:30", 270, 510, 0),  # before the opening
        ("2024-07-03T17:00", 1020, -240, 1),  # after the closing
    ],
)
def test_minutes_count_on_the_clock_of_the_exchange(close: str, minute: float, to_close: float, is_last: int) -> None:
    got = columns(EXCHANGE, at(close))
    assert [got[name] for name in ("minute_of_day", "since_open", "to_close", "is_last")] == [
        [minute],
        [minute - 570],
        [to_close],
        [is_last],
    ]


def test_days_weeks_and_months_change_with_the_session() -> None:
    friday, tuesday = at("2024-08-30T16:00"), at("2024-09-03T09:35")  # Labor Day between
    got = columns(EXCHANGE, friday, tuesday)
    assert got["weekday"] == [4, 1]
    assert got["session"][1] - got["session"][0] == 4
    assert got["week"][1] - got["week"][0] == got["month"][1] - got["month"][0] == 1
    assert got["month"][0] == 54 * 12 + 7


def test_what_closes_at_midnight_belongs_to_the_day_before() -> None:
    sunday = datetime(2024, 9, 1, tzinfo=UTC)
    got = columns(ALWAYS, sunday, sunday + timedelta(minutes=1))
    assert got["weekday"] == [5, 6]
    assert got["minute_of_day"] == [1440, 1]
    assert got["to_close"] == [0, 1439]
    assert got["is_last"] == [1, 0]
    assert got["week"][0] == got["week"][1]
    assert got["month"][1] - got["month"][0] == 1


@given(st.lists(MOMENTS, min_size=1, max_size=8, unique=True).map(sorted), st.sampled_from([EXCHANGE, ALWAYS]))
def test_many_closes_give_what_each_gives_alone(closes: list[datetime], calendar: Calendar) -> None:
    together = columns(calendar, *closes)
    alone = [columns(calendar, close) for close in closes]
    assert together == {name: [one[name][0] for one in alone] for name in SESSION_COLUMNS}


@given(MOMENTS, st.sampled_from([EXCHANGE, ALWAYS]))
def test_the_session_is_the_calendar_s(close: datetime, calendar: Calendar) -> None:
    session, got = session_of(calendar, close), columns(calendar, close)
    assert got["session"] == [(session.day - datetime(1970, 1, 1, tzinfo=UTC).date()).days]
    assert got["weekday"] == [session.day.weekday()]
    assert got["month"] == [(session.day.year - 1970) * 12 + session.day.month - 1]
    assert got["since_open"] == [pytest.approx((close - session.open) / timedelta(minutes=1))]
    assert got["to_close"] == [pytest.approx((session.close - close) / timedelta(minutes=1))]
    assert got["is_last"] == [close >= session.close]


@pytest.mark.parametrize("year", [1969, 2041])
def test_a_year_the_calendar_does_not_know_is_refused(year: int) -> None:
    with pytest.raises(AlphintraError, match="calendar XNYS") as raised:
        columns(EXCHANGE, datetime(year, 6, 1, tzinfo=UTC))
    assert raised.value.code == "CALENDAR_RANGE"


def test_no_close_gives_empty_columns() -> None:
    assert columns(EXCHANGE) == {name: [] for name in SESSION_COLUMNS}


def test_midnight_at_the_exchange_ends_the_day_before() -> None:
    got = columns(EXCHANGE, at("2024-07-03T00:00"), at("2024-07-03T00:01"))
    assert got["weekday"] == [1, 2]
    assert got["minute_of_day"] == [1440, 1]
