"""Replacing an order at a live venue: either the new one works or the old one goes on, whatever is lost or late."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import JSONResponse, Response

from alphintra.broker.service import live_orders

if TYPE_CHECKING:
    from alphintra.contracts.approval import OrderTerms
    from integration.broker.live_desk import LiveDesk


async def working(desk: LiveDesk) -> OrderTerms:
    await desk.link_reaches("open")
    terms = await desk.place()
    await desk.reaches(terms.order_id, "working")
    return terms


async def replaced(desk: LiveDesk, old: OrderTerms, **changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
    return await desk.place(**{"replaces": old.order_id, "limit_price": Decimal(99), **changes})


async def test_what_the_old_order_filled_counts_towards_the_new_one(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        old = await working(live_desk)
        await live_desk.venue.fill(old.client_order_id, "4")
        new = await replaced(live_desk, old, qty=Decimal(8))
        await live_desk.reaches(new.order_id, "working")
        await live_desk.reaches(old.order_id, "replaced")
        await live_desk.venue.fill(new.client_order_id, "4")
        await live_desk.reaches(new.order_id, "filled")
    assert await live_desk.told(old.order_id) == ["order_acknowledged", "execution_reported", "order_replaced"]
    assert await live_desk.told(new.order_id) == ["order_acknowledged", "execution_reported"]
    assert live_desk.venue.market.positions["AAPL"] == 8
    assert await live_desk.codes() == []


async def test_an_old_order_that_fills_first_is_filled_and_the_new_one_refused(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        old = await working(live_desk)
        live_desk.venue.faults["lost_race"] = 1.0
        new = await replaced(live_desk, old)
        await live_desk.reaches(new.order_id, "rejected")
        await live_desk.reaches(old.order_id, "filled")
    assert await live_desk.told(new.order_id) == ["order_refused"]
    assert await live_desk.told(old.order_id) == ["order_acknowledged", "execution_reported"]
    assert await live_desk.codes() == []


async def test_a_lost_reply_to_a_replacement_makes_one_order(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        old = await working(live_desk)
        live_desk.venue.faults["lost_ack"] = 1.0
        new = await replaced(live_desk, old)
        await live_desk.reaches(new.order_id, "working")
        await live_desk.reaches(old.order_id, "replaced")
    assert await live_desk.told(new.order_id) == ["order_uncertain", "order_acknowledged"]
    assert sum(method == "PATCH" for method, _ in live_desk.venue.calls) == 1
    assert live_desk.venue.market.placed == 2


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (JSONResponse({"code": 42210000, "message": "order cannot be replaced"}, 422), "rejected"),
        (JSONResponse({"message": "gateway timeout"}, 504), "working"),
        (JSONResponse({"message": "too many requests."}, 429, headers={"Retry-After": "0"}), "working"),
    ],
    ids=["refused", "never arrived", "busy"],
)
async def test_the_old_order_goes_on_until_the_venue_has_swapped_it(
    live_desk: LiveDesk, answer: Response, status: str
) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        old = await working(live_desk)
        live_desk.venue.spoil_replacements_with.append(answer)
        new = await replaced(live_desk, old)
        await live_desk.reaches(new.order_id, status)
        await live_desk.reaches(old.order_id, "working" if status == "rejected" else "replaced")
    assert live_desk.venue.market.placed == (1 if status == "rejected" else 2)


@pytest.mark.parametrize("point", ["broker.sending_committed", "broker.answer_kept", "broker.answer_kept_committed"])
async def test_a_crash_around_a_replacement_swaps_once(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        old = await working(live_desk)
    new = await replaced(live_desk, old)
    await live_desk.loses_power_at(live_orders, point, monkeypatch)
    async with live_desk.keeper():
        await live_desk.reaches(new.order_id, "working")
        await live_desk.reaches(old.order_id, "replaced")
    assert live_desk.venue.market.placed == 2
