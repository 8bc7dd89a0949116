"""A durable consumer's events as they come: one standing request to the server, renewed before it is used up."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Self

from nats.errors import Error as NatsError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

__all__ = ["Pull", "PullRefusedError"]

STANDING: Final = 64
"""How many messages the server may send unasked."""

RENEWED_S = 5.0
"""How long a request stands. One that the server forgot, being started again, is missed no longer than that."""

_GRACE_S: Final = 1.0
_PASSING: Final = frozenset({"404", "408", "100"})  # nothing there, request over, still alive


class PullRefusedError(NatsError):
    """The server does not serve the consumer, at least for now."""


class Pull:
    """Events of one durable consumer, for the length of an ``async with`` block."""

    def __init__(self, nats: Client, *, stream: str, durable: str) -> None:
        self._nats = nats
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = nats.new_inbox()
        self._waiting: deque[Msg] = deque()
        self._filled = asyncio.Event()
        self._asked = 0  # how many the server may still send
        self._refused = ""

    async def __aenter__(self) -> Self:
        """Listen, before anything is asked for."""
        self._subscription: Subscription = await self._nats.subscribe(self._inbox, cb=self._receive)
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Listen no more; what was sent and not taken comes again."""
        if not self._nats.is_closed:
            await self._subscription.unsubscribe()

    @property
    def waiting(self) -> Sequence[Msg]:
        """What came and is not taken yet."""
        return tuple(self._waiting)

    async def take(self, count_max: int) -> Sequence[Msg]:
        """Wait for events and return those that are there, oldest first.

        Raises PullRefusedError, or what the client raises where it is closed.
        """
        while not self._waiting:
            if self._refused:
                raise PullRefusedError(self._refused)
            if self._asked <= 0:
                await self._ask(STANDING)
            self._filled.clear()
            try:
                async with asyncio.timeout(RENEWED_S + _GRACE_S):
                    await self._filled.wait()
            except TimeoutError:
                self._asked = 0  # not even the end of the request was told
        taken = [self._waiting.popleft() for _ in range(min(count_max, len(self._waiting)))]
        if self._asked < STANDING // 2 and len(self._waiting) < STANDING // 2:
            await self._ask(STANDING - max(self._asked, 0))
        return taken

    async def _ask(self, count: int) -> None:
        self._asked = max(self._asked, 0) + count
        wanted = {"batch": count, "expires": int(RENEWED_S * 1e9)}
        await self._nats.publish(self._subject, json.dumps(wanted).encode(), reply=self._inbox)

    async def _receive(self, message: Msg) -> None:
        status = None if message.headers is None or message.data else message.headers.get("Status")
        if status is None:
            self._asked -= 1
            self._waiting.append(message)
        elif status in _PASSING:
            self._asked -= int((message.headers or {}).get("Nats-Pending-Messages", STANDING))
        else:
            self._refused = f"{status} {(message.headers or {}).get('Description', '')}".strip()
        self._filled.set()
