"""Groups of orders: whatever fills, dies or is canceled when, what is open is closed once or stays protected."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.groups import (
    Action,
    Group,
    Member,
    MemberState,
    Resize,
    Withdraw,
    Work,
    ended,
    filled,
    plan,
    released,
    unprotected,
    withdrawing,
    worked,
)
from alphintra.kernel.vocabulary import Leg

ENTRY, TARGET, STOP = UUID(int=1), UUID(int=2), UUID(int=3)
LEGS = {ENTRY: Leg.ENTRY, TARGET: Leg.TAKE_PROFIT, STOP: Leg.STOP_LOSS}
WHOLE = Decimal(100)


def group_of(*order_ids: UUID) -> Group:
    """Build a group of a hundred each, its entry working."""
    made = Group(tuple(Member(order_id=order_id, leg=LEGS[order_id], qty=WHOLE) for order_id in order_ids))
    return worked(made, ENTRY, WHOLE)


def settled(group: Group) -> Group:
    """Carry out what is planned until nothing is, as a venue does that answers at once."""
    for _ in range(10):
        actions = plan(group)
        if not actions:
            return group
        group = carried_out(group, actions)
    raise AssertionError(actions)


def carried_out(group: Group, actions: tuple[Action, ...]) -> Group:
    for action in actions:
        match action:
            case Work() | Resize():
                group = worked(group, action.order_id, action.allowed)
            case Withdraw():
                group = ended(group, action.order_id)
    return group


def working(group: Group) -> dict[UUID, Decimal]:
    """Return what the venue may still execute of each order it works."""
    return {m.order_id: m.working_qty for m in group.members if m.state is MemberState.WORKING}


def fill(group: Group, order_id: UUID, qty: Decimal | int) -> Group:
    """Fill part of an order and carry out what follows; the order ends when it has filled whole."""
    group = filled(group, order_id, Decimal(qty))
    member = next(member for member in group.members if member.order_id == order_id)
    return settled(ended(group, order_id) if member.done == member.qty else group)


def test_exits_wait_until_the_entry_fills_and_grow_with_it() -> None:
    group = settled(group_of(ENTRY, TARGET, STOP))
    assert working(group) == {ENTRY: 100}
    assert working(group := fill(group, ENTRY, 30)) == {ENTRY: 70, TARGET: 30, STOP: 30}
    assert working(group := fill(group, ENTRY, 20)) == {ENTRY: 50, TARGET: 50, STOP: 50}
    assert working(fill(group, ENTRY, 50)) == {TARGET: 100, STOP: 100}


def test_an_exit_is_reduced_by_what_the_other_closes() -> None:
    group = fill(group_of(ENTRY, TARGET, STOP), ENTRY, 100)
    assert working(group := fill(group, TARGET, 40)) == {TARGET: 60, STOP: 60}
    assert working(group := fill(group, STOP, 10)) == {TARGET: 50, STOP: 50}
    assert working(fill(group, TARGET, 50)) == {}


def test_an_entry_that_dies_unfilled_takes_its_exits_with_it_and_one_that_filled_in_part_leaves_them() -> None:
    assert working(settled(ended(group_of(ENTRY, TARGET, STOP), ENTRY))) == {}
    group = settled(ended(fill(group_of(ENTRY, TARGET, STOP), ENTRY, 30), ENTRY))
    assert working(group) == {TARGET: 30, STOP: 30}
    assert working(fill(group, STOP, 30)) == {}


def test_the_first_execution_of_an_exit_ends_what_is_left_of_the_entry() -> None:
    group = fill(group_of(ENTRY, TARGET, STOP), ENTRY, 30)
    assert plan(filled(group, TARGET, Decimal(10)))[0] == Withdraw(ENTRY)
    assert working(fill(group, TARGET, 10)) == {TARGET: 20, STOP: 20}


def test_an_exit_with_nothing_to_close_waits_while_a_late_fill_of_the_entry_may_come() -> None:
    group = fill(group_of(ENTRY, TARGET, STOP), ENTRY, 30)
    group = withdrawing(group, ENTRY)
    group = fill(group, TARGET, 30)
    assert working(group) == {TARGET: 0, STOP: 0}
    assert working(fill(group, ENTRY, 5)) == {TARGET: 5, STOP: 5}
    assert working(settled(ended(group, ENTRY))) == {}


def test_a_pair_works_at_once_and_ends_together() -> None:
    group = settled(group_of(TARGET, STOP))
    assert working(group) == {TARGET: 100, STOP: 100}
    assert working(group := fill(group, STOP, 99)) == {TARGET: 1, STOP: 1}
    assert working(fill(group, TARGET, 1)) == {}


def test_a_released_group_leaves_its_venue_whatever_is_open() -> None:
    group = fill(group_of(ENTRY, TARGET, STOP), ENTRY, 30)
    assert unprotected(group) == 0
    group = settled(released(group))
    assert working(group) == {}
    assert unprotected(group) == 0


def test_an_order_that_replaced_another_fills_what_that_one_has_left() -> None:
    stop = Member(order_id=STOP, leg=Leg.STOP_LOSS, qty=Decimal(80), prior=Decimal(30), state=MemberState.WORKING)
    target = Member(order_id=TARGET, leg=Leg.TAKE_PROFIT, qty=Decimal(80))
    assert working(settled(Group((target, stop)))) == {TARGET: 50, STOP: 50}


@pytest.mark.parametrize("dead", [MemberState.ENDED, MemberState.HELD, MemberState.WITHDRAWING])
def test_a_stop_that_does_not_work_leaves_what_is_open_unprotected(dead: MemberState) -> None:
    entry = Member(order_id=ENTRY, leg=Leg.ENTRY, qty=WHOLE, filled=Decimal(40), state=MemberState.ENDED)
    target = Member(order_id=TARGET, leg=Leg.TAKE_PROFIT, qty=WHOLE, allowed=Decimal(40), state=MemberState.WORKING)
    stop = Member(order_id=STOP, leg=Leg.STOP_LOSS, qty=WHOLE, allowed=Decimal(40), state=dead)
    assert unprotected(Group((entry, target, stop))) == 40
    assert unprotected(Group((target, stop))) == 100
    assert unprotected(Group((entry, target))) == 0


SHARES = (0, 1, 37, 50, 99, 100)


@pytest.mark.parametrize("members", [(ENTRY, TARGET, STOP), (ENTRY, STOP), (TARGET, STOP)])
def test_every_combination_of_partial_fills_ends_flat_or_protected(members: tuple[UUID, ...]) -> None:
    for opened, first, second, target_first in product(SHARES, SHARES, SHARES, (True, False)):
        group = settled(group_of(*members))
        if ENTRY in members:
            group = fill(group, ENTRY, opened) if opened else group
            group = settled(ended(group, ENTRY)) if opened < 100 else group
        for share, order_id in ((first, TARGET if target_first else STOP), (second, STOP if target_first else TARGET)):
            qty = working(group).get(order_id, Decimal(0)) * share // 100
            group = fill(group, order_id, qty) if qty else group
        exits = [qty for order_id, qty in working(group).items() if order_id != ENTRY]
        assert unprotected(group) == 0
        assert all(qty == group.open_qty for qty in exits)
        assert bool(exits) == bool(group.open_qty)


@dataclass(slots=True)
class Elsewhere:
    """A venue that carries out what it is told some time later, and goes on filling meanwhile."""

    group: Group
    sent: list[Action] = field(default_factory=list)
    works: dict[UUID, Decimal] = field(default_factory=dict)
    done: dict[UUID, Decimal] = field(default_factory=dict)
    position: Decimal = Decimal(0)

    def decide(self) -> None:
        """Send what the group plans, once each."""
        for action in plan(self.group):
            if action in self.sent:
                continue
            self.sent.append(action)
            if isinstance(action, Withdraw):
                self.group = withdrawing(self.group, action.order_id)

    def arrive(self, index: int) -> None:
        """Let one of the requests under way arrive."""
        if not self.sent:
            return
        action = self.sent.pop(index % len(self.sent))
        if isinstance(action, Withdraw):
            self.works.pop(action.order_id, None)
            self.group = ended(self.group, action.order_id)
        elif any(m.order_id == action.order_id and m.is_alive for m in self.group.members):
            self.works[action.order_id] = action.allowed
            self.group = worked(self.group, action.order_id, action.allowed)
        self.decide()

    def fill(self, order_id: UUID, share: int) -> None:
        """Execute part of an order, of an exit no more than the position: it may only reduce."""
        room = self.works.get(order_id, Decimal(0)) - self.done.get(order_id, Decimal(0))
        if order_id != ENTRY:
            room = min(room, self.position)
        qty = max(Decimal(0), room * share // 100)
        if not qty:
            return
        self.done[order_id] = self.done.get(order_id, Decimal(0)) + qty
        self.position += qty if order_id == ENTRY else -qty
        self.group = filled(self.group, order_id, qty)
        if self.done[order_id] == WHOLE:
            self.works.pop(order_id, None)
            self.group = ended(self.group, order_id)
        self.decide()

    def cancel_entry(self) -> None:
        """Take the entry off, as a person or the end of the day does."""
        if self.works.pop(ENTRY, None) is not None:
            self.group = ended(self.group, ENTRY)
            self.decide()


events = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.sampled_from([ENTRY, TARGET, STOP]), st.integers(1, 100)),
        st.tuples(st.just("arrive"), st.integers(0, 5)),
        st.just(("cancel",)),
    ),
    max_size=40,
)


@given(events)
def test_a_venue_elsewhere_ends_flat_or_protected_in_whatever_order_its_answers_come(
    happening: list[tuple[object, ...]],
) -> None:
    venue = Elsewhere(group_of(ENTRY, TARGET, STOP), works={ENTRY: WHOLE})
    for event in happening:
        match event:
            case ("fill", UUID() as order_id, int() as share):
                venue.fill(order_id, share)
            case ("arrive", int() as index):
                venue.arrive(index)
            case _:
                venue.cancel_entry()
    for _ in range(200):
        venue.arrive(0)
    assert not venue.sent
    assert venue.group.open_qty == venue.position
    assert unprotected(venue.group) == 0
    exits = {order_id: allowed - venue.done.get(order_id, 0) for order_id, allowed in venue.works.items()}
    exits.pop(ENTRY, None)
    assert set(exits.values()) <= {venue.position}
    if ENTRY not in venue.works and not venue.position:
        assert venue.works == {}


@given(events)
def test_a_venue_that_answers_at_once_never_closes_more_than_is_open(happening: list[tuple[object, ...]]) -> None:
    group = settled(group_of(ENTRY, TARGET, STOP))
    for event in happening:
        match event:
            case ("fill", UUID() as order_id, int() as share):
                qty = working(group).get(order_id, Decimal(0)) * share // 100
                group = fill(group, order_id, qty) if qty else group
            case ("cancel",) if ENTRY in working(group):
                group = settled(ended(group, ENTRY))
            case _:
                pass
        entered = sum(member.done for member in group.entries)
        assert group.closed_qty <= entered
        assert all(qty <= group.open_qty for order_id, qty in working(group).items() if order_id != ENTRY)
        assert unprotected(group) == 0
