"""Orders that belong together count once: exits of a group, and an order with the one that takes its place."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side
from alphintra.risk.domain.books import Order, Reservation
from alphintra.risk.domain.controls import assess_in_family
from alphintra.risk.domain.reservations import added, booked, recounted, reserved
from unit.risk.books import book, codes, held, limits, order, reservation

BUY, SELL = Side.BUY, Side.SELL
GROUP = UUID(int=1)
ENTRY, TARGET, STOP = (OrderId(UUID(int=number)) for number in (1, 2, 3))


def entry(qty: str = "10") -> Order:
    return order(BUY, qty, "100", number=1, group_id=GROUP, order_class=OrderClass.BRACKET)


def target(qty: str = "10", **more: Any) -> Order:  # noqa: ANN401 - any field of an order
    fields = {"number": 2, "group_id": GROUP, "leg": Leg.TAKE_PROFIT, "reduce_only": True, **more}
    return order(SELL, qty, "120", **fields)


def stop(qty: str = "10", **more: Any) -> Order:  # noqa: ANN401 - any field of an order
    fields = {"number": 3, "group_id": GROUP, "leg": Leg.STOP_LOSS, "reduce_only": True, **more}
    return order(SELL, qty, type=OrderType.STOP, stop_price=Decimal(90), **fields)


def family(*orders: Order) -> tuple[Reservation, ...]:
    return recounted([reservation(item) for item in orders])


def counted(items: tuple[Reservation, ...]) -> dict[str, Decimal]:
    return {
        "buys": sum((item.counted_qty for item in items if not item.is_reducing), Decimal(0)),
        "exits": sum((item.counted_qty for item in items if item.is_reducing), Decimal(0)),
        "cash": sum((item.counted_cash for item in items), Decimal(0)),
    }


def test_a_bracket_counts_its_entry_alone_until_that_fills() -> None:
    assert counted(family(entry(), target(), stop())) == {"buys": 10, "exits": 0, "cash": 1000}


def test_exits_count_once_for_what_the_entry_filled_less_what_they_did() -> None:
    filled = recounted(booked(family(entry(), target(), stop()), ENTRY, qty=Decimal(6), price=Decimal(100)))
    assert counted(filled) == {"buys": 4, "exits": 6, "cash": 400}
    sold = recounted(booked(filled, TARGET, qty=Decimal(2), price=Decimal(120)))
    assert counted(sold) == {"buys": 4, "exits": 4, "cash": 400}
    dead = recounted([item.closed(Decimal(6)) if item.order_id == ENTRY else item for item in sold])
    assert counted(dead) == {"buys": 0, "exits": 4, "cash": 0}
    rest = recounted([item.closed(Decimal(2)) if item.order_id == TARGET else item for item in dead])
    assert counted(rest)["exits"] == 4
    assert counted(recounted([item.closed(item.filled_qty) for item in rest]))["exits"] == 0


def test_an_oco_pair_counts_once() -> None:
    pair = family(target(), stop())
    assert counted(pair) == {"buys": 0, "exits": 10, "cash": 0}
    sold = recounted(booked(pair, STOP, qty=Decimal(3), price=Decimal(90)))
    assert counted(sold)["exits"] == 7


def test_a_bracket_passes_in_a_cash_account_that_may_not_short() -> None:
    judged = book(cash=Decimal(1000), limits=limits(may_short=False))
    held_so_far: tuple[Reservation, ...] = ()
    for asked in (entry(), target(), stop()):
        verdict, new = assess_in_family(asked, judged, held_so_far)
        assert (codes(verdict), new is None) == ([], False)
        assert verdict.claim is not None
        assert new is not None
        judged = judged.reserve(asked, verdict.claim)
        held_so_far = recounted((*held_so_far, new))
    assert judged.reserved_cash == 1000
    assert judged.exposure("AAPL").close_sell_qty == 0


@pytest.mark.parametrize(("position", "refusal"), [("10", []), ("9.999999999", ["RISK_REDUCE_ONLY"])])
def test_an_oco_pair_closes_what_is_held_and_no_more(position: str, refusal: list[str]) -> None:
    judged = book(exposure=held(position))
    verdict, new = assess_in_family(target(), judged, ())
    assert codes(verdict) == refusal
    if verdict.claim is not None and new is not None and not refusal:
        after, _new = assess_in_family(stop(), judged.reserve(target(), verdict.claim), recounted([new]))
        assert codes(after) == []


def test_two_closes_that_together_flip_are_refused() -> None:
    judged = book(exposure=held("10"))
    first = order(SELL, "6", number=5, reduce_only=True)
    verdict, _new = assess_in_family(first, judged, ())
    assert verdict.claim is not None
    after = judged.reserve(first, verdict.claim)
    assert codes(assess_in_family(order(SELL, "4", number=6, reduce_only=True), after, ())[0]) == []
    assert codes(assess_in_family(order(SELL, "5", number=6, reduce_only=True), after, ())[0]) == ["RISK_REDUCE_ONLY"]
    assert codes(assess_in_family(order(SELL, "5", number=6), after, ())[0]) == []  # may be short


def test_exits_of_a_live_group_hold_the_position_against_another_close() -> None:
    judged = book(exposure=held("10", close_sells="10"), limits=limits(may_short=False))
    assert codes(assess_in_family(order(SELL, "1", number=7, reduce_only=True), judged, ())[0]) == ["RISK_REDUCE_ONLY"]
    assert codes(assess_in_family(order(SELL, "1", number=7), judged, ())[0]) == ["RISK_SHORT_LOCATE"]


def test_a_group_has_one_exit_of_each_kind() -> None:
    pair = family(target(), stop())
    verdict, _new = assess_in_family(target(number=9), book(exposure=held("20")), pair)
    assert "ORDER_GROUP" in codes(verdict)
    other = target(number=9, replaces=TARGET)
    assert codes(assess_in_family(other, book(exposure=held("20")), pair)[0]) == []


def test_a_replacement_asks_only_for_what_it_adds() -> None:
    old = reservation(order(BUY, "10", "100", number=1))
    new = order(BUY, "12", "110", number=2, replaces=ENTRY)
    verdict, kept = assess_in_family(new, book(cash=Decimal(1320), reserved_cash=Decimal(1000)), (old,))
    assert codes(verdict) == []
    assert verdict.claim is not None
    assert (verdict.claim.added_qty, verdict.claim.added_cash) == (Decimal(2), Decimal(320))
    assert codes(assess_in_family(new, book(cash=Decimal("1319.99"), reserved_cash=Decimal(1000)), (old,))[0]) == [
        "RISK_BUYING_POWER"
    ]
    assert kept is not None
    both = recounted((old, kept))
    assert counted(both) == {"buys": 12, "exits": 0, "cash": 1320}
    swapped = recounted([item.closed(Decimal(0)) if item.order_id == ENTRY else item for item in both])
    assert counted(swapped) == {"buys": 12, "exits": 0, "cash": 1320}
    refused = recounted([item.closed(Decimal(0)) if item.order_id == TARGET else item for item in both])
    assert counted(refused) == {"buys": 10, "exits": 0, "cash": 1000}


def test_a_smaller_replacement_frees_nothing_before_the_old_order_is_gone() -> None:
    old, smaller = reservation(order(BUY, "10", "100", number=1)), order(BUY, "4", "100", number=2, replaces=ENTRY)
    verdict, kept = assess_in_family(smaller, book(), (old,))
    assert verdict.claim is not None
    assert kept is not None
    assert (verdict.claim.added_qty, verdict.claim.added_cash) == (Decimal(0), Decimal(0))
    both = recounted((old, kept))
    assert counted(both)["buys"] == 10
    assert counted(recounted([item.closed(Decimal(0)) if item.order_id == ENTRY else item for item in both])) == {
        "buys": 4,
        "exits": 0,
        "cash": 400,
    }


def test_fills_of_the_old_order_lower_what_the_new_one_may_still_do() -> None:
    (old,) = booked([reservation(order(BUY, "10", "100", number=1))], ENTRY, qty=Decimal(3), price=Decimal(100))
    verdict, kept = assess_in_family(order(BUY, "12", "100", number=2, replaces=ENTRY), book(), recounted([old]))
    assert kept is not None
    assert (kept.open_qty, codes(verdict)) == (Decimal(9), [])
    raced = recounted(booked(recounted((*recounted([old]), kept)), ENTRY, qty=Decimal(2), price=Decimal(100)))
    assert counted(raced) == {"buys": 7, "exits": 0, "cash": 700}
    late = [item.closed(Decimal(6)) if item.order_id == ENTRY else item for item in raced]
    booked_late = recounted(booked(late, ENTRY, qty=Decimal(1), price=Decimal(100)))
    assert counted(booked_late) == {"buys": 6, "exits": 0, "cash": 600}


def test_a_fill_that_is_heard_late_lowers_whatever_stands_at_the_end_of_a_chain_of_replacements() -> None:
    first = reservation(order(BUY, "10", "100", number=1))
    _, second = assess_in_family(order(BUY, "10", "100", number=2, replaces=ENTRY), book(), recounted([first]))
    assert second is not None
    gone = first.closed(Decimal(4))
    chain = recounted([gone, second])
    _, third = assess_in_family(order(BUY, "10", "100", number=3, replaces=second.order_id), book(), chain)
    assert third is not None
    both_gone = recounted([gone, second.closed(Decimal(0)), third])
    late = {item.order_id: item for item in booked(both_gone, ENTRY, qty=Decimal(4), price=Decimal(100))}
    assert (late[third.order_id].open_qty, late[third.order_id].carried_qty) == (Decimal(6), Decimal(4))
    assert [late[each].open_qty for each in (ENTRY, second.order_id)] == [0, 0]


@pytest.mark.parametrize(
    "old",
    [
        None,
        reservation(order(SELL, "10", "100", number=1)),
        reservation(order(BUY, "10", "100", number=1, symbol="MSFT")),
        reservation(order(BUY, "10", "100", number=1)).closed(Decimal(0)),
    ],
)
def test_only_an_open_order_of_the_same_kind_is_replaced(old: Reservation | None) -> None:
    asked = order(BUY, "12", "110", number=2, replaces=ENTRY)
    verdict, _new = assess_in_family(asked, book(), () if old is None else (old,))
    assert "ORDER_NOT_REPLACEABLE" in codes(verdict)


def test_an_order_is_replaced_by_one_other_at_a_time() -> None:
    old, rival = order(BUY, "10", "100", number=1), order(BUY, "11", "100", number=2, replaces=ENTRY)
    asked = order(BUY, "12", "100", number=3, replaces=ENTRY)
    assert "ORDER_NOT_REPLACEABLE" in codes(assess_in_family(asked, book(), family(old, rival))[0])


def test_an_amount_of_money_keeps_what_is_not_spent_and_counts_units_anew() -> None:
    asked = order(BUY, None, number=1, notional=Decimal(1000))
    kept = recounted([reservation(asked)])
    assert counted(kept) == {"buys": 10, "exits": 0, "cash": 1000}
    cheaper = recounted(booked(kept, ENTRY, qty=Decimal(5), price=Decimal(90)))
    assert counted(cheaper) == {"buys": Decimal("5.5"), "exits": 0, "cash": 550}
    done = recounted(booked(cheaper, ENTRY, qty=Decimal(5), price=Decimal(110)))
    assert counted(done) == {"buys": 0, "exits": 0, "cash": 0}


quantities = st.integers(1, 30).map(Decimal)


@settings(deadline=None)
@given(quantities, quantities, st.lists(st.tuples(st.sampled_from([ENTRY, TARGET]), quantities), max_size=5))
def test_of_two_orders_that_swap_the_larger_rest_is_always_covered(
    first: Decimal, second: Decimal, fills: list[tuple[OrderId, Decimal]]
) -> None:
    old = reservation(order(BUY, first, "100", number=1))
    new = reserved(order(BUY, second, "100", number=2, replaces=ENTRY), claim_for(second), (old,))
    pair = recounted((old, new))
    for order_id, qty in fills:
        pair = recounted(booked(pair, order_id, qty=qty, price=Decimal(100)))
        left = [item.open_qty for item in pair]
        assert counted(pair)["buys"] == max(left)
        assert counted(pair)["cash"] == max(left) * 100


def claim_for(qty: Decimal) -> Any:  # noqa: ANN401 - a claim, whose type the caller does not name
    verdict, _new = assess_in_family(order(BUY, qty, "100"), book(), ())
    return verdict.claim


@settings(deadline=None)
@given(quantities, st.lists(st.tuples(st.sampled_from([ENTRY, TARGET, STOP]), quantities), max_size=8))
def test_exits_never_count_more_than_the_group_holds(qty: Decimal, fills: list[tuple[OrderId, Decimal]]) -> None:
    group = family(entry(str(qty)), target(str(qty)), stop(str(qty)))
    bought = sold = Decimal(0)
    for order_id, wanted in fills:
        room = qty - bought if order_id == ENTRY else bought - sold
        done = min(wanted, room)
        if not done:
            continue
        bought, sold = (bought + done, sold) if order_id == ENTRY else (bought, sold + done)
        group = recounted(booked(group, order_id, qty=done, price=Decimal(100)))
        exits = [item for item in group if item.is_exit and item.open_qty]
        assert counted(group)["exits"] == (bought - sold if exits else 0)
        assert counted(group)["buys"] == qty - bought


def test_what_is_added_never_depends_on_the_order_itself_being_stored_before() -> None:
    lapsed = replace(reservation(order(BUY, "10", "100", number=1))).lapsed()
    again = reservation(order(BUY, "10", "100", number=1))
    assert added(again, (lapsed,)) == (Decimal(10), Decimal(1000))
