"""Monte Carlo keeps what it must keep and varies the rest; random entries tell luck from skill."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.engine.overfit.entries import Entered, entry_significance
from alphintra.engine.overfit.resampling import (
    Candles,
    bootstrap_indices,
    judge_candles,
    resample_candles,
    shuffle_trades,
    simulate_returns,
    skip_trades,
    without_best_days,
)
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def walk(rng: np.random.Generator, count: int, spread: float = 0.01) -> NDArray[np.float64]:
    """Return prices from 100 on."""
    return np.asarray(100 * np.cumprod(1 + rng.normal(0, spread, count)), dtype=np.float64)


def seeded(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_moving_blocks_are_whole_and_in_order() -> None:
    rows = bootstrap_indices(20, 5, paths=50, rng=seeded(), is_stationary=False)
    blocks = rows.reshape(50, 4, 5)
    assert (np.diff(blocks, axis=2) == 1).all()
    assert rows.min() >= 0
    assert rows.max() < 20


def test_stationary_blocks_have_the_mean_length_asked_for_and_reach_every_row_alike() -> None:
    rows = bootstrap_indices(200, 8, paths=2000, rng=seeded())
    broken = (np.diff(rows, axis=1) % 200 != 1).mean()
    assert broken == pytest.approx(1 / 8, rel=0.03)
    assert np.bincount(rows.ravel(), minlength=200) == pytest.approx(2000, rel=0.15)


def test_the_same_seed_draws_the_same_fan_and_another_seed_another() -> None:
    returns = seeded(2).normal(0.0005, 0.01, 500)
    one, same, other = (simulate_returns(returns, rng=seeded(n), paths=300) for n in (1, 1, 2))
    assert (one.bands == same.bands).all()
    assert (one.bands != other.bands).any()


def test_a_fan_of_constant_returns_is_a_line() -> None:
    got = simulate_returns(np.full(100, 0.01), rng=seeded(), paths=20)
    assert got.bands[:, -1] == pytest.approx(1.01**100)
    assert (got.ruin, got.drawdown_5, got.loss, got.days[0], got.days[-1]) == (0.0, 0.0, 0.0, 0, 100)


def test_a_fan_of_steady_losses_is_ruin_and_its_drawdown_is_known() -> None:
    got = simulate_returns(np.full(100, -0.01), rng=seeded(), paths=20)
    assert (got.ruin, got.loss) == (1.0, 1.0)
    assert got.drawdown_5 == pytest.approx(1 - 0.99**100)
    assert simulate_returns(np.full(10, -0.01), rng=seeded(), paths=20).ruin == 0.0


def test_the_fan_spreads_as_the_normal_law_says() -> None:
    returns = seeded(3).normal(0.0, 0.01, 2000)
    got = simulate_returns(returns, rng=seeded(), paths=2000, block=1)
    spread = np.log(got.bands[4, -1] / got.bands[0, -1])
    assert spread == pytest.approx(2 * 1.645 * np.log1p(returns).std() * np.sqrt(2000), rel=0.08)


@pytest.mark.parametrize(("returns", "paths"), [([], 10), ([0.1], 0), ([-1.0], 10)])
def test_returns_that_cannot_be_resampled_are_refused(returns: list[float], paths: int) -> None:
    with pytest.raises(AlphintraError, match="BOOTSTRAP_RANGE"):
        simulate_returns(np.array(returns), rng=seeded(), paths=paths)


def test_shuffled_trades_fall_between_the_best_and_the_worst_order() -> None:
    nets = np.array([10.0, -5.0, 10.0, -5.0])
    got = shuffle_trades(nets, 100.0, rng=seeded(), paths=500)
    assert got[0] == pytest.approx(5 / 110)
    assert got[-1] == pytest.approx(10 / 100)
    assert (np.diff(got) >= 0).all()


def candles(count: int = 50) -> Candles:
    close = walk(seeded(9), count, 0.02)
    opened = np.concatenate(([100.0], close[:-1])) * walk(seeded(10), 1, 0.005)[0] / 100
    high, low = np.maximum(opened, close) * 1.01, np.minimum(opened, close) * 0.99
    return Candles(opened, high, low, close, np.arange(1.0, count + 1))


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_resampled_candles_are_candles_of_the_same_shapes(seed: int) -> None:
    one, drawn = candles(), resample_candles(candles(), rng=seeded(seed))
    assert (drawn.high >= np.maximum(drawn.open, drawn.close) - 1e-9).all()
    assert (drawn.low <= np.minimum(drawn.open, drawn.close) + 1e-9).all()
    rows = drawn.volume.astype(int) - 1
    assert drawn.high / drawn.low == pytest.approx((one.high / one.low)[rows])
    before = np.concatenate(([one.open[0]], drawn.close[:-1]))
    original = np.concatenate(([one.open[0]], one.close[:-1]))
    assert drawn.close / before == pytest.approx((one.close / original)[rows])


def test_a_result_above_nearly_all_resampled_ones_is_suspect() -> None:
    others = list(range(100))
    assert judge_candles(99.0, others).is_suspect
    assert not judge_candles(90.0, others).is_suspect
    assert judge_candles(50.0, others).share_below == 0.5
    with pytest.raises(AlphintraError, match="BOOTSTRAP_RANGE"):
        judge_candles(1.0, [])


def test_entries_that_knew_the_future_are_significant() -> None:
    rng = seeded(11)
    prices = walk(rng, 2001)
    blocks = prices[:2000:10], prices[10::10]
    rises = np.flatnonzero(blocks[1] > blocks[0])[:60] * 10
    ones = np.ones(rises.size, dtype=np.int64)
    got = entry_significance([Entered(prices, rises, ones * 10, ones)], rng=rng, draws=300)
    assert got.p_value == pytest.approx(1 / 301)
    assert got.observed == pytest.approx((prices[rises + 10] / prices[rises] - 1).mean())


def test_random_entries_have_p_values_spread_over_all_of_zero_to_one() -> None:
    found = []
    for seed in range(60):
        rng = seeded(seed)
        prices = walk(rng, 400)
        entries = np.sort(rng.choice(np.arange(0, 380, 10), 12, replace=False))
        held, side = rng.integers(1, 10, 12), rng.choice([1, -1], 12)
        found.append(entry_significance([Entered(prices, entries, held, side)], rng=rng, draws=120).p_value)
    assert np.mean(found) == pytest.approx(0.5, abs=0.12)
    assert 0 < np.mean(np.array(found) < 0.1) < 0.25


def test_drawn_trades_stay_within_the_bars_after_the_warm_up() -> None:
    prices = np.full(60, 100.0)
    prices[:30] = np.arange(1, 31)  # a draw that began in the warm-up would gain
    entries, held = np.array([30, 40]), np.array([5, 19])
    got = entry_significance([Entered(prices, entries, held, np.array([1, 1]), 30)], rng=seeded(), draws=200)
    assert (got.observed, got.random_mean, got.p_value) == (0.0, 0.0, 1.0)


def test_trades_that_overlap_are_drawn_one_by_one_and_none_is_refused() -> None:
    prices = np.linspace(100, 110, 21)
    entries, held = np.array([0, 1, 2]), np.array([15, 15, 15])
    assert (
        entry_significance([Entered(prices, entries, held, np.ones(3, dtype=np.int64))], rng=seeded(), draws=50).p_value
        <= 1
    )
    with pytest.raises(AlphintraError, match="ENTRIES_RANGE"):
        entry_significance([Entered(prices, entries[:0], held[:0], held[:0])], rng=seeded())


def test_without_its_best_days_a_course_has_the_others() -> None:
    returns = np.array([0.1, -0.05, 0.2, 0.01])
    assert without_best_days(returns, 2) == pytest.approx(0.95 * 1.01 - 1)
    assert without_best_days(returns, 0) == pytest.approx(1.1 * 0.95 * 1.2 * 1.01 - 1)
    assert without_best_days(returns, 9) == 0.0
    assert without_best_days(np.zeros(0), 3) == 0.0


def test_skipped_trades_leave_what_chance_left_them() -> None:
    """Of 400 equal trades a tenth is missing on average, with the spread of a binomial."""
    rng = np.random.default_rng(5)
    found = skip_trades(np.full(400, 10.0), 1000.0, rng=rng, paths=4000)
    assert found == pytest.approx((360 - 1.645 * math.sqrt(400 * 0.09)) * 10 / 1000, rel=0.01)
    assert skip_trades(np.full(4, 10.0), 100.0, rng=rng, share=0.0) == pytest.approx(0.4)
    for nets, initial, share in ((np.zeros(0), 1.0, 0.1), (np.ones(3), 0.0, 0.1), (np.ones(3), 1.0, 1.0)):
        with pytest.raises(AlphintraError) as caught:
            skip_trades(nets, initial, rng=rng, share=share)
        assert caught.value.code == "BOOTSTRAP_RANGE"
