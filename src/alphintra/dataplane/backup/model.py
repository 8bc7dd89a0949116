"""What a backup says of itself, and what that belongs to."""

from __future__ import annotations

import hmac
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

import msgspec

from alphintra.dataplane.backup.sealing import Key, Measured

__all__ = ["BackupKind", "Begun", "FileEntry", "LogRange", "Manifest", "mac_of"]


class BackupKind(StrEnum):
    """How a backup was made."""

    FULL = "full"  # a whole instance
    INCREMENTAL = "incremental"  # what changed in a whole instance since an earlier one
    DUMP = "dump"  # one service


class Begun(msgspec.Struct, frozen=True):
    """A backup that is being made: its name, which begins with its time, and that time."""

    ident: str
    at: datetime


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup: its name beside the manifest, and what it must be; hashes are SHA-256 in hex."""

    name: str
    bytes: int
    sha256: str
    stored_bytes: int
    stored_sha256: str

    @property
    def measured(self) -> Measured:
        """The same for `sealing.unseal`."""
        return Measured(
            bytes=self.bytes,
            sha256=self.sha256,
            stored_bytes=self.stored_bytes,
            stored_sha256=self.stored_sha256,
        )


class LogRange(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an instance's log without which its backup is not whole; positions as PostgreSQL writes them."""

    timeline: int
    start: str
    end: str
    segment_bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One backup. Written last: a backup without it does not count.

    Attributes:
        ident: begins with its time, so that names sort as they were made.
        scope: ``instance-NAME`` or ``service-NAME``.
        kind: how it was made.
        origin: installation it is of.
        began_at: when it began.
        ended_at: from when on the instance can be brought to any moment by its log; for a dump, what it shows.
        parent: backup that an incremental one needs.
        server_version: such as 180006.
        system: PostgreSQL's own number of the instance.
        databases: names of what is in it, with the service of each schema.
        migrations: newest migration by origin, of a dump.
        key: ident of the key it is sealed with.
        files: what it consists of.
        log: what of the log it needs, of a whole instance.
        mac: over all other fields, by that key.
    """

    ident: str
    scope: str
    kind: BackupKind
    origin: str
    began_at: datetime
    ended_at: datetime
    parent: str = ""
    server_version: int
    system: str = ""
    databases: dict[str, list[str]]
    migrations: dict[str, str] = {}
    key: str
    files: tuple[FileEntry, ...]
    log: LogRange | None = None
    mac: str = ""

    @property
    def bytes(self) -> int:
        """Size before compression."""
        return sum(entry.bytes for entry in self.files)

    @property
    def stored_bytes(self) -> int:
        """Size where it lies."""
        return sum(entry.stored_bytes for entry in self.files)

    def is_authentic(self, key: Key) -> bool:
        """Whether nothing in it was changed."""
        return hmac.compare_digest(self.mac, mac_of(self, key))


def mac_of(manifest: Manifest, key: Key) -> str:
    """Return the code that authenticates a manifest."""
    text = msgspec.json.encode(msgspec.structs.replace(manifest, mac=""), order="deterministic")
    return hmac.new(key.secret, b"alphintra backup manifest\n" + text, sha256).hexdigest()
