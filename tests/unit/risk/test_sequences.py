"""Whatever happens in whatever order, nothing approved can ever exceed buying power or the position limit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import Side
from alphintra.risk.domain.books import Exposure, Order, Reservation, ReservationState
from alphintra.risk.domain.controls import assess
from unit.risk.books import ACCOUNT, book, limits, order

LAST_PRICE = Decimal(10)
CASH = Decimal(2_000)
POSITION_MAX = Decimal(60)
LIMITS = limits(position_qty_max=POSITION_MAX)
NO_SHORTS = limits(position_qty_max=POSITION_MAX, may_short=False)
quantities = st.integers(1, 25).map(Decimal)
prices = st.none() | st.sampled_from(["1", "9.5", "10", "30"])


class Trading(RuleBasedStateMachine):
    """One account whose orders are approved, filled, closed, released, forgotten and confirmed."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.cash = CASH
        self.position = Decimal(0)
        self.reservations: dict[OrderId, Reservation] = {}
        self.approved: dict[OrderId, Decimal] = {}  # what each living order may still do, kept apart
        self.limits = LIMITS

    def open_of(self, side: Side) -> Decimal:
        return sum((r.open_qty for r in self.reservations.values() if r.side is side), Decimal(0))

    def reserved(self) -> Decimal:
        return sum((r.open_qty * r.price for r in self.reservations.values() if r.side is Side.BUY), Decimal(0))

    def judge(self, asked: Order) -> Decimal | None:
        exposure = Exposure(
            position_qty=self.position,
            open_buy_qty=self.open_of(Side.BUY),
            open_sell_qty=self.open_of(Side.SELL),
            last_price=LAST_PRICE,
        )
        judged = book(exposure=exposure, cash=self.cash, reserved_cash=self.reserved(), limits=self.limits)
        verdict = assess(asked, judged)
        return None if verdict.findings else verdict.price

    @rule(may_short=st.booleans())
    def set_limits(self, *, may_short: bool) -> None:
        if may_short or self.position - self.open_of(Side.SELL) >= 0:
            self.limits = LIMITS if may_short else NO_SHORTS

    @rule(target=orders, side=st.sampled_from(Side), qty=quantities, limit=prices)
    def place(self, side: Side, qty: Decimal, limit: str | None) -> OrderId:
        number = OrderId(UUID(int=len(self.approved) + len(self.reservations) + 1_000))
        asked = order(side, qty, limit, number=number.int)
        price = self.judge(asked)
        if price is not None:
            self.hold(asked, price)
        else:
            self.approved[asked.order_id] = Decimal(0)
        return asked.order_id

    def hold(self, asked: Order, price: Decimal) -> None:
        assert asked.qty is not None
        self.approved[asked.order_id] = asked.qty
        self.reservations[asked.order_id] = Reservation(
            order_id=asked.order_id,
            account_id=ACCOUNT,
            symbol=asked.symbol,
            side=asked.side,
            price=price,
            target_qty=asked.qty,
            filled_qty=Decimal(0),
            state=ReservationState.HELD,
        )

    @rule(order_id=orders, qty=quantities, share=st.integers(0, 100))
    def fill(self, order_id: OrderId, qty: Decimal, share: int) -> None:
        held = self.reservations.get(order_id)
        left = self.approved[order_id]
        if held is None or not left:
            return
        qty = min(qty, left)
        price = held.price * share / 100 if held.side is Side.BUY else held.price
        sign = 1 if held.side is Side.BUY else -1
        self.position += sign * qty
        self.cash -= sign * qty * price
        self.reservations[order_id] = held.filled(qty)
        self.approved[order_id] = left - qty

    @rule(order_id=consumes(orders))
    def close(self, order_id: OrderId) -> None:
        held = self.reservations.get(order_id)
        if held is not None:
            self.reservations[order_id] = held.closed(held.filled_qty)
            self.approved[order_id] = Decimal(0)

    @rule(order_id=orders)
    def release(self, order_id: OrderId) -> None:
        held = self.reservations.get(order_id)
        released = None if held is None else held.released()
        if released is not None:
            self.reservations[order_id] = released
            self.approved[order_id] = Decimal(0)

    @rule(order_id=orders)
    def lapse(self, order_id: OrderId) -> None:
        held = self.reservations.get(order_id)
        if held is not None and held.state is ReservationState.HELD:
            self.reservations[order_id] = replace(held, state=ReservationState.LAPSED)
            self.approved[order_id] = Decimal(0)

    @rule(order_id=orders)
    def confirm(self, order_id: OrderId) -> None:
        held = self.reservations.get(order_id)
        if held is not None and held.state is ReservationState.HELD:
            self.reservations[order_id] = held.confirmed()

    @rule(order_id=orders)
    def ask_again(self, order_id: OrderId) -> None:
        held = self.reservations.get(order_id)
        if held is None or held.state not in {ReservationState.LAPSED, ReservationState.RELEASED}:
            return
        asked = order(held.side, held.target_qty, str(held.price), number=order_id.int)
        price = self.judge(asked)
        if price is not None:
            self.hold(asked, price)

    @invariant()
    def reservations_are_what_approved_orders_may_still_do(self) -> None:
        open_qty = self.open_of(Side.BUY) + self.open_of(Side.SELL)
        assert open_qty == sum(self.approved.values(), Decimal(0))

    @invariant()
    def buying_power_holds_in_the_worst_case(self) -> None:
        assert self.cash - self.reserved() >= 0

    @invariant()
    def the_position_limit_holds_in_the_worst_case(self) -> None:
        assert self.position + self.open_of(Side.BUY) <= POSITION_MAX
        assert self.position - self.open_of(Side.SELL) >= -POSITION_MAX

    @invariant()
    def nothing_is_sold_short_where_it_may_not_be(self) -> None:
        if not self.limits.may_short:
            assert self.position - self.open_of(Side.SELL) >= 0


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
