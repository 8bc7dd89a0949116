"""A port that answers an orchestrator's probes: ``/livez`` while the loop runs, ``/readyz`` once the work is done."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Final, Self

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.readiness import READY_FD_VARIABLE, READY_LINE

__all__ = ["HealthPort"]

_REQUEST_S_MAX: Final = 5.0
_REQUEST_BYTES_MAX: Final = 8192
_STATUS: Final = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class HealthPort:
    """Listens while the block runs; hears by the supervisor's own protocol when this process is ready.

    Plain HTTP without bodies, for a probe by the machine it runs on; it tells nothing but a status.
    """

    def __init__(self, host: str, port: int) -> None:
        """Describe the port; nothing is opened."""
        self._host = host
        self._port = port
        self._is_ready = False
        self._server: asyncio.Server | None = None
        self._hears = -1

    async def __aenter__(self) -> Self:
        self._hears, tells = os.pipe()
        os.environ[READY_FD_VARIABLE] = str(tells)
        asyncio.get_running_loop().add_reader(self._hears, self._on_ready)
        try:
            self._server = await asyncio.start_server(
                self._answer, self._host, self._port, limit=_REQUEST_BYTES_MAX, reuse_address=True
            )
        except OSError as error:
            self._let_go()
            detail = f"the health port {self._port} on {self._host} cannot be opened: {error.strerror}"
            raise AlphintraError("PORT_IN_USE", detail, kind=Kind.UNAVAILABLE, pointer="health_port") from error
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._server is not None:
            self._server.close()
        self._let_go()

    def _let_go(self) -> None:
        asyncio.get_running_loop().remove_reader(self._hears)
        os.close(self._hears)
        tells = os.environ.pop(READY_FD_VARIABLE, "")
        if tells:  # it was never announced
            os.close(int(tells))

    def _on_ready(self) -> None:
        self._is_ready = self._is_ready or os.read(self._hears, len(READY_LINE)) == READY_LINE
        asyncio.get_running_loop().remove_reader(self._hears)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_REQUEST_S_MAX):
                words = (await reader.readline()).split()
                while (await reader.readline()).strip():
                    continue  # the headers say nothing we need
                status = self._status_of(words[1] if len(words) > 1 else b"")
                head = f"HTTP/1.1 {status} {_STATUS[status]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                writer.write(head.encode("ascii"))
                await writer.drain()
        writer.close()

    def _status_of(self, path: bytes) -> int:
        match path:
            case b"/livez":
                return 200
            case b"/readyz":
                return 200 if self._is_ready else 503
            case _:
                return 404
