"""A plan run through the compiled account: the same graph, the same orders, without a record of each bar.

``run_plan`` says whether what it found is what ``run_backtest`` finds; where it is not, that one decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account.columns import Columns
from alphintra.engine.account.rules import AccountRules, Size, Sizing
from alphintra.engine.account.run import COMPILED_BARS_MIN, AccountRun, Simulation
from alphintra.engine.account.screen import passes_controls
from alphintra.engine.graph.evaluation import Evaluation
from alphintra.engine.graph.rules import order_rules
from alphintra.engine.graph.tape import FIELDS, Tape
from alphintra.engine.step import Costs

if TYPE_CHECKING:
    from alphintra.engine.backtest import BacktestSettings
    from alphintra.engine.graph.evaluation import End
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.kernels.kernel import Vector

__all__ = ["PlanAccount", "PlanRun", "account_of_plan", "run_account", "run_plan"]

PORTION: Final = 32_768  # bars computed at a time: what the nodes hand each other stays in the processor's cache
_SIZES: Final = {"PercentEquity": (Size.PERCENT_EQUITY, "percent"), "FixedQty": (Size.FIXED_QTY, "quantity")}


@dataclass(frozen=True, slots=True)
class PlanAccount:
    """How a plan trades: rules, the column that enters, the columns that leave in the order in which they are asked."""

    rules: AccountRules
    entry: End
    exits: tuple[End, ...]
    entry_tag: str
    exit_tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanRun:
    """What a plan's run brought about; ``is_decided`` tells that it is what the reference finds, to the last digit."""

    account: PlanAccount
    run: AccountRun
    is_decided: bool


def account_of_plan(plan: Plan, settings: BacktestSettings) -> PlanAccount | None:
    """Return how a plan trades; None if it does so in a way that only the reference knows."""
    orders = order_rules(plan)
    if len(orders) != 1:
        return None
    (order,) = orders
    sizing = _sizing(next(step for step in plan.steps if step.node == order.step.inputs["size"][0][0]))
    if sizing is None:
        return None
    rules = AccountRules(
        initial_cash=settings.initial_cash,
        sizing=sizing,
        costs=Costs(settings.fees, settings.slippage_bps),
        warm_up=plan.warm_up_bars,
    )
    exits = tuple(rule.when for rule in order.exits)
    return PlanAccount(rules, order.signal, exits, order.tag, tuple(rule.tag for rule in order.exits))


def run_plan(plan: Plan, symbol: str, *, tape: Tape, settings: BacktestSettings) -> PlanRun | None:
    """Run a plan over the bars of one symbol and hold its orders against the controls of risk.

    Returns:
        None for a plan whose orders only the reference knows how to make.
    """
    account = account_of_plan(plan, settings)
    if account is None:
        return None
    run = run_account(plan, account, tape)
    is_decided = run.is_exact and passes_controls(
        run, tape, symbol, limits=settings.limits, instrument=settings.instrument
    )
    return PlanRun(account, run, is_decided)


def run_account(plan: Plan, account: PlanAccount, tape: Tape, *, is_compiled: bool | None = None) -> AccountRun:
    """Compute a plan's columns portion by portion, and the account's course over each."""
    is_compiled = tape.closes >= COMPILED_BARS_MIN if is_compiled is None else is_compiled
    simulation = Simulation(account.rules, tape.closes, is_compiled=is_compiled)
    evaluation = Evaluation(plan)
    kept = {account.entry, *account.exits}
    for start in range(0, tape.closes, PORTION):
        portion = _portion(tape, slice(start, start + PORTION))
        found = evaluation.advance(portion, keep=kept, is_compiled=is_compiled)
        simulation.advance(
            Columns(
                open=portion.open[0],
                high=portion.high[0],
                low=portion.low[0],
                close=portion.close[0],
                entry=found[account.entry][0],
                leave=_first_firing([found[end][0] for end in account.exits], portion.closes),
            )
        )
    return simulation.run()


def _portion(tape: Tape, bars: slice) -> Tape:
    return replace(tape, ts=tape.ts[bars], **{name: tape.field(name)[:, bars] for name in FIELDS})


def _first_firing(exits: list[Vector], count: int) -> Vector:
    """Return at each bar the number of the first exit that fires, from one; zero for none."""
    if len(exits) == 1:
        return exits[0]
    firing = np.zeros(count)
    for number, column in reversed(list(enumerate(exits, 1))):
        firing[column > 0] = number
    return firing


def _sizing(step: Step) -> Sizing | None:
    known = _SIZES.get(step.type)
    return None if known is None else Sizing(known[0], Decimal(str(step.params[known[1]])))
