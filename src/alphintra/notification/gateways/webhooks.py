"""Calls webhooks: signed, to the address that was looked at, and nowhere else.

Headers and signature are those of Standard Webhooks: HMAC-SHA256 over ``id.timestamp.body``, base64.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID

import httpx

from alphintra.kernel.errors import AlphintraError
from alphintra.notification.domain.channels import Failure
from alphintra.notification.domain.outgoing import Network, parse_target, require_reachable

__all__ = ["Call", "Lookup", "Webhooks", "look_up", "new_secret", "signature"]

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]

_CONNECT_WAIT_S: Final = 5.0
_ANSWER_WAIT_S: Final = 10.0
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a prefix, not a secret
_SECRET_BYTES: Final = 32
_GONE: Final = frozenset({HTTPStatus.GONE})
_DETAIL_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a webhook; ``sending_id`` is the same at every attempt, by which the receiver knows a repetition."""

    sending_id: UUID
    url: str
    body: bytes
    secrets: tuple[str, ...] = field(repr=False)
    at: datetime


class Webhooks:
    """Calls webhooks.

    Args:
        networks: the operator's own that may be reached.
        tls: whose certificates are believed.
        lookup: gives the addresses of a host.
    """

    def __init__(self, networks: Sequence[Network], *, tls: ssl.SSLContext, lookup: Lookup) -> None:
        self._networks = tuple(networks)
        self._tls = tls
        self._lookup = lookup

    async def check(self, url: str) -> None:
        """Look at where a webhook leads without calling it. Raises URL_FORBIDDEN, URL_UNKNOWN for an unknown host."""
        await self._pinned(url)

    async def call(self, call: Call) -> Failure | None:
        """Call a webhook; None if it answered with a status of success. Redirections are not followed."""
        try:
            async with asyncio.timeout(_ANSWER_WAIT_S):
                return await self._call(call)
        except AlphintraError as error:
            return Failure(error.code, error.detail, is_final=error.code == "URL_FORBIDDEN")
        except TimeoutError:
            return Failure("WEBHOOK_TIMEOUT", f"the webhook did not answer within {_ANSWER_WAIT_S:g} s")
        except httpx.TransportError as error:
            detail = f"the webhook cannot be reached: {error or type(error).__name__}"
            return Failure("WEBHOOK_UNREACHABLE", detail[:_DETAIL_MAX])

    async def _call(self, call: Call) -> Failure | None:
        address, host = await self._pinned(call.url)
        url = httpx.URL(call.url)
        timestamp = str(int(call.at.timestamp()))
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            "User-Agent": "Alphintra",
            "webhook-id": str(call.sending_id),
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(
                signature(secret, call.sending_id, timestamp, call.body) for secret in call.secrets
            ),
        }
        timeout = httpx.Timeout(_ANSWER_WAIT_S, connect=_CONNECT_WAIT_S)
        # A client of its own: no cookie, no proxy of the environment and no connection is shared between receivers.
        async with httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=timeout) as client:
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                content=call.body,
                headers=headers,
                extensions={"sni_hostname": host},
            )
            answer = await client.send(request, stream=True, follow_redirects=False)
            await answer.aclose()  # what it says is nobody's business here
        if answer.is_success:
            return None
        return Failure(
            "WEBHOOK_STATUS", f"the webhook answered {answer.status_code}", is_final=answer.status_code in _GONE
        )

    async def _pinned(self, url: str) -> tuple[str, str]:
        target = parse_target(url, self._networks)
        try:
            addresses = await self._lookup(target.host, target.port)
        except OSError as error:
            message = f"the host {target.host} of the webhook is not known: correct it, or try later"
            raise AlphintraError("URL_UNKNOWN", message, pointer="/address") from error
        return str(require_reachable(target, addresses, self._networks)), target.host


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as this machine knows them. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(str(entry[4][0]) for entry in found)


def new_secret() -> str:
    """Draw the secret of a webhook."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature(secret: str, sending_id: UUID, timestamp: str, body: bytes) -> str:
    """Return what a receiver checks a call by, of version 1."""
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    signed = f"{sending_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
