"""Backtests over several symbols that share one cash: exact decimals, signals at a close filled at the next open.

Every order meets the next bar of its own symbol: first what is sold or left, then what is bought, the greatest weight
first; a buy the cash does not pay is refused. The controls of risk see every order before it works, over all that the
account holds, and what a rebalance buys waits for the sales that pay for it (`engine.funding`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from alphintra.engine.backtest import Honesty
from alphintra.engine.bars import require_ordered
from alphintra.engine.book import ENDED_AS, Book, Fill, Order, Refusal, fill_working
from alphintra.engine.cautions import cautions_across
from alphintra.engine.costs import Costs
from alphintra.engine.gate import Denial, Gate
from alphintra.engine.graph.plan import require_universe
from alphintra.engine.intents import Outcome, client_order_id
from alphintra.engine.matching import FILL_MODEL
from alphintra.engine.pretrade.limits import limit_hash
from alphintra.engine.pretrade.values import Exposure
from alphintra.engine.step import works_until
from alphintra.engine.trades import OpenTrade, Trade, TradeFill, fold_trade
from alphintra.engine.universe import Ask, UniverseDecision, UniverseExecutor, union_of
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import round_cash
from alphintra.kernel.vocabulary import Intrabar, OrderStatus, Side

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
    "SymbolDenial",
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
    """An order, the symbol it is for, and how it ended, as in `OrderRecord`."""

    symbol: str
    order: Order
    status: OrderStatus = OrderStatus.NEW
    code: str = ""


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
class SymbolDenial:
    """An order the controls denied, and its symbol."""

    symbol: str
    denial: Denial


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
        settings: terms of the run.
        orders: every order with its end.
        fills: every execution.
        refusals: orders the cash did not pay.
        trades: closed trades.
        positions: holdings after the last bar, by symbol.
        equity: one point per close of the union.
        decisions: one record per close of the union.
        denials: every order the controls denied, with all that stood against it.
        blocked: signals that did not trade, counted by code.
        honesty: model, costs and coverage.
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
    denials: tuple[SymbolDenial, ...]
    blocked: dict[str, int]
    honesty: Honesty
    digest: str


@dataclass(slots=True)
class _Account:
    """One cash, and for each symbol its position, its orders and its last close."""

    cash: Decimal
    books: dict[str, Book]
    gate: Gate | None = None
    last: dict[str, Decimal] = field(default_factory=dict)
    ranks: dict[str, tuple[int, Decimal, int]] = field(default_factory=dict)  # of the order that works for a symbol
    bar_indices: Counter[str] = field(default_factory=Counter)
    tags: dict[str, str] = field(default_factory=dict)
    open_trades: dict[str, OpenTrade | None] = field(default_factory=dict)
    orders: list[SymbolOrder] = field(default_factory=list)
    fills: list[SymbolFill] = field(default_factory=list)
    refusals: list[SymbolRefusal] = field(default_factory=list)
    denials: list[SymbolDenial] = field(default_factory=list)
    trades: list[SymbolTrade] = field(default_factory=list)
    equity: list[UniversePoint] = field(default_factory=list)

    def meet(self, close: Close, costs: Costs, intrabar: Intrabar) -> None:
        """Let orders and exits meet the bars of a close: those with an order first, in the order they were asked in."""
        places = {symbol: place for place, symbol in enumerate(self.books)}
        due = sorted(close.bars, key=lambda symbol: self.ranks.get(symbol, (2, _ZERO, places[symbol])))
        for symbol in due:
            bar, before = close.bars[symbol], self.books[symbol]
            after, fills, refusals = fill_working(replace(before, cash=self.cash), bar, costs=costs, intrabar=intrabar)
            self.cash = after.cash
            self.books[symbol] = after
            if not after.working:
                self.ranks.pop(symbol, None)
            self._note(symbol, before, fills)
            for fill in fills if self.gate is not None else ():
                self.gate.note_fill(at=fill.ts)  # type: ignore[union-attr] # asked for above
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

    def take(self, decision: UniverseDecision, plan: Plan) -> UniverseDecision:
        """Let what is asked for work from now on, but for what the controls deny; return the decision with that."""
        asked = [(ask, _order(ask, decision.ts, plan)) for ask in decision.asks]
        denied = self._denied(asked, decision.ts)
        for ask, order in asked:
            name = order.client_order_id
            self.tags[name] = ask.intent.tag
            self.orders.append(SymbolOrder(ask.symbol, order))
            if name in denied:
                self.denials.append(SymbolDenial(ask.symbol, denied[name]))
                continue
            book = self.books[ask.symbol]
            self.books[ask.symbol] = replace(book, working=(*book.working, order))
            self.ranks[ask.symbol] = ask.rank
        if not denied:
            return decision
        codes = {
            ask.symbol: tuple(found.code for found in denied[order.client_order_id].findings)
            for ask, order in asked
            if order.client_order_id in denied
        }
        told = {symbol: replace(own, refused=codes.get(symbol, ())) for symbol, own in decision.decisions.items()}
        return replace(decision, decisions=told)

    def _denied(self, asked: Sequence[tuple[Ask, Order]], ts: datetime) -> dict[str, Denial]:
        """Let the controls take note of a close and judge what is asked for at it."""
        if self.gate is None:
            return {}
        self.gate.note_equity(self.equity[-1].equity, at=ts)
        if not asked:
            return {}
        held = {
            symbol: Exposure(position_qty=book.position.qty, last_price=self.last.get(symbol))
            for symbol, book in self.books.items()
        }
        working = [order.client_order_id for book in self.books.values() for order in book.working]
        orders = [(ask.symbol, order.client_order_id, ask.intent) for ask, order in asked]
        found = self.gate.screen_all(orders, held, cash=self.cash, working=working, at=ts)
        return {denial.client_order_id: denial for denial in found}


def run_universe(
    plan: Plan,
    bars: Mapping[str, Sequence[Bar]],
    *,
    settings: BacktestSettings,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    is_controlled: bool = True,
) -> UniverseResult:
    """Run a plan over the bars of several symbols that share one cash.

    Args:
        plan: compiled strategy.
        bars: by symbol, split-adjusted, strictly rising in time; the order of the symbols settles ties.
        settings: cash, fees, slippage, limits, specifications of the symbols.
        progress: told (closes done, closes in all) every 256 closes and at the end.
        should_stop: asked every 256 closes.
        is_controlled: whether the controls of risk hold and purchases wait for the sales that pay for them; without,
            it is what `account.weights` computes.

    Raises:
        AlphintraError: GRAPH_UNIVERSE, TIME_ORDER, WARM_UP_SHORT where no symbol has enough bars, RUN_STOPPED.
    """
    require_universe(plan, tuple(bars))
    for own in bars.values():
        require_ordered(own)
    executor, closes = UniverseExecutor(plan, tuple(bars), is_funded=is_controlled), union_of(bars)
    executor.require_history({symbol: len(own) for symbol, own in bars.items()})
    executor.prepare(closes)
    costs = Costs(settings.fees, settings.slippage_bps)
    cash = round_cash(settings.initial_cash)
    gate = _gate(tuple(bars), settings) if is_controlled else None
    account = _Account(cash, {symbol: Book(_ZERO) for symbol in bars}, gate)
    decisions = []
    for index, close in enumerate(closes):
        if index % PROGRESS_CLOSES == 0:
            _check_in(index, len(closes), progress, should_stop)
        account.meet(close, costs, settings.intrabar)
        decision = executor.on_close(close, account.mark(close.ts))
        account.cancel(decision)
        decisions.append(account.take(decision, plan))
    _check_in(len(closes), len(closes), progress, None)
    return _result(plan, bars, settings=settings, account=account, decisions=decisions)


def _gate(symbols: Sequence[str], settings: BacktestSettings) -> Gate:
    known = dict(settings.instruments)
    first, *others = symbols
    return Gate(first, settings.limits, known.get(first), beside={symbol: known.get(symbol) for symbol in others})


def _order(ask: Ask, ts: datetime, plan: Plan) -> Order:
    name = client_order_id(
        _ORIGIN_KEY, plan.graph_hash, bar_ts=ts, symbol=ask.symbol, intent_index=ask.intent.index, attempt=1
    )
    return Order(name, ts, ask.intent, works_until(plan, ask.intent, ts, ask.symbol))


def _result(
    plan: Plan,
    bars: Mapping[str, Sequence[Bar]],
    *,
    settings: BacktestSettings,
    account: _Account,
    decisions: Sequence[UniverseDecision],
) -> UniverseResult:
    blocked = Counter(
        decision.outcome.value
        for close in decisions
        for decision in close.decisions.values()
        if decision.outcome.value.startswith("blocked_")
    )
    blocked.update(item.denial.code for item in account.denials)
    blocked.update(item.refusal.code for item in account.refusals)
    orders = _ended(account)
    told = msgspec.json.encode([orders, account.fills, account.equity])
    return UniverseResult(
        symbols=tuple(account.books),
        graph_hash=plan.graph_hash,
        settings=settings,
        orders=orders,
        fills=tuple(account.fills),
        refusals=tuple(account.refusals),
        trades=tuple(account.trades),
        positions={symbol: book.position for symbol, book in account.books.items()},
        equity=tuple(account.equity),
        decisions=tuple(decisions),
        denials=tuple(account.denials),
        blocked=dict(sorted(blocked.items())),
        honesty=_honesty(plan, bars, settings=settings, account=account, decisions=decisions),
        digest=hashlib.sha256(told).hexdigest(),
    )


def _ended(account: _Account) -> tuple[SymbolOrder, ...]:
    filled = {item.fill.client_order_id for item in account.fills}
    refused = {item.refusal.client_order_id: item.refusal.code for item in account.refusals}
    denied = {item.denial.client_order_id: item.denial.code for item in account.denials}
    found = []
    for item in account.orders:
        name = item.order.client_order_id
        if name in filled:
            found.append(replace(item, status=OrderStatus.FILLED))
        elif name in denied:
            found.append(replace(item, status=OrderStatus.DENIED, code=denied[name]))
        elif name in refused:
            code = refused[name]
            found.append(replace(item, status=ENDED_AS.get(code, OrderStatus.REJECTED), code=code))
        else:
            found.append(item)
    return tuple(found)


def _honesty(
    plan: Plan,
    bars: Mapping[str, Sequence[Bar]],
    *,
    settings: BacktestSettings,
    account: _Account,
    decisions: Sequence[UniverseDecision],
) -> Honesty:
    times = [point.ts for point in account.equity]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    books = account.books.values()
    cautions = cautions_across(plan, bars, fills=[each.fill for each in account.fills], trades=len(account.trades))
    return Honesty(
        fill_model=FILL_MODEL,
        intrabar=settings.intrabar,
        fees=settings.fees,
        slippage_bps=settings.slippage_bps,
        bars=len(times),
        warm_up_bars=sum(
            all(own.outcome is Outcome.WARMING_UP for own in close.decisions.values()) for close in decisions
        ),
        first_ts=times[0],
        last_ts=times[-1],
        largest_gap_days=max(gaps, default=0.0) / 86_400,
        is_position_open=any(book.position.qty for book in books),
        is_order_working=any(book.working for book in books),
        limit_version=settings.limits.version,
        limit_hash=limit_hash(settings.limits),
        cautions=cautions,
    )


def _check_in(
    done: int, total: int, progress: Callable[[int, int], None] | None, should_stop: Callable[[], bool] | None
) -> None:
    if should_stop is not None and should_stop():
        message = f"the run was stopped after {done} of {total} closes; nothing of it is kept"
        raise AlphintraError("RUN_STOPPED", message, kind=Kind.CONFLICT)
    if progress is not None:
        progress(done, total)
