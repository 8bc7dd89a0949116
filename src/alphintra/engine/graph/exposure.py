"""Exposed parameters: which numbers of a graph a search may turn, how far, and what must hold between them.

A graph names them in ``exposed``, by ``node.param``, and may add ``constraints`` such as ``fast.period < slow.period``.
Both belong to the canonical form only where there are any, so that a graph without them keeps its hash.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.params import ParamKind, normalise
from alphintra.engine.graph.parsing import closest
from alphintra.engine.graph.problems import GraphProblem
from alphintra.engine.graph.wire import Exposure
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from alphintra.engine.graph.params import ParamSpec
    from alphintra.engine.graph.wire import Graph, Node, ParamValue

__all__ = [
    "CONSTRAINTS_MAX",
    "EXPOSED_MAX",
    "canonical_constraints",
    "canonical_exposed",
    "exposed_numbers",
    "exposure_problems",
    "is_allowed",
    "with_values",
]

EXPOSED_MAX: Final = 32
CONSTRAINTS_MAX: Final = 32
_TURNABLE: Final = frozenset({ParamKind.INT, ParamKind.NUMBER, ParamKind.DECIMAL})
_CONSTRAINT: Final = re.compile(
    r"\s*([A-Za-z][\w-]{0,63}\.\w{1,64})\s*(<=|>=|<|>)\s*([A-Za-z][\w-]{0,63}\.\w{1,64})\s*"
)


def exposure_problems(graph: Graph) -> Iterator[GraphProblem]:
    """Yield what keeps the exposed parameters of a graph from being searched.

    Codes: GRAPH_TOO_LARGE, FIELD_UNKNOWN, FIELD_TYPE, FIELD_RANGE, NUMBER_*, CONSTRAINT_FORMAT and CONSTRAINT_BROKEN.
    """
    for what, count, limit in (
        ("exposed", len(graph.exposed), EXPOSED_MAX),
        ("constraints", len(graph.constraints), CONSTRAINTS_MAX),
    ):
        if count > limit:
            message = f"{what} has {count} entries, more than {limit}"
            yield GraphProblem(
                code="GRAPH_TOO_LARGE", message=message, fix="keep those that matter", pointer=f"/{what}"
            )
            return
    for name, exposure in graph.exposed.items():
        yield from _exposed(graph, name, exposure)
    for index, text in enumerate(graph.constraints):
        yield from _constraint(graph, index, text)


def canonical_exposed(graph: Graph) -> dict[str, dict[str, ParamValue]]:
    """Return the exposed parameters with their numbers in the normal form of the parameter they turn."""
    return {
        name: {field: _written(graph, name, getattr(exposure, field)) for field in ("min", "max", "step")}
        for name, exposure in graph.exposed.items()
    }


def exposed_numbers(graph: Graph) -> list[dict[str, Any]]:
    """Return ``name``, own ``value``, ``min``, ``max`` and ``step`` of each exposed parameter of a valid graph."""
    return [
        {"name": name, "value": _value(graph, name)}
        | {field: _decimal(getattr(exposure, field)) for field in ("min", "max", "step")}
        for name, exposure in sorted(graph.exposed.items())
    ]


def canonical_constraints(graph: Graph) -> list[str]:
    """Return the constraints, each with the smaller side first, in order and without repetition."""
    return sorted({_smaller_first(text) for text in graph.constraints})


def with_values(graph: Graph, values: Mapping[str, ParamValue]) -> Graph:
    """Return the graph with other values of parameters, by ``node.param``.

    Raises:
        AlphintraError: FIELD_UNKNOWN for a name that no node of the graph has; values are checked by ``validate``.
    """
    given: dict[str, dict[str, ParamValue]] = {}
    for name, value in values.items():
        if _spec(graph, name) is None:
            raise AlphintraError("FIELD_UNKNOWN", f"the graph has no parameter {name[:130]!r}: {_hint(graph, name)}")
        node, _, param = name.partition(".")
        given.setdefault(node, {})[param] = value
    nodes = tuple(
        msgspec.structs.replace(node, params={**node.params, **given[node.id]}) if node.id in given else node
        for node in graph.nodes
    )
    return msgspec.structs.replace(graph, nodes=nodes)


def is_allowed(graph: Graph, values: Mapping[str, ParamValue]) -> bool:
    """Tell whether all constraints of a valid graph hold with these values in the place of its own."""
    return all(_holds(with_values(graph, values), text) for text in graph.constraints)


def _exposed(graph: Graph, name: str, exposure: Exposure) -> Iterator[GraphProblem]:
    node, _, param = name.partition(".")
    node, param, pointer = node[:64], param[:64], f"/exposed/{name[:130]}"
    spec = _spec(graph, name)
    if spec is None:
        message = f"{name[:130]!r} is no node.param of this graph"
        yield GraphProblem(
            code="FIELD_UNKNOWN", node=node, port=param, message=message, fix=_hint(graph, name), pointer=pointer
        )
        return
    if spec.kind not in _TURNABLE:
        fix = "expose parameters that are numbers"
        yield GraphProblem(
            code="FIELD_TYPE",
            node=node,
            port=param,
            message=f"{name} is a {spec.kind}, no number",
            fix=fix,
            pointer=pointer,
        )
        return
    ends: dict[str, Decimal] = {}
    for field in ("min", "max"):
        try:
            ends[field] = _decimal(normalise(spec, {spec.name: getattr(exposure, field)}))
        except AlphintraError as error:
            fix = f"{name}: {spec.allowed}"
            yield GraphProblem(
                code=error.code,
                node=node,
                port=param,
                message=f"{field}: {error.detail}",
                fix=fix,
                pointer=f"{pointer}/{field}",
            )
    step = _step(spec, exposure.step)
    if step is None:
        message = f"the step of {name} is {str(exposure.step)[:30]!r}"
        fix = f"give one above 0, {'a whole number' if spec.kind is ParamKind.INT else 'written like the parameter'}"
        yield GraphProblem(
            code="FIELD_RANGE", node=node, port=param, message=message, fix=fix, pointer=f"{pointer}/step"
        )
    if len(ends) == 2:  # noqa: PLR2004 - both ends are numbers
        yield from _range(graph, name, (ends["min"], ends["max"]), pointer)


def _range(graph: Graph, name: str, ends: tuple[Decimal, Decimal], pointer: str) -> Iterator[GraphProblem]:
    node, _, param = name.partition(".")
    low, high = ends
    if low > high:
        message = f"the range of {name} ends at {high} before it begins at {low}"
        yield GraphProblem(
            code="FIELD_RANGE", node=node, port=param, message=message, fix="swap min and max", pointer=f"{pointer}/max"
        )
        return
    own = _value(graph, name)
    if own is not None and not low <= own <= high:
        message = f"{name} is {own}, outside of its range {low} to {high}"
        yield GraphProblem(
            code="FIELD_RANGE",
            node=node,
            port=param,
            message=message,
            fix="widen the range or change the value",
            pointer=pointer,
        )


def _constraint(graph: Graph, index: int, text: str) -> Iterator[GraphProblem]:
    pointer = f"/constraints/{index}"
    parts = _CONSTRAINT.fullmatch(text)
    if parts is None:
        message = f"constraint {text[:60]!r} is not understood"
        fix = 'write two parameters with <, <=, > or >= between, e.g. "fast.period < slow.period"'
        yield GraphProblem(code="CONSTRAINT_FORMAT", message=message, fix=fix, pointer=pointer)
        return
    unknown = False
    for name in (parts[1], parts[3]):
        spec = _spec(graph, name)
        node, _, param = name.partition(".")
        if spec is None or spec.kind not in _TURNABLE:
            unknown = True
            message = f"{name!r} is no number among the parameters of this graph"
            yield GraphProblem(
                code="FIELD_UNKNOWN", node=node, port=param, message=message, fix=_hint(graph, name), pointer=pointer
            )
    if not unknown and not _holds(graph, text):
        node, _, param = parts[1].partition(".")
        message = f"{parts[1]} {_value(graph, parts[1])} and {parts[3]} {_value(graph, parts[3])} break {text[:140]!r}"
        fix = "change one of the values, or remove the constraint"
        yield GraphProblem(code="CONSTRAINT_BROKEN", node=node, port=param, message=message, fix=fix, pointer=pointer)


def _holds(graph: Graph, text: str) -> bool:
    """Tell whether a constraint holds; one that compares no numbers has been told of elsewhere."""
    parts = _CONSTRAINT.fullmatch(text)
    if parts is None:
        return True
    left, right = _value(graph, parts[1]), _value(graph, parts[3])
    if left is None or right is None:
        return True
    match parts[2]:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def _smaller_first(text: str) -> str:
    parts = _CONSTRAINT.fullmatch(text)
    if parts is None:
        return text
    left, sign, right = parts[1], parts[2], parts[3]
    return f"{right} {sign.replace('>', '<')} {left}" if ">" in sign else f"{left} {sign} {right}"


def _spec(graph: Graph, name: str) -> ParamSpec | None:
    node_id, _, param = name.partition(".")
    for node in graph.nodes:
        definition = node_type(node.type, node.version) if node.id == node_id else None
        for spec in definition.specs(node.params) if definition else ():
            if spec.name == param:
                return spec
    return None


def _value(graph: Graph, name: str) -> Decimal | None:
    """Return the number a graph gives a parameter, None where it is none: that is another problem's place."""
    spec = _spec(graph, name)
    node_id, _, _ = name.partition(".")
    params = next((node.params for node in graph.nodes if node.id == node_id), {})
    if spec is None or spec.kind not in _TURNABLE:
        return None
    try:
        return _decimal(normalise(spec, params))
    except AlphintraError:
        return None


def _step(spec: ParamSpec, step: ParamValue) -> Decimal | None:
    if isinstance(step, bool) or not isinstance(step, int | float | str):
        return None
    if spec.kind is ParamKind.INT and not isinstance(step, int):
        return None
    if isinstance(step, str) and (
        spec.kind is not ParamKind.DECIMAL or not re.fullmatch(r"[0-9]{1,30}(\.[0-9]{1,30})?", step)
    ):
        return None
    if isinstance(step, float) and spec.kind is ParamKind.DECIMAL:
        return None
    found = Decimal(str(step))
    return found if found.is_finite() and found > 0 else None


def _written(graph: Graph, name: str, value: ParamValue) -> ParamValue:
    """Return a number as the parameter's kind writes it; anything else as it is, for drafts have hashes too."""
    spec = _spec(graph, name)
    if spec is None or spec.kind not in _TURNABLE or isinstance(value, bool):
        return value
    if spec.kind is ParamKind.NUMBER and isinstance(value, int):
        return float(value)
    if spec.kind is ParamKind.DECIMAL and isinstance(value, int | str):
        number = _step(spec, value)
        return str(value) if number is None else f"{number.normalize():f}"
    return value


def _decimal(value: ParamValue) -> Decimal:
    return Decimal(str(value))


def _hint(graph: Graph, name: str) -> str:
    known = [f"{node.id}.{spec.name}" for node in graph.nodes for spec in _turnable(node)]
    return closest(name[:130], known) if known else "no node of this graph has a number to turn"


def _turnable(node: Node) -> list[ParamSpec]:
    definition = node_type(node.type, node.version)
    return [spec for spec in definition.specs(node.params) if spec.kind in _TURNABLE] if definition else []
