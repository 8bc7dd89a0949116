"""Nodes of turning points, levels and candles, all told only once they are certain."""

from __future__ import annotations

from alphintra.engine.graph.definition import outputs
from alphintra.engine.graph.nodes.shared import Shelf, choice, decimal, period, series
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import candles, pivots

__all__ = ["NODES"]

_SHELF = Shelf("pattern")
_LEFT = period(5, name="left", summary="Bars before a pivot that do not reach it.")
_RIGHT = period(5, name="right", summary="Bars after a pivot that confirm it; it is told so many bars late.")

NODES = (
    _SHELF.node(
        "Pivots",
        "Last confirmed turning points of the price, and the bars that confirm them.",
        pivots.pivots,
        inputs=series("high", "low"),
        outs=(*outputs(PortKind.NUM, "high", "low"), *outputs(PortKind.EVENT, "new_high", "new_low")),
        params=(_LEFT, _RIGHT),
        state=lambda left, right: 10 + 2 * (left + right),
        lookback=lambda left, right: left + right,
    ),
    _SHELF.node(
        "SupportResistance",
        "Nearest levels below and above the close, from confirmed turning points.",
        pivots.levels,
        inputs=series("high", "low", "close"),
        outs=(
            *outputs(PortKind.NUM, "support", "resistance"),
            *outputs(PortKind.BOOL, "at_support", "at_resistance"),
        ),
        params=(
            _LEFT,
            _RIGHT,
            period(10, name="count", summary="Latest turning points that are kept as levels."),
            decimal("percent", "0.5", "How near, in percent, counts as at the level.", most="100"),
        ),
        state=lambda left, right, count, _percent: 8 + 2 * (left + right) + count,
        lookback=lambda left, right, _count, _percent: left + right,
    ),
    _SHELF.node(
        "Divergence",
        "Price and oscillator disagree between two confirmed turning points of the price.",
        pivots.divergence,
        inputs=series("price", "oscillator"),
        outs=outputs(PortKind.EVENT, "bullish", "bearish", "hidden_bullish", "hidden_bearish"),
        params=(_LEFT, _RIGHT, period(60, name="most", summary="Most bars between the two turning points.")),
        state=lambda left, right, _most: 14 + 2 * (left + right),
        lookback=lambda _left, _right, _most: 1,
        fading=lambda left, right, most: left + right + most,
    ),
    _SHELF.node(
        "CandlePattern",
        "A shape of one to three candles, as TA-Lib defines it.",
        candles.candle,
        inputs=series("open", "high", "low", "close"),
        outs=outputs(PortKind.EVENT, "found", "bullish", "bearish"),
        params=(choice("shape", "Which shape.", *candles.SHAPES),),
        state=lambda _: 1 + 4 * candles.BARS,
        lookback=lambda _: candles.BARS - 1,
    ),
)
