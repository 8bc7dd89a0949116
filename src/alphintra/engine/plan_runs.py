"""A plan run through the compiled account: the same graph, the same orders, without a record of each bar.

``run_plan`` says whether what it found is what ``run_backtest`` finds; where it is not, that one decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alphintra.engine.account.program import OrderProgram, order_programs
from alphintra.engine.account.run import COMPILED_BARS_MIN, AccountRun, Simulation
from alphintra.engine.account.screen import passes_controls
from alphintra.engine.costs import Costs
from alphintra.engine.graph.evaluation import Evaluation
from alphintra.engine.graph.tape import FIELDS, Tape

if TYPE_CHECKING:
    from alphintra.engine.account.rules import AccountRules
    from alphintra.engine.backtest import BacktestSettings
    from alphintra.engine.graph.plan import Plan

__all__ = ["PlanRun", "rules_of", "run_plan", "run_program"]

PORTION: Final = 32_768  # bars computed at a time: what the nodes hand each other stays in the processor's cache


@dataclass(frozen=True, slots=True)
class PlanRun:
    """What a plan's run brought about; ``is_decided`` tells that it is what the reference finds, to the last digit."""

    program: OrderProgram
    rules: AccountRules
    run: AccountRun
    is_decided: bool


def rules_of(program: OrderProgram, plan: Plan, settings: BacktestSettings) -> AccountRules:
    """Return a program's rules under the terms of a backtest."""
    return replace(
        program.rules,
        initial_cash=settings.initial_cash,
        costs=Costs(settings.fees, settings.slippage_bps),
        warm_up=plan.warm_up_bars,
    )


def run_plan(plan: Plan, symbol: str, *, tape: Tape, settings: BacktestSettings) -> PlanRun | None:
    """Run a plan over the bars of one symbol and hold its orders against the controls of risk.

    Returns:
        None for a plan of several Order nodes, which only the reference knows.
    """
    programs = order_programs(plan)
    if len(programs) != 1:
        return None
    (program,) = programs
    rules = rules_of(program, plan, settings)
    run = run_program(plan, program, tape, rules)
    limits, instrument = settings.limits, settings.instrument
    is_decided = run.is_exact and passes_controls(run, tape, symbol, limits=limits, instrument=instrument)
    return PlanRun(program, rules, run, is_decided)


def run_program(
    plan: Plan, program: OrderProgram, tape: Tape, rules: AccountRules, *, is_compiled: bool | None = None
) -> AccountRun:
    """Compute a plan's columns portion by portion, and the account's course over each."""
    is_compiled = tape.closes >= COMPILED_BARS_MIN if is_compiled is None else is_compiled
    simulation = Simulation(rules, tape.closes, is_compiled=is_compiled)
    evaluation = Evaluation(plan)
    length = max(tape.closes, 1) if tape.calendars else PORTION  # what a session tells is asked of the whole of it
    for start in range(0, tape.closes, length):
        portion = _portion(tape, slice(start, start + length))
        computed = evaluation.advance(portion, keep=program.ends, is_compiled=is_compiled)
        simulation.advance(program.columns(computed, portion))
    return simulation.run()


def _portion(tape: Tape, bars: slice) -> Tape:
    opened, high, low, close, volume = (tape.field(name)[:, bars] for name in FIELDS)
    return Tape(tape.ts[bars], opened, high, low, close, volume, tape.calendars)
