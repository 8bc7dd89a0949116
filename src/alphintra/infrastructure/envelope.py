"""Secrets of others, encrypted at rest: a data key for each, wrapped by a key that only the service's process has."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Envelopes", "Sealed", "parse_keys"]

_KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A secret as it is stored.

    Attributes:
        version: of the secret, counted by whoever keeps it.
        kek_version: of the key that wraps the data key.
        wrapped_key: the data key, encrypted.
        ciphertext: the secret, encrypted by the data key.
    """

    version: int
    kek_version: int
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


def parse_keys(text: str, *, of: str) -> dict[int, bytes]:
    """Read the keys that wrap data keys, ``version:base64`` each, divided by commas.

    Args:
        text: as the home or the mounted secret has it.
        of: whose keys they are, for the message.

    Raises:
        AlphintraError: KEYS_MISSING where there are none, KEYS_UNREADABLE.
    """
    if not text:
        message = f"this installation has no keys for {of}: start it anew, or mount the secret"
        raise AlphintraError("KEYS_MISSING", message, kind=Kind.UNAVAILABLE)
    keys: dict[int, bytes] = {}
    try:
        for item in text.split(","):
            version, _, encoded = item.partition(":")
            keys[int(version)] = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        keys = {}
    if not keys or any(len(key) != _KEY_BYTES for key in keys.values()):
        message = f"the keys of {of} cannot be read: restore the secret from a backup of the home"
        raise AlphintraError("KEYS_UNREADABLE", message, kind=Kind.UNAVAILABLE)
    return keys


class Envelopes:
    """Seals and opens secrets. Bound to service, owner of the secret and version: a row copied elsewhere does not open.

    Args:
        service: whose secrets they are.
        keys: what wraps data keys, by version.
    """

    def __init__(self, service: str, keys: Mapping[int, bytes]) -> None:
        self._service = service
        self._keys = {version: AESGCM(key) for version, key in keys.items()}
        self.newest = max(self._keys)

    def seal(self, plain: bytes, subject: UUID, *, version: int) -> Sealed:
        """Encrypt a secret of a subject under a fresh data key."""
        data_key = AESGCM.generate_key(_KEY_BYTES * 8)
        bound = self._bound(subject, version)
        return Sealed(
            version=version,
            kek_version=self.newest,
            wrapped_key=_encrypt(self._keys[self.newest], data_key, _wrap_bound(bound, self.newest)),
            ciphertext=_encrypt(AESGCM(data_key), plain, bound),
        )

    def open(self, sealed: Sealed, subject: UUID) -> bytes:
        """Decrypt a secret of a subject. Raises CREDENTIALS_UNREADABLE."""
        bound = self._bound(subject, sealed.version)
        return _decrypt(AESGCM(self._unwrapped(sealed, bound)), sealed.ciphertext, bound)

    def rewrap(self, sealed: Sealed, subject: UUID) -> Sealed:
        """Wrap the data key by the newest key; the secret itself stays as it is encrypted."""
        bound = self._bound(subject, sealed.version)
        data_key = self._unwrapped(sealed, bound)
        return Sealed(
            version=sealed.version,
            kek_version=self.newest,
            wrapped_key=_encrypt(self._keys[self.newest], data_key, _wrap_bound(bound, self.newest)),
            ciphertext=sealed.ciphertext,
        )

    def _unwrapped(self, sealed: Sealed, bound: bytes) -> bytes:
        key = self._keys.get(sealed.kek_version)
        if key is None:
            raise _unreadable(f"the key of version {sealed.kek_version} is not in this installation's secrets")
        return _decrypt(key, sealed.wrapped_key, _wrap_bound(bound, sealed.kek_version))

    def _bound(self, subject: UUID, version: int) -> bytes:
        return f"{self._service}|{subject}|{version}".encode()


def _wrap_bound(bound: bytes, kek_version: int) -> bytes:
    return bound + f"|{kek_version}".encode()


def _encrypt(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _decrypt(cipher: AESGCM, stored: bytes, bound: bytes) -> bytes:
    try:
        return cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise _unreadable("the stored secret does not belong to this row or was altered") from error


def _unreadable(reason: str) -> AlphintraError:
    message = f"{reason}: enter it again"
    return AlphintraError("CREDENTIALS_UNREADABLE", message, kind=Kind.CONFLICT)
