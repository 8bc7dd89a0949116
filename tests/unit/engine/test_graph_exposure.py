"""Exposed parameters: hashes without them stay, ranges and constraints are held against the parameters they turn."""

from __future__ import annotations

import json
from typing import Literal

import msgspec
import pytest

from alphintra.engine.graph import Graph, canonical_json, graph_hash, parse_graph, validate
from alphintra.engine.graph.exposure import CONSTRAINTS_MAX, EXPOSED_MAX, is_allowed, with_values
from alphintra.engine.graph.wire import Exposure
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError

BASE = crossover()
RANGE = Exposure(min=5, max=30, step=5)


def exposing(constraints: tuple[str, ...] = (), **exposed: Exposure) -> Graph:
    named = {name.replace("_", "."): exposure for name, exposure in exposed.items()}
    return msgspec.structs.replace(BASE, exposed=named, constraints=constraints)


@pytest.mark.parametrize(
    ("average", "expected"),
    [
        ("ema", "68b0f80bed158986381c3b32e8c5b3caecf9bb81aa8e4856829c18e311b2af12"),
        ("sma", "8eeb65d8e9b2437d97ca4cf95098783391ec8c926d669b1efd0ce2b8c09ce673"),
    ],
)
def test_the_hash_of_a_graph_that_exposes_nothing_is_what_it_always_was(
    average: Literal["ema", "sma"], expected: str
) -> None:
    assert graph_hash(crossover(average=average)) == expected
    assert set(json.loads(canonical_json(crossover(average=average)))) == {
        "edges",
        "name",
        "nodes",
        "schema",
        "timeframe",
    }


def test_what_is_exposed_belongs_to_the_hash() -> None:
    variants = [
        BASE,
        exposing(fast_period=RANGE),
        exposing(fast_period=Exposure(min=5, max=30, step=1)),
        exposing(fast_period=Exposure(min=6, max=30, step=5)),
        exposing(fast_period=Exposure(min=5, max=31, step=5)),
        exposing(slow_period=Exposure(min=5, max=60, step=5)),
        exposing(("fast.period < slow.period",)),
        exposing(("fast.period <= slow.period",)),
    ]
    assert all(validate(variant) == [] for variant in variants)
    assert len({graph_hash(variant) for variant in variants}) == len(variants)


def test_equal_exposures_hash_equally_however_they_are_written() -> None:
    first = exposing(("fast.period < slow.period",), size_percent=Exposure(min="10", max=100, step="5.0"))
    second = exposing(
        ("slow.period  >fast.period", "fast.period < slow.period"),
        size_percent=Exposure(min=10, max="100.00", step=5),
    )
    assert graph_hash(first) == graph_hash(second)
    assert json.loads(canonical_json(second))["exposed"] == {"size.percent": {"max": "100", "min": "10", "step": "5"}}
    assert json.loads(canonical_json(second))["constraints"] == ["fast.period < slow.period"]
    again = parse_graph(canonical_json(second))
    assert canonical_json(again) == canonical_json(second)


@pytest.mark.parametrize(
    ("exposed", "code", "pointer"),
    [
        ({"fast.perod": RANGE}, "FIELD_UNKNOWN", "/exposed/fast.perod"),
        ({"fats.period": RANGE}, "FIELD_UNKNOWN", "/exposed/fats.period"),
        ({"fast": RANGE}, "FIELD_UNKNOWN", "/exposed/fast"),
        ({"entry.tag": RANGE}, "FIELD_TYPE", "/exposed/entry.tag"),
        ({"fast.period": Exposure(min=0, max=30, step=5)}, "FIELD_RANGE", "/exposed/fast.period/min"),
        ({"fast.period": Exposure(min=5, max=10**9, step=5)}, "FIELD_RANGE", "/exposed/fast.period/max"),
        ({"fast.period": Exposure(min=5.5, max=30, step=5)}, "FIELD_TYPE", "/exposed/fast.period/min"),
        ({"fast.period": Exposure(min=True, max=30, step=5)}, "FIELD_TYPE", "/exposed/fast.period/min"),
        ({"fast.period": Exposure(min=30, max=5, step=5)}, "FIELD_RANGE", "/exposed/fast.period/max"),
        ({"fast.period": Exposure(min=21, max=30, step=5)}, "FIELD_RANGE", "/exposed/fast.period"),
        ({"fast.period": Exposure(min=5, max=19, step=5)}, "FIELD_RANGE", "/exposed/fast.period"),
        ({"fast.period": Exposure(min=5, max=30, step=0)}, "FIELD_RANGE", "/exposed/fast.period/step"),
        ({"fast.period": Exposure(min=5, max=30, step=-5)}, "FIELD_RANGE", "/exposed/fast.period/step"),
        ({"fast.period": Exposure(min=5, max=30, step=0.5)}, "FIELD_RANGE", "/exposed/fast.period/step"),
        ({"fast.period": Exposure(min=5, max=30, step=True)}, "FIELD_RANGE", "/exposed/fast.period/step"),
        ({"size.percent": Exposure(min="10", max="99", step=0.5)}, "FIELD_RANGE", "/exposed/size.percent/step"),
        ({"size.percent": Exposure(min="10", max="99", step="1e9")}, "FIELD_RANGE", "/exposed/size.percent/step"),
        ({"size.percent": Exposure(min="ten", max="99", step="1")}, "NUMBER_FORMAT", "/exposed/size.percent/min"),
        ({f"n{index}.period": RANGE for index in range(EXPOSED_MAX + 1)}, "GRAPH_TOO_LARGE", "/exposed"),
    ],
)
def test_a_range_that_does_not_fit_its_parameter_is_a_problem(
    exposed: dict[str, Exposure], code: str, pointer: str
) -> None:
    (problem,) = validate(msgspec.structs.replace(BASE, exposed=exposed))
    assert (problem.code, problem.pointer) == (code, pointer)
    assert problem.message
    assert problem.fix


@pytest.mark.parametrize(
    ("constraint", "code"),
    [
        ("fast.period", "CONSTRAINT_FORMAT"),
        ("fast.period < 50", "CONSTRAINT_FORMAT"),
        ("fast.period = slow.period", "CONSTRAINT_FORMAT"),
        ("fast.period < slow.period < x.period", "CONSTRAINT_FORMAT"),
        ("__import__('os').x < slow.period", "CONSTRAINT_FORMAT"),
        ("fast.period < slow.perod", "FIELD_UNKNOWN"),
        ("fast.period < entry.tag", "FIELD_UNKNOWN"),
        ("slow.period < fast.period", "CONSTRAINT_BROKEN"),
        ("slow.period <= fast.period", "CONSTRAINT_BROKEN"),
        ("fast.period > slow.period", "CONSTRAINT_BROKEN"),
        ("fast.period >= slow.period", "CONSTRAINT_BROKEN"),
        ("fast.period < fast.period", "CONSTRAINT_BROKEN"),
    ],
)
def test_a_constraint_that_is_no_comparison_or_does_not_hold_is_a_problem(constraint: str, code: str) -> None:
    (problem,) = validate(exposing((constraint,)))
    assert (problem.code, problem.pointer) == (code, "/constraints/0")
    assert problem.fix


def test_too_many_constraints_are_one_problem() -> None:
    (problem,) = validate(exposing(("fast.period < slow.period",) * (CONSTRAINTS_MAX + 1)))
    assert (problem.code, problem.pointer) == ("GRAPH_TOO_LARGE", "/constraints")


def test_the_ends_of_a_range_belong_to_it() -> None:
    assert validate(exposing(fast_period=Exposure(min=20, max=20, step=1))) == []
    assert validate(exposing(("fast.period <= fast.period",))) == []


def test_values_of_a_search_are_put_into_the_graph_and_held_against_its_constraints() -> None:
    base = exposing(("fast.period < slow.period",), fast_period=RANGE)
    turned = with_values(base, {"fast.period": 10, "slow.period": 40})
    assert {node.id: node.params for node in turned.nodes}["fast"] == {"period": 10}
    assert graph_hash(with_values(turned, {"fast.period": 20, "slow.period": 50})) == graph_hash(base)
    assert is_allowed(base, {"fast.period": 49})
    assert not is_allowed(base, {"fast.period": 50})
    assert not is_allowed(base, {"fast.period": 30, "slow.period": 30})
    with pytest.raises(AlphintraError, match="FIELD_UNKNOWN"):
        with_values(base, {"fast.perod": 10})


@pytest.mark.parametrize(
    ("exposed", "code", "pointer"),
    [
        ({"fast.period": {"min": 5, "max": 30}}, "FIELD_REQUIRED", "/exposed/fast.period/step"),
        ({"fast.period": {"min": 5, "max": 30, "stp": 5}}, "FIELD_UNKNOWN", "/exposed/fast.period/stp"),
        ({"slow.period": {"min": 5, "max": 60, "step": 5}, "fast.period": 7}, "FIELD_TYPE", "/exposed/fast.period"),
        ([], "FIELD_TYPE", "/exposed"),
    ],
)
def test_an_exposure_written_wrongly_is_refused_where_it_stands(exposed: object, code: str, pointer: str) -> None:
    document = json.loads(msgspec.json.encode(BASE)) | {"exposed": exposed}
    with pytest.raises(AlphintraError) as caught:
        parse_graph(json.dumps(document).encode())
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
