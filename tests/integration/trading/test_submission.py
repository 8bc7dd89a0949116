"""Orders placed: once per client order id, only with risk's word, and the same one again after any crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest

from alphintra.contracts.broker import ConnectionOpened
from alphintra.contracts.orders import OrderView
from alphintra.contracts.risk import Assessment, AssessOrder, LimitsChanged
from alphintra.contracts.trading import GetOrder, OpenAccount
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import WORKING, OrderStatus, OrderType, Side
from alphintra.trading import endpoints, gateways
from alphintra.trading.service import submission
from fixtures.services import TRACE_ID, person_context
from fixtures.single_service import PowerCutError, stop_at
from integration.trading.desk import Answer, Desk, approved, new_id, refused, together, trading_desk

if TYPE_CHECKING:
    from fixtures.nats import NatsServer


async def test_an_order_risk_approves_is_stored_told_and_audited_at_once(desk: Desk) -> None:
    placed = await desk.place(type=OrderType.LIMIT, limit_price=Decimal("99.10"))
    assert (placed.status, placed.version, str(placed.limit_price)) == (OrderStatus.PENDING_NEW, 1, "99.1")
    assert await desk.told() == ["order_submitted"]
    assert await desk.ask(GetOrder(order_id=placed.order_id)) == placed
    (first,) = await desk.rows("select kind, status, version from order_events")
    assert tuple(first) == ("submitted", "pending_new", 1)
    (row,) = await desk.rows("select actor, object, trace_id from audit_events where action = 'order.submit'")
    assert tuple(row) == (f"user:{desk.owner_id}", f"order:{placed.order_id}", "0" * 31 + "1")
    assert await desk.value("select count(*) from outbox o join event_log e using (event_id)") == 2


async def test_an_order_is_stored_in_every_state_of_the_vocabulary_and_in_no_other(desk: Desk) -> None:
    placed = await desk.place()
    for status in OrderStatus:
        await desk.rows("update orders set status = $2 where order_id = $1", placed.order_id, status.value)
    for word in ("created", "pending_approval", "NEW", ""):
        with pytest.raises(asyncpg.CheckViolationError):
            await desk.rows("update orders set status = $2 where order_id = $1", placed.order_id, word)
    open_index = await desk.value("select pg_get_indexdef('trading_schema.orders_open_page_idx'::regclass)")
    assert {status for status in OrderStatus if f"'{status}'" in open_index} == WORKING


async def test_an_order_risk_refuses_is_stored_with_the_first_code_and_stays_refused(desk: Desk) -> None:
    desk.risk.decide = refused
    denied = await desk.place()
    assert (denied.status, denied.reason_code) == (OrderStatus.DENIED, "RISK_QTY_MAX")
    assert denied.reason == "RISK_QTY_MAX: at most 5"
    assert await desk.told() == ["order_denied"]
    desk.risk.decide = approved
    assert await desk.place() == denied
    assert len(desk.risk.batches) == 1


async def test_the_same_order_ten_times_at_once_is_one_order(desk: Desk) -> None:
    answers = await together(*(desk.place() for _ in range(10)))
    assert len({answer.order_id for answer in answers}) == 1
    assert await desk.told() == ["order_submitted"]


async def test_a_client_order_id_used_for_another_order_is_refused_even_at_the_same_moment(desk: Desk) -> None:
    first, other, same = await together(desk.place(), desk.place(qty=Decimal(11)), desk.place())
    assert isinstance(other, AlphintraError)
    assert (other.code, other.kind, other.pointer) == ("ORDER_ID_REUSED", Kind.CONFLICT, "/client_order_id")
    assert first == same
    assert await desk.refusal(desk.order(side=Side.SELL)) == "ORDER_ID_REUSED"
    assert await desk.value("select count(*) from orders") == 1


async def test_orders_that_queue_while_one_is_decided_share_the_next_decision(desk: Desk) -> None:
    decided, waiting = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        waiting.set()
        await decided.wait()

    desk.risk.before = hold
    first = asyncio.create_task(desk.place("c-0"))
    await waiting.wait()
    rest = [asyncio.create_task(desk.place(f"c-{n}")) for n in range(1, 100)]
    await asyncio.sleep(0)
    decided.set()
    await together(first, *rest)
    assert [len(batch) for batch in desk.risk.batches] == [1, 64, 35]
    sent = await desk.rows(
        "select payload::json #>> '{event,terms,client_order_id}' from event_log order by seq offset 1"
    )
    assert [row[0] for row in sent] == [f"c-{n}" for n in range(100)]


async def test_one_bad_decision_of_a_batch_does_not_touch_the_others(desk: Desk) -> None:
    unheard = AlphintraError("ACCOUNT_UNKNOWN", "not heard of yet", kind=Kind.UNAVAILABLE)
    answers: dict[str, Callable[[AssessOrder], Answer]] = {
        "c-1": lambda command: msgspec.structs.replace(approved(command), approval=None),
        "c-2": lambda _command: unheard,
        "c-3": refused,
    }
    desk.risk.decide = lambda command: answers.get(command.terms.client_order_id, approved)(command)
    outcomes = await together(*(desk.place(f"c-{n}") for n in range(5)))
    assert [getattr(outcome, "status", None) or outcome.code for outcome in outcomes] == [
        "pending_new",
        "RISK_PROTOCOL",
        "ACCOUNT_UNKNOWN",
        "denied",
        "pending_new",
    ]
    assert await desk.statuses() == {"c-0": "pending_new", "c-3": "denied", "c-4": "pending_new"}


async def test_without_risk_nothing_is_stored_and_a_repetition_succeeds(desk: Desk) -> None:
    def fails(_command: AssessOrder) -> Assessment:
        raise RuntimeError("risk's database is away")

    responder = desk.local.find("risk.cmd.assess_order")
    assert responder is not None
    desk.local.remove("risk.cmd.assess_order")
    assert await desk.refusal(desk.order()) == "RISK_UNAVAILABLE"
    desk.local.add("risk.cmd.assess_order", responder)
    desk.risk.decide = fails
    assert await desk.refusal(desk.order()) == "INTERNAL"
    assert await desk.statuses() == {}
    desk.risk.decide = approved
    await desk.place()
    assert await desk.statuses() == {"c-1": "pending_new"}


async def test_a_silent_risk_stores_nothing_and_does_not_stop_the_queue(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(gateways, "RISK_TIMEOUT_S", 0.05)
    desk.risk.before = never
    assert await desk.refusal(desk.order()) == "RISK_UNAVAILABLE"
    assert await desk.statuses() == {}
    desk.risk.before = None
    assert (await desk.place()).status is OrderStatus.PENDING_NEW


async def test_an_account_takes_orders_once_risk_and_broker_have_taken_it_up(desk: Desk) -> None:
    opened = await desk.ask(OpenAccount(name="New", starting_cash=Decimal(1), feed_id=new_id()))
    desk.account_id = opened.account_id
    assert (opened.status, await desk.refusal(desk.order())) == ("pending", "ACCOUNT_PENDING")
    await desk.tell(LimitsChanged(account_id=opened.account_id, version=1))
    assert await desk.refusal(desk.order()) == "ACCOUNT_PENDING"
    await desk.tell(ConnectionOpened(account_id=opened.account_id, adapter="paper"))
    assert (await desk.place()).status is OrderStatus.PENDING_NEW


async def test_other_peoples_accounts_look_as_if_they_were_not_there(desk: Desk) -> None:
    stranger = person_context("owner", "trader", user_id=new_id())
    await desk.place()
    for context in (stranger, Context(trace_id=TRACE_ID, actor=Actor(id="key:abc", roles=("owner",)))):
        assert await desk.refusal(desk.order(), context) == "ACCOUNT_NOT_FOUND"
        assert await desk.refusal(desk.order("c-2"), context) == "ACCOUNT_NOT_FOUND"
    desk.account_id = new_id()
    assert await desk.refusal(desk.order()) == "ACCOUNT_NOT_FOUND"
    assert await desk.statuses() == {"c-1": "pending_new"}


@pytest.mark.parametrize("point", ["trading.before_assess", "trading.assessed", "trading.before_commit"])
async def test_a_crash_before_the_commit_leaves_nothing_and_the_repetition_is_one_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    with monkeypatch.context() as armed:
        stop_at(armed, submission, point)
        with pytest.raises(PowerCutError):
            await submit_directly(desk)
    assert await desk.statuses() == {}
    placed = await desk.place()
    assert {order_id for batch in desk.risk.batches for order_id in batch} == {placed.order_id}
    assert await desk.told() == ["order_submitted"]


async def test_a_crash_after_the_commit_is_answered_with_the_order_that_was_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as armed:
        stop_at(armed, submission, "trading.committed")
        with pytest.raises(PowerCutError):
            await submit_directly(desk)
    stored = await desk.value("select order_id from orders")
    assert (await desk.place()).order_id == stored
    assert await desk.told() == ["order_submitted"]
    assert len(desk.risk.batches) == 1


async def submit_directly(desk: Desk) -> list[OrderView | AlphintraError]:
    """Submit the order past the queue, so that the crash reaches the test."""
    books = queue_of(desk)._books
    return await submission.submit_orders(
        [submission.read_order(desk.order(), desk.owner)],
        books=books,
        risk=gateways.RiskGateway(desk.host.bus),
        ids=desk.host.ids,
        at=desk.clock.now(),
    )


def queue_of(desk: Desk) -> endpoints.OrderQueue:
    """Return the order queue of the wired service."""
    (run,) = (task for name, task in desk.host._runs if name == "orders")
    queue = getattr(run, "__self__", None)
    assert isinstance(queue, endpoints.OrderQueue)
    return queue


class Meeting:
    """Holds the first who come until so many have; who comes later goes straight through."""

    def __init__(self, wanted: int) -> None:
        self._missing = wanted
        self._complete = asyncio.Event()

    async def join(self) -> None:
        """Wait for the others."""
        self._missing -= 1
        if self._missing <= 0:
            self._complete.set()
        await self._complete.wait()


async def test_two_instances_racing_for_the_same_orders_store_each_once(desk: Desk, nats_server: NatsServer) -> None:
    async with trading_desk(desk.database, nats_server) as second:
        second.owner_id, second.account_id = desk.owner_id, desk.account_id
        for turn in range(8):
            names = [f"c-{turn}-{n}" for n in range(64)]
            desk.risk.before = second.risk.before = Meeting(2).join
            asked = (*map(desk.place, names), *map(second.place, reversed(names)))
            answers = await together(*asked)
            assert [answer for answer in answers if not isinstance(answer, OrderView)] == []
            assert len({answer.order_id for answer in answers}) == 64
    assert len(await desk.told()) == 8 * 64


async def test_a_full_queue_refuses_and_recovers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    held = asyncio.Event()
    desk.risk.before = held.wait  # type: ignore[assignment] # its result does not matter
    monkeypatch.setattr(endpoints, "QUEUE_MAX", 2)
    asked = [asyncio.create_task(desk.place(f"c-{n}")) for n in range(10)]
    codes = await first_refusals(asked, 8)
    assert codes == ["BUSY"] * 8
    held.set()
    await together(*asked)
    assert len(await desk.statuses()) == 2
    assert (await desk.place("c-11")).status is OrderStatus.PENDING_NEW


async def first_refusals(tasks: list[asyncio.Task[OrderView]], count: int) -> list[str]:
    """Wait until so many have been refused, and return the codes."""
    async with asyncio.timeout(10):
        while sum(task.done() for task in tasks) < count:  # noqa: ASYNC110 - nothing signals a refusal
            await asyncio.sleep(0.01)
    errors = (task.exception() for task in tasks if task.done())
    return [error.code for error in errors if isinstance(error, AlphintraError)]


async def test_an_order_whose_caller_gave_up_in_the_queue_is_not_placed_late(desk: Desk) -> None:
    held, asked = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        asked.set()
        await held.wait()

    desk.risk.before = hold
    first = asyncio.create_task(desk.place("c-1"))
    await asked.wait()
    with pytest.raises(AlphintraError) as caught:
        await desk.edge.ask(desk.order("c-2"), desk.owner, timeout_s=0.05)
    assert caught.value.code == "TRADING_UNAVAILABLE"
    held.set()
    await first
    await desk.place("c-3")
    assert set(await desk.statuses()) == {"c-1", "c-3"}


async def test_orders_in_flight_are_answered_while_the_service_stops(desk: Desk) -> None:
    asked = asyncio.Event()

    async def hold() -> None:
        asked.set()
        for _turn in range(20):  # long enough for the service to begin to stop
            await asyncio.sleep(0.01)

    desk.risk.before = hold
    placing = asyncio.create_task(desk.place())
    await asked.wait()
    await desk.host.close()
    assert (await placing).status is OrderStatus.PENDING_NEW
    assert await desk.refusal(desk.order("c-2")) == "TRADING_UNAVAILABLE"
    assert await desk.statuses() == {"c-1": "pending_new"}
