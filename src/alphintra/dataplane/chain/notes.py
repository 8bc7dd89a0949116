"""Checkpoints as signed notes, in the formats of C2SP: signed-note, tlog-checkpoint and tlog-cosignature.

Whoever knows the public key can check one with any tool that reads these formats.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from alphintra.infrastructure.signing import SigningKey, VerifyKey
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Checkpoint", "Cosignature", "NoteKey", "NoteKeys", "checkpoint_of", "cosignatures_of", "public_key"]

_ED25519: Final = b"\x01"
_COSIGNATURE: Final = b"\x04"
_DASH: Final = "\u2014 "
_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_HASH_BYTES: Final = 32
_LINES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a log goes: how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The body that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """That a witness has seen a checkpoint, and when (UTC, whole seconds)."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A public key under its name."""

    name: str
    raw: bytes

    def ident(self, kind: bytes) -> bytes:
        """Return the four bytes that signatures of the key begin with."""
        return sha256(self.name.encode() + b"\n" + kind + self.raw).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as ``vkey`` writes it, for other tools."""
        packed = base64.b64encode(_ED25519 + self.raw).decode()
        return f"{self.name}+{self.ident(_ED25519).hex()}+{packed}"


class NoteKeys:
    """The keys of one name, newest first: the first signs, all are trusted."""

    def __init__(self, name: str, seeds: Sequence[str]) -> None:
        keys = [SigningKey(seed) for seed in seeds]
        self.name = name
        self._signer = keys[0]
        self.trusted = tuple(NoteKey(name=name, raw=base64.b64decode(key.public_text)) for key in keys)

    def sign(self, checkpoint: Checkpoint) -> str:
        """Return the note of a checkpoint with the newest key's signature."""
        return f"{checkpoint.text}\n{self.line(checkpoint.text)}"

    def line(self, text: str) -> str:
        """Return the newest key's signature of a text, as the line that stands below it."""
        return _line(self.trusted[0].ident(_ED25519) + self._signer.sign(text.encode()), self.name)

    def cosign(self, note: str, *, at: datetime) -> str:
        """Return the note with one more line: that this witness saw it at that time."""
        text = note.partition("\n\n")[0] + "\n"
        seconds = int(at.timestamp())
        signature = self._signer.sign(_witnessed(text, seconds))
        packed = self.trusted[0].ident(_COSIGNATURE) + seconds.to_bytes(_TIME_BYTES, "big") + signature
        return note + _line(packed, self.name)


def public_key(text: str) -> NoteKey:
    """Read a key as written by `NoteKey.text`. Raises AUDIT_NOTE."""
    name, _, rest = text.strip().partition("+")
    try:
        packed = base64.b64decode(rest.partition("+")[2], validate=True)
    except ValueError as error:
        raise _unreadable(text) from error
    if not name or packed[:1] != _ED25519 or len(packed) != 1 + _HASH_BYTES:
        raise _unreadable(text)
    return NoteKey(name=name, raw=packed[1:])


def checkpoint_of(note: str, trusted: Sequence[NoteKey]) -> Checkpoint:
    """Return what a note says, once a trusted key has signed it. Raises AUDIT_NOTE, AUDIT_SIGNATURE."""
    text, signatures = _opened(note)
    lines = text.split("\n")
    try:
        root = base64.b64decode(lines[2], validate=True)
        checkpoint = Checkpoint(origin=lines[0], size=int(lines[1]), root=root)
    except (IndexError, ValueError) as error:
        raise _unreadable(note) from error
    if len(lines) != _LINES + 1 or checkpoint.text != text or len(root) != _HASH_BYTES or checkpoint.size < 0:
        raise _unreadable(note)
    for key in trusted:
        begins = (checkpoint.origin, key.ident(_ED25519))  # a log's own key bears its name
        for name, packed in signatures:
            is_its = (name, packed[:_ID_BYTES]) == begins and key.name == name
            if is_its and VerifyKey(key.raw).is_signed(text.encode(), packed[_ID_BYTES:]):
                return checkpoint
    message = f"no key of {checkpoint.origin} has signed the checkpoint of {checkpoint.size} leaves"
    raise AlphintraError("AUDIT_SIGNATURE", message, kind=Kind.CONFLICT)


def cosignatures_of(note: str, trusted: Sequence[NoteKey]) -> tuple[Cosignature, ...]:
    """Return which of the trusted witnesses saw a note, and when. Raises AUDIT_NOTE."""
    text, signatures = _opened(note)
    found = []
    for key in trusted:
        ident = key.ident(_COSIGNATURE)
        for name, packed in signatures:
            if (name, packed[:_ID_BYTES]) != (key.name, ident):
                continue
            seconds = int.from_bytes(packed[_ID_BYTES : _ID_BYTES + _TIME_BYTES], "big")
            if VerifyKey(key.raw).is_signed(_witnessed(text, seconds), packed[_ID_BYTES + _TIME_BYTES :]):
                found.append(Cosignature(name=name, at=datetime.fromtimestamp(seconds, UTC)))
    return tuple(found)


def _witnessed(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _line(packed: bytes, name: str) -> str:
    return f"{_DASH}{name} {base64.b64encode(packed).decode()}\n"


def _opened(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, parted, rest = note.partition("\n\n")
    if not parted or not rest.endswith("\n"):
        raise _unreadable(note)
    signatures = []
    for line in rest[:-1].split("\n"):
        name, _, packed = line.removeprefix(_DASH).partition(" ")
        try:
            signatures.append((name, base64.b64decode(packed, validate=True)))
        except ValueError as error:
            raise _unreadable(note) from error
        if not line.startswith(_DASH):
            raise _unreadable(note)
    return text + "\n", signatures


def _unreadable(text: str) -> AlphintraError:
    return AlphintraError("AUDIT_NOTE", f"{text[:60]!r} is no signed checkpoint or key", kind=Kind.CONFLICT)
