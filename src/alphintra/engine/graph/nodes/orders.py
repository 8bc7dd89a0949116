"""Nodes that order, and nodes that show."""

from __future__ import annotations

from alphintra.engine.graph.definition import NodeType, Port
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind

__all__ = ["NODES"]

NODES = (
    NodeType(
        type="Order",
        group="order",
        summary="Sends the sized entry when flat and closes the position on any exit; exits come first.",
        inputs=(Port("size", PortKind.SIZE), Port("exit", PortKind.EXIT, is_required=False, is_many=True)),
        params=(
            ParamSpec(
                name="type",
                kind=ParamKind.CHOICE,
                summary="How the order is priced.",
                choices=("market",),
                unsupported=("limit", "stop", "stop_limit", "trailing_stop"),
            ),
            ParamSpec(
                name="tif",
                kind=ParamKind.CHOICE,
                summary="How long the order works.",
                choices=("day",),
                unsupported=("gtc", "ioc", "fok", "opg", "cls", "gtd"),
            ),
        ),
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
