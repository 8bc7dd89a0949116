"""The same orders on the same states: a backtest's gate and risk's own decision name the same codes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from alphintra.engine.gate import Gate
from alphintra.engine.portfolio import FLAT, Position, apply_fill, cash_delta
from alphintra.engine.pretrade.course import EquityMark, loss_of, marked, refilled
from alphintra.engine.pretrade.instruments import Instrument, Market
from alphintra.engine.pretrade.limits import LimitSet
from alphintra.engine.pretrade.values import Latch, Recent, recent_of
from alphintra.kernel.ids import OrderId
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce
from alphintra.risk.domain.books import Book, Exposure, KillState, Order, Reservation
from alphintra.risk.domain.controls import assess_in_family
from alphintra.risk.domain.reservations import recounted
from unit.risk.books import NOON, limits, order

ZERO = Decimal(0)


@dataclass(slots=True)
class Office:
    """One account as risk keeps it: reservations, positions, what happened lately, and every control on each order."""

    limits: LimitSet
    instrument: Instrument | None
    cash: Decimal = Decimal(10_000)
    position: Position = FLAT
    held: dict[OrderId, Reservation] = field(default_factory=dict)
    recent: list[Recent] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)
    executed: list[datetime] = field(default_factory=list)
    tokens: tuple[Decimal, datetime] | None = None
    mark: EquityMark | None = None
    kill: tuple[KillState, str] = (KillState.NORMAL, "")
    latch: Latch | None = None

    def decide(self, asked: Order, *, at: datetime, price: Decimal) -> list[str]:
        """Return the codes an order is refused with; one that passes is reserved for."""
        book = self.book(at=at, price=price)
        verdict, new = assess_in_family(asked, book, ())
        if book.tokens is not None:
            self.tokens = (max(book.tokens - 1, ZERO), at)
        self.asked.append(at)
        if not verdict.findings and new is not None:
            (self.held[asked.order_id],) = recounted((new,))
            self.recent.append(recent_of(asked, at=at))
        return [found.code for found in verdict.findings]

    def book(self, *, at: datetime, price: Decimal) -> Book:
        """Return all that risk reads before it decides."""
        controls = self.limits.controls
        exposure = Exposure(position_qty=self.position.qty, last_price=price)
        for item in self.held.values():
            exposure = exposure.claimed(item.side, item.counted_qty, is_reducing=item.is_reducing)
        lately = timedelta(seconds=max(controls.price_drift_window_s, controls.duplicate_window_s or 0))
        ratio = timedelta(seconds=controls.order_to_trade_window_s)
        orders, fills = (sum(moment > at - ratio for moment in each) for each in (self.asked, self.executed))
        most = controls.order_to_trade_max
        return Book(
            account_id=self.limits.account_id,
            cash=self.cash,
            reserved_cash=sum((item.counted_cash for item in self.held.values()), ZERO),
            limits=self.limits,
            firm_kill=KillState.NORMAL,
            account_kill=self.kill[0],
            kill_reason=self.kill[1],
            exposures={"AAPL": exposure},
            markets={"AAPL": Market(instrument=self.instrument, priced_at=at)},
            at=at,
            open_orders=len(self.held),
            tokens=None if controls.message_burst is None else refilled(self.tokens, controls, at=at),
            is_ratio_high=most is not None and orders > most * max(fills, 1),
            recent=tuple(item for item in self.recent if item.decided_at > at - lately),
            latches=() if self.latch is None else (self.latch,),
        )

    def fill(self, done: Order, *, at: datetime, price: Decimal) -> None:
        """Take an execution of the whole order."""
        del self.held[done.order_id]
        assert done.qty is not None
        self.position, _ = apply_fill(self.position, done.side, qty=done.qty, price=price)
        self.cash += cash_delta(done.side, done.qty, price=price, fee=ZERO)
        self.executed.append(at)
        controls = self.limits.controls
        since = at - timedelta(seconds=controls.repeat_window_s)
        if controls.repeat_max is not None and sum(moment > since for moment in self.executed) > controls.repeat_max:
            self.latch = self.latch or Latch(code="RISK_REPEAT_LATCHED", reason="too many")

    def equity(self, price: Decimal, *, at: datetime) -> Decimal:
        """Take a price; returns the equity at it, held against the limits of loss."""
        equity = self.cash + self.position.market_value(price)
        self.mark = marked(self.mark, equity, day=at.date())
        loss = loss_of(self.mark, self.limits.controls)
        if loss is not None and loss.state.severity > self.kill[0].severity:
            self.kill = (loss.state, loss.reason)
        return equity


def maybe(*values: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - values of any limit
    """Return one of the values, often none."""
    return st.sampled_from((None, None, *values))


CONTROLS = st.builds(
    LimitControls,
    price_collar_pct=maybe(Decimal(5)),
    price_collar_abs=maybe(Decimal(8)),
    price_drift_pct=maybe(Decimal(3)),
    price_age_max_s=maybe(10),
    message_burst=maybe(3),
    messages_per_s=st.sampled_from((Decimal("0.01"), Decimal(1))),
    cancel_reserve=st.sampled_from((0, 1)),
    open_orders_max=maybe(1, 2),
    repeat_max=maybe(2),
    duplicate_window_s=maybe(30, 4000),
    credit_max=maybe(Decimal(3000)),
    gross_exposure_max=maybe(Decimal(4000)),
    net_exposure_max=maybe(Decimal(3000)),
    bucket_exposure_max=maybe(Decimal(2000)),
    daily_loss_max=maybe(Decimal(100)),
    daily_loss_halt=maybe(Decimal(300)),
    drawdown_max_pct=maybe(Decimal(2)),
    drawdown_halt_pct=maybe(Decimal(5)),
    fee_bps=st.sampled_from((ZERO, Decimal(10))),
    symbols_allowed=maybe(("MSFT",), ("AAPL",)),
    is_self_match_refused=st.booleans(),
    order_to_trade_max=maybe(Decimal(1)),
    is_session_enforced=st.sampled_from((False, False, True)),
)
LIMITS = st.builds(
    limits,
    order_qty_max=st.sampled_from((Decimal(20), Decimal(10**6))),
    order_notional_max=st.sampled_from((Decimal(2000), Decimal(10**9))),
    position_qty_max=st.sampled_from((Decimal(25), Decimal(10**6))),
    may_short=st.booleans(),
    controls=CONTROLS,
)
INSTRUMENTS = maybe(
    Instrument(symbol="AAPL", tick=Decimal("0.5"), lot=Decimal(5), qty_min=Decimal(5), sector="tech"),
    Instrument(symbol="AAPL", collar_pct=Decimal(1), is_shortable=False),
    Instrument(symbol="AAPL", is_halted=True),
    Instrument(symbol="AAPL", expires_at=NOON + timedelta(hours=2), multiplier=Decimal(10)),
)
ORDERS = st.tuples(
    st.sampled_from(Side),
    st.sampled_from((OrderType.MARKET, OrderType.LIMIT, OrderType.STOP)),
    st.sampled_from(("1", "5", "10", "12", "30")),
    st.sampled_from(("-9", "-2.25", "0", "1", "6")),
    st.sampled_from((TimeInForce.DAY, TimeInForce.IOC)),
    st.booleans(),
)
EVENTS = st.lists(
    st.one_of(
        ORDERS,
        ORDERS,
        st.tuples(st.sampled_from((1, 40, 3600, 86_400)), st.sampled_from(("-6", "-1", "0.5", "4"))),
        st.sampled_from(("fill", "fill", "cancel")),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(LIMITS, INSTRUMENTS, EVENTS)
def test_the_gate_of_a_backtest_and_risk_refuse_the_same_orders_with_the_same_codes(
    in_force: LimitSet, instrument: Instrument | None, events: list[Any]
) -> None:
    office, gate = Office(in_force, instrument), Gate("AAPL", in_force, instrument)
    at, price, working = NOON, Decimal(100), list[Order]()
    gate.note_equity(office.equity(price, at=at), at=at)
    for number, happens in enumerate(events):
        match happens:
            case "fill" | "cancel" if working:
                done = working.pop(0)
                if happens == "fill":
                    office.fill(done, at=at, price=price)
                    gate.note_fill(at=at)
                else:
                    del office.held[done.order_id]
                gate.keep_open([item.order_id for item in working])
            case (int(seconds), str(move)):
                at, price = at + timedelta(seconds=seconds), max(price + Decimal(move), Decimal(20))
                gate.note_equity(office.equity(price, at=at), at=at)
            case (side, kind, qty, offset, in_time, reduces):
                asked = _order(number, side, kind, qty, price=price + Decimal(offset), reduces=reduces)
                asked = replace(asked, time_in_force=in_time)
                cash, held = office.cash, office.position.qty
                codes = office.decide(asked, at=at, price=price)
                judged = gate.judge(asked, at=at, cash=cash, qty=held, price=price)
                assert [found.code for found in judged.findings] == codes
                event(",".join(codes) or "approved")
                if not codes:
                    working.append(asked)
            case _:  # a fill or a cancellation while nothing works
                pass


def _order(number: int, side: Side, kind: OrderType, qty: str, *, price: Decimal, reduces: bool) -> Order:
    more: dict[str, Any] = {"type": kind, "reduce_only": reduces}
    if kind is OrderType.STOP:
        more["stop_price"] = price
    return order(side, qty, str(price) if kind is OrderType.LIMIT else None, number=number + 1, **more)
