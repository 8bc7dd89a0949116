"""A service that is brought back to an earlier moment keeps the log it was audited by: it has gone on since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.dataplane.quoting import qualified

if TYPE_CHECKING:
    import asyncpg

__all__ = ["carry_log"]

_NO_END_S: Final = 7 * 86_400
_SEALED: Final = ("audit_leaves", "audit_checkpoints")


async def carry_log(connection: asyncpg.Connection, old: str, new: str) -> None:
    """Bring audit rows, leaves and checkpoints of one schema into another, in the transaction of the connection.

    What was signed and witnessed is the log of the schema that was in charge. Audit rows of both are kept, and those
    without a leaf wait to be sealed. ``new`` has its own name already, which the trigger that queues rows knows it by;
    the connection is an administrator's.
    """
    names = {table: (qualified(old, table), qualified(new, table)) for table in ("audit_events", *_SEALED)}
    rows, have = names["audit_events"]
    leaves, has = names["audit_leaves"]
    notes, noted = names["audit_checkpoints"]
    queue = qualified(new, "audit_pending")
    await connection.execute(
        f"insert into {have} select o.* from {rows} as o "  # noqa: S608 - quoted
        f"where not exists (select from {have} as n where n.audit_id = o.audit_id)",
        timeout=_NO_END_S,
    )
    if not await _begins_alike(connection, leaves, has):
        await _empty(connection, new)
        await connection.execute(
            f"insert into {queue} select e.audit_id from {have} as e on conflict do nothing",  # noqa: S608 - quoted
            timeout=_NO_END_S,
        )
    await connection.execute(
        f"insert into {has} select o.* from {leaves} as o "  # noqa: S608 - quoted
        f"where o.leaf_index > (select coalesce(max(leaf_index), -1) from {has}); "
        f"insert into {noted} select o.* from {notes} as o "
        f"where o.tree_size > (select coalesce(max(tree_size), 0) from {noted}); "
        f"delete from {queue} as q using {has} as l where l.audit_id = q.audit_id",
        timeout=_NO_END_S,
    )


async def _begins_alike(connection: asyncpg.Connection, leaves: str, has: str) -> bool:
    """Tell whether what is there is how the other one begins; it is not after a loss that was declared."""
    found = await connection.fetchrow(
        f"select n.audit_id = o.audit_id and n.leaf_hash = o.leaf_hash as is_alike from {has} as n "  # noqa: S608 - quoted
        f"left join {leaves} as o on o.leaf_index = n.leaf_index order by n.leaf_index desc limit 1"
    )
    return found is None or bool(found["is_alike"])


async def _empty(connection: asyncpg.Connection, schema: str) -> None:
    for table in _SEALED:
        name = qualified(schema, table)
        guards = [f"{table}_refuse_row_change", f"{table}_refuse_truncate"]
        off = ", ".join(f"disable trigger {each}" for each in guards)
        on = ", ".join(f"enable always trigger {each}" for each in guards)
        await connection.execute(f"alter table {name} {off}; truncate {name}; alter table {name} {on}")
