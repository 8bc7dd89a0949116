"""Streams and consumers on a real NATS server, used as the services use them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from alphintra.dataplane.bus_permissions import consumers, streams
from alphintra.dataplane.streams import bus_connection, ensure_streams
from alphintra.infrastructure.nats_link import flushed

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.msg import Msg

    from fixtures.nats import NatsServer


async def test_streams_are_made_once_and_found_again(private_nats: Callable[..., NatsServer]) -> None:
    deployer = private_nats().login("deployer")
    made = await ensure_streams(deployer)
    assert len(made) == len(streams()) + len(consumers())
    assert await ensure_streams(deployer) == ()


async def test_an_event_reaches_the_service_that_hears_it_and_stays_acknowledged(nats_server: NatsServer) -> None:
    async with bus_connection(nats_server.login("auth")) as auth, bus_connection(nats_server.login("user")) as user:
        subscription = await user.jetstream().pull_subscribe_bind("user", "EVT_AUTH")
        with suppress(TimeoutError):
            while True:  # what other tests of this worker told
                for earlier in await subscription.fetch(100, timeout=0.2):
                    await earlier.ack_sync(timeout=5)
        await auth.jetstream().publish("auth.evt.user_registered", b"registered")
        (message,) = await subscription.fetch(1, timeout=5)
        assert message.data == b"registered"
        await message.ack_sync(timeout=5)
        with pytest.raises(TimeoutError):
            await subscription.fetch(1, timeout=0.2)


async def test_a_command_is_answered_into_the_callers_inbox(nats_server: NatsServer) -> None:
    async with (
        bus_connection(nats_server.login("risk")) as risk,
        bus_connection(nats_server.login("trading")) as trading,
    ):

        async def answer(message: Msg) -> None:
            await message.respond(b"approved")

        await risk.subscribe("risk.cmd.>", cb=answer)
        await flushed(risk)
        reply = await trading.request("risk.cmd.assess_order", b"order", timeout=5)
        assert reply.data == b"approved"


async def test_a_changed_stream_is_put_back(private_nats: Callable[..., NatsServer]) -> None:
    deployer = private_nats().login("deployer")
    await ensure_streams(deployer)
    async with bus_connection(deployer) as client:
        found = (await client.jsm().stream_info("EVT_RISK")).config
        found.max_age = 600
        await client.jsm().update_stream(found)
    assert await ensure_streams(deployer) == ("EVT_RISK",)
    assert await ensure_streams(deployer) == ()
