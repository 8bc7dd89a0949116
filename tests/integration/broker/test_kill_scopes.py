"""Kill states of strategies and symbols at the broker: older approvals are dead, what works is taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from alphintra.contracts.risk import KillScopeChanged, KillStateView
from fixtures.single_service import NOON, delivery_of
from integration.broker.desk import Desk, approve, new_id

if TYPE_CHECKING:
    from alphintra.contracts.approval import OrderTerms
    from alphintra.infrastructure.events import Delivery
    from integration.broker.live_desk import LiveDesk

BOOK = UUID(int=77)
KEYS = {"strategy": {"book_id": BOOK}, "symbol": {"symbol": "AAPL"}}
scopes = pytest.mark.parametrize("scope", ["strategy", "symbol"])


def changed(scope: str, epoch: int, *, state: str = "halted") -> Delivery[KillScopeChanged]:
    """Return the event of a kill state of a strategy or symbol."""
    kill = KillStateView(
        scope=scope,
        account_id=None,
        state=state,
        epoch=epoch,
        reason="test",
        set_by="operator",
        set_at=NOON,
        **KEYS[scope],  # type: ignore[arg-type] # the key of each scope
    )
    return delivery_of(KillScopeChanged(kill=kill), aggregate_id=UUID(int=0))


async def sent(desk: Desk, *, epoch: int = 1, book_id: UUID | None = BOOK, symbol: str = "AAPL") -> OrderTerms:
    """Let the broker hear of an order of a strategy, approved in an epoch."""
    terms = desk.terms(symbol=symbol)
    await desk.endpoints.on_order_submitted(
        desk.submitted(terms, approve(terms, desk.clock, epoch=epoch), book_id=book_id)
    )
    return terms


@scopes
async def test_a_halt_takes_what_works_off_and_leaves_the_orders_of_others(desk: Desk, scope: str) -> None:
    meant = [await sent(desk) for _ in range(2)]
    other = await sent(desk, book_id=new_id(), symbol="MSFT")
    event = changed(scope, 5)
    for _ in range(2):
        await desk.endpoints.on_kill_scope_changed(event)
    statuses = await desk.statuses()
    assert [statuses[order.order_id] for order in (*meant, other)] == ["canceled", "canceled", "working"]
    assert (await desk.told()).count("order_canceled") == 2
    assert await desk.counted_as_working() == 1


@scopes
@pytest.mark.parametrize("epochs", [(5,), (5, 3), (3, 5)], ids=str)
async def test_an_approval_from_before_the_block_is_dead_after_restarts_and_repeats(
    desk: Desk, scope: str, epochs: tuple[int, ...]
) -> None:
    for epoch in epochs:
        await desk.endpoints.on_kill_scope_changed(changed(scope, epoch, state="reduce_only"))
    again = changed(scope, 6, state="normal")
    await desk.endpoints.on_kill_scope_changed(again)  # a release revives nothing
    late, fresh = await sent(desk, epoch=4), await sent(desk, epoch=6)
    other = await sent(desk, epoch=4, book_id=new_id(), symbol="MSFT")
    statuses = await desk.statuses()
    assert [statuses.get(order.order_id) for order in (late, fresh, other)] == [None, "working", "working"]
    (refused,) = [event for name, event in await desk.events() if name == "order_refused"]
    assert (refused["order_id"], refused["code"]) == (str(late.order_id), "KILL_ACTIVE")


@scopes
async def test_a_burst_meets_the_block_of_each_of_its_orders(desk: Desk, scope: str) -> None:
    await desk.endpoints.on_kill_scope_changed(changed(scope, 5))
    whose = [(BOOK, "AAPL"), (BOOK, "MSFT"), (new_id(), "AAPL"), (new_id(), "MSFT")]
    orders = [(desk.terms(symbol=symbol), book_id) for book_id, symbol in whose]
    await desk.endpoints.on_orders_submitted([desk.submitted(terms, book_id=book_id) for terms, book_id in orders])
    statuses = await desk.statuses()
    passed = [statuses.get(terms.order_id) == "working" for terms, _book in orders]
    assert passed == ([False, False, True, True] if scope == "strategy" else [False, True, False, True])


@scopes
async def test_live_orders_that_wait_are_never_sent_and_those_that_work_leave(live_desk: LiveDesk, scope: str) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        working, other = live_desk.terms(), live_desk.terms(symbol="MSFT")
        await live_desk.submit(working, book_id=BOOK)
        await live_desk.submit(other, book_id=new_id())
        await live_desk.reaches(working.order_id, "working")
        await live_desk.reaches(other.order_id, "working")
        await live_desk.endpoints.on_kill_scope_changed(changed(scope, 5))
        await live_desk.reaches(working.order_id, "canceled")
        late, fresh = live_desk.terms(), live_desk.terms()
        await live_desk.submit(late, book_id=BOOK)
        await live_desk.submit(fresh, book_id=BOOK, epoch=5)
        await live_desk.reaches(fresh.order_id, "working")
    assert await live_desk.told(late.order_id) == ["order_refused"]
    (row,) = await live_desk.rows("select status from live_orders where order_id = $1", other.order_id)
    assert row["status"] == "working"


@scopes
async def test_a_live_order_stored_before_the_block_is_not_sent_after_it(live_desk: LiveDesk, scope: str) -> None:
    await live_desk.connect()
    waiting = live_desk.terms()
    await live_desk.submit(waiting, book_id=BOOK)
    await live_desk.endpoints.on_kill_scope_changed(changed(scope, 9, state="reduce_only"))
    async with live_desk.keeper():
        await live_desk.reaches(waiting.order_id, "rejected")
    assert await live_desk.told(waiting.order_id) == ["order_refused"]
    assert live_desk.venue.market.placed == 0
