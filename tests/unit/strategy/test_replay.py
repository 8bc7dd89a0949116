"""A replay numbers what closed at the same time as one step, and takes exactly the range it was given."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import Split, adjust_for_splits
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.replay import (
    FeedSplit,
    bars_before,
    is_split_between,
    steps_of,
    within,
)
from unit.engine.builders import START, day, flat_bar, flat_bars

BARS = flat_bars(range(1, 6))


def at_times(seconds: list[float]) -> list[Bar]:
    return [replace(flat_bar(0, "10"), ts=START + timedelta(seconds=second)) for second in seconds]


def test_bars_that_close_together_are_one_step() -> None:
    steps = steps_of({"B": BARS[1:4], "A": BARS[:2]})
    told = [(step.seq, step.ts, [symbol for symbol, _ in step.bars]) for step in steps]
    assert told == [(1, day(0), ["A"]), (2, day(1), ["A", "B"]), (3, day(2), ["B"]), (4, day(3), ["B"])]


@given(st.dictionaries(st.sampled_from("ABC"), st.sets(st.integers(0, 30)), min_size=1))
def test_no_bar_is_lost_doubled_or_out_of_order(days: dict[str, set[int]]) -> None:
    steps = steps_of({symbol: [flat_bar(index, "10") for index in sorted(found)] for symbol, found in days.items()})
    assert [step.seq for step in steps] == list(range(1, len(steps) + 1))
    assert [step.ts for step in steps] == sorted({step.ts for step in steps})
    for symbol, found in days.items():
        assert [bar.ts for step in steps for name, bar in step.bars if name == symbol] == [
            day(i) for i in sorted(found)
        ]


def test_a_range_holds_its_start_and_not_its_end() -> None:
    assert within(BARS, day(1), day(3)) == tuple(BARS[1:3])
    assert within(BARS, None, None) == tuple(BARS)


@pytest.mark.parametrize(
    ("start", "end", "pointer"), [(3, 3, "/end"), (3, 1, "/end"), (5, None, "/start"), (None, 0, "/start")]
)
def test_a_reversed_or_empty_range_is_refused(start: int | None, end: int | None, pointer: str) -> None:
    with pytest.raises(AlphintraError, match="RANGE") as caught:
        within(BARS, None if start is None else day(start), None if end is None else day(end))
    assert caught.value.pointer == pointer


PRICES = st.integers(min_value=1, max_value=500)


@given(data=st.data(), prices=st.lists(PRICES, min_size=2, max_size=25))
def test_bars_before_a_step_are_those_of_a_series_adjusted_for_the_splits_until_then(
    data: st.DataObject, prices: list[int]
) -> None:
    bars = flat_bars(prices)
    steps = steps_of({"AAPL": bars, "OTHER": flat_bars(prices)})
    after = sorted(data.draw(st.lists(st.integers(0, len(prices) - 1), max_size=3)))
    ratios = data.draw(st.lists(st.sampled_from([(2, 1), (4, 1), (1, 10), (3, 2)]), min_size=3, max_size=3))
    splits = [
        FeedSplit(symbol="AAPL", after_seq=seq, new_shares=new, old_shares=old)
        for seq, (new, old) in zip(after, ratios, strict=False)
    ]
    whole = [
        Split(split.after_seq, bars[split.after_seq].ts, Fraction(split.new_shares, split.old_shares))
        for split in splits
    ]
    for seq in range(1, len(prices) + 1):
        until = [split for split in whole if split.index < seq]
        assert bars_before(steps, seq, "AAPL", splits=splits) == adjust_for_splits(bars[:seq], until)[:-1]
        assert bars_before(steps, seq, "OTHER", splits=splits) == tuple(bars[: seq - 1])


def test_a_split_lies_between_the_last_bar_of_old_shares_and_the_first_of_new_ones() -> None:
    splits = [FeedSplit(symbol="AAPL", after_seq=5, new_shares=2, old_shares=1)]
    found = [
        (last, seq) for last, seq in ((4, 5), (5, 6), (4, 6), (6, 7)) if is_split_between(splits, "AAPL", last, seq)
    ]
    assert found == [(5, 6), (4, 6)]
    assert not is_split_between(splits, "OTHER", 5, 6)
