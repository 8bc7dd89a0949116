"""The HTTP server inside a loop that already runs: one worker, loopback or the address it is told."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Server", "serve"]

KEEP_ALIVE_S: Final = 20
STOP_S_MAX: Final = 10
PING_S: Final = 15
MESSAGE_BYTES_MAX: Final = 64 * 1024
BACKLOG: Final = 512
POLL_S: Final = 0.01


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the process: the supervisor decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class Server:
    """A gateway that is listening.

    Attributes:
        address: host and port, the real one where port 0 was asked for.
    """

    def __init__(self, uvicorn_server: _Uvicorn, listening: socket.socket) -> None:
        self._server = uvicorn_server
        self._socket = listening
        self.address: tuple[str, int] = listening.getsockname()[:2]
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to serve; returns once requests are answered. Raises EDGE_FAILED if it cannot."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="edge.server")
        while not self._server.started:
            if self._task.done():
                raise AlphintraError("EDGE_FAILED", "the HTTP server ended while starting", kind=Kind.BUG)
            await asyncio.sleep(POLL_S)

    async def stop(self) -> None:
        """Take no new requests, finish those in flight (at most 10 s), close."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


async def serve(app: ASGIApp, host: str, port: int) -> Server:
    """Listen and serve in the running loop.

    Raises PORT_IN_USE, or ADDRESS_INVALID if the address cannot be bound for another reason.
    """
    server = Server(_Uvicorn(_config(app)), _listen(host, port))
    await server.start()
    return server


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",  # the running one, uvloop where the process chose it
        http="httptools",
        ws="websockets-sansio",
        ws_ping_interval=PING_S,
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,  # it would keep a window of each connection in memory
        lifespan="off",
        log_config=None,
        access_log=False,  # the front logs each request with its trace
        server_header=False,
        proxy_headers=False,  # whoever connects is the caller; forwarded addresses are not believed
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S_MAX,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            message = f"port {port} on {host} is taken: stop what listens there or choose another port"
            raise AlphintraError("PORT_IN_USE", message, kind=Kind.UNAVAILABLE, pointer="port") from error
        message = f"cannot listen on {host}:{port} ({error}): choose another address or port"
        raise AlphintraError("ADDRESS_INVALID", message, pointer="port") from error
    listening.settimeout(0)
    return listening
