"""Making a layout ready for its services: roles and databases, migrations, months to come, grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alphintra.dataplane.apply import apply
from alphintra.dataplane.layouts import placements_of
from alphintra.dataplane.migrations import migrate_all, owner_connection
from alphintra.dataplane.months import keep_months, parts_of
from alphintra.dataplane.schema import require_schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.migrations import Migration
    from alphintra.dataplane.months import Part
    from alphintra.dataplane.plan import Action
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["Provisioned", "look_at_months", "provision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What a provisioning run changed; both empty on a system that was ready."""

    actions: tuple[Action, ...]
    migrations: Mapping[str, tuple[Migration, ...]]


async def provision(
    server: Server,
    *,
    layout: Sequence[Placement],
    passwords: Passwords,
    approve: Callable[[Sequence[Action]], None] | None = None,
    on_action: Callable[[Action], None] | None = None,
) -> Provisioned:
    """Apply, migrate, compare the schemas, and apply again where new tables need grants. Safe to repeat and to kill.

    ``approve`` and ``on_action`` are those of `apply`. Raises what ``apply`` and ``migrate`` raise, and
    SCHEMA_DRIFT.
    """
    actions = await apply(server, layout=layout, passwords=passwords, approve=approve, on_action=on_action)
    migrations = await migrate_all(server, layout=layout, passwords=passwords)
    await require_schemas(server, layout=layout)
    if any(migrations.values()):
        actions += await apply(server, layout=layout, passwords=passwords, approve=approve, on_action=on_action)
    return Provisioned(actions=actions, migrations=migrations)


async def look_at_months(
    server: Server, *, layout: Sequence[Placement], passwords: Passwords, is_kept: bool = False
) -> Mapping[str, tuple[Part, ...]]:
    """Return the parts of the tables on a server that are cut by month, by service; with ``is_kept`` make what lacks.

    Raises MIGRATION_BUSY, TOPOLOGY_CONNECT.
    """
    found: dict[str, tuple[Part, ...]] = {}
    for placement in placements_of(layout, server.instance):
        if not any(table.by_month for table in placement.spec.tables):
            continue
        password = passwords(placement.migrator_role)
        async with owner_connection(server, placement=placement, password=password) as connection:
            if is_kept:
                await keep_months(connection, placement)
            found[placement.service] = await parts_of(connection, placement)
    return found
