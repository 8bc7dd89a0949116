"""Nodes that bring data in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alphintra.engine.graph.definition import NodeType, outputs
from alphintra.engine.graph.nodes.shared import ANY_NUMBER, number
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.tape import FIELDS
from alphintra.engine.graph.values import PortKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.graph.definition import Params
    from alphintra.engine.graph.tape import Tape

__all__ = ["NODES"]


def _bars(_params: Params, tape: Tape) -> tuple[NDArray[np.float64], ...]:
    return tuple(tape.field(name) for name in FIELDS)


def _const(params: Params, tape: Tape) -> tuple[NDArray[np.float64], ...]:
    return (np.full(tape.close.shape, number(params, "value")),)


NODES = (
    NodeType(
        type="Bars",
        group="source",
        summary="Closed bars of the traded symbol at the graph's timeframe, split-adjusted.",
        outputs=outputs(PortKind.NUM, *FIELDS),
        read=_bars,
        shown="close",
        is_source=True,
    ),
    NodeType(
        type="Const",
        group="source",
        summary="A fixed number.",
        outputs=outputs(PortKind.NUM),
        params=(
            ParamSpec(
                name="value",
                kind=ParamKind.NUMBER,
                summary="The number.",
                minimum=-ANY_NUMBER,
                maximum=ANY_NUMBER,
            ),
        ),
        read=_const,
    ),
)
