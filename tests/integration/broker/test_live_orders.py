"""Orders of a live account on their way to a venue and back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fixtures.waiting import until

if TYPE_CHECKING:
    from integration.broker.live_desk import LiveDesk


async def test_an_order_is_placed_filled_in_parts_and_told_in_order(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
        await live_desk.venue.fill(terms.client_order_id, "4", "99.50")
        await live_desk.venue.fill(terms.client_order_id, "6", "99.60")
        await live_desk.reaches(terms.order_id, "filled")
    assert await live_desk.told(terms.order_id) == ["order_acknowledged", "execution_reported", "execution_reported"]
    fills = [event for name, event in await live_desk.events() if name == "execution_reported"]
    assert [(fill["qty"], fill["price"], fill.get("final_qty")) for fill in fills] == [
        ("4", "99.5", None),
        ("6", "99.6", "10"),
    ] or [(Decimal(fill["qty"]), Decimal(fill["price"])) for fill in fills] == [
        (Decimal(4), Decimal("99.5")),
        (Decimal(6), Decimal("99.6")),
    ]
    assert live_desk.venue.market.placed == 1


async def test_a_cancellation_ends_at_the_venue(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
        await live_desk.cancel(terms.order_id)
        await live_desk.reaches(terms.order_id, "canceled")
        await live_desk.cancel(terms.order_id)
    assert await live_desk.told(terms.order_id) == ["order_acknowledged", "order_canceled"]
    assert live_desk.venue.calls.count(("DELETE", f"/v2/orders/{next(iter(live_desk.venue.market.rows))}")) == 1


async def test_an_answer_that_gets_lost_makes_one_order(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        live_desk.venue.faults["lost_ack"] = 1.0
        terms = await live_desk.place()
        await until(lambda: live_desk.venue.market.placed == 1)
        await live_desk.reaches(terms.order_id, "working")
    assert await live_desk.told(terms.order_id) == ["order_uncertain", "order_acknowledged"]
    assert live_desk.venue.market.placed == 1
