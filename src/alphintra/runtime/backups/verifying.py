"""Whether a backup can be restored: found out by restoring it, into an instance of its own, and written down."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from time import perf_counter
from typing import Final

import msgspec

from alphintra.dataplane.backup.dumps import DUMP
from alphintra.dataplane.backup.model import BackupKind, Manifest
from alphintra.dataplane.backup.programs import Task, login_environment
from alphintra.dataplane.backup.reading import Found, read_all
from alphintra.dataplane.backup.sides import make_database
from alphintra.dataplane.failures import explained
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.server import Server
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.backups.side import clear_sides, side_instance
from alphintra.runtime.backups.work import Backups, held
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home

__all__ = ["Evidence", "evidence_of", "verify"]

_FILE: Final = "backup-evidence.jsonl"
_SIDE: Final = "verified"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one restore for real.

    Attributes:
        backup: which.
        scope: of what.
        at: when it was tried.
        is_sound: whether everything was found as it must be.
        seconds: it took.
        services: whose schemas were read.
        tables: read, every row of them.
        rows: read.
        code: of what went wrong.
        detail: what went wrong.
    """

    backup: str
    scope: str
    at: datetime
    is_sound: bool
    seconds: float
    services: tuple[str, ...] = ()
    tables: int = 0
    rows: int = 0
    code: str = ""
    detail: str = ""


async def verify(backups: Backups, manifest: Manifest, *, task: Task, tell: Callable[[str], None]) -> Evidence:
    """Restore a backup, read every row, and write down what came of it; a failure of the backup is evidence too.

    Raises ALREADY_RUNNING, BACKUP_CANCELLED, BACKUP_TARGET and SPACE: then nothing was found out.
    """
    at = backups.clock.now()
    began = perf_counter()
    services = tuple(sorted(service for held_here in manifest.databases.values() for service in held_here))
    found: tuple[Found, ...] = ()
    code = detail = ""
    with held(backups.home.run / "backup-verify.lock"):
        clear_sides(backups.home, _SIDE)
        try:
            with explained("BACKUP_DAMAGED", lambda reason: f"reading what was restored broke off: {reason}"):
                found = await _tried(backups, manifest, task, tell)
        except AlphintraError as error:
            if error.code in {"BACKUP_CANCELLED", "BACKUP_TARGET", "SPACE"}:
                raise
            code, detail = error.code, error.detail
    evidence = Evidence(
        backup=manifest.ident,
        scope=manifest.scope,
        at=at,
        is_sound=not code,
        seconds=round(perf_counter() - began, 2),
        services=services,
        tables=sum(each.tables for each in found),
        rows=sum(each.rows for each in found),
        code=code,
        detail=detail,
    )
    _write(backups.home, evidence)
    return evidence


def evidence_of(home: Home) -> tuple[Evidence, ...]:
    """Return what restores for real have come to, the oldest first."""
    try:
        lines = (home.path / _FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    return tuple(msgspec.json.decode(line, type=Evidence) for line in lines)


async def _tried(backups: Backups, manifest: Manifest, task: Task, tell: Callable[[str], None]) -> tuple[Found, ...]:
    if manifest.kind is BackupKind.DUMP:
        lent = _from_dump(backups, manifest, task, tell)
    else:
        lent = side_instance(backups, manifest, at=None, task=task, tell=tell, called=_SIDE)
    known = {placement.service: placement for placement in backups.layout} if backups.order is not None else {}
    async with lent as server:
        tell("reading every row")
        found = []
        for database, services in manifest.databases.items():
            for service in services:
                placement = known.get(service) or Placement(service=service, database=database)
                found.append(await read_all(server, placement, database))
        return tuple(found)


@asynccontextmanager
async def _from_dump(
    backups: Backups, manifest: Manifest, task: Task, tell: Callable[[str], None]
) -> AsyncIterator[Server]:
    """Lend a new instance with a dump restored into it, by which rights and owners do not matter."""
    catalogue = backups.catalogue(manifest.scope)
    catalogue.require_ours(manifest)
    unit = EmbeddedPostgres(backups.home, instance=f"{_SIDE}_{secrets.token_hex(3)}")
    database = next(iter(manifest.databases))
    try:
        tell(f"restoring {manifest.ident}")
        await unit.start()
        server = Server(admin_url=unit.admin_dsn(), host=unit.host, port=unit.port, instance=unit.instance)
        await make_database(server, database)
        env = login_environment(server, database)
        file = unit.folder / DUMP
        with file.open("wb") as out:
            for piece in catalogue.read(manifest, DUMP):
                task.check()
                out.write(piece)
        arguments = ("--no-owner", "--no-acl", "--exit-on-error", "--no-password", "-d", database, str(file))
        await asyncio.to_thread(lambda: backups.programs.run("pg_restore", *arguments, env=env, task=task))
        yield server
    finally:
        await unit.stop()
        shutil.rmtree(unit.folder, ignore_errors=True)


def _write(home: Home, evidence: Evidence) -> None:
    try:
        with (home.path / _FILE).open("ab") as file:
            file.write(msgspec.json.encode(evidence) + b"\n")
    except OSError as error:
        message = f"what came of the verification cannot be written down: {error.strerror}"
        raise AlphintraError("SPACE", message, kind=Kind.UNAVAILABLE) from error
