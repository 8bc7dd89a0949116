"""A plan run through the compiled account: the same graph, the same orders, without a record of each bar.

``run_plan`` says whether what it found is what ``run_backtest`` finds; where it is not, that one decides.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alphintra.engine.account.program import OrderProgram, order_programs
from alphintra.engine.account.run import COMPILED_BARS_MIN, AccountRun, Simulation
from alphintra.engine.account.screen import passes_controls
from alphintra.engine.costs import Costs
from alphintra.engine.graph.evaluation import Evaluation, book_nodes
from alphintra.engine.graph.plan import require_single
from alphintra.engine.graph.tape import FIELDS, Tape
from alphintra.engine.rebalancing import rebalances_of
from alphintra.engine.sessions import calendar_of

if TYPE_CHECKING:
    from alphintra.engine.account.columns import Columns
    from alphintra.engine.account.rules import AccountRules
    from alphintra.engine.backtest import BacktestSettings
    from alphintra.engine.graph.plan import Plan

__all__ = ["PlanRun", "rules_of", "run_plan", "run_program"]

PORTION: Final = 32_768  # bars computed at a time: what the nodes hand each other stays in the processor's cache

ABREAST_MIN: Final = 4  # portions from which a second thread is worth its start


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
        None for what only the reference knows: several Order nodes, weights, nodes that read the position or the
        account, entries that fire and then wait (stop_limit), and entries of the day on bars shorter than one.

    Raises:
        AlphintraError: GRAPH_UNIVERSE for a plan of several symbols.
    """
    require_single(plan)
    programs = order_programs(plan)
    if len(programs) != 1 or rebalances_of(plan) or book_nodes(plan):
        return None
    (program,) = programs
    if not program.is_compiled:
        return None
    warm_up = plan.warm_up_in(calendar_of(symbol).session_minutes)
    rules = replace(rules_of(program, plan, settings), warm_up=warm_up)
    run = run_program(plan, program, tape, rules)
    limits, instrument = settings.limits, settings.instrument
    is_decided = run.is_exact and passes_controls(run, tape, symbol, limits=limits, instrument=instrument)
    return PlanRun(program, rules, run, is_decided)


def run_program(
    plan: Plan, program: OrderProgram, tape: Tape, rules: AccountRules, *, is_compiled: bool | None = None
) -> AccountRun:
    """Compute a plan's columns portion by portion, and the account's course over each.

    A long run computes the next portion while the account runs over this one: neither holds the interpreter's lock.
    """
    if is_compiled is None and tape.closes >= COMPILED_BARS_MIN:
        is_compiled = True
    simulation = Simulation(rules, tape.closes, is_compiled=is_compiled)
    evaluation = Evaluation(plan)
    length = max(tape.closes, 1) if tape.calendars else PORTION  # what a session tells is asked of the whole of it

    def computed(start: int) -> Columns:
        portion = _portion(tape, slice(start, start + length))
        return program.columns(evaluation.advance(portion, keep=program.ends, is_compiled=is_compiled), portion)

    starts = range(0, tape.closes, length)
    if not is_compiled or len(starts) < ABREAST_MIN:
        for start in starts:
            simulation.advance(computed(start))
        return simulation.run()
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(computed, 0)
        for start in starts[1:]:
            columns = coming.result()
            coming = ahead.submit(computed, start)
            simulation.advance(columns)
        simulation.advance(coming.result())
    return simulation.run()


def _portion(tape: Tape, bars: slice) -> Tape:
    opened, high, low, close, volume = (tape.field(name)[:, bars] for name in FIELDS)
    return Tape(tape.ts[bars], opened, high, low, close, volume, tape.calendars)
