"""New passwords for roles of a running server: set all at once, sessions that are open stay open."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.quoting import identifier, literal
from alphintra.dataplane.scram import SALT_BYTES, verifier_of
from alphintra.dataplane.server import admin_connection, role_connection
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.dataplane.server import Server

__all__ = ["accepts_password", "set_passwords"]

_BOUNDS: Final = "set lock_timeout = '5s'; set statement_timeout = '15s'"


async def set_passwords(server: Server, passwords: Mapping[str, str]) -> None:
    """Set the passwords of roles in one transaction, as SCRAM verifiers. Safe to repeat.

    Raises TOPOLOGY_CONNECT, PG_VERSION, ROTATE_FAILED naming the role that PostgreSQL refused; then none is set.
    """
    async with admin_connection(server) as connection:
        await connection.execute(_BOUNDS)
        async with connection.transaction():
            for role, password in sorted(passwords.items()):
                verifier = verifier_of(password, salt=secrets.token_bytes(SALT_BYTES))
                try:
                    await connection.execute(f"alter role {identifier(role)} with password {literal(verifier)}")
                except asyncpg.PostgresError as error:
                    reason = f"{error.sqlstate}: {str(error).splitlines()[0]}"
                    message = f"PostgreSQL refused a new password for {role}, so none was set ({reason})"
                    raise AlphintraError("ROTATE_FAILED", message, kind=Kind.UNAVAILABLE) from None


async def accepts_password(server: Server, *, role: str, password: str, database: str) -> bool:
    """Tell whether the server takes the password; what it refuses after that (a limit, a right) does not count.

    Raises TOPOLOGY_CONNECT if the server cannot be reached.
    """
    try:
        async with role_connection(server, role=role, password=password, database=database):
            return True
    except AlphintraError as error:
        if isinstance(error.__cause__, asyncpg.InvalidPasswordError):
            return False
        if isinstance(error.__cause__, asyncpg.PostgresError):
            return True
        raise
