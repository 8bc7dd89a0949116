"""An archive: rows out of the database into a sealed file, and the proof that the file holds what the database held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from alphintra.dataplane.retention.parquet import Digest, ParquetFile, column_list, read_batches
from alphintra.dataplane.retention.seal import (
    Manifest,
    SealKeys,
    file_sha256,
    keep_durably,
    read_sealed,
    seal_path,
    write_sealed,
)
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import asyncpg

    from alphintra.dataplane.retention.journal import Item

__all__ = ["Rows", "archive_path", "columns_of", "discard", "remove_file", "verify_archive", "write_archive"]

_BATCH: Final = 5_000
_COLUMNS: Final = "select name, kind from retention_columns($1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows to archive.

    Attributes:
        aged_by: expression of ``t`` that gives their age.
        source: what stands behind ``from``, with ``t`` as the row, its condition and its order.
        values: arguments of the source.
    """

    aged_by: str
    source: str
    values: Sequence[object]


def archive_path(root: Path, service: str, item: Item) -> Path:
    """Return where an item's archive lies."""
    name = item.part or item.table_name
    return root / service / item.table_name / f"{name}-{item.item_id}.parquet"


async def columns_of(connection: asyncpg.Connection, table: str) -> dict[str, str]:
    """Return a table's columns with their PostgreSQL types."""
    return {row["name"]: row["kind"] for row in await connection.fetch(_COLUMNS, table)}


async def write_archive(
    connection: asyncpg.Connection, rows: Rows, *, service: str, item: Item, path: Path, keys: SealKeys
) -> Manifest:
    """Write, seal and read back an archive, all of one instant of the database.

    Raises ARCHIVE_VALUE, ARCHIVE_CORRUPT, ARCHIVE_DISK; what was written is then removed.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        columns = await columns_of(connection, item.table_name)
        about = {"service": service, "table": item.table_name, "part": item.part, "item": str(item.item_id)}
        written, oldest, newest = await _write(connection, rows, columns, path, about)
        sha256, size = file_sha256(path)
        manifest = Manifest(
            service=service,
            table=item.table_name,
            part=item.part,
            item_id=str(item.item_id),
            retention=item.retention,
            profile=item.profile,
            terms=item.terms,
            columns=columns,
            rows=written.rows,
            oldest_at=_text(oldest),
            newest_at=_text(newest),
            checksum=str(written.checksum),
            digest=written.text,
            sha256=sha256,
            size=size,
            made_at=_text(item.started_at),
            made_by=item.actor,
        )
        write_sealed(path, manifest, keys)
        verify_archive(path, keys.trusted)
    except OSError as error:
        discard(path)
        message = f"the archive {path} cannot be written ({error.strerror}): make room or correct its folder"
        raise AlphintraError("ARCHIVE_DISK", message, kind=Kind.UNAVAILABLE) from error
    except BaseException:
        discard(path)
        raise
    return manifest


async def _write(
    connection: asyncpg.Connection, rows: Rows, columns: Mapping[str, str], path: Path, about: Mapping[str, str]
) -> tuple[Digest, datetime | None, datetime | None]:
    """Write the file under its name, and return what the database's values add up to, and their ages."""
    digest = Digest()
    oldest: datetime | None = None
    newest: datetime | None = None
    temporary = path.with_name(f".{path.name}.tmp")
    select = f"select {rows.aged_by}, {column_list(columns)} from {rows.source}"  # noqa: S608 - names are quoted
    try:
        file = ParquetFile(temporary, columns, about=about)
        try:
            cursor = await connection.cursor(select, *rows.values)
            while batch := await cursor.fetch(_BATCH):
                values = [tuple(row)[1:] for row in batch]
                for row in values:
                    digest.add(row)
                file.write(values)
                ages: list[Any] = [row[0] for row in batch]
                oldest = min([*ages, *filter(None, [oldest])])
                newest = max([*ages, *filter(None, [newest])])
        finally:
            file.close()
        keep_durably(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return digest, oldest, newest


def verify_archive(path: Path, trusted: frozenset[str]) -> Manifest:
    """Read an archive back and return its seal, once every value adds up to what the database held.

    Raises ARCHIVE_UNREADABLE, ARCHIVE_FORGED, ARCHIVE_CORRUPT.
    """
    manifest = read_sealed(path, trusted)
    found = Digest()
    for batch in read_batches(path):
        for row in batch:
            found.add(row)
    if (found.rows, str(found.checksum), found.text) != (manifest.rows, manifest.checksum, manifest.digest):
        message = f"the archive {path} reads back {found.rows} rows that are not those of its seal"
        raise AlphintraError("ARCHIVE_CORRUPT", message, kind=Kind.CONFLICT)
    return manifest


def remove_file(archive: Path) -> None:
    """Destroy an archive; its seal stays, as proof of what it held."""
    archive.unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Remove an archive that counts for nothing, and its seal."""
    for each in (path, seal_path(path), path.with_name(f".{path.name}.tmp")):
        each.unlink(missing_ok=True)


def _text(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
