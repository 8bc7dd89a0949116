"""What each ready strategy lets a search turn: valid, around its own value, and small enough to try at once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from alphintra.engine.graph.exposure import is_allowed
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.graph.validation import validate
from alphintra.engine.templates import GALLERY
from alphintra.strategy.domain.search import values_between, with_point
from alphintra.strategy.domain.sweeps import SweepPlan, space_of, with_exposed

NAMES = sorted(GALLERY)


def swept(name: str) -> SweepPlan:
    plan = SweepPlan(
        parameters=(),
        constraints=(),
        method="grid",
        trials=100,
        seed=0,
        objective="sharpe",
        holdout=Decimal("0.2"),
    )
    return with_exposed(plan, GALLERY[name].graph)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_swept_without_naming_a_parameter(name: str) -> None:
    grid = space_of(swept(name), GALLERY[name].graph).grid()
    assert 10 <= len(grid) <= 300


@pytest.mark.parametrize("name", NAMES)
def test_a_template_stands_on_its_own_grid(name: str) -> None:
    """So that a sweep holds what the template is without one against every other choice."""
    graph = GALLERY[name].graph
    own = {f"{node.id}.{param}": value for node in graph.nodes for param, value in node.params.items()}
    for each in swept(name).parameters:
        assert Decimal(str(own[each.name])) in values_between(each.name, each.min, each.max, each.step), each.name


@pytest.mark.parametrize("name", NAMES)
def test_every_point_of_the_grid_is_a_strategy(name: str) -> None:
    graph = GALLERY[name].graph
    grid = space_of(swept(name), graph).grid()
    for point in (grid[0], grid[len(grid) // 2], grid[-1]):
        chosen = with_point(graph, point)
        assert validate(chosen) == []
        assert is_allowed(chosen, {})
        compile_plan(chosen)
