"""An instance as it was at a moment, beside the running one."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from alphintra.dataplane.backup.log import LogArchive
from alphintra.dataplane.backup.model import BackupKind, Manifest
from alphintra.dataplane.backup.physical import lay_out
from alphintra.dataplane.backup.programs import Task
from alphintra.dataplane.backup.sides import await_recovered, end_segment
from alphintra.dataplane.server import Server
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.accounts import server_account
from alphintra.runtime.backups.work import Backups, instance_scope
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.lock import supervisor_lock

__all__ = ["choose_base", "clear_sides", "restore_instance", "side_instance"]

_SIDE: Final = "restored"
_RECOVERY_S: Final = 3600.0
_RECOVERY: Final = """
# Written for a restore by Alphintra.
restore_command = 'cp "../log/%f" "%p"'
recovery_target_timeline = 'latest'
recovery_target_action = 'promote'
hot_standby = off
archive_mode = off
max_logical_replication_workers = 0
"""


def clear_sides(home: Home, called: str) -> None:
    """Remove what a killed run left of instances of that name; they ended with it."""
    for left in (home.postgres / "instances").glob(f"{called}_*"):
        shutil.rmtree(left, ignore_errors=True)


async def choose_base(backups: Backups, instance: str, at: datetime | None) -> tuple[Manifest, datetime]:
    """Return the newest backup that a moment can be reached from, and the moment: the last there is log of if none.

    Raises PITR_RANGE, showing the range, BACKUP_UNKNOWN where there is no backup, BACKUP_LOG.
    """
    catalogue = backups.catalogue(instance_scope(instance))
    found = [each for each in await asyncio.to_thread(catalogue.backups) if each.kind is not BackupKind.DUMP]
    if not found:
        message = (
            f"there is no backup of instance {instance} at {backups.target.label}: make one by `alphintra backup run`"
        )
        raise AlphintraError("BACKUP_UNKNOWN", message, kind=Kind.NOT_FOUND)
    now = backups.clock.now()
    first = found[0].ended_at
    if at is not None and not first <= at <= now:
        message = f"{at.isoformat()} cannot be reached: choose a moment from {first.isoformat()} to {now.isoformat()}"
        raise AlphintraError("PITR_RANGE", message, pointer="--at")
    if backups.order is not None:
        await _close_segment(backups, instance)
    base = [each for each in found if at is None or each.ended_at <= at][-1]
    catalogue.require_ours(base)
    return base, at or now


async def _close_segment(backups: Backups, instance: str) -> None:
    """Have the instance end the part of its log it writes to, behind a commit later than any moment asked for."""
    ended = await end_segment(backups.server(instance))

    def require(archive: LogArchive) -> None:
        if ended not in archive.files():
            message = f"the log up to {ended} of {instance} is not archived"
            raise AlphintraError("BACKUP_LOG", message, kind=Kind.UNAVAILABLE)

    await backups.await_log(instance, require)


@asynccontextmanager
async def side_instance(
    backups: Backups,
    manifest: Manifest,
    *,
    at: datetime | None,
    task: Task,
    tell: Callable[[str], None],
    called: str = _SIDE,
) -> AsyncIterator[Server]:
    """Lend an instance as it was at a moment, beside the running one; it ends with us and is removed afterwards.

    Raises PITR_RANGE, SPACE, BACKUP_CHAIN, BACKUP_LOG, BACKUP_CHECKSUM, BACKUP_KEY, START_*.
    """
    name = f"{called}_{secrets.token_hex(3)}"
    unit = EmbeddedPostgres(backups.home, instance=name)
    try:
        unit.folder.mkdir(mode=0o700, parents=True)
        await _recover(backups, unit, manifest, at=at, task=task, tell=tell)
        yield Server(admin_url=unit.admin_dsn(), host=unit.host, port=unit.port, instance=name)
    finally:
        await unit.stop()
        shutil.rmtree(unit.folder, ignore_errors=True)


async def restore_instance(
    backups: Backups, instance: str, *, at: datetime | None, task: Task, tell: Callable[[str], None]
) -> Manifest:
    """Make the data of an instance of a home that does not run anew, as it was at a moment; return what it was made of.

    For one that is lost: all services on it go back. Raises RESTORE_TARGET where its data is still there,
    ALREADY_RUNNING and what `side_instance` raises; then nothing is left of it.
    """
    unit = EmbeddedPostgres(backups.home, instance=instance)
    with supervisor_lock(backups.home):
        if unit.data.exists():
            message = f"{unit.data} is there: move it away first, so that nothing is overwritten"
            raise AlphintraError("RESTORE_TARGET", message, kind=Kind.CONFLICT)
        manifest, _ = await choose_base(backups, instance, at)
        unit.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(unit.folder / "log", ignore_errors=True)
        try:
            await _recover(backups, unit, manifest, at=at, task=task, tell=tell)
        except BaseException:
            await unit.stop()
            shutil.rmtree(unit.data, ignore_errors=True)
            raise
        finally:
            await unit.stop()
            shutil.rmtree(unit.folder / "log", ignore_errors=True)
        settings = unit.data / "postgresql.auto.conf"
        await asyncio.to_thread(_forget_recovery, settings)
    return manifest


async def _recover(
    backups: Backups,
    unit: EmbeddedPostgres,
    manifest: Manifest,
    *,
    at: datetime | None,
    task: Task,
    tell: Callable[[str], None],
) -> None:
    """Lay an instance out, replay its log to a moment, and let it run."""
    catalogue = backups.catalogue(manifest.scope)
    unit.ready_timeout_s = _RECOVERY_S
    chain = await asyncio.to_thread(catalogue.chain, manifest)
    log = unit.folder / "log"
    log.mkdir(mode=0o700)
    tell(f"laying out {manifest.ident}")
    means = replace(backups.means(task), scratch=unit.folder)
    await asyncio.to_thread(lambda: lay_out(catalogue, chain, into=unit.data, means=means))
    tell("reading the log")
    await asyncio.to_thread(_fetch_log, LogArchive(catalogue=catalogue), manifest, log)
    _write_recovery(unit.data, at)
    await asyncio.to_thread(_own, unit.data, log)
    tell("replaying the log" + (f" to {at.isoformat()}" if at else ""))
    await _start(unit, at)


def _forget_recovery(settings: Path) -> None:
    text = settings.read_text("utf-8")
    settings.write_text(text[: text.index(_RECOVERY)], encoding="utf-8")


def _fetch_log(archive: LogArchive, manifest: Manifest, into: Path) -> None:
    if manifest.log is None:
        raise AlphintraError("BACKUP_LOG", f"backup {manifest.ident} names no log", kind=Kind.CONFLICT)
    archive.fetch(into, log=manifest.log, known=archive.files())


def _write_recovery(data: Path, at: datetime | None) -> None:
    target = f"recovery_target_time = '{at.isoformat()}'\n" if at else ""
    with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.write(_RECOVERY + target)
    (data / "recovery.signal").touch(mode=0o600)


async def _start(unit: EmbeddedPostgres, at: datetime | None) -> None:
    try:
        await unit.start()
    except AlphintraError as error:
        if at is not None and "recovery target" in error.detail:
            message = f"the archived log ends before {at.isoformat()}: choose an earlier moment"
            raise AlphintraError("PITR_RANGE", message, pointer="--at") from error
        raise
    await await_recovered(Server(admin_url=unit.admin_dsn(), host=unit.host, port=unit.port, instance=unit.instance))


def _own(*folders: Path) -> None:
    """Let the servers' account own what we, being root, have put there."""
    account = server_account()
    if account is None:
        return
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
