"""Approvals that died while their orders waited for a venue: renewed together, judged one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from alphintra.contracts.risk import Assessment, Finding, RenewApproval
from alphintra.infrastructure.bus import Bus
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError, Kind
from fixtures.waiting import until
from integration.broker.desk import approve, new_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from alphintra.contracts.approval import OrderTerms
    from alphintra.kernel.messages import Context
    from integration.broker.live_desk import LiveDesk

Asked = Sequence[tuple[RenewApproval, "Context"]]
Answers = Sequence[Assessment | AlphintraError]
HALTED = Finding(code="KILL_ACTIVE", rule="R30", field="", limit="", observed="", detail="trading is halted")
LATER = timedelta(minutes=5)


async def risk_answers(desk: LiveDesk, answer: Callable[[Asked], Awaitable[Answers]]) -> None:
    """Speak for risk, a batch at a time."""
    risk = Bus(name="risk", asks=frozenset(), local=desk.ways[1], nats=None)
    risk.answer_many(RenewApproval, answer)
    await risk.start()


def renewed(terms: OrderTerms, *, asked: OrderTerms | None = None) -> Assessment:
    """Return risk's yes to an order, or to another than it was asked for."""
    approval = approve(asked or terms, SystemClock(), ttl=LATER)  # type: ignore[arg-type] # has the same now
    return assessed(terms, approval=approval)


def assessed(terms: OrderTerms, *findings: Finding, approval: object = None) -> Assessment:
    """Return what risk makes of an order."""
    return Assessment(
        decision_id=new_id(),
        order_id=terms.order_id,
        findings=findings,
        limit_version=1,
        kill_epoch=1,
        approval=approval,  # type: ignore[arg-type] # an approval or none
    )


async def dead_orders(desk: LiveDesk, count: int) -> list[OrderTerms]:
    """Let broker hear of orders whose approvals die before the venue is reached."""
    placed = [await desk.place() for _ in range(count)]
    await desk.rows("update live_orders set approved_until = now() - interval '1 second'")
    return placed


async def test_forty_orders_whose_approvals_died_are_renewed_in_two_questions(live_desk: LiveDesk) -> None:
    batches: list[int] = []

    async def answer(requests: Asked) -> Answers:
        batches.append(len(requests))
        return [
            assessed(command.terms, HALTED) if command.terms.order_id in denied else renewed(command.terms)
            for command, _context in requests
        ]

    await live_desk.connect()
    placed = await dead_orders(live_desk, 40)
    denied = {terms.order_id for terms in placed[::10]}
    await risk_answers(live_desk, answer)
    async with live_desk.keeper():
        for terms in placed:
            await live_desk.reaches(terms.order_id, "rejected" if terms.order_id in denied else "working")
    assert batches == [32, 8]
    assert live_desk.venue.market.placed == 36
    refused = [event for name, event in await live_desk.events() if name == "order_refused"]
    assert {event["order_id"] for event in refused} == {str(each) for each in denied}
    assert all("trading is halted" in event["reason"] for event in refused)


async def test_fresh_orders_are_sent_while_risk_cannot_be_asked_about_those_that_died(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    dead = await dead_orders(live_desk, 2)
    fresh = [await live_desk.place() for _ in range(2)]
    async with live_desk.keeper():
        for terms in fresh:
            await live_desk.reaches(terms.order_id, "working")
        assert {await live_desk.status(terms.order_id) for terms in dead} == {"queued"}

        async def answer(requests: Asked) -> Answers:
            return [renewed(command.terms) for command, _context in requests]

        await risk_answers(live_desk, answer)
        for terms in dead:
            await live_desk.reaches(terms.order_id, "working")


async def test_what_risk_leaves_open_of_one_order_holds_up_no_other(live_desk: LiveDesk) -> None:
    open_for: set[UUID] = set()
    asked: list[UUID] = []

    async def answer(requests: Asked) -> Answers:
        asked.extend(command.terms.order_id for command, _context in requests)
        busy = AlphintraError("STORE_BUSY", "try again", kind=Kind.UNAVAILABLE)
        return [busy if command.terms.order_id in open_for else renewed(command.terms) for command, _ in requests]

    await live_desk.connect()
    first, second = await dead_orders(live_desk, 2)
    open_for.add(first.order_id)
    await risk_answers(live_desk, answer)
    async with live_desk.keeper():
        await live_desk.reaches(second.order_id, "working")

        async def is_asked_again() -> bool:
            return asked.count(first.order_id) > 1

        await until(is_asked_again)
        assert await live_desk.status(first.order_id) == "queued"
        open_for.clear()
        await live_desk.reaches(first.order_id, "working")
    assert asked.count(second.order_id) == 1


@pytest.mark.parametrize("forged", ["of another order", "not signed"])
async def test_a_renewal_risk_did_not_give_for_these_terms_sends_nothing(live_desk: LiveDesk, forged: str) -> None:
    async def answer(requests: Asked) -> Answers:
        found = [renewed(command.terms, asked=live_desk.terms()) for command, _context in requests]
        if forged == "not signed":
            found = [unsigned(renewed(command.terms)) for command, _context in requests]
        return found

    await live_desk.connect()
    (terms,) = await dead_orders(live_desk, 1)
    await risk_answers(live_desk, answer)
    async with live_desk.keeper():
        await live_desk.reaches(terms.order_id, "rejected")
    assert live_desk.venue.market.placed == 0
    ((_name, refused),) = await live_desk.events()
    assert refused["code"] == "BROKER_NO_APPROVAL"


def unsigned(assessment: Assessment) -> Assessment:
    """Return the same under a signature that is none."""
    assert assessment.approval is not None
    approval = msgspec.structs.replace(assessment.approval, signature=bytes(64))
    return msgspec.structs.replace(assessment, approval=approval)
