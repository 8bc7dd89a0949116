"""Sessions of the roles that seal an audit log and read it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from alphintra.dataplane.failures import explained
from alphintra.dataplane.server import role_connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["LogSession", "log_session"]

LogSession: TypeAlias = asyncpg.Connection


@asynccontextmanager
async def log_session(
    server: Server, placement: Placement, *, passwords: Passwords, is_sealing: bool = False
) -> AsyncIterator[LogSession]:
    """Open a session of a service's sealer, or of its reader.

    Raises TOPOLOGY_CONNECT, AUDIT_UNREACHABLE for what ends it: nothing is said of the log by either.
    """
    role = placement.sealer_role if is_sealing else placement.reader_role
    settings = {"search_path": ", ".join(placement.search_path)}
    where = f"the audit log of {placement.service} is out of reach"
    with explained("AUDIT_UNREACHABLE", lambda reason: f"{where}: {reason}"):
        async with role_connection(
            server, role=role, password=passwords(role), database=placement.database, settings=settings
        ) as connection:
            yield connection
