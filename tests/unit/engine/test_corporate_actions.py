"""Splits and dividends are told apart from the adjustment factor alone."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import DailyClose, Split, adjust_for_splits, derive_adjustments
from alphintra.kernel.errors import AlphintraError
from unit.engine.builders import bar, day

# A few days around each event, from the public-domain Quandl WIKI prices.
EXCERPT = Path(__file__).with_name("daily_excerpt.csv")


def excerpt(ticker: str, year: str) -> list[tuple[Bar, DailyClose]]:
    with EXCERPT.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["ticker"] == ticker and row["date"].startswith(year)]
    found = []
    for row in rows:
        ts = datetime.fromisoformat(row["date"]).replace(hour=21, tzinfo=UTC)
        prices = [Decimal(row[name]) for name in ("open", "high", "low", "close", "volume")]
        found.append((Bar(ts, *prices), DailyClose(ts, Decimal(row["close"]), Decimal(row["adjusted_close"]))))
    return found


def days(closes: list[str], factors: list[str]) -> list[DailyClose]:
    pairs = zip(closes, factors, strict=True)
    return [
        DailyClose(day(index), Decimal(close), Decimal(close) * Decimal(factor))
        for index, (close, factor) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("ticker", "year", "ex_date"),
    [("AAPL", "2000", "2000-06-21"), ("AAPL", "2005", "2005-02-28"), ("MSFT", "2003", "2003-02-18")],
)
def test_real_two_for_one_splits_are_found_on_their_ex_date(ticker: str, year: str, ex_date: str) -> None:
    found = derive_adjustments([close for _, close in excerpt(ticker, year)])
    assert [(split.ts.date().isoformat(), split.ratio) for split in found.splits] == [(ex_date, Fraction(2))]
    assert found.unexplained == ()


def test_the_special_dividend_of_microsoft_is_no_split() -> None:
    found = derive_adjustments([close for _, close in excerpt("MSFT", "2004")])
    assert found.splits == ()
    assert [(dividend.ts.date().isoformat(), dividend.amount) for dividend in found.dividends] == [
        ("2004-11-15", Decimal("3.080000"))  # 3.00 special and 0.08 regular share the ex-date
    ]


@pytest.mark.parametrize(
    ("step", "ratio"),
    [
        ("2", Fraction(2)),
        ("1.5", Fraction(3, 2)),
        ("1.25", Fraction(5, 4)),
        ("3", Fraction(3)),
        ("7", Fraction(7)),
        ("0.1", Fraction(1, 10)),
        ("0.125", Fraction(1, 8)),
        ("2.012", Fraction(2)),
    ],
)
def test_large_steps_snap_to_simple_ratios(step: str, ratio: Fraction) -> None:
    found = derive_adjustments(days(["100", "100"], ["1", step]))
    assert [(split.index, split.ratio) for split in found.splits] == [(1, ratio)]


@pytest.mark.parametrize("step", ["1.43", "0.7"])
def test_a_large_step_that_is_no_simple_ratio_is_left_to_a_person(step: str) -> None:
    found = derive_adjustments(days(["100", "100"], ["1", step]))
    assert found.splits == ()
    assert [item.index for item in found.unexplained] == [1]


def test_a_constant_factor_and_rounding_noise_mean_nothing() -> None:
    found = derive_adjustments(days(["10", "11", "12"], ["0.13", "0.13000001", "0.13"]))
    assert (found.splits, found.dividends, found.unexplained) == ((), (), ())


def test_bars_before_a_split_are_expressed_in_shares_of_the_last_bar() -> None:
    pairs = excerpt("AAPL", "2000")
    raw = [item for item, _ in pairs]
    adjusted = adjust_for_splits(raw, derive_adjustments([close for _, close in pairs]).splits)
    ex = next(index for index, item in enumerate(raw) if item.ts.date().isoformat() == "2000-06-21")
    assert adjusted[ex:] == tuple(raw[ex:])
    assert adjusted[ex - 1].close == raw[ex - 1].close / 2
    assert adjusted[ex - 1].volume == raw[ex - 1].volume * 2
    assert abs(adjusted[ex].open / adjusted[ex - 1].close - 1) < Decimal("0.1")


def test_two_splits_multiply_and_a_reverse_split_raises_earlier_prices() -> None:
    bars = [bar(index, "12 12 12 12") for index in range(3)]
    splits = [Split(1, day(1), Fraction(3)), Split(2, day(2), Fraction(1, 2))]
    assert [item.close for item in adjust_for_splits(bars, splits)] == [Decimal(8), Decimal(24), Decimal(12)]


@pytest.mark.parametrize("hours", [0, -1, -12, -23])
def test_a_split_between_two_bars_counts_from_the_later_one(hours: int) -> None:
    bars = [bar(index, "12 12 12 12") for index in range(4)]
    split = Split(2, day(2) + timedelta(hours=hours), Fraction(2))
    assert [item.close for item in adjust_for_splits(bars, [split])] == [6, 6, 12, 12]


def test_a_split_after_the_last_bar_does_not_count() -> None:
    bars = [bar(index, "12 12 12 12") for index in range(2)]
    assert adjust_for_splits(bars, [Split(2, day(2), Fraction(2))]) == tuple(bars)
    assert adjust_for_splits([], [Split(0, day(2), Fraction(2))]) == ()


@given(st.lists(st.sampled_from(["2", "1.5", "0.1", "1"]), min_size=1, max_size=8))
def test_split_days_are_exactly_the_days_on_which_the_factor_steps(steps: list[str]) -> None:
    factor, factors = Decimal(1), ["1"]
    for step in steps:
        factor *= Decimal(step)
        factors.append(str(factor))
    found = derive_adjustments(days(["50"] * len(factors), factors))
    assert [split.index for split in found.splits] == [index for index, step in enumerate(steps, 1) if step != "1"]


@pytest.mark.parametrize("close", ["0", "-1", "NaN"])
def test_a_close_that_is_no_price_is_refused(close: str) -> None:
    with pytest.raises(AlphintraError, match="PRICE_MISSING"):
        derive_adjustments([DailyClose(day(0), Decimal(close), Decimal(1))])


def test_unsorted_days_are_refused() -> None:
    two = days(["1", "1"], ["1", "1"])
    with pytest.raises(AlphintraError, match="TIME_ORDER"):
        derive_adjustments([two[1], two[0]])
