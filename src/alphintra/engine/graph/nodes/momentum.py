"""Nodes of momentum."""

from __future__ import annotations

from alphintra.engine.graph.definition import outputs
from alphintra.engine.graph.nodes.shared import Shelf, fades, fades_slowly, period, series
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import momentum

__all__ = ["NODES"]

_SHELF = Shelf("momentum")
_HLC = series("high", "low", "close")
_K_AND_D = outputs(PortKind.NUM, "k", "d")
_LINE = outputs(PortKind.NUM, "line", "signal")
_SIGNAL = "Bars of the signal line."

NODES = (
    _SHELF.node(
        "RSI",
        "Wilder's relative strength index: the share of gains in all moves, 0 to 100.",
        momentum.rsi,
        params=(period(14),),
        state=lambda _: 4,
        lookback=lambda n: n,
        fading=fades_slowly,
    ),
    _SHELF.node(
        "Stochastic",
        "Slow stochastic: where the close lies in the range of the last bars, smoothed.",
        momentum.stochastic,
        inputs=_HLC,
        outs=_K_AND_D,
        params=(
            period(14),
            period(3, name="smooth", summary="Bars over which %K is averaged."),
            period(3, name="signal", summary="Bars over which %D averages %K."),
        ),
        state=lambda n, smooth, signal: 12 + 2 * n + smooth + signal,
        lookback=lambda n, smooth, signal: n + smooth + signal - 3,
    ),
    _SHELF.node(
        "FastStochastic",
        "Fast stochastic: where the close lies in the range of the last bars, not smoothed.",
        momentum.fast_stochastic,
        inputs=_HLC,
        outs=_K_AND_D,
        params=(period(14), period(3, name="signal", summary="Bars over which %D averages %K.")),
        state=lambda n, signal: 9 + 2 * n + signal,
        lookback=lambda n, signal: n + signal - 2,
    ),
    _SHELF.node(
        "StochRSI",
        "Where the RSI lies in its own range of the last bars.",
        momentum.stoch_rsi,
        outs=_K_AND_D,
        params=(
            period(14),
            period(14, name="range", summary="Bars of the range of the RSI."),
            period(3, name="signal", summary="Bars over which %D averages %K."),
        ),
        state=lambda _n, wide, signal: 15 + 2 * wide + signal,
        lookback=lambda n, wide, signal: n + wide + signal - 2,
        fading=lambda n, _wide, _signal: fades_slowly(n),
    ),
    _SHELF.node(
        "WilliamsR",
        "Williams %R: how far the close is below the top of the range, 0 to -100.",
        momentum.williams_r,
        inputs=_HLC,
        params=(period(14),),
        state=lambda n: 6 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "CCI",
        "Commodity channel index: how unusually far the price is from its mean.",
        momentum.cci,
        inputs=_HLC,
        params=(period(20),),
        state=lambda n: 5 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "ROC",
        "Rate of change: the move over the last bars in percent.",
        momentum.roc,
        params=(period(10, summary="Bars back."),),
        state=lambda n: 2 + n,
        lookback=lambda n: n,
    ),
    _SHELF.node(
        "Momentum",
        "The move over the last bars, in price.",
        momentum.momentum,
        params=(period(10, summary="Bars back."),),
        state=lambda n: 2 + n,
        lookback=lambda n: n,
    ),
    _SHELF.node(
        "TSI",
        "True strength index: moves smoothed twice over their sizes smoothed twice, -100 to 100.",
        momentum.tsi,
        outs=_LINE,
        params=(
            period(25, name="slow", summary="Bars of the first smoothing."),
            period(13, name="fast", summary="Bars of the second smoothing."),
            period(13, name="signal", summary=_SIGNAL),
        ),
        state=lambda *_: 12,
        lookback=lambda slow, fast, signal: slow + fast + signal - 2,
        fading=fades,
    ),
    _SHELF.node(
        "KST",
        "Pring's know sure thing: four rates of change, the slower ones weighing more.",
        momentum.kst,
        outs=_LINE,
        params=(
            *(period(n, name=f"roc{k}", summary="Bars back.") for k, n in enumerate((10, 15, 20, 30), 1)),
            *(period(n, name=f"smooth{k}", summary="Bars averaged.") for k, n in enumerate((10, 10, 10, 15), 1)),
            period(9, name="signal", summary=_SIGNAL),
        ),
        state=lambda *p: 23 + sum(p),
        lookback=lambda *p: max(p[k] + p[4 + k] - 1 for k in range(4)) + p[8] - 1,
    ),
    _SHELF.node(
        "Coppock",
        "Coppock curve: two rates of change added up and smoothed; turns up early in long recoveries.",
        momentum.coppock,
        params=(
            period(14, name="slow", summary="Bars back of the slow rate of change."),
            period(11, name="fast", summary="Bars back of the fast rate of change."),
            period(10, name="smooth", summary="Bars of the weighted average."),
        ),
        state=lambda slow, fast, smooth: 8 + slow + fast + 2 * smooth,
        lookback=lambda slow, fast, smooth: max(slow, fast) + smooth - 1,
    ),
    _SHELF.node(
        "RelativeVigor",
        "Relative vigor index: how strongly bars close above where they opened.",
        momentum.relative_vigor,
        inputs=series("open", "high", "low", "close"),
        outs=_LINE,
        params=(period(10),),
        state=lambda n: 18 + 2 * n,
        lookback=lambda n: n + 5,
    ),
    _SHELF.node(
        "BalanceOfPower",
        "Body of the bar over its range: 1 when buyers held the whole bar, -1 when sellers did.",
        momentum.balance_of_power,
        inputs=series("open", "high", "low", "close"),
        params=(period(14, summary="Bars averaged; 1 for each bar by itself."),),
        state=lambda n: 3 + n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "ElderRay",
        "Elder's bull and bear power: how far highs reach above, and lows below, the average.",
        momentum.elder_ray,
        inputs=_HLC,
        outs=outputs(PortKind.NUM, "bull", "bear"),
        params=(period(13),),
        state=lambda _: 2,
        lookback=lambda n: n - 1,
        fading=fades,
    ),
    _SHELF.node(
        "StochasticMomentum",
        "Blau's stochastic momentum: how far the close is from the middle of the range, -100 to 100.",
        momentum.stochastic_momentum,
        inputs=_HLC,
        outs=_LINE,
        params=(
            period(10),
            period(3, name="first", summary="Bars of the first smoothing."),
            period(3, name="second", summary="Bars of the second smoothing."),
            period(10, name="signal", summary=_SIGNAL),
        ),
        state=lambda n, *_: 16 + 2 * n,
        lookback=lambda n, first, second, signal: n + first + second + signal - 4,
        fading=lambda _n, *smooth: fades(*smooth),
    ),
    _SHELF.node(
        "ConnorsRSI",
        "Connors RSI: mean of a short RSI, of the RSI of the streak, and of how large today's move is.",
        momentum.connors_rsi,
        params=(
            period(3),
            period(2, name="streak", summary="Period of the RSI of the streak."),
            period(100, name="rank", summary="Earlier moves that today's is ranked among."),
        ),
        state=lambda _n, _streak, rank: 17 + rank,
        lookback=lambda n, streak, rank: max(n, streak, rank + 1),
        fading=lambda n, streak, _rank: fades_slowly(max(n, streak)),
    ),
)
