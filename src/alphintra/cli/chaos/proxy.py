"""A TCP proxy on loopback that can be slow, cut or reset: what stands between the services and a server."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Self

__all__ = ["Proxy"]

_PIECE = 65_536
_LOOK_EVERY_S = 0.02


class Proxy:
    """Forwards one port to another in a thread of its own; its behaviour may be changed at any time.

    Attributes:
        latency_s: added to every piece of data in either direction.
        is_cut: nothing passes, and nothing is told: as a network that lost its packets.
    """

    def __init__(self, target_port: int) -> None:
        self.latency_s = 0.0
        self.is_cut = False
        self.port = 0
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True)

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop listening and reset what is connected."""
        if self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def reset(self) -> None:
        """Drop every connection at once, as a firewall that forgets them."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._drop)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        self._ready.set()
        await self._ended.wait()
        server.close()
        self._drop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._while_cut()
        try:
            onward = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, onward[1]}
        ways = [asyncio.create_task(self._pass(reader, onward[1])), asyncio.create_task(self._pass(onward[0], writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for each in (writer, onward[1]):
                self._writers.discard(each)
                each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_PIECE):
                await self._while_cut()
                if self.latency_s:
                    await asyncio.sleep(self.latency_s)
                writer.write(data)
                await writer.drain()

    async def _while_cut(self) -> None:
        while self.is_cut:  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(_LOOK_EVERY_S)

    def _drop(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
