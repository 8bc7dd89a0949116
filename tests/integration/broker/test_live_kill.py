"""The kill switch over a live account: nothing more is sent, what works is taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alphintra.broker.service import cancelling
from alphintra.contracts.risk import KillStateChanged, KillStateView
from alphintra.infrastructure.system import SystemClock
from fixtures.single_service import PowerCutError, delivery_of, stop_at

if TYPE_CHECKING:
    from alphintra.infrastructure.events import Delivery
    from integration.broker.live_desk import LiveDesk


def halt_of(live_desk: LiveDesk) -> Delivery[KillStateChanged]:
    kill = KillStateView(
        scope="account",
        account_id=live_desk.account_id,
        state="halted",
        epoch=5,
        reason="test",
        set_by="operator",
        set_at=SystemClock().now(),
    )
    return delivery_of(KillStateChanged(kill=kill), aggregate_id=live_desk.account_id)


@pytest.mark.parametrize("point", ["broker.kill_stored", "broker.kill_committed"])
async def test_a_crash_while_a_halt_is_heard_leaves_nothing_at_work(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await live_desk.connect()
    halt = halt_of(live_desk)
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        working = await live_desk.place()
        await live_desk.reaches(working.order_id, "working")
    with monkeypatch.context() as crashing:
        stop_at(crashing, cancelling, point)
        with pytest.raises(PowerCutError):
            await live_desk.endpoints.on_kill_state_changed(halt)
    await live_desk.endpoints.on_kill_state_changed(halt)  # what was not acknowledged comes again
    late = await live_desk.place()
    async with live_desk.keeper():
        await live_desk.reaches(working.order_id, "canceled")
    assert await live_desk.told(late.order_id) == ["order_refused"]
    assert (await live_desk.told(working.order_id)).count("order_canceled") == 1
    assert live_desk.venue.market.placed == 1


async def test_a_halt_takes_working_orders_off_and_older_approvals_are_dead(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        working = await live_desk.place()
        await live_desk.reaches(working.order_id, "working")
        await live_desk.endpoints.on_kill_state_changed(halt_of(live_desk))
        await live_desk.reaches(working.order_id, "canceled")
        late = await live_desk.place()
        assert await live_desk.told(late.order_id) == ["order_refused"]
        fresh = live_desk.terms()
        await live_desk.submit(fresh, epoch=5)
        await live_desk.reaches(fresh.order_id, "working")
    assert live_desk.venue.market.placed == 2


async def test_an_order_that_waits_when_trading_is_blocked_is_never_sent(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    waiting = await live_desk.place()
    await live_desk.rows(
        "insert into kill_blocks (scope, epoch, state, since) values ('firm', 9, 'reduce_only', now()) returning 1"
    )
    async with live_desk.keeper():
        await live_desk.reaches(waiting.order_id, "rejected")
    assert await live_desk.told(waiting.order_id) == ["order_refused"]
    assert live_desk.venue.market.placed == 0
