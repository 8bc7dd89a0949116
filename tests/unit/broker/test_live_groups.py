"""Groups at a venue elsewhere: whatever it fills, ends or refuses when, exits cover what is open and never more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.broker.domain.live_groups import (
    Add,
    End,
    Grow,
    LiveGroup,
    Mark,
    Step,
    Withdraw,
    arranged,
    sent_together,
    steps,
    unprotected,
)
from alphintra.broker.domain.reports import CLOSED, LiveOrder, LiveStatus
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.vocabulary import Leg, OrderClass, Side

_ROOT = UUID("0d6f6a9e-6f2b-4f0c-8e0e-0d1f0a3b7c55")
GROUP = OrderId(uuid5(_ROOT, "entry"))
TEN = Decimal(10)


def order(leg: Leg, status: LiveStatus, *, order_class: OrderClass = OrderClass.BRACKET) -> LiveOrder:
    return LiveOrder(
        order_id=OrderId(uuid5(_ROOT, leg)),
        account_id=AccountId(uuid5(_ROOT, "account")),
        client_order_id=leg,
        symbol="AAPL",
        side=Side.BUY if leg is Leg.ENTRY else Side.SELL,
        qty=TEN,
        status=status,
        venue_order_id=None,
        filled_qty=Decimal(0),
        order_class=order_class,
        leg=leg,
        group_id=GROUP,
    )


@dataclass
class Book:
    """The orders of one group, brought on as the service does it."""

    rows: dict[OrderId, LiveOrder] = field(default_factory=dict)
    is_paired: bool = False
    ended: list[tuple[Leg, LiveStatus]] = field(default_factory=list)

    @classmethod
    def bracket(cls, *, is_paired: bool = False) -> Book:
        """A bracket; at a venue that works exits as pairs of its own, once their entry has ended."""
        book = cls._of(
            order(Leg.ENTRY, LiveStatus.WORKING),
            order(Leg.TAKE_PROFIT, LiveStatus.HELD),
            order(Leg.STOP_LOSS, LiveStatus.HELD),
        )
        book.is_paired = is_paired
        return book

    @classmethod
    def pair(cls) -> Book:
        legs = (Leg.TAKE_PROFIT, Leg.STOP_LOSS)
        return cls._of(*(order(leg, LiveStatus.HELD, order_class=OrderClass.OCO) for leg in legs))

    @classmethod
    def _of(cls, *orders: LiveOrder) -> Book:
        book = cls({each.order_id: each for each in orders})
        book.settle()
        return book

    @property
    def group(self) -> LiveGroup:
        return arranged(tuple(self.rows.values()))

    def put(self, row: LiveOrder, **changes: object) -> None:
        self.rows[row.order_id] = replace(row, **changes)  # type: ignore[arg-type] # fields of an order

    def settle(self) -> None:
        for _ in range(20):
            found = steps(self.group)
            if not found:
                return
            for step in found:
                self._take(step)
        pytest.fail("the group does not come to rest")

    def _take(self, step: Step) -> None:
        match step:
            case Add(leg, order_id, qty):
                assert order_id not in self.rows
                fresh = replace(
                    leg, order_id=order_id, qty=qty, part_of=leg.order_id, filled_qty=Decimal(0), attempts=0
                )
                self.rows[order_id] = replace(fresh, status=LiveStatus.QUEUED)
            case Grow(part, qty):
                self.put(self.rows[part.order_id], qty=qty)
            case Withdraw(leaving):
                is_unsent = leaving.status is LiveStatus.QUEUED and not leaving.attempts
                status = LiveStatus.CANCELED if is_unsent else leaving.status
                self.put(self.rows[leaving.order_id], is_cancel_requested=True, status=status)
            case Mark(leg):
                self.put(self.rows[leg.order_id], is_cancel_requested=True)
            case End(leg, status):
                self.ended.append((leg.leg, status))
                self.put(self.rows[leg.order_id], status=status)

    def work(self) -> None:
        for row in list(self.rows.values()):
            if self.is_paired and row.part_of and self.rows[GROUP].status not in CLOSED:
                continue
            together = sent_together(self.group, row) if self.is_paired else None
            if self.rows[row.order_id].status is LiveStatus.QUEUED and together is not None:
                for part in together:
                    self.put(part, pair_id=together[0].order_id)
            now = self.rows[row.order_id]
            if now.status is LiveStatus.QUEUED:
                self.put(now, status=LiveStatus.WORKING, attempts=1)
                if now.part_of is not None:
                    self.put(self.rows[now.part_of], attempts=1)
        self.settle()

    def fill(self, row: LiveOrder, qty: Decimal) -> None:
        filled = row.filled_qty + qty
        self.put(row, filled_qty=filled, status=LiveStatus.FILLED if filled >= (row.qty or 0) else row.status)
        if row.part_of is not None:
            leg = self.rows[row.part_of]
            done = leg.filled_qty + qty
            is_whole = done >= TEN and leg.status is LiveStatus.HELD
            self.put(leg, filled_qty=done, status=LiveStatus.FILLED if is_whole else leg.status)
        self.settle()

    def execute(self, row: LiveOrder, most: int) -> None:
        """Let the venue fill up to so much, and end a pair that has closed everything."""
        self.fill(row, min(Decimal(most), self.left(row)))
        if not self.left(row):
            self.ended_with(row)

    def ended_with(self, row: LiveOrder) -> None:
        """Let the venue end the partner of an order of a pair, which it does in its own time."""
        for each in list(self.rows.values()):
            if row.pair_id is not None and each.pair_id == row.pair_id and each.status is LiveStatus.WORKING:
                self.put(each, status=LiveStatus.CANCELED)
        self.settle()

    def leave(self) -> None:
        """Let the venue end what was asked to leave."""
        for row in list(self.rows.values()):
            if row.is_cancel_requested and row.status is LiveStatus.WORKING:
                self.put(row, status=LiveStatus.CANCELED)
        self.settle()

    def part(self, leg: Leg) -> LiveOrder:
        return next(row for row in self.rows.values() if row.leg is leg and row.part_of and row.status not in CLOSED)

    def left(self, row: LiveOrder) -> Decimal:
        now = self.rows[row.order_id]
        if now.pair_id is not None:
            return next(each for each in self.group.exits).pairs[now.pair_id].left
        return (now.qty or TEN) - now.filled_qty

    def works(self, leg: Leg) -> Decimal:
        exits = [each for each in self.group.exits if each.order.leg is leg]
        return sum((each.left(part) for each in exits for part in each.staying), Decimal(0))


def test_exits_work_for_what_the_entry_has_filled_and_no_sooner() -> None:
    book = Book.bracket()
    assert book.works(Leg.STOP_LOSS) == 0
    book.fill(book.rows[GROUP], Decimal(4))
    book.work()
    book.fill(book.rows[GROUP], Decimal(6))
    assert [book.works(Leg.TAKE_PROFIT), book.works(Leg.STOP_LOSS)] == [TEN, TEN]
    assert [row.qty for row in book.rows.values() if row.leg is Leg.STOP_LOSS and row.part_of] == [4, 6]


def test_what_one_exit_closes_the_other_no_longer_covers_and_the_entry_leaves() -> None:
    book = Book.bracket()
    book.fill(book.rows[GROUP], Decimal(6))
    book.work()
    book.fill(book.part(Leg.TAKE_PROFIT), Decimal(2))
    book.leave()
    book.work()
    assert book.works(Leg.STOP_LOSS) == 4
    assert book.rows[GROUP].status is LiveStatus.CANCELED
    book.fill(book.part(Leg.STOP_LOSS), Decimal(4))
    book.leave()
    assert {leg for leg, _ in book.ended} == {Leg.TAKE_PROFIT, Leg.STOP_LOSS}
    assert unprotected(book.group) == 0


def test_an_entry_that_dies_unfilled_takes_its_exits_along() -> None:
    book = Book.bracket()
    book.put(book.rows[GROUP], status=LiveStatus.EXPIRED)
    book.settle()
    assert book.ended == [(Leg.TAKE_PROFIT, LiveStatus.CANCELED), (Leg.STOP_LOSS, LiveStatus.CANCELED)]


def test_a_stop_the_venue_refuses_leaves_the_target_and_what_is_open_without_protection() -> None:
    book = Book.bracket()
    book.fill(book.rows[GROUP], TEN)
    book.work()
    book.put(book.part(Leg.STOP_LOSS), status=LiveStatus.CANCELED)
    book.settle()
    assert book.ended == [(Leg.STOP_LOSS, LiveStatus.CANCELED)]
    assert book.works(Leg.TAKE_PROFIT) == 10
    assert unprotected(book.group) == 10


def test_a_pair_works_at_once_and_leaves_when_one_has_closed_everything() -> None:
    book = Book.pair()
    book.work()
    assert [book.works(Leg.TAKE_PROFIT), book.works(Leg.STOP_LOSS)] == [TEN, TEN]
    book.fill(book.part(Leg.TAKE_PROFIT), TEN)
    book.leave()
    assert book.ended == [(Leg.STOP_LOSS, LiveStatus.CANCELED)]


def test_one_of_a_pair_that_ends_is_no_loss_until_its_partner_has_ended_too() -> None:
    book = Book.bracket(is_paired=True)
    book.fill(book.rows[GROUP], TEN)
    book.work()
    target, stop = book.part(Leg.TAKE_PROFIT), book.part(Leg.STOP_LOSS)
    assert {target.pair_id, stop.pair_id} == {target.order_id}
    book.put(stop, status=LiveStatus.CANCELED)
    book.settle()
    assert (book.ended, unprotected(book.group)) == ([], Decimal(0))
    book.fill(target, TEN)
    assert book.ended == [(Leg.STOP_LOSS, LiveStatus.CANCELED)]
    assert unprotected(book.group) == 0


def test_a_pair_that_ends_unfilled_leaves_what_is_open_without_protection() -> None:
    book = Book.bracket(is_paired=True)
    book.fill(book.rows[GROUP], TEN)
    book.work()
    book.fill(book.part(Leg.TAKE_PROFIT), Decimal(3))
    assert (book.works(Leg.TAKE_PROFIT), book.works(Leg.STOP_LOSS)) == (Decimal(7), Decimal(7))
    stop = book.part(Leg.STOP_LOSS)
    book.put(stop, status=LiveStatus.EXPIRED)
    book.ended_with(stop)
    assert unprotected(book.group) == 7


@given(st.data())
def test_whatever_happens_exits_cover_what_is_open_and_never_more(
    data: st.DataObject,
) -> None:
    book = Book.bracket(is_paired=data.draw(st.booleans()))
    taken_away = False
    for _ in range(data.draw(st.integers(1, 14))):
        alive = [row for row in book.rows.values() if row.status is LiveStatus.WORKING]
        act = data.draw(st.sampled_from(["fill", "fill", "fill", "work", "leave", "end"]))
        if act == "fill" and alive:
            row = data.draw(st.sampled_from(alive))
            book.execute(row, data.draw(st.integers(1, 10)))
        elif act == "end" and alive:
            row = data.draw(st.sampled_from(alive))
            taken_away = taken_away or row.part_of is not None
            book.put(row, status=LiveStatus.EXPIRED)
            book.settle()
            book.ended_with(row)
        elif act == "work":
            book.work()
        else:
            book.leave()
        entry = book.rows[GROUP]
        closed = sum((row.filled_qty for row in book.rows.values() if row.part_of), Decimal(0))
        still_open = max(Decimal(0), entry.filled_qty - closed)
        assert entry.filled_qty >= closed
        for leg in (Leg.TAKE_PROFIT, Leg.STOP_LOSS):
            assert book.works(leg) <= still_open
    for _ in range(6):
        book.work()
        book.leave()
    if not taken_away:
        assert book.works(Leg.STOP_LOSS) == book.works(Leg.TAKE_PROFIT) == still_open
    if book.rows[GROUP].status in CLOSED and still_open == 0:
        assert all(row.status in CLOSED for row in book.rows.values())
