"""Columns are joined to at most 5,000 points, and no extreme gets lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.strategy.domain.courses import POINTS_MAX, Joints, carried, falls_of


@given(st.integers(0, 40_000))
def test_joints_cover_every_point_once_and_are_never_too_many(count: int) -> None:
    joints = Joints(count)
    assert joints.last.size == joints.first.size <= POINTS_MAX
    covered = [place for a, b in zip(joints.first, joints.last, strict=True) for place in range(a, b + 1)]
    assert covered == list(range(count))
    sizes = (joints.last - joints.first + 1).tolist()
    assert all(size == joints.stride for size in sizes[1:])


def test_the_extremes_stay_to_be_seen() -> None:
    values = np.zeros(12_345)
    values[[0, 777, 12_344]] = 9.0, -7.0, 3.0
    joints = Joints(values.size)
    assert (joints.stride, joints.last[-1]) == (3, 12_344)
    assert (joints.highest(values).max(), joints.lowest(values).min()) == (9.0, -7.0)
    assert joints.total(values).sum() == pytest.approx(values.sum())
    assert joints.highest(values)[-1] == 3.0


def test_a_value_holds_until_a_newer_one_is_known() -> None:
    known, values = np.array([10, 20]), np.array([1.0, 2.0])
    assert carried(np.array([9, 10, 19, 20, 99]), known, values, before=5.0).tolist() == [5.0, 1.0, 1.0, 2.0, 2.0]
    assert carried(np.array([9]), known[:0], values[:0], before=5.0).tolist() == [5.0]


def test_a_fall_counts_from_the_start_too() -> None:
    assert falls_of(np.array([80.0, 120.0, 60.0]), before=100.0).tolist() == pytest.approx([-0.2, 0.0, -0.5])
    assert falls_of(np.array([0.0]), before=0.0).tolist() == [0.0]
