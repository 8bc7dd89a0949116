"""Nodes of conditions."""

from __future__ import annotations

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import logic

__all__ = ["NODES"]

COMPARISONS = ("gt", "ge", "lt", "le")
_TWO_NUMBERS = (Port("a", PortKind.NUM), Port("b", PortKind.NUM))
_WIRES = (Port("in", PortKind.BOOL, is_many=True),)

NODES = (
    NodeType(
        type="CrossAbove",
        group="logic",
        summary="True on the bar where a rises above b.",
        inputs=_TWO_NUMBERS,
        outputs=outputs(PortKind.EVENT),
        kernel=logic.cross,
        numbers=lambda _params: (1,),
        state=lambda _params: 1,
        lookback=lambda _params: 1,
        warm_up=lambda _params: 1,
    ),
    NodeType(
        type="CrossBelow",
        group="logic",
        summary="True on the bar where a falls below b.",
        inputs=_TWO_NUMBERS,
        outputs=outputs(PortKind.EVENT),
        kernel=logic.cross,
        numbers=lambda _params: (-1,),
        state=lambda _params: 1,
        lookback=lambda _params: 1,
        warm_up=lambda _params: 1,
    ),
    NodeType(
        type="Compare",
        group="logic",
        summary="True while a compares with b as chosen.",
        inputs=_TWO_NUMBERS,
        outputs=outputs(PortKind.BOOL),
        params=(
            ParamSpec(
                name="op",
                kind=ParamKind.CHOICE,
                summary="gt above, ge above or equal, lt below, le below or equal.",
                choices=COMPARISONS,
            ),
        ),
        kernel=logic.compare,
        numbers=lambda params: (COMPARISONS.index(str(params["op"])),),
    ),
    NodeType(
        type="And",
        group="logic",
        summary="True while both inputs are.",
        inputs=(Port("a", PortKind.BOOL), Port("b", PortKind.BOOL)),
        outputs=outputs(PortKind.BOOL),
        kernel=logic.both,
    ),
    NodeType(
        type="All",
        group="logic",
        summary="True while every input is.",
        inputs=_WIRES,
        outputs=outputs(PortKind.BOOL),
        kernel=logic.all_of,
    ),
    NodeType(
        type="Any",
        group="logic",
        summary="True while at least one input is.",
        inputs=_WIRES,
        outputs=outputs(PortKind.BOOL),
        kernel=logic.any_of,
    ),
    NodeType(
        type="Not",
        group="logic",
        summary="True while the input is not.",
        inputs=(Port("in", PortKind.BOOL),),
        outputs=outputs(PortKind.BOOL),
        kernel=logic.negate,
    ),
)
