"""Strategies that follow a move once it has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.engine.templates.drawing import Drawing

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import Graph

__all__ = ["atr_trailing", "bollinger_breakout", "macd_cross", "turtle"]

_RANGE = {"high": "bars.high", "low": "bars.low", "close": "bars.close"}


def macd_cross() -> Graph:
    """Return the MACD crossover, entered while the histogram rises."""
    drawing = Drawing("MACD crossover", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("macd", "MACD", {"in": "bars.close"}, fast=12, slow=26, signal=9)
    drawing.add("before", "Shift", {"in": "macd.hist"}, bars=1)
    drawing.add("rises", "Compare", {"a": "macd.hist", "b": "before.out"}, op="gt")
    drawing.add("cross_above", "CrossAbove", {"a": "macd.line", "b": "macd.signal"})
    drawing.add("cross_below", "CrossBelow", {"a": "macd.line", "b": "macd.signal"})
    drawing.add("both", "All", {"in": "cross_above.out, rises.out"})
    drawing.add("entry", "Entry", {"when": "both.out"}, tag="cross above")
    drawing.add("leave", "ExitWhen", {"when": "cross_below.out"}, tag="cross below")
    drawing.add("size", "PercentEquity", {"signal": "entry.signal"}, percent="95")
    drawing.add("order", "Order", {"size": "size.size", "exit": "leave.exit"}, type="market", tif="day")
    drawing.add("plot_line", "Plot", {"value": "macd.line"}, pane="own")
    drawing.add("plot_signal", "Plot", {"value": "macd.signal"}, pane="own")
    return drawing.graph()


def bollinger_breakout(timeframe: str = "1d") -> Graph:
    """Return the Bollinger breakout out of a narrow band: stop at the lower band, left at the middle."""
    drawing = Drawing("Bollinger breakout", timeframe=timeframe)
    drawing.add("bars", "Bars")
    drawing.add("bands", "Bollinger", {"in": "bars.close"}, period=20, up="2", down="2")
    drawing.add("rank", "RollingRank", {"in": "bands.width"}, period=120)
    drawing.add("narrow", "Const", value=20.0)
    drawing.add("was_narrow", "Compare", {"a": "rank.out", "b": "narrow.out"}, op="lt")
    drawing.add("breaks_out", "CrossAbove", {"a": "bars.close", "b": "bands.upper"})
    drawing.add("falls_back", "CrossBelow", {"a": "bars.close", "b": "bands.mid"})
    drawing.add("both", "All", {"in": "breaks_out.out, was_narrow.out"})
    drawing.add("entry", "Entry", {"when": "both.out"}, tag="breakout")
    drawing.add("leave", "ExitWhen", {"when": "falls_back.out"}, tag="back at the middle")
    drawing.add("stop", "StopLoss", {"price": "bands.lower"})
    drawing.add("size", "PercentEquity", {"signal": "entry.signal"}, percent="95")
    drawing.add("order", "Order", {"size": "size.size", "exit": "leave.exit, stop.exit"}, type="market", tif="day")
    drawing.add("plot_upper", "Plot", {"value": "bands.upper"}, pane="price")
    drawing.add("plot_lower", "Plot", {"value": "bands.lower"}, pane="price")
    return drawing.graph()


def turtle() -> Graph:
    """Return the Donchian breakout of the turtles: 55 days in, 20 days out, one percent at risk over two ATR.

    A position is added to at each half of an ATR in its favour, up to four entries; each has a stop of its own, two ATR
    below its close, and all are left together.
    """
    drawing = Drawing("Donchian breakout", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("far", "Donchian", {"high": "bars.high", "low": "bars.low"}, period=55)
    drawing.add("near", "Donchian", {"high": "bars.high", "low": "bars.low"}, period=20)
    drawing.add("atr", "ATR", _RANGE, period=20)
    drawing.add("two", "Const", value=2.0)
    drawing.add("room", "Math", {"a": "atr.out", "b": "two.out"}, op="multiply")
    drawing.add("breaks_out", "Compare", {"a": "bars.close", "b": "far.upper"}, op="gt")
    drawing.add("breaks_down", "Compare", {"a": "bars.close", "b": "near.lower"}, op="lt")
    drawing.add("entry", "Entry", {"when": "breaks_out.out"}, tag="55-day high")
    drawing.add("leave", "ExitWhen", {"when": "breaks_down.out"}, tag="20-day low")
    drawing.add("position", "Position")
    drawing.add("step", "Linear", {"in": "atr.out"}, factor="0.5")
    drawing.add("next", "Math", {"a": "position.last_price", "b": "step.out"}, op="add")
    drawing.add("goes_on", "Compare", {"a": "bars.close", "b": "next.out"}, op="ge")
    drawing.add("stop", "StopLoss", {"distance": "room.out"})
    drawing.add("size", "RiskPerTrade", {"signal": "entry.signal", "distance": "room.out"}, percent="1", most="95")
    drawing.add(
        "order",
        "Order",
        {"size": "size.size", "exit": "leave.exit, stop.exit", "add": "goes_on.out"},
        type="market",
        tif="day",
        entries=4,
    )
    drawing.add("plot_upper", "Plot", {"value": "far.upper"}, pane="price")
    drawing.add("plot_lower", "Plot", {"value": "near.lower"}, pane="price")
    return drawing.graph()


def atr_trailing() -> Graph:
    """Return a trend entry that is left by a stop three ATR behind the best price, which only ever tightens."""
    drawing = Drawing("ATR trailing stop", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("trend", "SuperTrend", _RANGE, period=10, width="3")
    drawing.add("atr", "ATR", _RANGE, period=22)
    drawing.add("zero", "Const", value=0.0)
    drawing.add("turns_up", "CrossAbove", {"a": "trend.direction", "b": "zero.out"})
    drawing.add("entry", "Entry", {"when": "turns_up.out"}, tag="trend turns up")
    drawing.add("trail", "TrailingStop", {"distance": "atr.out"}, multiple="3")
    drawing.add("size", "PercentEquity", {"signal": "entry.signal"}, percent="95")
    drawing.add("order", "Order", {"size": "size.size", "exit": "trail.exit"}, type="market", tif="day")
    drawing.add("plot_trend", "Plot", {"value": "trend.line"}, pane="price")
    return drawing.graph()
