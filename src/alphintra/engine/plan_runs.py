"""A plan run through the compiled account: the same graph, the same orders, without a record of each bar.

``run_plan`` says whether what it found is what ``run_backtest`` finds; where it is not, that one decides.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account.columns import NOTHING, Columns
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
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from alphintra.engine.account.rules import AccountRules
    from alphintra.engine.backtest import BacktestSettings
    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.kernels.kernel import Vector

__all__ = ["Asked", "PlanRun", "rules_of", "run_plan", "run_program"]

PORTION: Final = 65_536  # bars computed at a time: what the nodes hand each other stays near the processor

ABREAST_MIN: Final = 4  # portions from which a second thread is worth its start


_KEPT: Final = (
    *("open", "high", "low", "close", "entry", "leave", "size"),
    *("limit", "trigger", "stop", "target", "trail", "chandelier"),
)


class Asked:
    """What each order of a run was asked with, taken down portion by portion while the columns are there."""

    def __init__(self) -> None:
        self._kept: list[dict[str, Vector]] = []
        self._exits: list[NDArray[np.int64]] = []

    def note(self, bars: NDArray[np.int64], columns: Columns, fired: Sequence[Vector]) -> None:
        """Take down the columns at the closes where something was ordered; ``fired`` tells for each exit rule."""
        values: dict[str, Vector] = {name: getattr(columns, name) for name in _KEPT}
        self._kept.append({name: column[bars] if column.size else NOTHING for name, column in values.items()})
        fires = [column[bars] > 0 for column in fired]
        self._exits.append(np.argmax(fires, axis=0) if fires else np.zeros(bars.size, dtype=np.int64))

    def columns(self) -> Columns:
        """Return the columns with one value an order."""
        return Columns(**{name: np.concatenate([part[name] for part in self._kept]) for name in _KEPT})

    def exits(self) -> NDArray[np.int64]:
        """Return for each order the place of the first exit rule that fired at its close, 0 if none did."""
        return np.concatenate(self._exits)


@dataclass(frozen=True, slots=True)
class PlanRun:
    """What a plan's run brought about; ``is_decided`` tells that it is what the reference finds, to the last digit."""

    program: OrderProgram
    rules: AccountRules
    run: AccountRun
    is_decided: bool
    asked: Asked


def rules_of(program: OrderProgram, plan: Plan, settings: BacktestSettings) -> AccountRules:
    """Return a program's rules under the terms of a backtest."""
    return replace(
        program.rules,
        initial_cash=settings.initial_cash,
        costs=Costs(settings.fees, settings.slippage_bps),
        warm_up=plan.warm_up_bars,
        intrabar=settings.intrabar,
    )


def run_plan(
    plan: Plan,
    symbol: str,
    *,
    tape: Tape,
    settings: BacktestSettings,
    is_compiled: bool | None = None,
    told: Callable[[int], None] | None = None,
) -> PlanRun | None:
    """Run a plan over the bars of one symbol and hold its orders against the controls of risk.

    Args:
        plan: compiled strategy.
        symbol: its name.
        tape: its bars.
        settings: terms of the run.
        is_compiled: whether kernels run as machine code; by default where that is sooner.
        told: told how many bars are done, every so often; what it raises ends the run.

    Returns:
        None for what only the reference knows: several Order nodes, weights, nodes that read the position or the
        account, entries that fire and then wait (stop_limit), entries of the day on bars shorter than one, several
        entries of a position, and prices that have to be whole ticks.

    Raises:
        AlphintraError: GRAPH_UNIVERSE for a plan of several symbols.
    """
    require_single(plan)
    programs = order_programs(plan)
    if len(programs) != 1 or rebalances_of(plan) or book_nodes(plan):
        return None
    (program,) = programs
    has_prices = bool(program.guards) or not program.rules.pricing.is_market
    is_on_ticks = has_prices and settings.instrument is not None and settings.instrument.tick is not None
    if not program.is_compiled or is_on_ticks:
        return None
    warm_up = plan.warm_up_in(calendar_of(symbol).session_minutes)
    rules = replace(rules_of(program, plan, settings), warm_up=warm_up)
    asked = Asked()
    run = run_program(plan, program, tape, rules, is_compiled=is_compiled, asked=asked, told=told)
    limits, instrument = settings.limits, settings.instrument
    is_decided = run.is_exact and passes_controls(run, tape, symbol, limits=limits, instrument=instrument)
    return PlanRun(program, rules, run, is_decided, asked)


def run_program(  # noqa: PLR0913 - as above
    plan: Plan,
    program: OrderProgram,
    tape: Tape,
    rules: AccountRules,
    *,
    is_compiled: bool | None = None,
    asked: Asked | None = None,
    told: Callable[[int], None] | None = None,
) -> AccountRun:
    """Compute a plan's columns portion by portion, and the account's course over each.

    ``asked`` takes down what orders were asked with, ``told`` is told how many bars are done after each portion.
    A long run computes the next portion while the account runs over this one: neither holds the interpreter's lock.
    """
    if is_compiled is None and tape.closes >= COMPILED_BARS_MIN:
        is_compiled = True
    simulation = Simulation(rules, tape.closes, is_compiled=is_compiled)
    ends = program.ends
    evaluation = Evaluation(plan, only=ends)
    length = max(tape.closes, 1) if evaluation.reads_sessions else PORTION

    def computed(start: int) -> tuple[Columns, Sequence[Vector]]:
        portion = _portion(tape, slice(start, start + length))
        found = evaluation.advance(portion, keep=ends, is_compiled=is_compiled)
        return program.columns(found, portion), [found[end][0] for end, _ in program.exits] if asked is not None else []

    def advance(start: int, columns: Columns, fired: Sequence[Vector]) -> None:
        made = simulation.advance(columns)
        if asked is not None:
            asked.note(made[:, 0].astype(np.int64) - start, columns, fired)
        if told is not None:
            told(start + columns.bars)

    starts = range(0, tape.closes, length)
    if not is_compiled or len(starts) < ABREAST_MIN:
        for start in starts:
            advance(start, *computed(start))
        return simulation.run()
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(computed, 0)
        for start in starts[1:]:
            found = coming.result()
            coming = ahead.submit(computed, start)
            advance(start - length, *found)
        advance(starts[-1], *coming.result())
    return simulation.run()


def _portion(tape: Tape, bars: slice) -> Tape:
    opened, high, low, close, volume = (tape.field(name)[:, bars] for name in FIELDS)
    return Tape(tape.ts[bars], opened, high, low, close, volume, tape.calendars)
