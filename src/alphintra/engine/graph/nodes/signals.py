"""Nodes that ask for a position."""

from __future__ import annotations

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.nodes.shared import TAG
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import logic

__all__ = ["NODES"]

NODES = (
    NodeType(
        type="Entry",
        group="signal",
        summary="Asks to open a position while a condition holds: long for when, short for short, neither for both.",
        inputs=(
            Port("when", PortKind.BOOL, is_required=False),
            Port("short", PortKind.BOOL, is_required=False),
        ),
        outputs=outputs(PortKind.SIGNAL, "signal"),
        params=(
            TAG,
            ParamSpec(
                name="hold",
                kind=ParamKind.FLAG,
                summary="True states that the position is meant to be held without an exit rule.",
                default=False,
            ),
        ),
        kernel=logic.either_side,
        shown="signal",
    ),
    NodeType(
        type="Gate",
        group="signal",
        summary="Lets entries through while a condition holds, such as a regime; what leaves is not held up.",
        inputs=(Port("signal", PortKind.SIGNAL), Port("when", PortKind.BOOL)),
        outputs=outputs(PortKind.SIGNAL, "signal"),
        kernel=logic.gated,
        shown="signal",
    ),
)
