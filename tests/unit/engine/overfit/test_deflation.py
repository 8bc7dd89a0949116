"""What luck shows is taken off: the golden vector of the paper, and selection tested on noise and on skill."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from alphintra.engine.metrics.returns import Moments
from alphintra.engine.overfit.deflation import deflated_sharpe, expected_best
from alphintra.engine.overfit.selection import backtest_overfitting
from alphintra.kernel.errors import AlphintraError


def test_the_golden_vector_of_bailey_and_lopez_de_prado() -> None:
    moments = Moments(count=1250, mean=2.5 / math.sqrt(250), deviation=1.0, skewness=-3.0, kurtosis=10.0)
    got = deflated_sharpe(moments, trials=100, variance=0.5 / 250)
    assert got.expected_best == pytest.approx(0.1132, abs=5e-5)
    assert got.probability == pytest.approx(0.9004, abs=5e-5)


def test_one_trial_is_deflated_by_nothing_and_more_trials_by_more() -> None:
    moments = Moments(count=1250, mean=0.1, deviation=1.0, skewness=0.0, kurtosis=3.0)
    alone, few, many = (deflated_sharpe(moments, trials=n, variance=0.002).probability for n in (1, 10, 1000))
    assert expected_best(1, 0.5) == 0.0
    assert alone is not None
    assert few is not None
    assert many is not None
    assert alone > few > many


def test_the_expected_best_is_near_the_mean_best_of_many_draws() -> None:
    rng = np.random.default_rng(4)
    best = rng.normal(0, 2.0, (4000, 50)).max(axis=1).mean()
    assert expected_best(50, 4.0) == pytest.approx(best, rel=0.03)


@pytest.mark.parametrize(("trials", "variance"), [(0, 1.0), (5, -1.0), (5, math.inf), (5, math.nan)])
def test_trials_that_cannot_be_are_refused(trials: int, variance: float) -> None:
    with pytest.raises(AlphintraError, match="TRIALS_RANGE"):
        expected_best(trials, variance)


def test_the_best_of_noise_is_as_often_below_the_median_as_above() -> None:
    found = [
        backtest_overfitting(np.random.default_rng(seed).normal(0, 0.01, (480, 20)), blocks=8).pbo for seed in range(40)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_a_trial_that_dominates_is_never_overfit() -> None:
    noise = np.random.default_rng(5).normal(0, 0.01, (800, 30))
    noise[:, 7] += 0.02
    got = backtest_overfitting(noise)
    assert (got.pbo, got.loss_share, got.splits, got.trials) == (0.0, 0.0, 12_870, 30)


def test_the_splits_agree_with_a_plain_loop() -> None:
    returns = np.random.default_rng(6).normal(0.0005, 0.01, (123, 7))
    blocks = np.split(returns[3:], 6)
    below = losses = 0.0
    chosen = list(combinations(range(6), 3))
    for inside in chosen:
        a = np.concatenate([blocks[i] for i in inside])
        b = np.concatenate([blocks[i] for i in range(6) if i not in inside])
        best = int(np.argmax(a.mean(axis=0) / a.std(axis=0)))
        outside = b.mean(axis=0) / b.std(axis=0)
        rank = np.median(outside)
        below += 1.0 if outside[best] < rank else 0.5 if outside[best] == rank else 0.0
        losses += outside[best] < 0
    got = backtest_overfitting(returns, blocks=6)
    assert got.pbo == pytest.approx(below / len(chosen))
    assert got.loss_share == pytest.approx(losses / len(chosen))


def test_a_trial_that_never_traded_has_a_ratio_of_zero() -> None:
    returns = np.random.default_rng(7).normal(-0.01, 0.001, (320, 3))
    returns[:, 1] = 0.0
    assert backtest_overfitting(returns).pbo == 0.0


@pytest.mark.parametrize(("shape", "blocks"), [((100, 1), 4), ((7, 3), 4), ((100, 3), 5), ((100, 3), 22)])
def test_selections_that_cannot_be_are_refused(shape: tuple[int, int], blocks: int) -> None:
    with pytest.raises(AlphintraError, match="SELECTION_RANGE"):
        backtest_overfitting(np.zeros(shape), blocks=blocks)
