"""Replacing an exit of a live group: in our store alone while nothing of it was sent, refused once something was."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from alphintra.broker.service import exit_swaps, sending
from alphintra.kernel.vocabulary import OrderClass, TimeInForce
from fixtures.single_service import PowerCutError, stop_at
from fixtures.waiting import until
from integration.broker.desk import new_id
from integration.broker.test_live_groups import STOP, TARGET
from integration.broker.test_live_pairs import Pair, bracket_on

if TYPE_CHECKING:
    from types import ModuleType

    from alphintra.contracts.approval import OrderTerms
    from integration.broker.live_desk import LiveDesk


def another(old: OrderTerms, **changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
    """Return the terms of an order that replaces another."""
    order_id = new_id()
    fresh = {"order_id": order_id, "client_order_id": f"c-{order_id.hex}", "replaces": old.order_id}
    return msgspec.structs.replace(old, **{**fresh, **changes})


async def refusal(desk: LiveDesk, terms: OrderTerms) -> str:
    events = [event for _, event in await desk.events() if event["order_id"] == str(terms.order_id)]
    return str(events[-1].get("code"))


def prices(desk: LiveDesk) -> set[str | None]:
    rows = [row for row in desk.venue.market.rows.values() if row.body["side"] == "sell" and row.left]
    return {row.body.get("limit_price") or row.body.get("stop_price") for row in rows}


async def test_an_exit_that_waits_gives_its_place_to_another_which_works_then(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    stop, target = another(group.stop, stop_price=Decimal(95)), another(group.target, limit_price=Decimal(120))
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
        await live_desk.submit(stop)
        await live_desk.submit(target)
        assert live_desk.venue.market.placed == 1
        await group.enter()
        await group.covers(10)
        assert prices(live_desk) == {"95", "120"}
        await until(lambda: live_desk.acknowledged(stop.order_id, target.order_id))
        await live_desk.venue.fill_row(group.row("stop"), "10", "95")
        await live_desk.reaches(stop.order_id, "filled")
        await live_desk.reaches(target.order_id, "canceled")
    assert await live_desk.told(group.stop.order_id) == ["order_replaced"]
    assert await live_desk.told(group.target.order_id) == ["order_replaced"]
    assert await live_desk.told(stop.order_id) == ["order_acknowledged"] * 2 + ["execution_reported"]
    assert await live_desk.codes() == []


async def test_what_was_to_be_sent_for_an_exit_is_sent_for_the_one_in_its_place(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    stop = another(group.stop, stop_price=Decimal(95))
    async with live_desk.keeper():
        await group.enter("4")
        await until(lambda: parts_of(live_desk, group.stop, 1))
        await live_desk.submit(stop)
        await live_desk.cancel(group.entry.order_id)
        await group.covers(4)
        assert prices(live_desk) == {"95", "110"}
    assert await live_desk.status(group.stop.order_id) == "replaced"
    assert live_desk.venue.market.placed == 3
    assert await live_desk.codes() == []


async def parts_of(desk: LiveDesk, terms: OrderTerms, count: int) -> bool:
    return len(await desk.rows("select 1 from live_orders where part_of = $1", terms.order_id)) == count


async def test_an_exit_that_works_is_not_replaced_and_goes_on(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    stop, entry = another(group.stop, stop_price=Decimal(95)), another(group.entry, limit_price=Decimal(99))
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
        await live_desk.submit(entry)
        await group.enter()
        await group.covers(10)
        await live_desk.submit(stop)
        assert await refusal(live_desk, stop) == await refusal(live_desk, entry) == "ORDER_UNSUPPORTED"
        assert prices(live_desk) == {"90", "110"}
    assert await live_desk.status(group.stop.order_id) == "held"


@pytest.mark.parametrize(
    ("order_class", "change", "code"),
    [
        (OrderClass.BRACKET, {"qty": Decimal(5)}, "ORDER_UNSUPPORTED"),
        (OrderClass.BRACKET, {"time_in_force": TimeInForce.GTC}, "ORDER_UNSUPPORTED"),
        (OrderClass.BRACKET, {"stop_price": Decimal(110)}, "ORDER_STOP_SIDE"),
        (OrderClass.BRACKET, {"stop_price": Decimal(109)}, None),
        (OrderClass.OTO, {"stop_price": Decimal(110)}, None),
        (OrderClass.OTO, {"qty": Decimal(5)}, None),
        (OrderClass.OTO, {"time_in_force": TimeInForce.IOC}, "ORDER_UNSUPPORTED"),
        (OrderClass.OTO, {"group_id": new_id()}, "ORDER_TERMINAL"),
    ],
)
async def test_a_replacement_keeps_what_the_group_was_checked_for(
    live_desk: LiveDesk, order_class: OrderClass, change: dict[str, Any], code: str | None
) -> None:
    await live_desk.connect()
    legs = (TARGET, STOP) if order_class is OrderClass.BRACKET else (STOP,)
    group = await live_desk.place_group(order_class, {}, *legs)
    new = another(group[-1], **change)
    await live_desk.submit(new)
    assert await live_desk.told(new.order_id) == ["order_acknowledged" if code is None else "order_refused"]
    assert await live_desk.status(group[-1].order_id) == ("replaced" if code is None else "held")
    if code is not None:
        assert await refusal(live_desk, new) == code


async def test_a_smaller_exit_covers_so_much(live_desk: LiveDesk) -> None:
    live_desk.reconcile = timedelta(seconds=0.3)
    await live_desk.connect()
    entry, stop = await live_desk.place_group(OrderClass.OTO, {}, STOP)
    new = another(stop, qty=Decimal(6))
    await live_desk.submit(new)
    async with live_desk.keeper():
        group = Pair(live_desk, entry, entry, new)
        await group.enter()
        await until(lambda: group.works == [("stop", "new", Decimal(6))])
        await live_desk.venue.fill_row(group.row("stop"), "6", "90")
        await live_desk.reaches(new.order_id, "filled")
    assert await live_desk.codes() == []


async def test_what_took_the_place_of_an_exit_is_replaced_canceled_and_told_of_alone(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    first, second = another(group.stop, stop_price=Decimal(95)), another(group.stop, stop_price=Decimal(96))
    third = another(first, stop_price=Decimal(97))
    await live_desk.submit(first)
    await live_desk.submit(second)
    await live_desk.submit(third)
    assert await refusal(live_desk, second) == "ORDER_TERMINAL"
    await live_desk.cancel(group.stop.order_id)
    assert await live_desk.status(third.order_id) == "held"
    await live_desk.cancel(third.order_id)
    assert await live_desk.told(third.order_id) == ["order_acknowledged", "order_canceled"]
    assert await live_desk.status(group.target.order_id) == "held"


@pytest.mark.parametrize(
    ("module", "point", "count"), [(exit_swaps, "broker.exit_swapped", 0), (sending, "broker.answer_committed", 1)]
)
async def test_a_crash_while_exits_are_swapped_leaves_one_of_them(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch, *, module: ModuleType, point: str, count: int
) -> None:
    group = await bracket_on(live_desk)
    new = another(group.stop, stop_price=Decimal(95))
    with monkeypatch.context() as crashing:
        stop_at(crashing, module, point)
        with pytest.raises(PowerCutError):
            await live_desk.submit(new)
    assert await live_desk.status(group.stop.order_id) == ("replaced" if count else "held")
    assert len(await live_desk.told(new.order_id)) == count
