"""What is run over: one symbol, or several that share one cash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.plan import require_single, require_universe
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.replay import within

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.plan import Plan

__all__ = ["SYMBOLS_MAX", "chosen_symbols", "closes_of", "name_of", "require_runnable", "within_each"]

SYMBOLS_MAX: Final = 50  # of one backtest or deployment; a feed carries as many


def chosen_symbols(symbol: str, symbols: Sequence[str]) -> tuple[str, ...]:
    """Return what is to be run over, in the order given: one symbol, or several.

    Raises SYMBOLS_CHOICE where both or neither are given, FIELD_LENGTH for too many, SYMBOL_TWICE.
    """
    if bool(symbol) == bool(symbols):
        message = "say symbol for one, or symbols for several: one of the two"
        raise AlphintraError("SYMBOLS_CHOICE", message, pointer="/symbols" if symbols else "/symbol")
    if len(symbols) > SYMBOLS_MAX:
        message = f"{len(symbols)} symbols are more than the {SYMBOLS_MAX} one run takes: leave some out"
        raise AlphintraError("FIELD_LENGTH", message, pointer="/symbols")
    twice = next((name for place, name in enumerate(symbols) if name in symbols[:place]), None)
    if twice is not None:
        raise AlphintraError("SYMBOL_TWICE", f"{twice[:40]!r} is named twice: name it once", pointer="/symbols")
    return tuple(symbols) or (symbol,)


def name_of(symbols: Sequence[str]) -> str:
    """Return what several symbols are called together, where one would be named."""
    return ",".join(symbols)


def require_runnable(plan: Plan, symbols: Sequence[str]) -> None:
    """Check that a strategy can run over these symbols. Raises GRAPH_UNIVERSE saying what is missing."""
    if len(symbols) == 1:
        require_single(plan)
    else:
        require_universe(plan, symbols)


def closes_of(bars: Mapping[str, Sequence[Bar]]) -> tuple[datetime, ...]:
    """Return the times at which any symbol has a bar, in their order."""
    return tuple(sorted({bar.ts for own in bars.values() for bar in own}))


def within_each(
    bars: Mapping[str, Sequence[Bar]], start: datetime | None, end: datetime | None
) -> dict[str, tuple[Bar, ...]]:
    """Return the bars of each symbol that closed in ``[start, end)``. Raises RANGE naming a symbol that has none."""
    found = {}
    for symbol, own in bars.items():
        try:
            found[symbol] = within(own, start, end)
        except AlphintraError as error:
            raise AlphintraError(error.code, f"{symbol}: {error.detail}", pointer=error.pointer) from error
    return found
