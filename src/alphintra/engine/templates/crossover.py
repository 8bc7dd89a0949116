"""Crossovers of moving averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from alphintra.engine.templates.drawing import Drawing
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import Graph

__all__ = ["crossover"]


def crossover(
    fast: int = 20,
    slow: int = 50,
    *,
    average: Literal["ema", "sma"] = "ema",
    percent: str = "95",
    timeframe: str = "1d",
) -> Graph:
    """Return the moving-average crossover: long while the fast average is above the slow one.

    Enters with ``percent`` of equity when the fast average crosses above the slow one, leaves when it crosses
    below; market orders for the day.

    Raises:
        AlphintraError: FIELD_RANGE unless fast is shorter than slow, FIELD_CHOICE for another average.
    """
    if average not in {"ema", "sma"}:
        raise AlphintraError(
            "FIELD_CHOICE", f'average {average!r} is not known: use "ema" or "sma"', pointer="/average"
        )
    if not fast < slow:
        message = f"fast ({fast}) must be shorter than slow ({slow})"
        raise AlphintraError("FIELD_RANGE", message, pointer="/fast")
    kind = average.upper()
    drawing = Drawing(f"{kind} {fast}/{slow} crossover", timeframe=timeframe)
    drawing.add("bars", "Bars")
    drawing.add("fast", kind, {"in": "bars.close"}, period=fast)
    drawing.add("slow", kind, {"in": "bars.close"}, period=slow)
    drawing.add("cross_above", "CrossAbove", {"a": "fast.out", "b": "slow.out"})
    drawing.add("cross_below", "CrossBelow", {"a": "fast.out", "b": "slow.out"})
    drawing.add("plot_fast", "Plot", {"value": "fast.out"}, pane="price")
    drawing.add("plot_slow", "Plot", {"value": "slow.out"}, pane="price")
    drawing.add("entry", "Entry", {"when": "cross_above.out"}, tag="crossover")
    drawing.add("leave", "ExitWhen", {"when": "cross_below.out"}, tag="cross below")
    drawing.add("size", "PercentEquity", {"signal": "entry.signal"}, percent=percent)
    drawing.add("order", "Order", {"size": "size.size", "exit": "leave.exit"}, type="market", tif="day")
    return drawing.graph()
