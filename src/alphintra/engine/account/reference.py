"""The account in exact decimals, bar by bar: what the compiled one has to equal, and what decides where it cannot."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.account.asking import Asked, ask, level_amount
from alphintra.engine.account.columns import Columns
from alphintra.engine.account.rules import AccountRules
from alphintra.engine.book import Book, Fill, Order, Refusal, fill_working
from alphintra.engine.intents import Decision, Outcome
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import round_cash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.values import StateView

__all__ = ["Account", "run_reference"]


@dataclass(slots=True)
class Account:
    """Everything a run brought about, oldest first; one outcome, equity and quantity a bar."""

    orders: list[Order] = field(default_factory=list)
    fills: list[tuple[int, Fill]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    equity: list[Decimal] = field(default_factory=list)
    qty: list[Decimal] = field(default_factory=list)


def run_reference(
    rules: AccountRules,
    columns: Columns,
    bars: Sequence[Bar],
    *,
    name: Callable[[int], str] = "o{}".format,
    passes: Callable[[Order, StateView, Bar], bool] | None = None,
) -> Account:
    """Run an account over bars whose prices are those of the columns.

    Args:
        rules: of a rounded run.
        columns: signals and levels.
        bars: oldest first.
        name: client order id of the order created at a bar.
        passes: the controls an order passes before it works.

    Raises:
        AlphintraError: ORDER_UNSUPPORTED for rules that exact decimals have not.
    """
    if not rules.is_rounded:
        raise AlphintraError("ORDER_UNSUPPORTED", "the reference rounds amounts as the books do", pointer="/is_rounded")
    book, account = Book(round_cash(rules.initial_cash)), Account()
    for index, bar in enumerate(bars):
        book, fills, refusals = fill_working(book, bar, costs=rules.costs, intrabar=rules.intrabar)
        account.fills += [(index, fill) for fill in fills]
        account.refusals += refusals
        view = book.view(bar.close)
        asked = Asked(Outcome.WARMING_UP)
        if index >= rules.warm_up:
            asked = ask(rules, columns, index, view=view, close=bar.close)
        intents = () if asked.intent is None else (asked.intent,)
        book, withdrawn = book.after(Decision(bar.ts, asked.outcome, {}, intents))
        account.refusals += withdrawn
        if asked.intent is not None:
            order = Order(name(index), bar.ts, asked.intent)
            account.orders.append(order)
            if passes is None or passes(order, view, bar):
                book = replace(book, working=(*book.working, order))
        if rules.has_chandelier and book.guards:
            book = book.ratcheted(level_amount(float(columns.chandelier[index])))
        account.outcomes.append(asked.outcome)
        account.equity.append(view.equity)
        account.qty.append(book.position.qty)
    return account
