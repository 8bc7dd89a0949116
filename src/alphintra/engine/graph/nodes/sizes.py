"""Nodes that say how much; the quantity itself is reckoned in exact decimals by ``engine.graph.rules``."""

from __future__ import annotations

from decimal import Decimal

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind

__all__ = ["NODES"]

_SIGNAL = (Port("signal", PortKind.SIGNAL),)

NODES = (
    NodeType(
        type="PercentEquity",
        group="size",
        summary="Whole shares worth a share of equity at this close, rounded down.",
        inputs=_SIGNAL,
        outputs=outputs(PortKind.SIZE, "size"),
        params=(
            ParamSpec(
                name="percent",
                kind=ParamKind.DECIMAL,
                summary="Percent of equity.",
                default="95",
                minimum=Decimal(0),
                is_minimum_open=True,
                maximum=Decimal(100),
            ),
        ),
        shown="size",
    ),
    NodeType(
        type="FixedQty",
        group="size",
        summary="Always the same number of whole shares.",
        inputs=_SIGNAL,
        outputs=outputs(PortKind.SIZE, "size"),
        params=(
            ParamSpec(
                name="quantity",
                kind=ParamKind.INT,
                summary="Shares.",
                minimum=Decimal(1),
                maximum=Decimal(10) ** 12,
            ),
        ),
        shown="size",
    ),
)
