"""Forward-only migrations: plain numbered SQL, recorded with its checksum inside the service's own schema."""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.merge import merge_tables, split_tables
from alphintra.dataplane.months import keep_months
from alphintra.dataplane.server import role_connection
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["PHASES", "Migration", "migrate", "migrate_all", "migrations_of", "owner_connection", "read_folder"]

PHASES: Final = ("pre", "post")
"""Before the new code runs, and after the old code has gone."""

_NAME: Final = re.compile(r"(?P<number>[0-9]{4})_(?P<phase>pre|post)_[a-z0-9]+(_[a-z0-9]+)*\.sql")
# What may hold words of its own: comments, quoted bodies, string constants, quoted names.
_QUOTED: Final = re.compile(r"--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|\"[^\"]*\"", re.DOTALL)
_TRANSACTION: Final = re.compile(
    r"(?:^|;)\s*(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b",
    re.IGNORECASE,
)
_LOCK_WAIT: Final = "50s"
_LOCK_TIMEOUT: Final = "2s"
_ATTEMPTS: Final = 10
_STATEMENT_TIMEOUT: Final = "5s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file: where it comes from (``common`` or the service), its name, text and SHA-256 in hex."""

    origin: str
    name: str
    sql: str
    checksum: str

    @property
    def phase(self) -> str:
        """Either ``pre`` or ``post``, from the name."""
        return self.name.split("_", 2)[1]


def migrations_of(service: str) -> tuple[Migration, ...]:
    """Return a service's migrations in order: the common ones, then its own.

    Raises MIGRATION_NAME, MIGRATION_NUMBER.
    """
    package = files("alphintra")
    common = package.joinpath("infrastructure", "sql", "migrations")
    own = package.joinpath(service, "sql", "migrations")
    return (*read_folder(common, origin="common"), *read_folder(own, origin=service))


def read_folder(folder: Traversable, *, origin: str) -> tuple[Migration, ...]:
    """Read the migrations of one folder, in order of number; an absent folder holds none.

    Raises MIGRATION_NAME for a file not named ``NNNN_pre_words.sql`` or ``NNNN_post_words.sql``, MIGRATION_NUMBER
    where a number is missing or taken twice.
    """
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else []
    migrations = []
    for number, entry in enumerate(entries, start=1):
        match = _NAME.fullmatch(entry.name)
        if match is None:
            message = f"{origin}: {entry.name} is no migration name: write NNNN_pre_words.sql or NNNN_post_words.sql"
            raise AlphintraError("MIGRATION_NAME", message)
        if int(match["number"]) != number:
            message = f"{origin}: {entry.name} should carry number {number:04d}: numbers are used once, without gaps"
            raise AlphintraError("MIGRATION_NUMBER", message)
        raw = entry.read_bytes()
        checksum = hashlib.sha256(raw).hexdigest()
        migrations.append(Migration(origin=origin, name=entry.name, sql=raw.decode(), checksum=checksum))
    return tuple(migrations)


async def migrate_all(
    server: Server, *, layout: Iterable[Placement], passwords: Passwords, phases: Sequence[str] = PHASES
) -> Mapping[str, tuple[Migration, ...]]:
    """Migrate every service placed on this server, side by side; return what was applied, by service.

    Raises as ``migrate``; a failure in one service lets the others finish first.
    """
    placed = [placement for placement in layout if placement.instance == server.instance]
    runs = [
        migrate(server, placement=placement, password=passwords(placement.migrator_role), phases=phases)
        for placement in placed
    ]
    results = await asyncio.gather(*runs, return_exceptions=True)
    applied: dict[str, tuple[Migration, ...]] = {}
    for placement, result in zip(placed, results, strict=True):
        if isinstance(result, BaseException):
            raise result
        applied[placement.service] = result
    return applied


async def migrate(
    server: Server,
    *,
    placement: Placement,
    password: str,
    phases: Sequence[str] = PHASES,
    migrations: Sequence[Migration] | None = None,
) -> tuple[Migration, ...]:
    """Apply what a service's schema lacks, as its migrator, each file in one transaction; return what was applied.

    Afterwards the tables that are cut by month have their months to come (see `months.keep_months`).

    Args:
        server: instance the service is placed on.
        placement: service and database.
        password: the migrator's secret.
        phases: which files to run; those of other phases are left for later.
        migrations: instead of the service's own files.

    Raises MIGRATION_TRANSACTION for a file that begins or ends a transaction itself, MIGRATION_DRIFT if an applied
    file has changed, MIGRATION_UNKNOWN if the schema is newer than this program, MIGRATION_BUSY, MIGRATION_FAILED
    naming the file (which then left nothing behind), TOPOLOGY_CONNECT.
    """
    wanted = migrations_of(placement.service) if migrations is None else tuple(migrations)
    async with owner_connection(server, placement=placement, password=password) as connection:
        applied = await _applied(connection)
        _check_history(wanted, applied, placement)
        missing = tuple(item for item in wanted if (item.origin, item.name) not in applied and item.phase in phases)
        for migration in missing:
            _require_one_transaction(migration)
        if missing:
            await split_tables(connection, placement)
        for migration in missing:
            await _run(connection, migration, placement)
        await merge_tables(connection, placement)
        await keep_months(connection, placement)
    return missing


@asynccontextmanager
async def owner_connection(server: Server, *, placement: Placement, password: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection that acts for the owner of a service's schema, one at a time.

    Raises MIGRATION_BUSY, TOPOLOGY_CONNECT.
    """
    role = placement.migrator_role
    settings = {"search_path": ", ".join(placement.search_path), "role": placement.owner_role}
    async with role_connection(
        server, role=role, password=password, database=placement.database, settings=settings
    ) as connection:
        await _lock(connection, placement)
        yield connection


async def _lock(connection: asyncpg.Connection, placement: Placement) -> None:
    await connection.execute(f"set lock_timeout = '{_LOCK_WAIT}'; set statement_timeout = 0")
    key = int.from_bytes(hashlib.sha256(placement.schema.encode()).digest()[:8], "big", signed=True)
    try:
        await connection.execute("select pg_advisory_lock($1)", key)
    except asyncpg.LockNotAvailableError as error:
        message = f"{placement.service} has been migrated by another run for {_LOCK_WAIT}: wait for it, or end it"
        raise AlphintraError("MIGRATION_BUSY", message, kind=Kind.CONFLICT) from error


async def _applied(connection: asyncpg.Connection) -> dict[tuple[str, str], str]:
    if await connection.fetchval("select to_regclass('schema_migrations')") is None:
        return {}
    rows = await connection.fetch("select origin, name, checksum from schema_migrations")
    return {(row["origin"], row["name"]): row["checksum"] for row in rows}


def _check_history(wanted: Sequence[Migration], applied: Mapping[tuple[str, str], str], placement: Placement) -> None:
    known = {(item.origin, item.name): item.checksum for item in wanted}
    for (origin, name), checksum in sorted(applied.items()):
        where = f"{placement.service}: {origin}/{name}"
        if (origin, name) not in known:
            message = f"{where} was applied by a newer Alphintra: upgrade this program, a schema never goes back"
            raise AlphintraError("MIGRATION_UNKNOWN", message, kind=Kind.CONFLICT)
        if known[origin, name] != checksum:
            message = f"{where} has changed since it was applied: restore the file and write a new migration instead"
            raise AlphintraError("MIGRATION_DRIFT", message, kind=Kind.CONFLICT)


def _require_one_transaction(migration: Migration) -> None:
    """Refuse a file that would leave the transaction it runs in, and with it the promise of all or nothing."""
    found = _TRANSACTION.search(_QUOTED.sub(" ", migration.sql))
    if found is not None:
        where = f"{migration.origin}/{migration.name}"
        message = f"{where} says {found[1].upper()}: each file runs in one transaction, so take that statement out"
        raise AlphintraError("MIGRATION_TRANSACTION", message)


async def _run(connection: asyncpg.Connection, migration: Migration, placement: Placement) -> None:
    try:
        for attempt in range(_ATTEMPTS):
            try:
                await _once(connection, migration)
            except asyncpg.DeadlockDetectedError:  # another run gives grants on the same tables meanwhile
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return
    except asyncpg.PostgresError as error:
        reason = f"{error.sqlstate}: {str(error).splitlines()[0]}"
        message = f"{placement.service}: {migration.origin}/{migration.name} failed and left nothing behind ({reason})"
        raise AlphintraError("MIGRATION_FAILED", message, kind=Kind.UNAVAILABLE) from error


async def _once(connection: asyncpg.Connection, migration: Migration) -> None:
    """Run one file with the row that says so, in one transaction."""
    async with connection.transaction():
        await connection.execute(
            f"set local lock_timeout = '{_LOCK_TIMEOUT}'; set local statement_timeout = '{_STATEMENT_TIMEOUT}'"
        )
        await connection.execute(migration.sql)
        await connection.execute(
            "insert into schema_migrations (origin, name, checksum) values ($1, $2, $3)",
            migration.origin,
            migration.name,
            migration.checksum,
        )
