"""Months of the tables that only grow, each a part of its own: made ahead of time, as the owner of the schema.

Rows of a time that no month holds go to the part named ``<table>_rest``, so that writing never waits for a month to be
made; they are moved when the month is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.quoting import identifier, literal, qualified
from alphintra.infrastructure.telemetry import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.manifest import TableSpec

__all__ = ["MONTHS_AHEAD", "Part", "keep_months", "months_to_make", "parts_of"]

MONTHS_AHEAD: Final = 3
"""So many months after the running one are there after each start."""

_DECEMBER: Final = 12
_BOUNDS: Final = "set local lock_timeout = '2s'; set local statement_timeout = '30s'; set local timezone = 'UTC'"

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

    Works by PostgreSQL's clock, as the owner of the schema. A month that cannot be made now, since the table is in use
    or rows of it would take too long to move, is logged and left to the next run: its rows are in the rest meanwhile.
    """
    made: list[str] = []
    tables = {table.name: table for table in _cut(placement)}
    if not tables:
        return ()
    await connection.execute("set timezone = 'UTC'")
    now = await connection.fetchval("select now()")
    parts = await parts_of(connection, placement)
    for name, table in tables.items():
        own = [part for part in parts if part.table == name]
        if not own:
            continue  # not cut yet: the migration that does so is still to come
        for start, end in months_to_make(now, (part.ends_at for part in own)):
            month = f"{name}_p{start:%Y_%m}"
            try:
                await _make(connection, table, month, (start, end), placement=placement)
                made.append(month)
            except asyncpg.PostgresError as error:
                get_logger().warning("month.missing", table=name, month=f"{start:%Y-%m}", reason=str(error))
    for part in await parts_of(connection, placement):
        if part.is_rest and part.rows:
            get_logger().warning("month.rows_outside", table=part.table, rows=part.rows)
    return tuple(made)


def months_to_make(now: datetime, ends: Iterable[datetime | None]) -> tuple[tuple[datetime, datetime], ...]:
    """Return first and last instant of each month to be made, given where the parts that are there end."""
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = month
    for _ in range(MONTHS_AHEAD):
        last = _after(last)
    start = max([month, *(end for end in ends if end is not None)])
    found = []
    while start <= last:
        found.append((start, _after(start)))
        start = _after(start)
    return tuple(found)


def _after(month: datetime) -> datetime:
    if month.month == _DECEMBER:
        return month.replace(year=month.year + 1, month=1)
    return month.replace(month=month.month + 1)


def _cut(placement: Placement) -> Sequence[TableSpec]:
    return [table for table in placement.spec.tables if table.by_month]


async def _make(
    connection: asyncpg.Connection,
    table: TableSpec,
    part: str,
    bounds: tuple[datetime, datetime],
    *,
    placement: Placement,
) -> None:
    """Make a month aside, move into it what the rest has of it, and attach it: writers wait for the attaching alone."""
    schema, name = placement.location(table.name)
    whole, rest, month = qualified(schema, name), qualified(schema, f"{name}_rest"), qualified(schema, part)
    column = identifier(table.by_month)
    start, end = (literal(bound.isoformat()) for bound in bounds)
    within = f"{column} >= {start} and {column} < {end}"
    async with connection.transaction():
        await connection.execute(_BOUNDS)
        await connection.execute(f"create table {month} (like {whole} including all)")
        if await connection.fetchval(f"select exists (select from {rest} where {within})"):  # noqa: S608 - quoted
            await connection.execute(f"lock table {rest} in share row exclusive mode")
            await connection.execute(
                f"with moved as (delete from {rest} where {within} returning *) "  # noqa: S608 - quoted
                f"insert into {month} select * from moved"
            )
        await connection.execute(f"alter table {whole} attach partition {month} for values from ({start}) to ({end})")
        await connection.execute(f"grant select on {month} to {identifier(placement.backup_role)}")
