"""A plan of weights run through the compiled account is what the reference finds, and computes only what is asked."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from alphintra.engine.account.weights import PanelRun
from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.graph.evaluation import Evaluation
from alphintra.engine.graph.plan import Plan, compile_plan
from alphintra.engine.graph.tape import Tape, tape_across
from alphintra.engine.panel_runs import panel_program, run_panel
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.sessions import calendar_of
from alphintra.engine.templates.drawing import Drawing
from alphintra.engine.universe import union_of
from alphintra.engine.universe_backtest import run_universe
from unit.engine.builders import threshold_graph
from unit.engine.test_universe import NAMES, market

TERMS = BacktestSettings(fees=FeeModel(commission_bps=Decimal(3)), slippage_bps=Decimal(2))


def rotation(period: int = 4, every: int = 5) -> Plan:
    """Return the rotation into the two symbols that rose most, every so many bars."""
    drawing = Drawing("rotation", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("gain", "ROC", {"in": "bars.close"}, period=period)
    drawing.add("best", "TopN", {"in": "gain.out"}, count=2)
    drawing.add("shares", "EqualWeights", {"chosen": "best.out"}, gross="0.9")
    drawing.add("one", "Const", value=1.0)
    drawing.add("zero", "Const", value=0.0)
    drawing.add("always", "Compare", {"a": "one.out", "b": "zero.out"}, op="gt")
    drawing.add("turn", "Cooldown", {"in": "always.out"}, bars=every - 1)
    drawing.add("order", "RebalanceTo", {"weights": "shares.weights", "when": "turn.out"}, type="market", tif="day")
    return compile_plan(drawing.graph())


def both(plan: Plan, seed: int, gaps: float) -> tuple[PanelRun, list[Decimal], int]:
    """Return the compiled run, and the reference's equity and number of fills."""
    bars = market(seed, 90, gaps=gaps)
    closes = union_of(bars)
    rows = [[close.bars.get(symbol) for close in closes] for symbol in NAMES]
    tape = tape_across([close.ts for close in closes], rows, [calendar_of(symbol) for symbol in NAMES])
    program = panel_program(plan, NAMES)
    assert program is not None
    result = run_universe(plan, bars, settings=TERMS, is_controlled=False)
    run = run_panel(program, tape, TERMS, is_compiled=False)
    return run, [point.equity for point in result.equity], len(result.fills)


@pytest.mark.parametrize(("seed", "gaps"), [(3, 0.0), (4, 0.2)])
def test_a_panel_run_is_what_the_reference_finds(seed: int, gaps: float) -> None:
    run, equity, fills = both(rotation(), seed, gaps)
    assert run.is_exact
    assert [Decimal(round(units)).scaleb(-6) for units in run.units.tolist()] == equity
    assert len(run.fills) == fills > 20


def test_what_is_computed_at_chosen_closes_is_what_it_is_at_all() -> None:
    plan, draw = rotation(period=3, every=7), np.random.default_rng(5)
    prices = 100.0 + np.cumsum(draw.normal(size=(6, 200)), axis=1)
    prices[2, 50:70] = np.nan
    tape = Tape(np.arange(200, dtype=np.int64), prices, prices, prices, prices, prices)
    names = tuple("ABCDEF")
    when, weights = ("turn", "out"), ("shares", "weights")
    whole = Evaluation(plan, symbols=names).advance(tape, is_compiled=False)
    places, some = Evaluation(plan, symbols=names).advance_to(tape, when, {weights}, is_compiled=False)
    assert np.array_equal(places, np.flatnonzero((whole[when] > 0).any(axis=0)))
    for end in (when, weights):
        assert np.array_equal(some[end], whole[end][:, places], equal_nan=True)


def test_an_order_beside_weights_is_for_the_reference() -> None:
    assert panel_program(compile_plan(threshold_graph(entry_above=101, exit_below=99)), NAMES) is None
