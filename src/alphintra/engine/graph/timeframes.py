"""Timeframes of nodes: which bars each is computed from, and where two of them meet without being converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.nodes.timeframes import BASE
from alphintra.engine.graph.problems import GraphProblem
from alphintra.engine.graph.topology import parents_of, topological_order
from alphintra.engine.graph.values import PortKind
from alphintra.engine.graph.wire import MINUTES, TIMEFRAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alphintra.engine.graph.definition import NodeType
    from alphintra.engine.graph.wire import Edge, Graph, Node

__all__ = ["node_timeframes", "timeframe_problems"]

_ACTING: Final = frozenset({PortKind.SIGNAL, PortKind.EXIT, PortKind.SIZE, PortKind.WEIGHTS})
_ALIGNS: Final = {PortKind.NUM: "Align", PortKind.BOOL: "AlignCondition", PortKind.EVENT: "AlignEvent"}


def node_timeframes(graph: Graph) -> dict[str, str]:
    """Return for each node of an acyclic graph the timeframe it is computed in, ``base`` or a longer one.

    A node has the timeframe of its inputs, the base where they differ. What reads nothing, such as a constant, has
    none.
    """
    nodes = {node.id: node for node in graph.nodes}
    parents = parents_of(graph)
    found: dict[str, str] = {}
    for node_id in topological_order(parents):
        node = nodes[node_id]
        definition = node_type(node.type, node.version)
        above = {found[parent] for parent in parents[node_id] if parent in found}
        own = "" if definition is None else _own(node, definition, graph.timeframe)
        timeframe = own or (BASE if len(above) > 1 else "".join(above))
        if timeframe:
            found[node_id] = timeframe
    return found


def timeframe_problems(graph: Graph) -> Iterator[GraphProblem]:
    """Check that each node reads one timeframe, that what orders reads the base, and that others are multiples."""
    nodes = {node.id: node for node in graph.nodes}
    found = node_timeframes(graph)
    for index, node in enumerate(graph.nodes):
        yield from _bars(index, node, graph.timeframe)
    for index, edge in enumerate(graph.edges):
        source, target = edge.source.partition(".")[0], edge.target.partition(".")[0]
        definition = node_type(nodes[target].type, nodes[target].version) if target in nodes else None
        if definition is None or definition.is_base or source not in found:
            continue
        wanted = BASE if _acts(definition) else found.get(target, found[source])
        if found[source] != wanted:
            yield _meeting(index, edge, given=found[source], definition=definition)


def _own(node: Node, definition: NodeType, base: str) -> str:
    """Return the timeframe a node has by itself, empty where its inputs decide."""
    if any(spec.name == "timeframe" for spec in definition.params):
        timeframe = node.params.get("timeframe", BASE)
        return str(timeframe) if timeframe in TIMEFRAMES and timeframe != base else BASE
    if definition.is_base or definition.is_source or _acts(definition):
        return BASE
    return BASE if definition.clock and not definition.inputs else ""


def _acts(definition: NodeType) -> bool:
    return any(port.kind in _ACTING for port in (*definition.inputs, *definition.outputs))


def _bars(index: int, node: Node, base: str) -> Iterator[GraphProblem]:
    timeframe = node.params.get("timeframe")
    if timeframe in TIMEFRAMES and base in TIMEFRAMES and MINUTES[str(timeframe)] % MINUTES[base]:
        longer = [name for name in TIMEFRAMES if MINUTES[name] % MINUTES[base] == 0]
        message = f"{node.id} asks for bars of {timeframe}, which are not made of the graph's bars of {base}"
        fix = f"choose one of {', '.join(longer)}, or give the graph a shorter timeframe"
        place = f"/nodes/{index}/params/timeframe"
        yield GraphProblem(
            code="GRAPH_TIMEFRAME", node=node.id, port="timeframe", message=message, fix=fix, pointer=place
        )


def _meeting(index: int, edge: Edge, *, given: str, definition: NodeType) -> GraphProblem:
    node, _, place = edge.target.partition(".")
    kind = next((port.kind for port in definition.inputs if port.name == place), PortKind.NUM)
    message = f"{edge.source} is computed on bars of {given}, but {node} on the graph's own"
    fix = f"put {_ALIGNS.get(kind, 'Align')} between: it carries what the last closed bar gave to the graph's own bars"
    return GraphProblem(
        code="GRAPH_TIMEFRAME", node=node, port=place, message=message, fix=fix, pointer=f"/edges/{index}"
    )
