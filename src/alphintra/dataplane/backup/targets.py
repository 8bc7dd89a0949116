"""Where backups lie: a folder, or a bucket of an S3-compatible server. A name is there whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

__all__ = ["FolderTarget", "S3Target", "Stored", "Target", "open_target"]

_PARTIAL: Final = ".partial-"
_READ_BYTES: Final = 1_048_576
_PART_BYTES: Final = 8_388_608
_TRIES: Final = 3
_RETRY_S: Final = 20
_CONNECT_S: Final = 5
_REQUEST_S: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Something at a target: its name, its size, and when it was put there."""

    name: str
    bytes: int
    at: datetime


class Target(Protocol):
    """Where backups lie. All of it raises BACKUP_TARGET where it does not answer or refuses, SPACE where it is full."""

    @property
    def label(self) -> str:
        """Where it is, for messages; never a secret."""
        ...

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Store under a name, durably; nothing is there under it before all is."""
        ...

    def get(self, name: str) -> Iterator[bytes]:
        """Return what is stored. Raises BACKUP_MISSING."""
        ...

    def names(self, prefix: str) -> Sequence[Stored]:
        """Return what is stored under names that begin so, in order; whatever is not whole is left out."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Remove; what is not there counts as removed."""
        ...

    def clear_partial(self, prefix: str) -> int:
        """Remove what cut runs left under names that begin so; return how many."""
        ...

    def free_bytes(self) -> int | None:
        """Return the room left, None where that is not known."""
        ...


def open_target(where: str, *, environ: Mapping[str, str], endpoint: str = "", region: str = "") -> Target:
    """Return the target of an absolute path or an ``s3://bucket/prefix``; looks at nothing yet.

    Credentials of S3 are ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY`` in the environment. Raises CONFIG_VALUE.
    """
    if where.startswith("s3://"):
        parts = urlsplit(where)
        if not parts.netloc or parts.query or "@" in parts.netloc:
            message = f"backup.target is {where!r}: write it as s3://bucket/prefix"
            raise AlphintraError("CONFIG_VALUE", message, pointer="backup.target")
        return S3Target(
            parts.netloc, parts.path.strip("/"), environ=environ, endpoint=endpoint, region=region or "us-east-1"
        )
    path = Path(where)
    if not path.is_absolute():
        message = f"backup.target is {where!r}: write an absolute path or s3://bucket/prefix"
        raise AlphintraError("CONFIG_VALUE", message, pointer="backup.target")
    return FolderTarget(path)


class FolderTarget:
    """A folder, of this machine or mounted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def label(self) -> str:
        """The folder."""
        return str(self._path)

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write beside its place, sync, and move there."""
        with self._explained():
            path = self._path / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = path.with_name(f"{_PARTIAL}{secrets.token_hex(4)}-{path.name}")
            try:
                with partial.open("xb") as file:
                    os.fchmod(file.fileno(), 0o600)
                    for piece in pieces:
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def get(self, name: str) -> Iterator[bytes]:
        """Return what is stored."""
        with self._explained(), (self._path / name).open("rb") as file:
            while piece := file.read(_READ_BYTES):
                yield piece

    def names(self, prefix: str) -> Sequence[Stored]:
        """Return the files below."""
        with self._explained():
            return [
                Stored(
                    name=path.relative_to(self._path).as_posix(),
                    bytes=(status := path.stat()).st_size,
                    at=datetime.fromtimestamp(status.st_mtime, UTC),
                )
                for path in sorted((self._path / prefix).rglob("*"))
                if path.is_file() and not path.name.startswith(_PARTIAL)
            ]

    def delete(self, names: Sequence[str]) -> None:
        """Remove files, and folders that are empty then."""
        with self._explained():
            for name in names:
                path = self._path / name
                path.unlink(missing_ok=True)
                for folder in path.relative_to(self._path).parents:
                    try:
                        if folder.name:
                            (self._path / folder).rmdir()
                    except OSError:
                        break

    def clear_partial(self, prefix: str) -> int:
        """Remove files that were not finished."""
        with self._explained():
            found = list((self._path / prefix).rglob(f"{_PARTIAL}*"))
            for path in found:
                path.unlink(missing_ok=True)
            return len(found)

    def free_bytes(self) -> int | None:
        """Return the room left on its file system."""
        with self._explained():
            there = next(folder for folder in (self._path, *self._path.parents) if folder.exists())
            return shutil.disk_usage(there).free

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise _missing(str(error.filename), self.label) from error
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                message = f"{self.label} is full: free some space or prune; nothing of this backup counts"
                raise AlphintraError("SPACE", message, kind=Kind.UNAVAILABLE) from error
            raise _unreachable(self.label, error.strerror or str(error)) from error


class S3Target:
    """A prefix in a bucket. An upload that is cut leaves parts that the server clears: see its lifecycle rules."""

    def __init__(self, bucket: str, prefix: str, *, environ: Mapping[str, str], endpoint: str, region: str) -> None:
        self._prefix = f"{prefix}/" if prefix else ""
        self.label = f"s3://{bucket}/{prefix}" + (f" at {endpoint}" if endpoint else "")
        config: S3Config = {"bucket": bucket, "region": region}
        if endpoint:
            config["endpoint"] = endpoint
        if environ.get("AWS_ACCESS_KEY_ID"):
            config["access_key_id"] = environ["AWS_ACCESS_KEY_ID"]
            config["secret_access_key"] = environ.get("AWS_SECRET_ACCESS_KEY", "")
        client: ClientConfig = {
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=_CONNECT_S),
            "timeout": timedelta(seconds=_REQUEST_S),
        }
        retry: RetryConfig = {"max_retries": _TRIES, "retry_timeout": timedelta(seconds=_RETRY_S)}
        self._store = S3Store(config=config, client_options=client, retry_config=retry)

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Upload in parts; the object is there when the last is."""
        failures: list[BaseException] = []

        def watched() -> Iterator[bytes]:
            try:
                yield from pieces
            except BaseException as error:
                failures.append(error)
                raise

        try:
            with self._explained(name):
                obstore.put(self._store, self._prefix + name, watched(), use_multipart=True, chunk_size=_PART_BYTES)
        except BaseException as error:
            if failures:  # what could not be read, not what could not be stored
                raise failures[0] from error
            raise

    def get(self, name: str) -> Iterator[bytes]:
        """Return what is stored."""
        with self._explained(name):
            for piece in obstore.get(self._store, self._prefix + name).stream(min_chunk_size=_READ_BYTES):
                yield bytes(piece)

    def names(self, prefix: str) -> Sequence[Stored]:
        """Return the objects below."""
        with self._explained(prefix):
            return sorted(
                (
                    Stored(name=item["path"].removeprefix(self._prefix), bytes=item["size"], at=item["last_modified"])
                    for batch in obstore.list(self._store, prefix=self._prefix + prefix)
                    for item in batch
                ),
                key=lambda stored: stored.name,
            )

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects."""
        with self._explained("objects"):
            if names:
                obstore.delete(self._store, [self._prefix + name for name in names])

    def clear_partial(self, prefix: str) -> int:
        """Nothing: parts of a cut upload are not objects."""
        del prefix
        return 0

    def free_bytes(self) -> int | None:
        """Return nothing: a bucket does not say."""
        return None

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise _missing(name, self.label) from error
        except (BaseError, OSError) as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise _unreachable(self.label, reason) from error


def _missing(name: str, label: str) -> AlphintraError:
    return AlphintraError("BACKUP_MISSING", f"{name} is not at {label}: use another backup", kind=Kind.NOT_FOUND)


def _unreachable(label: str, reason: str) -> AlphintraError:
    message = f"the backup target {label} cannot be used: {reason}"
    return AlphintraError("BACKUP_TARGET", message, kind=Kind.UNAVAILABLE)
