"""What a sweep may try: values of exposed parameters, rules between them, and the graph each choice makes."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Final

import msgspec

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.params import ParamKind
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.graph.wire import Graph, Node, ParamValue
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import parse_decimal

__all__ = [
    "Constraint",
    "Point",
    "Space",
    "corner_warm_up",
    "numbers_of",
    "read_constraint",
    "values_between",
    "values_of",
    "with_point",
]

Point = Mapping[str, Decimal]

PARAMETERS_MAX: Final = 8
VALUES_MAX: Final = 1000
GRID_MAX: Final = 10_000
_CORNERS_MAX: Final = 64
_NUMBERS: Final = (ParamKind.INT, ParamKind.NUMBER, ParamKind.DECIMAL)
_RULES: Final = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule between two parameters, or a parameter and a number, such as ``fast.period < slow.period``."""

    left: str
    rule: str
    right: str

    def allows(self, point: Point) -> bool:
        """Tell whether a point keeps the rule; a name that is not in the point must be a number."""
        sides = [point[side] if side in point else parse_decimal(side) for side in (self.left, self.right)]
        return bool(_RULES[self.rule](*sides))


@dataclass(frozen=True, slots=True)
class Space:
    """The values each parameter may take, by ``node.param``, and the rules between them.

    ``fixed`` are the values of parameters that rules name and the search leaves alone.
    """

    values: dict[str, tuple[Decimal, ...]]
    constraints: tuple[Constraint, ...] = ()
    fixed: Mapping[str, Decimal] = field(default_factory=dict)

    def allows(self, point: Point) -> bool:
        """Tell whether a point keeps every rule."""
        whole = {**self.fixed, **point}
        return all(constraint.allows(whole) for constraint in self.constraints)

    def refused(self) -> int | None:
        """Return how many points the rules forbid; None where there are too many points to look at."""
        size = math.prod(len(values) for values in self.values.values())
        return None if size > GRID_MAX else sum(not self.allows(point) for point in self._points())

    def grid(self) -> tuple[dict[str, Decimal], ...]:
        """Return every allowed point in a fixed order. Raises SWEEP_RANGE for none or more than 10,000."""
        size = math.prod(len(values) for values in self.values.values())
        if size > GRID_MAX:
            message = (
                f"the grid has {size} points, at most {GRID_MAX} are tried: use larger steps or method random or tpe"
            )
            raise AlphintraError("SWEEP_RANGE", message, pointer="/parameters")
        found = tuple(point for point in self._points() if self.allows(point))
        if not found:
            raise AlphintraError("SWEEP_RANGE", "no point keeps every constraint: loosen one", pointer="/constraints")
        return found

    def corners(self) -> Iterator[dict[str, Decimal]]:
        """Yield the points at the ends of the ranges, at most 64."""
        ends = [(values[0], values[-1]) for values in self.values.values()]
        for number, choice in enumerate(product(*ends)):
            if number == _CORNERS_MAX:
                return
            yield dict(zip(self.values, choice, strict=True))

    def _points(self) -> Iterator[dict[str, Decimal]]:
        for choice in product(*self.values.values()):
            yield dict(zip(self.values, choice, strict=True))


def values_between(name: str, minimum: Decimal, maximum: Decimal, step: Decimal) -> tuple[Decimal, ...]:
    """Return minimum, minimum + step … up to maximum, exactly. Raises SWEEP_RANGE."""
    if step <= 0 or maximum < minimum:
        message = f"{name}: the step must be above zero and min not above max"
        raise AlphintraError("SWEEP_RANGE", message, pointer="/parameters")
    count = int((maximum - minimum) / step) + 1
    if count > VALUES_MAX:
        message = f"{name} has {count} values, at most {VALUES_MAX} are tried: use a larger step"
        raise AlphintraError("SWEEP_RANGE", message, pointer="/parameters")
    return tuple((minimum + step * number).normalize() for number in range(count))


def read_constraint(text: str, space: Mapping[str, object]) -> Constraint:
    """Read a rule such as ``fast.period < slow.period``. Raises CONSTRAINT_FORMAT."""
    for rule in _RULES:  # the longer ones come first
        left, found, right = (part.strip() for part in text.partition(rule))
        if found:
            break
    else:
        left = right = ""
        rule = ""
    if not rule or left not in space or not (right in space or _is_number(right)):
        message = f"{text[:60]!r} is no rule such as 'fast.period < slow.period' between parameters of the sweep"
        raise AlphintraError("CONSTRAINT_FORMAT", message, pointer="/constraints")
    return Constraint(left, rule, right)


def with_point(graph: Graph, point: Point, *, pointer: str = "/parameters") -> Graph:
    """Return the graph with numbers replaced, each written as its parameter is.

    A parameter that is taken out of the range the graph exposes it over is exposed no more: that range is for searches
    which name none, and forbids no run.

    Raises PARAMETER_UNKNOWN for a node, a parameter or a kind of parameter that cannot be set, and FIELD_TYPE for a
    fraction where a whole number belongs.
    """
    nodes = {node.id: node for node in graph.nodes}
    for name, value in point.items():
        node_id, _, param = name.partition(".")
        node = nodes.get(node_id)
        if node is None:
            message = f"there is no node {node_id[:60]!r}: the strategy has {', '.join(sorted(nodes))}"
            raise AlphintraError("PARAMETER_UNKNOWN", message, pointer=pointer)
        nodes[node_id] = _with_param(node, param, value, pointer=pointer)
    exposed = {
        name: told
        for name, told in graph.exposed.items()
        if name not in point or Decimal(str(told.min)) <= point[name] <= Decimal(str(told.max))
    }
    return msgspec.structs.replace(graph, nodes=tuple(nodes[node.id] for node in graph.nodes), exposed=exposed)


def values_of(graph: Graph, names: Sequence[str]) -> dict[str, Decimal]:
    """Return the present values of parameters that are numbers, by ``node.param``; others are left out."""
    steps = {step.node: step for step in compile_plan(graph).steps}
    found = {}
    for name in names:
        node, _, param = name.partition(".")
        step = steps.get(node)
        definition = None if step is None else node_type(step.type, step.version)
        if step is None or definition is None:
            continue
        if any(spec.name == param and spec.kind in _NUMBERS for spec in definition.params):
            found[name] = Decimal(str(step.params[param]))
    return found


def numbers_of(graph: Graph, names: Sequence[str]) -> dict[str, float]:
    """Return the present value of each number a stress test may nudge: whole ones as int. Raises PARAMETER_UNKNOWN."""
    plan = {step.node: step.params for step in compile_plan(graph).steps}
    found: dict[str, float] = {}
    for name in names:
        node, _, param = name.partition(".")
        value = plan[node][param]
        found[name] = float(value) if isinstance(value, str) else value
    return found


def corner_warm_up(graph: Graph, space: Space) -> int:
    """Return the longest warm-up, in bars, of the strategies at the corners of the space that can be compiled.

    Raises the first corner's problem where none can.
    """
    longest, first = -1, None
    for point in space.corners():
        if not space.allows(point):
            continue
        try:
            longest = max(longest, compile_plan(with_point(graph, point)).warm_up_bars)
        except AlphintraError as error:
            first = first or error
    if longest >= 0:
        return longest
    if first is not None:
        raise first
    return compile_plan(graph).warm_up_bars


def _with_param(node: Node, param: str, value: Decimal, *, pointer: str) -> Node:
    definition = node_type(node.type, node.version)
    declared = definition.specs(node.params) if definition else ()
    specs = {spec.name: spec for spec in declared if spec.kind in _NUMBERS}
    if param not in specs:
        known = ", ".join(sorted(specs)) or "none"
        message = f"node {node.id} ({node.type}) has no number {param[:60]!r} to set; it has: {known}"
        raise AlphintraError("PARAMETER_UNKNOWN", message, pointer=pointer)
    return msgspec.structs.replace(node, params={**node.params, param: _written(specs[param].kind, node, param, value)})


def _written(kind: ParamKind, node: Node, param: str, value: Decimal) -> ParamValue:
    if kind is ParamKind.DECIMAL:
        return f"{value:f}"
    if kind is ParamKind.NUMBER:
        return float(value)
    if value != int(value):
        message = f"{node.id}.{param} takes whole numbers, not {value}: use a whole min and step"
        raise AlphintraError("FIELD_TYPE", message, pointer="/parameters")
    return int(value)


def _is_number(text: str) -> bool:
    try:
        parse_decimal(text)
    except AlphintraError:
        return False
    return True
