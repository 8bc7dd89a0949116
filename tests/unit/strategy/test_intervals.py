"""Names of intervals, and which bars can be made of which."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.intervals import Interval, interval_of, require_not_finer


@pytest.mark.parametrize(
    ("name", "interval"),
    [
        ("1d", Interval(1, "d")),
        ("1Day", Interval(1, "d")),
        ("D", Interval(1, "d")),
        ("15Min", Interval(15, "m")),
        ("5T", Interval(5, "m")),
        ("60m", Interval(1, "h")),
        ("240m", Interval(4, "h")),
        ("4Hour", Interval(4, "h")),
        ("1Week", Interval(1, "w")),
        ("3Month", Interval(3, "mo")),
    ],
)
def test_names_of_both_worlds_are_read(name: str, interval: Interval) -> None:
    assert interval_of(name) == interval


@pytest.mark.parametrize("name", ["", "0Min", "61Min", "24Hour", "2Day", "2Week", "5Month", "1Year", "d1", "-1Min"])
def test_what_is_no_interval_is_refused(name: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        interval_of(name)
    assert refused.value.code == "TIMEFRAME_INVALID"


@pytest.mark.parametrize(
    ("wanted", "stored", "is_made"),
    [
        ("1d", "1d", True),
        ("1w", "1d", True),
        ("1mo", "1d", True),
        ("1m", "1d", False),
        ("15m", "5m", True),
        ("7m", "5m", False),
        ("1d", "1h", True),
        ("4h", "1h", True),
    ],
)
def test_longer_bars_are_made_of_shorter_ones_that_add_up(wanted: str, stored: str, *, is_made: bool) -> None:
    refusal = nullcontext() if is_made else pytest.raises(AlphintraError, match="TIMEFRAME_UNAVAILABLE")
    with refusal:
        require_not_finer(interval_of(wanted), interval_of(stored), symbol="AAPL")
