"""Makes the usual set-up on a server, tables included, so that its weaknesses can be measured and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.dataplane.merge import merge_tables
from alphintra.dataplane.migrations import migrations_of
from alphintra.dataplane.quoting import identifier
from alphintra.dataplane.server import admin_connection
from alphintra.dataplane.usual import usual_setup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["set_up_usual"]

_RECORD: Final = "insert into schema_migrations (origin, name, checksum) values ($1, $2, $3)"


async def set_up_usual(server: Server, *, layout: Sequence[Placement], passwords: Passwords) -> None:
    """Run the usual init script of a layout on an empty server, then each service's migrations as its own user.

    The administrator is a superuser: it acts for the users, whatever ``pg_hba.conf`` lets in.
    """
    placed = tuple(item for item in layout if item.instance == server.instance)
    async with admin_connection(server) as connection:
        for statement in usual_setup(placed, passwords=passwords):
            if not statement.database:
                await connection.execute(statement.sql)
    for statement in usual_setup(placed, passwords=passwords):
        if statement.database:
            async with admin_connection(server, database=statement.database) as connection:
                await connection.execute(f"set session authorization {identifier(statement.role)}")
                await connection.execute(statement.sql)
    for placement in placed:
        await _make_tables(server, placement)


async def _make_tables(server: Server, placement: Placement) -> None:
    path = ", ".join(identifier(schema) for schema in (*placement.search_path[:-1], "public"))
    async with admin_connection(server, database=placement.database) as connection:
        await connection.execute("set client_min_messages = error")
        await connection.execute(f"set session authorization {identifier(placement.service_role)}")
        await connection.execute(f"set search_path = {path}")
        for migration in migrations_of(placement.service):
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(_RECORD, migration.origin, migration.name, migration.checksum)
        await merge_tables(connection, placement)
