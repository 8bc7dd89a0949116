"""Turns cross-service reporting on and off, and tells whether it is: roles that only reports use (decision 0010).

On, each database that holds reported tables has one more login role, declared like every other: `apply`, `plan` and
`verify` know it. Off, that role does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.apply import apply
from alphintra.dataplane.layouts import placements_of
from alphintra.dataplane.quoting import identifier
from alphintra.dataplane.reporting_grants import reported, reporter_role
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = [
    "ReportingRole",
    "disable_reporting",
    "enable_reporting",
    "reporting_roles",
    "require_switchable",
    "switched",
]

_NAME_BYTES_MAX: Final = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingRole:
    """A role reports read with: where it is or would be, what it reads, and whether it is there now."""

    role: str
    database: str
    instance: str
    services: tuple[str, ...]
    exists: bool


def switched(layout: Iterable[Placement], *, on: bool) -> tuple[Placement, ...]:
    """Return the layout with reporting on or off; nothing is done yet."""
    return tuple(replace(placement, is_reported=on) for placement in layout)


async def reporting_roles(servers: Iterable[Server], *, layout: Iterable[Placement]) -> tuple[ReportingRole, ...]:
    """Return the roles of reports by database, as they are now. Raises TOPOLOGY_CONNECT, PG_VERSION."""
    roles = []
    for server in servers:
        wanted = _by_role(placements_of(layout, server.instance))
        if not wanted:
            continue
        async with admin_connection(server) as connection:
            sql = "select rolname from pg_roles where rolname = any($1::text[])"
            present = {row["rolname"] for row in await connection.fetch(sql, list(wanted))}
        roles += [
            ReportingRole(
                role=role,
                database=placements[0].database,
                instance=server.instance,
                services=tuple(placement.service for placement in placements),
                exists=role in present,
            )
            for role, placements in wanted.items()
        ]
    return tuple(roles)


async def require_switchable(servers: Sequence[Server], *, layout: Sequence[Placement]) -> None:
    """Refuse, before anything is changed, an enabling that cannot or must not go on.

    Raises REPORTING_NAME for a database whose role's name would be too long, REPORTING_ROLE_TAKEN where a role of
    that name exists although reporting was never turned on, TOPOLOGY_CONNECT, PG_VERSION.
    """
    for placement in reported(layout):
        if len(reporter_role(placement).encode()) > _NAME_BYTES_MAX:
            message = (
                f"the reporting role of {placement.database} would be named {reporter_role(placement)}, longer than "
                f"{_NAME_BYTES_MAX} bytes: choose a shorter name for the database"
            )
            raise AlphintraError("REPORTING_NAME", message, pointer="layout.databases")
    found = await reporting_roles(servers, layout=layout)
    taken = [role.role for role in found if role.exists]
    if taken and not any(placement.is_reported for placement in layout):
        message = f"role {taken[0]} exists already and is not ours: rename or drop it, reporting needs that name"
        raise AlphintraError("REPORTING_ROLE_TAKEN", message, kind=Kind.CONFLICT)


async def enable_reporting(
    servers: Sequence[Server], *, layout: Sequence[Placement], passwords: Passwords
) -> tuple[Placement, ...]:
    """Create the reporting roles and their grants; return the layout as it is then. Safe to repeat and to kill.

    Raises what `require_switchable` and `apply` raise.
    """
    await require_switchable(servers, layout=layout)
    on = switched(layout, on=True)
    for server in servers:
        if reported(placements_of(layout, server.instance)):
            await apply(server, layout=on, passwords=passwords)
    return on


async def disable_reporting(
    servers: Sequence[Server], *, layout: Sequence[Placement], passwords: Passwords
) -> tuple[Placement, ...]:
    """End the sessions of the reporting roles, take back their grants and drop them; return the layout then.

    Safe to repeat and to kill. Raises TOPOLOGY_CONNECT before anything is changed, REPORTING_ROLE_KEPT where the
    server will not drop a role, and what `apply` raises.
    """
    present = [role for role in await reporting_roles(servers, layout=layout) if role.exists]
    off = switched(layout, on=False)
    for server in servers:
        roles = [role for role in present if role.instance == server.instance]
        if not roles:
            continue
        await _end_sessions(server, [role.role for role in roles])
        await apply(server, layout=off, passwords=passwords)
        for role in roles:
            await _drop(server, role)
    return off


def _by_role(placements: Iterable[Placement]) -> dict[str, list[Placement]]:
    roles: dict[str, list[Placement]] = {}
    for placement in reported(placements):
        roles.setdefault(reporter_role(placement), []).append(placement)
    return roles


async def _end_sessions(server: Server, roles: Sequence[str]) -> None:
    async with admin_connection(server) as connection:
        for role in roles:
            await connection.execute(f"alter role {identifier(role)} nologin")
        sql = "select pg_terminate_backend(pid) from pg_stat_activity where usename = any($1::text[])"
        try:
            await connection.execute(sql, list(roles))
        except asyncpg.InsufficientPrivilegeError:
            return  # an administrator that is no superuser: what is left of a session can read nothing any more


async def _drop(server: Server, role: ReportingRole) -> None:
    """Drop a role, and first, where the administrator may, whatever it could have come to own (large objects)."""
    async with admin_connection(server, database=role.database) as connection:
        try:
            if await connection.fetchval("select rolsuper from pg_roles where rolname = current_user"):
                await connection.execute(f"drop owned by {identifier(role.role)}")
            await connection.execute(f"drop role if exists {identifier(role.role)}")
        except asyncpg.PostgresError as error:
            lines = [str(error).splitlines()[0], (getattr(error, "detail", None) or "").partition("\n")[0]]
            reason = "; ".join(line for line in lines if line)
            message = f"role {role.role} can no longer log in, but PostgreSQL keeps it ({reason}): drop it by hand"
            raise AlphintraError("REPORTING_ROLE_KEPT", message, kind=Kind.CONFLICT) from error
