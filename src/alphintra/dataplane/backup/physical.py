"""Whole instances: backed up by PostgreSQL's own base backups, full and incremental, and laid out again on disk."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from alphintra.dataplane.backup.catalogue import Catalogue
from alphintra.dataplane.backup.model import BackupKind, Begun, LogRange, Manifest
from alphintra.dataplane.backup.programs import Means, Task, login_environment
from alphintra.dataplane.server import Server, admin_connection
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Instance", "back_up_instance", "lay_out", "look_at"]

_ARCHIVE: Final = "base.tar"
_FILES: Final = "backup_manifest"
_TAR_BYTES: Final = 1_048_576
_ROOM: Final = 1.1


class _LogRange(msgspec.Struct, rename={"timeline": "Timeline", "start": "Start-LSN", "end": "End-LSN"}):
    timeline: int
    start: str
    end: str


class _PostgresManifest(msgspec.Struct, rename={"system": "System-Identifier", "log": "WAL-Ranges"}):
    system: int
    log: list[_LogRange]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What a backup has to know of a running instance.

    Attributes:
        server: how the administrator gets in.
        version: such as 180006.
        segment_bytes: size of a file of its log.
        databases: names, with the schemas in each.
        bytes: size of all databases.
    """

    server: Server
    version: int
    segment_bytes: int
    databases: dict[str, list[str]]
    bytes: int


async def look_at(server: Server, databases: dict[str, list[str]]) -> Instance:
    """Return what a backup has to know. Raises BACKUP_ARCHIVE where the instance archives no log, TOPOLOGY_CONNECT."""
    async with admin_connection(server) as connection:
        row: Any = await connection.fetchrow(
            "select current_setting('server_version_num')::int as version, current_setting('archive_mode') as archive, "
            "current_setting('summarize_wal', true) as summarize, "
            "(select setting::bigint from pg_settings where name = 'wal_segment_size') as segment, "
            "(select sum(pg_database_size(oid))::bigint from pg_database where datallowconn) as bytes, "
            "(select count(*) from pg_tablespace where spcname not in ('pg_default', 'pg_global')) as spaces"
        )
    if row["archive"] != "on" or row["summarize"] != "on":
        message = (
            f"instance {server.instance} does not archive its log yet: it does from the start on that follows "
            "[backup] target in alphintra.toml; run `alphintra down` and `alphintra up`"
        )
        raise AlphintraError("BACKUP_ARCHIVE", message, kind=Kind.CONFLICT)
    if row["spaces"]:
        message = f"instance {server.instance} has tablespaces: drive pgBackRest or Barman for it, by [backup_external]"
        raise AlphintraError("BACKUP_UNSUPPORTED", message, kind=Kind.CONFLICT)
    return Instance(
        server=server,
        version=row["version"],
        segment_bytes=row["segment"],
        databases=databases,
        bytes=row["bytes"],
    )


def back_up_instance(
    catalogue: Catalogue,
    instance: Instance,
    *,
    begun: Begun,
    parent: Manifest | None,
    means: Means,
) -> Manifest:
    """Stream a base backup to the target, only what changed since ``parent`` where one is given; manifest not written.

    The caller writes it (`Catalogue.complete`) once the log up to its end is archived. Raises BACKUP_FAILED,
    BACKUP_CANCELLED and what the target raises.
    """
    arguments = ["-D", "-", "-F", "tar", "-X", "none", "-c", "fast", "--manifest-checksums=SHA256", "-l", begun.ident]
    if parent is not None:
        before = means.scratch / f"{begun.ident}.{_FILES}"
        with before.open("wb") as file:
            for piece in catalogue.read(parent, _FILES):
                file.write(piece)
        arguments += ["--incremental", str(before)]
    env = login_environment(instance.server, "postgres")
    said = bytearray()
    try:
        pieces = means.programs.read("pg_basebackup", arguments, env=env, task=means.task)
        archive = catalogue.add(begun.ident, _ARCHIVE, _with_manifest(pieces, said))
    finally:
        (means.scratch / f"{begun.ident}.{_FILES}").unlink(missing_ok=True)
    files = catalogue.add(begun.ident, _FILES, [bytes(said)])
    found = msgspec.json.decode(bytes(said), type=_PostgresManifest)
    log = found.log[-1]
    return Manifest(
        ident=begun.ident,
        scope=catalogue.scope,
        kind=BackupKind.FULL if parent is None else BackupKind.INCREMENTAL,
        origin=catalogue.origin,
        began_at=begun.at,
        ended_at=begun.at,
        parent="" if parent is None else parent.ident,
        server_version=instance.version,
        system=str(found.system),
        databases=instance.databases,
        key="",
        files=(archive, files),
        log=LogRange(timeline=log.timeline, start=log.start, end=log.end, segment_bytes=instance.segment_bytes),
    )


def lay_out(catalogue: Catalogue, chain: Sequence[Manifest], *, into: Path, means: Means) -> None:
    """Make the data folder of a backup and what it builds on, checked file by file; no log in it yet.

    Raises SPACE before anything is written, BACKUP_CHECKSUM, BACKUP_KEY, BACKUP_FAILED, BACKUP_CANCELLED.
    """
    scratch, programs, task = means.scratch, means.programs, means.task
    needed = int(sum(each.bytes for each in chain) * _ROOM) + (chain[0].bytes if len(chain) > 1 else 0)
    free = shutil.disk_usage(scratch).free
    if free < needed:
        message = f"{scratch} has {free / 1e6:,.0f} MB free, the restore takes {needed / 1e6:,.0f} MB: free some space"
        raise AlphintraError("SPACE", message, kind=Kind.UNAVAILABLE)
    done = 0
    folders = []
    for manifest in chain:
        folder = into if len(chain) == 1 else scratch / manifest.ident
        folder.mkdir(mode=0o700, parents=True)
        folders.append(folder)
        reader = _Reader(_counted(catalogue.read(manifest, _ARCHIVE), task, done))
        with tarfile.open(fileobj=reader, mode="r|", bufsize=_TAR_BYTES) as archive:
            archive.extractall(folder, filter="data")
        reader.drain()
        done += manifest.bytes
    if len(chain) > 1:
        programs.run("pg_combinebackup", *map(str, folders), "-o", str(into), task=task)
        for folder in folders:
            shutil.rmtree(folder)
    try:
        programs.run("pg_verifybackup", "--no-parse-wal", "--quiet", str(into), task=task)
    except AlphintraError as error:
        if error.code != "BACKUP_FAILED":
            raise
        message = f"backup {chain[-1].ident} is not what PostgreSQL wrote ({error.detail}): use another one"
        raise AlphintraError("BACKUP_CHECKSUM", message, kind=Kind.CONFLICT) from error


def _counted(pieces: Iterator[bytes], task: Task, done: int) -> Iterator[bytes]:
    for piece in pieces:
        task.check()
        done += len(piece)
        task.on_bytes(done)
        yield piece


class _Reader(io.RawIOBase):
    """Pieces as a file that is read from its start to its end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting = b""
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return as much as asked for, less at the end alone."""
        found = bytearray()
        while size < 0 or len(found) < size:
            if self._at >= len(self._waiting):
                self._waiting, self._at = next(self._pieces, b""), 0
                if not self._waiting:
                    break
            taken = self._waiting[self._at :] if size < 0 else self._waiting[self._at : self._at + size - len(found)]
            self._at += len(taken)
            found += taken
        return bytes(found)

    def drain(self) -> None:
        """Read to the end, where a damaged file shows itself."""
        for _ in self._pieces:
            pass


def _with_manifest(pieces: Iterator[bytes], manifest: bytearray) -> Iterator[bytes]:
    """Pass an archive on as it comes, and keep the file list that PostgreSQL puts at its end."""
    passing: list[bytes] = []

    def tapped() -> Iterator[bytes]:
        for piece in pieces:
            passing.append(piece)
            yield piece

    reader = _Reader(tapped())
    with tarfile.open(fileobj=reader, mode="r|", bufsize=_TAR_BYTES) as archive:
        for member in archive:
            if member.name == _FILES:
                held = archive.extractfile(member)
                manifest += b"" if held is None else held.read()
            yield from passing
            passing.clear()
    reader.drain()
    yield from passing
    if not manifest:
        raise AlphintraError("BACKUP_FAILED", "pg_basebackup wrote no list of files", kind=Kind.UNAVAILABLE)
