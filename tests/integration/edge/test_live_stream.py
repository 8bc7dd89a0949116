"""The live stream over a real server and a real bus: who hears what, gaps, slow clients, sessions that end."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from alphintra.contracts.alerts import AlertView
from alphintra.contracts.auth import LogOut, SessionRevoked
from alphintra.contracts.notification import MessageDelivered
from alphintra.contracts.prices import ListPrices, PricesView, PriceView
from alphintra.contracts.risk import AlertRaised, KillStateChanged, KillStateView, LimitsChanged
from alphintra.contracts.strategy import BacktestView, FeedStatusChanged, GetBacktest
from alphintra.contracts.sweeps import GetSweep
from alphintra.contracts.trading import AccountOpened, CashBooked, OrderClosed, OrderUpdated
from alphintra.edge.live import mailbox, socket
from alphintra.edge.live.channels import HEARD
from alphintra.infrastructure import event_tap
from alphintra.infrastructure.nats_link import flushed
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Event, subject_of
from alphintra.kernel.vocabulary import AccountMode, OrderStatus
from alphintra.manifest import EDGE_HEARS
from fixtures.edge import MOMENT, SOME_ID, USER_ID, sample
from fixtures.live_stream import DEADLINE_S, OTHER_USER, Running, closing, heard, serving, subscribe, until


def test_the_manifest_lets_the_edge_hear_what_the_stream_tells() -> None:
    assert {subject_of(one).replace(".evt.", ".") for one in HEARD} == set(EDGE_HEARS)


async def test_an_order_comes_with_its_number_its_state_and_plain_amounts(running: Running) -> None:
    client = await running.listening("orders", "fills", "positions")
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)))
    await running.tell(running.fill())
    told = [await heard(client) for _ in range(4)]
    assert [(one["ch"], one["seq"]) for one in told] == [("orders", 1), ("orders", 2), ("fills", 1), ("positions", 1)]
    assert [one["data"]["event"] for one in told] == ["updated", "filled", "fill", "fill"]
    assert told[0]["data"]["order"]["status"] == "new"
    assert told[0]["data"]["order"]["filled_avg_price"] == "12.25"
    assert told[2]["data"]["execution"]["fee"] == "0.0000001"
    assert told[3]["data"]["qty"] == "7.5"
    await client.close()


async def test_what_is_other_peoples_never_arrives(running: Running) -> None:
    """A trader hears their own and what is for all; nobody else's orders, money, alerts, limits or messages."""
    client = await running.listening("orders", "fills", "positions", "risk", "notices", "runs", "health")
    alert: AlertView = sample(AlertView)
    kill: KillStateView = sample(KillStateView)
    foreign: list[Event] = [
        OrderUpdated(owner_id=OTHER_USER, order=running.order(OrderStatus.NEW, account_id=SOME_ID)),
        msgspec.structs.replace(running.fill(), owner_id=OTHER_USER),
        CashBooked(
            owner_id=OTHER_USER,
            account_id=SOME_ID,
            activity_id=SOME_ID,
            kind="deposit",
            symbol="",
            change=Decimal(1),
            cash=Decimal(1),
        ),
        AlertRaised(alert=alert, owner_id=OTHER_USER, key="k"),
        LimitsChanged(account_id=SOME_ID, version=2),
        KillStateChanged(kill=msgspec.structs.replace(kill, scope="account", account_id=SOME_ID, owner_id=None)),
        MessageDelivered(message_id=SOME_ID, user_id=OTHER_USER, kind="k"),
    ]
    for event in foreign:
        await running.tell(event)
    await running.tell(KillStateChanged(kill=msgspec.structs.replace(kill, scope="firm", account_id=None)))
    await running.tell(LimitsChanged(account_id=running.account_id, version=3))
    await running.tell(MessageDelivered(message_id=SOME_ID, user_id=USER_ID, kind="mine"))
    await running.tell(FeedStatusChanged(feed_id=SOME_ID, status="running", interval_ms=5))
    await running.tell(OrderClosed(owner_id=USER_ID, order=running.order(OrderStatus.CANCELED)))
    told = [await heard(client) for _ in range(5)]
    assert {(one["ch"], one["data"]["event"], one["seq"]) for one in told} == {
        ("risk", "kill", 1),
        ("risk", "limits", 2),
        ("notices", "delivered", 1),
        ("health", "feed", 1),
        ("orders", "closed", 1),
    }
    await client.close()


async def test_an_owner_sees_everybodys_alerts_and_limits_but_not_their_orders(running: Running) -> None:
    client = await running.listening("orders", "risk", role="owner")
    await running.tell(OrderUpdated(owner_id=OTHER_USER, order=running.order(OrderStatus.NEW, account_id=SOME_ID)))
    await running.tell(AlertRaised(alert=sample(AlertView), owner_id=OTHER_USER, key="k"))
    await running.tell(LimitsChanged(account_id=SOME_ID, version=2))
    assert [(await heard(client))["data"]["event"] for _ in range(2)] == ["alert", "limits"]
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)))
    assert (await heard(client))["seq"] == 1
    await client.close()


async def test_an_account_opened_meanwhile_is_heard_of(running: Running) -> None:
    client = await running.listening("risk", "positions")
    new = SystemIds().new()
    await running.tell(
        AccountOpened(
            account_id=new,
            owner_id=USER_ID,
            mode=AccountMode.PAPER,
            currency="USD",
            starting_cash=Decimal(1),
            feed_id=SOME_ID,
        )
    )
    assert (await heard(client))["data"] == {"event": "opened", "account_id": str(new)}
    await running.tell(LimitsChanged(account_id=new, version=1))
    assert (await heard(client))["data"]["event"] == "limits"
    await client.close()


async def test_two_tabs_each_hear_what_they_asked_for_and_no_more_after_leaving_it(running: Running) -> None:
    first = await running.listening("orders")
    second = await running.listening("orders", "positions")
    await running.tell(running.fill())
    assert (await heard(first))["ch"] == "orders"
    assert [(await heard(second))["ch"] for _ in range(2)] == ["orders", "positions"]
    await second.send(json.dumps({"op": "unsubscribe", "channels": ["orders"]}))
    assert await subscribe(second, "positions") == {"positions": 1}
    await running.tell(running.fill())
    assert [(await heard(one))["ch"] for one in (first, second)] == ["orders", "positions"]
    for client in (first, second):
        await client.close()
    await until(lambda: len(running.edge._subs) == 0)


async def test_two_hundred_updates_a_second_drop_no_order_for_a_reader_of_many_quotes(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: every order comes once and in order, while prices stream beside them."""
    monkeypatch.setattr(socket, "QUOTES_EVERY_S", 0.002)
    price: PriceView = sample(PriceView)
    symbols = [f"S{number}" for number in range(50)]
    client = await running.listening("orders", *(f"quotes:{one}" for one in symbols))
    count, rate = 1000, 200
    found: list[tuple[int, str]] = []
    quotes = 0

    async def tell_all() -> None:
        started = time.perf_counter()
        for number in range(count):
            order = running.order(OrderStatus.NEW, client_order_id=str(number))
            prices = tuple(msgspec.structs.replace(price, symbol=one, seq=number) for one in symbols)
            running.services.replies[ListPrices] = PricesView(prices=prices)
            await running.tell(OrderUpdated(owner_id=USER_ID, order=order))
            await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))

    teller = asyncio.create_task(tell_all())
    while len(found) < count:
        frame = await heard(client)
        if frame["ch"] == "orders":
            found.append((frame["seq"], frame["data"]["order"]["client_order_id"]))
        else:
            quotes += 1
    await teller
    assert found == [(number + 1, str(number)) for number in range(count)]
    assert quotes > 0
    await client.close()


async def test_old_quotes_give_way_and_show_as_a_gap_and_events_come_first() -> None:
    box = mailbox.Mailbox()
    for number in range(mailbox.QUOTES_MAX + 7):
        box.put_quote("quotes:A", msgspec.Raw(str(number).encode()), at=MOMENT)
    box.put("orders", msgspec.Raw(b"1"), at=MOMENT)
    first = json.loads(await box.next())
    assert (first["ch"], first["seq"], first["data"]) == ("orders", 1, 1)
    oldest = json.loads(await box.next())
    assert (oldest["seq"], oldest["data"]) == (8, 7)
    assert not box.is_full.is_set()


async def test_who_lets_events_wait_is_cut_off_before_any_is_lost(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "EVENTS_MAX", 3)
    client = await running.listening("orders")
    held = asyncio.Event()

    async def hold(_sent: Any) -> None:  # noqa: ANN401 - a coroutine
        _sent.close()
        await held.wait()

    monkeypatch.setattr(socket, "sending", hold)
    for _ in range(6):
        await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)))
    assert await closing(client) == (1013, "slow client")


async def test_a_lost_bus_shows_as_a_gap_in_each_channel_of_events(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_tap, "LOOK_S", 0.02)
    client = await running.listening("orders", "risk")
    await running.edge._transport.drain()  # type: ignore[union-attr] # its own connection, cut below
    running.edge._transport.close()  # type: ignore[union-attr]
    told = [await heard(client) for _ in range(2)]
    assert {(one["ch"], one["seq"], one["data"]["event"]) for one in told} == {
        ("orders", 2, "missed"),
        ("risk", 2, "missed"),
    }
    await until(lambda: running.edge.is_connected)
    await flushed(running.edge)
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)))
    while (frame := await heard(client))["data"]["event"] == "missed":
        pass
    assert (frame["ch"], frame["data"]["event"]) == ("orders", "updated")
    await client.close()


async def test_a_gateway_started_again_tells_who_connects_again_and_counts_anew(running: Running) -> None:
    client = await running.listening("orders")
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)))
    assert (await heard(client))["seq"] == 1
    port, cookie = running.port, running.token()
    await running.server.stop()
    assert (await closing(client))[0] == 1012
    running.server = await serving(running.services, running.edge, port=port)
    again = await running.connected(cookie=cookie)
    assert await subscribe(again, "orders") == {"orders": 0}
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.CANCELED)))
    assert (await heard(again))["seq"] == 1
    await again.close()


async def test_a_price_is_told_when_it_changes_and_only_to_who_asked(running: Running) -> None:
    price: PriceView = msgspec.structs.replace(sample(PriceView), symbol="AAPL")
    running.services.replies[ListPrices] = PricesView(prices=(price,))
    client = await running.listening("quotes:AAPL")
    first = await heard(client)
    assert (first["ch"], first["seq"], first["data"]["price"]) == ("quotes:AAPL", 1, "12.25")
    looks = len(running.services.commands(ListPrices))
    await until(lambda: len(running.services.commands(ListPrices)) > looks + 2)
    running.services.replies[ListPrices] = PricesView(prices=(msgspec.structs.replace(price, seq=9),))
    assert (await heard(client))["seq"] == 2
    (_command, context) = next(one for one in running.services.asked if isinstance(one[0], ListPrices))
    assert context.actor.user_id == USER_ID
    await client.send(json.dumps({"op": "unsubscribe", "channels": ["quotes:AAPL"]}))
    await subscribe(client, "orders")
    looks = len(running.services.commands(ListPrices))
    await asyncio.wait_for(_beats(client, 2), DEADLINE_S)
    assert len(running.services.commands(ListPrices)) <= looks + 1
    await client.close()


async def _beats(client: ClientConnection, count: int) -> None:
    while count:
        count -= json.loads(await client.recv()).get("op") == "beat"


async def test_a_run_is_followed_until_it_is_done_and_another_persons_is_not_there(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "RUNS_EVERY_S", 0.01)
    run: BacktestView = msgspec.structs.replace(sample(BacktestView), status="running", progress=0.25)
    running.services.replies[GetBacktest] = run
    client = await running.listening(f"runs:{SOME_ID}")
    assert (await heard(client))["data"] == {
        "run_id": str(SOME_ID),
        "kind": "backtest",
        "status": "running",
        "progress": 0.25,
    }
    running.services.replies[GetBacktest] = msgspec.structs.replace(run, status="finished", progress=1.0)
    assert (await heard(client))["data"]["status"] == "finished"
    for command in (GetBacktest, GetSweep):
        running.services.replies[command] = AlphintraError("NOT_FOUND", "no run", kind=Kind.NOT_FOUND)
    other = f"runs:{OTHER_USER}"
    await subscribe(client, other)
    refused = await heard(client)
    assert (refused["op"], refused["code"], refused["channel"]) == ("refused", "NOT_FOUND", other)
    await client.close()


@pytest.mark.parametrize("channel", ["order", "quotes:", "runs:x", "runs:", "orders:AAPL", ""])
async def test_a_channel_that_is_none_is_refused_by_name(running: Running, channel: str) -> None:
    client = await running.connected()
    assert await subscribe(client, channel) == {}
    refused = await heard(client)
    assert (refused["code"], refused["channel"]) == ("CHANNEL_UNKNOWN", channel)
    await client.close()


@pytest.mark.parametrize("message", ["", "{", "[]", '{"op":"shout","channels":[]}', "[" * 9000, '{"op":"subscribe"}'])
async def test_nonsense_closes_the_connection(running: Running, message: str) -> None:
    client = await running.connected()
    await client.send(message)
    assert await closing(client) == (1008, "invalid syntax")


async def test_a_message_beyond_the_bound_closes_the_connection(running: Running) -> None:
    client = await running.connected()
    await client.send("x" * 20_000)
    assert (await closing(client))[0] == 1009


async def test_channels_and_connections_are_bounded(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await running.connected()
    await subscribe(client, *(f"quotes:S{number}" for number in range(100)))
    await client.send(json.dumps({"op": "subscribe", "channels": ["orders"]}))
    assert (await heard(client))["code"] == "STREAM_LIMIT"
    await client.close()
    monkeypatch.setattr("alphintra.edge.live.hub.LISTENERS_OF_PERSON_MAX", 1)
    first = await running.listening("orders")
    assert await closing(await running.connected()) == (1013, "STREAM_LIMIT")
    await first.close()


async def test_without_a_session_from_our_own_page_nobody_listens(running: Running) -> None:
    assert await closing(await running.connected(cookie="nonsense")) == (4401, "TOKEN_INVALID")
    assert await closing(await running.connected(origin="")) == (4401, "ORIGIN_FORBIDDEN")
    url = f"ws://127.0.0.1:{running.port}/api/v1/stream"
    assert await closing(await running.connected(cookie="")) == (4401, "AUTH_REQUIRED")
    keys = {"APCA-API-KEY-ID": "key1", "APCA-API-SECRET-KEY": "s", "Origin": f"http://127.0.0.1:{running.port}"}
    assert await closing(await connect(url, additional_headers=keys)) == (4401, "SESSION_REQUIRED")
    with pytest.raises(InvalidStatus) as refused:
        await running.connected(origin="http://evil.example")
    assert refused.value.response.status_code == 403


async def test_a_session_that_runs_out_closes_the_stream(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "PROVE_AGAIN_S", 0.05)
    client = await running.listening("orders", life=2)
    assert await closing(client) == (4401, "TOKEN_EXPIRED")


async def test_a_session_ended_elsewhere_closes_its_streams_at_once_and_no_other(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "PROVE_AGAIN_S", 3600)
    session, other = SystemIds().new(), SystemIds().new()
    mine = [await running.listening("orders", session_id=session) for _ in range(2)]
    stays = await running.listening("orders", session_id=other)
    await running.tell(SessionRevoked(session_id=session, user_id=USER_ID, reason="logout"))
    for client in mine:
        assert await closing(client) == (4401, "SESSION_ENDED")
    assert await closing(await running.connected(session_id=session)) == (4401, "SESSION_ENDED")
    await running.tell(OrderUpdated(owner_id=USER_ID, order=running.order(OrderStatus.NEW)))
    assert (await heard(stays))["ch"] == "orders"
    await stays.close()


async def test_the_stream_beats_so_that_its_age_can_be_told(running: Running) -> None:
    client = await running.connected()
    await asyncio.wait_for(_beats(client, 2), DEADLINE_S)
    with suppress(ConnectionClosed):
        await client.close()
    assert not running.services.commands(LogOut)
