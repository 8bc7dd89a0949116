"""Orders that belong together: exits grow with the fills of their entry and shrink with each other's.

One pure state machine for every venue that does not offer groups itself. ``plan`` compares a group as it stands with
how it ought to stand and names what to do; whoever carries that out tells the group by ``worked``, ``filled`` and
``ended``, and asks again. Nothing depends on the order in which fills and cancellations arrive.

- Exits do not work before the entry has filled, and then for what it has filled; what one exit closes, the other no
  longer closes. Together they never close more than is open.
- The first execution of an exit ends the entry's remainder: the position is being left. While the remainder may still
  fill, an exit with nothing to close waits with nothing to execute instead of leaving, for a late fill needs it.
- An entry that dies unfilled takes the exits with it; one that dies partly filled leaves them to what it filled.
- A pair without entry (oco) closes a position that is there: both work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from alphintra.kernel.vocabulary import Leg

__all__ = [
    "Action",
    "Group",
    "Member",
    "MemberState",
    "Resize",
    "Withdraw",
    "Work",
    "ended",
    "filled",
    "plan",
    "released",
    "unprotected",
    "withdrawing",
    "worked",
]

_ZERO = Decimal(0)


class MemberState(StrEnum):
    """Where an order of a group is: waiting, at the venue, asked to leave it, or gone."""

    HELD = "held"
    WORKING = "working"
    WITHDRAWING = "withdrawing"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One order of a group.

    Args:
        order_id: its id.
        leg: what it is to the group.
        qty: what it was approved to fill, with what the orders it replaced had filled.
        state: where it is.
        filled: what it has filled itself.
        prior: what the orders it replaced have filled; they are no members any more.
        allowed: what it may fill itself as the venue was told; grows and shrinks with the group.
    """

    order_id: UUID
    leg: Leg
    qty: Decimal
    state: MemberState = MemberState.HELD
    filled: Decimal = _ZERO
    prior: Decimal = _ZERO
    allowed: Decimal = _ZERO

    @property
    def is_alive(self) -> bool:
        """Tell whether the order waits or works and was not asked to leave."""
        return self.state in {MemberState.HELD, MemberState.WORKING}

    @property
    def done(self) -> Decimal:
        """Return what it and the orders it replaced have filled."""
        return self.prior + self.filled

    @property
    def working_qty(self) -> Decimal:
        """Return what the venue may still execute of it."""
        return max(_ZERO, self.allowed - self.filled) if self.state is MemberState.WORKING else _ZERO


@dataclass(frozen=True, slots=True)
class Group:
    """Orders that belong together.

    Args:
        members: all of them, those that ended included; of replaced ones the last.
        is_released: whether somebody ended the group: nothing of it works on, whatever is open.
    """

    members: tuple[Member, ...]
    is_released: bool = False

    @property
    def entries(self) -> tuple[Member, ...]:
        """Return the orders that open."""
        return tuple(member for member in self.members if member.leg is Leg.ENTRY)

    @property
    def exits(self) -> tuple[Member, ...]:
        """Return the orders that close."""
        return tuple(member for member in self.members if member.leg is not Leg.ENTRY)

    @property
    def closed_qty(self) -> Decimal:
        """Return what the exits have closed."""
        return sum((member.done for member in self.exits), _ZERO)

    @property
    def open_qty(self) -> Decimal:
        """Return what the group has opened, or found open, and not closed yet."""
        entries = self.entries
        if entries:
            opened = sum((member.done for member in entries), _ZERO)
        else:
            opened = max((member.qty for member in self.exits), default=_ZERO)
        return max(_ZERO, opened - self.closed_qty)


@dataclass(frozen=True, slots=True)
class Work:
    """Let a held order work, for ``allowed`` in all."""

    order_id: UUID
    allowed: Decimal


@dataclass(frozen=True, slots=True)
class Resize:
    """Change what a working order may fill in all."""

    order_id: UUID
    allowed: Decimal


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take an order off, for good."""

    order_id: UUID


Action = Work | Resize | Withdraw


def plan(group: Group) -> tuple[Action, ...]:
    """Return what is to be done so that the group stands as it should; nothing if it does.

    Reductions and withdrawals come first, so that at no time more is being closed than is open.
    """
    if group.is_released:
        return tuple(Withdraw(member.order_id) for member in group.members if member.is_alive)
    actions = [*_of_entries(group), *_of_exits(group)]
    return tuple(sorted(actions, key=_weight))


def worked(group: Group, order_id: UUID, allowed: Decimal) -> Group:
    """Return the group after the venue works an order for ``allowed`` in all."""
    return _changed(group, order_id, lambda m: replace(m, state=MemberState.WORKING, allowed=allowed))


def filled(group: Group, order_id: UUID, qty: Decimal) -> Group:
    """Return the group after an execution, of an order that has ended too: it happened."""
    return _changed(group, order_id, lambda m: replace(m, filled=m.filled + qty))


def withdrawing(group: Group, order_id: UUID) -> Group:
    """Return the group after an order was asked to leave its venue and may still fill."""
    return _changed(group, order_id, lambda m: replace(m, state=MemberState.WITHDRAWING) if m.is_alive else m)


def ended(group: Group, order_id: UUID) -> Group:
    """Return the group after an order was filled, canceled, refused or expired."""
    return _changed(group, order_id, lambda m: replace(m, state=MemberState.ENDED))


def released(group: Group) -> Group:
    """Return the group after somebody ended it."""
    return replace(group, is_released=True)


def unprotected(group: Group) -> Decimal:
    """Return how much of what the group has open no stop of it covers; zero for a group that never had a stop."""
    stops = [member for member in group.members if member.leg is Leg.STOP_LOSS]
    if group.is_released or not stops:
        return _ZERO
    return max(_ZERO, group.open_qty - sum((member.working_qty for member in stops), _ZERO))


def _of_entries(group: Group) -> Iterator[Action]:
    if not group.closed_qty:
        return
    for member in group.entries:
        if member.is_alive:
            yield Withdraw(member.order_id)


def _of_exits(group: Group) -> Iterator[Action]:
    entries, closed = group.entries, group.closed_qty
    may_grow = any(member.state is not MemberState.ENDED for member in entries)
    for member in group.exits:
        if not member.is_alive:
            continue
        own = member.qty - member.done
        left = max(_ZERO, min(own, group.open_qty if entries else member.qty - closed))
        allowed = member.filled + left
        if not left and not may_grow:
            yield Withdraw(member.order_id)
        elif member.state is MemberState.HELD and left:
            yield Work(member.order_id, allowed)
        elif member.state is MemberState.WORKING and member.allowed != allowed:
            yield Resize(member.order_id, allowed)


def _weight(action: Action) -> int:
    return 0 if isinstance(action, Withdraw) else 1 if isinstance(action, Resize) else 2


def _changed(group: Group, order_id: UUID, change: Callable[[Member], Member]) -> Group:
    members = tuple(change(member) if member.order_id == order_id else member for member in group.members)
    return replace(group, members=members)
