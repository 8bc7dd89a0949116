"""Nodes of moving averages."""

from __future__ import annotations

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.nodes.shared import integer, period
from alphintra.engine.graph.values import PortKind
from alphintra.engine.graph.warm_up import recursive_warm_up
from alphintra.engine.kernels import averages, windows

__all__ = ["NODES"]

NODES = (
    NodeType(
        type="SMA",
        group="indicator",
        summary="Simple moving average, summed exactly.",
        inputs=(Port("in", PortKind.NUM),),
        outputs=outputs(PortKind.NUM),
        params=(period(),),
        kernel=windows.sma,
        numbers=lambda params: (integer(params),),
        state=lambda params: 4 + integer(params),
        lookback=lambda params: integer(params) - 1,
        warm_up=lambda params: integer(params) - 1,
    ),
    NodeType(
        type="EMA",
        group="indicator",
        summary="Exponential moving average, alpha 2/(period+1), seeded with the mean of the first period (TA-Lib).",
        inputs=(Port("in", PortKind.NUM),),
        outputs=outputs(PortKind.NUM),
        params=(period(),),
        kernel=averages.ema,
        numbers=lambda params: (integer(params),),
        state=lambda _params: 2,
        lookback=lambda params: integer(params) - 1,
        warm_up=lambda params: integer(params) - 1 + recursive_warm_up(2.0 / (integer(params) + 1)),
    ),
)
