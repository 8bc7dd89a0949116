"""What orders are told: where one waits for its price, and what there is to close or to take off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.problems import GraphProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alphintra.engine.graph.wire import Graph, Node

__all__ = ["acting_problems", "pricing_problems"]

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
        if node.type == "Order":
            yield from _adding(node, is_wired=f"{node.id}.add" in wired)


def _adding(node: Node, *, is_wired: bool) -> Iterator[GraphProblem]:
    """Check that what adds to a position says when and how often."""
    entries = node.params.get("entries", 1)
    if not isinstance(entries, int) or is_wired is (entries > 1):
        return
    message = (
        f"{node.id} may add to its position, but nothing says when"
        if entries > 1
        else f"{node.id} is told when to add to its position, but may enter once only"
    )
    fix = "wire a condition to add, or leave entries out" if entries > 1 else "write entries: how many there may be"
    yield GraphProblem(code="GRAPH_INCOMPLETE", node=node.id, port="add", message=message, fix=fix)


def acting_problems(graph: Graph) -> Iterator[GraphProblem]:
    """Yield what Close and CancelTagged nodes have nothing to act upon; code GRAPH_INCOMPLETE."""
    orders = [node for node in graph.nodes if node.type == "Order"]
    tags = {str(node.params.get("tag", "")) for node in graph.nodes if node.type == "Entry"}
    for node in graph.nodes:
        message = fix = ""
        if node.type == "Close" and not orders:
            message = f"{node.id} closes what Order nodes hold, and there is none"
            fix = "add an Order; what RebalanceTo holds is closed by weights of zero"
        elif node.type == "CancelTagged" and str(node.params.get("tag", "")) not in tags:
            message = f"no entry rule has the tag that {node.id} takes off"
            fix = f"write one of: {', '.join(sorted(tags))}" if tags else "add an Entry"
        elif node.type == "CancelTagged" and all(order.params.get("type") == "market" for order in orders):
            message = f"no order waits for its price, so that {node.id} never has anything to take off"
            fix = "choose limit or stop as the type of an Order, or remove it"
        if message:
            yield GraphProblem(code="GRAPH_INCOMPLETE", node=node.id, message=message, fix=fix)


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
