"""Sessions of the probes: opened within bounds, with what the server warns of, closed within bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.dataplane.server import Server

__all__ = ["FAILURES", "Session", "close", "code_of", "connect", "text_of"]

FAILURES: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the driver raises for an answer that is no yes."""

_CONNECT_TIMEOUT_S: Final = 5.0
_COMMAND_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 5.0
_BOUNDS: Final = {
    "application_name": "alphintra verify",
    "statement_timeout": "2s",
    "lock_timeout": "250ms",
    "idle_in_transaction_session_timeout": "20s",
}


@dataclass(slots=True, kw_only=True)
class Session:
    """A connection of one role, and the warnings it was given since they were last forgotten."""

    connection: asyncpg.Connection
    warnings: list[tuple[str, str]] = field(default_factory=list)


async def connect(
    server: Server, *, role: str, password: str, database: str, settings: Mapping[str, str] | None = None
) -> asyncpg.Connection:
    """Log in as a role, within bounds. Raises what the driver raises."""
    return await asyncpg.connect(
        host=server.host,
        port=server.port,
        user=role,
        password=password,
        database=database or None,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=_COMMAND_TIMEOUT_S,
        statement_cache_size=0,
        server_settings={**_BOUNDS, **(settings or {})},
    )


async def close(connection: asyncpg.Connection) -> None:
    """End a session within a bound; an end that the server does not confirm is cut."""
    try:
        await connection.close(timeout=_CLOSE_TIMEOUT_S)
    except FAILURES:
        connection.terminate()


def code_of(error: BaseException) -> str:
    """Return the SQLSTATE of an error, or nothing."""
    return getattr(error, "sqlstate", None) or ""


def text_of(error: BaseException) -> str:
    """Return the first line of an error, or its kind."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
