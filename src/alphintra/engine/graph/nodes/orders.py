"""Nodes that order, and nodes that show."""

from __future__ import annotations

from alphintra.engine.graph.definition import NodeType, Port
from alphintra.engine.graph.nodes.shared import order_terms
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind

__all__ = ["NODES"]

NODES = (
    NodeType(
        type="Order",
        group="order",
        summary="Sends the sized entry when flat and closes the position on any exit; exits come first.",
        inputs=(Port("size", PortKind.SIZE), Port("exit", PortKind.EXIT, is_required=False, is_many=True)),
        params=order_terms("How the order is priced.", "How long the order works."),
        shown="",
        is_sink=True,
    ),
    NodeType(
        type="Plot",
        group="output",
        summary="Records a value for the chart.",
        inputs=(Port("value", PortKind.NUM),),
        params=(
            ParamSpec(
                name="pane",
                kind=ParamKind.CHOICE,
                summary="Over the price or in a pane of its own.",
                choices=("price", "own"),
                default="price",
            ),
        ),
        shown="value",
        is_sink=True,
    ),
)
