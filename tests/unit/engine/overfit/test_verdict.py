"""Windows do not leak, the holdout is the newest fifth, stress tries what it says, and green needs everything."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.overfit.stress import judge_stress, stress_plan
from alphintra.engine.overfit.verdict import Colour, Evidence, Thresholds, judge
from alphintra.engine.overfit.windows import holdout_start, parameter_stability, stitch, walk_forward_windows
from alphintra.kernel.errors import AlphintraError

GOOD = Evidence(dsr=0.97, trials=9, pbo=0.1, oos_sharpe=1.0, oos_t=2.5, trades=150, stress=1.0)


LENGTHS = st.tuples(st.integers(1, 60), st.integers(1, 40), st.integers(0, 20), st.integers(0, 200), st.integers(0, 9))


@given(LENGTHS, st.sampled_from(["anchored", "rolling"]))
def test_tests_follow_their_training_and_never_overlap(lengths: tuple[int, int, int, int, int], kind: str) -> None:
    train, test, warm_up, rest, pause = lengths
    is_anchored = kind == "anchored"
    bars = warm_up + train + 1 + rest
    windows = walk_forward_windows(
        bars, train=train, test=test, step=test + pause, warm_up=warm_up, is_anchored=is_anchored
    )
    for window in windows:
        assert window.train_end == window.test_start < window.test_end <= bars
        assert window.test_start - window.test_from == warm_up == window.train_start - window.train_from
        assert window.train_start == warm_up if is_anchored else window.train_end - window.train_start == train
    for before, after in pairwise(windows):
        assert after.test_start == before.test_start + test + pause >= before.test_end
    assert windows[-1].test_end == bars or pause


def test_tests_that_join_cover_all_that_follows_the_first_training() -> None:
    windows = walk_forward_windows(100, train=30, test=20, warm_up=10)
    assert [(w.train_start, w.test_start, w.test_end) for w in windows] == [(10, 40, 60), (30, 60, 80), (50, 80, 100)]
    anchored = walk_forward_windows(100, train=30, test=20, warm_up=10, is_anchored=True)
    assert [(w.train_from, w.train_start, w.train_end) for w in anchored] == [(0, 10, 40), (0, 10, 60), (0, 10, 80)]


@pytest.mark.parametrize(("train", "test", "step"), [(0, 5, 5), (5, 0, 5), (5, 5, 4), (100, 5, 5)])
def test_windows_that_cannot_be_are_refused(train: int, test: int, step: int) -> None:
    with pytest.raises(AlphintraError, match="WINDOW_RANGE"):
        walk_forward_windows(100, train=train, test=test, step=step)


def test_the_holdout_is_the_newest_fifth() -> None:
    assert [holdout_start(bars) for bars in (0, 1, 5, 15, 101)] == [0, 0, 4, 12, 80]
    assert (holdout_start(10, 0.0), holdout_start(100, 0.07)) == (10, 93)  # 0.07 * 100 is above 7 in floats
    with pytest.raises(AlphintraError, match="HOLDOUT_RANGE"):
        holdout_start(10, 1.0)


def test_stitched_tests_by_hand() -> None:
    outside = [np.array([0.01, -0.02]), np.array([0.03, 0.01])]
    got = stitch(outside, [np.array([0.02, 0.01]), np.array([0.01])], periods=252)
    joined = np.array([0.01, -0.02, 0.03, 0.01])
    per_day = joined.mean() / joined.std(ddof=1)
    assert got.days == 4
    assert got.sharpe == pytest.approx(per_day * math.sqrt(252))
    assert got.t == pytest.approx(per_day * 2)
    assert got.total_return == pytest.approx(1.01 * 0.98 * 1.03 * 1.01 - 1)
    assert got.profitable == 0.5
    assert got.efficiency == pytest.approx(joined.mean() / (0.04 / 3))


def test_efficiency_says_nothing_of_a_training_that_lost() -> None:
    assert stitch([np.array([0.01, 0.02])], [np.array([-0.01, 0.0])], periods=252).efficiency is None
    with pytest.raises(AlphintraError, match="WINDOW_RANGE"):
        stitch([], [], periods=252)


def test_a_parameter_is_stable_where_windows_agree() -> None:
    chosen = [{"fast": 5, "slow": 20}, {"fast": 5, "slow": 30}, {"fast": 6, "slow": 40}]
    assert parameter_stability(chosen) == {"fast": pytest.approx(2 / 3), "slow": pytest.approx(1 / 3)}


def test_stress_changes_one_thing_at_a_time() -> None:
    plan = stress_plan({"fast.period": 20, "stop.share": 0.05, "shift.n": 1}, ["A", "B"])
    kinds = [variant.kind for variant in plan]
    assert kinds == ["costs", "tick", "delay", *["noise"] * 3, *["parameter"] * 5, "start", "start", "symbol", "symbol"]
    changed = [dict(variant.parameters) for variant in plan if variant.kind == "parameter"]
    assert changed[:2] == [{"fast.period": 18}, {"fast.period": 22}]
    assert changed[2] == {"shift.n": 2}
    assert changed[3]["stop.share"] == pytest.approx(0.045)
    assert (plan[0].cost_factor, plan[1].extra_ticks, plan[2].entry_delay_bars) == (2.0, 1, 1)
    assert [variant.without_symbol for variant in plan[-2:]] == ["A", "B"]
    assert not [v for v in stress_plan({"on": True, "zero": 0.0}, ["A"]) if v.kind in {"parameter", "symbol"}]
    base = dataclasses.asdict(dataclasses.replace(plan[0], name="", kind="", cost_factor=1.0))
    for variant in plan:
        plain = dataclasses.asdict(variant)
        assert sum(plain[name] != base[name] for name in plain if name not in {"name", "kind", "seed"}) == 1


def test_what_did_not_gain_or_could_not_run_did_not_survive() -> None:
    got = judge_stress({"a": 0.1, "b": -0.2, "c": None, "d": 0.0})
    assert (got.share, got.failed, got.count) == (0.25, (("c", None), ("b", -0.2), ("d", 0.0)), 4)
    assert judge_stress({}).share == 0.0


def test_green_needs_every_piece_of_evidence() -> None:
    assert judge(GOOD).colour is Colour.GREEN
    for name in ("dsr", "pbo", "oos_sharpe", "oos_t", "stress"):
        lacking = dataclasses.replace(GOOD, **{name: None})  # type: ignore[arg-type]
        assert judge(lacking).colour is Colour.AMBER, name
    assert judge(Evidence()).colour is Colour.RED  # no trade at all


@pytest.mark.parametrize(
    ("change", "code", "colour"),
    [
        ({"dsr": 0.94}, "DSR", Colour.AMBER),
        ({"dsr": 0.49}, "DSR", Colour.RED),
        ({"pbo": 0.21}, "PBO", Colour.AMBER),
        ({"pbo": 0.51}, "PBO", Colour.RED),
        ({"oos_t": 1.9}, "WALK_FORWARD", Colour.AMBER),
        ({"oos_sharpe": 0.0, "oos_t": 3.0}, "WALK_FORWARD", Colour.RED),
        ({"trades": 99}, "TRADES", Colour.AMBER),
        ({"trades": 29}, "TRADES", Colour.RED),
        ({"stress": 0.99}, "STRESS", Colour.AMBER),
        ({"stress": 0.4}, "STRESS", Colour.RED),
        ({"unlocks": 2}, "HOLDOUT", Colour.AMBER),
    ],
)
def test_each_line_has_its_own_colour_and_the_worst_is_the_card_s(
    change: dict[str, float], code: str, colour: Colour
) -> None:
    card = judge(dataclasses.replace(GOOD, **change))  # type: ignore[arg-type]
    assert card.colour is colour
    assert [reason.code for reason in card.reasons if reason.colour is not Colour.GREEN] == [code]


def test_thresholds_are_the_reader_s_to_choose() -> None:
    assert judge(GOOD, Thresholds(trades_green=151)).colour is Colour.AMBER
    assert judge(GOOD, Thresholds(trades_green=500, trades_red=200)).colour is Colour.RED


@pytest.mark.parametrize(
    "placed",
    [
        {"dsr_green": 1.1},
        {"pbo_red": -0.1},
        {"stress_red": float("nan")},
        {"oos_t_green": -1.0},
        {"trades_red": 101},
        {"dsr_red": 0.96},
        {"pbo_green": 0.6},
        {"stress_green": 0.4},
    ],
)
def test_thresholds_that_cannot_be_are_refused(placed: dict[str, float]) -> None:
    with pytest.raises(AlphintraError) as caught:
        Thresholds(**placed)  # type: ignore[arg-type]
    assert caught.value.code == "THRESHOLD_RANGE"
