"""The bars of one symbol as columns for compiled code, and in decimals where a run needs them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from alphintra.engine.backtest import BacktestResult, run_backtest
from alphintra.engine.compiled_backtest import run_compiled
from alphintra.engine.graph.tape import Tape, epoch_ns, tape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.backtest import BacktestSettings
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.plan import Plan

__all__ = ["History", "history_of", "run_over"]


@dataclass(frozen=True)
class History:
    """Bars, oldest first.

    Args:
        tape: each value the float64 nearest to the exact one.
        has_millionths: whether no price has more than six decimals, which compiled accounts ask for.
        read: reads the same bars in decimals.
        compiles: tells whether a plan over so many bars should use machine code; None for where it seems sooner.
    """

    tape: Tape
    has_millionths: bool
    read: Callable[[], Sequence[Bar]]
    compiles: Callable[[Plan, int], bool] | None = None

    @cached_property
    def bars(self) -> Sequence[Bar]:
        """The bars in decimals; a million take some seconds to make."""
        return self.read()

    def place(self, at: datetime) -> int:
        """Return the place of the first bar that closed at a time or later."""
        return int(np.searchsorted(self.tape.ts, epoch_ns(at)))

    def part(self, first: int, last: int) -> History:
        """Return the bars from one place up to before another."""
        part = self.tape.part(first, last)
        return History(part, self.has_millionths, lambda: self.bars[first:last], self.compiles)


def history_of(bars: Sequence[Bar] | History) -> History:
    """Return bars in decimals as a history; one that is a history already is returned as it is."""
    if isinstance(bars, History):
        return bars
    has_millionths = all(
        amount == round(amount, 6) for bar in bars for amount in (bar.open, bar.high, bar.low, bar.close)
    )
    return History(tape_of(bars), has_millionths, lambda: bars)


def run_over(  # noqa: PLR0913 - as run_backtest
    history: History,
    plan: Plan,
    symbol: str,
    *,
    settings: BacktestSettings,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    host: Host | None = None,
) -> BacktestResult:
    """Run a plan over a history: by the compiled account where that decides, else by the reference.

    The result is the same either way, but that the compiled account keeps no decisions of bars. Raises what
    ``run_backtest`` raises.
    """
    if history.has_millionths:
        found = run_compiled(
            plan,
            symbol,
            tape=history.tape,
            settings=settings,
            is_compiled=None if history.compiles is None else history.compiles(plan, history.tape.closes),
            progress=progress,
            should_stop=should_stop,
        )
        if found is not None:
            return found
    return run_backtest(
        plan,
        symbol,
        bars=history.bars,
        settings=settings,
        progress=progress,
        should_stop=should_stop,
        host=host,
    )
