"""Drawing a graph in code: nodes with their wires, laid out from left to right as they depend on each other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from alphintra.engine.graph.wire import Edge, Graph, Node

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import ParamValue

__all__ = ["Drawing"]

_COLUMN, _ROW = 220.0, 120.0


class Drawing:
    """A graph under construction.

    Args:
        name: for people.
        timeframe: base interval.
    """

    def __init__(self, name: str, *, timeframe: str) -> None:
        self._name = name
        self._timeframe = timeframe
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []
        self._columns: dict[str, int] = {}

    def add(self, node: str, kind: str, wires: dict[str, str] | None = None, **params: ParamValue) -> None:
        """Add a node; ``wires`` names for each input the ``node.port`` it reads, several ones with a comma between."""
        sources = [(port, end.strip()) for port, ends in (wires or {}).items() for end in ends.split(",")]
        self._nodes.append(Node(id=node, type=kind, params=params))
        self._edges += [Edge(source=end, target=f"{node}.{port}") for port, end in sources]
        above = [self._columns[end.partition(".")[0]] for _, end in sources]
        self._columns[node] = max(above, default=-1) + 1

    def graph(self) -> Graph:
        """Return what was drawn."""
        rows: Counter[int] = Counter()
        layout: dict[str, tuple[float, float]] = {}
        for node, column in self._columns.items():
            layout[node] = (column * _COLUMN, rows[column] * _ROW)
            rows[column] += 1
        return Graph(
            name=self._name,
            timeframe=self._timeframe,
            nodes=tuple(self._nodes),
            edges=tuple(self._edges),
            layout=layout,
        )
