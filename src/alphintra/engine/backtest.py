"""Backtests: a plan over recorded bars, signals at a close filled at the next open, repeatable to the last digit."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from alphintra.engine.algorithm_runs import Decider, Host, decider_of
from alphintra.engine.bars import require_ordered
from alphintra.engine.book import ENDED_AS, Book, Fill, Order, Refusal
from alphintra.engine.cautions import cautions_of
from alphintra.engine.costs import Costs
from alphintra.engine.course import Course, EquityPoint, nano, whole
from alphintra.engine.gate import Denial, Gate
from alphintra.engine.graph.tape import epoch_ns
from alphintra.engine.honesty import Honesty, honesty_of
from alphintra.engine.intents import Decision, Outcome
from alphintra.engine.matching import require_slippage
from alphintra.engine.portfolio import FeeModel, Position
from alphintra.engine.pretrade.instruments import Instrument
from alphintra.engine.pretrade.limits import LimitSet, default_limits, limit_hash
from alphintra.engine.step import Origin, StepResult, step
from alphintra.engine.tables import (
    ClosedTable,
    FillTable,
    OrderTable,
    closed_table,
    digest_of,
    fill_table,
    label_of,
    levels_of,
)
from alphintra.engine.trades import OpenTrade, Trade, TradeFill, fold_trade
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import require_positive, round_cash
from alphintra.kernel.vocabulary import Intrabar, OrderStatus, OrderType, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.graph.tape import Tape

__all__ = [
    "BacktestResult",
    "BacktestSettings",
    "EquityPoint",
    "Honesty",
    "OrderRecord",
    "check_in",
    "run_backtest",
    "run_hash",
]

PROGRESS_BARS = 256  # bars between two calls of progress and should_stop
_ORIGIN_KEY = "backtest"


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSettings:
    """Terms of a run.

    Args:
        initial_cash: above zero, rounded to a millionth.
        fees: fee model of every fill.
        slippage_bps: of market orders, 0 to 1000.
        seed: part of the run's identity; the bar model itself draws no random number.
        limits: what every order is held against; what a new paper account starts with unless given.
        instrument: specification of the symbol, None if it has none.
        instruments: specifications of the symbols of a run over several, of those that have one.
        intrabar: what a bar does to stops and targets.

    Raises:
        AlphintraError: QTY_NOT_POSITIVE, FIELD_RANGE or NUMBER_*.
    """

    initial_cash: Decimal = Decimal(100_000)
    fees: FeeModel = field(default_factory=FeeModel)
    slippage_bps: Decimal = Decimal(0)
    seed: int = 0
    limits: LimitSet = field(default_factory=default_limits)
    instrument: Instrument | None = None
    instruments: dict[str, Instrument] = field(default_factory=dict)
    intrabar: Intrabar = Intrabar.CHRONOLOGICAL

    def __post_init__(self) -> None:
        require_positive(self.initial_cash, pointer="/initial_cash")
        require_slippage(self.slippage_bps)


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order of the run and how it ended.

    Filled; denied by the controls, rejected by the venue, expired or canceled, with a code; or still ``new`` after the
    last bar.
    """

    order: Order
    status: OrderStatus
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """Everything a run produced, oldest first.

    Args:
        symbol: traded symbol.
        graph_hash: strategy version.
        settings: terms of the run.
        orders: every order with its end.
        fills: every execution.
        trades: closed trades; an open one shows in ``position`` only.
        position: holding after the last bar.
        equity: one point per bar.
        decisions: one record per bar; none where the compiled account ran (``engine.compiled_backtest``).
        denials: every order the controls denied, with all that stood against it.
        blocked: signals that did not trade, counted by code (outcomes ``blocked_*``, denied and refused orders).
        honesty: model, costs and coverage.
        digest: sha-256 over orders, fills and equity; equal on every re-run, compiled or not.
        course: equity in columns.
        traded: fills in columns.
        closed: trades in columns.
    """

    symbol: str
    graph_hash: str
    settings: BacktestSettings
    orders: Sequence[OrderRecord]
    fills: Sequence[Fill]
    trades: Sequence[Trade]
    position: Position
    equity: Sequence[EquityPoint]
    decisions: tuple[Decision, ...]
    denials: tuple[Denial, ...]
    blocked: dict[str, int]
    honesty: Honesty
    digest: str
    course: Course = field(compare=False, repr=False)
    traded: FillTable = field(compare=False, repr=False)
    closed: ClosedTable = field(compare=False, repr=False)


@dataclass(slots=True)
class _Record:
    """What has happened so far in a run."""

    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    denials: list[Denial] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    points: list[tuple[int, Decimal, Decimal, Decimal, Decimal]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    open_trade: OpenTrade | None = None
    held: Decimal = Decimal(0)
    tags: dict[str, str] = field(default_factory=dict)

    def take(self, result: StepResult, bar: Bar) -> None:
        """Append one bar."""
        index = len(self.points)
        for fill in result.fills:
            self._take_fill(fill, index)
        self.refusals += result.refusals
        self.denials += result.denials
        self.orders += result.orders
        self.tags |= {order.client_order_id: order.intent.tag for order in result.orders}
        self.decisions.append(result.decision)
        book = result.book
        self.points.append((epoch_ns(bar.ts), book.equity(bar.close), book.cash, book.position.qty, bar.close))

    def _take_fill(self, fill: Fill, index: int) -> None:
        self.fills.append(fill)
        told = TradeFill(
            ts=fill.ts,
            bar_index=index,
            side=fill.side,
            qty=fill.qty,
            price=fill.price,
            fee=fill.fee,
            realized=fill.realized,
            held_before=self.held,
            tag=fill.leg or self.tags[fill.client_order_id],
        )
        self.open_trade, closed = fold_trade(self.open_trade, told)
        self.held += fill.qty if fill.side is Side.BUY else -fill.qty
        if closed is not None:
            self.trades.append(closed)


def run_backtest(  # noqa: PLR0913 - what to run, on what, and who is told of it
    plan: Plan,
    symbol: str,
    *,
    bars: Sequence[Bar],
    settings: BacktestSettings,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    host: Host | None = None,
) -> BacktestResult:
    """Run a plan over the bars of one symbol.

    Signals at a close are filled from the next bar on; a position open at the end is valued, not sold.

    Args:
        plan: compiled strategy.
        symbol: part of the order ids.
        bars: split-adjusted, strictly rising in time, more than the plan's warm-up.
        settings: cash, fees, slippage, seed.
        progress: told (bars done, bars in all) every 256 bars and at the end.
        should_stop: asked every 256 bars.
        host: where an algorithm runs, for a plan that one decides.

    Raises:
        AlphintraError: TIME_ORDER, WARM_UP_SHORT naming the node that needs more bars, RUN_STOPPED, NODE_VALUE,
            ALGORITHM_*.
    """
    require_ordered(bars)
    tick = None if settings.instrument is None else settings.instrument.tick
    executor = decider_of(plan, symbol, host=host, should_stop=should_stop, tick=tick)
    try:
        return _carried_out(executor, symbol, bars, settings, progress, should_stop)
    finally:
        executor.close()


def _carried_out(
    executor: Decider,
    symbol: str,
    bars: Sequence[Bar],
    settings: BacktestSettings,
    progress: Callable[[int, int], None] | None,
    should_stop: Callable[[], bool] | None,
) -> BacktestResult:
    _require_warm_up(executor, len(bars))
    tape = executor.prepare(bars)
    costs = Costs(settings.fees, settings.slippage_bps)
    origin = Origin(_ORIGIN_KEY, symbol)
    book = Book(round_cash(settings.initial_cash))
    gate = Gate(symbol, settings.limits, settings.instrument)
    record = _Record()
    for index, bar in enumerate(bars):
        if index % PROGRESS_BARS == 0:
            check_in(index, len(bars), progress, should_stop)
        result = step(executor, book, bar, costs=costs, origin=origin, gate=gate, intrabar=settings.intrabar)
        book = result.book
        record.take(result, bar)
    check_in(len(bars), len(bars), progress, None)
    return _result(executor.plan, symbol, tape=tape, settings=settings, record=record, book=book)


def run_hash(graph_hash: str, data_hash: str, *, settings: BacktestSettings, engine_version: str) -> str:
    """Return the identity of a run as 64 hexadecimal digits: same strategy, data, terms and engine, same result.

    Decimals count by value: 100000 and 100000.00 are the same cash. Of limits counts what they allow.
    """
    fees = settings.fees
    amounts = (settings.initial_cash, settings.slippage_bps, fees.commission_bps, fees.per_share, fees.minimum)
    plain = [f"{amount.normalize():f}" for amount in amounts]
    held_against: list[object] = [limit_hash(settings.limits), settings.instrument]
    if settings.instruments:
        held_against.append(sorted(settings.instruments.items()))
    if settings.intrabar is not Intrabar.CHRONOLOGICAL:  # runs by our own rule keep the identity they have
        held_against.append(settings.intrabar)
    return _sha256([graph_hash, data_hash, plain, settings.seed, held_against, engine_version])


def _result(
    plan: Plan, symbol: str, *, tape: Tape, settings: BacktestSettings, record: _Record, book: Book
) -> BacktestResult:
    orders, course = _order_records(record), _course(record)
    traded, closed = _traded(record), closed_table(record.trades)
    blocked = Counter(
        decision.outcome.value for decision in record.decisions if decision.outcome.value.startswith("blocked_")
    )
    blocked.update(denial.code for denial in record.denials)
    blocked.update(refusal.code for refusal in record.refusals)
    return BacktestResult(
        symbol=symbol,
        graph_hash=plan.graph_hash,
        settings=settings,
        orders=orders,
        fills=tuple(record.fills),
        trades=tuple(record.trades),
        position=book.position,
        equity=course.points(),
        decisions=tuple(record.decisions),
        denials=tuple(record.denials),
        blocked=dict(sorted(blocked.items())),
        honesty=honesty_of(
            course.ts,
            costs=(settings.fees, settings.slippage_bps),
            limits=settings.limits,
            intrabar=settings.intrabar,
            warm_up_bars=sum(decision.outcome is Outcome.WARMING_UP for decision in record.decisions),
            is_position_open=bool(book.position.qty),
            is_order_working=bool(book.working),
            cautions=cautions_of(plan, tape, fills=traded, trades=len(record.trades)),
        ),
        digest=digest_of(_order_table(orders), traded, course),
        course=course,
        traded=traded,
        closed=closed,
    )


def _course(record: _Record) -> Course:
    ts, equity, cash, qty, close = zip(*record.points, strict=True)
    return Course(
        ts=np.array(ts, dtype=np.int64),
        equity=whole(map(nano, equity)),
        cash=whole(map(nano, cash)),
        qty=whole(map(nano, qty)),
        close=whole(map(nano, close)),
    )


def _traded(record: _Record) -> FillTable:
    limits = {OrderType.LIMIT, OrderType.STOP_LIMIT}
    unmoved = frozenset(order.client_order_id for order in record.orders if order.intent.order_type in limits)
    created = {order.client_order_id: epoch_ns(order.created_ts) for order in record.orders}
    return fill_table(record.fills, created, unmoved=unmoved)


def _order_table(records: Sequence[OrderRecord]) -> OrderTable:
    intents = [record.order.intent for record in records]
    levels = [levels_of(intent) for intent in intents]
    return OrderTable(
        created=np.array([epoch_ns(record.order.created_ts) for record in records], dtype=np.int64),
        qty=whole(nano(intent.qty) if intent.side is Side.BUY else -nano(intent.qty) for intent in intents),
        levels=tuple(whole(level[place] for level in levels) for place in range(6)),
        labels=[label_of(record.order.intent, record.status, record.code) for record in records],
    )


def _order_records(record: _Record) -> tuple[OrderRecord, ...]:
    filled = {fill.client_order_id for fill in record.fills}
    refused = {refusal.client_order_id: refusal.code for refusal in record.refusals}
    denied = {denial.client_order_id: denial.code for denial in record.denials}
    records = []
    for order in record.orders:
        name = order.client_order_id
        if name in filled:
            records.append(OrderRecord(order, OrderStatus.FILLED))
        elif name in denied:
            records.append(OrderRecord(order, OrderStatus.DENIED, denied[name]))
        elif name in refused:
            code = refused[name]
            records.append(OrderRecord(order, ENDED_AS.get(code, OrderStatus.REJECTED), code))
        else:
            records.append(OrderRecord(order, OrderStatus.NEW))
    return tuple(records)


def _require_warm_up(executor: Decider, bars: int) -> None:
    if bars <= executor.warm_up_bars:
        slow = executor.plan.slowest()
        message = (
            f"the strategy needs {executor.warm_up_bars} bars of history before its first decision, most of them for "
            f"node {slow.node} ({slow.type}); {bars} bars were given: give a longer range or shorten its periods"
        )
        raise AlphintraError("WARM_UP_SHORT", message, pointer="/bars")


def check_in(
    done: int, total: int, progress: Callable[[int, int], None] | None, should_stop: Callable[[], bool] | None
) -> None:
    """Tell how far a run is. Raises RUN_STOPPED where it is to stop."""
    if should_stop is not None and should_stop():
        message = f"the run was stopped after {done} of {total} bars; nothing of it is kept"
        raise AlphintraError("RUN_STOPPED", message, kind=Kind.CONFLICT)
    if progress is not None:
        progress(done, total)


def _sha256(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()
