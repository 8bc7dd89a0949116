"""Backtests over several symbols that share one cash: exact decimals, signals at a close filled at the next open.

Every order meets the next bar of its own symbol: first what is sold or left, then what is bought, the greatest weight
first; a buy the cash does not pay is refused. The limits of risk look at one symbol and are not applied here.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from alphintra.engine.bars import require_ordered
from alphintra.engine.book import Book, Fill, Order, Refusal, fill_working
from alphintra.engine.costs import Costs
from alphintra.engine.graph.plan import require_universe
from alphintra.engine.intents import client_order_id
from alphintra.engine.step import works_until
from alphintra.engine.trades import OpenTrade, Trade, TradeFill, fold_trade
from alphintra.engine.universe import Ask, UniverseDecision, UniverseExecutor, union_of
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import round_cash
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from alphintra.engine.backtest import BacktestSettings
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.graph.values import StateView
    from alphintra.engine.portfolio import Position
    from alphintra.engine.universe import Close

__all__ = [
    "SymbolFill",
    "SymbolOrder",
    "SymbolRefusal",
    "SymbolTrade",
    "UniversePoint",
    "UniverseResult",
    "run_universe",
]

PROGRESS_CLOSES = 256  # closes between two calls of progress and should_stop
_ORIGIN_KEY = "backtest"
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class SymbolOrder:
    """An order and the symbol it is for."""

    symbol: str
    order: Order


@dataclass(frozen=True, slots=True)
class SymbolFill:
    """An execution and its symbol."""

    symbol: str
    fill: Fill


@dataclass(frozen=True, slots=True)
class SymbolRefusal:
    """An order that met a bar and could not be booked, and its symbol."""

    symbol: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class SymbolTrade:
    """A closed trade and its symbol."""

    symbol: str
    trade: Trade


@dataclass(frozen=True, slots=True)
class UniversePoint:
    """The account at one close of the union; positions without a bar are worth what they were at their last close."""

    ts: datetime
    equity: Decimal
    cash: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseResult:
    """Everything a run produced, oldest first.

    Args:
        symbols: in the order that settles ties.
        graph_hash: strategy version.
        settings: terms of the run; its limits are not applied.
        orders: every order.
        fills: every execution.
        refusals: orders the cash did not pay.
        trades: closed trades.
        positions: holdings after the last bar, by symbol.
        equity: one point per close of the union.
        decisions: one record per close of the union.
        blocked: signals that did not trade, counted by code.
        digest: sha-256 over orders, fills and equity; equal on every re-run.
    """

    symbols: tuple[str, ...]
    graph_hash: str
    settings: BacktestSettings
    orders: tuple[SymbolOrder, ...]
    fills: tuple[SymbolFill, ...]
    refusals: tuple[SymbolRefusal, ...]
    trades: tuple[SymbolTrade, ...]
    positions: dict[str, Position]
    equity: tuple[UniversePoint, ...]
    decisions: tuple[UniverseDecision, ...]
    blocked: dict[str, int]
    digest: str


@dataclass(slots=True)
class _Account:
    """One cash, and for each symbol its position, its orders and its last close."""

    cash: Decimal
    books: dict[str, Book]
    last: dict[str, Decimal] = field(default_factory=dict)
    ranks: dict[str, tuple[int, Decimal, int]] = field(default_factory=dict)  # of the order that works for a symbol
    bar_indices: Counter[str] = field(default_factory=Counter)
    tags: dict[str, str] = field(default_factory=dict)
    open_trades: dict[str, OpenTrade | None] = field(default_factory=dict)
    orders: list[SymbolOrder] = field(default_factory=list)
    fills: list[SymbolFill] = field(default_factory=list)
    refusals: list[SymbolRefusal] = field(default_factory=list)
    trades: list[SymbolTrade] = field(default_factory=list)
    equity: list[UniversePoint] = field(default_factory=list)

    def meet(self, close: Close, costs: Costs) -> None:
        """Let orders and exits meet the bars of a close: those with an order first, in the order they were asked in."""
        places = {symbol: place for place, symbol in enumerate(self.books)}
        due = sorted(close.bars, key=lambda symbol: self.ranks.get(symbol, (2, _ZERO, places[symbol])))
        for symbol in due:
            bar, before = close.bars[symbol], self.books[symbol]
            after, fills, refusals = fill_working(replace(before, cash=self.cash), bar, costs=costs)
            self.cash = after.cash
            self.books[symbol] = after
            if not after.working:
                self.ranks.pop(symbol, None)
            self._note(symbol, before, fills)
            self.refusals += [SymbolRefusal(symbol, refusal) for refusal in refusals]
            self.last[symbol] = bar.close
            self.bar_indices[symbol] += 1

    def _note(self, symbol: str, before: Book, fills: Sequence[Fill]) -> None:
        held = before.position.qty
        for fill in fills:
            self.fills.append(SymbolFill(symbol, fill))
            told = TradeFill(
                ts=fill.ts,
                bar_index=self.bar_indices[symbol],
                side=fill.side,
                qty=fill.qty,
                price=fill.price,
                fee=fill.fee,
                realized=fill.realized,
                held_before=held,
                tag=fill.leg or self.tags[fill.client_order_id],
            )
            held += fill.qty if fill.side is Side.BUY else -fill.qty
            self.open_trades[symbol], closed = fold_trade(self.open_trades.get(symbol), told)
            if closed is not None:
                self.trades.append(SymbolTrade(symbol, closed))

    def mark(self, ts: datetime) -> dict[str, StateView]:
        """Value the account at a close; return what the strategy may know of it."""
        worth = (
            book.position.market_value(self.last[symbol]) for symbol, book in self.books.items() if book.position.qty
        )
        equity = self.cash + sum(worth, _ZERO)
        self.equity.append(UniversePoint(ts, equity, self.cash))
        return {
            symbol: replace(book.view(self.last.get(symbol, _ZERO)), cash=self.cash, equity=equity)
            for symbol, book in self.books.items()
        }

    def cancel(self, close: UniverseDecision) -> None:
        """Take the entries off that a rule left before they were filled."""
        for symbol, decision in close.decisions.items():
            if self.books[symbol].working:
                asked = tuple(ask.intent for ask in close.asks if ask.symbol == symbol)
                self.books[symbol], withdrawn = self.books[symbol].after(replace(decision, intents=asked))
                self.refusals += [SymbolRefusal(symbol, refusal) for refusal in withdrawn]

    def take(self, asks: Sequence[Ask], ts: datetime, plan: Plan) -> None:
        """Let what is asked for work from now on."""
        for ask in asks:
            name = client_order_id(
                _ORIGIN_KEY, plan.graph_hash, bar_ts=ts, symbol=ask.symbol, intent_index=ask.intent.index, attempt=1
            )
            order = Order(name, ts, ask.intent, works_until(plan, ask.intent, ts, ask.symbol))
            book = self.books[ask.symbol]
            self.books[ask.symbol] = replace(book, working=(*book.working, order))
            self.ranks[ask.symbol] = ask.rank
            self.tags[name] = ask.intent.tag
            self.orders.append(SymbolOrder(ask.symbol, order))


def run_universe(
    plan: Plan,
    bars: Mapping[str, Sequence[Bar]],
    *,
    settings: BacktestSettings,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> UniverseResult:
    """Run a plan over the bars of several symbols that share one cash.

    Args:
        plan: compiled strategy.
        bars: by symbol, split-adjusted, strictly rising in time; the order of the symbols settles ties.
        settings: cash, fees, slippage.
        progress: told (closes done, closes in all) every 256 closes and at the end.
        should_stop: asked every 256 closes.

    Raises:
        AlphintraError: GRAPH_UNIVERSE, TIME_ORDER, WARM_UP_SHORT where no symbol has enough bars, RUN_STOPPED.
    """
    require_universe(plan, tuple(bars))
    for own in bars.values():
        require_ordered(own)
    executor, closes = UniverseExecutor(plan, tuple(bars)), union_of(bars)
    executor.require_history({symbol: len(own) for symbol, own in bars.items()})
    executor.prepare(closes)
    costs = Costs(settings.fees, settings.slippage_bps)
    cash = round_cash(settings.initial_cash)
    account = _Account(cash, {symbol: Book(_ZERO) for symbol in bars})
    decisions = []
    for index, close in enumerate(closes):
        if index % PROGRESS_CLOSES == 0:
            _check_in(index, len(closes), progress, should_stop)
        account.meet(close, costs)
        decision = executor.on_close(close, account.mark(close.ts))
        account.cancel(decision)
        account.take(decision.asks, close.ts, plan)
        decisions.append(decision)
    _check_in(len(closes), len(closes), progress, None)
    return _result(plan, settings, account, decisions)


def _result(
    plan: Plan, settings: BacktestSettings, account: _Account, decisions: Sequence[UniverseDecision]
) -> UniverseResult:
    blocked = Counter(
        decision.outcome.value
        for close in decisions
        for decision in close.decisions.values()
        if decision.outcome.value.startswith("blocked_")
    )
    blocked.update(item.refusal.code for item in account.refusals)
    told = msgspec.json.encode([account.orders, account.fills, account.equity])
    return UniverseResult(
        symbols=tuple(account.books),
        graph_hash=plan.graph_hash,
        settings=settings,
        orders=tuple(account.orders),
        fills=tuple(account.fills),
        refusals=tuple(account.refusals),
        trades=tuple(account.trades),
        positions={symbol: book.position for symbol, book in account.books.items()},
        equity=tuple(account.equity),
        decisions=tuple(decisions),
        blocked=dict(sorted(blocked.items())),
        digest=hashlib.sha256(told).hexdigest(),
    )


def _check_in(
    done: int, total: int, progress: Callable[[int, int], None] | None, should_stop: Callable[[], bool] | None
) -> None:
    if should_stop is not None and should_stop():
        message = f"the run was stopped after {done} of {total} closes; nothing of it is kept"
        raise AlphintraError("RUN_STOPPED", message, kind=Kind.CONFLICT)
    if progress is not None:
        progress(done, total)
