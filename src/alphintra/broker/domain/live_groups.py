"""Groups of orders at a venue elsewhere: what is to be done so that a group stands as it should.

How a group ought to stand is the engine's to say (``engine.groups``). Here its exits are carried by parts: orders of
their own, one for each step in which the entry filled. To close more, a part is added; to close less, parts are taken
off and what is missing then is added anew. No venue needs to be able to change a working order for that, and at no time
more is closed than is open.

Some venues work two exits as a pair of their own: they take off one what the other fills, and end both when one ends.
The parts of such a pair count together (``Pair``): what it may close yet is there once for each of them, and until all
of it has ended nothing else can work for what it covers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid5

from alphintra.broker.domain.approvals import Refusal
from alphintra.broker.domain.capabilities import UNSUPPORTED
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
    "Pair",
    "Step",
    "Withdraw",
    "arranged",
    "part_id",
    "refuse_replacing",
    "sent_together",
    "steps",
    "unprotected",
]

_ZERO = Decimal(0)
_DIED = frozenset({LiveStatus.CANCELED, LiveStatus.EXPIRED, LiveStatus.REJECTED, LiveStatus.REPLACED})


@dataclass(frozen=True, slots=True)
class Pair:
    """Parts that the venue keeps as a pair, those that ended included."""

    parts: tuple[LiveOrder, ...]

    @property
    def is_alive(self) -> bool:
        """Tell whether the venue may still execute anything of it."""
        return any(part.status not in CLOSED for part in self.parts)

    @property
    def left(self) -> Decimal:
        """Return what it may close yet: what its first order was for, without what any of it filled."""
        first = next((part for part in self.parts if part.order_id == part.pair_id), self.parts[0])
        return max(_ZERO, (first.qty or _ZERO) - sum((part.filled_qty for part in self.parts), _ZERO))

    @property
    def is_settled(self) -> bool:
        """Tell whether what ended of it ended for good: the venue ends one when another has filled everything."""
        return not self.is_alive and self.left > 0


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit of a group, the orders that work for it, those that ended included, and the pairs these are in."""

    order: LiveOrder
    parts: tuple[LiveOrder, ...]
    pairs: Mapping[OrderId, Pair]

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
        """Return the parts that ended without having been filled or asked to leave, and not through their pair."""
        return tuple(
            part
            for part in self.parts
            if part.status in _DIED
            and not part.is_cancel_requested
            and (part.pair_id is None or (self.pairs[part.pair_id].is_settled and part == self._newest(part.pair_id)))
        )

    @property
    def staying(self) -> tuple[LiveOrder, ...]:
        """Return the parts that work on."""
        return tuple(part for part in self.alive if not part.is_cancel_requested)

    @property
    def leaving_qty(self) -> Decimal:
        """Return what parts that leave may still close, and what is in the way of others until their pair has ended."""
        staying = {part.pair_id for part in self.staying}
        pairs = {part.pair_id for part in self.parts if part.pair_id is not None} - staying
        paired = sum((self.pairs[pair_id].left for pair_id in pairs if self.pairs[pair_id].is_alive), _ZERO)
        alone = (part for part in self.alive if part.is_cancel_requested and part.pair_id is None)
        return sum(map(self.left, alone), paired)

    def _newest(self, pair_id: OrderId) -> LiveOrder:
        """Return the part that works in a pair: the venue may put another in its place to adapt its quantity."""
        return next(part for part in reversed(self.parts) if part.pair_id == pair_id)

    def left(self, part: LiveOrder) -> Decimal:
        """Return what a part may close yet."""
        if part.pair_id is not None:
            return self.pairs[part.pair_id].left
        return max(_ZERO, (part.qty or _ZERO) - part.filled_qty)


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
    named = {order.pair_id for order in orders if order.pair_id is not None}
    pairs = {name: Pair(tuple(order for order in orders if order.pair_id == name)) for name in named}
    entry = next((order for order in heads if order.leg is Leg.ENTRY), None)
    exits = (
        Exit(order, tuple(part for part in orders if part.part_of == order.order_id), pairs)
        for order in heads
        if order.leg is not Leg.ENTRY
    )
    return LiveGroup(entry, tuple(exits))


def steps(group: LiveGroup) -> tuple[Step, ...]:
    """Return what is to be done next; nothing where the group stands as it should. To be asked again after each."""
    marks: list[Step] = [
        Mark(leg.order) for leg in group.exits if leg.is_open and leg.lost and not leg.order.is_cancel_requested
    ]
    return tuple(marks or [*_of_pairs(group), *_of_leaving(group), *_of_plan(group)])


def sent_together(group: LiveGroup, part: LiveOrder) -> tuple[LiveOrder, LiveOrder] | None:
    """Return the target and the stop that are to be sent as a pair when one of them is sent, None for one alone."""
    found = {}
    for leg in group.exits:
        for each in leg.staying:
            is_fresh = each.status is LiveStatus.QUEUED and (each.pair_id is not None or not each.attempts)
            if is_fresh and (each.pair_id, each.qty) == (part.pair_id, part.qty):
                found[leg.order.leg] = each
    target, stop = found.get(Leg.TAKE_PROFIT), found.get(Leg.STOP_LOSS)
    if target is None or stop is None or part.order_id not in {target.order_id, stop.order_id}:
        return None
    return target, stop


def refuse_replacing(group: LiveGroup, old: LiveOrder, *, qty: Decimal | None, is_alike: bool) -> Refusal | None:
    """Return why another exit cannot take the place of one in our store alone, None if it can.

    Args:
        group: their group.
        old: the exit to be replaced.
        qty: what the other is for.
        is_alike: whether the two differ in quantity and prices at most.
    """
    leg = next((leg for leg in group.exits if leg.order.order_id == old.order_id), None)
    if leg is None or not leg.is_open or leg.order.is_cancel_requested:
        return Refusal("ORDER_TERMINAL", "the exit to be replaced does not wait any more")
    if leg.order.attempts or any(part.attempts or part.venue_order_id for part in leg.parts):
        reason = "an exit that was sent to its venue is not replaced on live accounts: cancel and place anew"
        return Refusal(UNSUPPORTED, reason)
    if not is_alike:
        return Refusal(UNSUPPORTED, "of an exit on a live account only quantity and prices may change")
    if len(group.exits) > 1 and qty != old.qty:
        return Refusal(UNSUPPORTED, "two exits are for the same quantity: only the prices of one may change")
    return None


def unprotected(group: LiveGroup) -> Decimal:
    """Return what is open and has lost the stop that was to close it, which nobody asked for; zero for any other."""
    stops = [leg for leg in group.exits if leg.order.leg is Leg.STOP_LOSS]
    if not any(leg.lost for leg in stops) or any(leg.is_open for leg in stops):
        return _ZERO
    return _group(group).open_qty


def _of_pairs(group: LiveGroup) -> Iterator[Step]:
    """Have both orders of a pair leave where one is to: the venue ends them together."""
    leaving = {part.pair_id for leg in group.exits for part in leg.parts if part.is_cancel_requested} - {None}
    for leg in group.exits:
        yield from (Withdraw(part) for part in leg.staying if part.pair_id in leaving)


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
    staying = leg.staying
    have = sum(map(leg.left, staying), _ZERO)
    more = wanted - have - leg.leaving_qty
    if more > 0:
        unsent = next((part for part in staying if part.status is LiveStatus.QUEUED and not part.attempts), None)
        if unsent is not None and unsent.qty is not None:
            yield Grow(unsent, unsent.qty + more)
        else:
            yield Add(leg.order, part_id(leg.order, len(leg.parts)), more)
    excess = have - wanted
    for part in sorted(staying, key=lambda part: (leg.left(part) < excess, abs(leg.left(part) - excess))):
        if excess <= 0:
            return
        yield Withdraw(part)
        excess -= leg.left(part)


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
        allowed=order.filled_qty + sum(map(leg.left, leg.staying), leg.leaving_qty),
    )
