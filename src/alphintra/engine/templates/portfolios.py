"""Strategies over several symbols, and those that hold a share of equity rather than one position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.engine.templates.drawing import Drawing

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import Graph

__all__ = ["dollar_cost_averaging", "grid", "momentum_rotation", "pairs"]


def momentum_rotation() -> Graph:
    """Return the monthly rotation into the symbols that rose most, smaller shares for those that swing more."""
    drawing = Drawing("Momentum rotation", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("clock", "Clock")
    drawing.add("roc", "ROC", {"in": "bars.close"}, period=126)
    drawing.add("zero", "Const", value=0.0)
    drawing.add("best", "TopN", {"in": "roc.out"}, count=3)
    drawing.add("rises", "Compare", {"a": "roc.out", "b": "zero.out"}, op="gt")
    drawing.add("chosen", "All", {"in": "best.out, rises.out"})
    drawing.add("returns", "Change", {"in": "bars.close"}, bars=1, **{"as": "log"})
    drawing.add("swing", "StdDev", {"in": "returns.out"}, period=60)
    drawing.add("shares", "InverseVol", {"chosen": "chosen.out", "volatility": "swing.out"})
    drawing.add("capped", "CapWeights", {"weights": "shares.weights"}, most="0.4", gross="0.95", net="0.95")
    drawing.add(
        "order", "RebalanceTo", {"weights": "capped.weights", "when": "clock.month"}, type="market", tif="day", band="5"
    )
    drawing.add("plot_roc", "Plot", {"value": "roc.out"}, pane="own")
    return drawing.graph()


def pairs(first: str = "IBM", second: str = "MSFT") -> Graph:
    """Return the pair of two symbols whose spread comes back: short the dear one, long the cheap one, as one group."""
    drawing = Drawing(f"Pair {first} and {second}", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("a", "Pick", {"in": "bars.close"}, symbol=first)
    drawing.add("b", "Pick", {"in": "bars.close"}, symbol=second)
    drawing.add("spread", "SpreadOLS", {"a": "a.out", "b": "b.out"}, period=120)
    drawing.add("z", "ZScore", {"in": "spread.out"}, period=60)
    for name, level in (("far", 2.0), ("near", 0.5), ("lost", 4.0)):
        drawing.add(name, "Const", value=level)
    drawing.add("size_of_z", "Function", {"in": "z.out"}, of="abs")
    drawing.add("zero", "Const", value=0.0)
    drawing.add("is_dear", "Compare", {"a": "z.out", "b": "zero.out"}, op="gt")
    drawing.add("is_far", "CrossAbove", {"a": "size_of_z.out", "b": "far.out"})
    drawing.add("is_near", "Compare", {"a": "size_of_z.out", "b": "near.out"}, op="lt")
    drawing.add("is_lost", "Compare", {"a": "size_of_z.out", "b": "lost.out"}, op="gt")
    drawing.add("over", "Any", {"in": "is_near.out, is_lost.out"})
    drawing.add("open", "Latch", {"set": "is_far.out", "reset": "over.out"})
    drawing.add("minus", "Const", value=-1.0)
    drawing.add("plus", "Const", value=1.0)
    drawing.add("side", "Choose", {"condition": "is_dear.out", "a": "minus.out", "b": "plus.out"})
    drawing.add("held_side", "LastValueWhen", {"event": "is_far.out", "in": "side.out"})
    drawing.add("is_first", "IsSymbol", {"in": "bars.close"}, symbol=first)
    drawing.add("other_side", "Function", {"in": "held_side.out"}, of="negate")
    drawing.add("leg", "Choose", {"condition": "is_first.out", "a": "held_side.out", "b": "other_side.out"})
    drawing.add("half", "Linear", {"in": "leg.out"}, factor="0.45")
    drawing.add("share", "Choose", {"condition": "open.out", "a": "half.out", "b": "zero.out"})
    drawing.add("changes", "Edge", {"in": "open.out"}, when="either")
    drawing.add("weights", "TargetWeights", {"in": "share.out"})
    drawing.add("order", "RebalanceTo", {"weights": "weights.weights", "when": "changes.out"}, type="market", tif="day")
    drawing.add("plot_z", "Plot", {"value": "z.out"}, pane="own")
    return drawing.graph()


def grid() -> Graph:
    """Return the grid of twenty levels over the range of a hundred days, while there is no trend."""
    drawing = Drawing("Grid", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("range", "Donchian", {"high": "bars.high", "low": "bars.low"}, period=100)
    drawing.add(
        "grid",
        "Grid",
        {"price": "bars.close", "low": "range.lower", "high": "range.upper"},
        levels=20,
        spacing="geometric",
    )
    drawing.add("adx", "ADX", {"high": "bars.high", "low": "bars.low", "close": "bars.close"}, period=14)
    drawing.add("calm", "Const", value=20.0)
    drawing.add("is_calm", "Compare", {"a": "adx.line", "b": "calm.out"}, op="lt")
    drawing.add("nothing", "Const", value=0.0)
    drawing.add("share", "Linear", {"in": "grid.share"}, factor="0.95")
    drawing.add("is_empty", "Compare", {"a": "share.out", "b": "nothing.out"}, op="le")
    drawing.add("may_act", "Any", {"in": "is_calm.out, is_empty.out"})
    drawing.add("acts", "All", {"in": "grid.changed, may_act.out"})
    drawing.add("weights", "TargetWeights", {"in": "share.out"})
    drawing.add("order", "RebalanceTo", {"weights": "weights.weights", "when": "acts.out"}, type="market", tif="day")
    drawing.add("plot_upper", "Plot", {"value": "range.upper"}, pane="price")
    drawing.add("plot_lower", "Plot", {"value": "range.lower"}, pane="price")
    return drawing.graph()


def dollar_cost_averaging() -> Graph:
    """Return buying for the same money every week, and for the same again five percent below the average price."""
    drawing = Drawing("Dollar cost averaging", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("clock", "Clock")
    drawing.add("account", "Account")
    drawing.add("position", "Position")
    drawing.add("amount", "Const", value=100.0)
    drawing.add("lower", "Linear", {"in": "position.avg_price"}, factor="0.95")
    drawing.add("is_low", "Compare", {"a": "bars.close", "b": "lower.out"}, op="lt")
    drawing.add("dips", "Edge", {"in": "is_low.out"}, when="rises")
    drawing.add("worth", "Math", {"a": "position.qty", "b": "bars.close"}, op="multiply")
    drawing.add("wanted", "Math", {"a": "worth.out", "b": "amount.out"}, op="add")
    drawing.add("share", "Math", {"a": "wanted.out", "b": "account.equity"}, op="divide")
    drawing.add("all_in", "Clip", {"in": "share.out"}, low="0", high="0.95")
    drawing.add("buys", "Any", {"in": "clock.week, dips.out"})
    drawing.add("weights", "TargetWeights", {"in": "all_in.out"})
    drawing.add(
        "order",
        "RebalanceTo",
        {"weights": "weights.weights", "when": "buys.out"},
        type="market",
        tif="day",
        lot="0.0001",
    )
    return drawing.graph()
