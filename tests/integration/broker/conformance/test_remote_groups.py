"""What an adapter owes groups: what is open has its exits, or nothing opens; and all of it leaves when told to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side
from fixtures.waiting import until
from integration.broker.conformance.benches import executed, reaches, told
from integration.broker.desk import new_id

if TYPE_CHECKING:
    from integration.broker.conformance.remote import RemoteBench

EXIT: dict[str, Any] = {"side": Side.SELL, "reduce_only": True}
TARGET: dict[str, Any] = {**EXIT, "leg": Leg.TAKE_PROFIT, "limit_price": Decimal(110)}
STOP: dict[str, Any] = {
    **EXIT,
    "leg": Leg.STOP_LOSS,
    "type": OrderType.STOP,
    "stop_price": Decimal(90),
    "limit_price": None,
}


async def test_a_bracket_has_both_exits_or_opens_nothing(remote: RemoteBench) -> None:
    entry, target, stop = await remote.desk.place_group(OrderClass.BRACKET, {}, TARGET, STOP)
    async with remote.keeping():
        if remote.has_pairs:
            await reaches(remote, entry.order_id, "working")
            await remote.fill(entry, "10")
            for terms in (target, stop):
                await remote.is_told(terms, "order_acknowledged")
            await remote.halt(9)
        for terms in (target, stop):
            await reaches(remote, terms.order_id, "canceled")
        await reaches(remote, entry.order_id, "filled" if remote.has_pairs else "rejected")
    assert remote.orders_sent() == (2 if remote.has_pairs else 0)
    assert await remote.desk.codes() == []


async def test_an_exit_covers_what_its_entry_filled_before_it_was_canceled(remote: RemoteBench) -> None:
    entry, target = await remote.desk.place_group(OrderClass.OTO, {}, TARGET)
    async with remote.keeping():
        if not remote.has_groups:
            await reaches(remote, entry.order_id, "rejected")
            await reaches(remote, target.order_id, "canceled")
            assert remote.orders_sent() == 0
            return
        await reaches(remote, entry.order_id, "working")
        await remote.fill(entry, "4")
        await remote.is_told(entry, "execution_reported")
        await remote.cancel(entry.order_id)
        await reaches(remote, entry.order_id, "canceled")
        await remote.is_told(target, "order_acknowledged")
        await remote.halt(9)
        await reaches(remote, target.order_id, "canceled")
    assert await executed(remote, entry.order_id) == [4]
    assert (await told(remote, target.order_id))[-1] == "order_canceled"
    sent = await remote.desk.rows("select qty from live_orders where part_of = $1", target.order_id)
    assert sum(row["qty"] for row in sent) == 4


async def test_an_exit_that_waits_gives_its_place_to_another_without_a_word_to_the_venue(remote: RemoteBench) -> None:
    entry, target = await remote.desk.place_group(OrderClass.OTO, {}, TARGET)
    order_id = new_id()
    fresh: dict[str, Any] = {"order_id": order_id, "client_order_id": f"c-{order_id.hex}", "limit_price": Decimal(111)}
    new = msgspec.structs.replace(target, replaces=target.order_id, **fresh)
    await remote.submit(new)
    assert await told(remote, target.order_id) == ["order_replaced"]
    assert await told(remote, new.order_id) == ["order_acknowledged"]
    assert remote.orders_sent() == 0
    if not remote.has_groups:
        return
    async with remote.keeping():
        await reaches(remote, entry.order_id, "working")
        await remote.fill(entry, "10")

        async def works() -> bool:
            return await told(remote, new.order_id) == ["order_acknowledged"] * 2

        await until(works, seconds=60)
        await remote.halt(9)
        await reaches(remote, new.order_id, "canceled")
    assert remote.orders_sent() == 2
    assert await remote.desk.codes() == []
