"""The paper venue on a database: groups, replacements, kills, pages, settings; each step one transaction, once."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from alphintra.broker.service import market, placing
from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.broker import AdvanceMarket, BarView
from alphintra.contracts.trading import ApprovedLeg
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side, TimeInForce
from fixtures.single_service import PowerCutError, stop_at
from integration.broker.desk import STRATEGY, Desk, approve, bar, new_id

WIDE = "100 110 90 105"
CALM = "100 101 99 100"


def changed(terms: OrderTerms, **changes: Any) -> OrderTerms:  # noqa: ANN401 - terms
    amounts = {"qty", "notional", "limit_price", "stop_price", "trail_price"}
    return msgspec.structs.replace(
        terms,
        **{name: Decimal(value) if name in amounts and value is not None else value for name, value in changes.items()},
    )


async def place_group(
    desk: Desk,
    *,
    order_class: OrderClass = OrderClass.BRACKET,
    **entry: Any,  # noqa: ANN401 - terms
) -> tuple[OrderTerms, ...]:
    """Have a group placed that buys ten, takes profit at 120 and stops at 80; an oco sells."""
    first = changed(desk.terms(tif=TimeInForce.GTC), **entry)
    shared = {"order_class": order_class, "group_id": first.order_id}
    closing: dict[str, Any] = {**shared, "side": Side.SELL, "reduce_only": True, "time_in_force": TimeInForce.GTC}
    target: dict[str, Any] = {**closing, "type": OrderType.LIMIT, "limit_price": "120", "leg": Leg.TAKE_PROFIT}
    stop = changed(desk.terms(), **closing, type=OrderType.STOP, stop_price="80", leg=Leg.STOP_LOSS)
    orders: tuple[OrderTerms, ...]
    if order_class is OrderClass.OCO:
        orders = (changed(first, **target), stop)
    else:
        orders = (changed(first, **shared), changed(desk.terms(), **target), stop)
    await submit(desk, *orders)
    return orders


async def submit(desk: Desk, *orders: OrderTerms) -> None:
    legs = tuple(ApprovedLeg(terms=terms, approval=approve(terms, desk.clock)) for terms in orders[1:])
    delivery = desk.submitted(orders[0])
    event = msgspec.structs.replace(delivery.event, legs=legs)
    await desk.endpoints.on_order_submitted(replace(delivery, event=event))


async def statuses(desk: Desk, orders: tuple[OrderTerms, ...]) -> list[str]:
    found = await desk.statuses()
    return [found[terms.order_id] for terms in orders]


async def position(desk: Desk) -> Decimal:
    rows = await desk.rows("select qty from paper_positions where account_id = $1", desk.account_id)
    return Decimal(rows[0]["qty"]) if rows else Decimal(0)


async def test_the_best_price_of_a_trailing_stop_is_told_as_often_as_it_gets_better(desk: Desk) -> None:
    trailing = {"type": OrderType.TRAILING_STOP, "side": Side.SELL, "trail_price": "20"}
    terms = changed(desk.terms(tif=TimeInForce.GTC), **trailing)
    await submit(desk, terms)
    for seq, prices in enumerate(("100 101 99 100", "100 100 99 100", "100 105 99 104", "104 104 70 70"), start=1):
        await desk.step(seq, bar(seq, prices))
        await desk.step(seq, bar(seq, prices))  # the same step again does nothing
    told = [(name, event.get("hwm") or event.get("stop_price") or 0) for name, event in await desk.events()]
    trailed = [(name, str(Decimal(price).normalize())) for name, price in told[1:3]]
    assert trailed == [("order_trailed", "101"), ("order_trailed", "105")]
    assert (told[3][0], Decimal(told[3][1])) == ("order_triggered", Decimal(85))
    assert [name for name, _price in told[4:]] == ["execution_reported"]


async def test_an_exit_lies_where_the_fill_of_its_entry_puts_it_and_trading_hears_of_it(desk: Desk) -> None:
    first = changed(desk.terms(tif=TimeInForce.GTC))
    shared = {"order_class": OrderClass.OTO, "group_id": first.order_id, "time_in_force": TimeInForce.GTC}
    reckoned = FromFill(factor=Decimal("0.95"), offset=Decimal(0))
    stop = changed(
        desk.terms(),
        **shared,
        side=Side.SELL,
        reduce_only=True,
        type=OrderType.STOP,
        stop_price="80",
        leg=Leg.STOP_LOSS,
        from_fill=reckoned,
    )
    await submit(desk, changed(first, **shared), stop)
    await desk.step(1, bar(1, CALM))
    rows = await desk.rows("select stop_price, fill_factor from venue_orders where order_id = $1", stop.order_id)
    assert (rows[0]["stop_price"], rows[0]["fill_factor"]) == (95, Decimal("0.95"))
    assert Decimal((await desk.events())[-1][1]["stop_price"]) == 95
    await desk.step(2, bar(2, "100 100 94 97"))
    assert (await statuses(desk, (stop,))) == ["filled"]


async def test_a_bracket_waits_works_and_closes_itself(desk: Desk) -> None:
    orders = await place_group(desk)
    assert await statuses(desk, orders) == ["working", "held", "held"]
    assert await desk.told() == ["order_acknowledged"]
    await desk.step(1, bar(1, CALM))
    assert await statuses(desk, orders) == ["filled", "working", "working"]
    assert await position(desk) == 10
    assert await desk.counted_as_working() == 2
    await desk.step(2, bar(2, "100 100 70 75"))
    assert await statuses(desk, orders) == ["filled", "canceled", "filled"]
    assert await position(desk) == 0
    assert await desk.counted_as_working() == 0
    assert await desk.told() == [
        "order_acknowledged",
        "execution_reported",
        "order_acknowledged",
        "order_acknowledged",
        "order_triggered",
        "execution_reported",
        "order_canceled",
    ]


async def test_one_leg_without_approval_refuses_the_whole_group(desk: Desk) -> None:
    first = changed(desk.terms(), order_class=OrderClass.OTO)
    first = changed(first, group_id=first.order_id)
    leg = changed(
        first,
        order_id=new_id(),
        side=Side.SELL,
        reduce_only=True,
        leg=Leg.STOP_LOSS,
        type=OrderType.STOP,
        stop_price="80",
    )
    delivery = desk.submitted(first)
    stolen = ApprovedLeg(terms=leg, approval=approve(first, desk.clock))
    await desk.endpoints.on_order_submitted(
        replace(delivery, event=msgspec.structs.replace(delivery.event, legs=(stolen,)))
    )
    assert await desk.told() == ["order_refused", "order_refused"]
    assert await desk.statuses() == {}


async def test_a_pair_works_at_once_and_canceling_one_takes_both_off(desk: Desk) -> None:
    orders = await place_group(desk, order_class=OrderClass.OCO)
    assert await statuses(desk, orders) == ["working", "working"]
    await desk.endpoints.on_cancel_requested(desk.cancel_requested(orders[0].order_id))
    assert await statuses(desk, orders) == ["canceled", "canceled"]
    assert await desk.counted_as_working() == 0


async def test_the_kill_switch_takes_held_and_working_orders_off(desk: Desk) -> None:
    orders = await place_group(desk, type=OrderType.LIMIT, limit_price="50")
    protected = await place_group(desk)
    await desk.step(1, bar(1, CALM))
    await desk.endpoints.on_kill_state_changed(desk.kill_changed(9))
    assert await statuses(desk, orders) == ["canceled"] * 3
    assert await statuses(desk, protected) == ["filled", "canceled", "canceled"]
    assert await desk.counted_as_working() == 0
    assert Counter(await desk.told())["order_canceled"] == 5


async def test_an_unprotected_group_is_reported_once(desk: Desk) -> None:
    orders = await place_group(desk)
    await desk.step(1, bar(1, CALM))
    await desk.endpoints.on_cancel_requested(desk.cancel_requested(orders[2].order_id))
    for index in (2, 3, 4):
        await desk.step(index, bar(index, CALM))
    found = [event for name, event in await desk.events() if name == "break_found"]
    assert [(event["code"], event["order_id"]) for event in found] == [("PROTECTION_MISSING", str(orders[0].order_id))]


async def test_a_replacement_takes_the_place_in_one_step_and_keeps_what_is_filled(desk: Desk) -> None:
    await desk.rows("update connections set participation = 0.004")
    old = changed(desk.terms(tif=TimeInForce.GTC), type=OrderType.LIMIT, limit_price="100")
    await submit(desk, old)
    await desk.step(1, bar(1, CALM))  # four of ten
    new = changed(old, order_id=new_id(), client_order_id="new", replaces=old.order_id, qty="7", limit_price="99")
    await submit(desk, new)
    assert await statuses(desk, (old, new)) == ["replaced", "working"]
    assert (await desk.told())[-2:] == ["order_replaced", "order_acknowledged"]
    assert await desk.counted_as_working() == 1
    await desk.step(2, bar(2, CALM))
    assert await statuses(desk, (old, new)) == ["replaced", "filled"]
    assert await position(desk) == 7
    late = changed(new, order_id=new_id(), client_order_id="late", replaces=new.order_id)
    await submit(desk, late)
    assert (await desk.events())[-1][1]["code"] == "REPLACE_TOO_LATE"


async def test_a_replaced_stop_of_a_group_covers_what_is_open_at_its_new_price(desk: Desk) -> None:
    orders = await place_group(desk)
    await desk.step(1, bar(1, CALM))
    stop = changed(orders[2], order_id=new_id(), client_order_id="sl2", replaces=orders[2].order_id, stop_price="95")
    await submit(desk, stop)
    await desk.step(2, bar(2, "100 100 94 98"))
    assert await statuses(desk, (*orders, stop)) == ["filled", "canceled", "replaced", "filled"]
    assert await position(desk) == 0
    assert "break_found" not in await desk.told()


async def test_an_exit_that_waits_is_replaced_by_one_that_waits_for_the_entry(desk: Desk) -> None:
    orders = await place_group(desk)
    stop = changed(orders[2], order_id=new_id(), client_order_id="sl2", replaces=orders[2].order_id, stop_price="95")
    await submit(desk, stop)
    assert await statuses(desk, (*orders, stop)) == ["working", "held", "replaced", "held"]
    assert (await desk.told())[-2:] == ["order_replaced", "order_acknowledged"]
    assert (await desk.events())[-1][1]["is_queued"] is True
    await desk.step(1, bar(1, CALM))
    await desk.step(2, bar(2, "100 100 94 98"))
    assert await statuses(desk, (*orders, stop)) == ["filled", "canceled", "replaced", "filled"]
    assert await position(desk) == 0


async def test_a_replacement_below_what_is_filled_or_of_another_kind_leaves_the_old_order(desk: Desk) -> None:
    old = changed(desk.terms(tif=TimeInForce.GTC), type=OrderType.LIMIT, limit_price="50")
    await submit(desk, old)
    for wrong in ({"symbol": "MSFT"}, {"side": Side.SELL}, {"replaces": new_id()}):
        new = changed(
            old, **{"order_id": new_id(), "client_order_id": str(new_id()), "replaces": old.order_id, **wrong}
        )
        await submit(desk, new)
    assert Counter(await desk.told()) == {"order_acknowledged": 1, "order_refused": 3}
    assert await desk.statuses() == {old.order_id: "working"}


async def test_more_executions_than_one_answer_holds_come_in_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market, "EXECUTIONS_AT_ONCE", 2)
    wanted = {(await desk.place()).order_id for _ in range(5)}
    first = await desk.step(1, bar(1, WIDE))
    found, after = list(first.executions), first.after
    while after is not None:
        command = AdvanceMarket(feed_id=desk.feed_id, seq=1, bars=(bar(1, WIDE),), after=after)
        page = await desk.endpoints.advance_market(command, STRATEGY)
        found, after = [*found, *page.executions], page.after
    assert [fill.order_id for fill in found] == sorted(wanted)


async def test_an_order_for_money_and_one_of_a_session_are_stored_and_filled(desk: Desk) -> None:
    money = changed(desk.terms(), qty=None, notional="1000")
    await submit(desk, money)
    await desk.step(1, bar(1, CALM))
    fill = (await desk.events())[-1][1]
    assert Decimal(fill["qty"]) == Decimal(fill["final_qty"]) == Decimal(10)

    def half_hour(hour: int) -> BarView:
        closes = datetime(2026, 3, 2, hour, tzinfo=UTC)
        opened = closes.replace(hour=hour - 1, minute=30)
        return msgspec.structs.replace(bar(1, CALM), ts=closes, opened_at=opened, calendar="XNYS")

    await desk.step(2, half_hour(16))
    day_order = changed(desk.terms(), type=OrderType.LIMIT, limit_price="50")
    await submit(desk, day_order)
    await desk.step(3, half_hour(17))
    assert (await desk.statuses())[day_order.order_id] == "working"
    elsewhere = msgspec.structs.replace(half_hour(21), symbol="MSFT")
    await desk.step(4, elsewhere)
    assert (await desk.statuses())[day_order.order_id] == "expired"


@pytest.mark.parametrize("point", ["broker.step_stored", "broker.step_committed"])
async def test_a_crash_while_a_group_is_filled_neither_loses_nor_doubles_anything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    orders = await place_group(desk)
    with monkeypatch.context() as crashing:
        stop_at(crashing, market, point)
        with pytest.raises(PowerCutError):
            await desk.step(1, bar(1, "100 100 70 75"))
    answer = await desk.step(1, bar(1, "100 100 70 75"))
    assert len(answer.executions) == 2
    assert await statuses(desk, orders) == ["filled", "canceled", "filled"]
    assert Counter(await desk.told()) == {
        "order_acknowledged": 3,
        "execution_reported": 2,
        "order_triggered": 1,
        "order_canceled": 1,
    }
    assert await position(desk) == 0
    assert await desk.counted_as_working() == 0


@pytest.mark.parametrize("point", ["broker.intent_stored", "broker.venue_answered"])
async def test_a_crash_while_a_group_is_placed_leaves_none_of_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    with monkeypatch.context() as crashing:
        stop_at(crashing, placing, point)
        with pytest.raises(PowerCutError):
            await place_group(desk)
    assert await desk.statuses() == {}
    assert await desk.told() == []


async def test_a_thousand_working_orders_are_stepped_and_killed_in_a_few_statements(desk: Desk) -> None:
    deliveries = [desk.submitted(desk.terms(limit="50", tif=TimeInForce.GTC)) for _ in range(1000)]
    for start in range(0, 1000, 100):
        await desk.endpoints.on_orders_submitted(deliveries[start : start + 100])
    began = time.perf_counter()
    await desk.step(1, bar(1, WIDE))
    stepped_s = time.perf_counter() - began
    began = time.perf_counter()
    await desk.endpoints.on_kill_state_changed(desk.kill_changed(9))
    killed_s = time.perf_counter() - began
    assert set((await desk.statuses()).values()) == {"canceled"}
    assert await desk.counted_as_working() == 0
    assert (stepped_s < 5, killed_s < 5) == (True, True), f"step {stepped_s:.3f} s, kill {killed_s:.3f} s"
