"""Waiting before another try."""

from __future__ import annotations

import pytest

from alphintra.infrastructure.backoff import retry_delay


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0.1), (1, 0.2), (2, 0.4), (5, 3.2), (6, 5.0), (11, 5.0), (5_000, 5.0), (10**9, 5.0)]
)
def test_the_wait_doubles_up_to_five_seconds_and_stays_there_for_ever(failures: int, seconds: float) -> None:
    assert retry_delay(failures) == pytest.approx(seconds)
