"""The WebSocket at ``/alpaca/stream``: authenticate, listen, and trade updates from then on.

It is Alpaca's protocol: JSON in binary frames, or msgpack for who connects with ``Content-Type: application/msgpack``.
What happened before a client listens, or while it was away, it reads from the orders themselves; a client whose edge
may have missed events, or that reads too slowly, is cut off, so that it does just that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from alphintra.edge.alpaca.desk import Choices, desk_of_caller
from alphintra.edge.alpaca.updates import Listener, Updates
from alphintra.edge.guards import Caller, Gate, Scope
from alphintra.infrastructure.telemetry import get_logger, new_trace_id
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["stream"]

AUTHENTICATE_S_MAX: Final = 10.0
PROVE_AGAIN_S: Final = 30.0
MESSAGE_BYTES_MAX: Final = 16 * 1024
SEND_S_MAX: Final = 20.0
TRADE_UPDATES: Final = "trade_updates"

CLOSE_POLICY: Final = 1008
CLOSE_TOO_LARGE: Final = 1009
CLOSE_RESTART: Final = 1012
CLOSE_LATER: Final = 1013

_Encode = Callable[[object], bytes]
_as_json: Final = msgspec.json.Encoder(decimal_format="string").encode
_as_msgpack: Final = msgspec.msgpack.Encoder(decimal_format="string", uuid_format="canonical").encode


class _CloseError(Exception):
    """The connection is to be closed, and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Credentials:
    key_id: str
    secret: str
    token: str

    async def prove(self, gate: Gate, address: str) -> Caller:
        """Return whom they stand for. Raises AUTH_SCOPE, KEY_INVALID or TOKEN_*."""
        if self.token:
            return await gate.admit_token(self.token, Scope.READ, trace_id=new_trace_id())
        return await gate.admit_key(self.key_id, self.secret, Scope.READ, address=address, trace_id=new_trace_id())


async def stream(websocket: WebSocket) -> None:
    """Serve one client until it leaves or is cut off."""
    await websocket.accept()
    conversation = _Conversation(websocket)
    try:
        await conversation.run()
    except _CloseError as error:
        get_logger().info("stream.closed", code=error.code, reason=error.reason)
        if websocket.client_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(1):
                    await websocket.close(error.code, error.reason)
    except WebSocketDisconnect:
        return


class _Conversation:
    """What one client says and is told."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._gate: Gate = websocket.app.state.gate
        self._choices: Choices = websocket.app.state.choices
        self._updates: Updates = websocket.app.state.updates
        self._address = websocket.client.host if websocket.client else ""
        media = websocket.headers.get("content-type", "")
        self._encode: _Encode = _as_msgpack if media.partition(";")[0].strip() == "application/msgpack" else _as_json
        self._is_listening = asyncio.Event()

    async def run(self) -> None:
        """Authenticate, then read and tell until one of the two ends."""
        credentials, caller = await self._authenticated()
        try:
            desk = await desk_of_caller(caller, self._choices)
            listener = await self._updates.attach(desk.account_id)
        except AlphintraError as error:
            code = CLOSE_LATER if error.kind in {Kind.LIMITED, Kind.UNAVAILABLE} else CLOSE_POLICY
            raise _CloseError(code, error.detail[:100]) from error
        try:
            await self._say("authorization", {"status": "authorized", "action": "authenticate"})
            await self._until_one_ends(listener, credentials)
        finally:
            await self._updates.detach(listener)

    async def _until_one_ends(self, listener: Listener, credentials: _Credentials) -> None:
        tasks = [
            asyncio.create_task(part)
            for part in (
                self._read(),
                self._tell(listener),
                self._watch(listener),
                self._prove_again(credentials),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _authenticated(self) -> tuple[_Credentials, Caller]:
        try:
            async with asyncio.timeout(AUTHENTICATE_S_MAX):
                message = await self._receive()
        except TimeoutError as error:
            raise _CloseError(CLOSE_POLICY, "auth timeout") from error
        try:
            credentials = _credentials_of(message)
            return credentials, await credentials.prove(self._gate, self._address)
        except AlphintraError as error:
            if error.kind not in {Kind.UNAUTHENTICATED, Kind.FORBIDDEN}:
                raise _CloseError(CLOSE_LATER, "credentials cannot be checked at the moment") from error
            await self._say("authorization", {"status": "unauthorized", "action": "authenticate"})
            raise _CloseError(CLOSE_POLICY, "unauthorized") from error

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message.get("action") != "listen":
                await self._say("error", {"message": "the actions are authenticate and listen"})
                continue
            data = message.get("data")
            asked = data.get("streams") if isinstance(data, Mapping) else None
            is_wanted = isinstance(asked, list) and TRADE_UPDATES in asked
            if is_wanted:
                self._is_listening.set()
            else:
                self._is_listening.clear()
            await self._say("listening", {"streams": [TRADE_UPDATES] if is_wanted else []})

    async def _tell(self, listener: Listener) -> None:
        while True:
            data = await listener.waiting.get()
            if self._is_listening.is_set():
                await self._say(TRADE_UPDATES, data)

    async def _watch(self, listener: Listener) -> None:
        slow = asyncio.create_task(listener.is_cut_off.wait())
        missed = asyncio.create_task(listener.has_missed.wait())
        try:
            await asyncio.wait((slow, missed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            slow.cancel()
            missed.cancel()
        if listener.is_cut_off.is_set():
            raise _CloseError(CLOSE_POLICY, "slow client")
        raise _CloseError(CLOSE_RESTART, "updates may have been missed: connect again and read your orders")

    async def _prove_again(self, credentials: _Credentials) -> None:
        while True:
            await asyncio.sleep(PROVE_AGAIN_S)
            try:
                await credentials.prove(self._gate, self._address)
            except AlphintraError as error:
                if error.kind in {Kind.UNAUTHENTICATED, Kind.FORBIDDEN}:
                    raise _CloseError(CLOSE_POLICY, "unauthorized") from error

    async def _say(self, name: str, data: object) -> None:
        try:
            async with asyncio.timeout(SEND_S_MAX):
                await self._websocket.send_bytes(self._encode({"stream": name, "data": data}))
        except TimeoutError as error:
            raise _CloseError(CLOSE_POLICY, "slow client") from error
        except RuntimeError as error:  # closed from the other side meanwhile
            raise WebSocketDisconnect from error

    async def _receive(self) -> Mapping[str, Any]:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1000))
        body: str | bytes = received.get("text") or received.get("bytes") or b""
        if len(body) > MESSAGE_BYTES_MAX:
            raise _CloseError(CLOSE_TOO_LARGE, "message too large")
        try:
            message = _unpacked(body) if self._encode is _as_msgpack else msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise _CloseError(CLOSE_POLICY, "invalid syntax") from error
        if not isinstance(message, dict):
            raise _CloseError(CLOSE_POLICY, "invalid syntax")
        return message


def _unpacked(body: str | bytes) -> object:
    return msgspec.msgpack.decode(body) if isinstance(body, bytes) else msgspec.json.decode(body)


def _credentials_of(message: Mapping[str, Any]) -> _Credentials:
    """Read either form of authentication there is: key and secret below ``data``, or beside ``action``."""
    nothing = AlphintraError("AUTH_REQUIRED", "authenticate first", kind=Kind.UNAUTHENTICATED)
    if message.get("action") not in {"authenticate", "auth"}:
        raise nothing
    data = message.get("data")
    held = data if isinstance(data, Mapping) else message
    texts = [
        held.get(name) or held.get(other) or ""
        for name, other in (("key_id", "key"), ("secret_key", "secret"), ("oauth_token", "oauth_token"))
    ]
    if not all(isinstance(text, str) for text in texts):
        raise nothing
    return _Credentials(*texts)
