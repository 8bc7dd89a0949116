"""Ready-made strategies as graphs, the same a person would draw."""

from __future__ import annotations

from typing import Literal

from alphintra.engine.graph.wire import Edge, Graph, Node, ParamValue
from alphintra.kernel.errors import AlphintraError

__all__ = ["crossover"]


def crossover(
    fast: int = 20,
    slow: int = 50,
    *,
    average: Literal["ema", "sma"] = "ema",
    percent: str = "95",
    timeframe: str = "1d",
) -> Graph:
    """Return the moving-average crossover: long while the fast average is above the slow one.

    Enters with ``percent`` of equity when the fast average crosses above the slow one, leaves when it crosses
    below; market orders for the day.

    Raises:
        AlphintraError: FIELD_RANGE unless fast is shorter than slow, FIELD_CHOICE for another average.
    """
    if average not in {"ema", "sma"}:
        raise AlphintraError(
            "FIELD_CHOICE", f'average {average!r} is not known: use "ema" or "sma"', pointer="/average"
        )
    if not fast < slow:
        message = f"fast ({fast}) must be shorter than slow ({slow})"
        raise AlphintraError("FIELD_RANGE", message, pointer="/fast")
    kind = average.upper()
    nodes = (
        _node("bars", "Bars"),
        _node("fast", kind, period=fast),
        _node("slow", kind, period=slow),
        _node("cross_above", "CrossAbove"),
        _node("cross_below", "CrossBelow"),
        _node("entry", "Entry", tag="crossover"),
        _node("leave", "ExitWhen", tag="cross below"),
        _node("size", "PercentEquity", percent=percent),
        _node("order", "Order", type="market", tif="day"),
        _node("plot_fast", "Plot", pane="price"),
        _node("plot_slow", "Plot", pane="price"),
    )
    wires = (
        ("bars.close", "fast.in"),
        ("bars.close", "slow.in"),
        ("fast.out", "cross_above.a"),
        ("slow.out", "cross_above.b"),
        ("fast.out", "cross_below.a"),
        ("slow.out", "cross_below.b"),
        ("cross_above.out", "entry.when"),
        ("cross_below.out", "leave.when"),
        ("entry.signal", "size.signal"),
        ("size.size", "order.size"),
        ("leave.exit", "order.exit"),
        ("fast.out", "plot_fast.value"),
        ("slow.out", "plot_slow.value"),
    )
    return Graph(
        name=f"{kind} {fast}/{slow} crossover",
        timeframe=timeframe,
        nodes=nodes,
        edges=tuple(Edge(source=source, target=target) for source, target in wires),
        layout={node.id: place for node, place in zip(nodes, _PLACES, strict=True)},
    )


_PLACES = (
    (0.0, 160.0),
    (220.0, 60.0),
    (220.0, 260.0),
    (440.0, 60.0),
    (440.0, 260.0),
    (660.0, 60.0),
    (660.0, 260.0),
    (880.0, 60.0),
    (1100.0, 160.0),
    (440.0, -80.0),
    (440.0, 400.0),
)


def _node(name: str, kind: str, **params: ParamValue) -> Node:
    return Node(id=name, type=kind, params=params)
