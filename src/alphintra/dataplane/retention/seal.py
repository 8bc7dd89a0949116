"""The seal of an archive: what it holds and what it must hash to, signed with the service's sealing key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.infrastructure.signing import SigningKey, VerifyKey
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Manifest", "SealKeys", "file_sha256", "keep_durably", "read_sealed", "seal_path", "write_sealed"]

_DOMAIN: Final = b"alphintra-archive-v1\n"
_CHUNK: Final = 1 << 20
_encode = msgspec.json.Encoder(decimal_format="string", order="deterministic").encode


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive holds.

    Attributes:
        service: whose records.
        table: of which table.
        part: the month they lay in, for a table cut by month; empty otherwise.
        item_id: the retention item that made it.
        retention: retention class.
        terms: how long the class is kept under the profile of the run.
        columns: PostgreSQL types by column.
        rows: how many.
        oldest_at: age of the oldest row, as ISO 8601 in UTC; empty without rows.
        newest_at: of the newest.
        checksum: sum of PostgreSQL's record hashes of the rows, in any order.
        digest: sum of the SHA-256 of each row's values modulo 2^256, in hex: computed from the database when written
            and from the file when verified.
        sha256: of the Parquet file.
        size: its bytes.
        made_at: ISO 8601 in UTC.
        made_by: who had it made.
    """

    service: str
    table: str
    part: str
    item_id: str
    retention: str
    profile: str
    terms: str
    columns: dict[str, str]
    rows: int
    oldest_at: str
    newest_at: str
    checksum: str
    digest: str
    sha256: str
    size: int
    made_at: str
    made_by: str


class _Sealed(msgspec.Struct, frozen=True, kw_only=True):
    manifest: msgspec.Raw
    public_key: str
    signature: str


class SealKeys:
    """The service's sealing keys, newest first: the first signs, all are trusted."""

    def __init__(self, seeds: Sequence[str]) -> None:
        keys = [SigningKey(seed) for seed in seeds]
        self._signer = keys[0]
        self.trusted = frozenset(key.public_text for key in keys)

    @property
    def public_text(self) -> str:
        """Key that seals from now on."""
        return self._signer.public_text

    def sign(self, message: bytes) -> bytes:
        """Return the newest key's signature."""
        return self._signer.sign(_DOMAIN + message)


def seal_path(archive: Path) -> Path:
    """Return where the seal of an archive lies: beside it."""
    return archive.with_suffix(".seal.json")


def write_sealed(archive: Path, manifest: Manifest, keys: SealKeys) -> None:
    """Write the seal of an archive, durable when this returns."""
    body = _encode(manifest)
    sealed = _Sealed(
        manifest=msgspec.Raw(body),
        public_key=keys.public_text,
        signature=base64.b64encode(keys.sign(body)).decode(),
    )
    path = seal_path(archive)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    temporary.write_bytes(_encode(sealed))
    keep_durably(temporary, path)


def read_sealed(archive: Path, trusted: frozenset[str]) -> Manifest:
    """Return what an archive's seal says, once its signature is that of a trusted key and the file hashes to it.

    Raises ARCHIVE_UNREADABLE, ARCHIVE_FORGED, ARCHIVE_CORRUPT.
    """
    path = seal_path(archive)
    try:
        sealed = msgspec.json.decode(path.read_bytes(), type=_Sealed)
        manifest = msgspec.json.decode(sealed.manifest, type=Manifest)
        signature = base64.b64decode(sealed.signature, validate=True)
        key = VerifyKey.from_text(sealed.public_key)
    except (OSError, msgspec.DecodeError, binascii.Error, ValueError) as error:
        message = f"the seal {path} cannot be read: restore it from a backup"
        raise AlphintraError("ARCHIVE_UNREADABLE", message, kind=Kind.UNAVAILABLE) from error
    if sealed.public_key not in trusted or not key.is_signed(_DOMAIN + bytes(sealed.manifest), signature):
        message = f"the seal {path} is not signed by a sealing key of {manifest.service}: restore it from a backup"
        raise AlphintraError("ARCHIVE_FORGED", message, kind=Kind.CONFLICT)
    try:
        found, _ = file_sha256(archive)
    except OSError as error:
        message = f"the archive {archive} cannot be read: restore it from a backup"
        raise AlphintraError("ARCHIVE_UNREADABLE", message, kind=Kind.UNAVAILABLE) from error
    if found != manifest.sha256:
        message = f"the archive {archive} is not what was sealed: restore it from a backup"
        raise AlphintraError("ARCHIVE_CORRUPT", message, kind=Kind.CONFLICT)
    return manifest


def file_sha256(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file in hex, and its bytes."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def keep_durably(temporary: Path, path: Path) -> None:
    """Give a file that is written its name, so that it is there whole after a power cut, or not at all."""
    _sync(temporary, os.O_RDONLY)
    temporary.replace(path)
    _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
