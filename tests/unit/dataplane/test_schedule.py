"""Schedules come when cron would run them, windows are open when they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.schedule import Schedule, Window
from alphintra.kernel.errors import AlphintraError

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone
SCHEDULES = st.sampled_from(
    [
        "15 3 * * *",
        "*/10 * * * *",
        "0 2 * * sat Europe/Berlin",
        "30 1 1 * *",
        "0 0 29 2 *",
        "30 2 * * * America/New_York",
    ]
)


@given(SCHEDULES, MOMENTS)
def test_the_moment_before_the_next_one_is_not_after_now_and_none_lies_between(text: str, at: datetime) -> None:
    schedule = Schedule.parse(text)
    coming = schedule.next_after(at)
    assert coming > at
    before = schedule.previous_before(coming)
    assert before <= at
    assert schedule.next_after(before) == coming


@pytest.mark.parametrize(
    ("text", "at", "coming"),
    [
        ("15 3 * * *", "2026-03-01T03:15:00Z", "2026-03-02T03:15:00Z"),
        ("0 2 * * sat", "2026-11-23T17:00:00Z", "2026-11-28T02:00:00Z"),
        ("0 3 * * * Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z"),
        ("0 3 * * * Europe/Berlin", "2026-12-01T00:00:00Z", "2026-12-01T02:00:00Z"),
        ("30 2 * * * Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"),  # 02:30 is skipped: run at 03:00
    ],
)
def test_a_schedule_is_read_as_cron_does_in_its_time_zone(text: str, at: str, coming: str) -> None:
    assert Schedule.parse(text).next_after(datetime.fromisoformat(at)) == datetime.fromisoformat(coming)


def test_an_hour_that_comes_twice_is_run_in_once() -> None:
    schedule = Schedule.parse("30 2 * * * Europe/Berlin")
    first = schedule.next_after(datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert schedule.next_after(first) - first >= timedelta(hours=24)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "15 3 * *",
        "61 3 * * *",
        "15 3 * * * Mars/Olympus",
        "a b c d e",
        "0 0 31 2 *",
        "0 15 3 * * *",
        "15 3 * * *\x00 UTC",
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(AlphintraError, match="SCHEDULE"):
        Schedule.parse(text)


@pytest.mark.parametrize(
    ("text", "at", "is_in"),
    [
        ("always", "2026-11-23T17:00:00Z", True),
        ("02:00-05:00", "2026-11-23T02:00:00Z", True),
        ("02:00-05:00", "2026-11-23T05:00:00Z", False),
        ("02:00-05:00 America/New_York", "2026-11-23T08:00:00Z", True),
        ("sat,sun 00:00-24:00", "2026-11-22T23:59:00Z", True),
        ("sat,sun 00:00-24:00", "2026-11-23T00:00:00Z", False),
        ("fri 22:00-04:00", "2026-11-28T03:00:00Z", True),  # the night to Saturday
        ("fri 22:00-04:00", "2026-11-27T03:00:00Z", False),  # that to Friday
        ("sat-mon 10:00-11:00", "2026-11-23T10:30:00Z", True),
        ("mon-fri 22:00-23:00; sun 10:00-12:00", "2026-11-22T11:00:00Z", True),
    ],
)
def test_a_window_holds_the_moments_it_says(text: str, at: str, is_in: bool) -> None:  # noqa: FBT001 - a table
    assert Window.parse(text).contains(datetime.fromisoformat(at)) is is_in


@given(st.sampled_from(["02:00-05:00", "fri 22:00-04:00", "sat 00:00-06:00; wed 12:00-13:00 Europe/Berlin"]), MOMENTS)
def test_a_window_opens_where_it_says_it_does(text: str, at: datetime) -> None:
    window = Window.parse(text)
    opens = window.opens_after(at)
    assert opens > at
    assert window.contains(opens) or opens.astimezone(ZoneInfo("Europe/Berlin")).utcoffset() != at.utcoffset()
    assert not window.contains(opens - timedelta(minutes=1))


@pytest.mark.parametrize(
    "text", ["", "02:00", "02:00-02:00", "25:00-26:00", "02:60-03:00", "xyz 02:00-03:00", "02:00-03:00 Nowhere", ";"]
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(AlphintraError, match="WINDOW"):
        Window.parse(text)
