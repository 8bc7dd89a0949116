"""Single services: their schema as PostgreSQL's own dump, in every layout that gives them one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from alphintra.dataplane.backup.catalogue import Catalogue
from alphintra.dataplane.backup.model import BackupKind, Begun, Manifest
from alphintra.dataplane.backup.programs import Means, login_environment
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.migrations import migrations_of
from alphintra.dataplane.quoting import identifier, qualified
from alphintra.dataplane.server import Server, admin_connection
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import service_tables

__all__ = ["DUMP", "back_up_service", "migrations_in", "require_known_schema", "selection"]

DUMP: Final = "schema.dump"


def selection(placement: Placement) -> list[str]:
    """Return the options that make a dump hold one service alone."""
    if not placement.merged_schema:
        return ["-n", identifier(placement.schema)]
    tables = [qualified(*placement.location(table.name)) for table in service_tables(placement.spec)]
    return [f"--table-and-children={table}" for table in (*tables, f"{identifier(placement.schema)}.*")]


async def migrations_in(server: Server, placement: Placement) -> tuple[int, dict[str, str]]:
    """Return the server's version and a schema's newest migration by origin."""
    table = qualified(*placement.location("schema_migrations"))
    async with admin_connection(server, database=placement.database) as connection:
        version = int(await connection.fetchval("select current_setting('server_version_num')::int"))
        rows = await connection.fetch(f"select origin, max(name) as name from {table} group by origin")  # noqa: S608 - quoted
    return version, {row["origin"]: row["name"] for row in rows}


def require_known_schema(service: str, migrations: Mapping[str, str], ident: str) -> None:
    """Raise BACKUP_VERSION where a backup has a migration that this version of the platform does not know."""
    known = {(migration.origin, migration.name) for migration in migrations_of(service)}
    for origin, name in migrations.items():
        if (origin, name) not in known:
            message = f"backup {ident} was made by a newer Alphintra ({origin}/{name}): install that version first"
            raise AlphintraError("BACKUP_VERSION", message, kind=Kind.CONFLICT)


def back_up_service(
    catalogue: Catalogue,
    server: Server,
    placement: Placement,
    *,
    begun: Begun,
    state: tuple[int, dict[str, str]],
    means: Means,
) -> Manifest:
    """Stream a dump of one service to the target; the manifest is not written yet.

    ``state`` is what `migrations_in` returned. Raises BACKUP_FAILED, BACKUP_CANCELLED and what the target raises.
    """
    # Compressed with everything else, and better than by the dump itself.
    arguments = ["-Fc", "-Z0", "--no-password", *selection(placement)]
    env = login_environment(server, placement.database)
    entry = catalogue.add(begun.ident, DUMP, means.programs.read("pg_dump", arguments, env=env, task=means.task))
    version, migrations = state
    return Manifest(
        ident=begun.ident,
        scope=catalogue.scope,
        kind=BackupKind.DUMP,
        origin=catalogue.origin,
        began_at=begun.at,
        ended_at=begun.at,
        server_version=version,
        databases={placement.database: [placement.service]},
        migrations=migrations,
        key="",
        files=(entry,),
    )
