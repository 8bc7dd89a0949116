"""A sweep turns what the strategy exposes, keeps the strategy's rules, and counts what they refuse."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import msgspec
import pytest

from alphintra.engine.graph import Graph, compile_plan
from alphintra.engine.graph.wire import Exposure
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.search import with_point
from alphintra.strategy.domain.sweeps import Range, StoredTrial, SweepPlan, space_of, surface_of, with_exposed

PLAN = SweepPlan(
    parameters=(), constraints=(), method="grid", trials=1, seed=0, objective="sharpe", holdout=Decimal("0.2")
)
FAST = Range(name="fast.period", min=Decimal(2), max=Decimal(8), step=Decimal(2))
SLOW = Range(name="slow.period", min=Decimal(4), max=Decimal(12), step=Decimal(4))


def exposing(**constraints: tuple[str, ...]) -> Graph:
    exposed = {
        "fast.period": Exposure(min=2, max=8, step=2),
        "slow.period": Exposure(min=4, max=12, step=4),
    }
    return msgspec.structs.replace(crossover(3, 9), exposed=exposed, **constraints)


def test_a_sweep_without_parameters_turns_those_the_strategy_exposes() -> None:
    plan = with_exposed(PLAN, exposing())
    assert plan.parameters == (FAST, SLOW)
    named = msgspec.structs.replace(PLAN, parameters=(FAST,))
    assert with_exposed(named, exposing()) is named
    with pytest.raises(AlphintraError) as caught:
        with_exposed(PLAN, crossover(3, 9))
    assert caught.value.code == "SWEEP_RANGE"


def test_the_strategy_s_rules_hold_and_what_they_refuse_is_counted() -> None:
    graph = exposing(constraints=("fast.period < slow.period",))
    space = space_of(with_exposed(PLAN, graph), graph)
    points = {(int(p["fast.period"]), int(p["slow.period"])) for p in space.grid()}
    every = set(product((2, 4, 6, 8), (4, 8, 12)))
    assert points == {(fast, slow) for fast, slow in every if fast < slow}
    assert space.refused() == len(every) - len(points) == 4


def test_a_rule_holds_against_the_value_a_parameter_keeps() -> None:
    """Only fast is turned; slow stays at 9, so that 10 and 12 are refused."""
    graph = exposing(constraints=("fast.period < slow.period",))
    wide = Range(name="fast.period", min=Decimal(2), max=Decimal(12), step=Decimal(2))
    space = space_of(msgspec.structs.replace(PLAN, parameters=(wide,)), graph)
    assert [int(point["fast.period"]) for point in space.grid()] == [2, 4, 6, 8]
    assert space.refused() == 2


def test_too_many_points_are_not_counted() -> None:
    wide = tuple(Range(name=each, min=Decimal(2), max=Decimal(400), step=Decimal(1)) for each in (FAST.name, SLOW.name))
    space = space_of(msgspec.structs.replace(PLAN, parameters=wide), crossover(3, 9))
    assert space.refused() is None


def test_scores_are_told_by_the_places_of_their_values() -> None:
    graph = exposing(constraints=("fast.period < slow.period",))
    space = space_of(with_exposed(PLAN, graph), graph)
    trials = [
        StoredTrial(
            number=number,
            parameters=dict(point),
            start=None,
            end=None,
            score=None if number == 0 else float(number),
            metrics={},
            returns=b"",
            error_code="",
        )
        for number, point in enumerate(space.grid())
    ]
    found = surface_of(space, trials)
    assert found["values"] == {"fast.period": ["2", "4", "6", "8"], "slow.period": ["4", "8", "12"]}
    told = {tuple(row[:2]): row[2] for row in found["rows"]}
    assert told[0, 0] is None
    assert told[3, 2] == len(trials) - 1
    assert found["plateau"]["steadiest"]["number"] in range(len(trials))
    nothing = surface_of(space, trials[:1])
    assert nothing["plateau"] is None


def test_a_value_beyond_the_exposed_range_may_be_run_and_one_within_it_leaves_the_range() -> None:
    beyond = with_point(exposing(), {"fast.period": Decimal(10), "slow.period": Decimal(12)})
    assert sorted(beyond.exposed) == ["slow.period"]
    compile_plan(beyond)
    assert with_point(exposing(), {"fast.period": Decimal(8)}).exposed == exposing().exposed
