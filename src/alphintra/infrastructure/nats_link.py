"""One service's connection to NATS, with its own key and its own inbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from nats.aio.client import Client
from nats.errors import Error as NatsError

from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["NatsCredentials", "connect_nats", "flushed"]

_CONNECT_TIMEOUT_S = 5
_RECONNECT_WAIT_S = 1
_CONNECT_DEADLINE_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsCredentials:
    """Where NATS is and who we are there; the seed never appears in logs or ``repr``."""

    url: str
    user: str
    seed: str

    def __repr__(self) -> str:
        """Name the user and the server, hide the seed."""
        return f"NatsCredentials(url={self.url!r}, user={self.user!r}, seed=…)"


async def connect_nats(credentials: NatsCredentials) -> Client:
    """Connect as one service; reconnects for ever once connected. Raises BUS_UNAVAILABLE if it never can."""
    log = get_logger()

    async def on_error(error: Exception) -> None:
        # A denied publish arrives only here; the publisher sees at most a time-out.
        log.error("bus.error", user=credentials.user, error=str(error))

    client = Client()
    try:
        # By itself the client tries for ever: right once it was connected, wrong for an address or a key that is wrong.
        async with asyncio.timeout(_CONNECT_DEADLINE_S):
            await client.connect(
                credentials.url,
                name=credentials.user,
                nkeys_seed_str=credentials.seed,
                inbox_prefix=f"_INBOX_{credentials.user}".encode(),
                connect_timeout=_CONNECT_TIMEOUT_S,
                reconnect_time_wait=_RECONNECT_WAIT_S,
                max_reconnect_attempts=-1,
                error_cb=on_error,
            )
    except (NatsError, OSError, TimeoutError) as error:
        await client.close()
        message = f"NATS at {credentials.url} cannot be reached as {credentials.user}"
        raise AlphintraError("BUS_UNAVAILABLE", message, kind=Kind.UNAVAILABLE) from error
    return client


async def flushed(client: Client, *, timeout_s: int = 10) -> None:
    """Return once the server has taken in what was subscribed and published so far; raises as ``Client.flush``.

    The client writes the ping of its ``flush`` ahead of what it still holds back: only the second one comes after it.
    """
    await client.flush(timeout=timeout_s)
    await client.flush(timeout=timeout_s)
