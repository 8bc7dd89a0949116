"""Nodes that turn a series into another."""

from __future__ import annotations

from decimal import Decimal

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.nodes.shared import PERIOD_MAX, integer
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import windows

__all__ = ["NODES"]

NODES = (
    NodeType(
        type="Shift",
        group="transform",
        summary="The value some bars ago.",
        inputs=(Port("in", PortKind.NUM),),
        outputs=outputs(PortKind.NUM),
        params=(
            ParamSpec(
                name="bars",
                kind=ParamKind.INT,
                summary="Bars back; the future cannot be read.",
                default=1,
                minimum=Decimal(1),
                maximum=PERIOD_MAX,
                below_code="LOOKAHEAD",
            ),
        ),
        kernel=windows.shift,
        numbers=lambda params: (integer(params, "bars"),),
        state=lambda params: 2 + integer(params, "bars"),
        lookback=lambda params: integer(params, "bars"),
        warm_up=lambda params: integer(params, "bars"),
    ),
)
