"""What a step does to orders at the paper venue: groups inside one bar, sessions, shares of the volume, reductions."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.broker.domain import floor
from alphintra.broker.domain.market import Hours, step_of
from alphintra.broker.domain.orders import VenueOrderStatus
from alphintra.broker.domain.paper import PaperSettings, given_up
from alphintra.engine.bars import Bar
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.sessions import calendar_named
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import OrderClass, OrderType, Side, TimeInForce
from unit.broker.paper_orders import ACCOUNT, ENTRY, FEED, STOP, TARGET, Venue, bracket, entry_of
from unit.engine.builders import bar, day

WIDE = "100 110 90 105"
LIMIT, GTC = OrderType.LIMIT, TimeInForce.GTC


def thin(share: str) -> PaperSettings:
    """Return settings under which an account gets a share of a bar's thousand."""
    return PaperSettings(participation=Decimal(share))


@pytest.mark.parametrize(
    ("terms", "happened"),
    [
        ({}, ["3 10@100"]),
        ({"type": LIMIT, "limit_price": "95"}, ["3 10@95"]),
        ({"type": LIMIT, "limit_price": "89"}, ["3 expired"]),
        ({"type": LIMIT, "limit_price": "89", "time_in_force": GTC}, []),
        ({"side": Side.SELL, "type": LIMIT, "limit_price": "111"}, ["3 expired"]),
        ({"type": OrderType.STOP, "stop_price": "108"}, ["3 triggered", "3 10@108"]),
        (
            {"type": OrderType.STOP_LIMIT, "stop_price": "99", "limit_price": "98", "time_in_force": GTC},
            ["3 triggered", "3 10@98"],
        ),
        (
            {"type": OrderType.STOP_LIMIT, "stop_price": "108", "limit_price": "98", "time_in_force": GTC},
            ["3 triggered"],
        ),
        ({"type": LIMIT, "limit_price": "95", "time_in_force": TimeInForce.IOC}, ["3 canceled"]),
        ({"type": LIMIT, "limit_price": "95", "time_in_force": TimeInForce.FOK}, ["3 canceled"]),
        ({"time_in_force": TimeInForce.CLS}, ["3 10@105"]),
        ({"time_in_force": TimeInForce.OPG}, ["3 10@100"]),
        ({"type": LIMIT, "limit_price": "95", "time_in_force": TimeInForce.OPG}, ["3 canceled"]),
        ({"qty": None, "notional": "1000"}, ["3 10@100"]),
        ({"qty": None, "notional": "0.0000000001"}, ["3 canceled"]),
        ({"time_in_force": TimeInForce.GTD, "expire_at": day(1)}, ["3 10@100"]),
        ({"type": LIMIT, "limit_price": "1", "time_in_force": TimeInForce.GTD, "expire_at": day(1)}, ["3 expired"]),
        ({"time_in_force": TimeInForce.GTD, "expire_at": day(1) - timedelta(seconds=1)}, ["3 expired"]),
    ],
)
def test_an_order_and_a_bar_that_is_a_whole_session_come_to_this(terms: dict[str, Any], happened: list[str]) -> None:
    assert Venue([entry_of(**terms)]).step(WIDE) == happened


def test_an_execution_carries_terms_costs_the_bars_time_and_a_name_that_repeats() -> None:
    fees = FeeModel(commission_bps=Decimal(10), minimum=Decimal("0.5"))
    entry = entry_of(settings=PaperSettings(slippage_bps=Decimal(50), fees=fees))
    step = step_of(FEED, 2, [("AAPL", bar(1, WIDE), None)])
    outcome = floor.run_step([entry], step, positions={})
    (fill,) = outcome.executions
    assert fill.execution_id == f"paper-feed0000-2-{entry.order.order_id.hex}"
    assert (fill.account_id, fill.symbol, fill.side) == (ACCOUNT, "AAPL", Side.BUY)
    assert (fill.qty, fill.price, fill.fee, fill.executed_at) == (
        Decimal(10),
        Decimal("100.5"),
        Decimal("1.005"),
        day(1),
    )
    assert floor.run_step([entry], step, positions={}) == outcome


def test_exits_work_within_the_bar_that_fills_their_entry() -> None:
    venue = Venue(bracket("120", "95"))
    happened = venue.step(WIDE)
    assert happened == [
        "entry 10@100",
        "target activated",
        "stop activated",
        "stop triggered",
        "stop 10@95",
        "target canceled",
    ]
    assert venue.position == 0


def test_a_stop_and_a_target_inside_one_bar_are_the_stop_and_counted_as_ambiguous() -> None:
    assert Venue(bracket("108", "95")).step(WIDE)[-3:] == ["stop triggered", "stop 10@95?", "target canceled"]
    certain = Venue(bracket("108", "80"))
    assert certain.step(WIDE)[-2:] == ["target 10@108", "stop canceled"]
    gapped = Venue(bracket("108", "80"))
    gapped.step("100 101 99 100")
    assert gapped.step("109 111 70 75") == ["target 10@109", "stop canceled"]


def test_exits_do_not_see_what_may_have_come_before_their_entry() -> None:
    venue = Venue(bracket("108", "85", type=LIMIT, limit_price="95"))
    assert venue.step(WIDE) == ["entry 10@95", "target activated", "stop activated"]  # 110 may have been before 95
    later = Venue(bracket("104", "85", type=LIMIT, limit_price="95"))
    assert later.step(WIDE)[-2:] == ["target 10@104", "stop canceled"]  # the close at 105 is after it
    deep = Venue(bracket("108", "91", type=LIMIT, limit_price="95"))
    assert deep.step(WIDE)[-2:] == ["stop 10@91", "target canceled"]  # 90 came by way of 95


def test_exits_grow_with_a_partial_entry_and_the_first_exit_ends_the_entry() -> None:
    venue = Venue(bracket("120", "95", settings=thin("0.004"), type=LIMIT, limit_price="100"))
    assert venue.step("100 101 99 100") == ["entry 4@100", "target activated", "stop activated"]
    assert venue.orders[STOP].allowed == 4
    assert venue.step("100 101 99 100") == ["entry 4@100"]
    assert venue.orders[STOP].allowed == 8
    happened = venue.step("95 96 90 91")
    assert happened == ["stop triggered", "stop 4@95", "entry canceled"]
    assert venue.position == venue.orders[TARGET].allowed == Decimal(4)
    assert venue.step("95 96 90 91") == ["stop 4@95", "target canceled", "stop canceled"]
    assert venue.position == 0


def test_exits_lie_where_the_fill_of_their_entry_puts_them() -> None:
    """Percent of the price, and a distance from it; the average where more of the entry fills, from the next bar on."""
    group = bracket("120", "95", settings=thin("0.004"), type=LIMIT, limit_price="101")
    told = {TARGET: FromFill(factor=Decimal("1.1"), offset=Decimal(0), tick=Decimal("0.5"))}
    told[STOP] = FromFill(factor=Decimal(1), offset=Decimal("-4.25"))
    venue = Venue(replace(each, order=replace(each.order, from_fill=told.get(each.order.order_id))) for each in group)
    assert venue.step("100 101 99 100") == ["entry 4@100", "target activated", "stop activated"]
    assert (venue.orders[TARGET].order.limit_price, venue.orders[STOP].order.stop_price) == (
        Decimal(110),
        Decimal("95.75"),
    )
    assert venue.step("101 102 96 100") == ["entry 4@101", "target repriced", "stop repriced"]
    assert (venue.orders[TARGET].order.limit_price, venue.orders[STOP].order.stop_price) == (
        Decimal(111),
        Decimal("96.25"),
    )
    assert venue.step("101 101 96.25 101")[:1] == ["entry 2@101"]
    assert venue.orders[STOP].status is VenueOrderStatus.WORKING
    low = replace(bracket("120", "95")[2].order, from_fill=FromFill(factor=Decimal(1), offset=Decimal(-500)))
    deep = Venue([*bracket("120", "95")[:2], replace(bracket("120", "95")[2], order=low)])
    deep.step("100 101 99 100")
    assert deep.orders[STOP].order.stop_price == Decimal("0.000001")


def test_an_entry_that_expires_unfilled_takes_its_exits_with_it() -> None:
    venue = Venue(bracket("120", "80", type=LIMIT, limit_price="50", time_in_force=TimeInForce.DAY))
    assert venue.step(WIDE) == ["entry expired", "target canceled", "stop canceled"]


def test_an_entry_that_expires_in_part_leaves_its_exits_to_what_it_filled() -> None:
    venue = Venue(bracket("120", "80", settings=thin("0.004"), time_in_force=TimeInForce.DAY))
    assert venue.step(WIDE) == ["entry 4@100", "target activated", "stop activated", "entry expired"]
    assert venue.step("79 80 70 75")[:2] == ["stop triggered", "stop 4@79"]
    assert venue.position == 0


def test_a_group_without_its_stop_is_exposed_and_exits_do_not_outlive_their_position() -> None:
    venue = Venue(bracket("120", "80"))
    venue.step("100 101 99 100")
    venue.orders[STOP] = replace(venue.orders[STOP], status=VenueOrderStatus.CANCELED)
    assert venue.step("100 101 99 100") == ["entry exposed"]
    venue.position = Decimal(0)
    assert venue.step("100 101 99 100") == ["target canceled"]


def test_an_order_that_may_only_reduce_closes_what_is_there_and_no_more() -> None:
    sell: dict[str, Any] = {"side": Side.SELL, "reduce_only": True}
    partly = Venue([entry_of(**sell, time_in_force=GTC)], position=4)
    assert partly.step(WIDE) == ["3 4@100"]
    assert partly.step(WIDE) == ["3 canceled"]
    assert Venue([entry_of(**sell)], position=0).step(WIDE) == ["3 canceled"]
    assert Venue([entry_of(**sell)], position=-5).step(WIDE) == ["3 canceled"]
    both = Venue([entry_of(3, **sell), entry_of(4, **sell)], position=15)
    assert both.step(WIDE) == ["3 10@100", "4 5@100", "4 expired"]
    assert both.position == 0


def test_a_share_of_the_volume_is_for_all_orders_of_an_account_together() -> None:
    venue = Venue([entry_of(number, settings=thin("0.015"), time_in_force=GTC) for number in (3, 4, 5)])
    assert venue.step(WIDE) == ["3 10@100", "4 5@100"]
    assert venue.step(WIDE) == ["4 5@100", "5 10@100"]


@pytest.mark.parametrize(
    ("tif", "happened"),
    [
        (TimeInForce.IOC, ["3 5@100", "3 canceled"]),
        (TimeInForce.FOK, ["3 canceled"]),
        (TimeInForce.CLS, ["3 5@105", "3 canceled"]),
        (TimeInForce.DAY, ["3 5@100", "3 expired"]),
        (GTC, ["3 5@100"]),
    ],
)
def test_what_a_bar_cannot_fill_ends_or_waits_by_time_in_force(tif: TimeInForce, happened: list[str]) -> None:
    assert Venue([entry_of(settings=thin("0.005"), time_in_force=tif)]).step(WIDE) == happened


def test_an_order_for_money_tells_what_it_fills_in_all_with_its_last_execution() -> None:
    venue = Venue([entry_of(qty=None, notional="1000", settings=thin("0.004"), time_in_force=GTC)])
    step = step_of(FEED, 1, [("AAPL", bar(1, "300 300 300 300"), None)])
    (whole,) = floor.run_step(venue.orders.values(), step, positions={}).executions
    assert (whole.qty, whole.final_qty) == (Decimal("3.333333333"), Decimal("3.333333333"))
    assert venue.step("100 110 90 105") == ["3 4@100"]
    assert venue.step("200 210 190 205") == ["3 3@200"]
    assert venue.statuses() == {"3": "filled"}


def test_an_order_on_its_way_meets_no_bar_and_does_not_expire() -> None:
    venue = Venue([entry_of(settings=PaperSettings(latency_bars=2))])
    assert [venue.step(WIDE) for _ in range(3)] == [[], [], ["3 10@100"]]


NEW_YORK = calendar_named("XNYS")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    """Return a moment of the first days of March 2026, when New York opens at 14:30 UTC and closes at 21:00."""
    return MONDAY + timedelta(days=days, hours=hour, minutes=minute)


def half_hour(closes: datetime, price: str = "100") -> tuple[Bar, Hours]:
    amount = Decimal(price)
    whole = Bar(closes, amount, amount, amount, amount, Decimal(1000))
    return whole, Hours(closes - timedelta(minutes=30), NEW_YORK)


def test_a_day_order_works_until_the_close_of_its_trading_day() -> None:
    venue = Venue([entry_of(type=LIMIT, limit_price="50", known_ts=at(16))])
    for closes in (at(16, 30), at(20, 30)):
        whole, hours = half_hour(closes)
        assert venue.step(whole, hours=hours) == []
    whole, hours = half_hour(at(21))
    assert venue.step(whole, hours=hours) == ["3 expired"]


def test_a_day_order_whose_day_is_over_meets_no_bar_of_the_next() -> None:
    venue = Venue([entry_of(known_ts=at(20))])
    whole, hours = half_hour(at(15, days=1))
    assert venue.step(whole, hours=hours) == ["3 expired"]
    overnight = Venue([entry_of(known_ts=at(21))])
    assert overnight.step(whole, hours=hours) == ["3 10@100"]


def test_auctions_are_the_first_and_the_last_bar_of_a_session() -> None:
    venue = Venue([entry_of(3, time_in_force=TimeInForce.OPG), entry_of(4, time_in_force=TimeInForce.CLS)])
    happened = []
    for closes in (at(16), at(21), at(15, days=1), at(21, days=1)):
        whole, hours = half_hour(closes)
        happened.append(venue.step(whole, hours=hours))
    assert happened == [[], ["4 10@100"], ["3 10@100"], []]


def test_outside_the_regular_session_only_orders_for_extended_hours_trade() -> None:
    wide: dict[str, Any] = {"type": LIMIT, "limit_price": "100"}
    venue = Venue([entry_of(3, **wide, known_ts=at(13)), entry_of(4, **wide, extended_hours=True, known_ts=at(13))])
    whole, hours = half_hour(at(14))
    assert venue.step(whole, hours=hours) == ["4 10@100"]
    whole, hours = half_hour(at(15))
    assert venue.step(whole, hours=hours) == ["3 10@100"]


def test_a_bar_older_than_one_interval_fills_nothing() -> None:
    stale, hours = half_hour(at(16))
    other, other_hours = half_hour(at(17))
    venue = Venue([entry_of(known_ts=at(15))])
    step = step_of(FEED, 1, [("AAPL", stale, hours), ("MSFT", other, other_hours)])
    assert venue.do(step) == []
    fresh, fresh_hours = half_hour(at(16, 30))
    assert venue.do(step_of(FEED, 2, [("AAPL", fresh, fresh_hours), ("MSFT", other, other_hours)])) == ["3 10@100"]


@pytest.mark.parametrize(
    ("order_id", "order_class", "filled", "leaving"),
    [
        (ENTRY, OrderClass.BRACKET, 0, [ENTRY, TARGET, STOP]),
        (ENTRY, OrderClass.BRACKET, 4, [ENTRY]),
        (TARGET, OrderClass.BRACKET, 4, [TARGET]),
        (STOP, OrderClass.BRACKET, 4, [STOP]),
        (TARGET, OrderClass.OCO, 0, [TARGET, STOP]),
        (STOP, OrderClass.OCO, 0, [STOP, TARGET]),
    ],
)
def test_a_cancellation_takes_along_what_the_group_has_no_use_for(
    order_id: OrderId, order_class: OrderClass, filled: int, leaving: list[OrderId]
) -> None:
    orders = [
        replace(
            entry,
            order=replace(entry.order, order_class=order_class),
            status=VenueOrderStatus.WORKING,
            allowed=Decimal(filled),
        )
        for entry in bracket("120", "80")
    ]
    orders[0] = replace(orders[0], filled=Decimal(filled), allowed=None)
    members = orders if order_class is OrderClass.BRACKET else orders[1:]
    assert list(given_up(members, order_id)) == leaving


def test_canceling_a_closed_or_an_unknown_order_takes_nothing_along() -> None:
    entry = replace(entry_of(), status=VenueOrderStatus.FILLED)
    assert given_up([entry], entry.order.order_id) == ()
    assert given_up([entry], OrderId(UUID(int=99))) == ()


shapes = st.lists(st.integers(80, 120), min_size=4, max_size=4).map(
    lambda four: f"{four[0]} {max(four)} {min(four)} {four[1]}"
)


@given(
    st.lists(shapes, min_size=1, max_size=12),
    st.sampled_from([None, "0.001", "0.003", "0.007", "1"]),
    st.sampled_from([{}, {"type": LIMIT, "limit_price": "97"}, {"type": OrderType.STOP, "stop_price": "103"}]),
    st.integers(0, 12),
)
def test_a_group_is_flat_or_protected_after_every_bar(
    bars: list[str], share: str | None, entry: dict[str, Any], canceled_at: int
) -> None:
    venue = Venue(bracket("110", "90", settings=None if share is None else thin(share), **entry))
    for index, shape in enumerate(bars):
        if index == canceled_at:
            for order_id in given_up(list(venue.orders.values()), ENTRY):
                venue.orders[order_id] = replace(venue.orders[order_id], status=VenueOrderStatus.CANCELED)
        assert not [word for word in venue.step(shape) if word.endswith("exposed")]
        entered, target, stop = (venue.orders[order_id] for order_id in (ENTRY, TARGET, STOP))
        assert venue.position == entered.filled - target.filled - stop.filled >= 0
        for leg in (target, stop):
            if leg.status is VenueOrderStatus.WORKING:
                assert (leg.allowed or 0) - leg.filled == venue.position
        if venue.position:
            assert stop.status is VenueOrderStatus.WORKING
        elif entered.status is not VenueOrderStatus.WORKING:
            assert {target.status, stop.status} & {VenueOrderStatus.WORKING, VenueOrderStatus.HELD} == set()


def test_a_step_costs_each_order_the_same_however_many_there_are() -> None:
    def seconds(count: int) -> float:
        entries = [entry_of(number, type=LIMIT, limit_price="100", time_in_force=GTC) for number in range(3, 3 + count)]
        step = step_of(FEED, 1, [("AAPL", bar(1, WIDE), None)])
        best = []
        for _ in range(3):
            began = time.process_time()
            outcome = floor.run_step(entries, step, positions={})
            best.append(time.process_time() - began)
            assert len(outcome.executions) == count
        return min(best)

    assert seconds(4000) < 40 * seconds(400)  # ten times the orders; quadratic would be a hundred
