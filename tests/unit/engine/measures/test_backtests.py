"""The tests of a VaR, held against the published non-rejection regions and values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from alphintra.engine.measures.backtests import backtest_historical, christoffersen, kupiec
from alphintra.kernel.errors import AlphintraError


@pytest.mark.parametrize(
    ("tail", "days", "fewest", "most"),
    # Kupiec 1995, table 3 (as in Jorion, "Value at Risk", table 6-2): exceptions that do not reject at 95 %; for 255
    # days at 1 % the table names no lower end, and the statistic of none is 5.13, beyond 3.84
    [(0.01, 255, 1, 6), (0.01, 510, 2, 10), (0.01, 1000, 5, 16), (0.05, 255, 7, 20), (0.05, 1000, 38, 64)],
)
def test_kupiec_rejects_outside_the_published_region(tail: float, days: int, fewest: int, most: int) -> None:
    accepted = [count for count in range(120) if not kupiec(days, count, tail=tail).is_rejected]
    assert (accepted[0], accepted[-1]) == (fewest, most)
    assert accepted == list(range(fewest, most + 1))


def test_exactly_the_promised_share_scores_zero() -> None:
    found = kupiec(1000, 50, tail=0.05)
    assert [found.statistic, found.p_value] == pytest.approx([0, 1])


def test_christoffersen_is_the_value_worked_out_by_hand() -> None:
    # n00 6, n01 1, n10 1, n11 1; the share is as promised, so all of it is dependence: 2 (4.767355 - 4.257108)
    found = christoffersen([False, False, False, True, True, False, False, False, False, False], tail=0.2)
    assert found.statistic == pytest.approx(1.020494, abs=1e-5)
    assert found.p_value == pytest.approx(0.600347, abs=1e-5)


def test_exceptions_in_clusters_are_rejected_where_as_many_spread_out_are_not() -> None:
    clustered = [day // 5 % 20 == 0 for day in range(500)]
    spread = [day % 20 == 0 for day in range(500)]
    assert sum(clustered) == sum(spread) == 25
    assert christoffersen(clustered, tail=0.05).is_rejected
    assert not christoffersen(spread, tail=0.05).is_rejected


def test_exceptions_that_are_too_many_are_rejected_however_they_are_spread() -> None:
    often = [day % 8 == 0 for day in range(500)]
    assert kupiec(500, sum(often), tail=0.05).is_rejected
    spread = christoffersen(often, tail=0.05)
    assert spread.statistic >= kupiec(500, sum(often), tail=0.05).statistic
    even = [False, False, True, True, False, True, True, False, False, False] * 20  # b - a is small: no dependence
    assert christoffersen(even, tail=0.05).statistic >= kupiec(200, 80, tail=0.05).statistic


@pytest.mark.parametrize(("days", "exceptions", "tail"), [(0, 0, 0.01), (10, 11, 0.01), (10, -1, 0.01), (10, 1, 0)])
def test_numbers_that_cannot_be_are_refused(days: int, exceptions: int, tail: float) -> None:
    with pytest.raises(AlphintraError) as refused:
        kupiec(days, exceptions, tail=tail)
    assert refused.value.code == "BACKTEST_RANGE"


def test_a_value_at_risk_of_steady_returns_passes_and_one_of_calmer_times_fails() -> None:
    generator = np.random.default_rng(3)
    steady = generator.standard_normal(1000)
    found = backtest_historical(steady, confidence=0.95, window=250)
    assert found is not None
    assert found.days == 750
    assert not found.coverage.is_rejected
    rougher = np.concatenate([generator.standard_normal(250), 3 * generator.standard_normal(60)])
    found = backtest_historical(rougher, confidence=0.95, window=250)
    assert found is not None
    assert found.coverage.is_rejected


def test_the_value_at_risk_of_a_day_knows_nothing_of_that_day_or_later() -> None:
    pnl = np.random.default_rng(5).standard_normal(300)
    changed = pnl.copy()
    changed[280:] = 0.0
    before = backtest_historical(pnl[:280], confidence=0.95, window=250)
    after = backtest_historical(changed[:280], confidence=0.95, window=250)
    assert before == after
    assert backtest_historical(pnl[:250], confidence=0.95, window=250) is None
