"""Whether both sides hold the same rows: counted, and summed up by a hash of each, in any order, on held snapshots."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.quoting import identifier, qualified

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Difference", "Sum", "compare", "pin", "tables_of"]

_NO_END_S: Final = 7 * 86_400
# No column can have this name by accident: a whole row named like a column of its table would be that column.
_ROW: Final = '"whole row of alphintra"'
_BY_RECORD: Final = f"hash_record_extended({_ROW}, 0)"
_BY_TEXT: Final = f"hashtextextended({_ROW}::text, 0)"  # for types that have no hash: json, xml, points
_TABLES: Final = """
    select relname::text from pg_class
    where relnamespace = $1::regnamespace and relkind in ('r', 'p') and not relispartition order by 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Number of rows of a table, and the sum of their hashes."""

    rows: int
    hashes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A table whose rows are not the same on both sides."""

    table: str
    source: Sum
    target: Sum


async def tables_of(connection: asyncpg.Connection, schema: str) -> tuple[str, ...]:
    """Return the tables of a schema, those that are cut up as a whole."""
    return tuple(row["relname"] for row in await connection.fetch(_TABLES, identifier(schema)))


async def pin(connection: asyncpg.Connection) -> None:
    """Hold what is there now, for `compare`, until the connection ends."""
    await connection.execute("begin isolation level repeatable read read only; select 1")


async def compare(
    source: asyncpg.Connection,
    target: asyncpg.Connection,
    schema: str,
    tables: Sequence[str],
    *,
    on_table: Callable[[str, Sum], None] = lambda _table, _sum: None,
) -> tuple[Difference, ...]:
    """Return the tables that differ between two pinned connections."""
    found = []
    for table in tables:
        one, other = await _both(source, target, qualified(schema, table), _BY_RECORD)
        on_table(table, one)
        if one != other:
            found.append(Difference(table=table, source=one, target=other))
    return tuple(found)


async def _both(source: asyncpg.Connection, target: asyncpg.Connection, table: str, hashed: str) -> tuple[Sum, Sum]:
    """Sum up both sides at once, by the text of rows where they cannot be hashed as they are."""
    for connection in (source, target):
        await connection.execute("savepoint before")
    found = await asyncio.gather(_summed(source, table, hashed), _summed(target, table, hashed), return_exceptions=True)
    failures = [each for each in found if isinstance(each, BaseException)]
    if hashed == _BY_RECORD and any(isinstance(each, asyncpg.UndefinedFunctionError) for each in failures):
        for connection in (source, target):
            await connection.execute("rollback to savepoint before")
        return await _both(source, target, table, _BY_TEXT)
    if failures:
        raise failures[0]
    one, other = (each for each in found if isinstance(each, Sum))
    return one, other


async def _summed(connection: asyncpg.Connection, table: str, hashed: str) -> Sum:
    row = await connection.fetchrow(
        f"select count(*) as rows, coalesce(sum({hashed}::numeric), 0)::text as hashes from {table} as {_ROW}",  # noqa: S608 - quoted
        timeout=_NO_END_S,
    )
    return Sum(rows=row["rows"], hashes=int(row["hashes"]))
