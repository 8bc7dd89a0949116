"""What stands between a server and its declaration: statements, migrations, what nobody declared. Changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alphintra.dataplane.declaration import declare_on
from alphintra.dataplane.inspect import inspect
from alphintra.dataplane.migrations import migrations_of
from alphintra.dataplane.plan import Action, plan, unexpected
from alphintra.dataplane.quoting import qualified
from alphintra.dataplane.schema import schema_drift
from alphintra.dataplane.server import admin_connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["Survey", "survey_server", "survey_servers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What differs on one instance.

    Attributes:
        instance: its name in the layout.
        actions: what `apply` would do now; grants on tables join once the tables are there.
        pending: migrations that are not applied, as ``service: folder/file``.
        unmanaged: what is there without a declaration, or declared and missing or other; nothing here mends it.
        limits: what the administrator can neither see nor change.
    """

    instance: str
    actions: tuple[Action, ...]
    pending: tuple[str, ...]
    unmanaged: tuple[str, ...]
    limits: tuple[str, ...]

    @property
    def differences(self) -> int:
        """How many things differ."""
        return len(self.actions) + len(self.pending) + len(self.unmanaged)

    @property
    def destructive(self) -> tuple[Action, ...]:
        """Actions that take something away from somebody."""
        return tuple(action for action in self.actions if action.destructive)


async def survey_servers(
    servers: Sequence[Server], *, layout: Sequence[Placement], passwords: Passwords | None
) -> tuple[Survey, ...]:
    """Survey every server of a layout. Raises TOPOLOGY_CONNECT, PG_VERSION."""
    found = await asyncio.gather(*(survey_server(server, layout=layout, passwords=passwords) for server in servers))
    return tuple(found)


async def survey_server(server: Server, *, layout: Sequence[Placement], passwords: Passwords | None) -> Survey:
    """Compare one server with what the layout declares for it.

    Without ``passwords`` stored verifiers are not compared. Raises TOPOLOGY_CONNECT, PG_VERSION.
    """
    declared = declare_on(server, layout)
    observed = await inspect(server, declared, passwords=passwords)
    pending: list[str] = []
    behind: set[str] = set()
    drift: list[str] = []
    for placement in layout:
        if placement.instance != server.instance:
            continue
        is_there = placement.database in observed.databases
        missing = await _pending(server, placement) if is_there else _all(placement)
        pending += [f"{placement.service}: {name}" for name in missing]
        if missing:
            behind.add(placement.database)
        else:
            drift += [f"{placement.database}: {note}" for note in await schema_drift(server, placement)]
    notes = [
        note
        for note in unexpected(declared, observed)
        # A table that a pending migration makes is no news of its own.
        if not (note.endswith(" is missing") and note.partition(":")[0] in behind)
    ]
    return Survey(
        instance=server.instance,
        actions=plan(declared, observed),
        pending=tuple(pending),
        unmanaged=tuple(dict.fromkeys((*notes, *drift))),
        limits=observed.limits,
    )


def _all(placement: Placement) -> list[str]:
    return [f"{item.origin}/{item.name}" for item in migrations_of(placement.service)]


async def _pending(server: Server, placement: Placement) -> list[str]:
    record = qualified(placement.schema, "schema_migrations")
    async with admin_connection(server, database=placement.database) as connection:
        if await connection.fetchval("select to_regclass($1)", record) is None:
            return _all(placement)
        rows = await connection.fetch(f"select origin || '/' || name as name from {record}")  # noqa: S608 - quoted
    applied = {row["name"] for row in rows}
    return [name for name in _all(placement) if name not in applied]
