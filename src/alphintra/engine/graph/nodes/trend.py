"""Nodes of trend."""

from __future__ import annotations

from alphintra.engine.graph.definition import outputs
from alphintra.engine.graph.nodes.shared import Shelf, decimal, fades_slowly, period, series
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import trend, windows

__all__ = ["NODES"]

_SHELF = Shelf("trend")
_HL = series("high", "low")
_HLC = series("high", "low", "close")

NODES = (
    _SHELF.node(
        "ADX",
        "Directional movement: how strong a trend is (line), and which side leads (plus and minus).",
        trend.adx,
        inputs=_HLC,
        outs=outputs(PortKind.NUM, "line", "plus", "minus"),
        params=(period(14),),
        state=lambda _: 9,
        lookback=lambda n: 2 * n - 1,
        fading=lambda n: fades_slowly(n, n),
    ),
    _SHELF.node(
        "Aroon",
        "Aroon: how recent the highest high and the lowest low are, 100 for this bar.",
        trend.aroon,
        inputs=_HL,
        outs=outputs(PortKind.NUM, "up", "down", "oscillator"),
        params=(period(25),),
        state=lambda n: 6 + 2 * n,
        lookback=lambda n: n,
    ),
    _SHELF.node(
        "SuperTrend",
        "SuperTrend: a stop that follows the price at some average true ranges and turns when it is crossed.",
        trend.supertrend,
        inputs=_HLC,
        outs=outputs(PortKind.NUM, "line", "direction"),
        params=(period(10), decimal("width", "3", "Average true ranges to the line.", most="100")),
        state=lambda _n, _width: 9,
        lookback=lambda n, _width: n,
        fading=lambda n, _width: fades_slowly(n),
    ),
    _SHELF.node(
        "ParabolicSAR",
        "Parabolic stop and reverse: a stop that quickens with the trend and turns when it is touched.",
        trend.parabolic_sar,
        inputs=_HL,
        params=(
            decimal("step", "0.02", "Acceleration added at each new extreme.", most="1"),
            decimal("most", "0.2", "Largest acceleration.", most="1"),
        ),
        state=lambda _step, _most: 7,
        lookback=lambda _step, _most: 1,
        fading=lambda _step, _most: 60,  # two or three turns, after which the start no longer matters
    ),
    _SHELF.node(
        "Ichimoku",
        "Ichimoku: conversion and base line, and the cloud as it was drawn forward to this bar.",
        trend.ichimoku,
        inputs=_HL,
        outs=outputs(PortKind.NUM, "conversion", "base", "span_a", "span_b"),
        params=(
            period(9, name="conversion", summary="Bars of the conversion line."),
            period(26, name="base", summary="Bars of the base line."),
            period(52, name="span", summary="Bars of span B."),
            period(26, name="ahead", summary="Bars by which the cloud is drawn forward."),
        ),
        state=lambda conversion, base, span, ahead: 22 + 2 * (conversion + base + span + ahead),
        lookback=lambda conversion, base, span, ahead: max(conversion, base, span) - 1 + ahead,
    ),
    _SHELF.node(
        "LinReg",
        "Straight line through the last values: where it stands, how steep it is, and where it leads next.",
        windows.linreg,
        outs=outputs(PortKind.NUM, "value", "slope", "intercept", "forecast"),
        params=(period(14, least=2),),
        state=lambda n: 4 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "MidPrice",
        "Middle between the highest high and the lowest low of the last bars.",
        trend.mid_price,
        inputs=_HL,
        params=(period(14),),
        state=lambda n: 6 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "HeikinAshi",
        "Heikin-Ashi bars: averaged bars in which a trend keeps one colour.",
        trend.heikin_ashi,
        inputs=series("open", "high", "low", "close"),
        outs=outputs(PortKind.NUM, "open", "high", "low", "close"),
        state=lambda: 3,
        fading=lambda: 14,  # each open keeps half of the one before
    ),
    _SHELF.node(
        "EfficiencyRatio",
        "Kaufman's efficiency ratio: progress over the way travelled, 1 in a straight trend, near 0 sideways.",
        trend.efficiency,
        params=(period(10),),
        state=lambda n: 7 + 2 * n,
        lookback=lambda n: n,
    ),
    _SHELF.node(
        "VerticalHorizontal",
        "Vertical horizontal filter: the range over the way travelled; high in a trend.",
        trend.vertical_horizontal,
        params=(period(28),),
        state=lambda n: 11 + 3 * n,
        lookback=lambda n: n,
    ),
    _SHELF.node(
        "TrendIntensity",
        "Share, in percent, of the last values that lay above their average.",
        trend.trend_intensity,
        inputs=series("in", "average"),
        params=(period(30),),
        state=lambda n: 3 + n,
        lookback=lambda n: n - 1,
    ),
)
