"""What WebSockets of the gateway have in common: how they are ended, and how they are read."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from alphintra.infrastructure.telemetry import get_logger

__all__ = [
    "CLOSE_LATER",
    "CLOSE_POLICY",
    "CLOSE_RESTART",
    "CLOSE_TOO_LARGE",
    "CloseError",
    "close",
    "received",
    "sending",
    "until_one_ends",
]

SEND_S_MAX: Final = 20.0

CLOSE_POLICY: Final = 1008
CLOSE_TOO_LARGE: Final = 1009
CLOSE_RESTART: Final = 1012
CLOSE_LATER: Final = 1013


class CloseError(Exception):
    """The connection is to be closed, and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def close(websocket: WebSocket, error: CloseError) -> None:
    """Close for a reason, unless the other side has gone already."""
    get_logger().info("stream.closed", code=error.code, reason=error.reason)
    if websocket.client_state is WebSocketState.CONNECTED:
        with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(1):
                await websocket.close(error.code, error.reason)


async def until_one_ends(*parts: Coroutine[Any, Any, None]) -> None:
    """Run parts of a conversation side by side until one ends, and raise what ended it."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def received(websocket: WebSocket, *, bytes_max: int) -> str | bytes:
    """Return the next message. Raises CloseError for one that is too large, WebSocketDisconnect at the end."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    body: str | bytes = message.get("text") or message.get("bytes") or b""
    if len(body) > bytes_max:
        raise CloseError(CLOSE_TOO_LARGE, "message too large")
    return body


async def sending(sent: Coroutine[Any, Any, None]) -> None:
    """Await the sending of a message. Raises CloseError where nobody reads it, WebSocketDisconnect after the end."""
    try:
        async with asyncio.timeout(SEND_S_MAX):
            await sent
    except TimeoutError as error:
        raise CloseError(CLOSE_POLICY, "slow client") from error
    except RuntimeError as error:  # closed from the other side meanwhile
        raise WebSocketDisconnect from error
