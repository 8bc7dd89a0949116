"""What nodes of a graph that is being drawn give over the last bars of a symbol."""

from __future__ import annotations

from alphintra.kernel.messages import Command, Utc, View

__all__ = ["GraphPreviewView", "LeftOutView", "PreviewGraph", "PreviewSeriesView"]


class PreviewSeriesView(View, frozen=True):
    """Values of one output, oldest first; conditions are 1 and 0, None is no value yet."""

    node: str
    port: str
    kind: str
    values: tuple[float | None, ...]


class LeftOutView(View, frozen=True):
    """A node that cannot be computed yet, or not in a preview, and why."""

    node: str
    reason: str


class GraphPreviewView(View, frozen=True):
    """Outputs of nodes over the newest bars; ``times`` are the closes, ``bars_read`` counts those seen before, too."""

    symbol: str
    timeframe: str
    times: tuple[Utc, ...]
    series: tuple[PreviewSeriesView, ...]
    left_out: tuple[LeftOutView, ...]
    bars_read: int


class PreviewGraph(Command[GraphPreviewView], tag="strategy.preview_graph.v1", frozen=True):
    """Compute a graph, or some of its nodes, over the newest bars of a symbol; problems leave single nodes out."""

    graph: str
    symbol: str
    bars: int = 120
    nodes: tuple[str, ...] = ()
