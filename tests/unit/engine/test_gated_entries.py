"""A Gate lets entries through while its condition holds, and holds up nothing that leaves."""

from __future__ import annotations

import numpy as np

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.graph import compile_plan
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.kernels.logic import gated
from alphintra.engine.plan_runs import run_plan
from alphintra.kernel.vocabulary import Side
from unit.engine.builders import flat_bars, graph, node

STRATEGY = graph(
    [
        node("bars", "Bars"),
        node("level", "Const", value=100),
        node("calm", "Const", value=110),
        node("above", "Compare", op="gt"),
        node("below", "Compare", op="lt"),
        node("regime", "Compare", op="lt"),
        node("entry", "Entry", tag="in"),
        node("gate", "Gate"),
        node("leave", "ExitWhen", tag="out"),
        node("size", "FixedQty", quantity=10),
        node("order", "Order", type="market", tif="day"),
    ],
    [
        ("bars.close", "above.a"),
        ("level.out", "above.b"),
        ("bars.close", "below.a"),
        ("level.out", "below.b"),
        ("bars.close", "regime.a"),
        ("calm.out", "regime.b"),
        ("above.out", "entry.when"),
        ("entry.signal", "gate.signal"),
        ("regime.out", "gate.when"),
        ("gate.signal", "size.signal"),
        ("below.out", "leave.when"),
        ("size.size", "order.size"),
        ("leave.exit", "order.exit"),
    ],
)


def test_entries_wait_for_the_gate_and_exits_do_not() -> None:
    bars = flat_bars([99, 112, 112, 105, 105, 115, 99, 99, 111, 111])
    plan = compile_plan(STRATEGY)
    result = run_backtest(plan, "AAPL", bars=bars, settings=BacktestSettings())
    assert [(fill.side, fill.ts) for fill in result.fills] == [(Side.BUY, bars[4].ts), (Side.SELL, bars[7].ts)]
    assert [record.order.intent.tag for record in result.orders] == ["in", "out"]
    compiled = run_plan(plan, "AAPL", tape=tape_of(bars), settings=BacktestSettings())
    assert compiled is not None
    assert compiled.is_decided
    assert compiled.run.fills[:, 0].tolist() == [4.0, 7.0]


def test_a_gate_is_unknown_where_signal_or_condition_is() -> None:
    signal, when = np.array([1.0, -1.0, 1.0, np.nan, 1.0]), np.array([1.0, 1.0, 0.0, 1.0, np.nan])
    out = np.empty(5)
    gated.interpreted(np.empty(0), np.empty(0), signal, when, out)
    assert np.array_equal(out, [1.0, -1.0, 0.0, np.nan, np.nan], equal_nan=True)
