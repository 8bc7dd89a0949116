"""Whether an order that waits for a price is told where: by a wire, or by how far from the close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.problems import GraphProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alphintra.engine.graph.wire import Graph, Node

__all__ = ["pricing_problems"]

_TAKES: Final = {
    "market": frozenset[str](),
    "limit": frozenset({"limit", "distance"}),
    "stop": frozenset({"stop", "distance"}),
    "stop_limit": frozenset({"limit", "stop", "distance"}),
}
_FIRST: Final = {"limit": "limit", "stop": "stop", "stop_limit": "stop"}


def pricing_problems(graph: Graph) -> Iterator[GraphProblem]:
    """Yield what is wrong with the prices of Order nodes; codes GRAPH_EDGE and GRAPH_INCOMPLETE."""
    wired = {edge.target for edge in graph.edges}
    for node in graph.nodes:
        if node.type == "Order" and str(node.params.get("type")) in _TAKES:
            given = {port for port in ("limit", "stop", "distance") if f"{node.id}.{port}" in wired}
            yield from _of(node, given)


def _of(node: Node, wired: set[str]) -> Iterator[GraphProblem]:
    kind = str(node.params["type"])
    for port in sorted(wired - _TAKES[kind]):
        message = f"a {kind} order takes no {port}, and {node.id} is given one"
        fix = "remove the wire, or choose another type"
        yield GraphProblem(code="GRAPH_EDGE", node=node.id, port=port, message=message, fix=fix)
    first = _FIRST.get(kind, "")
    if not first:
        return
    if first in wired and (wired & {"distance"} or "offset" in node.params):
        message = f"{node.id} is given both the price itself and how far from the close it lies"
        fix = f"keep the wire to {first}, or the distance and the offset"
        yield GraphProblem(code="GRAPH_EDGE", node=node.id, port=first, message=message, fix=fix)
    if first not in wired and "offset" not in node.params:
        message = f"nothing says where the {kind} order of {node.id} lies"
        fix = f"wire a price to {first}, or write offset: how far from the close"
        yield GraphProblem(code="GRAPH_INCOMPLETE", node=node.id, port=first, message=message, fix=fix)
    if kind == "stop_limit" and "limit" in wired and "through" in node.params:
        message = f"{node.id} is given both a limit and how far it lies beyond the stop"
        yield GraphProblem(
            code="GRAPH_EDGE", node=node.id, port="limit", message=message, fix="remove the wire, or through"
        )
