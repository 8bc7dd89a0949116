"""Groups of orders at a venue elsewhere: what is to be done so that a group stands as it should.

How a group ought to stand is the engine's to say (``engine.groups``). Here its exits are carried by parts: orders of
their own, one for each step in which the entry filled. To close more, a part is added; to close less, parts are taken
off and what is missing then is added anew. No venue needs to be able to change a working order for that, and at no time
more is closed than is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid5

from alphintra.broker.domain.reports import CLOSED, LiveOrder, LiveStatus
from alphintra.engine import groups
from alphintra.engine.groups import Group, Member, MemberState
from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import Leg

__all__ = [
    "Add",
    "End",
    "Exit",
    "Grow",
    "LiveGroup",
    "Mark",
    "Step",
    "Withdraw",
    "arranged",
    "part_id",
    "steps",
    "unprotected",
]

_ZERO = Decimal(0)
_DIED = frozenset({LiveStatus.CANCELED, LiveStatus.EXPIRED, LiveStatus.REJECTED, LiveStatus.REPLACED})


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit of a group, and the orders that work for it, those that ended included."""

    order: LiveOrder
    parts: tuple[LiveOrder, ...]

    @property
    def is_open(self) -> bool:
        """Tell whether it may close anything yet."""
        return self.order.status not in CLOSED

    @property
    def alive(self) -> tuple[LiveOrder, ...]:
        """Return the parts the venue may still execute."""
        return tuple(part for part in self.parts if part.status not in CLOSED)

    @property
    def lost(self) -> tuple[LiveOrder, ...]:
        """Return the parts that ended without having been filled or asked to leave."""
        return tuple(part for part in self.parts if part.status in _DIED and not part.is_cancel_requested)


@dataclass(frozen=True, slots=True)
class LiveGroup:
    """A group: its entry, None for a pair that closes a position which is there, and its exits."""

    entry: LiveOrder | None
    exits: tuple[Exit, ...]


@dataclass(frozen=True, slots=True)
class Add:
    """Have another order work for an exit."""

    exit: LiveOrder
    order_id: OrderId
    qty: Decimal


@dataclass(frozen=True, slots=True)
class Grow:
    """Let a part that was not sent yet be for more, ``qty`` in all."""

    part: LiveOrder
    qty: Decimal


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take the entry or a part off its venue."""

    order: LiveOrder


@dataclass(frozen=True, slots=True)
class Mark:
    """Let an exit close nothing more; it ends with its last part."""

    exit: LiveOrder


@dataclass(frozen=True, slots=True)
class End:
    """End an exit of which nothing works any more."""

    exit: LiveOrder
    status: LiveStatus


Step = Add | Grow | Withdraw | Mark | End


def part_id(leg: LiveOrder, number: int) -> OrderId:
    """Return the id of an exit's n-th part, which is its name at the venue too."""
    return OrderId(uuid5(leg.order_id, f"part {number}"))


def arranged(orders: Sequence[LiveOrder]) -> LiveGroup:
    """Return the group that orders of one group id make up, oldest first."""
    heads = [order for order in orders if order.part_of is None and order.status is not LiveStatus.REPLACED]
    entry = next((order for order in heads if order.leg is Leg.ENTRY), None)
    exits = (
        Exit(order, tuple(part for part in orders if part.part_of == order.order_id))
        for order in heads
        if order.leg is not Leg.ENTRY
    )
    return LiveGroup(entry, tuple(exits))


def steps(group: LiveGroup) -> tuple[Step, ...]:
    """Return what is to be done next; nothing where the group stands as it should. To be asked again after each."""
    marks: list[Step] = [
        Mark(leg.order) for leg in group.exits if leg.is_open and leg.lost and not leg.order.is_cancel_requested
    ]
    return tuple(marks or [*_of_leaving(group), *_of_plan(group)])


def unprotected(group: LiveGroup) -> Decimal:
    """Return what is open and has lost the stop that was to close it, which nobody asked for; zero for any other."""
    stops = [leg for leg in group.exits if leg.order.leg is Leg.STOP_LOSS]
    if not any(leg.lost for leg in stops) or any(leg.is_open for leg in stops):
        return _ZERO
    return _group(group).open_qty


def _of_leaving(group: LiveGroup) -> Iterator[Step]:
    for leg in group.exits:
        if not leg.is_open or not leg.order.is_cancel_requested:
            continue
        if not leg.alive:
            yield End(leg.order, _end_of(leg))
        for part in leg.alive:
            if not part.is_cancel_requested:
                yield Withdraw(part)


def _end_of(leg: Exit) -> LiveStatus:
    ends = {part.status for part in leg.lost}
    if LiveStatus.EXPIRED in ends:
        return LiveStatus.EXPIRED
    return LiveStatus.REJECTED if LiveStatus.REJECTED in ends and not leg.order.attempts else LiveStatus.CANCELED


def _of_plan(group: LiveGroup) -> Iterator[Step]:
    exits = {leg.order.order_id: leg for leg in group.exits}
    for action in groups.plan(_group(group)):
        leg = exits.get(OrderId(action.order_id))
        if leg is None:
            if group.entry is not None:
                yield Withdraw(group.entry)
        elif isinstance(action, groups.Withdraw):
            yield Mark(leg.order)
        else:
            yield from _resized(leg, action.allowed - leg.order.filled_qty)


def _resized(leg: Exit, wanted: Decimal) -> Iterator[Step]:
    """Have so much work for an exit. What is leaving may still be executed, and is missed only once it has left."""
    staying = [part for part in leg.alive if not part.is_cancel_requested]
    have = sum(map(_left, staying), _ZERO)
    leaving = sum((_left(part) for part in leg.alive if part.is_cancel_requested), _ZERO)
    more = wanted - have - leaving
    if more > 0:
        unsent = next((part for part in staying if part.status is LiveStatus.QUEUED and not part.attempts), None)
        if unsent is not None and unsent.qty is not None:
            yield Grow(unsent, unsent.qty + more)
        else:
            yield Add(leg.order, part_id(leg.order, len(leg.parts)), more)
    excess = have - wanted
    for part in sorted(staying, key=lambda part: (_left(part) < excess, abs(_left(part) - excess))):
        if excess <= 0:
            return
        yield Withdraw(part)
        excess -= _left(part)


def _left(part: LiveOrder) -> Decimal:
    return max(_ZERO, (part.qty or _ZERO) - part.filled_qty)


def _group(group: LiveGroup) -> Group:
    entry = () if group.entry is None else (_entry(group.entry),)
    return Group((*entry, *(_exit(leg) for leg in group.exits)))


def _entry(order: LiveOrder) -> Member:
    state = MemberState.WITHDRAWING if order.is_cancel_requested else MemberState.WORKING
    qty = order.qty or _ZERO
    return Member(
        order_id=order.order_id,
        leg=order.leg,
        qty=qty,
        state=MemberState.ENDED if order.status in CLOSED else state,
        filled=order.filled_qty,
        allowed=qty,
    )


def _exit(leg: Exit) -> Member:
    order = leg.order
    state = MemberState.WORKING if leg.parts else MemberState.HELD
    if order.is_cancel_requested:
        state = MemberState.WITHDRAWING
    return Member(
        order_id=order.order_id,
        leg=order.leg,
        qty=order.qty or _ZERO,
        state=state if leg.is_open else MemberState.ENDED,
        filled=order.filled_qty,
        allowed=order.filled_qty + sum(map(_left, leg.alive), _ZERO),
    )
