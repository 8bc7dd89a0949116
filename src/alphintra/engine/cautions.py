"""What a reader of a backtest is warned of: not wrong, but a reason to trust its numbers less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.course import amount_of, moment
from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.params import ParamKind
from alphintra.engine.graph.tape import Tape, tape_of
from alphintra.kernel.money import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.engine.bars import Bar
    from alphintra.engine.book import Fill
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.tables import FillTable

__all__ = ["Caution", "cautions_across", "cautions_of"]

TRADES_PER_PARAMETER: Final = 30
GAP_DAYS: Final = 7
_DAY_NS: Final = 86_400 * 10**9
_EXITS: Final = frozenset({"StopLoss", "TakeProfit", "TrailingStop", "Bracket"})
_FITTED: Final = frozenset({ParamKind.INT, ParamKind.NUMBER, ParamKind.DECIMAL})
_NOT_FITTED: Final = frozenset({"size", "order", "output"})


@dataclass(frozen=True, slots=True)
class Caution:
    """One warning.

    Args:
        code: stable, upper case.
        node: node it is about, empty where it is about the run.
        message: what is doubtful, one sentence.
        fix: what to do about it.
    """

    code: str
    node: str
    message: str
    fix: str


def cautions_of(plan: Plan, tape: Tape, *, fills: FillTable, trades: int) -> tuple[Caution, ...]:
    """Return what speaks against trusting a run.

    Args:
        plan: what was run.
        tape: what it was run over, at least one bar of one symbol.
        fills: its executions.
        trades: how many trades were closed.
    """
    gross, fees = (amount_of(sum(column.tolist())) for column in (fills.realized, fills.fee))
    found = [*_within_a_bar(plan, [tape]), *_too_few(plan, trades), *_costs(gross, fees), *_gaps(tape)]
    return tuple(found)


def cautions_across(
    plan: Plan, bars: Mapping[str, Sequence[Bar]], *, fills: Sequence[Fill], trades: int
) -> tuple[Caution, ...]:
    """Return what speaks against trusting a run over several symbols; of the bars, by symbol, each has some."""
    tapes = {symbol: tape_of(own) for symbol, own in bars.items()}
    gaps = [
        replace(caution, message=f"{symbol}: {caution.message}")
        for symbol, tape in tapes.items()
        for caution in _gaps(tape)
    ]
    gross = sum((fill.realized for fill in fills), Decimal(0))
    fees = sum((fill.fee for fill in fills), Decimal(0))
    costs = _costs(gross, fees)
    return (*_within_a_bar(plan, tuple(tapes.values())), *_too_few(plan, trades), *costs, *gaps, *_ragged(bars))


def _ragged(bars: Mapping[str, Sequence[Bar]]) -> list[Caution]:
    """Name symbols whose bars begin after or end before those of others."""
    first, last = min(own[0].ts for own in bars.values()), max(own[-1].ts for own in bars.values())
    found = []
    for symbol, own in bars.items():
        if (own[0].ts - first).days >= GAP_DAYS:
            message = f"{symbol} has bars from {own[0].ts:%Y-%m-%d} on only: before, it could not be chosen"
            fix = "begin the run there, or mind that what was chosen before is chosen with hindsight"
            found.append(Caution("HISTORY_BEGINS_LATE", "", message, fix))
        if (last - own[-1].ts).days >= GAP_DAYS:
            message = f"{symbol} has bars up to {own[-1].ts:%Y-%m-%d} only: what is held of it keeps that worth"
            found.append(Caution("HISTORY_ENDS_EARLY", "", message, "import its later bars, or end the run there"))
    return found


def _within_a_bar(plan: Plan, tapes: Sequence[Tape]) -> list[Caution]:
    """Name exits in percent that lie closer than the range of a usual bar, where their order in time is unknown."""
    exits = [step for step in plan.steps if step.type in _EXITS and not any(step.inputs.values())]
    if not exits:
        return []
    spans = np.concatenate([(tape.high[0] - tape.low[0]) / tape.close[0] for tape in tapes])
    usual = round(float(np.median(spans) * 100.0), 9)
    found = []
    for step in exits:
        percent = Decimal(str(step.params["percent"]))
        if percent < usual:
            message = (
                f"{step.node} lies {percent} % away, but half of all bars span more than {usual:.2f} %: "
                "when within its bar it executes is a guess"
            )
            found.append(Caution("EXIT_WITHIN_BAR", step.node, message, "use finer bars or a wider exit"))
    return found


def _too_few(plan: Plan, trades: int) -> list[Caution]:
    free = sum(_free(step) for step in plan.steps)
    is_single = any(step.type in {"Algorithm", "Order"} for step in plan.steps)
    if not is_single or trades >= TRADES_PER_PARAMETER * max(free, 1):
        return []
    message = f"{trades} trades for {free} numbers that can be chosen: fewer than {TRADES_PER_PARAMETER} for each"
    fix = "take a longer range or more symbols, or a strategy with fewer numbers"
    return [Caution("FEW_TRADES", "", message, fix)]


def _free(step: Step) -> int:
    """Return how many numbers of a node can be fitted to the past."""
    definition = node_type(step.type, step.version)
    if definition is None or definition.group in _NOT_FITTED:
        return 0
    declared = definition.specs(step.params)[len(definition.params) if definition.is_open else 0 :]
    return sum(spec.kind in _FITTED for spec in declared)


def _costs(gross: Decimal, fees: Decimal) -> list[Caution]:
    if not fees or not 0 < gross <= fees:
        return []
    message = f"fees of {plain(fees):f} take all of the gross profit of {plain(gross):f}"
    return [Caution("COSTS_EXCEED_EDGE", "", message, "trade less often, or where it is cheaper")]


def _gaps(tape: Tape) -> list[Caution]:
    gaps = np.diff(tape.ts)
    days = int(gaps.max(initial=0)) // _DAY_NS
    if days < GAP_DAYS:
        return []
    at = moment(tape.ts[1:][gaps == gaps.max()][-1])
    message = f"no bar for {days} days before {at:%Y-%m-%d}: what happened then is not in the run"
    return [Caution("DATA_GAP", "", message, "fill the gap in the data, or start after it")]
