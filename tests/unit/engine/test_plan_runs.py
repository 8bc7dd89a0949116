"""A plan through the compiled account finds what the reference finds, and says so exactly when it does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from alphintra.engine import plan_runs
from alphintra.engine.account.program import order_programs
from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.graph import Plan, compile_plan
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.plan_runs import rules_of, run_plan, run_program
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.pretrade.instruments import Instrument
from alphintra.engine.pretrade.limits import LimitSet, default_limits
from alphintra.engine.templates import crossover
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Side
from unit.engine.builders import flat_bars, node, threshold_graph

D = Decimal
CROSSOVER = compile_plan(crossover(2, 3, average="sma"))
PLANS = (
    compile_plan(threshold_graph()),
    compile_plan(threshold_graph(size=node("size", "PercentEquity", percent="60"))),
    compile_plan(threshold_graph(entry_above=9.0, exit_below=9.5, size=node("size", "FixedQty", quantity=30))),
    CROSSOVER,
)
walks = st.lists(st.integers(800, 1200).map(lambda cents: D(cents) / 100), min_size=8, max_size=40)
few = st.one_of(st.none(), st.none(), st.none(), st.integers(1, 4))
amounts = st.one_of(st.none(), st.none(), st.none(), st.integers(50, 900).map(Decimal))
all_limits = st.builds(
    lambda controls, qty, value, held: replace(
        default_limits(), controls=controls, order_qty_max=qty, order_notional_max=value, position_qty_max=held
    ),
    st.builds(
        LimitControls,
        daily_loss_max=amounts,
        drawdown_halt_pct=st.one_of(st.none(), st.none(), st.integers(1, 5).map(Decimal)),
        credit_max=amounts,
        repeat_max=few,
        repeat_window_s=st.just(500_000),
        message_burst=few,
        duplicate_window_s=st.one_of(st.none(), st.none(), st.just(200_000)),
        fee_bps=st.sampled_from([D(0), D(100)]),
        symbols_allowed=st.sampled_from([None, None, None, ("TEST",), ("OTHER",)]),
    ),
    st.sampled_from([D(10), D(30), D(100_000)]),
    st.sampled_from([D(300), D(1_000_000)]),
    st.sampled_from([D(30), D(100_000)]),
)
instruments = st.sampled_from([None, None, None, Instrument(symbol="TEST", lot=D(3)), Instrument(symbol="TEST")])


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(PLANS), walks, all_limits, instruments, st.integers(100, 2000))
def test_a_run_is_decided_exactly_where_no_order_is_denied(
    plan: Plan, prices: list[Decimal], limits: LimitSet, instrument: Instrument | None, cash: int
) -> None:
    terms = BacktestSettings(
        initial_cash=D(cash),
        fees=FeeModel(D(10), minimum=D("0.5")),
        slippage_bps=D(20),
        limits=limits,
        instrument=instrument,
    )
    bars = flat_bars(prices)
    expected = run_backtest(plan, "TEST", bars=bars, settings=terms)
    found = run_plan(plan, "TEST", tape=tape_of(bars), settings=terms)
    assert found is not None
    assert found.is_decided == (not expected.denials)
    event(f"decided: {found.is_decided}")
    if not found.is_decided:
        return
    assert [bars[int(bar)].ts for bar in found.run.fills[:, 0]] == [fill.ts for fill in expected.fills]
    assert found.run.fills[:, 1].tolist() == [
        fill.qty if fill.side is Side.BUY else -fill.qty for fill in expected.fills
    ]
    assert found.run.fills[:, 2:5].tolist() == [
        [amount * 10**6 for amount in (fill.price, fill.fee, fill.realized)] for fill in expected.fills
    ]
    assert [D(int(units)) / 10**6 for units in found.run.units] == [point.equity for point in expected.equity]
    assert found.run.blocked == expected.blocked
    trades = found.run.trades
    assert trades.net.tolist() == [float(trade.net) for trade in expected.trades]


def test_portions_change_nothing() -> None:
    draw = np.random.default_rng(5)
    bars = flat_bars([D(int(cents)) / 100 for cents in draw.integers(900, 1100, 300)])
    terms = BacktestSettings()
    (program,) = order_programs(CROSSOVER)
    rules = rules_of(program, CROSSOVER, terms)
    whole = run_program(CROSSOVER, program, tape_of(bars), rules)
    before, plan_runs.PORTION = plan_runs.PORTION, 7  # type: ignore[misc]
    try:
        cut = run_program(CROSSOVER, program, tape_of(bars), rules)
    finally:
        plan_runs.PORTION = before  # type: ignore[misc]
    assert len(whole.fills) > 20
    for name in ("units", "outcomes", "orders", "fills"):
        assert np.array_equal(getattr(whole, name), getattr(cut, name)), name
