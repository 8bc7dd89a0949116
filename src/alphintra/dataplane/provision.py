"""The one call that makes a layout ready for its services: roles and databases, migrations, grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alphintra.dataplane.apply import apply
from alphintra.dataplane.migrations import migrate_all
from alphintra.dataplane.schema import require_schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.migrations import Migration
    from alphintra.dataplane.plan import Action
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["Provisioned", "provision"]


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
