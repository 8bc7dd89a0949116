"""Questions between services: alike inside a process and over NATS, in success, refusal, bug, silence and stopping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest
import pytest_asyncio
import structlog

from alphintra.contracts.books import LedgerEntryView, LedgerView
from alphintra.contracts.trading import ListLedger
from alphintra.infrastructure import bus as bus_module
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats, flushed
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context
from fixtures.single_service import NOON

if TYPE_CHECKING:
    from nats.aio.client import Client

    from fixtures.nats import NatsServer

ASKS = frozenset({"trading.cmd.list_ledger", "trading.cmd.get_order"})
CONTEXT = Context(trace_id="a" * 32, actor=Actor(id="user:1", user_id=UUID(int=1), roles=("trader",)))
ACCOUNT = UUID(int=7)
Handle = Callable[[ListLedger, Context], Awaitable[LedgerView]]


def asking(number: int = 1) -> ListLedger:
    """Return a question that can be told from others."""
    return ListLedger(account_id=ACCOUNT, limit=number)


def answer(number: int) -> LedgerView:
    """Return an answer that can be told from others."""
    return LedgerView(entries=(), total=Decimal(number))


async def echo(command: ListLedger, _context: Context) -> LedgerView:
    """Answer with the number of the question."""
    return answer(command.limit)


@dataclass(slots=True)
class Ends:
    """The service that answers and the caller that asks."""

    trading: Bus
    edge: Bus
    links: tuple[Client, ...] = ()

    async def answering(self, handle: Handle) -> None:
        """Start the service with this answer."""
        self.trading.answer(ListLedger, handle)
        await self.trading.start()

    async def code(self, *, timeout_s: float = 5, number: int = 1) -> str:
        """Ask, and return the code of the refusal."""
        with pytest.raises(AlphintraError) as caught:
            await self.edge.ask(asking(number), CONTEXT, timeout_s=timeout_s)
        return caught.value.code


async def link(nats_server: NatsServer, user: str) -> Client:
    """Connect under a user's own key."""
    login = nats_server.login(user)
    return await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed))


@pytest_asyncio.fixture(params=["in one process", "over NATS"])
async def ends(request: pytest.FixtureRequest, nats_server: NatsServer) -> AsyncIterator[Ends]:
    if request.param == "in one process":
        local = LocalDirectory()
        made = Ends(
            trading=Bus(name="trading", asks=frozenset(), local=local, nats=None),
            edge=Bus(name="edge", asks=ASKS, local=local, nats=None),
        )
    else:
        made = await over_nats(nats_server)
    yield made
    await made.edge.close()
    await made.trading.close()


@pytest_asyncio.fixture
async def remote(nats_server: NatsServer) -> AsyncIterator[Ends]:
    made = await over_nats(nats_server)
    yield made
    await made.edge.close()
    await made.trading.close()


async def over_nats(nats_server: NatsServer) -> Ends:
    """Return two processes' ends of the bus."""
    links = (await link(nats_server, "trading"), await link(nats_server, "edge"))
    return Ends(
        trading=Bus(name="trading", asks=frozenset(), local=LocalDirectory(), nats=links[0]),
        edge=Bus(name="edge", asks=ASKS, local=LocalDirectory(), nats=links[1]),
        links=links,
    )


async def test_an_answer_arrives_as_it_was_given(ends: Ends) -> None:
    entry = LedgerEntryView(
        transaction_id=UUID(int=1),
        account_id=ACCOUNT,
        ledger_account="cash é \u2028",
        amount=Decimal("-999999999999999999.123456789"),
        currency="USD",
        booked_at=NOON,
    )
    given = LedgerView(entries=(entry, entry), total=Decimal("0E-9"))

    async def whole(command: ListLedger, context: Context) -> LedgerView:
        assert (command, context) == (asking(), CONTEXT)
        return given

    await ends.answering(whole)
    assert await ends.edge.ask(asking(), CONTEXT) == given


async def test_a_refusal_arrives_with_code_kind_and_place(ends: Ends) -> None:
    async def refuse(_command: ListLedger, _context: Context) -> LedgerView:
        raise AlphintraError("ACCOUNT_NOT_FOUND", "there is none", kind=Kind.NOT_FOUND, pointer="/account_id")

    await ends.answering(refuse)
    with pytest.raises(AlphintraError) as caught:
        await ends.edge.ask(asking(), CONTEXT)
    error = caught.value
    assert (error.code, error.detail, error.kind, error.pointer) == (
        "ACCOUNT_NOT_FOUND",
        "there is none",
        Kind.NOT_FOUND,
        "/account_id",
    )


async def test_a_bug_arrives_without_its_inside(ends: Ends) -> None:
    async def fail(_command: ListLedger, _context: Context) -> LedgerView:
        message = "the password is hunter2"
        raise RuntimeError(message)

    await ends.answering(fail)
    with pytest.raises(AlphintraError) as caught:
        await ends.edge.ask(asking(), CONTEXT)
    assert (caught.value.code, caught.value.kind) == ("INTERNAL", Kind.BUG)
    assert "hunter2" not in str(caught.value)


async def test_what_the_manifest_does_not_declare_cannot_be_asked(ends: Ends) -> None:
    await ends.answering(echo)
    outsider = Bus(name="user", asks=frozenset({"trading.cmd.get_order"}), local=ends.edge._local, nats=ends.edge._nats)
    with pytest.raises(AlphintraError) as caught:
        await outsider.ask(asking(), CONTEXT)
    assert (caught.value.code, caught.value.kind) == ("SUBJECT_DENIED", Kind.FORBIDDEN)


async def test_a_service_that_is_silent_or_gone_is_unavailable(ends: Ends) -> None:
    released = asyncio.Event()

    async def wait(_command: ListLedger, _context: Context) -> LedgerView:
        await released.wait()
        return answer(1)

    assert await ends.code() == "TRADING_UNAVAILABLE"
    await ends.answering(wait)
    assert await ends.code(timeout_s=0.05) == "TRADING_UNAVAILABLE"
    released.set()
    assert (await ends.edge.ask(asking(), CONTEXT)).total == 1
    await ends.trading.close()
    assert await ends.code() == "TRADING_UNAVAILABLE"


async def test_the_outcomes_of_a_batch_come_in_its_order_each_with_its_own_fate(ends: Ends) -> None:
    async def mixed(command: ListLedger, _context: Context) -> LedgerView:
        await asyncio.sleep(0)
        if command.limit % 3 == 0:
            raise AlphintraError("PAGE_LIMIT", "no")
        if command.limit == 10:
            message = "no"
            raise RuntimeError(message)
        return answer(command.limit)

    await ends.answering(mixed)
    outcomes = await ends.edge.ask_many([(asking(number), CONTEXT) for number in range(64)])
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, AlphintraError):
            assert outcome.code == ("INTERNAL" if number == 10 else "PAGE_LIMIT")
        else:
            assert outcome == answer(number)
    assert sum(isinstance(outcome, LedgerView) for outcome in outcomes) == 64 - 22 - 1


async def test_a_batch_handler_that_refuses_fails_or_miscounts_answers_every_message(ends: Ends) -> None:
    results: list[Any] = [
        AlphintraError("STORE_BUSY", "again", kind=Kind.UNAVAILABLE),
        RuntimeError("bug"),
        [answer(1)],
        [answer(number) for number in range(4)],
    ]

    async def each(requests: Sequence[tuple[ListLedger, Context]]) -> Sequence[Any]:
        assert len(requests) == 3
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return cast("list[LedgerView]", result)

    ends.trading.answer_many(ListLedger, each)
    await ends.trading.start()
    for wanted in ("STORE_BUSY", "INTERNAL", "INTERNAL", "INTERNAL"):
        outcomes = await ends.edge.ask_many([(asking(), CONTEXT)] * 3)
        assert [getattr(outcome, "code", "answered") for outcome in outcomes] == [wanted] * 3


async def test_more_than_a_batch_may_hold_is_a_bug_of_the_caller(ends: Ends) -> None:
    await ends.answering(echo)
    with pytest.raises(AlphintraError) as caught:
        await ends.edge.ask_many([(asking(), CONTEXT)] * 65)
    assert caught.value.code == "BATCH_TOO_LARGE"


async def test_beyond_its_bound_a_service_is_busy_and_recovers(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "IN_FLIGHT_MAX", 3)
    entered, released = asyncio.Semaphore(0), asyncio.Event()

    async def wait(command: ListLedger, _context: Context) -> LedgerView:
        entered.release()
        await released.wait()
        return answer(command.limit)

    await ends.answering(wait)
    held = [asyncio.create_task(ends.edge.ask(asking(number), CONTEXT)) for number in range(3)]
    for _ in held:
        await entered.acquire()
    assert await ends.code() == "BUSY"
    released.set()
    assert [(await task).total for task in held] == [0, 1, 2]
    assert (await ends.edge.ask(asking(9), CONTEXT)).total == 9


async def test_closing_answers_what_is_in_flight_and_nothing_after(ends: Ends) -> None:
    entered, released = asyncio.Event(), asyncio.Event()

    async def wait(command: ListLedger, _context: Context) -> LedgerView:
        entered.set()
        await released.wait()
        return answer(command.limit)

    await ends.answering(wait)
    asked = asyncio.create_task(ends.edge.ask(asking(5), CONTEXT))
    await entered.wait()
    closing = asyncio.create_task(ends.trading.close())
    await asyncio.sleep(0)
    assert not closing.done()
    released.set()
    assert (await asked).total == 5
    await closing
    assert await ends.code(timeout_s=1) == "TRADING_UNAVAILABLE"


async def test_closing_does_not_wait_for_ever(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "REQUEST_TIMEOUT_S", 0.1)
    entered = asyncio.Event()

    async def stuck(_command: ListLedger, _context: Context) -> LedgerView:
        entered.set()
        await asyncio.Event().wait()
        return answer(1)

    await ends.answering(stuck)
    asked = asyncio.create_task(ends.edge.ask(asking(), CONTEXT, timeout_s=0.4))
    await entered.wait()
    async with asyncio.timeout(1.5):
        await ends.trading.close()
    with pytest.raises(AlphintraError):
        await asked


async def test_the_trace_is_bound_while_a_command_is_answered(ends: Ends) -> None:
    bound: list[dict[str, Any]] = []

    async def note(command: ListLedger, _context: Context) -> LedgerView:
        bound.append(dict(structlog.contextvars.get_contextvars()))
        return answer(command.limit)

    await ends.answering(note)
    await ends.edge.ask(asking(), CONTEXT)
    assert bound == [{"trace_id": CONTEXT.trace_id, "actor": "user:1"}]
    assert structlog.contextvars.get_contextvars() == {}


async def test_a_subject_is_answered_once_in_a_process() -> None:
    local = LocalDirectory()
    first, second = (Bus(name="trading", asks=frozenset(), local=local, nats=None) for _ in range(2))
    for bus in (first, second):
        bus.answer(ListLedger, echo)
    await first.start()
    with pytest.raises(AlphintraError) as caught:
        await second.start()
    assert caught.value.code == "SUBJECT_TAKEN"


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"{}", b"[1]", b'[{"message":{}}]', b"\xff\xfe", b'[{"context":1,"message":2}]']
)
async def test_a_request_that_cannot_be_read_is_refused_and_the_service_goes_on(remote: Ends, body: bytes) -> None:
    await remote.answering(echo)
    reply = await remote.links[1].request("trading.cmd.list_ledger", body, timeout=5)
    assert b"MESSAGE_INVALID" in reply.data
    assert (await remote.edge.ask(asking(3), CONTEXT)).total == 3


async def test_one_message_that_cannot_be_read_does_not_harm_its_batch(remote: Ends) -> None:
    await remote.answering(echo)
    context = b'{"trace_id":"a","actor":{"id":"user:1"}}'
    account = f'"account_id":"{ACCOUNT}"'.encode()
    good = b'{"message":"trading.list_ledger.v1",' + account + b',"limit":%d}'
    messages = (good % 1, b'{"message":"trading.list_ledger.v1"}', good % 2, b'{"message":"x"}', b"7")
    body = b"[" + b",".join(b'{"context":%s,"message":%s}' % (context, message) for message in messages) + b"]"
    reply = await remote.links[1].request("trading.cmd.list_ledger", body, timeout=5)
    wanted = LedgerView
    outcomes = bus_module._outcomes(reply.data, 5, wanted)
    assert [
        getattr(outcome, "code", None) or str(outcome.total)  # type: ignore[union-attr] # one or the other
        for outcome in outcomes
    ] == [
        "1",
        "MESSAGE_INVALID",
        "2",
        "MESSAGE_INVALID",
        "MESSAGE_INVALID",
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'[{"ok":{}}]', b"[{}]", b'[{"ok":1},{"ok":2}]', b"<html>"])
async def test_what_is_no_answer_is_a_named_failure(remote: Ends, body: bytes) -> None:
    async def other(message: Any) -> None:  # noqa: ANN401 - of nats
        await message.respond(body)

    await remote.links[0].subscribe("trading.cmd.list_ledger", queue="trading", cb=other)
    await flushed(remote.links[0])
    assert await remote.code() == "REPLY_INVALID"


async def test_a_refused_batch_is_refused_message_by_message(remote: Ends) -> None:
    async def other(message: Any) -> None:  # noqa: ANN401 - of nats
        await message.respond(b'[{"problem":{"code":"MESSAGE_INVALID","detail":"newer","kind":"invalid"}}]')

    await remote.links[0].subscribe("trading.cmd.list_ledger", queue="trading", cb=other)
    await flushed(remote.links[0])
    outcomes = await remote.edge.ask_many([(asking(), CONTEXT)] * 3)
    assert [getattr(outcome, "code", "answered") for outcome in outcomes] == ["MESSAGE_INVALID"] * 3


async def test_what_does_not_fit_into_a_message_is_refused_with_its_reason(remote: Ends) -> None:
    entry = LedgerEntryView(
        transaction_id=UUID(int=1),
        account_id=ACCOUNT,
        ledger_account="x" * 200,
        amount=Decimal(1),
        currency="USD",
        booked_at=NOON,
    )

    async def vast(command: ListLedger, _context: Context) -> LedgerView:
        return LedgerView(entries=(entry,) * command.limit, total=Decimal(0))

    await remote.answering(vast)
    assert await remote.code(number=5000) == "REPLY_TOO_LARGE"
    assert len((await remote.edge.ask(asking(1000), CONTEXT)).entries) == 1000
    wide = Context(trace_id="a" * 1_100_000, actor=CONTEXT.actor)
    with pytest.raises(AlphintraError) as caught:
        await remote.edge.ask(asking(), wide)
    assert caught.value.code == "MESSAGE_TOO_LARGE"


async def test_without_a_connection_nothing_is_waited_for(remote: Ends) -> None:
    await remote.answering(echo)
    await remote.links[1].close()
    async with asyncio.timeout(1):
        assert await remote.code() == "TRADING_UNAVAILABLE"


async def test_two_instances_share_the_questions_and_one_may_leave(remote: Ends, nats_server: NatsServer) -> None:
    counted = [0, 0]

    def counting(instance: int) -> Handle:
        async def count(command: ListLedger, _context: Context) -> LedgerView:
            counted[instance] += 1
            return answer(command.limit)

        return count

    other = Bus(name="trading", asks=frozenset(), local=LocalDirectory(), nats=await link(nats_server, "trading"))
    other.answer(ListLedger, counting(1))
    await other.start()
    await remote.answering(counting(0))
    asked = [asyncio.create_task(remote.edge.ask(asking(number), CONTEXT)) for number in range(100)]
    await asked[0]
    await other.close()
    assert [(await task).total for task in asked] == list(range(100))
    before = counted[1]
    assert before > 0
    for number in range(20):
        await remote.edge.ask(asking(number), CONTEXT)
    assert (counted[1], sum(counted)) == (before, 120)
