"""The server in a running loop: real sockets, clean start and stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alphintra.edge.server import Server, serve
from alphintra.kernel.errors import AlphintraError
from fixtures.edge import Gateway


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Server]:
    started = await serve(gateway.app, "127.0.0.1", 0)
    yield started
    await started.stop()


def url(server: Server, path: str) -> str:
    host, port = server.address
    return f"http://{host}:{port}{path}"


async def test_the_gateway_answers_on_its_port(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(url(server, "/api/v1/health"))
    assert answer.status_code == 200
    assert "server" not in answer.headers


async def test_signals_stay_with_the_process(gateway: Gateway) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    server = await serve(gateway.app, "127.0.0.1", 0)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    await server.stop()


async def test_a_taken_port_is_told(gateway: Gateway, server: Server) -> None:
    with pytest.raises(AlphintraError) as caught:
        await serve(gateway.app, *server.address)
    assert caught.value.code == "PORT_IN_USE"
    assert str(server.address[1]) in caught.value.detail


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000), ("127.0.0.1", -1)])
async def test_an_address_that_cannot_be_bound_is_told(gateway: Gateway, host: str, port: int) -> None:
    with pytest.raises(AlphintraError) as caught:
        await serve(gateway.app, host, port)
    assert caught.value.code == "ADDRESS_INVALID"


async def test_stopping_finishes_what_is_in_flight_and_frees_the_port() -> None:
    entered, released = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> Response:
        entered.set()
        await released.wait()
        return Response("done")

    server = await serve(Starlette(routes=[Route("/", slow)]), "127.0.0.1", 0)
    async with httpx.AsyncClient() as client:
        request = asyncio.create_task(client.get(url(server, "/")))
        await entered.wait()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        released.set()
        assert (await request).text == "done"
        await stopping
    again = await serve(Starlette(), *server.address)
    await again.stop()


async def test_a_large_body_is_refused_while_the_connection_stays_usable(gateway: Gateway, server: Server) -> None:
    headers = {**gateway.bearer(), "Content-Type": "application/json"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(url(server, "/api/v1/orders"), content=b"x" * 50_000_000, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
        assert (await client.get(url(server, "/"))).status_code == 200


async def test_a_forwarded_address_is_not_believed(gateway: Gateway, server: Server) -> None:
    body = {"email": "a@example.org", "password": "x"}
    async with httpx.AsyncClient() as client:
        await client.post(url(server, "/api/v1/auth/login"), json=body, headers={"X-Forwarded-For": "203.0.113.9"})
    assert gateway.services.last().address == "127.0.0.1"  # type: ignore[attr-defined] # it is a LogIn


async def test_only_the_address_asked_for_is_listened_on(server: Server) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.2", server.address[1]))
        assert other.getsockname()[0] == "127.0.0.2"
