"""Quiet hours by the clock on the wall, also in the nights it is turned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.kernel.errors import AlphintraError
from alphintra.notification.domain.schedule import Schedule, is_quiet, new_schedule, quiet_until

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Schedule(time_zone="Europe/Berlin", quiet_from="22:00", quiet_to="07:00")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (datetime(2026, 1, 10, 20, 59, tzinfo=UTC), None),  # 21:59
        (datetime(2026, 1, 10, 21, 0, tzinfo=UTC), datetime(2026, 1, 11, 6, 0, tzinfo=UTC)),
        (datetime(2026, 1, 11, 5, 59, 59, tzinfo=UTC), datetime(2026, 1, 11, 6, 0, tzinfo=UTC)),
        (datetime(2026, 1, 11, 6, 0, tzinfo=UTC), None),
        (datetime(2026, 3, 28, 21, 0, tzinfo=UTC), datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),  # eight hours long
        (datetime(2026, 10, 24, 20, 0, tzinfo=UTC), datetime(2026, 10, 25, 6, 0, tzinfo=UTC)),  # ten hours long
    ],
)
def test_a_night_ends_when_the_wall_says_so(at: datetime, until: datetime | None) -> None:
    assert quiet_until(NIGHT, BERLIN, at) == until


def test_an_end_in_the_hour_that_is_left_out_is_the_turn_of_the_clock() -> None:
    hours = Schedule(time_zone="Europe/Berlin", quiet_from="23:00", quiet_to="02:30")
    assert quiet_until(hours, BERLIN, datetime(2026, 3, 29, 0, 0, tzinfo=UTC)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_an_end_in_the_hour_that_comes_twice_is_quiet_again() -> None:
    hours = Schedule(time_zone="Europe/Berlin", quiet_from="23:00", quiet_to="02:30")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert quiet_until(hours, BERLIN, first - timedelta(hours=1)) == first
    assert quiet_until(hours, BERLIN, first + timedelta(minutes=30)) == first + timedelta(hours=1)


@given(
    at=st.integers(0, 365 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    zone=st.sampled_from(ZONES),
    minutes=st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda pair: pair[0] != pair[1]),
)
def test_what_waits_waits_through_all_of_it_and_no_longer(at: datetime, zone: str, minutes: tuple[int, int]) -> None:
    start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in minutes)
    schedule, place = Schedule(time_zone=zone, quiet_from=start, quiet_to=end), ZoneInfo(zone)
    until = quiet_until(schedule, place, at)
    if until is None:
        assert not is_quiet(schedule, place, at)
        return
    assert not is_quiet(schedule, place, until)
    assert is_quiet(schedule, place, until - timedelta(minutes=1))
    assert at < until <= at + timedelta(hours=26)


@pytest.mark.parametrize(
    "wanted",
    [
        {"time_zone": "Berlin"},
        {"quiet_from": "22:00"},
        {"quiet_to": "22:00"},
        {"quiet_from": "22:00", "quiet_to": "24:00"},
        {"quiet_from": "22:00", "quiet_to": "22:00"},
        {"quiet_from": "9:00", "quiet_to": "10:00"},
        {"muted_until": datetime(2026, 2, 1, tzinfo=UTC)},
    ],
)
def test_hours_that_cannot_be_are_refused(wanted: dict[str, object]) -> None:
    with pytest.raises(AlphintraError) as refused:
        new_schedule(
            Schedule(**wanted),  # type: ignore[arg-type] # fields of several types
            time_zones=available_timezones(),
            at=datetime(2026, 1, 1, tzinfo=UTC),
        )
    assert refused.value.code == "FIELD_VALUE"
