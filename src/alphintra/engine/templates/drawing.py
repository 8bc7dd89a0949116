"""Drawing a graph in code: nodes with their wires, laid out from left to right as they depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.wire import Edge, Graph, Node

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import ParamValue

__all__ = ["Drawing"]

_COLUMN, _FRAME, _PORT, _GRID = 240.0, 96.0, 20.0, 16.0  # as the editor draws them


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
        below: dict[int, float] = {}
        layout: dict[str, tuple[float, float]] = {}
        for node in self._nodes:
            column = self._columns[node.id]
            layout[node.id] = (column * _COLUMN, below.get(column, 0.0))
            below[column] = layout[node.id][1] + _height(node)
        return Graph(
            name=self._name,
            timeframe=self._timeframe,
            nodes=tuple(self._nodes),
            edges=tuple(self._edges),
            layout=layout,
        )


def _height(node: Node) -> float:
    """Return how much room a node takes in its column, in whole steps of the grid."""
    definition = node_type(node.type, node.version)
    ports = 1 if definition is None else max(len(definition.inputs), len(definition.outputs), 1)
    return -(-(_FRAME + ports * _PORT) // _GRID) * _GRID
