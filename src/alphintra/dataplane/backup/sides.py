"""What a restore asks of the servers around it: the end of a log's file, an instance that has recovered, a database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.quoting import identifier, literal
from alphintra.dataplane.server import admin_connection

if TYPE_CHECKING:
    from alphintra.dataplane.server import Server

__all__ = ["await_recovered", "drop_database", "end_segment", "make_database"]

_REST_S: Final = 0.1


async def end_segment(server: Server) -> str:
    """Have an instance end the file of its log that it writes to, behind a commit later than now; return its name."""
    async with admin_connection(server) as connection:
        await connection.execute("select pg_current_xact_id()")
        ended: str = await connection.fetchval("select pg_walfile_name(pg_switch_wal())")
    return ended


async def await_recovered(server: Server) -> None:
    """Return when an instance has replayed its log as far as it is to."""
    async with admin_connection(server) as connection:
        while await connection.fetchval("select pg_is_in_recovery()"):  # noqa: ASYNC110 - another program gets ready
            await asyncio.sleep(_REST_S)


async def make_database(server: Server, name: str) -> None:
    """Make an empty database."""
    async with admin_connection(server) as connection:
        await connection.execute(f"create database {identifier(name)} template template0")


async def drop_database(server: Server, name: str) -> None:
    """Drop a database and the slots in it, also where there is none."""
    async with admin_connection(server) as connection:
        await connection.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots "  # noqa: S608 - quoted
            f"where database = {literal(name)} and not active"
        )
        await connection.execute(f"drop database if exists {identifier(name)} with (force)")
