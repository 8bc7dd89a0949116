"""Guessing gets slower and slower, and nobody is locked out for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alphintra.auth.domain import Attempts, Throttled, attempt_bucket, next_attempt

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


def waits(tries: int) -> list[int]:
    """Try as early as allowed and return the seconds to wait after each attempt."""
    attempts: Attempts | None = None
    at = START
    seconds = []
    for _ in range(tries):
        outcome = next_attempt(attempts, at=at)
        assert isinstance(outcome, Attempts)
        seconds.append(int((outcome.blocked_until - at).total_seconds()))
        attempts, at = outcome, outcome.blocked_until
    return seconds


def test_four_attempts_are_free_and_then_the_wait_doubles_up_to_fifteen_minutes() -> None:
    assert waits(17) == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_an_attempt_within_the_wait_is_refused_with_the_time_that_is_left() -> None:
    blocked = Attempts(count=7, last_at=START, blocked_until=START + timedelta(seconds=4))
    assert next_attempt(blocked, at=START + timedelta(seconds=1)) == Throttled(timedelta(seconds=3))
    assert isinstance(next_attempt(blocked, at=START + timedelta(seconds=4)), Attempts)


def test_a_day_without_attempts_starts_over() -> None:
    old = Attempts(count=50, last_at=START, blocked_until=START + timedelta(minutes=15))
    kept = next_attempt(old, at=START + timedelta(hours=24))
    forgotten = next_attempt(old, at=START + timedelta(hours=24, seconds=1))
    assert isinstance(kept, Attempts)
    assert isinstance(forgotten, Attempts)
    assert (kept.count, forgotten.count) == (51, 1)


@given(st.lists(st.integers(min_value=0, max_value=2000), max_size=60))
def test_however_attempts_are_timed_at_most_a_bounded_number_is_looked_at(gaps_s: list[int]) -> None:
    attempts: Attempts | None = None
    at, looked_at = START, 0
    for gap in gaps_s:
        at += timedelta(seconds=gap)
        outcome = next_attempt(attempts, at=at)
        if isinstance(outcome, Attempts):
            attempts, looked_at = outcome, looked_at + 1
            assert outcome.blocked_until - at <= timedelta(minutes=15)
        else:
            assert timedelta(0) < outcome.retry_after <= timedelta(minutes=15)
    elapsed = (at - START).total_seconds()
    assert looked_at <= 15 + elapsed / 900


def test_a_bucket_tells_accounts_and_addresses_apart_and_names_neither() -> None:
    buckets = {
        attempt_bucket("ada@example.org", "192.0.2.1"),
        attempt_bucket("ada@example.org", "192.0.2.2"),
        attempt_bucket("eve@example.org", "192.0.2.1"),
        attempt_bucket("ada@example.org", ""),
    }
    assert len(buckets) == 4
    assert all(len(bucket) == 32 and b"ada" not in bucket for bucket in buckets)
