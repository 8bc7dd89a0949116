"""Reservations: what approved orders may still do, and how orders that belong together count once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from alphintra.engine.pretrade.claims import round_up
from alphintra.engine.pretrade.values import EXACT, Claim, Order
from alphintra.kernel.ids import AccountId, BookId, OrderId
from alphintra.kernel.vocabulary import Leg, Side

__all__ = ["Reservation", "ReservationState", "added", "booked", "recounted", "reserved"]

_ZERO = Decimal(0)


class ReservationState(StrEnum):
    """Where a reservation stands: held until trading confirms it, lapsed if it never did."""

    HELD = "held"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"
    RELEASED = "released"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What an approved order may still do.

    Args:
        order_id: whose it is.
        account_id: on which account.
        symbol: what the order trades.
        side: buy or sell.
        price: what a unit counts at.
        target_qty: the order's quantity less ``carried_qty``; once it closed what it was filled, the rest of that is
            still to be booked.
        filled_qty: what was booked of it.
        state: where it stands.
        is_reducing: whether the order may only reduce a position: it reserves no cash and no short sale.
        leg: what the order is to its group.
        group_id: its group, None for a simple order.
        replaces: the order it takes the place of.
        carried_qty: what of the order's quantity those it replaced have filled.
        notional: the amount of money asked for, None for an order of a quantity.
        spent: what of that was booked.
        limit_price: the order's limit, None without one.
        book_id: the deployment whose order it is.
        counted_qty: what of ``open_qty`` counts in the book, beyond what the group or the predecessor counts.
        counted_cash: the same of the cash a buy may still pay.
    """

    order_id: OrderId
    account_id: AccountId
    symbol: str
    side: Side
    price: Decimal
    target_qty: Decimal
    filled_qty: Decimal
    state: ReservationState
    is_reducing: bool = False
    leg: Leg = Leg.ENTRY
    group_id: UUID | None = None
    replaces: OrderId | None = None
    carried_qty: Decimal = _ZERO
    notional: Decimal | None = None
    spent: Decimal = _ZERO
    limit_price: Decimal | None = None
    book_id: BookId | None = None
    counted_qty: Decimal = _ZERO
    counted_cash: Decimal = _ZERO

    @property
    def is_exit(self) -> bool:
        """Whether it closes what another order of its group opened, together with its sibling."""
        return self.group_id is not None and self.leg is not Leg.ENTRY

    @property
    def open_qty(self) -> Decimal:
        """Quantity the order itself may still do."""
        if self.state in {ReservationState.LAPSED, ReservationState.RELEASED}:
            return _ZERO
        return max(self.target_qty - self.filled_qty, _ZERO)

    @property
    def open_cash(self) -> Decimal:
        """Cash the order itself may still pay."""
        if self.side is Side.SELL or self.is_reducing or not self.open_qty:
            return _ZERO
        if self.notional is None or self.state is ReservationState.CLOSED:
            return EXACT.multiply(self.open_qty, self.price)
        return max(self.notional - self.spent, _ZERO)

    def confirmed(self) -> Reservation:
        """Return it as accepted by trading: what lapsed or was released counts again, for the order is alive."""
        if self.state is ReservationState.CLOSED:
            return self
        return replace(self, state=ReservationState.CONFIRMED)

    def filled(self, qty: Decimal, price: Decimal | None = None) -> Reservation:
        """Return it with an execution taken off; an order that fills is alive, whatever was thought of it."""
        grown = replace(self.confirmed(), filled_qty=EXACT.add(self.filled_qty, qty))
        if self.notional is None or price is None or self.state is ReservationState.CLOSED:
            return grown
        # What the rest of the money buys was an estimate: it is made anew from what the units really cost.
        spent = EXACT.add(self.spent, EXACT.multiply(qty, price))
        rest = max(EXACT.subtract(self.notional, spent), _ZERO)
        return replace(grown, spent=spent, target_qty=grown.filled_qty + round_up(EXACT.divide(rest, self.price)))

    def closed(self, filled_qty: Decimal) -> Reservation:
        """Return it with nothing open but executions of the closed order that are yet to be booked."""
        return replace(self, state=ReservationState.CLOSED, target_qty=filled_qty)

    def released(self) -> Reservation | None:
        """Return it given back, None if trading has accepted the order or nothing is held."""
        if self.state is not ReservationState.HELD:
            return None
        return replace(self, state=ReservationState.RELEASED)

    def lapsed(self) -> Reservation:
        """Return it given back because nobody confirmed it in time."""
        return replace(self, state=ReservationState.LAPSED) if self.state is ReservationState.HELD else self


def reserved(order: Order, claim: Claim, family: Sequence[Reservation] = ()) -> Reservation:
    """Return what an approved order would hold, its counts not yet taken.

    Of an order that replaces another its whole quantity is asked for; what was filled so far is taken off.
    """
    before = next((item for item in family if item.order_id == order.replaces), None)
    carried = _ZERO if before is None else EXACT.add(before.carried_qty, before.filled_qty)
    return Reservation(
        order_id=order.order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        price=claim.price,
        target_qty=max(EXACT.subtract(claim.qty, carried), _ZERO),
        filled_qty=_ZERO,
        state=ReservationState.HELD,
        is_reducing=order.is_reducing,
        leg=order.leg,
        group_id=order.group_id,
        replaces=order.replaces,
        carried_qty=carried,
        notional=None if order.notional is None else claim.cash or order.notional,
        limit_price=order.limit_price,
        book_id=order.book_id,
    )


def recounted(family: Iterable[Reservation]) -> tuple[Reservation, ...]:
    """Return reservations that belong together with what each counts in the book.

    The exits of a group count together once: as the most one of them may do, at most what their entry was filled, less
    what they did. An order that replaces another counts what it asks for beyond that one while that one lives, since
    at any time either of the two works. All others count for themselves.
    """
    members = sorted(family, key=lambda item: item.order_id)
    if len(members) == 1 and not members[0].is_exit:
        return (replace(members[0], counted_qty=members[0].open_qty, counted_cash=members[0].open_cash),)
    living = {item.order_id: item for item in members if item.open_qty}
    exits: dict[UUID, list[Reservation]] = defaultdict(list)
    for item in members:
        if item.is_exit and item.group_id is not None:
            exits[item.group_id].append(item)
    counts = {group_id: _exits_qty(group_id, legs, members) for group_id, legs in exits.items()}
    counted = []
    for item in members:
        if item.is_exit and item.group_id is not None:
            qty = counts.pop(item.group_id, _ZERO) if item.open_qty else _ZERO
            counted.append(replace(item, counted_qty=qty, counted_cash=_ZERO))
            continue
        before = living.get(item.replaces) if item.replaces is not None else None
        qty, cash = item.open_qty, item.open_cash
        if before is not None:
            qty = max(EXACT.subtract(qty, before.open_qty), _ZERO)
            cash = max(EXACT.subtract(cash, before.open_cash), _ZERO)
        counted.append(replace(item, counted_qty=qty, counted_cash=cash))
    return tuple(counted)


def _exits_qty(group_id: UUID, legs: Sequence[Reservation], members: Sequence[Reservation]) -> Decimal:
    living = [leg for leg in legs if leg.open_qty]
    if not living:
        return _ZERO
    most = max(EXACT.add(leg.target_qty, leg.carried_qty) for leg in living)
    entries = [item for item in members if item.group_id == group_id and not item.is_exit]
    if entries:
        most = min(most, sum((item.filled_qty for item in entries), _ZERO))
    done = sum((leg.filled_qty for leg in legs), _ZERO)
    return max(EXACT.subtract(most, done), _ZERO)


def added(new: Reservation, family: Sequence[Reservation]) -> tuple[Decimal, Decimal]:
    """Return what quantity and cash the book has to hold beyond what it holds for the family already."""
    if not family and not new.is_exit:
        return new.open_qty, new.open_cash
    before = {item.order_id: item for item in recounted(family)}
    after = recounted((*(item for item in family if item.order_id != new.order_id), new))
    qty = sum((item.counted_qty for item in after), _ZERO) - sum((i.counted_qty for i in before.values()), _ZERO)
    cash = sum((item.counted_cash for item in after), _ZERO) - sum((i.counted_cash for i in before.values()), _ZERO)
    return max(qty, _ZERO), max(cash, _ZERO)


def booked(
    family: Sequence[Reservation], order_id: OrderId, *, qty: Decimal, price: Decimal
) -> tuple[Reservation, ...]:
    """Return the family with an execution of one of its orders booked.

    What an order fills while another is to take its place, or is heard of later, lowers what that one may still do, and
    what whoever took the place of that one may.
    """
    heirs = _heirs(family, order_id)
    after = []
    for item in family:
        if item.order_id == order_id:
            after.append(item.filled(qty, price))
        elif item.order_id in heirs and item.state is not ReservationState.CLOSED:
            rest = max(EXACT.subtract(item.target_qty, qty), item.filled_qty)
            after.append(replace(item, target_qty=rest, carried_qty=EXACT.add(item.carried_qty, qty)))
        else:
            after.append(item)
    return tuple(after)


def _heirs(family: Sequence[Reservation], order_id: OrderId) -> frozenset[OrderId]:
    """Return the orders that took, or are to take, the place of an order, and of those."""
    heirs: frozenset[OrderId] = frozenset()
    found = frozenset({order_id})
    while found:
        found = frozenset(item.order_id for item in family if item.replaces in found) - heirs
        heirs |= found
    return heirs
