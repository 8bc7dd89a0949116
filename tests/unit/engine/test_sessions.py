"""Trading calendars: hours, holidays, half days and both changes of the clocks, whatever zone the machine is in."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time as clock
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine import session_days
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW_YORK: Final = calendar_of("AAPL")
ALWAYS: Final = calendar_of("BTC/USD")
MOMENTS: Final = st.datetimes(datetime(1970, 2, 1), datetime(2039, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}Z")


@pytest.fixture(autouse=True)
def any_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", random.choice(sorted(available_timezones())))  # noqa: S311 - no secret
    clock.tzset()
    yield
    monkeypatch.undo()
    clock.tzset()


def table_of_the_library() -> str:
    import exchange_calendars  # noqa: PLC0415 - it takes a second: only where the table is compared

    first, last = date(1970, 1, 1), date(2040, 12, 31)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pandas will change one day does not concern the days
        calendar = exchange_calendars.get_calendar("XNYS", start=first.isoformat(), end=last.isoformat())
        local = {
            at.date(): (row.open.tz_convert("America/New_York"), row.close.tz_convert("America/New_York"))
            for at, row in calendar.schedule.iterrows()
        }
    assert {f"{opened:%H%M}" for opened, _ in local.values()} == {"0930"}
    assert all(day.weekday() < 5 for day in local)
    lines: dict[int, list[str]] = {}
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        entries = lines.setdefault(day.year, [])
        if day in local and f"{local[day][1]:%H%M}" != "1600":
            entries.append(f"{day:%m%d}-{local[day][1]:%H%M}")
        elif day not in local and day.weekday() < 5:
            entries.append(f"{day:%m%d}")
    return "\n".join(f"{year} {' '.join(entries)}" for year, entries in lines.items())


def test_table_is_what_the_library_says() -> None:
    table = table_of_the_library()
    if os.environ.get("ALPHINTRA_REWRITE_GOLDEN"):
        path = Path(session_days.__file__)
        head = path.read_text().split('"""\\\n')[0] if path.exists() else ""
        path.write_text(f'{head}"""\\\n{table}\n"""\n')
        return
    assert table + "\n" == session_days.XNYS, "set ALPHINTRA_REWRITE_GOLDEN=1 and read the difference"


def test_calendar_loads_neither_pandas_nor_the_library() -> None:
    program = (
        "import sys\nfrom alphintra.engine.sessions import calendar_of\n"
        "calendar_of('AAPL').session_on(__import__('datetime').date(2026, 1, 2))\n"
        "print([name for name in ('pandas', 'numpy', 'exchange_calendars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("day", "opening", "closing"),
    [
        ("2026-03-06", "2026-03-06T14:30", "2026-03-06T21:00"),  # before the clocks go forward
        ("2026-03-09", "2026-03-09T13:30", "2026-03-09T20:00"),  # after; Europe follows three weeks later
        ("2026-10-30", "2026-10-30T13:30", "2026-10-30T20:00"),  # Europe is back already, New York is not
        ("2026-11-02", "2026-11-02T14:30", "2026-11-02T21:00"),
        ("2026-11-27", "2026-11-27T14:30", "2026-11-27T18:00"),  # half day after Thanksgiving
        ("1992-12-24", "1992-12-24T14:30", "1992-12-24T19:00"),  # half days closed at two
    ],
)
def test_session_has_the_exchange_s_hours_in_utc(day: str, opening: str, closing: str) -> None:
    session = NEW_YORK.session_on(date.fromisoformat(day))
    assert session is not None
    assert (session.open, session.close) == (utc(opening), utc(closing))
    assert (session.open - session.extended_open, session.extended_close - session.close) == (
        timedelta(hours=5, minutes=30),
        timedelta(hours=4),
    )


@pytest.mark.parametrize(
    "day", ["2026-07-03", "2026-11-26", "2026-12-25", "2001-09-11", "2012-10-29", "2025-01-09", "2026-07-04"]
)
def test_holiday_and_weekend_have_no_session(day: str) -> None:
    assert NEW_YORK.session_on(date.fromisoformat(day)) is None


@pytest.mark.parametrize(
    ("at", "regular", "extended"),
    [
        ("2026-11-27T08:59:59", False, False),
        ("2026-11-27T09:00:00", False, True),
        ("2026-11-27T14:29:59", False, True),
        ("2026-11-27T14:30:00", True, True),
        ("2026-11-27T17:59:59", True, True),
        ("2026-11-27T18:00:00", False, True),
        ("2026-11-27T22:00:00", False, False),
        ("2026-11-26T16:00:00", False, False),
        ("2026-07-07T00:30:00", False, False),
        ("2026-07-06T23:30:00", False, True),  # still the sixth in New York
    ],
)
def test_market_is_open_from_its_opening_until_before_its_closing(at: str, *, regular: bool, extended: bool) -> None:
    assert NEW_YORK.is_open(utc(at)) is regular
    assert NEW_YORK.is_open(utc(at), extended_hours=True) is extended


@pytest.mark.parametrize(
    ("at", "day", "opening", "closing"),
    [
        ("2026-11-25T20:59:59", "2026-11-25", "2026-11-27T14:30", "2026-11-25T21:00"),
        ("2026-11-25T21:00:00", "2026-11-27", "2026-11-27T14:30", "2026-11-27T18:00"),
        ("2026-11-27T14:30:00", "2026-11-27", "2026-11-30T14:30", "2026-11-27T18:00"),
        ("2026-03-07T12:00:00", "2026-03-09", "2026-03-09T13:30", "2026-03-09T20:00"),  # over the change of clocks
        ("2026-12-31T21:00:00", "2027-01-04", "2027-01-04T14:30", "2027-01-04T21:00"),
    ],
)
def test_next_opening_and_closing_skip_days_without_trading(at: str, day: str, opening: str, closing: str) -> None:
    assert NEW_YORK.trading_day(utc(at)) == date.fromisoformat(day)
    assert (NEW_YORK.next_open(utc(at)), NEW_YORK.next_close(utc(at))) == (utc(opening), utc(closing))


def test_extended_hours_put_the_evening_on_the_same_trading_day() -> None:
    evening = utc("2026-11-30T23:00:00")
    assert NEW_YORK.trading_day(evening) == date(2026, 12, 1)
    assert NEW_YORK.trading_day(evening, extended_hours=True) == date(2026, 11, 30)


@given(MOMENTS)
def test_next_opening_and_closing_are_the_nearest_ones_of_the_list(at: datetime) -> None:
    around = NEW_YORK.sessions(at.date() - timedelta(days=1), at.date() + timedelta(days=12))
    assert NEW_YORK.next_open(at) == min(one.open for one in around if one.open > at)
    assert NEW_YORK.next_close(at) == min(one.close for one in around if one.close > at)
    assert NEW_YORK.is_open(at) is any(one.open <= at < one.close for one in around)
    assert NEW_YORK.is_open(at, extended_hours=True) is any(
        one.extended_open <= at < one.extended_close for one in around
    )


@given(MOMENTS)
def test_pair_always_trades_and_its_day_is_the_utc_day(at: datetime) -> None:
    assert ALWAYS.is_always_open
    assert ALWAYS.is_open(at)
    assert ALWAYS.trading_day(at) == at.date()
    assert ALWAYS.next_open(at) == ALWAYS.next_close(at) > at


def test_sessions_of_a_year_are_counted_as_the_exchange_counts_them() -> None:
    assert len(NEW_YORK.sessions(date(2026, 1, 1), date(2026, 12, 31))) == 251
    assert len(ALWAYS.sessions(date(2026, 1, 1), date(2026, 12, 31))) == 365
    assert NEW_YORK.sessions(date(2026, 1, 2), date(2026, 1, 1)) == ()


@pytest.mark.parametrize("day", ["1969-12-31", "2041-01-01"])
def test_day_beyond_the_table_is_refused(day: str) -> None:
    with pytest.raises(AlphintraError, match="1970-01-01 to 2040-12-31") as refused:
        NEW_YORK.session_on(date.fromisoformat(day))
    assert refused.value.code == "CALENDAR_RANGE"


def test_moment_without_utc_is_refused() -> None:
    with pytest.raises(AlphintraError) as refused:
        NEW_YORK.is_open(datetime(2026, 1, 2, 15, 0))  # noqa: DTZ001 - the point
    assert refused.value.code == "TIME_NO_ZONE"
