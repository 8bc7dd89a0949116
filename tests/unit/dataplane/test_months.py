"""Which months are to be made: without a gap, without an overlap, and never of the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.months import MONTHS_AHEAD, months_to_make

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - a bound


def test_a_fresh_table_gets_this_month_and_those_to_come() -> None:
    made = months_to_make(datetime(2026, 11, 23, 4, tzinfo=UTC), ())
    assert [f"{start:%Y-%m}" for start, _end in made] == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert made[-1][1] == datetime(2027, 3, 1, tzinfo=UTC)


def test_what_was_there_before_ends_with_its_month_and_is_not_cut_again() -> None:
    made = months_to_make(datetime(2026, 11, 23, tzinfo=UTC), (None, datetime(2026, 12, 1, tzinfo=UTC)))
    assert [f"{start:%Y-%m}" for start, _end in made] == ["2026-12", "2027-01", "2027-02"]


@given(now=INSTANTS, first=INSTANTS)
def test_months_follow_one_another_and_a_second_run_makes_none(now: datetime, first: datetime) -> None:
    made = months_to_make(first, ())
    made += months_to_make(now, (end for _start, end in made))
    starts = [start for start, _end in made]
    assert starts == sorted(set(starts))
    assert all(end <= start for (_, end), (start, _) in pairwise(made))
    assert all(timedelta(28) <= end - start <= timedelta(31) for start, end in made)
    assert months_to_make(now, (end for _start, end in made)) == ()
    assert any(start <= now < end for start, end in made) or now < first
    assert max(end for _start, end in made) > now + timedelta(28 * MONTHS_AHEAD)
