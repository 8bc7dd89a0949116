"""A sweep over a graph comes to what each of its trials comes to by itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from alphintra.engine.account.program import order_programs
from alphintra.engine.account.rules import Size, Sizing
from alphintra.engine.costs import Costs
from alphintra.engine.graph.plan import Plan, compile_plan
from alphintra.engine.graph.tape import Tape
from alphintra.engine.plan_runs import run_program
from alphintra.engine.plan_sweep import sweep_plan
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError

PAIRS = ((5, 20), (10, 30), (5, 30), (7, 20), (20, 60))
TRIALS: list[dict[str, dict[str, Any]]] = [{"fast": {"period": fast}, "slow": {"period": slow}} for fast, slow in PAIRS]
COSTS = Costs(FeeModel(Decimal(10), Decimal("0.001"), Decimal("0.5")), Decimal(2))


def tape(count: int = 3000) -> Tape:
    close = 100.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 2e-3, (1, count)), axis=1))
    opened = close * (1.0 + 1e-4)
    return Tape(np.arange(count, dtype=np.int64), opened, close * 1.01, close * 0.99, close, np.ones(close.shape))


def plan_of(fast: int, slow: int) -> Plan:
    return compile_plan(crossover(fast, slow, average="sma", percent="60", timeframe="1m"))


@pytest.mark.parametrize(
    "sizing",
    [
        Sizing(Size.ALL_CASH),
        Sizing(Size.PERCENT_EQUITY, Decimal(60)),
        Sizing(Size.FIXED_QTY, Decimal(3)),
        Sizing(Size.FIXED_NOTIONAL, Decimal(500)),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_sweep_over_a_graph_comes_to_what_each_trial_comes_to(sizing: Sizing, threads: int) -> None:
    bars, plan = tape(), plan_of(10, 30)
    terms: dict[str, Any] = {
        "initial_cash": Decimal(10_000),
        "sizing": sizing,
        "costs": COSTS,
        "is_rounded": False,
        "warm_up": 40,
    }
    rules = replace(order_programs(plan)[0].rules, **terms)
    found = sweep_plan(plan, bars, rules, TRIALS, threads=threads)
    for (fast, slow), equity, trades in zip(PAIRS, found.equity, found.trades, strict=True):
        alone = plan_of(fast, slow)
        run = run_program(alone, order_programs(alone)[0], bars, rules)
        assert equity == pytest.approx(run.units[-1], rel=1e-12)
        assert trades == len(run.fills) // 2 > 5


def test_a_trial_of_a_node_that_computes_no_column_is_refused() -> None:
    plan = plan_of(10, 30)
    rules = replace(order_programs(plan)[0].rules, is_rounded=False)
    with pytest.raises(AlphintraError, match="turn another"):
        sweep_plan(plan, tape(100), rules, [{"size": {"percent": "10"}}])


def test_rounded_amounts_are_refused() -> None:
    plan = plan_of(10, 30)
    with pytest.raises(AlphintraError, match="unrounded"):
        sweep_plan(plan, tape(100), order_programs(plan)[0].rules, TRIALS)
