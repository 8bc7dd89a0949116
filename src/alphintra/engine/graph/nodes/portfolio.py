"""Nodes of several symbols: one of them picked for all, and the weights a portfolio is brought to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.nodes.shared import order_terms
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import picking
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.engine.graph.definition import Params

__all__ = ["NODES"]

_WEIGHTS: Final = outputs(PortKind.WEIGHTS, "weights")


def _place(params: Params, symbols: Sequence[str]) -> tuple[float, ...]:
    wanted = str(params["symbol"])
    if wanted not in symbols:
        message = f"{wanted} is picked, but the strategy runs over {', '.join(symbols)}: add it to them"
        raise AlphintraError("GRAPH_UNIVERSE", message, pointer="/symbols")
    return (float(tuple(symbols).index(wanted)),)


NODES = (
    NodeType(
        type="Pick",
        group="transform",
        summary="The value of one symbol, for all of them.",
        inputs=(Port("in", PortKind.NUM),),
        outputs=outputs(PortKind.NUM),
        params=(ParamSpec(name="symbol", kind=ParamKind.SYMBOL, summary="Which symbol."),),
        kernel=picking.pick,
        of_symbols=_place,
        is_across=True,
        is_scalar=True,
    ),
    NodeType(
        type="IsSymbol",
        group="logic",
        summary="True for one symbol alone.",
        inputs=(Port("in", PortKind.NUM),),
        outputs=outputs(PortKind.BOOL),
        params=(ParamSpec(name="symbol", kind=ParamKind.SYMBOL, summary="Which symbol."),),
        kernel=picking.is_symbol,
        of_symbols=_place,
        is_across=True,
    ),
    NodeType(
        type="Grid",
        group="signal",
        summary="Buys a part at each level the price falls to between low and high, and sells it one level higher.",
        inputs=(Port("price", PortKind.NUM), Port("low", PortKind.NUM), Port("high", PortKind.NUM)),
        outputs=(*outputs(PortKind.NUM, "share"), *outputs(PortKind.EVENT, "changed")),
        params=(
            ParamSpec(
                name="levels",
                kind=ParamKind.INT,
                summary="Parts the equity is cut into, each with a level of its own.",
                default=20,
                minimum=Decimal(2),
                maximum=Decimal(200),
            ),
            ParamSpec(
                name="spacing",
                kind=ParamKind.CHOICE,
                summary="Levels apart by the same ratio, or by the same amount.",
                choices=("geometric", "arithmetic"),
            ),
            ParamSpec(
                name="stop",
                kind=ParamKind.FLAG,
                summary="Whether everything is sold below the lowest level.",
                default=True,
            ),
        ),
        kernel=picking.grid,
        numbers=lambda params: (int(params["levels"]), params["spacing"] == "geometric", bool(params["stop"])),
        state=lambda params: 1 + int(params["levels"]),
        shown="share",
    ),
    NodeType(
        type="TargetWeights",
        group="signal",
        summary="Takes numbers as shares of equity to hold: 0.2 is a fifth, below zero is short.",
        inputs=(Port("in", PortKind.NUM),),
        outputs=_WEIGHTS,
        kernel=picking.as_weights,
        shown="weights",
    ),
    NodeType(
        type="RebalanceTo",
        group="order",
        summary="Brings holdings to their weights when told to: sells first, then buys, the largest weight first.",
        inputs=(Port("weights", PortKind.WEIGHTS), Port("when", PortKind.BOOL)),
        params=(
            *order_terms("How the orders are priced.", "How long the orders work."),
            ParamSpec(
                name="band",
                kind=ParamKind.DECIMAL,
                summary="Percent of equity by which a holding must be off its target to be traded.",
                default="0",
                minimum=Decimal(0),
                maximum=Decimal(99),
            ),
            ParamSpec(
                name="lot",
                kind=ParamKind.DECIMAL,
                summary="Smallest quantity; holdings are whole multiples of it, rounded down.",
                default="1",
                minimum=Decimal(0),
                is_minimum_open=True,
                maximum=Decimal(10) ** 9,
            ),
        ),
        shown="weights",
        is_sink=True,
    ),
)
