"""The compiled portfolio equals its reference in exact decimals, gaps in the bars of a symbol included."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alphintra.engine.account.weights import Rebalances, WeightRules, hold, hold_reference
from alphintra.engine.costs import Costs
from alphintra.engine.portfolio import FeeModel
from alphintra.kernel.vocabulary import Side

D = Decimal
Panels = tuple[tuple[np.ndarray, np.ndarray], Rebalances]


@st.composite
def panels(draw: st.DrawFn) -> Panels:
    """Draw opens, closes and weights of a few symbols, with bars that are not there."""
    symbols, count = draw(st.integers(1, 4)), draw(st.integers(2, 14))
    price = st.decimals("5", "20", places=draw(st.sampled_from([0, 2, 6]))).map(float)
    weight = st.one_of(st.just(float("nan")), st.sampled_from([0.0, 0.0, 0.3, 0.5, -0.2]), st.floats(-0.5, 0.9))
    opens, closes, weights = np.empty((3, symbols, count))
    for j in range(symbols):
        for i in range(count):
            is_missing = i > 0 and draw(st.integers(0, 5)) == 0
            opens[j, i], closes[j, i] = (np.nan, np.nan) if is_missing else (draw(price), draw(price))
            weights[j, i] = draw(weight)
    return (opens, closes), told_by(weights)


def told_by(weights: np.ndarray) -> Rebalances:
    """Return the bars at which any symbol has a weight."""
    bars = np.flatnonzero(~np.isnan(weights).all(axis=0))
    return Rebalances(bars, np.ascontiguousarray(weights[:, bars]))


amounts = st.decimals
all_rules = st.builds(
    WeightRules,
    initial_cash=amounts("50", "100000", places=6),
    lot=st.sampled_from([D(1), D(1), D("0.01"), D(5)]),
    costs=st.builds(
        Costs,
        st.builds(FeeModel, amounts("0", "40", places=3), amounts("0", "0.1", places=4), amounts("0", "2", places=2)),
        st.sampled_from([D(0), D("12.5")]),
    ),
    band=st.sampled_from([D(0), D(0), D(5), D("0.5")]),
)


@settings(max_examples=80, deadline=None)
@given(panels(), all_rules)
def test_the_kernel_equals_the_reference_to_the_last_digit(market: Panels, rules: WeightRules) -> None:
    run = hold(rules, *market, is_compiled=False)
    assume(run.is_exact)
    equity, fills = hold_reference(rules, *market)
    expected = [
        [
            fill.bar,
            fill.symbol,
            (fill.qty if fill.side is Side.BUY else -fill.qty) / rules.lot,
            *(amount * 10**6 for amount in (fill.price, fill.fee, fill.realized)),
        ]
        for fill in fills
    ]
    assert run.fills[:, :6].tolist() == expected
    assert [D(int(units)) / 10**6 for units in run.units] == equity


def test_sells_pay_for_buys_and_a_symbol_without_a_bar_waits() -> None:
    """All of one symbol into another: the buy is paid by the sale of the same bar; the third has no bar until later."""
    nan = float("nan")
    closes = np.array([[10.0, 10, 10, 10, 10], [10.0, 10, 10, 10, 10], [10.0, 10, nan, nan, 10]])
    weights = np.full((3, 5), nan)
    weights[:, 0] = (0.0, 0.9, 0.0)
    weights[:, 1] = (0.9, 0.0, 0.1)
    run = hold(WeightRules(initial_cash=D(1000)), (closes, closes), told_by(weights), is_compiled=False)
    assert run.fills[:, :3].tolist() == [[1, 1, 90], [2, 1, -90], [2, 0, 90], [4, 2, 10]]
    assert (run.refused, run.equity[-1]) == (0, 1000)


@pytest.mark.slow
def test_compiled_and_interpreted_agree_to_the_last_bit() -> None:
    draw = np.random.default_rng(3)
    closes = np.round(50 * np.exp(np.cumsum(draw.normal(0, 0.01, (6, 400)), axis=1)), 2)
    opens = np.round(closes * np.exp(draw.normal(0, 0.003, closes.shape)), 2)
    weights = np.where(np.arange(400) % 7 == 0, draw.uniform(-0.1, 0.3, closes.shape), np.nan)
    rules = WeightRules(lot=D("0.01"), costs=Costs(FeeModel(D("3.7"), D("0.01")), D(4)), band=D("0.5"))
    one, other = (hold(rules, (opens, closes), told_by(weights), is_compiled=way) for way in (False, True))
    assert len(one.fills) > 200
    assert np.array_equal(one.units, other.units)
    assert np.array_equal(one.fills, other.fills)
