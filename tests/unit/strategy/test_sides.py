"""Two strategies of one account hinder each other where they may hold opposite sides and one relies on exits."""

from __future__ import annotations

import pytest

from alphintra.engine.templates import GALLERY
from alphintra.strategy.domain.sides import Stance, hinders, stance_of

LONG, SHORT, BOTH = (True, False), (False, True), (True, True)


@pytest.mark.parametrize(
    ("name", "stance"),
    [
        ("turtle", Stance(may_long=True, may_short=False, has_exits=True)),
        ("sma_crossover", Stance(may_long=True, may_short=False, has_exits=False)),
        ("grid", Stance(may_long=True, may_short=True, has_exits=False)),
    ],
)
def test_what_a_template_may_hold(name: str, stance: Stance) -> None:
    assert stance_of(GALLERY[name].graph) == stance


@pytest.mark.parametrize(
    ("one", "other", "has_exits", "is_hindered"),
    [
        (LONG, LONG, True, False),
        (LONG, SHORT, True, True),
        (LONG, SHORT, False, False),
        (LONG, BOTH, True, True),
        (SHORT, SHORT, True, False),
        (BOTH, BOTH, False, False),
    ],
)
def test_who_hinders_whom(
    one: tuple[bool, bool], other: tuple[bool, bool], *, has_exits: bool, is_hindered: bool
) -> None:
    guarded, bare = Stance(*one, has_exits=has_exits), Stance(*other, has_exits=False)
    assert hinders(guarded, bare) is hinders(bare, guarded) is is_hindered
