"""Indexes and keys of a large schema, taken down before the copy and made again after it, by what they were."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.quoting import identifier, qualified

if TYPE_CHECKING:
    import asyncpg

    from alphintra.dataplane.move.sides import Side

__all__ = ["Rebuild", "drop_indexes", "make_indexes"]

_WORTH_BYTES: Final = 64 * 1024 * 1024  # below it the statements cost more than they save
_NO_END_S: Final = 7 * 86_400
_KEYS: Final = """
    select r.relname as table, k.conname as name, k.contype::text as kind, pg_get_constraintdef(k.oid) as text
    from pg_constraint k join pg_class r on r.oid = k.conrelid
    where r.relnamespace = $1::regnamespace and not r.relispartition and k.conparentid = 0
        and (k.contype = 'f' or ($2 and r.relkind = 'r' and k.contype in ('p', 'u', 'x')))
    order by k.contype = 'f' desc, 1, 2
"""
_INDEXES: Final = """
    select i.relname as name, pg_get_indexdef(i.oid) as text
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class r on r.oid = x.indrelid
    where r.relnamespace = $1::regnamespace and r.relkind = 'r' and not r.relispartition
        and not exists (select from pg_constraint k where k.conindid = i.oid and k.contype in ('p', 'u', 'x'))
    order by 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """What is to be made again, in this order: indexes and keys side by side, then what refers to them."""

    indexes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


async def drop_indexes(connection: asyncpg.Connection, schema: str, size: int) -> Rebuild:
    """Take down keys and indexes of the plain tables of a schema and return how to make them again.

    Only where so many bytes are to come that it pays; those of tables that are cut up stay. Replication and copies
    check no references, so these are left alone.
    """
    if size < _WORTH_BYTES:
        return Rebuild()
    place = identifier(schema)
    keys = await connection.fetch(_KEYS, place, True)  # noqa: FBT003 - a value of the statement
    indexes = await connection.fetch(_INDEXES, place)
    async with connection.transaction():
        for row in keys:
            table = qualified(schema, row["table"])
            await connection.execute(f"alter table {table} drop constraint {identifier(row['name'])}")
        for row in indexes:
            await connection.execute(f"drop index {qualified(schema, row['name'])}")
    made = {False: [row["text"] for row in indexes], True: []}
    for row in keys:
        add = f"alter table {qualified(schema, row['table'])} add constraint {identifier(row['name'])} {row['text']}"
        made[row["kind"] == "f"].append(add)
    return Rebuild(indexes=tuple(made[False]), references=tuple(made[True]))


async def make_indexes(side: Side, rebuild: Rebuild, *, workers: int) -> None:
    """Make again what was taken down, by several connections."""
    waiting = deque(rebuild.indexes)

    async def work() -> None:
        async with side.administrator() as connection:
            await connection.execute("set maintenance_work_mem = '256MB'; set client_min_messages = error")
            while waiting:
                await connection.execute(waiting.popleft(), timeout=_NO_END_S)

    if rebuild.indexes:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
    if rebuild.references:
        async with side.administrator() as connection:
            for statement in rebuild.references:
                await connection.execute(statement, timeout=_NO_END_S)
