"""A plateau is told from a needle by what lies beside the best trial."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from alphintra.engine.overfit.plateau import plateau_of
from alphintra.kernel.errors import AlphintraError

PLACES = np.array(list(product(range(5), range(5))))


def test_a_needle_has_neighbours_far_below_it_and_the_steadiest_lies_elsewhere() -> None:
    scores = np.where((PLACES >= 3).all(axis=1), 2.0, 0.0)  # a hill in one corner
    scores[0] = 9.0  # and a needle in the other
    found = plateau_of(PLACES, (5, 5), scores)
    assert (found.neighbours, found.median, found.share, found.positive) == (3, 0.0, 0.0, 0.0)
    assert PLACES[found.steadiest].min() >= 3
    assert found.steadiest_median == 2.0


def test_a_plateau_has_neighbours_like_itself() -> None:
    scores = 5.0 - 0.1 * np.abs(PLACES - 2).sum(axis=1)
    found = plateau_of(PLACES, (5, 5), scores)
    assert found.neighbours == 8
    assert found.share == pytest.approx(4.85 / 5.0)
    assert found.positive == 1.0
    assert tuple(PLACES[found.steadiest]) == (2, 2)


def test_a_tenth_of_a_wide_range_is_near() -> None:
    places = np.arange(101).reshape(-1, 1)
    found = plateau_of(places, (101,), np.where(places[:, 0] == 50, 1.0, 0.5))
    assert (found.neighbours, found.share) == (20, 0.5)


def test_a_loss_has_no_share_and_a_lonely_trial_no_neighbours() -> None:
    assert plateau_of(PLACES, (5, 5), np.full(25, -1.0)).share is None
    alone = plateau_of(np.array([[0, 0], [4, 4]]), (5, 5), np.array([1.0, 2.0]))
    assert (alone.neighbours, alone.median, alone.positive, alone.steadiest) == (0, None, None, 1)


@pytest.mark.parametrize(
    ("places", "scores"), [(np.zeros((0, 2)), []), (np.zeros((1, 1)), [1.0]), (np.zeros((1, 2)), [np.nan])]
)
def test_what_makes_no_surface_is_refused(places: object, scores: list[float]) -> None:
    with pytest.raises(AlphintraError) as caught:
        plateau_of(np.asarray(places, dtype=np.int64), (3, 3), np.array(scores))
    assert caught.value.code == "PLATEAU_RANGE"
