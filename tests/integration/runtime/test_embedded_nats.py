"""The embedded NATS server, really started."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import nkeys  # type: ignore[import-untyped]
import pytest
from nats.aio.client import Client

from alphintra.infrastructure.nats_link import flushed
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.accounts import server_account
from alphintra.runtime.embedded_nats import BusUser, EmbeddedNats
from alphintra.runtime.home import Home
from alphintra.runtime.nats_keys import nats_public_key, nats_seed
from alphintra.runtime.proc import processes_in

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]

USERS = {
    "deployer": BusUser(publish=("$JS.API.>", "risk.evt.>"), subscribe=("_INBOX.>",)),
    "risk": BusUser(publish=("risk.evt.>",), subscribe=("risk.cmd.>",)),
    "mute": BusUser(publish=(), subscribe=()),
}


@asynccontextmanager
async def running(home: Home, port: int = 0) -> AsyncIterator[EmbeddedNats]:
    server = EmbeddedNats(home, port, users=USERS)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def connected(server: EmbeddedNats, seed: str | None) -> AsyncIterator[tuple[Client, list[str]]]:
    """Yield a client and what the server complained about."""
    complaints: list[str] = []

    async def note(error: Exception) -> None:
        complaints.append(str(error))

    client = await nats.connect(
        server.url, nkeys_seed_str=seed, error_cb=note, allow_reconnect=False, connect_timeout=5
    )
    try:
        yield client, complaints
    finally:
        await client.close()


async def test_events_in_a_stream_survive_stop_and_kill(home: Home) -> None:
    async with running(home) as server, connected(server, nats_seed(home, "deployer")) as (client, _):
        stream = client.jetstream()
        await stream.add_stream(name="EVENTS", subjects=["risk.evt.>"])
        await stream.publish("risk.evt.decided", b"1")
    async with running(home) as server:
        async with connected(server, nats_seed(home, "deployer")) as (client, _):
            await client.jetstream().publish("risk.evt.decided", b"2")
        for pid in processes_in(server.work):
            os.kill(pid, signal.SIGKILL)
    async with running(home) as server, connected(server, nats_seed(home, "deployer")) as (client, _):
        info = await client.jetstream().stream_info("EVENTS")
        assert info.state.messages == 2


async def test_each_user_may_do_what_is_listed_and_nothing_else(home: Home, eventually: Eventually) -> None:
    async with (
        running(home) as server,
        connected(server, nats_seed(home, "risk")) as (risk, complaints),
    ):
        await risk.subscribe("risk.cmd.assess")
        await risk.publish("risk.evt.decided", b"")
        await flushed(risk)
        assert complaints == []
        await risk.publish("trading.evt.filled", b"")
        await risk.subscribe(">")
        await flushed(risk)
        await eventually(lambda: len(complaints) == 2)
        assert all("permissions violation" in complaint.lower() for complaint in complaints)


async def test_user_without_subjects_may_do_nothing(home: Home, eventually: Eventually) -> None:
    async with (
        running(home) as server,
        connected(server, nats_seed(home, "mute")) as (mute, complaints),
    ):
        await mute.publish("anything", b"")
        await mute.subscribe("anything")
        await flushed(mute)
        await eventually(lambda: len(complaints) == 2)


async def answer_to(server: EmbeddedNats, seed: str | None) -> bytes:
    """Log in by hand with the key, or without one, and return what the server says to a ping."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    greeting = json.loads((await reader.readline()).removeprefix(b"INFO "))
    login: dict[str, object] = {"verbose": False, "pedantic": False}
    if seed is not None:
        pair = nkeys.from_seed(seed.encode())
        signature = base64.urlsafe_b64encode(pair.sign(greeting["nonce"].encode())).rstrip(b"=")
        login |= {"nkey": pair.public_key.decode(), "sig": signature.decode()}
    writer.write(b"CONNECT " + json.dumps(login).encode() + b"\r\nPING\r\n")
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer.strip()


async def test_nobody_gets_in_without_a_known_key(home: Home, tmp_path: Path) -> None:
    stranger = nats_seed(Home.open(tmp_path / "stranger"), "risk")
    async with running(home) as server:
        assert await answer_to(server, nats_seed(home, "risk")) == b"PONG"
        assert await answer_to(server, stranger) == b"-ERR 'Authorization Violation'"
        assert await answer_to(server, None) == b"-ERR 'Authorization Violation'"


async def test_server_left_running_is_replaced(home: Home) -> None:
    left = EmbeddedNats(home, users=USERS)
    await left.start()
    before = processes_in(left.work)
    async with running(home) as server:
        assert processes_in(server.work) != before
        assert len(processes_in(server.work)) == 1
    await left.stop()


async def test_port_of_another_program_is_named_with_its_setting(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        with pytest.raises(AlphintraError) as caught:
            await EmbeddedNats(home, stranger.getsockname()[1], users=USERS).start()
        assert (caught.value.code, caught.value.pointer) == ("PORT_IN_USE", "ALPHINTRA_NATS_PORT")


async def test_two_homes_run_side_by_side(tmp_path: Path) -> None:
    homes = [Home.open(tmp_path / name) for name in ("one", "two")]
    async with running(homes[0]) as one, running(homes[1]) as two:
        assert one.port != two.port
        assert await answer_to(two, nats_seed(homes[1], "risk")) == b"PONG"
        assert await answer_to(two, nats_seed(homes[0], "risk")) == b"-ERR 'Authorization Violation'"


def test_keys_are_kept_and_private(home: Home) -> None:
    assert nats_seed(home, "risk") == nats_seed(home, "risk")
    assert nats_public_key(home, "risk").startswith("U")
    assert nats_public_key(home, "risk") != nats_public_key(home, "edge")
    assert {path.stat().st_mode & 0o777 for path in home.secrets.iterdir()} == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops privileges")
async def test_as_root_the_server_runs_under_its_own_account_and_cannot_change_its_rights(home: Home) -> None:
    account = server_account()
    assert account is not None
    async with running(home) as server:
        (pid,) = processes_in(server.work)
        assert owner_of(Path(f"/proc/{pid}")) == account.uid
        assert (owner_of(home.nats), owner_of(home.nats / "nats.conf")) == (0, 0)


def owner_of(path: Path) -> int:
    return path.stat().st_uid
