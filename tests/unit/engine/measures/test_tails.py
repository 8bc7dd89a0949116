"""Value at risk and expected shortfall against published and hand-computed values, and what holds for all inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.measures.tails import (
    cornish_fisher_tail,
    historical_tail,
    is_cornish_fisher_valid,
    normal_tail,
    simulated_pnl,
)
from alphintra.kernel.errors import AlphintraError

PNL = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=60)
LEVELS = st.floats(0.5, 0.999)


@pytest.mark.parametrize(
    ("confidence", "var", "es"), [(0.95, 1.6449, 2.0627), (0.975, 1.9600, 2.3378), (0.99, 2.3263, 2.6652)]
)
def test_the_normal_tail_is_that_of_the_tables(confidence: float, var: float, es: float) -> None:
    tail = normal_tail(0, 1, confidence)
    assert (round(tail.var, 4), round(tail.es, 4)) == (var, es)


def test_a_mean_gain_lowers_the_normal_tail_by_itself() -> None:
    assert normal_tail(0.5, 1, 0.95).var == pytest.approx(normal_tail(0, 1, 0.95).var - 0.5)


def test_the_historical_tail_of_the_losses_1_to_100_is_95_and_the_mean_of_the_five_beyond() -> None:
    tail = historical_tail([-loss for loss in range(1, 101)], 0.95)
    assert tail.var == 95
    assert tail.es == pytest.approx(98)


def test_a_quantile_between_two_observations_takes_the_worse_and_weighs_it_in_the_shortfall() -> None:
    # n c = 7.6, so VaR is the 8th loss; ES = (9 + 10 ... are not there, (8 - 7.6) 8) / 0.4 with n = 8
    tail = historical_tail([-loss for loss in range(1, 9)], 0.95)
    assert [tail.var, tail.es] == pytest.approx([8, 8])
    tail = historical_tail([-loss for loss in range(1, 9)], 0.8)  # n c = 6.4: VaR 7, ES (8 + 0.6 * 7) / 1.6
    assert [tail.var, tail.es] == pytest.approx([7, 7.625])


def test_the_expansion_is_the_one_worked_out_by_hand() -> None:
    # z = -2.326348: -2.326348 - 0.367658 - 0.233787 + 0.094084
    assert cornish_fisher_tail(0, 1, 0.99, skew=-0.5, excess_kurtosis=1).var == pytest.approx(2.833709, abs=1e-5)


def test_the_expansion_of_a_normal_is_the_normal() -> None:
    ours, normal = cornish_fisher_tail(0.1, 2, 0.975, skew=0, excess_kurtosis=0), normal_tail(0.1, 2, 0.975)
    assert [ours.var, ours.es] == pytest.approx([normal.var, normal.es])


def test_the_shortfall_of_the_expansion_is_the_integral_of_its_quantiles() -> None:
    levels = 0.95 + 0.05 * (np.arange(20_000) + 0.5) / 20_000
    quantiles = [cornish_fisher_tail(0, 1, float(c), skew=-0.4, excess_kurtosis=1).var for c in levels]
    tail = cornish_fisher_tail(0, 1, 0.95, skew=-0.4, excess_kurtosis=1)
    assert tail.es == pytest.approx(float(np.mean(quantiles)), rel=1e-4)


def test_moments_far_from_normal_are_refused_not_extrapolated() -> None:
    assert not is_cornish_fisher_valid(-3, 1)
    with pytest.raises(AlphintraError) as refused:
        cornish_fisher_tail(0, 1, 0.99, skew=-3, excess_kurtosis=1)
    assert refused.value.code == "CORNISH_FISHER_DOMAIN"


@given(pnl=PNL, confidence=LEVELS)
def test_a_historical_shortfall_is_never_below_its_value_at_risk(pnl: list[float], confidence: float) -> None:
    tail = historical_tail(pnl, confidence)
    assert tail.es >= tail.var
    assert min(pnl) - 1e-6 <= -tail.var <= max(pnl) + 1e-6


@given(pnl=PNL, low=LEVELS, high=LEVELS)
def test_more_confidence_never_means_less_risk(pnl: list[float], low: float, high: float) -> None:
    low, high = sorted((low, high))
    before, after = historical_tail(pnl, low), historical_tail(pnl, high)
    assert after.var >= before.var
    assert after.es >= before.es - 1e-6 * (1 + abs(before.es))
    assert normal_tail(0, 1, high).var >= normal_tail(0, 1, low).var


@given(pnl=PNL, confidence=LEVELS, factor=st.integers(1, 1000))
def test_risk_grows_with_the_position(pnl: list[float], confidence: float, factor: int) -> None:
    once, many = historical_tail(pnl, confidence), historical_tail([factor * one for one in pnl], confidence)
    assert many.var == pytest.approx(factor * once.var, rel=1e-9, abs=1e-6)
    assert many.es == pytest.approx(factor * once.es, rel=1e-9, abs=1e-3)


@given(
    skew=st.floats(-2, 2),
    kurtosis=st.floats(0, 8),
    low=st.floats(0.9, 0.999),
    high=st.floats(0.9, 0.999),
)
def test_where_the_expansion_is_taken_it_is_a_quantile_function(
    skew: float, kurtosis: float, low: float, high: float
) -> None:
    if not is_cornish_fisher_valid(skew, kurtosis):
        return
    low, high = sorted((low, high))
    before = cornish_fisher_tail(0, 1, low, skew=skew, excess_kurtosis=kurtosis)
    after = cornish_fisher_tail(0, 1, high, skew=skew, excess_kurtosis=kurtosis)
    assert after.var >= before.var - 1e-9
    assert before.es >= before.var - 1e-9


def test_the_simulation_repeats_under_its_seed_and_agrees_with_the_normal_for_small_moves() -> None:
    values, covariance = [600.0, 400.0], [[1e-4, 5e-5], [5e-5, 4e-4]]
    drawn = simulated_pnl(values, [0, 0], covariance, count=50_000, seed=7)
    assert (drawn == simulated_pnl(values, [0, 0], covariance, count=50_000, seed=7)).all()
    assert (drawn != simulated_pnl(values, [0, 0], covariance, count=50_000, seed=8)).any()
    deviation = (600**2 * 1e-4 + 400**2 * 4e-4 + 2 * 600 * 400 * 5e-5) ** 0.5
    assert historical_tail(drawn, 0.99).var == pytest.approx(normal_tail(0, deviation, 0.99).var, rel=0.04)
    assert historical_tail(drawn, 0.99).es == pytest.approx(normal_tail(0, deviation, 0.99).es, rel=0.04)


@pytest.mark.parametrize("confidence", [0, 1, 1.5, -0.1])
def test_a_confidence_outside_0_to_1_is_refused(confidence: float) -> None:
    with pytest.raises(AlphintraError) as refused:
        historical_tail([1.0], confidence)
    assert refused.value.code == "CONFIDENCE_RANGE"
    with pytest.raises(AlphintraError) as refused:
        normal_tail(0, 1, confidence)
    assert refused.value.code == "CONFIDENCE_RANGE"


def test_no_observation_is_no_number() -> None:
    with pytest.raises(AlphintraError) as refused:
        historical_tail([], 0.95)
    assert refused.value.code == "HISTORY_TOO_SHORT"
