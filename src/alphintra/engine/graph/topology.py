"""Order, cycles and depth of the wires between nodes, by node id only."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alphintra.engine.graph.wire import Graph

__all__ = ["ancestors", "cycles", "depth", "parents_of", "topological_order"]


def parents_of(graph: Graph) -> dict[str, frozenset[str]]:
    """Return for each node id the ids its inputs come from; wires to or from unknown nodes are left out."""
    found: dict[str, set[str]] = {node.id: set() for node in graph.nodes}
    for edge in graph.edges:
        source, target = edge.source.partition(".")[0], edge.target.partition(".")[0]
        if source in found and target in found:
            found[target].add(source)
    return {node: frozenset(above) for node, above in found.items()}


def topological_order(parents: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Return the nodes so that parents come first, ties by id; nodes on or behind a cycle are left out."""
    waiting = {node: len(above) for node, above in parents.items()}
    children = _children(parents)
    ready = [node for node, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        node = heapq.heappop(ready)
        order.append(node)
        for child in children[node]:
            waiting[child] -= 1
            if waiting[child] == 0:
                heapq.heappush(ready, child)
    return tuple(order)


def cycles(parents: Mapping[str, frozenset[str]]) -> tuple[tuple[str, ...], ...]:
    """Return cycles that share no node, each in the direction of the wires, until none is left."""
    found: list[tuple[str, ...]] = []
    remaining = dict(parents)
    while True:
        stuck = set(remaining) - set(topological_order(remaining))
        if not stuck:
            return tuple(found)
        path = [min(stuck)]
        while True:  # every stuck node has a stuck parent, so walking up must come back to the path
            parent = min(remaining[path[-1]] & stuck)
            if parent in path:
                loop = tuple(reversed(path[path.index(parent) :]))
                break
            path.append(parent)
        found.append(loop)
        remaining = {node: above - set(loop) for node, above in remaining.items() if node not in loop}


def depth(parents: Mapping[str, frozenset[str]]) -> int:
    """Return the number of nodes on the longest path of an acyclic graph."""
    levels: dict[str, int] = {}
    for node in topological_order(parents):
        levels[node] = 1 + max((levels[parent] for parent in parents[node]), default=0)
    return max(levels.values(), default=0)


def ancestors(parents: Mapping[str, frozenset[str]], of: Iterable[str]) -> frozenset[str]:
    """Return the given nodes and everything that leads to them."""
    seen: set[str] = set()
    waiting = list(of)
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting.extend(parents[node])
    return frozenset(seen)


def _children(parents: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {node: [] for node in parents}
    for node, above in parents.items():
        for parent in above:
            children[parent].append(node)
    return children
