"""What the nodes of a graph that is being drawn give over some bars: of as much of it as can be computed already."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.evaluation import Evaluation, book_nodes
from alphintra.engine.graph.expression import PART_MARK
from alphintra.engine.graph.plan import plan_of
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.graph.topology import ancestors, parents_of
from alphintra.engine.graph.validation import faults
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.definition import NodeType
    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.graph.wire import Graph
    from alphintra.engine.sessions import Calendar

__all__ = ["Part", "Series", "bars_to_read", "computable", "series_of"]

VALUES_MAX: Final = 100_000
"""Values computed at most; where a graph has many nodes, they see fewer earlier bars."""
DIGITS: Final = 7
_BOOKLESS: Final = "it reads the position or the account, which a preview has none of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a graph can be computed: its plan, None where that is nothing, and why each other node cannot."""

    plan: Plan | None
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values of one output, oldest first, None where it had none; conditions are 1 and 0."""

    node: str
    port: str
    kind: str
    values: tuple[float | None, ...]


def computable(graph: Graph, only: Collection[str] = ()) -> Part:
    """Return the part of a graph that a preview over one symbol computes, without an account or a position.

    Args:
        graph: with problems or without.
        only: nodes that are asked for, with all that lead to them; all by default.

    Raises:
        AlphintraError: the first problem that belongs to no single node.
    """
    part = msgspec.structs.replace(graph, name="preview", layout={}, exposed={}, constraints=())
    if only:
        known = parents_of(part)
        part = _without(part, set(known) - ancestors(known, [node for node in only if node in known]))
    left_out: dict[str, str] = {}
    while problems := faults(part):
        reasons: dict[str, str] = {}
        for problem in problems:
            reasons.setdefault(problem.node, problem.message)
        here = {node.id for node in part.nodes}
        if not here & set(reasons):
            raise AlphintraError(problems[0].code, problems[0].message, pointer=problems[0].pointer)
        part = _drop(part, {node: reason for node, reason in reasons.items() if node in here}, left_out)
    part = _drop(part, _unfit(part), left_out)
    if not part.nodes:
        return Part(plan=None, left_out=left_out)
    booked = {name.partition(PART_MARK)[0] for name in book_nodes(plan_of(part))}
    part = _drop(part, dict.fromkeys(booked, _BOOKLESS), left_out)
    return Part(plan=plan_of(part) if part.nodes else None, left_out=left_out)


def bars_to_read(plan: Plan, last: int) -> int:
    """Return how many bars to compute so that the last ones are as they are in a long run, within VALUES_MAX."""
    behind = max(step.warm_up_bars for step in plan.steps)
    return min(last + behind, max(last, VALUES_MAX // len(plan.steps)))


def series_of(plan: Plan, bars: Sequence[Bar], *, calendar: Calendar, last: int) -> tuple[Series, ...]:
    """Compute a plan's nodes as a strategy that runs does, and return the outputs of the last bars."""
    columns = Evaluation(plan).market(tape_of(bars, calendar), is_compiled=False)
    types = {step.node: node_type(step.type, step.version) for step in plan.steps}
    return tuple(
        Series(node=node, port=port, kind=_kind(types[node], port), values=_told(column[0, -last:]))
        for (node, port), column in columns.items()
        if PART_MARK not in node
    )


def _unfit(graph: Graph) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in graph.nodes:
        definition = node_type(node.type, node.version)
        if definition is None or definition.is_across or definition.of_symbols is not None:
            found[node.id] = "it compares symbols, and a preview has one"
        elif definition.is_open:
            found[node.id] = "its code runs in backtests and deployments only"
    return found


def _drop(graph: Graph, reasons: Mapping[str, str], left_out: dict[str, str]) -> Graph:
    """Return a graph without some nodes and all that depend on them; each is noted with its reason."""
    parents = parents_of(graph)
    gone = dict(reasons)
    waiting = list(reasons)
    while waiting:
        above = waiting.pop()
        for node, ends in parents.items():
            if above in ends and node not in gone:
                gone[node] = f"it waits for {above}"
                waiting.append(node)
    left_out.update(gone)
    return _without(graph, gone)


def _without(graph: Graph, gone: Collection[str]) -> Graph:
    return msgspec.structs.replace(
        graph,
        nodes=tuple(node for node in graph.nodes if node.id not in gone),
        edges=tuple(
            edge
            for edge in graph.edges
            if edge.source.partition(".")[0] not in gone and edge.target.partition(".")[0] not in gone
        ),
    )


def _kind(definition: NodeType | None, port: str) -> str:
    ports = () if definition is None else (*definition.outputs, *definition.inputs)
    return next((each.kind.value for each in ports if each.name == port), "")


def _told(values: Collection[float]) -> tuple[float | None, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values)
