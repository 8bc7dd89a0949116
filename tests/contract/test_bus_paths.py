"""A caller cannot tell whether a service answers in its own process or over NATS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import pytest_asyncio

from alphintra.contracts.trading import GetAccount
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Command, Context, reply_type, subject_of, tag_of
from alphintra.manifest import EDGE_ASKS, INSPECTOR, SCHEDULER, SCHEDULER_ASKS, SERVICE_NAMES, SERVICES
from contract.samples import COMMANDS, sample

if TYPE_CHECKING:
    from fixtures.nats import NatsServer

ADA = sample(GetAccount).account_id
CONTEXT = Context(
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    actor=Actor(id=f"user:{ADA}", user_id=ADA, roles=("trader",), scopes=("read", "trade")),
)
Answer: TypeAlias = Callable[[Command[Any], Context], Any]


class Pair:
    """One service answering twice, in this process and over NATS, and callers of both."""

    def __init__(self, server: NatsServer, closing: AsyncExitStack) -> None:
        self._server = server
        self._closing = closing
        self.directory = LocalDirectory()
        self.heard: dict[str, list[tuple[Command[Any], Context]]] = {"local": [], "nats": []}

    async def answer(self, service: str, answer: Answer) -> None:
        """Answer every command of a service with what the function returns or raises."""
        for path in ("local", "nats"):
            bus = await self._bus(service, path)
            for command in (one for one in COMMANDS if tag_of(one).startswith(f"{service}.")):
                bus.answer(command, partial(self._handle, path, answer))
            await bus.start()

    async def caller(self, name: str, path: str) -> Bus:
        return await self._bus(name, path)

    async def _handle(self, path: str, answer: Answer, command: Command[Any], context: Context) -> object:
        self.heard[path].append((command, context))
        return answer(command, context)

    async def _bus(self, name: str, path: str) -> Bus:
        beside = {"edge": EDGE_ASKS, SCHEDULER: SCHEDULER_ASKS}
        declared = beside.get(name) or (SERVICES[name].asks if name in SERVICES else ())
        asks = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in declared)
        if path == "local":
            return Bus(name=name, asks=asks, local=self.directory, nats=None)
        login = self._server.login(name)
        link = await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed))
        bus = Bus(name=name, asks=asks, local=LocalDirectory(), nats=link)
        self._closing.push_async_callback(bus.close)
        return bus


@pytest_asyncio.fixture
async def pair(nats_server: NatsServer) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as closing:
        yield Pair(nats_server, closing)


def asker_of(command: type[Command[Any]]) -> str:
    """Return who sends a command: the edge, the scheduler, or the first service that declares it."""
    service, _, name = subject_of(command).split(".")
    ask = f"{service}.{name}"
    if ask in SCHEDULER_ASKS:
        return SCHEDULER
    return "edge" if ask in EDGE_ASKS else next(spec.name for spec in SERVICES.values() if ask in spec.asks)


async def outcome_of(bus: Bus, command: Command[Any]) -> object:
    """Return a reply, or the parts of the failure."""
    try:
        return await bus.ask(command, CONTEXT)
    except AlphintraError as error:
        return error.code, error.detail, error.kind, error.pointer


async def outcomes_of(pair: Pair, command: Command[Any]) -> tuple[object, object]:
    asker = asker_of(type(command))
    local, remote = await pair.caller(asker, "local"), await pair.caller(asker, "nats")
    return await outcome_of(local, command), await outcome_of(remote, command)


@pytest.mark.parametrize("service", [*SERVICE_NAMES, INSPECTOR])
async def test_every_command_and_reply_arrives_whole_on_both_paths(pair: Pair, service: str) -> None:
    commands = [one for one in COMMANDS if tag_of(one).startswith(f"{service}.")]
    await pair.answer(service, lambda command, _context: sample(reply_type(type(command))))
    askers = {asker_of(command) for command in commands}
    callers = {(name, path): await pair.caller(name, path) for name in askers for path in ("local", "nats")}
    for command in commands:
        for path in ("local", "nats"):
            reply = await callers[asker_of(command), path].ask(sample(command), CONTEXT)
            assert reply == sample(reply_type(command)), (path, tag_of(command))
    expected = [(sample(command), CONTEXT) for command in commands]
    assert pair.heard == {"local": expected, "nats": expected}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.BUG])
async def test_a_refusal_arrives_with_code_sentence_kind_and_pointer(pair: Pair, kind: Kind) -> None:
    def refuse(_command: Command[Any], _context: Context) -> None:
        raise AlphintraError(
            "ACCOUNT_CLOSED", "the account is closed: open another one (é)", kind=kind, pointer="/a~1b"
        )

    await pair.answer("trading", refuse)
    expected = ("ACCOUNT_CLOSED", "the account is closed: open another one (é)", kind, "/a~1b")
    assert await outcomes_of(pair, sample(GetAccount)) == (expected, expected)


async def test_an_unforeseen_failure_is_told_without_its_reason(pair: Pair) -> None:
    def fail(_command: Command[Any], _context: Context) -> None:
        message = "a secret of the service"
        raise RuntimeError(message)

    await pair.answer("trading", fail)
    local, remote = await outcomes_of(pair, sample(GetAccount))
    assert local == remote
    assert isinstance(local, tuple)
    assert (local[0], local[2]) == ("INTERNAL", Kind.BUG)
    assert "secret" not in local[1]


async def test_a_service_that_is_not_there_is_unavailable(pair: Pair) -> None:
    local, remote = await outcomes_of(pair, sample(GetAccount))
    assert local == remote
    assert isinstance(local, tuple)
    assert (local[0], local[2]) == ("TRADING_UNAVAILABLE", Kind.UNAVAILABLE)


async def test_a_command_that_is_not_declared_is_denied_before_it_is_sent(pair: Pair) -> None:
    await pair.answer("trading", lambda command, _context: sample(reply_type(type(command))))
    for path in ("local", "nats"):
        bus = await pair.caller("notification", path)
        outcome = await outcome_of(bus, sample(GetAccount))
        assert isinstance(outcome, tuple)
        assert (outcome[0], outcome[2]) == ("SUBJECT_DENIED", Kind.FORBIDDEN)
    assert pair.heard == {"local": [], "nats": []}


async def test_the_outcomes_of_a_batch_come_in_its_order_and_one_refusal_leaves_the_others(pair: Pair) -> None:
    account = sample(reply_type(GetAccount))
    requests = [(GetAccount(account_id=key), CONTEXT) for key in (ADA, account.owner_id, ADA)]

    def answer(command: Command[Any], _context: Context) -> object:
        assert isinstance(command, GetAccount)
        if command.account_id == ADA:
            return account
        raise AlphintraError("ACCOUNT_NOT_FOUND", "there is no such account", kind=Kind.NOT_FOUND)

    await pair.answer("trading", answer)
    for path in ("local", "nats"):
        first, second, third = await (await pair.caller("edge", path)).ask_many(requests)
        assert (first, third) == (account, account)
        assert isinstance(second, AlphintraError)
        assert (second.code, second.kind) == ("ACCOUNT_NOT_FOUND", Kind.NOT_FOUND)
