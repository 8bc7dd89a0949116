"""Credentials of connections, encrypted at rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from alphintra.infrastructure.envelope import Envelopes, Sealed
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId

__all__ = ["Credentials", "Vault"]


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


class Vault:
    """Seals and opens credentials: a data key for each connection, see `Envelopes`."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._envelopes = Envelopes("broker", keys)
        self.newest = self._envelopes.newest

    def seal(self, credentials: Credentials, account_id: AccountId, *, version: int) -> Sealed:
        """Encrypt credentials under a fresh data key."""
        return self._envelopes.seal(msgspec.json.encode(credentials.values), account_id, version=version)

    def open(self, sealed: Sealed, account_id: AccountId) -> Credentials:
        """Decrypt credentials. Raises CREDENTIALS_UNREADABLE."""
        return Credentials(msgspec.json.decode(self._envelopes.open(sealed, account_id), type=dict[str, str]))

    def rewrap(self, sealed: Sealed, account_id: AccountId) -> Sealed:
        """Wrap the data key by the newest key; the credentials themselves stay as they are encrypted."""
        return self._envelopes.rewrap(sealed, account_id)
