"""Strategies that expect a price to come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.engine.templates.drawing import Drawing

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import Graph

__all__ = ["rsi_reversion"]


def rsi_reversion() -> Graph:
    """Return RSI mean reversion: bought when oversold above the long average, left when recovered or after ten days."""
    drawing = Drawing("RSI mean reversion", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("rsi", "RSI", {"in": "bars.close"}, period=14)
    drawing.add("trend", "SMA", {"in": "bars.close"}, period=200)
    drawing.add("atr", "ATR", {"high": "bars.high", "low": "bars.low", "close": "bars.close"}, period=14)
    drawing.add("oversold", "Const", value=30.0)
    drawing.add("recovered", "Const", value=55.0)
    drawing.add("falls_below", "CrossBelow", {"a": "rsi.out", "b": "oversold.out"})
    drawing.add("above_trend", "Compare", {"a": "bars.close", "b": "trend.out"}, op="gt")
    drawing.add("is_back", "Compare", {"a": "rsi.out", "b": "recovered.out"}, op="gt")
    drawing.add("both", "All", {"in": "falls_below.out, above_trend.out"})
    drawing.add("entry", "Entry", {"when": "both.out"}, tag="oversold")
    drawing.add("leave", "ExitWhen", {"when": "is_back.out"}, tag="recovered")
    drawing.add("stop", "StopLoss", {"distance": "atr.out"}, multiple="2")
    drawing.add("time", "TimeStop", bars=10)
    drawing.add("size", "PercentEquity", {"signal": "entry.signal"}, percent="95")
    drawing.add(
        "order", "Order", {"size": "size.size", "exit": "leave.exit, stop.exit, time.exit"}, type="market", tif="day"
    )
    drawing.add("plot_rsi", "Plot", {"value": "rsi.out"}, pane="own")
    drawing.add("plot_trend", "Plot", {"value": "trend.out"}, pane="price")
    return drawing.graph()
