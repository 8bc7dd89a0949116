"""Taking an execution that was not ordered here into the books: by a person, once, with its reason."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from alphintra.broker.service import adopting
from alphintra.contracts.broker import AdoptExecution, ResolveBreak
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Actor, Context
from fixtures.services import person_context
from fixtures.single_service import PowerCutError, stop_at
from fixtures.waiting import until
from integration.broker.desk import new_id

if TYPE_CHECKING:
    from integration.broker.live_desk import LiveDesk

SERVICE = Context(trace_id="0" * 32, actor=Actor(id="service:strategy"))
KEPT = ("adoptions", "breaks", "event_log", "audit_events")


async def external(desk: LiveDesk) -> UUID:
    """Have the venue execute what we did not send; returns the break that tells of it."""
    await desk.connect()
    async with desk.keeper():
        await desk.link_reaches("open")
        await desk.venue.trade_elsewhere("3", "101")

        async def is_found() -> bool:
            return "EXTERNAL_ORDER" in await desk.codes()

        await until(is_found)
    (row,) = await desk.rows("select break_id from breaks where code = 'EXTERNAL_ORDER'")
    return UUID(str(row["break_id"]))


async def test_an_adopted_execution_is_told_as_one_of_an_order_of_its_own_and_the_account_trades_again(
    live_desk: LiveDesk,
) -> None:
    break_id = await external(live_desk)
    command = AdoptExecution(break_id=break_id, reason="bought by telephone")
    adopted = await live_desk.links.adopt_execution(command, live_desk.owner)
    assert (adopted.status, adopted.resolution) == ("resolved", "adopted: bought by telephone")
    again = await live_desk.links.adopt_execution(command, live_desk.owner)
    assert again == adopted
    events = [
        (name, event) for name, event in await live_desk.events() if "order_id" in event and name != "break_found"
    ]
    assert [name for name, _ in events] == ["external_order_adopted", "execution_reported"]
    (_, order), (_, execution) = events
    assert order["order_id"] == execution["order_id"]
    assert [Decimal(execution[name]) for name in ("qty", "price", "final_qty")] == [3, 101, 3]
    for row in await live_desk.rows("select break_id from breaks where status = 'open'"):
        word = ResolveBreak(break_id=row["break_id"], resolution="explained by the adopted execution")
        await live_desk.links.resolve_break(word, live_desk.owner)
    assert await live_desk.reconciled()
    assert await live_desk.link_status() == "open"


async def test_who_may_not_adopt_changes_nothing(live_desk: LiveDesk) -> None:
    break_id = await external(live_desk)
    before = await live_desk.fingerprint(*KEPT)
    viewer = person_context("viewer", user_id=live_desk.owner_id)
    for context, code in [
        (SERVICE, "ROLE_REQUIRED"),
        (viewer, "ROLE_REQUIRED"),
        (person_context("trader", user_id=new_id()), "BREAK_NOT_FOUND"),
    ]:
        with pytest.raises(AlphintraError) as refused:
            await live_desk.links.adopt_execution(AdoptExecution(break_id=break_id, reason="mine"), context)
        assert refused.value.code == code
    with pytest.raises(AlphintraError) as refused:
        await live_desk.links.adopt_execution(AdoptExecution(break_id=break_id, reason=" "), live_desk.owner)
    assert refused.value.code == "FIELD_LENGTH"
    assert await live_desk.fingerprint(*KEPT) == before


async def test_a_break_that_tells_of_no_execution_is_not_adopted(live_desk: LiveDesk) -> None:
    await live_desk.open_account(starting_cash=Decimal(1))
    await live_desk.links.add_connection(live_desk.wanted(), live_desk.owner)
    await live_desk.reconciled()
    (row,) = await live_desk.rows("select break_id, code from breaks")
    with pytest.raises(AlphintraError) as refused:
        await live_desk.links.adopt_execution(AdoptExecution(break_id=row["break_id"], reason="mine"), live_desk.owner)
    assert (row["code"], refused.value.code) == ("CASH_DIFF", "BREAK_NOT_ADOPTABLE")


async def test_a_crash_before_the_commit_adopts_nothing(live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    break_id = await external(live_desk)
    before = await live_desk.fingerprint(*KEPT)
    command = AdoptExecution(break_id=break_id, reason="bought by telephone")
    with monkeypatch.context() as crashing:
        stop_at(crashing, adopting, "broker.adoption_stored")
        with pytest.raises(PowerCutError):
            await live_desk.links.adopt_execution(command, live_desk.owner)
    assert await live_desk.fingerprint(*KEPT) == before
    assert (await live_desk.links.adopt_execution(command, live_desk.owner)).status == "resolved"
