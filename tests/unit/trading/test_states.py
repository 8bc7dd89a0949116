"""The states of an order: every event in every state, and any order of events."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.vocabulary import TERMINAL, Leg, OrderStatus, OrderType, Side
from alphintra.trading.domain.orders import Order, OrderEvent, OrderEventKind, Reason, order_id_of
from alphintra.trading.domain.states import advance
from unit.trading.orders import LATER, NOON, an_account, an_order, event, fill

S, K = OrderStatus, OrderEventKind
REPORTS = (
    K.ACTIVATED,
    K.ACKNOWLEDGED,
    K.ACCEPTED,
    K.SUSPENDED,
    K.DONE_FOR_DAY,
    K.UNCERTAIN,
    K.TRIGGERED,
    K.CANCEL_REQUESTED,
    K.CANCEL_REFUSED,
    K.REPLACE_REQUESTED,
    K.REPLACE_REFUSED,
    K.REFUSED,
    K.CANCELED,
    K.EXPIRED,
    K.REPLACED,
)
ENDS = (S.REJECTED, S.CANCELED, S.EXPIRED, S.REPLACED)
ASKED = (S.PENDING_CANCEL, None, S.PENDING_REPLACE, None, *ENDS)

# State by state, what each of the reports above leads to; None where the report changes nothing.
TABLE = {
    S.HELD: (S.NEW, S.NEW, S.ACCEPTED, S.SUSPENDED, S.DONE_FOR_DAY, S.UNKNOWN, S.NEW, *ASKED),
    S.PENDING_NEW: (None, S.NEW, S.ACCEPTED, S.SUSPENDED, S.DONE_FOR_DAY, S.UNKNOWN, S.NEW, *ASKED),
    S.UNKNOWN: (None, S.NEW, S.ACCEPTED, S.SUSPENDED, S.DONE_FOR_DAY, None, S.NEW, *ASKED),
    S.ACCEPTED: (None, S.NEW, None, S.SUSPENDED, S.DONE_FOR_DAY, S.UNKNOWN, S.NEW, *ASKED),
    S.NEW: (None, None, None, S.SUSPENDED, S.DONE_FOR_DAY, S.UNKNOWN, S.NEW, *ASKED),
    S.SUSPENDED: (None, S.NEW, None, None, S.DONE_FOR_DAY, S.UNKNOWN, S.SUSPENDED, *ASKED),
    S.DONE_FOR_DAY: (None, S.NEW, None, S.SUSPENDED, None, S.UNKNOWN, S.DONE_FOR_DAY, *ASKED),
    S.PARTIALLY_FILLED: (None, None, None, S.SUSPENDED, S.DONE_FOR_DAY, S.UNKNOWN, S.PARTIALLY_FILLED, *ASKED),
    S.PENDING_CANCEL: (
        *(None, None, None, S.PENDING_CANCEL, S.PENDING_CANCEL, S.UNKNOWN, S.PENDING_CANCEL),
        *(None, S.NEW, None, None, *ENDS),
    ),
    S.PENDING_REPLACE: (
        *(None, None, None, S.PENDING_REPLACE, S.PENDING_REPLACE, S.UNKNOWN, S.PENDING_REPLACE),
        *(S.PENDING_CANCEL, None, None, S.NEW, *ENDS),
    ),
} | dict.fromkeys(TERMINAL, (None,) * len(REPORTS))
CASES = [(before, kind, after) for before, row in TABLE.items() for kind, after in zip(REPORTS, row, strict=True)]

EVENTS = st.one_of(
    st.sampled_from(REPORTS).map(event),
    st.sampled_from(["1", "6"]).map(lambda qty: event(K.CARRIED, qty=qty)),
    st.builds(fill, st.sampled_from(["0.000000001", "1", "2.5", "4", "10"]), st.sampled_from(["0.01", "99.5", "100"])),
)


def after(order: Order, *events: OrderEvent) -> Order:
    """Fold events over an order."""
    for each in events:
        order = advance(order, each) or order
    return order


def test_the_table_covers_every_state_an_order_can_be_stored_in() -> None:
    assert set(TABLE) == set(OrderStatus)


def test_the_table_covers_every_event_but_the_first_ones_and_quantities() -> None:
    assert set(REPORTS) == set(K) - {K.SUBMITTED, K.DENIED, K.HELD, K.EXECUTED, K.CARRIED, K.TRAILED}


@pytest.mark.parametrize("before", sorted(TABLE))
@pytest.mark.parametrize(("side", "prices", "best"), [(Side.SELL, "100 99 103", 103), (Side.BUY, "100 101 97", 97)])
def test_the_best_price_of_a_trail_only_gets_better_and_moves_no_state(
    before: OrderStatus, side: Side, prices: str, best: int
) -> None:
    order = replace(an_order(before), side=side)
    moved = after(order, *(replace(event(K.TRAILED), hwm=Decimal(price)) for price in prices.split()))
    is_over = before in TERMINAL
    assert (moved.status, moved.hwm) == (before, None if is_over else best)
    assert moved.version == order.version + (0 if is_over else 2)


@pytest.mark.parametrize(("before", "kind", "wanted"), CASES)
def test_each_report_in_each_state(before: OrderStatus, kind: OrderEventKind, wanted: OrderStatus | None) -> None:
    order = an_order(before)
    if before is S.PARTIALLY_FILLED:
        order = replace(order, filled_qty=Decimal(1))
    moved = advance(order, event(kind))
    assert (moved and moved.status) == wanted
    if moved is not None:
        assert (moved.version, moved.updated_at) == (order.version + 1, LATER)
        assert (moved.filled_qty, moved.filled_amount) == (order.filled_qty, order.filled_amount)


@pytest.mark.parametrize(
    ("before", "part", "whole"),
    [
        (S.PENDING_NEW, S.PARTIALLY_FILLED, S.FILLED),
        (S.UNKNOWN, S.PARTIALLY_FILLED, S.FILLED),
        (S.NEW, S.PARTIALLY_FILLED, S.FILLED),
        (S.PARTIALLY_FILLED, S.PARTIALLY_FILLED, S.FILLED),
        (S.HELD, S.PARTIALLY_FILLED, S.FILLED),
        (S.ACCEPTED, S.PARTIALLY_FILLED, S.FILLED),
        (S.SUSPENDED, S.SUSPENDED, S.FILLED),
        (S.DONE_FOR_DAY, S.DONE_FOR_DAY, S.FILLED),
        (S.PENDING_CANCEL, S.PENDING_CANCEL, S.FILLED),
        (S.PENDING_REPLACE, S.PENDING_REPLACE, S.FILLED),
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


@pytest.mark.parametrize("kind", [K.SUBMITTED, K.DENIED, K.HELD])
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


@pytest.mark.parametrize(
    ("before", "request_", "refusal"),
    [
        (before, *pair)
        for before in (S.HELD, S.PENDING_NEW, S.UNKNOWN, S.ACCEPTED, S.NEW, S.SUSPENDED, S.DONE_FOR_DAY)
        for pair in ((K.CANCEL_REQUESTED, K.CANCEL_REFUSED), (K.REPLACE_REQUESTED, K.REPLACE_REFUSED))
    ],
)
def test_a_request_the_venue_refuses_leaves_the_order_where_it_stood(
    before: OrderStatus, request_: OrderEventKind, refusal: OrderEventKind
) -> None:
    moved = after(an_order(before), event(request_), event(refusal, code="VENUE_TOO_LATE"))
    assert (moved.status, moved.resumes, moved.reason_code) == (before, None, "VENUE_TOO_LATE")
    partly = after(an_order(S.NEW), event(request_), fill("1"), event(refusal))
    assert partly.status is S.PARTIALLY_FILLED


def test_what_the_venue_says_meanwhile_is_where_a_refused_request_returns_to() -> None:
    moved = after(an_order(), event(K.CANCEL_REQUESTED), event(K.ACKNOWLEDGED))
    assert (moved.status, moved.resumes) == (S.PENDING_CANCEL, S.NEW)
    assert after(moved, event(K.CANCEL_REFUSED)).status is S.NEW


def test_a_cancel_overtakes_a_replacement_and_both_can_end_it() -> None:
    moved = after(an_order(S.NEW), event(K.REPLACE_REQUESTED), event(K.CANCEL_REQUESTED))
    assert moved.status is S.PENDING_CANCEL
    assert after(moved, event(K.REPLACE_REFUSED)) == moved
    assert after(moved, event(K.REPLACED)).status is S.REPLACED
    assert after(moved, event(K.CANCELED)).status is S.CANCELED


def test_the_order_that_replaces_is_known_while_it_is_asked_for_and_forgotten_if_refused() -> None:
    other = order_id_of(an_account().account_id, "c-2")
    wish = OrderEvent(kind=K.REPLACE_REQUESTED, at=LATER, other_order_id=other)
    asked = after(an_order(S.NEW), wish)
    assert asked.replaced_by == other
    assert after(asked, event(K.REPLACE_REFUSED)).replaced_by is None
    assert after(asked, event(K.CANCELED)).replaced_by is None
    done = OrderEvent(kind=K.REPLACED, at=LATER, other_order_id=other)
    assert after(asked, done).replaced_by == other


def test_what_the_replaced_order_filled_counts_towards_the_quantity_of_the_new_one() -> None:
    new = replace(an_order(S.NEW), carried_qty=Decimal(4))
    assert after(new, fill("5.9")).status is S.PARTIALLY_FILLED
    assert after(new, fill("6")).status is S.FILLED
    assert after(new, fill("7")).reason_code == Reason.OVERFILL
    late = after(new, fill("5"), event(K.CARRIED, qty="5"))
    assert (late.status, late.carried_qty, late.filled_at) == (S.FILLED, Decimal(5), LATER)
    assert after(new, event(K.CARRIED, qty="3")) == new


def test_an_order_for_an_amount_of_money_is_filled_once_the_venue_has_said_how_much_that_is() -> None:
    order = an_order(S.NEW, qty=None, notional=Decimal(1000))
    partly = after(order, fill("4"))
    assert (partly.status, partly.filled_qty) == (S.PARTIALLY_FILLED, Decimal(4))
    last = OrderEvent(kind=K.EXECUTED, at=LATER, qty=Decimal(5), price=Decimal(111), final_qty=Decimal(9))
    assert after(partly, last).status is S.FILLED


def test_the_last_quantity_of_an_order_for_a_quantity_does_not_make_a_part_the_whole() -> None:
    part = OrderEvent(kind=K.EXECUTED, at=LATER, qty=Decimal(4), price=Decimal(1), final_qty=Decimal(4))
    assert after(an_order(S.NEW), part).status is S.PARTIALLY_FILLED


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (K.CANCELED, "canceled_at"),
        (K.EXPIRED, "expired_at"),
        (K.REFUSED, "failed_at"),
        (K.REPLACED, "replaced_at"),
        (K.TRIGGERED, "triggered_at"),
    ],
)
def test_each_end_and_the_trigger_are_dated_once(kind: OrderEventKind, field: str) -> None:
    moved = after(an_order(S.NEW), event(kind), replace(event(kind), at=NOON))
    assert getattr(moved, field) == LATER
    times = ("canceled_at", "expired_at", "failed_at", "replaced_at", "triggered_at", "filled_at")
    assert [name for name in times if getattr(moved, name)] == [field]
    assert after(an_order(S.NEW), fill("10")).filled_at == LATER


def test_a_leg_counts_as_submitted_from_when_it_works() -> None:
    held = replace(an_order(S.HELD), submitted_at=None)
    assert after(held, event(K.CANCEL_REQUESTED)).submitted_at is None
    assert after(held, event(K.ACTIVATED)).submitted_at == LATER
    assert an_order().submitted_at == NOON


@pytest.mark.parametrize(
    ("events", "group", "code"),
    [
        ([K.CANCEL_REQUESTED, K.CANCELED], False, "CANCEL_BY_USER"),
        ([K.CANCELED], False, "CANCELED_BY_VENUE"),
        ([K.CANCELED], True, "GROUP_ENDED"),
        ([K.EXPIRED], False, "TIME_IN_FORCE_ENDED"),
        ([K.CANCEL_REQUESTED, K.EXPIRED], False, "TIME_IN_FORCE_ENDED"),
    ],
)
def test_every_closed_order_says_why(events: list[OrderEventKind], *, group: bool, code: str) -> None:
    order = an_order(S.NEW)
    order = replace(order, group_id=order.order_id) if group else order
    told = [event(kind, code="CANCEL_BY_USER" if kind is K.CANCEL_REQUESTED else "") for kind in events]
    assert after(order, *told).reason_code == code


def test_a_fill_that_beats_the_cancel_leaves_no_reason_behind() -> None:
    moved = after(an_order(S.NEW), event(K.CANCEL_REQUESTED, code="CANCEL_BY_USER"), fill("10"))
    assert (moved.status, moved.reason_code) == (S.FILLED, "")


def test_an_uncertain_outcome_is_resolved_by_whatever_the_venue_says() -> None:
    lost = after(an_order(), event(K.UNCERTAIN))
    assert lost.status is S.UNKNOWN
    ends = {K.REFUSED: S.REJECTED, K.CANCELED: S.CANCELED, K.EXPIRED: S.EXPIRED, K.ACKNOWLEDGED: S.NEW}
    for kind, wanted in ends.items():
        assert after(lost, event(kind)).status is wanted
    assert after(lost, fill("1")).status is S.PARTIALLY_FILLED
    asked = after(an_order(S.NEW), event(K.CANCEL_REQUESTED), event(K.UNCERTAIN))
    assert (asked.status, after(asked, event(K.CANCEL_REQUESTED)).status) == (S.UNKNOWN, S.PENDING_CANCEL)


def told(kind: OrderEventKind, seq: int) -> OrderEvent:
    """Return an event that carries the number of its report."""
    return replace(event(kind), seq=seq)


def test_an_uncertainty_that_comes_behind_what_resolved_it_is_old_news() -> None:
    """Also where the acknowledgement said nothing new, since an execution had shown before that the order works."""
    for between in ((), (replace(fill("1"), seq=3),)):
        known = after(an_order(), *between, told(K.ACKNOWLEDGED, 2))
        assert advance(known, told(K.UNCERTAIN, 1)) is None
        assert after(known, told(K.UNCERTAIN, 4)).status is S.UNKNOWN
    assert after(an_order(), told(K.ACKNOWLEDGED, 2), event(K.UNCERTAIN)).status is S.UNKNOWN, (
        "without a number it counts"
    )


def test_an_execution_from_before_an_uncertainty_counts_and_resolves_nothing() -> None:
    lost = after(an_order(S.HELD), told(K.UNCERTAIN, 5))
    part = after(lost, replace(fill("4"), seq=4))
    assert (part.status, part.filled_qty) == (S.UNKNOWN, Decimal(4))
    assert after(part, replace(fill("1"), seq=6)).status is S.PARTIALLY_FILLED
    triggered = after(lost, told(K.TRIGGERED, 4))
    assert (triggered.status, triggered.triggered_at) == (S.UNKNOWN, LATER)


def test_the_end_of_an_order_counts_whenever_it_comes() -> None:
    known = after(an_order(), told(K.ACKNOWLEDGED, 9))
    ends = {K.REFUSED: S.REJECTED, K.CANCELED: S.CANCELED, K.EXPIRED: S.EXPIRED, K.REPLACED: S.REPLACED}
    assert {kind: after(known, told(kind, 3)).status for kind in ends} == ends
    asked = after(known, event(K.CANCEL_REQUESTED))
    assert after(asked, told(K.CANCEL_REFUSED, 3)).status is S.NEW


WORDS = (K.ACKNOWLEDGED, K.ACCEPTED, K.SUSPENDED, K.DONE_FOR_DAY, K.UNCERTAIN)


@st.composite
def disordered(draw: st.DrawFn) -> tuple[list[OrderEvent], list[OrderEvent]]:
    """Draw what broker tells of an order in its order, and the same as it may be delivered."""
    kinds = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
    # Whatever ends an uncertainty at broker tells so by a word of its own, and no order goes back to being queued.
    words = [kind for place, kind in enumerate(kinds) if kind is not K.ACCEPTED or place == 0]
    ordered = [told(kind, seq) for seq, kind in enumerate(words, start=1)] or [told(K.ACKNOWLEDGED, 1)]
    return ordered, draw(st.permutations(ordered))


@given(disordered())
def test_reports_in_any_order_leave_an_order_where_the_last_of_them_says(
    reports: tuple[list[OrderEvent], list[OrderEvent]],
) -> None:
    ordered, delivered = reports
    for request in ((), (event(K.CANCEL_REQUESTED),)):
        wanted, found = after(an_order(), *ordered), after(an_order(), *delivered)
        assert (found.status, found.report_seq) == (wanted.status, len(ordered))
        assert after(found, *request).status is after(wanted, *request).status


def test_an_exit_lies_where_its_venue_reckoned_it_from_the_fill() -> None:
    """With its acknowledgement, and again while it works; an exit with a price of its own keeps it."""
    reckoned = FromFill(factor=Decimal("0.95"), offset=Decimal(0))
    held = replace(an_order(S.HELD), leg=Leg.STOP_LOSS, from_fill=reckoned, type=OrderType.STOP)
    held = replace(held, stop_price=Decimal(95), limit_price=None)
    works = advance(held, OrderEvent(kind=K.ACTIVATED, at=LATER, stop_price=Decimal(96)))
    assert works is not None
    assert (works.status, works.stop_price) == (S.NEW, Decimal(96))
    again = OrderEvent(kind=K.ACKNOWLEDGED, at=LATER, stop_price=Decimal(97))
    moved = advance(works, again)
    assert moved is not None
    assert (moved.status, moved.stop_price, moved.version) == (S.NEW, Decimal(97), works.version + 1)
    assert advance(moved, again) is None
    assert advance(replace(works, from_fill=None), again) is None
