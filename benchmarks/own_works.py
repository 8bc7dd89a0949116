"""The workloads through the platform's engine: W1 and W4 from a graph as a person draws it, with figures and trades.

The graph's account is given the rules all engines in the comparison share: all cash at the fill, nothing rounded.
"""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from alphintra.engine.account.figures import figures_of
from alphintra.engine.account.program import order_programs
from alphintra.engine.account.rules import Size, Sizing
from alphintra.engine.account.weights import WeightRules, hold
from alphintra.engine.costs import Costs
from alphintra.engine.graph.plan import Plan, compile_plan
from alphintra.engine.graph.tape import Tape
from alphintra.engine.panel_runs import panel_program
from alphintra.engine.plan_runs import run_program
from alphintra.engine.plan_sweep import sweep_plan
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.templates import crossover
from alphintra.engine.templates.drawing import Drawing
from benchmarks.children import MeasureError
from benchmarks.contest import (
    BACK,
    CASH,
    EVERY,
    FAST,
    FEE,
    HELD,
    RANGE,
    REACH,
    SLOW,
    TRAIL,
    WEIGHT,
    Came,
    Work,
    pairs_of,
)

if TYPE_CHECKING:
    from benchmarks.market import Market

__all__ = ["WORKS", "guarded_graph_plan"]

_PAIRS: Final = 1000
_COSTS: Final = Costs(FeeModel(Decimal(str(FEE)) * 10_000))
_TERMS: Final[dict[str, Any]] = {
    "initial_cash": Decimal(int(CASH)),
    "sizing": Sizing(Size.ALL_CASH),
    "costs": _COSTS,
    "is_rounded": False,
}
_MINUTES_A_YEAR: Final = 365 * 1440.0


def _w1(market: Market) -> Work:
    return _planned(compile_plan(crossover(FAST, SLOW, average="sma", percent="100", timeframe="1m")), market)


def _w4(market: Market) -> Work:
    return _planned(guarded_graph_plan(), market)


def guarded_graph_plan() -> Plan:
    """Return the crossover with a trailing stop and a target in average true ranges."""
    drawing = Drawing("guarded crossover", timeframe="1m")
    drawing.add("bars", "Bars")
    drawing.add("fast", "SMA", {"in": "bars.close"}, period=FAST)
    drawing.add("slow", "SMA", {"in": "bars.close"}, period=SLOW)
    drawing.add("range", "ATR", {"high": "bars.high", "low": "bars.low", "close": "bars.close"}, period=RANGE)
    drawing.add("above", "CrossAbove", {"a": "fast.out", "b": "slow.out"})
    drawing.add("below", "CrossBelow", {"a": "fast.out", "b": "slow.out"})
    drawing.add("entry", "Entry", {"when": "above.out"}, tag="above")
    drawing.add("leave", "ExitWhen", {"when": "below.out"}, tag="below")
    drawing.add("trail", "TrailingStop", {"distance": "range.out"}, multiple=str(TRAIL))
    drawing.add("target", "TakeProfit", {"distance": "range.out"}, multiple=str(REACH))
    drawing.add("size", "PercentEquity", {"signal": "entry.signal"}, percent="100")
    drawing.add(
        "order", "Order", {"size": "size.size", "exit": "leave.exit,trail.exit,target.exit"}, type="market", tif="day"
    )
    return compile_plan(drawing.graph())


def _planned(plan: Plan, market: Market) -> Work:
    tape = _tape(market)
    (program,) = order_programs(plan)
    rules = replace(program.rules, warm_up=SLOW, **_TERMS)  # the others begin where both averages are known

    def run() -> Came:
        done = run_program(plan, program, tape, rules)
        figures = figures_of(done, periods=_MINUTES_A_YEAR)
        return Came(float(done.equity[-1]), figures.trades)

    return run


def _w2(market: Market) -> Work:
    plan = compile_plan(crossover(FAST, SLOW, average="sma", percent="100", timeframe="1m"))
    trials = [{"fast": {"period": fast}, "slow": {"period": slow}} for fast, slow in pairs_of(_PAIRS)]
    tape = _tape(market)
    (program,) = order_programs(plan)
    rules = replace(program.rules, **_TERMS)

    def run() -> Came:
        found = sweep_plan(plan, tape, rules, trials, threads=os.cpu_count() or 1)
        return Came(float(found.equity.max()), int(found.trades.sum()))

    return run


def _tape(market: Market) -> Tape:
    prices = (market.open, market.high, market.low, market.close)
    opened, high, low, close = (column.reshape(1, -1) for column in prices)
    return Tape(market.ts, opened, high, low, close, np.ones(close.shape))


def rotation_plan() -> Plan:
    """Return the rotation into the symbols that rose most, each at the same weight, every so many bars."""
    drawing = Drawing("rotation", timeframe="1m")
    drawing.add("bars", "Bars")
    drawing.add("gain", "ROC", {"in": "bars.close"}, period=BACK)
    drawing.add("best", "TopN", {"in": "gain.out"}, count=HELD)
    drawing.add("shares", "EqualWeights", {"chosen": "best.out"}, gross=str(Decimal(str(WEIGHT)) * HELD))
    drawing.add("one", "Const", value=1.0)
    drawing.add("zero", "Const", value=0.0)
    drawing.add("always", "Compare", {"a": "one.out", "b": "zero.out"}, op="gt")
    drawing.add("turn", "Cooldown", {"in": "always.out"}, bars=EVERY - 1)
    drawing.add("order", "RebalanceTo", {"weights": "shares.weights", "when": "turn.out"}, type="market", tif="day")
    return compile_plan(drawing.graph())


def _w3(market: Market) -> Work:
    prices = (market.open, market.high, market.low, market.close)
    tape = Tape(market.ts, *prices, np.ones(market.close.shape))
    symbols = tuple(f"S{number:02d}" for number in range(market.close.shape[0]))
    program = panel_program(rotation_plan(), symbols)
    if program is None:
        raise MeasureError("w3: the rotation is not run by the compiled account")
    rules = WeightRules(initial_cash=Decimal(int(CASH)), costs=_COSTS, is_rounded=False, is_sized_at_fill=True)

    def run() -> Came:
        found = hold(rules, (tape.open, tape.close), program.rebalances(tape))
        return Came(float(found.equity[-1]), len(found.fills))

    return run


WORKS: Final = {
    ("alphintra", "w1"): _w1,
    ("alphintra", "w2"): _w2,
    ("alphintra", "w3"): _w3,
    ("alphintra", "w4"): _w4,
}
