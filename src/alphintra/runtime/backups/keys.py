"""The keys of backups: in the home's secrets, never beside a backup."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from alphintra.dataplane.backup.sealing import Key, Keyring, new_key
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home

__all__ = ["add_key", "keyring_of", "secret_of"]

_KEY_BYTES: Final = 32


def secret_of(scope: str) -> str:
    """Return the name of the secret that holds a scope's keys, the newest first; keep a copy of it elsewhere."""
    return f"backup-{scope}.keys"


def keyring_of(home: Home, *, may_draw: bool) -> Keyring:
    """Return the keys of a home; one is drawn at first use where that is allowed: to make a backup, not to read one.

    The ring raises BACKUP_KEY for a secret that holds no keys.
    """

    def ring(scope: str) -> tuple[Key, ...]:
        kept = home.read_secret(secret_of(scope))
        if kept is None:
            return (add_key(home, scope),) if may_draw else ()
        try:
            keys = tuple(Key(base64.b64decode(text, validate=True)) for text in kept.split(","))
        except binascii.Error:
            keys = ()
        if not keys or any(len(key.secret) != _KEY_BYTES for key in keys):
            message = f"the secret {secret_of(scope)} holds no keys: put back the copy that you keep elsewhere"
            raise AlphintraError("BACKUP_KEY", message, kind=Kind.FORBIDDEN)
        return keys

    return ring


def add_key(home: Home, scope: str) -> Key:
    """Draw a key that later backups of a scope are sealed with; earlier ones stay, for what they sealed."""
    name = secret_of(scope)
    key = new_key()
    kept = home.read_secret(name)
    text = base64.b64encode(key.secret).decode()
    home.write_secret(name, text if kept is None else f"{text},{kept}")
    return key
