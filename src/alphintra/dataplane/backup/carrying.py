"""A service as it was, brought beside the running one in the same database, and put in its place in one transaction.

The restored schema is made under a name of its own. Taking over is two renames, with all that belongs to them, in one
transaction: PostgreSQL itself sees to it that a crash leaves one of both in charge and nothing in between. What was
there before stays, without anybody who may write to it, until it is dropped or put back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import asyncpg

from alphintra.dataplane.backup.dumps import require_known_schema
from alphintra.dataplane.backup.programs import Means, login_environment
from alphintra.dataplane.chain.carrying import carry_log
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.migrations import migrate
from alphintra.dataplane.move.checksums import Sum, compare, pin, tables_of
from alphintra.dataplane.move.copying import copy_rows
from alphintra.dataplane.move.fence import drained, fence_statements, free_statements
from alphintra.dataplane.move.sides import Move, Side
from alphintra.dataplane.quoting import identifier, literal, qualified
from alphintra.dataplane.server import Passwords, admin_connection
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = [
    "Carried",
    "Carry",
    "bring_beside",
    "drop_schemas",
    "make_current",
    "put_back",
    "rename_schema",
    "require_clear",
    "require_sound",
    "take_over",
]

_DRAIN_S: Final = 2.0
_NO_END_S: Final = 86_400
_WORKERS: Final = 2
_SEQUENCES: Final = (
    "select relname::text from pg_class where relnamespace = $1::regnamespace and relkind = 'S' order by 1"
)
_DANGLING: Final = (
    ("outbox", "event_log", "event_id"),
    ("audit_pending", "audit_events", "audit_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carry:
    """One service on its way back.

    Attributes:
        ident: of the restore.
        running: where the service is.
    """

    ident: str
    running: Side

    @property
    def restored(self) -> Placement:
        """The same place under the name the restored schema has until it takes over."""
        return replace(self.running.placement, schema_name=f"{self.running.schema}_{self.ident}_new")

    @property
    def before(self) -> str:
        """Schema that holds what was there before, afterwards."""
        return f"{self.running.schema}_{self.ident}_old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What was brought: rows by table, all compared with the backup's."""

    rows: int
    tables: int
    bytes: int


async def require_clear(running: Side) -> None:
    """Raise RESTORE_TARGET where a restored or an earlier schema of the service is there already, RESTORE_LAYOUT."""
    if running.placement.merged_schema:
        message = (
            "consolidated has no schema of one service alone: restore the whole instance, or move to central first"
        )
        raise AlphintraError("RESTORE_LAYOUT", message, kind=Kind.CONFLICT)
    async with running.administrator() as connection:
        found = await connection.fetchval(
            "select nspname::text from pg_namespace where nspname ~ $1 limit 1",
            f"^{running.schema}_[0-9a-f]+_(new|old)$",
        )
    if found is not None:
        message = (
            f"{running.label} still holds {found} of an earlier restore: "
            "use `alphintra backup restore --finish` or --rollback first"
        )
        raise AlphintraError("RESTORE_TARGET", message, kind=Kind.CONFLICT)


async def make_current(side: Side, *, passwords: Passwords, ident: str) -> None:
    """Bring a restored schema, still under its own name, up to this version. Raises BACKUP_VERSION, BACKUP_SERVICE."""
    placement = side.placement
    table = qualified(placement.schema, "schema_migrations")
    async with side.administrator() as connection:
        if await connection.fetchval("select to_regclass($1)", table) is None:
            message = (
                f"{ident} holds no {placement.schema} in {placement.database}: the service did not live there then"
            )
            raise AlphintraError("BACKUP_SERVICE", message, kind=Kind.CONFLICT)
        rows = await connection.fetch(f"select origin, max(name) as name from {table} group by origin")  # noqa: S608 - quoted
        require_known_schema(placement.service, {row["origin"]: row["name"] for row in rows}, ident)
        # Passwords may have been replaced since.
        role, secret = placement.migrator_role, passwords(placement.migrator_role)
        await connection.execute(f"alter role {identifier(role)} password {literal(secret)}")
    await migrate(side.server, placement=placement, password=passwords(placement.migrator_role))


async def rename_schema(side: Side, name: str) -> None:
    """Give the schema of a copy that nobody uses another name."""
    async with side.administrator() as connection:
        await connection.execute(f"alter schema {identifier(side.schema)} rename to {identifier(name)}")


async def bring_beside(carry: Carry, source: Side, *, means: Means) -> Carried:
    """Copy the schema of a source, renamed there, beside the running one, and compare every row of it.

    Made anew where an earlier run was cut. Raises RESTORE_DIFFERS, BACKUP_FAILED, TOPOLOGY_CONNECT.
    """
    target = Side(server=carry.running.server, placement=carry.restored)
    schema = carry.restored.schema
    async with target.administrator() as connection:
        await connection.execute(f"drop schema if exists {identifier(schema)} cascade")
    await _copy_structure(source, target, means)
    fault_point("restore.structure")
    copied = await copy_rows(
        Move(ident=carry.ident, source=source, target=target),
        workers=_WORKERS,
        on_progress=lambda done: means.task.on_bytes(done.bytes),
    )
    async with source.administrator() as old, target.administrator() as new:
        await _copy_sequences(old, new, schema)
        await require_sound(new, schema)
        await pin(old)
        await pin(new)
        tables = await tables_of(new, schema)
        rows = 0

        def seen(_table: str, found: Sum) -> None:
            nonlocal rows
            rows += found.rows

        differences = await compare(old, new, schema, tables, on_table=seen)
    if differences:
        odd = ", ".join(f"{each.table} ({each.source.rows} rows, then {each.target.rows})" for each in differences)
        message = f"what was brought back is not what the backup holds: {odd}; nothing was changed, try again"
        raise AlphintraError("RESTORE_DIFFERS", message, kind=Kind.CONFLICT)
    fault_point("restore.brought")
    return Carried(rows=rows, tables=len(tables), bytes=copied.bytes)


async def take_over(carry: Carry) -> None:
    """Put the restored schema in the running one's place; nobody of the service may be at its database meanwhile.

    Audit rows written since stay, with their leaves and checkpoints: nobody's trail ends because data was brought back,
    and the log goes on from what was signed. Sequences go on behind what they
    had come to, so that no number is given out twice. Raises RESTORE_BUSY where a stranger writes.
    """
    running, restored = carry.running, carry.restored
    async with running.administrator() as connection:
        if not await drained(connection, running, ours=[connection.get_server_pid()], wait_s=_DRAIN_S):
            message = f"a transaction that writes to {running.label} does not end: end it and use --resume"
            raise AlphintraError("RESTORE_BUSY", message, kind=Kind.CONFLICT)
        async with connection.transaction():
            fence = await fence_statements(connection, running)
            await connection.execute(fence, timeout=_NO_END_S)
            await _raise_sequences(connection, running.schema, restored.schema)
            await connection.execute(_renamed(running.schema, carry.before, restored.schema))
            await carry_log(connection, carry.before, running.schema)
            await connection.execute(free_statements(running))
            fault_point("restore.renamed")
    fault_point("restore.taken")


async def put_back(carry: Carry) -> None:
    """Put what was there before back in its place, and drop what was restored."""
    running = carry.running
    async with running.administrator() as connection:
        await drained(connection, running, ours=[connection.get_server_pid()], wait_s=_DRAIN_S)
        async with connection.transaction():
            await _raise_sequences(connection, running.schema, carry.before)
            await connection.execute(_renamed(running.schema, carry.restored.schema, carry.before))
            await carry_log(connection, carry.restored.schema, running.schema)
            await connection.execute(
                f"set local client_min_messages = error; drop schema {identifier(carry.restored.schema)} cascade; "
                + free_statements(running)
            )


async def _copy_structure(source: Side, target: Side, means: Means) -> None:
    dump = ["-Fc", "-Z0", "--schema-only", "--no-password", "-n", identifier(source.schema)]
    restore = ["--exit-on-error", "--no-password", "--single-transaction", "-d", target.database]
    await asyncio.to_thread(
        means.programs.pipe,
        ("pg_dump", dump, login_environment(source.server, source.database)),
        ("pg_restore", restore, login_environment(target.server, target.database)),
        task=means.task,
    )


async def _copy_sequences(old: asyncpg.Connection, new: asyncpg.Connection, schema: str) -> None:
    for row in await old.fetch(_SEQUENCES, identifier(schema)):
        name = qualified(schema, row["relname"])
        held = await old.fetchrow(f"select last_value, is_called from {name}")  # noqa: S608 - quoted
        await new.execute(f"select setval({literal(name)}, {held['last_value']}, {str(held['is_called']).lower()})")


async def _raise_sequences(connection: asyncpg.Connection, old: str, new: str) -> None:
    """Let the sequences of a schema go on behind those of another, where they have been further."""
    for row in await connection.fetch(_SEQUENCES, identifier(old)):
        ours, theirs = qualified(new, row["relname"]), qualified(old, row["relname"])
        if await connection.fetchval("select to_regclass($1)", ours) is not None:
            await connection.execute(
                f"select setval({literal(ours)}, greatest((select last_value from {ours}), o.last_value), true) "  # noqa: S608 - quoted
                f"from {theirs} as o where o.is_called"
            )


def _renamed(schema: str, aside: str, by: str) -> str:
    return (
        f"alter schema {identifier(schema)} rename to {identifier(aside)}; "
        f"alter schema {identifier(by)} rename to {identifier(schema)}"
    )


async def require_sound(connection: asyncpg.Connection, schema: str) -> None:
    """Raise RESTORE_DIFFERS where queues name what is not there: then the copy is not of one moment."""
    for queue, log, key in _DANGLING:
        lost = await connection.fetchval(
            f"select count(*) from {qualified(schema, queue)} as q "  # noqa: S608 - quoted
            f"where not exists (select from {qualified(schema, log)} as l where l.{key} = q.{key})"
        )
        if lost:
            message = f"{lost} rows of {queue} name no row of {log}: the backup is not of one moment, use another one"
            raise AlphintraError("RESTORE_DIFFERS", message, kind=Kind.CONFLICT)


async def drop_schemas(running: Side, names: Sequence[str]) -> None:
    """Drop schemas that nobody uses any more."""
    async with admin_connection(running.server, database=running.database) as connection:
        for name in names:
            await connection.execute(
                f"set client_min_messages = error; drop schema if exists {identifier(name)} cascade"
            )
