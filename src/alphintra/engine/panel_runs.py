"""A plan that holds several symbols at weights, run through the compiled account: the same graph, no record of a close.

``engine.universe_backtest`` without the controls of risk is the reference: a run that is not exact, or a plan of other
rules, is for it to decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from alphintra.engine.account.program import order_programs
from alphintra.engine.account.weights import PanelRun, Rebalances, WeightRules, hold
from alphintra.engine.costs import Costs
from alphintra.engine.graph.evaluation import Evaluation, book_nodes
from alphintra.engine.graph.plan import require_universe
from alphintra.engine.rebalancing import Rebalance, rebalances_of
from alphintra.engine.sessions import calendar_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alphintra.engine.backtest import BacktestSettings
    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.graph.tape import Tape

__all__ = ["PanelProgram", "panel_program", "run_panel"]


@dataclass(frozen=True, slots=True)
class PanelProgram:
    """A plan whose one rule brings several symbols to weights.

    Args:
        plan: the graph.
        symbols: in the order that settles ties.
        rebalance: the rule.
        warm_ups: bars of each symbol on which nothing is decided.
    """

    plan: Plan
    symbols: tuple[str, ...]
    rebalance: Rebalance
    warm_ups: tuple[int, ...]

    def rebalances(self, tape: Tape, *, is_compiled: bool | None = None) -> Rebalances:
        """Return what the rule asks for over the bars of the symbols; what only it reads is computed where it asks."""
        rule = self.rebalance
        evaluation = Evaluation(self.plan, symbols=self.symbols, only={rule.when, rule.weights})
        places, columns = evaluation.advance_to(tape, rule.when, {rule.weights}, is_compiled=is_compiled)
        is_asked = (columns[rule.when] > 0.0) & (_seen(tape, places) > np.array(self.warm_ups)[:, None])
        is_asked &= np.isfinite(columns[rule.weights])
        return Rebalances(places, np.where(is_asked, columns[rule.weights], np.nan))


def panel_program(plan: Plan, symbols: Sequence[str]) -> PanelProgram | None:
    """Return the program of a plan; None where only the reference knows how to run it.

    Raises:
        AlphintraError: GRAPH_UNIVERSE where the plan cannot run over these symbols.
    """
    require_universe(plan, symbols)
    rules = rebalances_of(plan)
    if len(rules) != 1 or order_programs(plan) or book_nodes(plan):
        return None
    warm_ups = tuple(plan.warm_up_in(calendar_of(symbol).session_minutes) for symbol in symbols)
    return PanelProgram(plan, tuple(symbols), rules[0], warm_ups)


def run_panel(
    program: PanelProgram, tape: Tape, settings: BacktestSettings, *, is_compiled: bool | None = None
) -> PanelRun:
    """Run a program over the bars of its symbols under the terms of a backtest.

    It is what ``run_universe`` finds without the controls of risk: no purchase waits for the sales that pay for it.
    """
    rules = replace(
        WeightRules(),
        initial_cash=settings.initial_cash,
        costs=Costs(settings.fees, settings.slippage_bps),
        lot=program.rebalance.lot,
        band=program.rebalance.band,
    )
    asked = program.rebalances(tape, is_compiled=is_compiled)
    return hold(rules, (tape.open, tape.close), asked, is_compiled=is_compiled)


def _seen(
    tape: Tape, places: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return how many bars each symbol has had at some closes."""
    if not np.isnan(tape.close.min(initial=0.0)):
        return np.broadcast_to(places + 1, (tape.symbols, places.size))
    counted: NDArray[np.int64] = np.cumsum(~np.isnan(tape.close), axis=1)
    return counted[:, places]
