"""What is done about a lost answer, and how often a venue is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alphintra.broker.domain.reports import LiveStatus
from alphintra.broker.domain.resolving import Verdict, miss
from alphintra.broker.gateways.pacing import full_budget, retry_in, take
from unit.broker.test_reports import NOW, ORDER

DELAY = timedelta(seconds=2)
LOST = replace(ORDER, status=LiveStatus.UNKNOWN, unknown_since=NOW)


def test_an_answer_within_the_visibility_delay_says_nothing() -> None:
    assert miss(LOST, visibility_delay=DELAY, rejects_duplicates=True, at=NOW + timedelta(seconds=1)) == (
        LOST,
        Verdict.ASK,
    )


def test_two_misses_a_delay_apart_send_again_where_duplicates_are_refused() -> None:
    once, verdict = miss(LOST, visibility_delay=DELAY, rejects_duplicates=True, at=NOW + DELAY)
    assert (once.misses, verdict) == (1, Verdict.ASK)
    soon = miss(once, visibility_delay=DELAY, rejects_duplicates=True, at=NOW + DELAY * 1.5)
    assert soon == (once, Verdict.ASK)
    again, verdict = miss(once, visibility_delay=DELAY, rejects_duplicates=True, at=NOW + DELAY * 2)
    assert (again.status, again.client_order_id, verdict) == (LiveStatus.QUEUED, "c-1", Verdict.RESEND)


def test_a_clock_that_was_set_back_has_the_waiting_begin_anew() -> None:
    once, _ = miss(LOST, visibility_delay=DELAY, rejects_duplicates=True, at=NOW + DELAY)
    back = NOW - timedelta(hours=1)
    for before, misses in ((LOST, 1), (once, 2)):
        anew, verdict = miss(before, visibility_delay=DELAY, rejects_duplicates=False, at=back)
        assert (anew.misses, verdict) == (before.misses, Verdict.ASK)
        asked, _ = miss(anew, visibility_delay=DELAY, rejects_duplicates=False, at=back + DELAY)
        assert asked.misses == misses


def test_two_misses_ask_a_person_where_a_second_order_would_be_taken() -> None:
    once, _ = miss(LOST, visibility_delay=DELAY, rejects_duplicates=False, at=NOW + DELAY)
    held, verdict = miss(once, visibility_delay=DELAY, rejects_duplicates=False, at=NOW + DELAY * 2)
    assert (held.status, verdict) == (LiveStatus.REVIEW, Verdict.REVIEW)


def test_orders_leave_a_share_of_the_calls_to_cancellations() -> None:
    budget, sent = full_budget(60, at=0.0), 0
    while True:
        budget, wait = take(budget, is_cancel=False, at=0.0)
        if wait:
            break
        sent += 1
    canceled = 0
    while True:
        budget, wait = take(budget, is_cancel=True, at=0.0)
        if wait:
            break
        canceled += 1
    assert (sent, canceled) == (7, 3)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 2)), min_size=1, max_size=300))
def test_a_venue_is_never_called_more_often_than_it_allows(calls: list[tuple[bool, float]]) -> None:
    budget, now, made = full_budget(60, at=0.0), 0.0, 0
    for is_cancel, pause in calls:
        now += pause
        budget, wait = take(budget, is_cancel=is_cancel, at=now)
        made += wait == 0
        assert made <= budget.size + now * budget.rate + 1e-6


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_attempts_spread_between_half_and_all_of_a_bounded_delay(failures: int, chance: float) -> None:
    assert 0.125 <= retry_in(failures, chance=chance) <= 30
