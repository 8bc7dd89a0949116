"""Backtests through the compiled account, with the record, the digest and the figures that ``run_backtest`` gives.

A million bars take a fraction of a second. Where the compiled account does not decide (docs/decisions/0017) nothing is
returned, and ``run_backtest`` runs. Records are made where they are asked for, decisions of each bar are not kept.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account import kernel as k
from alphintra.engine.account.asking import order_at
from alphintra.engine.account.run import ENDS, OUTCOMES
from alphintra.engine.backtest import BacktestResult, OrderRecord, check_in
from alphintra.engine.book import Fill, Order
from alphintra.engine.cautions import cautions_of
from alphintra.engine.course import Course, Records, amount_of, moment, nano, whole
from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.evaluation import INTERPRETED_MAX
from alphintra.engine.honesty import honesty_of
from alphintra.engine.intents import Outcome, client_order_id
from alphintra.engine.plan_runs import PlanRun, run_plan
from alphintra.engine.portfolio import Position, notional
from alphintra.engine.session_columns import SESSION_COLUMNS
from alphintra.engine.sessions import calendar_of
from alphintra.engine.step import Origin
from alphintra.engine.tables import ClosedTable, FillTable, OrderTable, digest_of, label_of
from alphintra.engine.trades import Trade
from alphintra.kernel.money import AMOUNT_PLACES, round_cash
from alphintra.kernel.vocabulary import OrderStatus, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from alphintra.engine.account.columns import Columns
    from alphintra.engine.account.rules import AccountRules, Bound
    from alphintra.engine.backtest import BacktestSettings
    from alphintra.engine.course import Whole
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.intents import Intent
    from alphintra.engine.kernels.kernel import Vector

__all__ = ["run_compiled"]

_MICRO: Final = 1000  # billionths in a millionth
_CASH_MAX: Final = Decimal(2**53).scaleb(-6)  # in millionths, float64 has every whole number up to here
_FITS: Final = 2.0**62
_STATUS: Final = {
    k.NEW: OrderStatus.NEW,
    k.FILLED: OrderStatus.FILLED,
    k.REJECTED: OrderStatus.REJECTED,
    k.EXPIRED: OrderStatus.EXPIRED,
    k.CANCELED: OrderStatus.CANCELED,
}
_LEGS: Final = {k.BY_STOP: "stop", k.BY_TARGET: "target", k.BY_TRAIL: "trail"}
_ENTRY: Final = int(k.ENTRY)


def run_compiled(  # noqa: PLR0913 - as run_backtest, and how it is computed
    plan: Plan,
    symbol: str,
    *,
    tape: Tape,
    settings: BacktestSettings,
    is_compiled: bool | None = None,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> BacktestResult | None:
    """Run a plan over the bars of one symbol; None where ``run_backtest`` has to decide, or to say what is wrong.

    Args:
        plan: compiled strategy.
        symbol: part of the order ids.
        tape: its bars, with prices of at most six decimals.
        settings: terms of the run.
        is_compiled: whether kernels run as machine code; by default where that is sooner.
        progress: told (bars done, bars in all) every so often and at the end.
        should_stop: asked as often.

    Raises:
        AlphintraError: RUN_STOPPED, GRAPH_UNIVERSE.
    """
    total = tape.closes
    check_in(0, total, progress, should_stop)
    if not total or bool((np.diff(tape.ts) <= 0).any()) or settings.initial_cash > _CASH_MAX:
        return None
    if is_compiled is None:
        is_compiled = total * len(plan.steps) > INTERPRETED_MAX
    found = run_plan(
        plan,
        symbol,
        tape=_with_calendar(plan, symbol, tape),
        settings=settings,
        is_compiled=is_compiled,
        told=lambda done: check_in(done, total, progress, should_stop),
    )
    if found is None or not found.is_decided or total <= found.rules.warm_up:
        return None
    if not found.rules.pricing.is_market:  # the records of orders that rest at a price are the reference's alone
        return None
    return _Found(plan, symbol, tape, settings, found).result()


def _with_calendar(plan: Plan, symbol: str, tape: Tape) -> Tape:
    """Return bars with the calendar of their symbol where a node asks for the time of a session."""
    asked = {name for step in plan.steps for name in _clock(step)}
    return tape if asked.isdisjoint(SESSION_COLUMNS) else replace(tape, calendars=(calendar_of(symbol),))


def _clock(step: Step) -> Sequence[str]:
    definition = node_type(step.type, step.version)
    return () if definition is None else definition.clock


class _Found:
    """A decided run, being written as a result."""

    def __init__(self, plan: Plan, symbol: str, tape: Tape, settings: BacktestSettings, found: PlanRun) -> None:
        self._plan, self._tape, self._settings = plan, tape, settings
        self._origin = Origin("backtest", symbol)
        self._rules, self._program, self._run = found.rules, found.program, found.run
        self._asked: Columns = found.asked.columns()
        self._exits = found.asked.exits()
        self._orders, self._fills = found.run.orders, found.run.fills
        self._born = self._orders[:, 0].astype(np.int64)
        self._of_order = np.searchsorted(self._born, self._fills[:, 6].astype(np.int64))
        self._lot = nano(self._rules.lot)
        self._fill_bars = self._fills[:, 0].astype(np.int64)
        self._name = lru_cache(maxsize=4096)(self._name_of)

    def result(self) -> BacktestResult:
        course, traded, closed = self._course(), self._traded(), self._closed()
        settings, run = self._settings, self._run
        return BacktestResult(
            symbol=self._origin.symbol,
            graph_hash=self._plan.graph_hash,
            settings=settings,
            orders=Records(len(self._orders), self._order),
            fills=Records(len(self._fills), self._fill),
            trades=Records(closed.opened.size, lambda index: self._trade(closed, index)),
            position=self._position(),
            equity=course.points(),
            decisions=(),
            denials=(),
            blocked=run.blocked,
            honesty=honesty_of(
                course.ts,
                costs=(settings.fees, settings.slippage_bps),
                limits=settings.limits,
                intrabar=settings.intrabar,
                warm_up_bars=int((run.outcomes == OUTCOMES.index(Outcome.WARMING_UP)).sum()),
                is_position_open=bool(len(self._fills) % 2),
                is_order_working=bool((self._orders[-1:, 3] == k.NEW).any()),
                cautions=cautions_of(self._plan, self._tape, fills=traded, trades=closed.opened.size),
            ),
            digest=digest_of(self._order_table(), traded, course),
            course=course,
            traded=traded,
            closed=closed,
        )

    def _course(self) -> Course:
        bars = self._tape.closes
        held = np.concatenate(([0.0], np.cumsum(self._fills[:, 1])))
        begun = nano(round_cash(self._settings.initial_cash)) // _MICRO
        cash = np.concatenate(([float(begun)], self._fills[:, 8]))
        stretches = np.diff(np.concatenate(([0], self._fill_bars, [bars])))
        return Course(
            ts=self._tape.ts,
            equity=self._run.units.astype(np.int64) * _MICRO,
            cash=np.repeat(np.rint(cash).astype(np.int64) * _MICRO, stretches),
            qty=np.repeat(self._lots(held), stretches),
            close=_prices(self._tape.close[0]),
        )

    def _traded(self) -> FillTable:
        price, fee, realized = (self._fills[:, column].astype(np.int64) * _MICRO for column in (2, 3, 4))
        reasons = self._fills[:, 5]
        return FillTable(
            ts=self._tape.ts[self._fill_bars],
            created=self._tape.ts[self._born[self._of_order]],
            qty=self._lots(self._fills[:, 1]),
            price=price,
            fee=fee,
            realized=realized,
            legs=[_LEGS.get(reason, "") for reason in reasons.tolist()],
            is_ambiguous=self._fills[:, 7] > 0,
            is_slipping=(reasons != k.BY_TARGET) & ~((reasons == k.ENTRY) & self._rules.pricing.has_limit),
        )

    def _closed(self) -> ClosedTable:
        count = len(self._fills) // 2 * 2
        opened, left = self._fills[0:count:2], self._fills[1:count:2]
        gross = left[:, 4].astype(np.int64) * _MICRO
        fees = (opened[:, 3] + left[:, 3]).astype(np.int64) * _MICRO
        qty = self._lots(opened[:, 1])
        exits = self._exits[self._of_order[1:count:2]].tolist()
        return ClosedTable(
            opened=self._tape.ts[self._fill_bars[0:count:2]],
            closed=self._tape.ts[self._fill_bars[1:count:2]],
            qty=qty,
            entry_price=self._average(qty, opened[:, 2]),
            exit_price=self._average(qty, left[:, 2]),
            gross=gross,
            fees=fees,
            entry_tags=[self._program.tag] * len(opened),
            exit_tags=[self._tag(reason, place) for reason, place in zip(left[:, 5].tolist(), exits, strict=True)],
        )

    def _average(self, qty: Whole, price: Vector) -> Whole:
        """Return what a trade paid for a unit: its price, but for what the rounding of a part of a unit moved."""
        prices: Whole = price.astype(np.int64) * _MICRO
        if self._lot % 10**AMOUNT_PLACES == 0:
            return prices
        pairs = zip(qty.tolist(), prices.tolist(), strict=True)
        sides = ((amount_of(abs(size)), amount_of(paid)) for size, paid in pairs)
        return whole(nano(round(notional(size, paid) / size, AMOUNT_PLACES)) for size, paid in sides)

    def _order_table(self) -> OrderTable:
        reasons = self._orders[:, 2].astype(np.int64)
        columns = (self._orders[:, 1] > 0, self._exits, self._orders[:, 3])
        kinds = np.stack((reasons, *(column.astype(np.int64) for column in columns)), axis=1)
        _, first, kind = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
        labels = []
        for place in first.tolist():
            order = self._order(place)
            labels.append(label_of(order.order.intent, order.status, order.code))
        return OrderTable(
            created=self._tape.ts[self._born],
            qty=self._lots(self._orders[:, 1]),
            levels=tuple(
                np.where(reasons == _ENTRY, level, 0) for level in _levels(self._rules, self._asked, reasons.size)
            ),
            labels=[labels[place] for place in kind.reshape(-1).tolist()],
        )

    def _position(self) -> Position:
        realized = amount_of(int(self._fills[:, 4].sum()) * _MICRO)
        if not len(self._fills) % 2:
            return Position(realized=realized)
        last = self._fill(len(self._fills) - 1)
        sign = 1 if last.side is Side.BUY else -1
        return Position(sign * last.qty, sign * notional(last.qty, last.price), realized)

    def _order(self, index: int) -> OrderRecord:
        lots, reason, status = self._orders[index, 1:4].tolist()
        code = ENDS.get(status, "")
        order = Order(self._name(index), self._at(int(self._born[index])), self._intent(index, lots, reason))
        return OrderRecord(order, _STATUS[status], code)

    def _intent(self, index: int, lots: float, reason: float) -> Intent:
        qty = amount_of(int(lots) * self._lot)
        intent = order_at(self._rules, self._asked, index, qty=qty, reason=int(reason))
        tag = self._program.tag if reason == k.ENTRY else self._tag(reason, int(self._exits[index]))
        return replace(intent, node=self._program.step.node, tag=tag)

    def _tag(self, reason: float, exit_place: int) -> str:
        """Return the label of what closes a position."""
        if reason == k.LEAVE:
            return self._program.exits[exit_place][1]
        return "time" if reason == k.TIME else _LEGS[reason]

    def _fill(self, index: int) -> Fill:
        _, lots, *amounts, reason, _, ambiguous, _ = self._fills[index].tolist()
        price, fee, realized = (amount_of(int(micros) * _MICRO) for micros in amounts)
        return Fill(
            self._name(int(self._of_order[index])),
            self._at(int(self._fill_bars[index])),
            Side.BUY if lots > 0 else Side.SELL,
            amount_of(abs(int(lots)) * self._lot),
            price,
            fee,
            realized,
            _LEGS.get(reason, ""),
            bool(ambiguous),
        )

    def _trade(self, closed: ClosedTable, index: int) -> Trade:
        qty, entered, left, gross, fees = (
            int(column[index])
            for column in (closed.qty, closed.entry_price, closed.exit_price, closed.gross, closed.fees)
        )
        first, last = (int(self._fill_bars[2 * index + place]) for place in (0, 1))
        return Trade(
            opened_ts=moment(closed.opened[index]),
            closed_ts=moment(closed.closed[index]),
            bars=last - first,
            side=Side.BUY if qty > 0 else Side.SELL,
            qty=amount_of(abs(qty)),
            entry_price=amount_of(entered),
            exit_price=amount_of(left),
            gross=amount_of(gross),
            fees=amount_of(fees),
            net=amount_of(gross - fees),
            entry_tag=closed.entry_tags[index],
            exit_tag=closed.exit_tags[index],
        )

    def _name_of(self, index: int) -> str:
        at = self._at(int(self._born[index]))
        key, symbol = self._origin.deployment_key, self._origin.symbol
        return client_order_id(key, self._plan.graph_hash, bar_ts=at, symbol=symbol, intent_index=0, attempt=1)

    def _at(self, bar: int) -> datetime:
        return moment(self._tape.ts[bar])

    def _lots(self, lots: Vector) -> Whole:
        """Return lots as billionths of a unit."""
        if float(np.abs(lots).max(initial=0.0)) * self._lot < _FITS:
            found: Whole = lots.astype(np.int64) * self._lot
            return found
        return whole(int(count) * self._lot for count in lots.tolist())


def _prices(values: Vector) -> Whole:
    """Return prices of at most six decimals in billionths."""
    found: Whole = np.rint(values * 1e6).astype(np.int64) * _MICRO
    return found


def _levels(rules: AccountRules, asked: Columns, count: int) -> Sequence[NDArray[np.int64]]:
    """Return the levels of the exits an order brings and its prices, as ``asking.level_amount`` has them."""

    def told(column: Vector) -> NDArray[np.int64]:
        known = np.where(np.isfinite(column), column, 0.0)
        found: NDArray[np.int64] = np.maximum(np.rint(known * 1e6), 0.0).astype(np.int64) * _MICRO
        return found

    def level(bound: Bound | None, column: Vector) -> NDArray[np.int64]:
        if bound is None:
            return np.zeros(count, dtype=np.int64)
        if not bound.has_column:
            return np.full(count, nano(bound.number), dtype=np.int64)
        return told(column)

    bounds = ((rules.stop, asked.stop), (rules.target, asked.target), (rules.trail, asked.trail))
    nothing = np.zeros(count, dtype=np.int64)
    chandelier = told(asked.chandelier) if rules.has_chandelier else nothing
    limit = told(asked.limit) if rules.pricing.has_limit else nothing
    trigger = told(asked.trigger) if rules.pricing.has_trigger else nothing
    return (*(level(bound, column) for bound, column in bounds), chandelier, limit, trigger)
