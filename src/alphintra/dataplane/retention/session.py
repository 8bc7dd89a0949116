"""A session of the role that retires a service's records."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from alphintra.dataplane.server import role_connection
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

__all__ = ["Connection", "retainer_connection"]

Connection: TypeAlias = asyncpg.Connection


@asynccontextmanager
async def retainer_connection(server: Server, placement: Placement, *, password: str) -> AsyncIterator[Connection]:
    """Open a session of a service's retainer. Raises TOPOLOGY_CONNECT, and RETENTION_CUT for what the server ends."""
    settings = {"search_path": ", ".join(placement.search_path)}
    async with role_connection(
        server, role=placement.retainer_role, password=password, database=placement.database, settings=settings
    ) as connection:
        try:
            yield connection
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            message = f"{placement.service}: retention was cut ({reason}); what it had begun is ended by the next run"
            raise AlphintraError("RETENTION_CUT", message, kind=Kind.UNAVAILABLE) from error
