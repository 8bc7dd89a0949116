"""The health port tells whether the process lives and whether it does its work."""

from __future__ import annotations

import asyncio
import socket

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.health_port import HealthPort
from alphintra.runtime.readiness import announce_ready


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def ask(port: int, sent: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent.encode())
    answer = await reader.read()
    writer.close()
    return answer.decode().split("\r\n")[0]


async def test_ready_only_after_it_was_announced_and_alive_before() -> None:
    port = free_port()
    async with HealthPort("127.0.0.1", port):
        assert await ask(port, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n") == "HTTP/1.1 503 Service Unavailable"
        assert await ask(port, "GET /livez HTTP/1.1\r\n\r\n") == "HTTP/1.1 200 OK"
        announce_ready()
        async with asyncio.timeout(5):
            while await ask(port, "GET /readyz HTTP/1.1\r\n\r\n") != "HTTP/1.1 200 OK":  # noqa: ASYNC110 - over a socket
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"),
        ("nonsense\r\n\r\n", "HTTP/1.1 404 Not Found"),
        ("x" * 9000 + "\r\n\r\n", ""),
    ],
)
async def test_whatever_is_sent_it_goes_on_answering(sent: str, answer: str) -> None:
    port = free_port()
    async with HealthPort("127.0.0.1", port):
        assert await ask(port, sent) == answer
        assert await ask(port, "GET /livez HTTP/1.1\r\n\r\n") == "HTTP/1.1 200 OK"


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(AlphintraError, match="health port"):
            async with HealthPort("127.0.0.1", taken.getsockname()[1]):
                pytest.fail("opened a port that was taken")
