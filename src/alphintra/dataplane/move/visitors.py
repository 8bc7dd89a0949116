"""How a server from outside follows one of the home's own, which lets its superuser in through a private socket alone.

For the length of the move there is a role that may replicate and nothing else, with a password that only the following
server knows. The rules of who may log in stay as they are: whoever is granted the role named like a database may come
to that database by password, from this machine.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.hardening import CATALOG_READER
from alphintra.dataplane.quoting import identifier, literal
from alphintra.dataplane.scram import SALT_BYTES, verifier_of
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.dataplane.server import Server

__all__ = ["admit", "dismiss", "probe", "readmit"]

_SECRET_BYTES: Final = 24
_CONNECTIONS: Final = 4
_PROBE: Final = "alphintra_probe"
_ANSWERED: Final = "FATAL:"  # the home's own servers speak English


async def admit(connection: asyncpg.Connection, name: str, database: str) -> str:
    """Make the visitor of that name for a database, or give it another password; return the password."""
    password = secrets.token_urlsafe(_SECRET_BYTES)
    verifier = verifier_of(password, salt=secrets.token_bytes(SALT_BYTES))
    role = identifier(name)
    if await connection.fetchval("select 1 from pg_roles where rolname = $1", name) is None:
        await connection.execute(f"create role {role}")
    await connection.execute(
        f"alter role {role} with login replication connection limit {_CONNECTIONS} password {literal(verifier)}"
    )
    await readmit(connection, name, database)
    return password


async def readmit(connection: asyncpg.Connection, name: str, database: str) -> None:
    """Give a visitor its rights again, if there is one: bringing a server to what is declared takes them."""
    known = "select 1 from pg_roles, pg_database where rolname = $1 and datname = $2"
    if await connection.fetchval(known, name, database) is None:
        return
    role, place = identifier(name), identifier(database)
    await connection.execute(
        f"grant connect on database {place} to {role}; grant {place} to {role} with inherit false, set false; "
        f"grant {identifier(CATALOG_READER)} to {role} with inherit true, set false"
    )


async def dismiss(connection: asyncpg.Connection, name: str, database: str) -> None:
    """Remove a visitor, if there is one; nothing it may have is in a database."""
    if await connection.fetchval("select 1 from pg_roles where rolname = $1", name) is None:
        return
    role = identifier(name)
    if await connection.fetchval("select 1 from pg_database where datname = $1", database) is not None:
        await connection.execute(f"revoke all on database {identifier(database)} from {role}")
    await connection.execute(f"drop role {role}")


async def probe(connection: asyncpg.Connection, publisher: Server, words: str, *, seen_from: str) -> None:
    """Let a server try to reach another one, as it will to follow it; changes nothing.

    ``words`` need not let it in where the publisher is the home's own: that it answers is enough.

    Raises MIGRATE_REACH with what the server says.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(
            f"set local client_min_messages = error; create subscription {identifier(_PROBE)} "
            f"connection {literal(words)} publication {identifier(_PROBE)} "
            "with (create_slot = false, enabled = false, copy_data = false, slot_name = none)"
        )
    except asyncpg.PostgresError as error:
        if publisher.exclusive and _ANSWERED in str(error):
            return
        reason = " ".join(str(error).split())[:300]
        hint = "it listens on this machine alone" if publisher.exclusive else "make its URL one that works there too"
        message = f"{seen_from} cannot reach {publisher.instance}, which it would have to follow ({reason}): {hint}"
        raise AlphintraError("MIGRATE_REACH", message, kind=Kind.UNAVAILABLE, pointer="--instance") from error
    finally:
        await transaction.rollback()
