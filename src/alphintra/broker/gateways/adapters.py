"""Which adapter a connection is served by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from alphintra.broker.domain.capabilities import ALPACA, Capabilities
from alphintra.broker.gateways.alpaca import AlpacaVenue
from alphintra.broker.gateways.ccxt_library import load_exchange
from alphintra.broker.gateways.ccxt_venue import CcxtVenue, exchange_capabilities
from alphintra.broker.gateways.vault import Vault
from alphintra.infrastructure.envelope import parse_keys
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.broker.domain.links import Link
    from alphintra.broker.gateways.vault import Credentials
    from alphintra.broker.gateways.venue import RemoteVenue

__all__ = ["Adapters"]


class Adapters:
    """The adapters of this installation, and the vault under its keys.

    Args:
        keys: gives the text of the keys as they are now, empty where this installation has none.
    """

    def __init__(self, keys: Callable[[], str]) -> None:
        self._keys = keys

    def vault(self) -> Vault:
        """Return the vault. Raises KEYS_MISSING or KEYS_UNREADABLE."""
        return Vault(parse_keys(self._keys(), of="broker's connections"))

    async def prepare(self, link: Link) -> None:
        """Load the exchange of a connection. Raises ADAPTER_NOT_INSTALLED or EXCHANGE_UNKNOWN."""
        if link.adapter == "ccxt":
            await load_exchange(link.exchange)

    def connect(self, link: Link, credentials: Credentials) -> RemoteVenue:
        """Return the venue a connection leads to; nothing is called yet.

        Raises ADAPTER_UNKNOWN, ADAPTER_NOT_INSTALLED, EXCHANGE_UNKNOWN, ENVIRONMENT_UNKNOWN or CREDENTIALS_INCOMPLETE.
        """
        if link.adapter == "alpaca":
            return AlpacaVenue(credentials, link.environment, base_url=link.base_url)
        if link.adapter == "ccxt":
            return CcxtVenue(credentials, link.exchange, link.environment, base_url=link.base_url)
        message = f"there is no adapter {link.adapter[:40]!r}: known are alpaca and ccxt"
        raise AlphintraError("ADAPTER_UNKNOWN", message, pointer="/adapter")

    def capabilities(self, link: Link) -> Capabilities | None:
        """Return what the venue of a connection can do, None while no adapter is chosen."""
        if link.adapter == "ccxt":
            return exchange_capabilities(link.exchange)
        return ALPACA if link.adapter == "alpaca" else None
