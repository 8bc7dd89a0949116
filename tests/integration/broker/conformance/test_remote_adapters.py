"""What an adapter owes whose venue is elsewhere: answers get lost, reports come twice, late, altered or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog

from alphintra.contracts.broker import CheckConnection, GetConnection
from alphintra.kernel.errors import AlphintraError
from fixtures.waiting import until
from integration.broker.conformance.benches import executed, reaches, told

if TYPE_CHECKING:
    from alphintra.contracts.approval import OrderTerms
    from integration.broker.conformance.remote import RemoteBench

TRIALS = 12
MANY_TRIALS = 1000


async def placed(remote: RemoteBench, *, status: str = "working") -> OrderTerms:
    """Have an order come so far; returns its terms."""
    terms = remote.terms()
    await remote.submit(terms)
    await reaches(remote, terms.order_id, status)
    return terms


@pytest.mark.parametrize(
    "trials", [TRIALS, pytest.param(MANY_TRIALS, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
async def test_orders_whose_answers_are_lost_are_there_exactly_once(remote: RemoteBench, trials: int) -> None:
    remote.worsen(lost_ack=1.0)
    orders = [remote.terms() for _ in range(trials)]
    for terms in orders:
        await remote.submit(terms)
    async with remote.keeping():
        for terms in orders:
            await reaches(remote, terms.order_id, "working", seconds=60 + trials)
    assert await remote.at_venue() == {terms.order_id: 1 for terms in orders}
    assert await told(remote, orders[0].order_id) == ["order_uncertain", "order_acknowledged"]
    assert await remote.desk.codes() == []


async def test_an_order_that_never_arrived_is_sent_again_under_the_same_id(remote: RemoteBench) -> None:
    async with remote.keeping():
        remote.answer_next_order("lost")
        terms = await placed(remote)
    assert (remote.orders_sent(), await remote.at_venue()) == (2, {terms.order_id: 1})
    assert await told(remote, terms.order_id) == ["order_uncertain", "order_acknowledged"]


async def test_each_answer_to_an_order_is_a_decision_or_asked_for_again(remote: RemoteBench) -> None:
    async with remote.keeping():
        for how in ("429", "500", "html", "half"):
            remote.answer_next_order(how)
            terms = await placed(remote)
            assert (await told(remote, terms.order_id))[-1] == "order_acknowledged"
        remote.answer_next_order("funds")
        refused = await placed(remote, status="rejected")
    (event,) = [event for name, event in await remote.events() if event.get("order_id") == str(refused.order_id)]
    assert event["code"] == "VENUE_REJECTED"
    assert "nsufficient" in event["reason"]
    assert (len(await remote.at_venue()), set((await remote.at_venue()).values())) == (4, {1})


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_lost_late_doubled_or_disordered_adds_up_to_what_was_executed(
    remote: RemoteBench, seed: int
) -> None:
    remote.reseed(seed)
    remote.desk.reconcile = timedelta(seconds=0.3)
    orders = [remote.terms() for _ in range(10)]
    async with remote.keeping():
        remote.worsen(**remote.quiet_faults)
        for terms in orders:
            await remote.submit(terms)
        for terms in orders:
            await reaches(remote, terms.order_id, "working")
            for qty in ("3", "2", "5"):
                await remote.fill(terms, qty)
        for terms in orders:
            await reaches(remote, terms.order_id, "filled")
    assert await remote.at_venue() == {terms.order_id: 1 for terms in orders}
    for terms in orders:
        assert sorted(await executed(remote, terms.order_id)) == [2, 3, 5]
    fills = await remote.desk.rows("select qty from live_executions")
    assert sum(fill["qty"] for fill in fills) == remote.filled_at_venue() == 100
    assert await remote.desk.codes() == []


async def test_an_execution_after_the_cancellation_is_booked_and_flagged(remote: RemoteBench) -> None:
    async with remote.keeping():
        terms = await placed(remote)
        await remote.cancel(terms.order_id)
        await reaches(remote, terms.order_id, "canceled")
        await remote.fill(terms, "4")
        await _finds(remote, "LATE_FILL")
    names = [name for name in await told(remote, terms.order_id) if name != "break_found"]
    assert names == ["order_acknowledged", "order_canceled", "execution_reported"]
    assert await remote.status(terms.order_id) == "canceled"


async def test_more_than_was_ordered_is_booked_flagged_and_stops_all_but_reducing(remote: RemoteBench) -> None:
    remote.desk.reconcile = timedelta(seconds=0.2)
    async with remote.keeping():
        terms = await placed(remote)
        await remote.fill(terms, "11")
        await _finds(remote, "OVERFILL")
        await remote.desk.link_reaches("reconciling")
        waiting, reducing = remote.terms(), remote.terms(side="sell", reduce_only=True)
        for each in (waiting, reducing):
            await remote.submit(each)
        await reaches(remote, reducing.order_id, "working")
        assert await remote.status(waiting.order_id) == "queued"
    assert await executed(remote, terms.order_id) == [11]


@pytest.mark.parametrize("is_filled", [False, True], ids=["order", "execution"])
async def test_what_somebody_else_did_at_the_venue_is_found_once_and_moves_no_book(
    remote: RemoteBench,
    is_filled: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    await remote.external(is_filled=is_filled)
    tables = ("breaks", "live_orders", "live_executions")
    assert not await remote.desk.reconciled()
    first = await remote.desk.fingerprint(*tables)
    assert not await remote.desk.reconciled()
    assert await remote.desk.fingerprint(*tables) == first
    assert "EXTERNAL_ORDER" in await remote.desk.codes()
    assert [name for name, _ in await remote.events() if name == "execution_reported"] == []


async def test_executions_missed_while_nobody_listened_are_found_at_the_start(remote: RemoteBench) -> None:
    async with remote.keeping():
        whole, half = await placed(remote), await placed(remote)
    await remote.fill_untold(whole, "10")
    await remote.fill_untold(half, "4")
    async with remote.keeping():
        await reaches(remote, whole.order_id, "filled")
        await remote.fill(half, "6")
        await reaches(remote, half.order_id, "filled")
    assert sorted(await executed(remote, half.order_id)) == [4, 6]
    assert await remote.desk.codes() == []


async def test_a_cancellation_passes_orders_that_wait_for_the_rate_limit(remote: RemoteBench) -> None:
    remote.desk.offers["requests_per_minute"] = 60
    async with remote.keeping():
        terms = await placed(remote)
        crowd = [remote.terms() for _ in range(60)]
        for each in crowd:
            await remote.submit(each)
        await remote.cancel(terms.order_id)
        await reaches(remote, terms.order_id, "canceled")
        statuses = [await remote.status(each.order_id) for each in crowd]
    assert "queued" in statuses


async def test_refused_keys_expire_the_connection_and_new_ones_bring_it_back(remote: RemoteBench) -> None:
    desk = remote.desk
    async with remote.keeping():
        await desk.link_reaches("open")
        remote.refuse_keys(are_refused=True)
        await remote.hang_up()
        await desk.link_reaches("expired")
        checked = await desk.links.check_connection(CheckConnection(account_id=desk.account_id), desk.owner)
        waiting = remote.terms()
        await remote.submit(waiting)
        remote.refuse_keys(are_refused=False)
        await desk.links.add_connection(desk.wanted(), desk.owner)
        await reaches(remote, waiting.order_id, "working")
    assert (checked.is_ok, checked.code) == (False, "VENUE_AUTH")
    assert await told(remote, waiting.order_id) == ["order_acknowledged"]


async def test_credentials_are_nowhere_but_encrypted(remote: RemoteBench) -> None:
    desk = remote.desk
    with structlog.testing.capture_logs() as logged:
        async with remote.keeping():
            await placed(remote)
            for how in ("500", "funds"):
                remote.answer_next_order(how)
                await remote.submit(remote.terms())
            await desk.link_reaches("open")
            remote.refuse_keys(are_refused=True)
            await remote.hang_up()
            await desk.link_reaches("expired")
        with pytest.raises(AlphintraError) as refused:
            await desk.links.add_connection(desk.wanted(credentials={"key_id": remote.key_id}), desk.owner)
    tables = ("links", "link_credentials", "event_log", "audit_events", "breaks", "live_orders")
    stored = await desk.fingerprint(*tables)
    seen = "\n".join([*stored, str(logged), str(desk.wanted()), str(refused.value)])
    assert len(stored) > len(tables)
    assert remote.secret not in seen
    assert remote.secret.encode().hex() not in seen


async def test_what_the_venue_can_do_is_shown(remote: RemoteBench) -> None:
    command = GetConnection(account_id=remote.desk.account_id)
    offered = (await remote.desk.endpoints.get_connection(command, remote.desk.owner)).capabilities
    assert offered is not None
    assert {"market", "limit"} <= set(offered.types)
    assert remote.unsupported().time_in_force not in offered.times_in_force
    assert offered.finds_by_client_order_id


async def _finds(remote: RemoteBench, code: str) -> None:
    async def is_there() -> bool:
        return code in await remote.desk.codes()

    await until(is_there, seconds=45)
