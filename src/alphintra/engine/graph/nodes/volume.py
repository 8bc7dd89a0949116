"""Nodes of volume."""

from __future__ import annotations

from alphintra.engine.graph.definition import outputs
from alphintra.engine.graph.nodes.shared import Shelf, decimal, fades, period, series
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import volume

__all__ = ["NODES"]

_SHELF = Shelf("volume")
_CV = series("close", "volume")
_HLV = series("high", "low", "volume")
_HLCV = series("high", "low", "close", "volume")
_LINE = outputs(PortKind.NUM, "line", "signal", "hist")
_V = series("volume")
_TOTAL = " A running total: only its changes mean something, because it begins where the data begin."

NODES = (
    _SHELF.node(
        "OBV",
        "On-balance volume: adds the volume of rising bars, takes off that of falling ones." + _TOTAL,
        volume.on_balance,
        inputs=_CV,
        state=lambda: 3,
    ),
    _SHELF.node(
        "AD",
        "Accumulation/distribution: adds volume by where the close lies in its bar." + _TOTAL,
        volume.accumulation,
        inputs=_HLCV,
        state=lambda: 1,
    ),
    _SHELF.node(
        "ADOSC",
        "Chaikin oscillator: a fast less a slow average of the accumulation line.",
        volume.chaikin_oscillator,
        inputs=_HLCV,
        params=(
            period(3, name="fast", summary="Bars of the fast average."),
            period(10, name="slow", summary="Bars of the slow average."),
        ),
        state=lambda _fast, _slow: 3,
        lookback=lambda fast, slow: max(fast, slow) - 1,
        fading=lambda fast, slow: fades(max(fast, slow)),
    ),
    _SHELF.node(
        "CMF",
        "Chaikin money flow: volume by where closes lie in their bars, over all volume, -1 to 1.",
        volume.chaikin_flow,
        inputs=_HLCV,
        params=(period(20),),
        state=lambda n: 6 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "MFI",
        "Money flow index: an RSI in which moves weigh by the money traded, 0 to 100.",
        volume.money_flow,
        inputs=_HLCV,
        params=(period(14),),
        state=lambda n: 8 + 2 * n,
        lookback=lambda n: n,
    ),
    _SHELF.node(
        "EaseOfMovement",
        "How far the price moves for the volume it takes.",
        volume.ease_of_movement,
        inputs=_HLV,
        params=(
            period(14),
            decimal("unit", "100000000", "Volume that counts as one.", least="1", most="1000000000000"),
        ),
        state=lambda n, _unit: 5 + n,
        lookback=lambda n, _unit: n,
    ),
    _SHELF.node(
        "ForceIndex",
        "Elder's force index: the move times the volume behind it, smoothed.",
        volume.force_index,
        inputs=_CV,
        params=(period(13),),
        state=lambda _: 4,
        lookback=lambda n: n,
        fading=fades,
    ),
    _SHELF.node(
        "NVI",
        "Negative volume index: what the price does on quiet bars." + _TOTAL,
        volume.negative_volume,
        inputs=_CV,
        state=lambda: 4,
    ),
    _SHELF.node(
        "PVI",
        "Positive volume index: what the price does on busy bars." + _TOTAL,
        volume.positive_volume,
        inputs=_CV,
        state=lambda: 4,
    ),
    _SHELF.node(
        "VPT",
        "Volume price trend: adds volume times the return of each bar." + _TOTAL,
        volume.price_trend,
        inputs=_CV,
        state=lambda: 3,
    ),
    _SHELF.node(
        "VolumeAvg",
        "Mean volume of the last bars.",
        volume.volume_average,
        inputs=_V,
        params=(period(20),),
        state=lambda n: 4 + n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "RelativeVolume",
        "Volume over its mean of the bars before: 2 is twice the usual volume.",
        volume.volume_ratio,
        inputs=_V,
        params=(period(20),),
        state=lambda n: 6 + n,
        lookback=lambda n: n,
    ),
    _SHELF.node(
        "PVO",
        "Percentage volume oscillator: how far a fast average of volume is above a slow one, in percent.",
        volume.volume_oscillator,
        inputs=_V,
        outs=_LINE,
        params=(
            period(12, name="fast", summary="Bars of the fast average."),
            period(26, name="slow", summary="Bars of the slow average."),
            period(9, name="signal", summary="Bars of the signal line."),
        ),
        state=lambda *_: 6,
        lookback=lambda fast, slow, signal: max(fast, slow) + signal - 2,
        fading=lambda fast, slow, signal: fades(max(fast, slow), signal),
    ),
    _SHELF.node(
        "Klinger",
        "Klinger oscillator: money flowing in and out, by volume, trend and range.",
        volume.klinger,
        inputs=_HLCV,
        outs=outputs(PortKind.NUM, "line", "signal"),
        params=(
            period(34, name="fast", summary="Bars of the fast average."),
            period(55, name="slow", summary="Bars of the slow average."),
            period(13, name="signal", summary="Bars of the signal line."),
        ),
        state=lambda *_: 11,
        lookback=lambda fast, slow, signal: max(fast, slow) + signal - 1,
        fading=lambda fast, slow, signal: fades(max(fast, slow), signal),
    ),
    _SHELF.node(
        "RollingVWAP",
        "Volume-weighted average price of the last bars.",
        volume.vwap_rolling,
        inputs=_HLCV,
        params=(period(20),),
        state=lambda n: 6 + 2 * n,
        lookback=lambda n: n - 1,
    ),
)
