"""Indicators agree with their definitions, never drift, and survive a restart bit for bit."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.indicators import Ema, Sma, recursive_warm_up
from alphintra.kernel.errors import AlphintraError

prices = st.lists(st.floats(min_value=0.01, max_value=1e6), min_size=12, max_size=60)
periods = st.integers(min_value=1, max_value=12)


@given(prices, periods)
def test_sma_is_the_exact_mean_of_its_window(values: list[float], period: int) -> None:
    sma = Sma(period)
    for index, value in enumerate(values):
        got = sma.update(value)
        if index < sma.lookback:
            assert got is None
        else:
            window = values[index - period + 1 : index + 1]
            exact = sum((Fraction(item) for item in window), Fraction(0)) / period
            assert got == pytest.approx(float(exact), rel=1e-15)


def test_sma_forgets_a_spike_completely() -> None:
    sma = Sma(3)
    for value in (0.1, 1e15, 0.1, 0.1):
        sma.update(value)
    assert sma.update(0.1) == math.fsum([0.1, 0.1, 0.1]) / 3


@given(prices, periods)
def test_ema_is_the_weighted_sum_of_its_definition(values: list[float], period: int) -> None:
    """Closed form: seed * (1 - a)^k plus a * sum of (1 - a)^j * x, computed in exact fractions."""
    ema = Ema(period)
    got = [ema.update(value) for value in values]
    alpha = Fraction(2, period + 1)
    for index in range(len(values)):
        if index < period - 1:
            assert got[index] is None
            continue
        seed = sum((Fraction(item) for item in values[:period]), Fraction(0)) / period
        later = values[period : index + 1]
        terms = [alpha * (1 - alpha) ** age * Fraction(item) for age, item in enumerate(reversed(later))]
        exact = seed * (1 - alpha) ** len(later) + sum(terms, Fraction(0))
        assert got[index] == pytest.approx(float(exact), rel=1e-12, abs=1e-15 * 10 * max(values))


def test_ema_known_values() -> None:
    """Seed (1 + 2 + 3) / 3 = 2, then alpha 1/2: 3, 4, 5."""
    ema = Ema(3)
    assert [ema.update(float(value)) for value in range(1, 7)] == [None, None, 2.0, 3.0, 4.0, 5.0]


def test_warm_up_is_the_lookback_plus_the_time_the_seed_needs_to_fade() -> None:
    assert (Sma(50).lookback, Sma(50).warm_up) == (49, 49)
    assert (Ema(50).lookback, Ema(50).warm_up) == (49, 49 + 231)  # ln 1e-4 / ln(49/51) = 230.2
    assert recursive_warm_up(1.0) == 0


@pytest.mark.parametrize("period", [2, 20, 50])
def test_after_its_warm_up_an_ema_does_not_depend_on_where_the_data_began(period: int) -> None:
    early, late = Ema(period), Ema(period)
    for _ in range(300):
        early.update(900.0)  # a history the late one never saw
    for index in range(late.warm_up + 1):
        x = 100.0 + index % 7
        a, b = early.update(x), late.update(x)
    assert a is not None
    assert b is not None
    assert abs(a - b) <= 800 * 1.0001e-4


@given(prices, periods, st.integers(min_value=0, max_value=60), st.sampled_from([Sma, Ema]))
def test_a_restored_indicator_continues_bit_for_bit(
    values: list[float], period: int, cut: int, kind: type[Sma | Ema]
) -> None:
    whole, first, second = kind(period), kind(period), kind(period)
    cut %= len(values) + 1
    expected = [whole.update(value) for value in values]
    got = [first.update(value) for value in values[:cut]]
    second.restore(json.loads(json.dumps(first.snapshot())))
    got += [second.update(value) for value in values[cut:]]
    assert got == expected


@pytest.mark.parametrize("indicator", [Sma(3), Ema(3)])
def test_a_value_that_is_no_number_is_refused(indicator: Sma | Ema) -> None:
    with pytest.raises(AlphintraError, match="NODE_VALUE"):
        indicator.update(float("nan"))


@pytest.mark.parametrize("state", [{}, {"window": 3}, {"window": [1.0] * 4}, {"window": [], "value": True}])
def test_a_foreign_snapshot_is_refused(state: dict[str, float | bool | list[float] | None]) -> None:
    with pytest.raises(AlphintraError, match="SNAPSHOT_INVALID"):
        Ema(3).restore(state)


def test_a_period_below_one_is_refused() -> None:
    with pytest.raises(AlphintraError, match="FIELD_RANGE"):
        Sma(0)
