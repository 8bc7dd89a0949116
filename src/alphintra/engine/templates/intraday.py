"""Strategies within a trading day; nothing is held overnight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.engine.templates.drawing import Drawing

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import Graph

__all__ = ["opening_range", "vwap_reversion"]

_RANGE = {"high": "bars.high", "low": "bars.low", "close": "bars.close"}


def vwap_reversion() -> Graph:
    """Return the way back to the session's average price, between ten and three o'clock."""
    drawing = Drawing("VWAP reversion", timeframe="5m")
    drawing.add("bars", "Bars")
    drawing.add("clock", "Clock")
    drawing.add("vwap", "VWAP", {**_RANGE, "volume": "bars.volume"}, since="session")
    drawing.add("off", "Math", {"a": "bars.close", "b": "vwap.out"}, op="subtract")
    drawing.add("swing", "StdDev", {"in": "off.out"}, period=20)
    drawing.add("z", "Math", {"a": "off.out", "b": "swing.out"}, op="divide")
    drawing.add("far", "Const", value=-2.0)
    drawing.add("is_far", "Compare", {"a": "z.out", "b": "far.out"}, op="lt")
    drawing.add("window", "TimeWindow", after=600, until=900)
    drawing.add("both", "All", {"in": "is_far.out, window.out"})
    drawing.add("back", "Compare", {"a": "bars.close", "b": "vwap.out"}, op="ge")
    drawing.add("last", "Const", value=10.0)
    drawing.add("is_late", "Compare", {"a": "clock.to_close", "b": "last.out"}, op="le")
    drawing.add("entry", "Entry", {"when": "both.out"}, tag="far below")
    drawing.add("leave", "ExitWhen", {"when": "back.out"}, tag="back at the average")
    drawing.add("flat", "ExitWhen", {"when": "is_late.out"}, tag="session ends")
    drawing.add("size", "PercentEquity", {"signal": "entry.signal"}, percent="95")
    drawing.add("order", "Order", {"size": "size.size", "exit": "leave.exit, flat.exit"}, type="market", tif="day")
    drawing.add("plot_vwap", "Plot", {"value": "vwap.out"}, pane="price")
    return drawing.graph()


def opening_range() -> Graph:
    """Return the breakout of the first quarter of an hour, with the range as the stop and twice the risk as target."""
    drawing = Drawing("Opening range breakout", timeframe="5m")
    drawing.add("bars", "Bars")
    drawing.add("clock", "Clock")
    drawing.add("range", "OpeningRange", _RANGE, minutes=15)
    drawing.add("usual", "VolumeAvg", {"volume": "bars.volume"}, period=20)
    drawing.add("is_busy", "Compare", {"a": "bars.volume", "b": "usual.out"}, op="gt")
    drawing.add("breaks_out", "CrossAbove", {"a": "bars.close", "b": "range.high"})
    drawing.add("all", "All", {"in": "breaks_out.out, is_busy.out, range.ready"})
    drawing.add("once", "OncePer", {"in": "all.out"}, each="session")
    drawing.add("risk", "Math", {"a": "bars.close", "b": "range.low"}, op="subtract")
    drawing.add("last", "Const", value=10.0)
    drawing.add("is_late", "Compare", {"a": "clock.to_close", "b": "last.out"}, op="le")
    drawing.add("entry", "Entry", {"when": "once.out"}, tag="opening range")
    drawing.add("stop", "StopLoss", {"price": "range.low"})
    drawing.add("target", "TakeProfit", {"distance": "risk.out"}, multiple="2")
    drawing.add("flat", "ExitWhen", {"when": "is_late.out"}, tag="session ends")
    drawing.add("size", "PercentEquity", {"signal": "entry.signal"}, percent="95")
    drawing.add(
        "order", "Order", {"size": "size.size", "exit": "stop.exit, target.exit, flat.exit"}, type="market", tif="day"
    )
    drawing.add("plot_high", "Plot", {"value": "range.high"}, pane="price")
    drawing.add("plot_low", "Plot", {"value": "range.low"}, pane="price")
    return drawing.graph()
