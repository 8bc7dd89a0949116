"""Buckets of tokens: the sustained rate holds over any time, and a silent caller is forgotten safely."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.edge import limits
from alphintra.edge.limits import BURST_S, Limits
from alphintra.kernel.errors import AlphintraError


def is_taken(buckets: Limits, at: float, *, caller: str = "one", is_reserved: bool = False) -> bool:
    """Tell whether a request is let in."""
    try:
        buckets.take(caller, is_reserved=is_reserved, at=at)
    except AlphintraError:
        return False
    return True


@given(st.integers(1, 50), st.lists(st.floats(0, 2), max_size=300))
def test_never_more_than_a_burst_and_the_rate_is_let_in(per_s: int, pauses: list[float]) -> None:
    buckets = Limits(per_s)
    at = start = 100.0
    taken = 0
    for pause in pauses:
        at += pause
        taken += is_taken(buckets, at)
        assert taken <= per_s * BURST_S + per_s * (at - start) + 1e-6


def test_a_caller_who_waits_is_let_in_again() -> None:
    buckets = Limits(10)
    assert [is_taken(buckets, 0.0) for _ in range(52)].count(True) == 50
    assert [is_taken(buckets, 0.1001), is_taken(buckets, 0.1001)] == [True, False]


def test_callers_and_cancels_have_buckets_of_their_own() -> None:
    buckets = Limits(1)
    assert [is_taken(buckets, 0.0) for _ in range(6)] == [True] * 5 + [False]
    assert is_taken(buckets, 0.0, caller="other")
    assert is_taken(buckets, 0.0, is_reserved=True)


def test_the_memory_of_callers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_CALLERS_MAX", 3)
    buckets = Limits(1)
    for number in range(10):
        assert is_taken(buckets, 0.0, caller=str(number))
    assert len(buckets._buckets) == 3
