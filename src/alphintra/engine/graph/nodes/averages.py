"""Nodes of moving averages."""

from __future__ import annotations

import math

from alphintra.engine.graph.nodes.shared import Shelf, decimal, fades, fades_slowly, period, series
from alphintra.engine.kernels import averages, windows

__all__ = ["NODES"]

_SHELF = Shelf("average")

NODES = (
    _SHELF.node(
        "SMA",
        "Simple moving average, summed exactly.",
        windows.sma,
        params=(period(),),
        state=lambda n: 4 + n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "EMA",
        "Exponential moving average, alpha 2/(period+1), seeded with the mean of the first period (TA-Lib).",
        averages.ema,
        params=(period(),),
        state=lambda _: 2,
        lookback=lambda n: n - 1,
        fading=fades,
    ),
    _SHELF.node(
        "WMA",
        "Moving average whose weights rise evenly from the oldest bar to the newest.",
        windows.wma,
        params=(period(),),
        state=lambda n: 4 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "VWMA",
        "Moving average in which bars with more volume weigh more.",
        averages.vwma,
        inputs=series("in", "volume"),
        params=(period(),),
        state=lambda n: 6 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "HMA",
        "Hull moving average: smooth, yet close to the price.",
        averages.hma,
        params=(period(),),
        state=lambda n: 12 + 2 * (n + max(n // 2, 1) + max(math.isqrt(int(n)), 1)),
        lookback=lambda n: n - 1 + max(math.isqrt(int(n)), 1) - 1,
    ),
    _SHELF.node(
        "DEMA",
        "Double exponential average, with less lag than an EMA of the same period.",
        averages.dema,
        params=(period(),),
        state=lambda _: 4,
        lookback=lambda n: 2 * (n - 1),
        fading=lambda n: fades(n, n),
    ),
    _SHELF.node(
        "TEMA",
        "Triple exponential average, with still less lag than DEMA.",
        averages.tema,
        params=(period(),),
        state=lambda _: 6,
        lookback=lambda n: 3 * (n - 1),
        fading=lambda n: fades(n, n, n),
    ),
    _SHELF.node(
        "KAMA",
        "Kaufman's adaptive average: fast in a trend, slow in a sideways market.",
        averages.kama,
        params=(
            period(10),
            period(2, name="fast", summary="Bars of the EMA it is as fast as in a straight trend."),
            period(30, name="slow", summary="Bars of the EMA it is as slow as without direction."),
        ),
        state=lambda n, _fast, _slow: 6 + 2 * n,
        lookback=lambda n, _fast, _slow: n,
        # Without direction each step takes the slow alpha squared; between that and a trend lies what is usual.
        fading=lambda _n, fast, slow: fades(fast, slow),
    ),
    _SHELF.node(
        "TRIMA",
        "Triangular average: the middle of the window weighs most.",
        averages.trima,
        params=(period(),),
        state=lambda n: 7 + n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "T3",
        "Tillson's T3: six exponential averages one after another, very smooth with little lag.",
        averages.t3,
        params=(period(5), decimal("factor", "0.7", "Volume factor: 0 an EMA of EMAs, 1 a DEMA of DEMAs.", most="1")),
        state=lambda _n, _factor: 12,
        lookback=lambda n, _factor: 6 * (n - 1),
        fading=lambda n, _factor: fades(*[n] * 6),
    ),
    _SHELF.node(
        "ZLEMA",
        "Zero-lag EMA: an EMA of prices that have been pushed ahead by what they moved since half a period ago.",
        averages.zlema,
        params=(period(),),
        state=lambda n: 4 + (n - 1) // 2,
        lookback=lambda n: n - 1 + (n - 1) // 2,
        fading=fades,
    ),
    _SHELF.node(
        "ALMA",
        "Arnaud Legoux average: weights in the shape of a bell, near the newest bar.",
        averages.alma,
        params=(
            period(9),
            decimal("offset", "0.85", "Where the bell stands: 0 at the oldest bar, 1 at the newest.", most="1"),
            decimal("sigma", "6", "How narrow the bell is.", least="0.1", most="100"),
        ),
        state=lambda n, _offset, _sigma: 2 + 2 * n,
        lookback=lambda n, _offset, _sigma: n - 1,
    ),
    _SHELF.node(
        "SMMA",
        "Wilder's smoothed average (RMA), as slow as an EMA of nearly twice the period.",
        averages.smma,
        params=(period(14),),
        state=lambda _: 2,
        lookback=lambda n: n - 1,
        fading=fades_slowly,
    ),
    _SHELF.node(
        "VIDYA",
        "Chande's variable average: an EMA that slows down when momentum fades.",
        averages.vidya,
        params=(period(14), period(9, name="momentum", summary="Moves in the momentum that sets its speed.")),
        state=lambda _n, momentum: 10 + 2 * momentum,
        lookback=lambda _n, momentum: momentum,
        fading=lambda n, _momentum: 4 * fades(n),
    ),
    _SHELF.node(
        "McGinley",
        "McGinley dynamic: an average that quickens when the price runs away from it.",
        averages.mcginley,
        params=(period(14),),
        state=lambda _: 2,
        lookback=lambda n: n - 1,
        fading=fades_slowly,
    ),
)
