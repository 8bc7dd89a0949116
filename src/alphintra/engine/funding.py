"""What a rebalance buys waits for the sales that pay for it: nobody may spend what is not there yet.

Risk counts a purchase against the cash there is when it is asked for, at a price beyond the last one; what a sale of
the same close will bring is not cash yet. So a purchase of a rebalance that the cash does not cover is asked for at the
close at which the sales have been filled, with the quantity it was reckoned with. Backtests and deployments decide it
here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.intents import Intent
from alphintra.engine.portfolio import notional
from alphintra.engine.pretrade.claims import COLLAR
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.engine.graph.values import StateView

__all__ = ["Ask", "Funding", "Purse"]

REBALANCE: Final = "rebalance"
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Ask:
    """An intent of one symbol; ``rank`` orders what is asked for at one close: lower ones come first."""

    symbol: str
    intent: Intent
    rank: tuple[int, Decimal, int]


@dataclass(frozen=True, slots=True)
class Purse:
    """What is under way: what waits for cash, what each working purchase holds of it, and what is being sold."""

    waiting: tuple[Ask, ...] = ()
    held: tuple[tuple[str, Decimal], ...] = ()
    selling: tuple[str, ...] = ()


class Funding:
    """Decides at each close which of the purchases asked for the cash covers, and keeps those that wait."""

    def __init__(self) -> None:
        self.purse = Purse()

    def turn(
        self, asks: Sequence[Ask], views: Mapping[str, StateView], prices: Mapping[str, Decimal]
    ) -> tuple[tuple[Ask, ...], frozenset[str]]:
        """Return what is asked for now, in order, and the symbols of which a purchase asked for here has to wait.

        What is asked for anew of a symbol takes the place of what waits. A purchase no sale is under way for is asked
        for at once, covered or not: risk says why it is refused.

        Args:
            asks: of this close, in order.
            views: of every symbol as of this close.
            prices: closes of the symbols that have a bar.
        """
        held = {symbol: cash for symbol, cash in self.purse.held if views[symbol].is_order_working}
        selling = [symbol for symbol in self.purse.selling if views[symbol].is_order_working]
        selling += [ask.symbol for ask in asks if ask.intent.side is Side.SELL]
        anew = {ask.symbol for ask in asks}
        kept = [ask for ask in self.purse.waiting if ask.symbol not in anew]
        ready = [ask for ask in kept if ask.symbol in prices and not views[ask.symbol].is_order_working]
        asleep = [ask for ask in kept if ask not in ready]
        due = sorted((*asks, *ready), key=lambda ask: ask.rank)
        left = min(view.cash for view in views.values()) - sum(held.values(), _ZERO)  # all share one cash
        now: list[Ask] = []
        waits: list[Ask] = []
        for ask in due:
            costs = _cost(ask, views[ask.symbol], prices[ask.symbol])
            is_short_of_cash = costs > left or bool(waits)
            if costs and ask.intent.reason == REBALANCE and selling and is_short_of_cash:
                waits.append(ask)
                continue
            now.append(ask)
            if costs:
                left -= costs
                held[ask.symbol] = costs
        self.purse = Purse((*asleep, *waits), tuple(held.items()), tuple(dict.fromkeys(selling)))
        numbered = tuple(replace(ask, intent=replace(ask.intent, index=place)) for place, ask in enumerate(now))
        return numbered, frozenset(ask.symbol for ask in waits) & anew


def _cost(ask: Ask, view: StateView, price: Decimal) -> Decimal:
    """Return the cash a purchase is counted with; nothing for a sale, and for what closes a short position."""
    if ask.intent.side is Side.SELL or view.qty < 0:
        return _ZERO
    return notional(ask.intent.qty, price) * (1 + COLLAR)
