"""The states of an order: every event in every state, and any order of events."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import TERMINAL, OrderStatus
from alphintra.trading.domain.orders import Order, OrderEvent, OrderEventKind, advance
from unit.trading.orders import LATER, an_order, event, fill

S, K = OrderStatus, OrderEventKind
REPORTS = (K.ACKNOWLEDGED, K.REFUSED, K.CANCEL_REQUESTED, K.CANCELED, K.EXPIRED)

# State by state, what each of the reports above leads to; None where the report changes nothing.
TABLE = {
    S.PENDING_NEW: (S.NEW, S.REJECTED, S.PENDING_CANCEL, S.CANCELED, S.EXPIRED),
    S.UNKNOWN: (S.NEW, S.REJECTED, S.PENDING_CANCEL, S.CANCELED, S.EXPIRED),
    S.NEW: (None, S.REJECTED, S.PENDING_CANCEL, S.CANCELED, S.EXPIRED),
    S.PARTIALLY_FILLED: (None, S.REJECTED, S.PENDING_CANCEL, S.CANCELED, S.EXPIRED),
    S.PENDING_CANCEL: (None, S.REJECTED, None, S.CANCELED, S.EXPIRED),
    S.DENIED: (None,) * 5,
    S.FILLED: (None,) * 5,
    S.CANCELED: (None,) * 5,
    S.EXPIRED: (None,) * 5,
    S.REJECTED: (None,) * 5,
}
NOT_REACHED_YET = {
    S.CREATED,
    S.PENDING_APPROVAL,
    S.HELD,
    S.ACCEPTED,
    S.PENDING_REPLACE,
    S.SUSPENDED,
    S.DONE_FOR_DAY,
    S.REPLACED,
}
CASES = [(before, kind, after) for before, row in TABLE.items() for kind, after in zip(REPORTS, row, strict=True)]

EVENTS = st.one_of(
    st.sampled_from(REPORTS).map(event),
    st.builds(fill, st.sampled_from(["0.000000001", "1", "2.5", "4", "10"]), st.sampled_from(["0.01", "99.5", "100"])),
)


def after(order: Order, *events: OrderEvent) -> Order:
    """Fold events over an order."""
    for each in events:
        order = advance(order, each) or order
    return order


def test_the_table_covers_every_state_an_order_can_be_stored_in() -> None:
    assert set(TABLE) == set(OrderStatus) - NOT_REACHED_YET


@pytest.mark.parametrize(("before", "kind", "wanted"), CASES)
def test_each_report_in_each_state(before: OrderStatus, kind: OrderEventKind, wanted: OrderStatus | None) -> None:
    order = an_order(before)
    moved = advance(order, event(kind))
    if wanted is None:
        assert moved is None
    else:
        assert moved == replace(order, status=wanted, version=order.version + 1, updated_at=LATER)


@pytest.mark.parametrize(
    ("before", "part", "whole"),
    [
        (S.PENDING_NEW, S.PARTIALLY_FILLED, S.FILLED),
        (S.UNKNOWN, S.PARTIALLY_FILLED, S.FILLED),
        (S.NEW, S.PARTIALLY_FILLED, S.FILLED),
        (S.PARTIALLY_FILLED, S.PARTIALLY_FILLED, S.FILLED),
        (S.PENDING_CANCEL, S.PENDING_CANCEL, S.FILLED),
    ],
)
def test_a_fill_moves_a_working_order(before: OrderStatus, part: OrderStatus, whole: OrderStatus) -> None:
    for quantity, wanted in (("9.999999999", part), ("10", whole)):
        moved = after(an_order(before), fill(quantity))
        assert (moved.status, moved.filled_qty, moved.reason_code) == (wanted, Decimal(quantity), "")


@pytest.mark.parametrize("closed", sorted(TERMINAL))
def test_a_fill_of_a_closed_order_is_booked_and_flagged_and_does_not_reopen_it(closed: OrderStatus) -> None:
    moved = after(an_order(closed), fill("4"))
    assert (moved.status, moved.filled_qty, moved.reason_code) == (closed, Decimal(4), "LATE_FILL")
    over = after(moved, fill("7"))
    assert (over.status, over.filled_qty, over.reason_code) == (closed, Decimal(11), "OVERFILL")


def test_more_than_was_ordered_is_booked_and_flagged() -> None:
    moved = after(an_order(S.NEW), fill("10.000000001"))
    assert (moved.status, moved.filled_qty, moved.reason_code) == (S.FILLED, Decimal("10.000000001"), "OVERFILL")


def test_an_acknowledgement_that_comes_after_the_fill_changes_nothing() -> None:
    filled = after(an_order(), fill("3"))
    assert advance(filled, event(K.ACKNOWLEDGED)) is None
    assert after(filled, fill("7"), event(K.ACKNOWLEDGED)).status is S.FILLED


def test_a_refusal_carries_its_reason_and_later_events_keep_it() -> None:
    refusal = OrderEvent(kind=K.REFUSED, at=LATER, code="VENUE_CLOSED", reason="the venue is closed")
    refused = after(an_order(), refusal)
    assert (refused.reason_code, refused.reason) == ("VENUE_CLOSED", "the venue is closed")
    assert after(refused, event(K.CANCELED)) == refused


def test_average_price_is_weighted_and_absent_before_the_first_fill() -> None:
    order = an_order()
    assert order.filled_avg_price is None
    assert after(order, fill("1", "100"), fill("2", "101")).filled_avg_price == Decimal("100.666666667")


@pytest.mark.parametrize("kind", [K.SUBMITTED, K.DENIED])
def test_a_first_event_is_no_later_event(kind: OrderEventKind) -> None:
    with pytest.raises(AlphintraError) as caught:
        advance(an_order(), event(kind))
    assert caught.value.code == "ORDER_EVENT"


@given(st.lists(EVENTS, max_size=12))
def test_any_order_of_events_keeps_quantities_growing_and_closed_orders_closed(events: list[OrderEvent]) -> None:
    order = an_order()
    for each in events:
        moved = advance(order, each)
        if moved is None:
            continue
        assert moved.version == order.version + 1
        assert moved.filled_qty >= order.filled_qty
        assert moved.filled_amount >= order.filled_amount
        assert order.status not in TERMINAL or moved.status is order.status
        order = moved
    fills = [each for each in events if each.kind is K.EXECUTED]
    assert order.filled_qty == sum((each.qty for each in fills), Decimal(0))
    assert after(an_order(), *events) == order


@given(st.permutations([event(K.ACKNOWLEDGED), fill("4", "99.5"), fill("6", "100"), event(K.CANCEL_REQUESTED)]))
def test_a_filled_order_ends_alike_in_whatever_order_its_reports_come(events: list[OrderEvent]) -> None:
    order = after(an_order(), *events)
    assert (order.status, order.filled_qty, order.filled_amount) == (S.FILLED, Decimal(10), Decimal(998))
