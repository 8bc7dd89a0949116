"""Asks a PostgreSQL server whether the superuser can log in, without a driver: the supervisor stays small."""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["accepts_connections"]

_PROTOCOL_3 = 196_608
_STARTUP = b"user\0postgres\0database\0postgres\0application_name\0alphintra readiness\0\0"
_TERMINATE = b"X\x00\x00\x00\x04"
_ANSWER_TIMEOUT_S = 5.0
_LOGGED_IN = 0
_NOT_YET = {"57P03"}  # cannot_connect_now: it starts up, shuts down or recovers
_UP_BUT_FULL = {"53300"}  # too_many_connections: its clients came back faster than we did


async def accepts_connections(socket: Path) -> bool:
    """Log in as ``postgres`` through a Unix socket and leave; False while the server is not there or not ready.

    Raises:
        AlphintraError: POSTGRES_REFUSED, with what the server said, for a refusal that will not pass by waiting.
    """
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(struct.pack("!ii", len(_STARTUP) + 8, _PROTOCOL_3) + _STARTUP)
                kind, length = struct.unpack("!ci", await reader.readexactly(5))
                return _judge(kind, await reader.readexactly(length - 4))
            finally:
                with suppress(OSError):
                    writer.write(_TERMINATE)
                    writer.close()
                    await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


def _judge(kind: bytes, body: bytes) -> bool:
    if kind == b"R" and struct.unpack("!i", body[:4])[0] == _LOGGED_IN:
        return True
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0")} if kind == b"E" else {}
    state = fields.get(b"C", "")
    if state in _NOT_YET:
        return False
    if state in _UP_BUT_FULL:
        return True
    said = fields.get(b"M", "it asks for a password, which the superuser does not have")
    raise AlphintraError("POSTGRES_REFUSED", f"PostgreSQL refuses the superuser: {said}", kind=Kind.UNAVAILABLE)
