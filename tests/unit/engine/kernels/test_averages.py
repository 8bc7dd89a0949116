"""Averages agree with their definitions, never drift, and are exact where prices are."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.warm_up import recursive_warm_up
from alphintra.engine.kernels import averages, windows
from unit.engine.kernels.running import run

values_seen = st.lists(st.floats(min_value=0.01, max_value=1e6), min_size=12, max_size=60)
periods = st.integers(min_value=1, max_value=12)


def sma(values: list[float], period: int) -> list[float]:
    return run(windows.sma, [period], 4 + period, values)


def ema(values: list[float], period: int) -> list[float]:
    return run(averages.ema, [period], 2, values)


@given(values_seen, periods)
def test_sma_is_the_mean_of_its_window(values: list[float], period: int) -> None:
    got = sma(values, period)
    assert all(math.isnan(value) for value in got[: period - 1])
    for index in range(period - 1, len(values)):
        window = values[index - period + 1 : index + 1]
        exact = sum((Fraction(item) for item in window), Fraction(0)) / period
        assert got[index] == pytest.approx(float(exact), rel=2e-15)


@given(st.lists(st.integers(min_value=1, max_value=10**9), min_size=30, max_size=30))
def test_equal_averages_of_prices_are_equal(millionths: list[int]) -> None:
    """Two windows of one mean, of different lengths, whatever came before: no rounding tells them apart."""
    prices = [each / 1e6 for each in millionths]
    doubled = [price for price in prices for _ in range(2)]
    assert sma([7e5, *doubled], 60)[-1] == sma(prices, 30)[-1]


@pytest.mark.parametrize("spike", [1e9, 1e12, 1e15])
def test_sma_forgets_a_spike_completely(spike: float) -> None:
    assert sma([0.1, spike, 0.1, 0.1, 0.1], 3)[-1] == 0.1


def test_an_unknown_value_takes_no_place_in_the_window() -> None:
    got = sma([1.0, math.nan, 2.0, math.inf, 3.0], 2)
    assert [value for value in got if not math.isnan(value)] == [1.5, 2.5]


@given(values_seen, periods)
def test_ema_is_the_weighted_sum_of_its_definition(values: list[float], period: int) -> None:
    """Closed form: seed * (1 - a)^k plus a * sum of (1 - a)^j * x, computed in exact fractions."""
    got = ema(values, period)
    alpha = Fraction(2, period + 1)
    assert all(math.isnan(value) for value in got[: period - 1])
    for index in range(period - 1, len(values)):
        seed = sum((Fraction(item) for item in values[:period]), Fraction(0)) / period
        later = values[period : index + 1]
        terms = [alpha * (1 - alpha) ** age * Fraction(item) for age, item in enumerate(reversed(later))]
        exact = seed * (1 - alpha) ** len(later) + sum(terms, Fraction(0))
        assert got[index] == pytest.approx(float(exact), rel=1e-12, abs=1e-15 * 10 * max(values))


def test_ema_known_values() -> None:
    """Seed (1 + 2 + 3) / 3 = 2, then alpha 1/2: 3, 4, 5."""
    assert ema([float(value) for value in range(1, 7)], 3)[2:] == [2.0, 3.0, 4.0, 5.0]


def test_warm_up_is_the_lookback_plus_the_time_the_seed_needs_to_fade() -> None:
    sma_type, ema_type = node_type("SMA", 1), node_type("EMA", 1)
    assert sma_type is not None
    assert ema_type is not None
    assert (sma_type.lookback({"period": 50}), sma_type.warm_up({"period": 50})) == (49, 49)
    # ln 1e-4 / ln(49/51) = 230.2
    assert (ema_type.lookback({"period": 50}), ema_type.warm_up({"period": 50})) == (49, 49 + 231)
    assert recursive_warm_up(1.0) == 0


@pytest.mark.parametrize("period", [2, 20, 50])
def test_after_its_warm_up_an_ema_does_not_depend_on_where_the_data_began(period: int) -> None:
    tail = [100.0 + index % 7 for index in range(period + recursive_warm_up(2 / (period + 1)))]
    early, late = ema([900.0] * 300 + tail, period), ema(tail, period)
    assert abs(early[-1] - late[-1]) <= 800 * 1.0001e-4
