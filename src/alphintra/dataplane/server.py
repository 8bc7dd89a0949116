"""Connections of the control plane: as the administrator, and as one role with its own credential."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import asyncpg

from alphintra.dataplane.hardening import Hardening
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

__all__ = ["VERSION_MIN", "Passwords", "Server", "admin_connection", "require_rights", "role_connection"]

VERSION_MIN: Final = 150000
_CONNECT_TIMEOUT_S: Final = 5.0
_COMMAND_TIMEOUT_S: Final = 60.0

if TYPE_CHECKING:
    from collections.abc import Callable

    Passwords = Callable[[str], str]
    """Gives the secret of a login role; called at least once per role and run, the same answer each time."""
else:
    Passwords = object


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One PostgreSQL instance: how the administrator gets in, and where roles log in.

    Attributes:
        instance: name used in the layout.
        admin_url: superuser over the unix socket, or a role with CREATEROLE and CREATEDB; may carry a secret.
        host: address roles log in at (or the directory of the socket).
        port: port roles log in at.
        exclusive: whether the instance serves Alphintra alone; only then are ``postgres`` and ``template1`` closed.
        hardening: how far the system catalogue is closed to PUBLIC.
    """

    admin_url: str = field(repr=False)
    host: str
    port: int
    instance: str = "main"
    exclusive: bool = True
    hardening: Hardening = Hardening.STRICT

    @property
    def admin_label(self) -> str:
        """Role and host of the administrator, without any secret, for messages."""
        parts = urlsplit(self.admin_url)
        where = parts.hostname or parts.query.partition("host=")[2].partition("&")[0] or "the default socket"
        return f"role {parts.username or 'of this account'} on {where}"


@asynccontextmanager
async def admin_connection(server: Server, *, database: str = "") -> AsyncIterator[asyncpg.Connection]:
    """Open a connection as the administrator, to its own database unless another is named.

    Raises TOPOLOGY_CONNECT naming role and host, PG_VERSION below PostgreSQL 15.
    """
    where = f"{server.admin_label}" + (f", database {database}" if database else "")
    options: dict[str, Any] = {"server_settings": {"jit": "off"}}  # the catalogue is small: compiling takes longer
    if database:
        options["database"] = database
    connection = await _open(where, dsn=server.admin_url, **options)
    try:
        version = connection.get_server_version()
        if version.major * 10000 < VERSION_MIN:
            message = f"PostgreSQL {version.major} at {where} is too old: use {VERSION_MIN // 10000} or newer"
            raise AlphintraError("PG_VERSION", message)
        yield connection
    finally:
        await _close(connection)


async def require_rights(server: Server) -> None:
    """Raise TOPOLOGY_RIGHTS if the administrator may not make roles and databases; also as `admin_connection`."""
    async with admin_connection(server) as connection:
        may = await connection.fetchval(
            "select rolsuper or (rolcreaterole and rolcreatedb) from pg_roles where rolname = current_user"
        )
    if not may:
        message = f"{server.admin_label} may not make roles and databases: grant it CREATEROLE and CREATEDB"
        raise AlphintraError("TOPOLOGY_RIGHTS", message)


@asynccontextmanager
async def role_connection(
    server: Server, *, role: str, password: str, database: str, settings: Mapping[str, str] | None = None
) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection with a role's own credential, and with settings of the session on top of the role's.

    Raises TOPOLOGY_CONNECT naming role, host and database.
    """
    where = f"role {role} on {server.host}:{server.port}, database {database}"
    options = {"host": server.host, "port": server.port, "user": role, "password": password, "database": database}
    connection = await _open(where, server_settings=dict(settings or {}), **options)
    try:
        yield connection
    finally:
        await _close(connection)


async def _open(where: str, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - the driver's own keyword arguments
    try:
        return await asyncpg.connect(timeout=_CONNECT_TIMEOUT_S, command_timeout=_COMMAND_TIMEOUT_S, **options)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = f"cannot connect to PostgreSQL as {where}: {reason}"
        raise AlphintraError("TOPOLOGY_CONNECT", message, kind=Kind.UNAVAILABLE) from error


async def _close(connection: asyncpg.Connection) -> None:
    """Close within a bound; an end that the server does not confirm is cut."""
    try:
        await connection.close(timeout=_CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
