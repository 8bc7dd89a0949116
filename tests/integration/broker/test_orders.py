"""An order reaches the venue once, and only on risk's own approval of these very terms."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import pytest

from alphintra.broker.service import sending, sending_many
from alphintra.contracts.risk import Assessment, Finding, RenewApproval
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import AccountMode, OrderType, Side, TimeInForce
from fixtures.single_service import PowerCutError, stop_at
from integration.broker.desk import OTHER_KEY, RISK_KEY, Desk, approve, bar, new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.contracts.approval import Approval, OrderTerms
    from alphintra.kernel.messages import Context

EXPIRED = timedelta(seconds=-1)
HALTED = Finding(code="KILL_ACTIVE", rule="R30", field="", limit="", observed="", detail="trading is halted")


def assessment(command: RenewApproval, approval: Approval | None, *findings: Finding) -> Assessment:
    return Assessment(
        decision_id=new_id(),
        order_id=command.terms.order_id,
        findings=findings,
        limit_version=1,
        kill_epoch=1,
        approval=approval,
    )


async def refusal_of(desk: Desk) -> dict[str, str]:
    """Return the one event told, which refuses an order, after checking that nothing was sent."""
    ((name, event),) = await desk.events()
    assert name == "order_refused"
    assert await desk.statuses() == {}
    assert await desk.counted_as_working() == 0
    return event


async def test_an_approved_order_works_at_the_venue_and_is_acknowledged(desk: Desk) -> None:
    terms = await desk.place()
    ((name, event),) = await desk.events()
    assert (name, event["order_id"]) == ("order_acknowledged", str(terms.order_id))
    assert event["venue_order_id"] == f"paper-{terms.order_id.hex}"
    assert await desk.statuses() == {terms.order_id: "working"}
    assert await desk.counted_as_working() == 1


async def test_an_order_delivered_ten_times_is_sent_once(desk: Desk) -> None:
    delivery = desk.submitted(desk.terms())
    for _ in range(10):
        await desk.endpoints.on_order_submitted(delivery)
    assert await desk.told() == ["order_acknowledged"]
    assert await desk.counted_as_working() == 1


async def test_an_order_replayed_under_other_event_ids_is_sent_once(desk: Desk) -> None:
    terms = desk.terms()
    for _ in range(3):
        await desk.endpoints.on_order_submitted(desk.submitted(terms))
    await desk.step(1, bar(1, "100 110 90 105"))
    await desk.endpoints.on_order_submitted(desk.submitted(terms))
    assert await desk.told() == ["order_acknowledged", "execution_reported"]
    assert await desk.counted_as_working() == 0


async def test_a_run_of_orders_sends_each_that_may_be_sent_once_and_refuses_the_others(desk: Desk) -> None:
    terms = [desk.terms(limit="100") for _ in range(5)]
    await desk.endpoints.on_order_submitted(desk.submitted(terms[0]))
    stolen = desk.submitted(terms[3], approve(terms[3], desk.clock, key=OTHER_KEY))
    elsewhere = msgspec.structs.replace(terms[4], account_id=UUID(int=7))
    run = [*map(desk.submitted, terms[:3]), stolen, desk.submitted(elsewhere, approve(elsewhere, desk.clock))]
    for _ in range(2):
        await desk.endpoints.on_orders_submitted(run)
    assert await desk.statuses() == {each.order_id: "working" for each in terms[:3]}
    assert await desk.counted_as_working() == 3
    assert await desk.told() == [*["order_acknowledged"] * 3, *["order_refused"] * 2]
    audited = await desk.rows("select object, action from audit_events where object like 'order:%'")
    wanted = {f"order:{each.order_id}": "order.send" if each in terms[:3] else "order.refuse" for each in terms}
    assert {row["object"]: row["action"] for row in audited} == wanted
    assert len(audited) == len(wanted)


async def test_an_approval_signed_by_somebody_else_sends_nothing(desk: Desk) -> None:
    terms = desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(terms, approve(terms, desk.clock, key=OTHER_KEY)))
    assert (await refusal_of(desk))["code"] == "BROKER_NO_APPROVAL"


async def test_a_seal_changed_after_it_was_signed_sends_nothing(desk: Desk) -> None:
    terms = desk.terms()
    approval = approve(terms, desk.clock, ttl=EXPIRED)
    later = msgspec.structs.replace(approval.seal, expires_at=desk.clock.now() + timedelta(hours=1))
    await desk.endpoints.on_order_submitted(desk.submitted(terms, msgspec.structs.replace(approval, seal=later)))
    assert "not signed" in (await refusal_of(desk))["reason"]


@pytest.mark.parametrize(
    "change",
    [
        {"qty": Decimal(11)},
        {"qty": Decimal("sNaN")},
        {"side": Side.SELL},
        {"symbol": "MSFT"},
        {"symbol": "\x00"},
        {"account_id": UUID(int=7)},
        {"order_id": UUID(int=8)},
        {"client_order_id": "c-2"},
        {"time_in_force": TimeInForce.GTC},
        {"limit_price": Decimal(101)},
        {"type": OrderType.MARKET, "limit_price": None},
    ],
    ids="-".join,
)
async def test_an_approval_of_other_terms_sends_nothing(desk: Desk, change: dict[str, object]) -> None:
    terms = desk.terms(limit="100")
    changed: OrderTerms = msgspec.structs.replace(terms, **change)
    await desk.endpoints.on_order_submitted(desk.submitted(changed, approve(terms, desk.clock)))
    refusal = await refusal_of(desk)
    assert (refusal["code"], refusal["order_id"]) == ("BROKER_NO_APPROVAL", str(changed.order_id))


async def test_an_order_refused_once_stays_refused(desk: Desk) -> None:
    terms = desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(terms, approve(terms, desk.clock, key=OTHER_KEY)))
    await desk.endpoints.on_order_submitted(desk.submitted(terms))
    assert (await refusal_of(desk))["code"] == "BROKER_NO_APPROVAL"


async def test_an_expired_approval_is_renewed_by_risk_before_the_order_is_sent(desk: Desk) -> None:
    async def renew(command: RenewApproval) -> Assessment:
        return assessment(command, approve(command.terms, desk.clock))

    await desk.risk_answers(renew)
    terms = desk.terms()
    delivery = desk.submitted(terms, approve(terms, desk.clock, ttl=EXPIRED))
    for _ in range(3):
        await desk.endpoints.on_order_submitted(delivery)
    assert await desk.statuses() == {terms.order_id: "working"}
    assert [context.actor.id for context in desk.renewals] == ["service:broker"]


async def test_an_approval_that_dies_while_it_is_renewed_is_not_used(desk: Desk) -> None:
    async def renew(command: RenewApproval) -> Assessment:
        fresh = approve(command.terms, desk.clock)
        desk.clock.pass_time(seconds=6)
        return assessment(command, fresh)

    await desk.risk_answers(renew)
    terms = desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(terms, approve(terms, desk.clock, ttl=EXPIRED)))
    assert "expired" in (await refusal_of(desk))["reason"]


async def test_a_renewal_that_risk_did_not_sign_sends_nothing(desk: Desk) -> None:
    async def renew(command: RenewApproval) -> Assessment:
        return assessment(command, approve(command.terms, desk.clock, key=OTHER_KEY))

    await desk.risk_answers(renew)
    terms = desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(terms, approve(terms, desk.clock, ttl=EXPIRED)))
    assert (await refusal_of(desk))["code"] == "BROKER_NO_APPROVAL"


async def test_an_order_whose_approval_risk_does_not_renew_is_refused_with_risks_reason(desk: Desk) -> None:
    async def refuse(command: RenewApproval) -> Assessment:
        return assessment(command, None, HALTED)

    await desk.risk_answers(refuse)
    terms = desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(terms, approve(terms, desk.clock, ttl=EXPIRED)))
    refusal = await refusal_of(desk)
    assert refusal["code"] == "BROKER_NO_APPROVAL"
    assert "KILL_ACTIVE, trading is halted" in refusal["reason"]


async def test_an_order_risk_knows_nothing_of_is_refused(desk: Desk) -> None:
    async def unknown(_command: RenewApproval) -> Assessment:
        raise AlphintraError("RESERVATION_NOT_FOUND", "nothing is reserved", kind=Kind.NOT_FOUND)

    await desk.risk_answers(unknown)
    terms = desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(terms, approve(terms, desk.clock, ttl=EXPIRED)))
    assert "RESERVATION_NOT_FOUND" in (await refusal_of(desk))["reason"]


async def test_two_hundred_orders_that_waited_too_long_are_renewed_together_and_none_is_lost(desk: Desk) -> None:
    batches: list[int] = []

    async def renew(requests: Sequence[tuple[RenewApproval, Context]]) -> Sequence[Assessment]:
        batches.append(len(requests))
        return [
            assessment(command, None, HALTED)
            if command.terms.order_id in denied
            else assessment(command, approve(command.terms, desk.clock))
            for command, _context in requests
        ]

    orders = [desk.terms(limit="9" if index % 2 else None) for index in range(200)]
    denied = {terms.order_id for terms in orders[::10]}
    deliveries = [desk.submitted(terms) for terms in orders]
    desk.clock.pass_time(seconds=6)
    for part in (deliveries[:128], deliveries[128:]):
        with pytest.raises(AlphintraError, match="RISK_UNAVAILABLE"):
            await desk.endpoints.on_orders_submitted(part)
    assert (await desk.told(), await desk.statuses()) == ([], {})
    await desk.risk_answers_many(renew)
    for part in (deliveries[:128], deliveries[128:], deliveries[:128]):
        await desk.endpoints.on_orders_submitted(part)
    assert batches == [64, 64, 64, 8]
    assert await desk.statuses() == {order.order_id: "working" for order in orders if order.order_id not in denied}
    told = await desk.events()
    assert {UUID(event["order_id"]) for name, event in told if name == "order_refused"} == denied
    assert all("trading is halted" in event["reason"] for name, event in told if name == "order_refused")
    assert len(told) == len(orders)


async def test_fresh_orders_are_sent_while_risk_cannot_be_asked_about_one_that_died(desk: Desk) -> None:
    stale, fresh = desk.terms(), [desk.terms() for _ in range(3)]
    deliveries = [
        desk.submitted(stale, approve(stale, desk.clock, ttl=EXPIRED)),
        *(desk.submitted(terms) for terms in fresh),
    ]
    with pytest.raises(AlphintraError, match="RISK_UNAVAILABLE"):
        await desk.endpoints.on_orders_submitted(deliveries)
    assert await desk.statuses() == {terms.order_id: "working" for terms in fresh}


async def test_an_approval_that_dies_while_others_are_asked_for_is_renewed_again(desk: Desk) -> None:
    async def renew(command: RenewApproval) -> Assessment:
        fresh = assessment(command, approve(command.terms, desk.clock))
        if len(desk.renewals) == 1:
            desk.clock.pass_time(seconds=6)
        return fresh

    await desk.risk_answers(renew)
    terms = desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(terms, approve(terms, desk.clock, ttl=EXPIRED)))
    assert len(desk.renewals) == 2
    assert await desk.statuses() == {terms.order_id: "working"}


async def test_an_expired_order_waits_while_risk_is_out_of_reach(desk: Desk) -> None:
    async def renew(command: RenewApproval) -> Assessment:
        return assessment(command, approve(command.terms, desk.clock))

    terms = desk.terms()
    delivery = desk.submitted(terms, approve(terms, desk.clock, ttl=EXPIRED))
    for _ in range(2):
        with pytest.raises(AlphintraError, match="RISK_UNAVAILABLE"):
            await desk.endpoints.on_order_submitted(delivery)
    assert (await desk.told(), await desk.statuses()) == ([], {})
    await desk.risk_answers(renew)
    await desk.endpoints.on_order_submitted(delivery)
    assert await desk.told() == ["order_acknowledged"]


@pytest.mark.parametrize("epochs", [(5,), (5, 3), (3, 5)], ids=str)
async def test_an_approval_from_before_a_block_is_dead(desk: Desk, epochs: tuple[int, ...]) -> None:
    for epoch in epochs:
        await desk.endpoints.on_kill_state_changed(desk.kill_changed(epoch))
    terms = desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(terms, approve(terms, desk.clock, epoch=4)))
    assert (await refusal_of(desk))["code"] == "KILL_ACTIVE"


async def test_a_release_does_not_revive_approvals_from_before_the_block(desk: Desk) -> None:
    await desk.endpoints.on_kill_state_changed(desk.kill_changed(5))
    await desk.endpoints.on_kill_state_changed(desk.kill_changed(6, state="normal"))
    old, new = desk.terms(), desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(old, approve(old, desk.clock, epoch=4)))
    await desk.endpoints.on_order_submitted(desk.submitted(new, approve(new, desk.clock, epoch=6)))
    assert await desk.told() == ["order_refused", "order_acknowledged"]


async def test_a_block_of_another_account_stops_nothing(desk: Desk) -> None:
    await desk.endpoints.on_kill_state_changed(desk.kill_changed(5, account_id=new_id()))
    await desk.place()
    await desk.endpoints.on_kill_state_changed(desk.kill_changed(6, account_id=desk.account_id))
    await desk.place()
    assert await desk.told() == ["order_acknowledged", "order_canceled", "order_refused"]


@pytest.mark.parametrize("state", ["cancel_only", "halted"])
async def test_an_order_that_came_before_the_block_was_heard_is_taken_off_its_venue(desk: Desk, state: str) -> None:
    orders = [await desk.place() for _ in range(2)]
    delivery = desk.kill_changed(5, state=state)
    for _ in range(2):
        await desk.endpoints.on_kill_state_changed(delivery)
    assert await desk.statuses() == {order.order_id: "canceled" for order in orders}
    assert await desk.told() == ["order_acknowledged"] * 2 + ["order_canceled"] * 2
    assert await desk.counted_as_working() == 0


async def test_orders_go_on_working_where_only_new_ones_are_blocked(desk: Desk) -> None:
    await desk.place()
    await desk.endpoints.on_kill_state_changed(desk.kill_changed(5, state="reduce_only"))
    await desk.endpoints.on_kill_state_changed(desk.kill_changed(6, account_id=new_id()))
    assert await desk.told() == ["order_acknowledged"]


async def test_no_order_works_after_a_block_however_they_meet(desk: Desk) -> None:
    deliveries = [desk.submitted(desk.terms()) for _ in range(12)]
    sends = [desk.endpoints.on_order_submitted(delivery) for delivery in deliveries]
    await asyncio.gather(*sends[:6], desk.endpoints.on_kill_state_changed(desk.kill_changed(5)), *sends[6:])
    assert await desk.counted_as_working() == 0
    assert set(await desk.told()) <= {"order_acknowledged", "order_canceled", "order_refused"}


async def test_a_live_account_is_not_connected_and_its_orders_are_refused(desk: Desk) -> None:
    account_id = new_id()
    await desk.endpoints.on_account_opened(desk.account_opened(account_id=account_id, mode=AccountMode.LIVE))
    assert len(await desk.rows("select 1 from connections")) == 1
    terms = msgspec.structs.replace(desk.terms(), account_id=account_id)
    await desk.endpoints.on_order_submitted(desk.submitted(terms))
    assert (await refusal_of(desk))["code"] == "BROKER_NO_CONNECTION"


async def test_an_approved_order_that_no_venue_could_work_is_refused(desk: Desk) -> None:
    terms = msgspec.structs.replace(desk.terms(), limit_price=Decimal(5))
    await desk.endpoints.on_order_submitted(desk.submitted(terms))
    assert (await refusal_of(desk))["code"] == "ORDER_FIELD_FORBIDDEN"


@pytest.mark.parametrize(
    "point",
    [
        "broker.approval_examined",
        "broker.intent_stored",
        "broker.venue_answered",
        "broker.answer_stored",
        "broker.answer_committed",
    ],
)
async def test_a_crash_anywhere_while_sending_neither_loses_nor_doubles_the_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    delivery = desk.submitted(desk.terms())
    with monkeypatch.context() as crashing:
        for module in (sending, sending_many):
            stop_at(crashing, module, point)
        with pytest.raises(PowerCutError):
            await desk.endpoints.on_order_submitted(delivery)
    sent = point == "broker.answer_committed"
    assert await desk.told() == (["order_acknowledged"] if sent else [])
    await desk.endpoints.on_order_submitted(delivery)
    assert await desk.told() == ["order_acknowledged"]
    assert await desk.counted_as_working() == 1


async def test_every_answer_is_audited_with_its_order(desk: Desk) -> None:
    sent, refused = await desk.place(), desk.terms()
    await desk.endpoints.on_order_submitted(desk.submitted(refused, approve(sent, desk.clock, key=RISK_KEY)))
    rows = await desk.rows("select action, object from audit_events where action like 'order.%' order by recorded_at")
    assert [(row["action"], row["object"]) for row in rows] == [
        ("order.send", f"order:{sent.order_id}"),
        ("order.refuse", f"order:{refused.order_id}"),
    ]
