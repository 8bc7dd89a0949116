"""Nodes of volatility."""

from __future__ import annotations

from alphintra.engine.graph.definition import outputs
from alphintra.engine.graph.nodes.shared import Shelf, decimal, fades, fades_slowly, flag, period, series
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import volatility, windows

__all__ = ["NODES"]

_SHELF = Shelf("volatility")
_HL = series("high", "low")
_HLC = series("high", "low", "close")
_OHLC = series("open", "high", "low", "close")
_BANDS = outputs(PortKind.NUM, "upper", "mid", "lower")
_A_YEAR = decimal("bars_a_year", "252", "Bars a year, by which the figure is annualised.", least="1", most="600000")

NODES = (
    _SHELF.node(
        "Bollinger",
        "Bollinger bands: the mean and a number of standard deviations above and below it.",
        windows.bollinger,
        outs=outputs(PortKind.NUM, "upper", "mid", "lower", "percent_b", "width"),
        params=(
            period(20, least=2),
            decimal("up", "2", "Standard deviations to the upper band.", most="100"),
            decimal("down", "2", "Standard deviations to the lower band.", most="100"),
        ),
        state=lambda n, _up, _down: 7 + 3 * n,
        lookback=lambda n, _up, _down: n - 1,
    ),
    _SHELF.node(
        "ATR",
        "Average true range: how far a bar usually moves, gaps included.",
        volatility.atr,
        inputs=_HLC,
        params=(period(14),),
        state=lambda _: 4,
        lookback=lambda n: n,
        fading=fades_slowly,
    ),
    _SHELF.node(
        "NATR",
        "Average true range in percent of the close, so that symbols compare.",
        volatility.natr,
        inputs=_HLC,
        params=(period(14),),
        state=lambda _: 4,
        lookback=lambda n: n,
        fading=fades_slowly,
    ),
    _SHELF.node(
        "TrueRange",
        "Range of the bar, or of the gap before it where that is wider.",
        volatility.true_range,
        inputs=_HLC,
        state=lambda: 2,
        lookback=lambda: 1,
    ),
    _SHELF.node(
        "AverageRange",
        "Mean of high less low, gaps left out.",
        volatility.average_range,
        inputs=_HL,
        params=(period(14),),
        state=lambda n: 3 + n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "Keltner",
        "Keltner channel: an exponential average and a number of average true ranges around it.",
        volatility.keltner,
        inputs=_HLC,
        outs=_BANDS,
        params=(
            period(20),
            period(10, name="atr", summary="Bars of the average true range."),
            decimal("width", "2", "Average true ranges to each band.", most="100"),
        ),
        state=lambda *_: 6,
        lookback=lambda n, atr, _width: max(n - 1, atr),
        fading=lambda n, atr, _width: max(fades(n), fades_slowly(atr)),
    ),
    _SHELF.node(
        "Donchian",
        "Donchian channel: the highest high and the lowest low of the bars before this one.",
        volatility.donchian,
        inputs=_HL,
        outs=_BANDS,
        params=(
            period(20),
            flag("with_current", "True counts the current bar too; a close then never lies outside the channel."),
        ),
        state=lambda n, _own: 9 + 2 * n,
        lookback=lambda n, own: n - own,
    ),
    _SHELF.node(
        "StdDev",
        "Standard deviation of the last values.",
        windows.stddev,
        params=(
            period(20, least=2),
            flag("is_sample", "True divides by one less than the period."),
        ),
        state=lambda n, _sample: 4 + 2 * n,
        lookback=lambda n, _sample: n - 1,
    ),
    _SHELF.node(
        "Variance",
        "Square of the standard deviation of the last values.",
        windows.variance,
        params=(period(20, least=2),),
        state=lambda n: 4 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "ChaikinVolatility",
        "How much wider, in percent, bars have become than some bars ago.",
        volatility.chaikin_volatility,
        inputs=_HL,
        params=(period(10), period(10, name="change", summary="Bars back.")),
        state=lambda _n, change: 4 + change,
        lookback=lambda n, change: n - 1 + change,
        fading=lambda n, _change: fades(n),
    ),
    _SHELF.node(
        "Ulcer",
        "Ulcer index: how deep, and for how long, the price has been below its last high.",
        volatility.ulcer,
        params=(period(14),),
        state=lambda n: 6 + 2 * n,
        lookback=lambda n: 2 * (n - 1),
    ),
    _SHELF.node(
        "HistoricalVolatility",
        "Volatility a year in percent, from closes.",
        volatility.historical_volatility,
        params=(period(20, least=2), _A_YEAR),
        state=lambda n, _year: 6 + 2 * n,
        lookback=lambda n, _year: n,
    ),
    _SHELF.node(
        "Parkinson",
        "Volatility a year in percent, from highs and lows.",
        volatility.parkinson,
        inputs=_HL,
        params=(period(20), _A_YEAR),
        state=lambda n, _year: 3 + n,
        lookback=lambda n, _year: n - 1,
    ),
    _SHELF.node(
        "GarmanKlass",
        "Volatility a year in percent, from open, high, low and close.",
        volatility.garman_klass,
        inputs=_OHLC,
        params=(period(20), _A_YEAR),
        state=lambda n, _year: 3 + n,
        lookback=lambda n, _year: n - 1,
    ),
    _SHELF.node(
        "RogersSatchell",
        "Volatility a year in percent, from whole bars and right in a trend too.",
        volatility.rogers_satchell,
        inputs=_OHLC,
        params=(period(20), _A_YEAR),
        state=lambda n, _year: 3 + n,
        lookback=lambda n, _year: n - 1,
    ),
    _SHELF.node(
        "YangZhang",
        "Volatility a year in percent, from whole bars and the gaps between them.",
        volatility.yang_zhang,
        inputs=_OHLC,
        params=(period(20, least=2), _A_YEAR),
        state=lambda n, _year: 12 + 5 * n,
        lookback=lambda n, _year: n,
    ),
    _SHELF.node(
        "MassIndex",
        "Mass index: bulges when ranges widen, often before a trend turns.",
        volatility.mass_index,
        inputs=_HL,
        params=(period(9), period(25, name="sum", summary="Bars added up.")),
        state=lambda _n, total: 7 + total,
        lookback=lambda n, total: 2 * (n - 1) + total - 1,
        fading=lambda n, _total: fades(n, n),
    ),
    _SHELF.node(
        "RelativeVolatility",
        "Share of the volatility that came in rising bars, 0 to 100.",
        volatility.relative_volatility,
        params=(period(10, least=2), period(14, name="smooth", summary="Bars of the smoothing.")),
        state=lambda n, _smooth: 10 + 2 * n,
        lookback=lambda n, smooth: max(n - 1, 1) + smooth - 1,
        fading=lambda _n, smooth: fades_slowly(smooth),
    ),
    _SHELF.node(
        "Chandelier",
        "Chandelier exits: the highest high less some average true ranges, and the lowest low plus as many.",
        volatility.chandelier,
        inputs=_HLC,
        outs=outputs(PortKind.NUM, "long", "short"),
        params=(period(22), decimal("width", "3", "Average true ranges.", most="100")),
        state=lambda n, _width: 10 + 2 * n,
        lookback=lambda n, _width: n,
        fading=lambda n, _width: fades_slowly(n),
    ),
    _SHELF.node(
        "Choppiness",
        "Choppiness index: high in a sideways market, low in a trend.",
        volatility.choppiness,
        inputs=_HLC,
        params=(period(14, least=2),),
        state=lambda n: 11 + 3 * n,
        lookback=lambda n: n,
    ),
)
