"""Files of a backup on their way: compressed, encrypted and authenticated piece by piece, and back.

A sealed file is a header (magic, 16 random bytes) and frames of AES-256-GCM over zstandard: a number of its own counts
each frame and says which is the last, so that none can be changed, swapped, left out or cut off unnoticed. Its key is
derived from the scope's key and the header; what the file is and belongs to is authenticated with every frame.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Key", "Keyring", "Measured", "Sealer", "new_key", "unseal"]

_MAGIC: Final = b"ALPHBK1\n"
_SALT_BYTES: Final = 16
_KEY_BYTES: Final = 32
_FRAME_BYTES: Final = 1_048_576
_TAG_BYTES: Final = 16
_COUNTER_BYTES: Final = 11
_LEVEL: Final = 3
_WINDOW_MAX: Final = 2**27
_IDENT_CHARS: Final = 12


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """What the files of one scope are sealed with; ``ident`` tells it from others and gives nothing away."""

    secret: bytes

    @property
    def ident(self) -> str:
        """Name by which a manifest says which key it takes."""
        return sha256(b"alphintra backup key\n" + self.secret).hexdigest()[:_IDENT_CHARS]


Keyring = Callable[[str], tuple[Key, ...]]
"""Gives the keys of a scope, the one to seal with first; none where they are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What went through: as it was, and as it is stored; hashes are SHA-256 in hex."""

    bytes: int
    sha256: str
    stored_bytes: int
    stored_sha256: str


class Sealer:
    """Seals one file; what it came to is known when everything was read from `seal`."""

    def __init__(self, key: Key, about: str) -> None:
        """Take the key of the scope, and what the file is and belongs to."""
        self._key = key
        self._about = about.encode()
        self.measured: Measured | None = None

    def seal(self, plain: Iterable[bytes]) -> Iterator[bytes]:
        """Return the stored form, about a mebibyte at a time."""
        inside, outside = sha256(), sha256()
        sizes = [0, 0]

        def counted() -> Iterator[bytes]:
            for piece in plain:
                inside.update(piece)
                sizes[0] += len(piece)
                yield piece

        for piece in self._frames(counted()):
            outside.update(piece)
            sizes[1] += len(piece)
            yield piece
        self.measured = Measured(
            bytes=sizes[0], sha256=inside.hexdigest(), stored_bytes=sizes[1], stored_sha256=outside.hexdigest()
        )

    def _frames(self, plain: Iterator[bytes]) -> Iterator[bytes]:
        header = _MAGIC + secrets.token_bytes(_SALT_BYTES)
        cipher = _cipher(self._key, header)
        yield header
        packer = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
        waiting = bytearray()
        number = 0
        for piece in plain:
            waiting += packer.compress(piece)
            while len(waiting) > _FRAME_BYTES:
                yield cipher.encrypt(_nonce(number, is_last=False), bytes(waiting[:_FRAME_BYTES]), self._about)
                del waiting[:_FRAME_BYTES]
                number += 1
        waiting += packer.flush()
        while len(waiting) > _FRAME_BYTES:
            yield cipher.encrypt(_nonce(number, is_last=False), bytes(waiting[:_FRAME_BYTES]), self._about)
            del waiting[:_FRAME_BYTES]
            number += 1
        yield cipher.encrypt(_nonce(number, is_last=True), bytes(waiting), self._about)


def unseal(
    stored: Iterable[bytes], *, key: Key, about: str, name: str, expected: Measured | None = None
) -> Iterator[bytes]:
    """Return what was sealed; the last piece comes only when everything was found to be as it was.

    Raises BACKUP_CHECKSUM, naming the file, at the first frame that was changed, cut off, or is another file's.
    """
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW_MAX).decompressobj()
    inside, outside = sha256(), sha256()
    held: bytes = b""
    try:
        for frame in _opened(stored, key=key, about=about, seen=outside.update):
            piece = unpacker.decompress(frame)
            inside.update(piece)
            if held:
                yield held
            held = piece
    except (InvalidTag, zstandard.ZstdError, EOFError) as error:
        raise _damaged(name) from error
    if expected is not None and (inside.hexdigest(), outside.hexdigest()) != (expected.sha256, expected.stored_sha256):
        raise _damaged(name)
    if held:
        yield held


def _opened(stored: Iterable[bytes], *, key: Key, about: str, seen: Callable[[bytes], None]) -> Iterator[bytes]:
    whole = _FRAME_BYTES + _TAG_BYTES
    head = len(_MAGIC) + _SALT_BYTES
    waiting = bytearray()
    cipher: AESGCM | None = None
    number = 0
    for piece in stored:
        seen(piece)
        waiting += piece
        if cipher is None:
            if len(waiting) < head:
                continue
            if waiting[: len(_MAGIC)] != _MAGIC:
                raise EOFError
            cipher = _cipher(key, bytes(waiting[:head]))
            del waiting[:head]
        while len(waiting) > whole:
            yield cipher.decrypt(_nonce(number, is_last=False), bytes(waiting[:whole]), about.encode())
            del waiting[:whole]
            number += 1
    if cipher is None or len(waiting) < _TAG_BYTES:
        raise EOFError
    yield cipher.decrypt(_nonce(number, is_last=True), bytes(waiting), about.encode())


def new_key() -> Key:
    """Draw a key."""
    return Key(os.urandom(_KEY_BYTES))


def _cipher(key: Key, header: bytes) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=header, info=b"alphintra backup file").derive(key.secret)
    return AESGCM(derived)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES, "big") + (b"\1" if is_last else b"\0")


def _damaged(name: str) -> AlphintraError:
    message = f"{name} is not what was written: it was changed or cut off; use another backup, and check the target"
    return AlphintraError("BACKUP_CHECKSUM", message, kind=Kind.CONFLICT)
