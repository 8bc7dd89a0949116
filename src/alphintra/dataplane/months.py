"""Months of the tables that only grow, each a part of its own: made ahead of time, by a function of the schema's owner.

Rows of a time that no month holds go to the part named ``<table>_rest``, so that writing never waits for a month to be
made; they are moved when the month is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.quoting import qualified
from alphintra.infrastructure.telemetry import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg

    from alphintra.dataplane.layouts import Placement
    from alphintra.manifest import TableSpec

__all__ = ["MONTHS_AHEAD", "Part", "keep_months", "parts_of"]

MONTHS_AHEAD: Final = 3
"""So many months after the running one are there after each start, and each day of a service that runs."""

_PARTS: Final = """
    with bounds as (
        select w.relname as "table", c.oid, c.relname as name, c.reltuples, pg_get_expr(c.relpartbound, c.oid) as bound
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        join pg_class w on w.oid = i.inhparent
        join pg_namespace n on n.oid = w.relnamespace
        where w.relkind = 'p' and (n.nspname::text, w.relname::text) in (
            select t.schema, t.name from unnest($1::text[], $2::text[]) as t (schema, name)
        )
    )
    select "table", name, greatest(reltuples, 0)::bigint as rows, bound = 'DEFAULT' as is_rest,
        (regexp_match(bound, $$FROM \\('([^']+)'\\)$$))[1]::timestamptz as starts_at,
        (regexp_match(bound, $$TO \\('([^']+)'\\)$$))[1]::timestamptz as ends_at
    from bounds order by "table", is_rest, ends_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a table that is cut by month.

    Attributes:
        table: the whole.
        name: its own.
        starts_at: its first instant; None for all that was there before the table was cut, and for the rest.
        ends_at: the first instant after it; None for the rest.
        is_rest: whether it holds what no month does.
        rows: as PostgreSQL estimates them; of the rest counted.
    """

    table: str
    name: str
    starts_at: datetime | None
    ends_at: datetime | None
    is_rest: bool
    rows: int


async def parts_of(connection: asyncpg.Connection, placement: Placement) -> tuple[Part, ...]:
    """Return the parts of a service's tables that are cut by month; the connection may read the catalogue."""
    where = [placement.location(table.name) for table in _cut(placement)]
    rows = await connection.fetch(_PARTS, *map(list, zip(*where, strict=True))) if where else []
    return tuple([await _counted(connection, Part(**dict(row)), placement) for row in rows])


async def _counted(connection: asyncpg.Connection, part: Part, placement: Placement) -> Part:
    if not part.is_rest:
        return part
    table = qualified(placement.location(part.table)[0], part.name)
    return replace(part, rows=await connection.fetchval(f"select count(*) from {table}"))  # noqa: S608 - quoted


async def keep_months(connection: asyncpg.Connection, placement: Placement) -> tuple[str, ...]:
    """Make the months of a service's tables that are missing up to `MONTHS_AHEAD`; return the names of those made.

    Works by PostgreSQL's clock, as the owner of the schema, through the function that the running service calls too. A
    month that cannot be made now, since the table is in use, is logged and left to the next run: its rows are in the
    rest meanwhile.
    """
    if not _cut(placement):
        return ()
    function = qualified(placement.schema, "keep_months")
    if await connection.fetchval("select to_regprocedure($1)", f"{function}(timestamp with time zone)") is None:
        return ()  # the migration that brings it is still to come
    made: list[str] = []
    for row in await connection.fetch(f"select part, failure from {function}(now())"):  # noqa: S608 - quoted
        if row["failure"]:
            get_logger().warning("month.missing", part=row["part"], reason=row["failure"])
        else:
            made.append(row["part"])
    for part in await parts_of(connection, placement):
        if part.is_rest and part.rows:
            get_logger().warning("month.rows_outside", table=part.table, rows=part.rows)
    return tuple(made)


def _cut(placement: Placement) -> Sequence[TableSpec]:
    return [table for table in placement.spec.tables if table.by_month]
