"""The controls of risk for a simulated account: what paper and live refuse, a backtest refuses with the same codes.

Everything a backtest has not is left out, and with it the controls that only look at that: docs/decisions/0015 names
them. Time is the bars': windows that paper counts by the clock count here by the closes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_OID, uuid5

from alphintra.engine.pretrade import access, conduct, prices, sizes, standing, totals
from alphintra.engine.pretrade.assessment import CONTROLS, run
from alphintra.engine.pretrade.cases import Case, Control
from alphintra.engine.pretrade.claims import claim_of
from alphintra.engine.pretrade.course import EquityMark, loss_of, marked, refilled
from alphintra.engine.pretrade.instruments import Instrument, Market
from alphintra.engine.pretrade.orders import check_order
from alphintra.engine.pretrade.values import (
    EXACT,
    Book,
    Claim,
    Exposure,
    Finding,
    KillState,
    Latch,
    LimitSet,
    Order,
    Recent,
    Verdict,
    recent_of,
)
from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from alphintra.engine.graph.values import StateView
    from alphintra.engine.intents import Intent

__all__ = ["Denial", "Gate", "binding", "has_memory"]

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Denial:
    """An order risk would not have let pass, with everything that stood against it; the first is named first."""

    client_order_id: str
    ts: datetime
    findings: tuple[Finding, ...]

    @property
    def code(self) -> str:
        """The code the order is denied with."""
        return self.findings[0].code


def _has_losses(limits: LimitSet) -> bool:
    controls = limits.controls
    most = (controls.daily_loss_max, controls.daily_loss_halt, controls.drawdown_max_pct, controls.drawdown_halt_pct)
    return any(limit is not None for limit in most)


def _has_collar(limits: LimitSet, instrument: Instrument | None) -> bool:
    own = () if instrument is None else (instrument.collar_pct, instrument.collar_abs)
    bands = (limits.controls.price_collar_pct, limits.controls.price_collar_abs, *own)
    return any(band is not None for band in bands)


def _has_exposure_limits(limits: LimitSet) -> bool:
    controls = limits.controls
    most = (controls.gross_exposure_max, controls.net_exposure_max, controls.bucket_exposure_max)
    return any(limit is not None for limit in most)


# Controls that find nothing unless something is set that few limit sets have; all others run always.
_ASKED_FOR: Final[dict[Control, Callable[[LimitSet, Instrument | None], bool]]] = {
    standing.BLOCKED: lambda limits, _: _has_losses(limits),
    totals.LOSING: lambda limits, _: _has_losses(limits),
    conduct.LATCHED: lambda limits, _: limits.controls.repeat_max is not None,
    standing.LIMITED: lambda _limits, _: False,
    access.COHERENT: lambda _limits, _: False,
    access.STRATEGY: lambda _limits, _: False,
    access.PERMITTED: lambda limits, _: limits.controls.symbols_allowed is not None,
    access.UNRESTRICTED: lambda _limits, _: False,
    access.KNOWN: lambda _limits, _: False,
    prices.PRICED: lambda _limits, _: False,
    prices.FRESH: lambda _limits, _: False,
    access.SPECIFIED: lambda _, instrument: instrument is not None,
    access.SHORTABLE: lambda _, instrument: instrument is not None,
    prices.COLLARED: _has_collar,
    prices.DRIFTING: lambda limits, _: limits.controls.price_drift_pct is not None,
    conduct.RATED: lambda limits, _: limits.controls.message_burst is not None,
    conduct.COUNTED: lambda limits, _: limits.controls.open_orders_max is not None,
    conduct.SINGLE: lambda limits, _: limits.controls.duplicate_window_s is not None,
    conduct.UNCROSSED: lambda _limits, _: False,
    totals.CREDITED: lambda limits, _: limits.controls.credit_max is not None,
    totals.EXPOSED: lambda limits, _: _has_exposure_limits(limits),
}


# What finds nothing in a market order of the day that is for a quantity, while nothing is blocked.
_OF_OTHER_ORDERS: Final = {
    standing.BLOCKED,
    sizes.REDUCING,
    access.OFFERED,
    prices.STOPPED,
    prices.COLLARED,
    prices.DRIFTING,
}


def binding(limits: LimitSet, instrument: Instrument | None = None) -> tuple[Control, ...]:
    """Return the controls that may find something in a simulated account, in the order in which they run."""
    return tuple(
        control for control in CONTROLS if (asks := _ASKED_FOR.get(control)) is None or asks(limits, instrument)
    )


def has_memory(limits: LimitSet) -> bool:
    """Tell whether what happened before an order, beyond the book as it stands, may decide on it."""
    controls = limits.controls
    counted = (controls.repeat_max, controls.order_to_trade_max, controls.message_burst)
    return _has_losses(limits) or bool(_window_s(limits)) or any(limit is not None for limit in counted)


class Gate:
    """The controls over the run of one simulated account.

    Args:
        symbol: what it trades.
        limits: the limit set in force throughout.
        instrument: the symbol's specification, None if it has none.
        beside: what else it trades, with the specifications.
    """

    def __init__(
        self,
        symbol: str,
        limits: LimitSet,
        instrument: Instrument | None = None,
        *,
        beside: Mapping[str, Instrument | None] | None = None,
    ) -> None:
        self._symbol = symbol
        self._limits = limits
        self._instruments = {**(beside or {}), symbol: instrument}
        self._controls = {name: binding(limits, its) for name, its in self._instruments.items()}
        self._at_market = {
            name: tuple(control for control in controls if control not in _OF_OTHER_ORDERS)
            for name, controls in self._controls.items()
        }
        self._open: dict[OrderId, tuple[Order, Claim]] = {}
        self._has_losses = _has_losses(limits)
        self._window = timedelta(seconds=_window_s(limits))
        self._recent: deque[Recent] = deque()
        self._tokens: tuple[Decimal, datetime] | None = None
        self._counted = timedelta(seconds=max(limits.controls.repeat_window_s, limits.controls.order_to_trade_window_s))
        self._asked: deque[datetime] = deque()
        self._executed: deque[datetime] = deque()
        self._mark: EquityMark | None = None
        self._kill, self._kill_reason = KillState.NORMAL, ""
        self._latches: tuple[Latch, ...] = ()

    def note_fill(self, *, at: datetime) -> None:
        """Count an execution; too many of them latch the strategy, which nobody lifts in a backtest."""
        controls = self._limits.controls
        if controls.repeat_max is None and controls.order_to_trade_max is None:
            return
        self._executed.append(at)
        _forget(self._executed, at - self._counted)
        if controls.repeat_max is None or self._latches:
            return
        since = at - timedelta(seconds=controls.repeat_window_s)
        count = sum(moment > since for moment in self._executed)
        if count > controls.repeat_max:
            reason = f"{count} executions within {controls.repeat_window_s} s, the limit is {controls.repeat_max}"
            self._latches = (Latch(code="RISK_REPEAT_LATCHED", reason=reason),)

    def note_equity(self, equity: Decimal, *, at: datetime) -> None:
        """Hold the equity at a close against the limits of loss; what they block stays blocked to the end."""
        if not self._has_losses:
            return
        self._mark = marked(self._mark, equity, day=at.date())
        loss = loss_of(self._mark, self._limits.controls)
        if loss is not None and loss.state.severity > self._kill.severity:
            self._kill, self._kill_reason = loss.state, loss.reason

    def keep_open(self, order_ids: Iterable[OrderId]) -> None:
        """Forget what orders claim that work no more."""
        if self._open:
            self._open = {order_id: self._open[order_id] for order_id in order_ids if order_id in self._open}

    def judge(self, order: Order, *, at: datetime, cash: Decimal, qty: Decimal, price: Decimal) -> Verdict:
        """Run every control that may find something; an order that passes is counted as open from now on.

        Args:
            order: what is asked for.
            at: the close at which it is asked for.
            cash: of the account, nothing reserved taken off.
            qty: held.
            price: last one.

        Raises:
            AlphintraError: ORDER_*, QTY_NOT_POSITIVE, NUMBER_* for an order that cannot be judged at all.
        """
        held = {order.symbol: Exposure(position_qty=qty, last_price=price)}
        return self._judge(check_order(order), self._controls[order.symbol], at=at, cash=cash, held=held)

    def _judge(
        self,
        order: Order,
        controls: tuple[Control, ...],
        *,
        at: datetime,
        cash: Decimal,
        held: Mapping[str, Exposure],
    ) -> Verdict:
        book = self._book(at=at, cash=cash, held=held)
        claim = claim_of(order, held[order.symbol].last_price, self._limits.controls)
        verdict = Verdict(findings=run(controls, Case(order, claim, book)), claim=claim)
        if book.tokens is not None:
            self._tokens = (max(book.tokens - 1, _ZERO), at)
        if self._limits.controls.order_to_trade_max is not None:
            self._asked.append(at)
            _forget(self._asked, at - self._counted)
        if not verdict.findings and claim is not None:
            self._open[order.order_id] = (order, claim)
            if self._window:
                self._recent.append(recent_of(order, at=at))
        return verdict

    def screen(
        self,
        asked: Sequence[tuple[str, Intent]],
        view: StateView,
        *,
        working: Iterable[str],
        at: datetime,
        price: Decimal,
    ) -> list[Denial]:
        """Judge what a strategy asks for at a close and return what is denied.

        Args:
            asked: client order id and intent of each order.
            view: the book at this close.
            working: client order ids of the orders that work.
            at: the close.
            price: at the close.
        """
        mine = [(self._symbol, *order) for order in asked]
        held = {self._symbol: Exposure(position_qty=view.qty, last_price=price)}
        return self.screen_all(mine, held, cash=view.cash, working=working, at=at)

    def screen_all(
        self,
        asked: Sequence[tuple[str, str, Intent]],
        held: Mapping[str, Exposure],
        *,
        cash: Decimal,
        working: Iterable[str],
        at: datetime,
    ) -> list[Denial]:
        """Judge what is asked for of several symbols at a close, in this order, and return what is denied.

        Args:
            asked: symbol, client order id and intent of each order.
            held: of every symbol what is held of it and its last price.
            cash: of the account, nothing reserved taken off.
            working: client order ids of the orders that work.
            at: the close.
        """
        if not asked:
            return []
        self.keep_open(map(_order_id, working))
        denied = []
        for symbol, client_order_id, intent in asked:
            is_plain = intent.order_type is OrderType.MARKET and intent.time_in_force is TimeInForce.DAY
            controls = self._at_market if is_plain and self._kill is KillState.NORMAL else self._controls
            order = Order(
                order_id=_order_id(client_order_id),
                account_id=self._limits.account_id,
                symbol=symbol,
                side=intent.side,
                type=intent.order_type,
                qty=intent.qty,
                time_in_force=intent.time_in_force,
                limit_price=intent.limit_price,
                stop_price=intent.stop_price,
                reduce_only=intent.side is Side.BUY and held[symbol].position_qty < 0,
            )
            verdict = self._judge(order, controls[symbol], at=at, cash=cash, held=held)
            if verdict.findings:
                denied.append(Denial(client_order_id, at, verdict.findings))
        return denied

    def _book(self, *, at: datetime, cash: Decimal, held: Mapping[str, Exposure]) -> Book:
        exposures, reserved = dict(held), _ZERO
        for order, claim in self._open.values():
            before = exposures[order.symbol]
            exposures[order.symbol] = before.claimed(order.side, claim.added_qty, is_reducing=order.is_reducing)
            reserved = EXACT.add(reserved, claim.added_cash)
        controls = self._limits.controls
        while self._recent and self._recent[0].decided_at <= at - self._window:
            self._recent.popleft()
        return Book(
            account_id=self._limits.account_id,
            cash=cash,
            reserved_cash=reserved,
            limits=self._limits,
            firm_kill=KillState.NORMAL,
            account_kill=self._kill,
            kill_reason=self._kill_reason,
            exposures=exposures,
            markets={name: Market(instrument=its, priced_at=at) for name, its in self._instruments.items()},
            at=at,
            open_orders=len(self._open),
            tokens=None if controls.message_burst is None else refilled(self._tokens, controls, at=at),
            is_ratio_high=self._is_ratio_high(at),
            recent=tuple(self._recent),
            latches=self._latches,
        )

    def _is_ratio_high(self, at: datetime) -> bool:
        most = self._limits.controls.order_to_trade_max
        if most is None:
            return False
        since = at - timedelta(seconds=self._limits.controls.order_to_trade_window_s)
        asked = sum(moment > since for moment in self._asked)
        return asked > most * max(sum(moment > since for moment in self._executed), 1)


def _forget(moments: deque[datetime], since: datetime) -> None:
    while moments and moments[0] <= since:
        moments.popleft()


def _order_id(client_order_id: str) -> OrderId:
    return OrderId(uuid5(NAMESPACE_OID, client_order_id))


def _window_s(limits: LimitSet) -> int:
    """Return for how long approved orders are held against later ones."""
    controls = limits.controls
    drift = controls.price_drift_window_s if controls.price_drift_pct is not None else 0
    return max(drift, controls.duplicate_window_s or 0)
