"""Every row of a restored service read, and what must be true of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.backup.carrying import require_sound
from alphintra.dataplane.move.checksums import tables_of
from alphintra.dataplane.quoting import qualified
from alphintra.dataplane.schema import declared_schema, read_schema
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

__all__ = ["Found", "read_all"]

_NO_END_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was read of one service."""

    service: str
    tables: int
    rows: int


async def read_all(server: Server, placement: Placement, database: str) -> Found:
    """Read every column of every row of a service, and check that its queues name what is there.

    Raises BACKUP_DAMAGED where tables that the manifest of the service declares are missing, RESTORE_DIFFERS.
    """
    place = replace(placement, database=database)
    async with admin_connection(server, database=database) as connection:
        there = await read_schema(connection, place)
        missing = [name for name in declared_schema(place.service) if name.startswith("table ") and name not in there]
        if missing and not place.merged_schema:
            message = f"what was restored of {place.service} lacks {', '.join(missing[:3])}: use another backup"
            raise AlphintraError("BACKUP_DAMAGED", message, kind=Kind.CONFLICT)
        schema = place.merged_schema or place.schema
        tables = await tables_of(connection, schema)
        rows = 0
        for table in tables:
            rows += await connection.fetchval(
                f"select count(hashtextextended(t::text, 0)) from {qualified(schema, table)} as t",  # noqa: S608 - quoted
                timeout=_NO_END_S,
            )
        if not place.merged_schema:
            await require_sound(connection, schema)
    return Found(service=place.service, tables=len(tables), rows=rows)
