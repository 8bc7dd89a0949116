"""Credentials of connections, encrypted: a data key for each, wrapped by a key that only broker's process has."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from alphintra.broker.domain.links import Sealed
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId

__all__ = ["Credentials", "Vault", "parse_keys"]

_SERVICE = "broker"
_KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a venue knows us by. Shows nothing of itself."""

    values: Mapping[str, str] = field(repr=False)

    def __getitem__(self, name: str) -> str:
        """Return one of the parts; raises CREDENTIALS_INCOMPLETE."""
        if not self.values.get(name):
            message = f"the venue needs {name}: add the connection's credentials again with it"
            raise AlphintraError("CREDENTIALS_INCOMPLETE", message, pointer=f"/{name}")
        return self.values[name]

    def __str__(self) -> str:
        """Return a text without content."""
        return "Credentials(***)"


def parse_keys(text: str) -> dict[int, bytes]:
    """Read the keys that wrap data keys, ``version:base64`` each, divided by commas. Raises KEYS_UNREADABLE."""
    keys: dict[int, bytes] = {}
    try:
        for item in text.split(","):
            version, _, encoded = item.partition(":")
            keys[int(version)] = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        keys = {}
    if not keys or any(len(key) != _KEY_BYTES for key in keys.values()):
        message = "the keys of broker's connections cannot be read: restore the secret from a backup of the home"
        raise AlphintraError("KEYS_UNREADABLE", message, kind=Kind.UNAVAILABLE)
    return keys


class Vault:
    """Seals and opens credentials. Bound to connection, service and version: a row copied elsewhere does not open."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._keys = {version: AESGCM(key) for version, key in keys.items()}
        self.newest = max(self._keys)

    def seal(self, credentials: Credentials, account_id: AccountId, *, version: int) -> Sealed:
        """Encrypt credentials under a fresh data key."""
        data_key = AESGCM.generate_key(_KEY_BYTES * 8)
        ciphertext = _encrypt(AESGCM(data_key), msgspec.json.encode(credentials.values), _bound(account_id, version))
        return Sealed(
            version=version,
            kek_version=self.newest,
            wrapped_key=_encrypt(self._keys[self.newest], data_key, _wrap_bound(account_id, version, self.newest)),
            ciphertext=ciphertext,
        )

    def open(self, sealed: Sealed, account_id: AccountId) -> Credentials:
        """Decrypt credentials. Raises CREDENTIALS_UNREADABLE."""
        data_key = AESGCM(self._unwrapped(sealed, account_id))
        plain = _decrypt(data_key, sealed.ciphertext, _bound(account_id, sealed.version))
        return Credentials(msgspec.json.decode(plain, type=dict[str, str]))

    def rewrap(self, sealed: Sealed, account_id: AccountId) -> Sealed:
        """Wrap the data key by the newest key; the credentials themselves stay as they are encrypted."""
        data_key = self._unwrapped(sealed, account_id)
        bound = _wrap_bound(account_id, sealed.version, self.newest)
        return Sealed(
            version=sealed.version,
            kek_version=self.newest,
            wrapped_key=_encrypt(self._keys[self.newest], data_key, bound),
            ciphertext=sealed.ciphertext,
        )

    def _unwrapped(self, sealed: Sealed, account_id: AccountId) -> bytes:
        key = self._keys.get(sealed.kek_version)
        if key is None:
            raise _unreadable(f"the key of version {sealed.kek_version} is not in this installation's secrets")
        return _decrypt(key, sealed.wrapped_key, _wrap_bound(account_id, sealed.version, sealed.kek_version))


def _bound(account_id: AccountId, version: int) -> bytes:
    return f"{_SERVICE}|{account_id}|{version}".encode()


def _wrap_bound(account_id: AccountId, version: int, kek_version: int) -> bytes:
    return _bound(account_id, version) + f"|{kek_version}".encode()


def _encrypt(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _decrypt(cipher: AESGCM, stored: bytes, bound: bytes) -> bytes:
    try:
        return cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise _unreadable("the stored credentials do not belong to this connection or were altered") from error


def _unreadable(reason: str) -> AlphintraError:
    message = f"{reason}: add the connection's credentials again"
    return AlphintraError("CREDENTIALS_UNREADABLE", message, kind=Kind.CONFLICT)
