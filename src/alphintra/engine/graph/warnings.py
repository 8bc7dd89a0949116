"""What to mind in a graph though it may run: found without data, told beside the problems, refusing nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.catalogue import latest_version
from alphintra.engine.graph.problems import GraphProblem

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from alphintra.engine.graph.wire import Graph

__all__ = ["graph_warnings"]

TRADES_PER_PARAMETER: Final = 30
"""Trades that a backtest should have for each parameter a search turns; below that the best result is luck."""


def graph_warnings(graph: Graph) -> Iterator[GraphProblem]:
    """Yield warnings in the order of the nodes; codes NODE_OUTDATED, NODE_TWIN and FREE_PARAMETERS."""
    yield from _outdated(graph)
    yield from _twins(graph)
    if graph.exposed:
        count = len(graph.exposed)
        message = (
            f"a search over {count} exposed parameters needs some {TRADES_PER_PARAMETER * count} trades to mean much"
        )
        yield GraphProblem(
            code="FREE_PARAMETERS", message=message, fix="expose fewer, or test over more bars", pointer="/exposed"
        )


def _outdated(graph: Graph) -> Iterator[GraphProblem]:
    for index, node in enumerate(graph.nodes):
        latest = latest_version(node.type)
        if latest is not None and node.version < latest:
            message = f"{node.type} has version {latest}, this graph keeps the meaning of version {node.version}"
            yield GraphProblem(
                code="NODE_OUTDATED",
                node=node.id,
                message=message,
                fix=f"write version {latest} and compare a backtest",
                pointer=f"/nodes/{index}/version",
            )


def _twins(graph: Graph) -> Iterator[GraphProblem]:
    """Find nodes that compute the very same: of one type, with equal parameters, fed by equal wires."""
    feeds: dict[str, set[tuple[str, str]]] = defaultdict(set)
    readers: set[str] = set()
    for edge in graph.edges:
        target, _, port = edge.target.partition(".")
        feeds[target].add((port, edge.source))
        readers.add(edge.source.partition(".")[0])
    seen: dict[Hashable, str] = {}
    for index, node in enumerate(graph.nodes):
        if node.id not in readers:
            continue  # what ends here may well be there twice: two plots of one line
        params = tuple(sorted((name, repr(value)) for name, value in node.params.items()))
        first = seen.setdefault((node.type, node.version, params, frozenset(feeds[node.id])), node.id)
        if first != node.id:
            message = f"{node.id} computes the same as {first}"
            fix = f"wire {first} in its place and remove it"
            yield GraphProblem(code="NODE_TWIN", node=node.id, message=message, fix=fix, pointer=f"/nodes/{index}")
