"""Covariance, shape, beta, drawdown and concentration against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.measures.moments import beta, concentration, drawdown, shape, shrunk_covariance


def test_the_shrunk_covariance_of_four_points_is_the_one_worked_out_by_hand() -> None:
    # S = diag(2, 0.5), m = 1.25, d^2 = 1.125, b^2 = (34 - 17) / 16, w = 17/18
    found = shrunk_covariance([[2, 0], [-2, 0], [0, 1], [0, -1]])
    assert found.weight == pytest.approx(17 / 18)
    assert found.matrix == pytest.approx(np.diag([1.25 + 0.75 / 18, 1.25 - 0.75 / 18]))


@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.integers(3, 40))
def test_a_shrunk_covariance_keeps_the_total_variance_and_can_be_factored(seed: int, p: int, n: int) -> None:
    returns = np.random.default_rng(seed).standard_normal((n, p)) * 0.01
    found = shrunk_covariance(returns)
    assert 0 <= found.weight <= 1
    assert np.trace(found.matrix) == pytest.approx(np.trace(np.cov(returns.T, bias=True)))
    if found.weight > 1e-6:
        np.linalg.cholesky(found.matrix)  # also where there are fewer days than symbols


def test_shape_is_zero_for_a_flat_series_and_known_for_a_small_one() -> None:
    assert shape([1.0, 1.0, 1.0]) == (0.0, 0.0)
    skew, kurtosis = shape([0, 0, 0, 4])  # m2 3, m3 6, m4 21
    assert skew == pytest.approx(6 / 3**1.5)
    assert kurtosis == pytest.approx(21 / 9 - 3)


def test_beta_is_the_slope_against_the_benchmark() -> None:
    benchmark = [0.01, -0.02, 0.03, 0.0]
    assert beta([2 * one + 0.001 for one in benchmark], benchmark) == pytest.approx(2)
    assert beta(benchmark, [0.01] * 4) is None


def test_the_drawdown_is_measured_from_the_running_peak() -> None:
    found = drawdown([100, 120, 90, 130, 117])
    assert found is not None
    assert (found.deepest, round(found.current, 12), found.peak) == (0.25, 0.1, 130)
    assert drawdown([]) is None
    assert drawdown([0, 1]) is None


def test_concentration_is_the_sum_of_squared_shares_whatever_the_sign() -> None:
    assert concentration([5, -3, 2]) == pytest.approx(0.38)
    assert concentration([1, 1, 1, 1]) == pytest.approx(0.25)
    assert concentration([0.0]) is None
