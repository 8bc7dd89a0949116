"""Reservations: what stays open after each thing that can happen to an order, and what a repetition gets."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import Side
from alphintra.risk.domain.books import Decision, Finding, FollowUp, Reservation, ReservationState
from alphintra.risk.domain.controls import spent
from unit.risk.books import ACCOUNT

HELD, CONFIRMED, LAPSED, RELEASED, CLOSED = ReservationState


def reservation(state: ReservationState = HELD, *, qty: str = "10", filled: str = "0") -> Reservation:
    return Reservation(
        order_id=OrderId(UUID(int=1)),
        account_id=ACCOUNT,
        symbol="AAPL",
        side=Side.BUY,
        price=Decimal(5),
        target_qty=Decimal(qty),
        filled_qty=Decimal(filled),
        state=state,
    )


def decision(state: ReservationState | None, *, open_qty: str = "10") -> Decision:
    return Decision(
        decision_id=UUID(int=1),
        attempt=1,
        findings=(),
        limit_version=1,
        kill_epoch=0,
        leaf=b"",
        reservation=None if state is None else reservation(state, qty=open_qty),
    )


@pytest.mark.parametrize(
    ("state", "open_qty"), [(HELD, "7"), (CONFIRMED, "7"), (LAPSED, "0"), (RELEASED, "0"), (CLOSED, "7")]
)
def test_what_lapsed_or_was_released_is_not_open(state: ReservationState, open_qty: str) -> None:
    assert reservation(state, filled="3").open_qty == Decimal(open_qty)


@pytest.mark.parametrize("state", [HELD, CONFIRMED, LAPSED, RELEASED])
def test_confirmation_brings_every_order_to_life_that_is_not_closed(state: ReservationState) -> None:
    assert reservation(state).confirmed().open_qty == 10
    assert reservation(state).confirmed().state is CONFIRMED
    assert reservation(CLOSED).confirmed() == reservation(CLOSED)


@pytest.mark.parametrize("state", [HELD, CONFIRMED, LAPSED, RELEASED])
def test_a_fill_takes_its_quantity_off_and_proves_the_order_alive(state: ReservationState) -> None:
    filled = reservation(state).filled(Decimal(4))
    assert (filled.state, filled.open_qty) == (CONFIRMED, Decimal(6))


def test_more_fills_than_ordered_leave_nothing_open() -> None:
    assert reservation(CONFIRMED).filled(Decimal(11)).open_qty == 0


@pytest.mark.parametrize(("filled", "final", "left"), [("4", "4", "0"), ("4", "6", "2"), ("4", "0", "0")])
def test_a_closed_order_keeps_open_only_fills_still_to_come(filled: str, final: str, left: str) -> None:
    closed = reservation(CONFIRMED, filled=filled).closed(Decimal(final))
    assert (closed.state, closed.open_qty) == (CLOSED, Decimal(left))


def test_only_what_is_held_can_be_released() -> None:
    released = reservation(HELD).released()
    assert released is not None
    assert released.open_qty == 0
    assert [reservation(state).released() for state in (CONFIRMED, LAPSED, RELEASED, CLOSED)] == [None] * 4


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), max_size=6), st.randoms(use_true_random=False), st.integers(0, 3))
def test_fills_and_the_close_commute(fills: list[int], chance: object, unfilled: int) -> None:
    total = sum(fills)
    happenings: list[int | None] = [*fills, None]
    chance.shuffle(happenings)  # type: ignore[attr-defined] # a random.Random by hypothesis
    current = reservation(CONFIRMED, qty=str(total + unfilled))
    for happening in happenings:
        current = current.closed(Decimal(total)) if happening is None else current.filled(Decimal(happening))
    assert (current.state, current.filled_qty, current.open_qty) == (CLOSED, Decimal(total), Decimal(0))


@pytest.mark.parametrize(
    ("state", "open_qty", "asked", "renewed"),
    [
        (None, "0", FollowUp.REPLAY, FollowUp.REPLAY),
        (HELD, "10", FollowUp.REISSUE, FollowUp.REISSUE),
        (CONFIRMED, "0.000000001", FollowUp.REISSUE, FollowUp.REISSUE),
        (CONFIRMED, "0", FollowUp.SPENT, FollowUp.SPENT),
        (LAPSED, "0", FollowUp.REASSESS, FollowUp.REASSESS),
        (RELEASED, "0", FollowUp.REASSESS, FollowUp.SPENT),
        (CLOSED, "0", FollowUp.SPENT, FollowUp.SPENT),
        (CLOSED, "3", FollowUp.SPENT, FollowUp.SPENT),
    ],
)
def test_a_repetition_gets_what_the_reservation_allows(
    state: ReservationState | None, open_qty: str, asked: FollowUp, renewed: FollowUp
) -> None:
    stored = decision(state, open_qty=open_qty)
    assert (stored.follow_up(is_renewal=False), stored.follow_up(is_renewal=True)) == (asked, renewed)


@pytest.mark.parametrize(("state", "named"), [(CONFIRMED, "filled"), (RELEASED, "released"), (CLOSED, "closed")])
def test_a_spent_reservation_is_refused_by_name(state: ReservationState, named: str) -> None:
    finding = spent(decision(state, open_qty="0"))
    assert isinstance(finding, Finding)
    assert (finding.code, finding.observed) == ("RISK_RESERVATION_CLOSED", named)
