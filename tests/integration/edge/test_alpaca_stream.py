"""Trade updates over a real server and a real bus: who hears what, in which form, and what happens to who is slow."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from alphintra.contracts.auth import ApiKeyPrincipal, VerifyApiKey
from alphintra.contracts.books import ExecutionView
from alphintra.contracts.orders import AccountsView, AccountView, OrderView
from alphintra.contracts.trading import FillBooked, ListAccounts, OrderClosed, OrderUpdated
from alphintra.edge.alpaca import stream, updates
from alphintra.edge.alpaca.updates import HEARD
from alphintra.edge.app import build_app
from alphintra.edge.server import serve
from alphintra.edge.settings import EdgeSettings
from alphintra.infrastructure import event_tap
from alphintra.infrastructure.bus import Bus
from alphintra.infrastructure.event_tap import EventTap
from alphintra.infrastructure.events import encode_event
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats, flushed
from alphintra.infrastructure.system import SystemClock, SystemIds
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context, Event, subject_of
from alphintra.kernel.vocabulary import AccountMode, OrderClass, OrderStatus, TimeInForce
from alphintra.manifest import EDGE_ASKS
from fixtures.edge import MOMENT, SOME_ID, USER_ID, AnsweringServices, sample

if TYPE_CHECKING:
    from nats.aio.client import Client

    from fixtures.nats import NatsServer

ORDER: Final[OrderView] = sample(OrderView)
DEADLINE_S: Final = 120.0
SUBJECTS: Final = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in EDGE_ASKS)
CONTEXT: Final = Context(trace_id="0" * 32, actor=Actor(id="service:trading"))
CREDENTIALS: Final = {"action": "authenticate", "data": {"key_id": "key1", "secret_key": "secret1"}}
LISTEN: Final = {"action": "listen", "data": {"streams": ["trade_updates"]}}


@dataclass(slots=True)
class Running:
    """An edge on a port of its own, and trading's voice."""

    url: str
    services: AnsweringServices
    trading: Client
    edge: Client
    account_id: UUID

    async def tell(self, event: Event, *, event_id: UUID | None = None) -> None:
        """Publish an event as trading's relay does."""
        event_id = event_id or SystemIds().new()
        payload = encode_event(event, event_id=event_id, aggregate_id=SOME_ID, context=CONTEXT, at=MOMENT)
        await self.trading.publish(subject_of(type(event)), payload.encode())

    async def listening(self, **options: Any) -> ClientConnection:  # noqa: ANN401 - of the client
        """Return a client that hears trade updates."""
        client = await connect(self.url, **options)
        assert await said(client, CREDENTIALS) == {
            "stream": "authorization",
            "data": {"status": "authorized", "action": "authenticate"},
        }
        assert await said(client, LISTEN) == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        return client

    def order(self, status: OrderStatus, **changes: Any) -> OrderView:  # noqa: ANN401 - any field
        """Return an order of the account."""
        plain = {"time_in_force": TimeInForce.DAY, "order_class": OrderClass.SIMPLE, "legs": ()}
        return msgspec.structs.replace(ORDER, **{**plain, "account_id": self.account_id, "status": status, **changes})

    def fill(self, status: OrderStatus, **changes: Any) -> FillBooked:  # noqa: ANN401 - any field
        """Return a fill of an order of the account."""
        execution: ExecutionView = sample(ExecutionView)
        return FillBooked(
            owner_id=USER_ID,
            execution=msgspec.structs.replace(execution, account_id=self.account_id, **changes),
            order_status=status,
            account_qty=Decimal("7.5"),
            cash=Decimal(1),
            order=self.order(status),
        )


async def said(client: ClientConnection, message: object) -> Any:  # noqa: ANN401 - JSON
    await client.send(json.dumps(message))
    return await heard(client)


async def heard(client: ClientConnection) -> Any:  # noqa: ANN401 - JSON
    return json.loads(await asyncio.wait_for(client.recv(), DEADLINE_S))


async def _drain(client: ClientConnection) -> None:
    while True:
        await client.recv()


async def closing(client: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(_drain(client), DEADLINE_S)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.fixture
async def running(nats_server: NatsServer) -> AsyncIterator[Running]:
    services = AnsweringServices()
    await services.bus.start()
    account_id = SystemIds().new()
    account: AccountView = sample(AccountView)
    account = msgspec.structs.replace(account, account_id=account_id, mode=AccountMode.PAPER)
    services.replies[ListAccounts] = AccountsView(accounts=(account,))
    links = []
    for user in ("edge", "trading"):
        login = nats_server.login(user)
        links.append(await connect_nats(NatsCredentials(url=login.url, user=user, seed=login.seed)))
    edge, trading = links
    bus = Bus(name="edge", asks=SUBJECTS, local=services.directory, nats=edge)
    app = build_app(
        bus=bus,
        settings=EdgeSettings(version="1"),
        clock=SystemClock(),
        ids=SystemIds(),
        tap=EventTap(edge, HEARD),
    )
    server = await serve(app, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.address[1]}/alpaca/stream"
    yield Running(url, services, trading, edge, account_id)
    await server.stop()
    await trading.close()
    await bus.close()


async def test_updates_of_the_account_come_in_order_and_in_alpacas_shape(running: Running) -> None:
    client = await running.listening()
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)))
    await running.tell(running.fill(OrderStatus.PARTIALLY_FILLED, execution_id="venue-1"))
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.PARTIALLY_FILLED)))
    await running.tell(running.fill(OrderStatus.FILLED, execution_id=str(SOME_ID)))
    await running.tell(OrderClosed(owner_id=USER_ID, order=running.order(OrderStatus.FILLED)))
    await running.tell(OrderClosed(owner_id=USER_ID, order=running.order(OrderStatus.CANCELED)))
    told = [await heard(client) for _ in range(4)]
    assert [one["stream"] for one in told] == ["trade_updates"] * 4
    assert [one["data"]["event"] for one in told] == ["new", "partial_fill", "fill", "canceled"]
    fill = told[2]["data"]
    assert fill["execution_id"] == str(SOME_ID)
    assert UUID(told[1]["data"]["execution_id"])
    assert (fill["price"], fill["qty"], fill["position_qty"]) == ("12.25", "12.25", "7.5")
    assert fill["timestamp"] == "2026-03-02T09:30:00Z"
    assert (fill["order"]["status"], fill["order"]["symbol"]) == ("filled", "text")
    await client.close()


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (OrderStatus.HELD, "held"),
        (OrderStatus.PENDING_CANCEL, "pending_cancel"),
        (OrderStatus.PENDING_REPLACE, "pending_replace"),
        (OrderStatus.SUSPENDED, "suspended"),
        (OrderStatus.DONE_FOR_DAY, "done_for_day"),
        (OrderStatus.EXPIRED, "expired"),
        (OrderStatus.REJECTED, "rejected"),
        (OrderStatus.REPLACED, "replaced"),
    ],
)
def test_each_state_is_told_by_its_word(status: OrderStatus, word: str) -> None:
    order = msgspec.structs.replace(ORDER, status=status)
    told = updates.update_of(OrderUpdated(owner_id=USER_ID, order=order), SOME_ID)
    assert told is not None
    assert (told[0], told[1]["event"]) == (order.account_id, word)


async def test_updates_of_other_accounts_and_before_listening_do_not_come(running: Running) -> None:
    client = await connect(running.url)
    await said(client, CREDENTIALS)
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)))
    await flushed(running.trading)
    await flushed(running.edge)
    await said(client, LISTEN)
    await running.tell(OrderClosed(owner_id=USER_ID, order=running.order(OrderStatus.EXPIRED, account_id=SOME_ID)))
    await running.tell(OrderClosed(owner_id=USER_ID, order=running.order(OrderStatus.CANCELED)))
    assert (await heard(client))["data"]["event"] == "canceled"
    await client.close()


async def test_an_event_published_twice_is_told_once(running: Running) -> None:
    client = await running.listening()
    event_id = SystemIds().new()
    for _ in range(2):
        await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)), event_id=event_id)
    await running.tell(OrderClosed(owner_id=USER_ID, order=running.order(OrderStatus.CANCELED)))
    assert [(await heard(client))["data"]["event"] for _ in range(2)] == ["new", "canceled"]
    await client.close()


async def test_events_that_share_a_letter_are_each_told(running: Running) -> None:
    client = await running.listening()
    orders = [running.order(status) for status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)]
    events = [OrderUpdated(owner_id=USER_ID, order=order) for order in orders]
    ids = SystemIds()
    packed = [
        encode_event(event, event_id=ids.new(), aggregate_id=SOME_ID, context=CONTEXT, at=MOMENT) for event in events
    ]
    await running.trading.publish(subject_of(OrderUpdated), f"[{','.join([packed[0], *packed])}]".encode())
    await running.tell(OrderClosed(owner_id=USER_ID, order=running.order(OrderStatus.CANCELED)))
    told = [(await heard(client))["data"]["event"]]
    while told[-1] != "canceled":
        told.append((await heard(client))["data"]["event"])
    assert told[0] == "new"
    assert told.count("new") == 1
    await client.close()


async def test_answers_are_binary_frames_and_msgpack_on_request(running: Running) -> None:
    client = await connect(running.url)
    await client.send(json.dumps(CREDENTIALS).encode())
    assert isinstance(await client.recv(), bytes)
    await client.close()
    packed = await connect(running.url, additional_headers={"Content-Type": "application/msgpack"})
    await packed.send(msgspec.msgpack.encode(CREDENTIALS))
    first = await packed.recv()
    assert isinstance(first, bytes)
    assert msgspec.msgpack.decode(first)["data"]["status"] == "authorized"
    await packed.send(msgspec.msgpack.encode(LISTEN))
    await packed.recv()
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)))
    update = await packed.recv()
    assert isinstance(update, bytes)
    assert msgspec.msgpack.decode(update)["data"]["order"]["id"] == str(SOME_ID)
    await packed.close()


@pytest.mark.parametrize(
    "message",
    [
        CREDENTIALS,
        {"action": "listen", "data": {"streams": ["trade_updates"]}},
        {"action": "authenticate", "data": {"key_id": 1, "secret_key": []}},
        {"action": "authenticate"},
        {},
    ],
)
async def test_who_does_not_prove_who_they_are_is_turned_away(running: Running, message: object) -> None:
    running.services.replies[VerifyApiKey] = AlphintraError("KEY_INVALID", "no", kind=Kind.UNAUTHENTICATED)
    client = await connect(running.url)
    told = await said(client, message)
    assert told["data"] == {"status": "unauthorized", "action": "authenticate"}
    assert await closing(client) == (1008, "unauthorized")


@pytest.mark.parametrize("message", ["", "{", "[]", '"text"', "[" * 9000, b"\xff\x00"])
async def test_nonsense_closes_the_connection(running: Running, message: str | bytes) -> None:
    client = await connect(running.url)
    await client.send(message)
    assert (await closing(client))[0] == 1008


async def test_a_message_beyond_the_bound_closes_the_connection(running: Running) -> None:
    client = await connect(running.url)
    await client.send("x" * 20_000)
    assert (await closing(client))[0] == 1009


async def test_silence_instead_of_credentials_is_not_waited_for(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "AUTHENTICATE_S_MAX", 0.05)
    client = await connect(running.url)
    assert await closing(client) == (1008, "auth timeout")


async def test_a_revoked_key_hears_no_more(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PROVE_AGAIN_S", 0.05)
    monkeypatch.setattr("alphintra.edge.guards.PROVEN_FOR", SystemClock().now() - SystemClock().now())
    client = await running.listening()
    running.services.replies[VerifyApiKey] = AlphintraError("KEY_INVALID", "no", kind=Kind.UNAUTHENTICATED)
    assert await closing(client) == (1008, "unauthorized")


async def test_a_page_of_another_origin_and_a_foreign_host_get_no_connection(running: Running) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(InvalidStatus) as refused:
            await connect(running.url, additional_headers=headers)
        assert refused.value.response.status_code == 403


async def test_a_slow_reader_is_cut_off_and_the_others_hear_everything(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "WAITING_MAX", 1000)
    slow = await running.listening(max_queue=1)
    quick = await running.listening()
    count = 3000
    found: list[str] = []
    filling = "x" * 8000  # more in all than the buffers of a connection hold

    async def collect() -> None:
        while len(found) < count:
            found.append((await heard(quick))["data"]["order"]["client_order_id"])

    collecting = asyncio.create_task(collect())
    for number in range(count):
        order = running.order(OrderStatus.NEW, client_order_id=f"{number}-{filling}")
        await running.tell(OrderUpdated(owner_id=USER_ID, order=order))
        if number % 100 == 0:
            await _until(partial(_has_come, found, number - 300))
    await collecting
    assert [text.partition("-")[0] for text in found] == [str(number) for number in range(count)]
    with pytest.raises(ConnectionClosed):  # without a word: it would not read that either
        await asyncio.wait_for(_drain(slow), DEADLINE_S)
    await quick.close()


def _has_come(found: list[str], count: int) -> bool:
    return len(found) >= count


async def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)


async def test_a_lost_bus_ends_the_connection_and_the_next_one_hears_later_events(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_tap, "LOOK_S", 0.02)
    client = await running.listening()
    await running.edge._transport.drain()  # type: ignore[union-attr] # its own connection, cut below
    running.edge._transport.close()  # type: ignore[union-attr]
    assert await closing(client) == (
        1012,
        "updates may have been missed: connect again and read your orders",
    )
    await _until(lambda: running.edge.is_connected)
    again = await running.listening()
    await running.tell(OrderClosed(owner_id=USER_ID, order=running.order(OrderStatus.CANCELED)))
    assert (await heard(again))["data"]["event"] == "canceled"
    await again.close()


async def test_nothing_is_heard_from_the_bus_while_nobody_listens(running: Running) -> None:
    def count() -> int:
        return len(running.edge._subs)

    before = count()
    client = await running.listening()
    other = await running.listening()
    assert count() == before + len(HEARD)
    await client.close()
    await running.tell(OrderClosed(owner_id=USER_ID, order=running.order(OrderStatus.CANCELED)))
    assert (await heard(other))["data"]["event"] == "canceled"
    await other.close()
    await _until(lambda: count() == before)


async def test_connections_of_an_account_are_bounded(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "LISTENERS_OF_ACCOUNT_MAX", 2)
    first, second = await running.listening(), await running.listening()
    third = await connect(running.url)
    await third.send(json.dumps(CREDENTIALS))
    assert await closing(third) == (1013, "connection limit exceeded")
    for client in (first, second):
        await client.close()


async def test_two_hundred_updates_a_second_reach_their_listener_soon(running: Running) -> None:
    client = await running.listening()
    count, rate = 600, 200
    waits: list[float] = []

    async def tell_all() -> None:
        for number in range(count):
            order = running.order(OrderStatus.NEW, client_order_id=repr(time.perf_counter()))
            await running.tell(OrderUpdated(owner_id=USER_ID, order=order))
            await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))

    started = time.perf_counter()
    teller = asyncio.create_task(tell_all())
    for _ in range(count):
        update = await heard(client)
        waits.append(time.perf_counter() - float(update["data"]["order"]["client_order_id"]))
    await teller
    assert sorted(waits)[count // 2] < 0.5  # a few milliseconds where nothing else runs
    await client.close()


async def test_a_key_without_the_right_to_read_hears_nothing(running: Running) -> None:
    nobody = ApiKeyPrincipal(user_id=USER_ID, role="trader", key_id="key1", scopes=(), mode="paper")
    running.services.replies[VerifyApiKey] = nobody
    client = await connect(running.url)
    assert (await said(client, CREDENTIALS))["data"]["status"] == "unauthorized"
    assert (await closing(client))[0] == 1008
