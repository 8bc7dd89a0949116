"""Nodes that bring data in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alphintra.engine.graph.definition import NodeType, outputs
from alphintra.engine.graph.nodes.shared import ANY_NUMBER, number
from alphintra.engine.graph.nodes.timeframes import BASE, LONGER_BARS, TIMEFRAME
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.tape import FIELDS
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import positions, times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.graph.definition import Params
    from alphintra.engine.graph.tape import Tape

__all__ = ["NODES"]


def _bars(_params: Params, tape: Tape) -> tuple[NDArray[np.float64], ...]:
    return tuple(tape.field(name) for name in FIELDS)


def _const(params: Params, tape: Tape) -> tuple[NDArray[np.float64], ...]:
    return (np.full((1, tape.closes), number(params, "value")),)


NODES = (
    NodeType(
        type="Bars",
        group="source",
        summary="Closed bars of the traded symbol, split-adjusted.",
        outputs=outputs(PortKind.NUM, *FIELDS),
        params=(TIMEFRAME,),
        read=_bars,
        instead=lambda params: None if params["timeframe"] == BASE else LONGER_BARS,
        shown="close",
        is_source=True,
    ),
    NodeType(
        type="Clock",
        group="source",
        summary="Where a close lies in its session, and the first closes of a day, a week and a month.",
        outputs=(
            *outputs(PortKind.NUM, "since_open", "to_close", "weekday"),
            *outputs(PortKind.EVENT, "day", "week", "month"),
        ),
        kernel=times.clock,
        clock=("session", "week", "month", "weekday", "since_open", "to_close"),
        state=lambda _params: 4,
        lookback=lambda _params: 1,
        warm_up=lambda _params: 1,
        shown="since_open",
        is_source=True,
    ),
    NodeType(
        type="Position",
        group="source",
        summary="The strategy's own position as of this close, fills of this bar included; what it gained in percent.",
        outputs=outputs(PortKind.NUM, "qty", "avg_price", "bars", "gain", "high", "low", "entries", "last_price"),
        kernel=positions.position,
        clock=("high", "low", "close", "qty", "avg_price", "entries", "last_entry"),
        state=lambda _params: 4,
        shown="qty",
        is_source=True,
    ),
    NodeType(
        type="Account",
        group="source",
        summary="The strategy's own money as of this close: equity, cash, and what it may spend.",
        outputs=outputs(PortKind.NUM, "equity", "cash", "buying_power"),
        kernel=positions.account,
        clock=("cash", "equity"),
        shown="equity",
        is_source=True,
        is_scalar=True,
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
        is_scalar=True,
    ),
)
