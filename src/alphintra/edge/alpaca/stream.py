"""The WebSocket at ``/alpaca/stream``: authenticate, listen, and trade updates from then on.

It is Alpaca's protocol: JSON in binary frames, or msgpack for who connects with ``Content-Type: application/msgpack``.
What happened before a client listens, or while it was away, it reads from the orders themselves; a client whose edge
may have missed events, or that reads too slowly, is cut off, so that it does just that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from alphintra.edge.alpaca.desk import Choices, desk_of_caller
from alphintra.edge.alpaca.updates import Listener, Updates
from alphintra.edge.guards import Caller, Gate, Scope
from alphintra.edge.sockets import (
    CLOSE_LATER,
    CLOSE_POLICY,
    CLOSE_RESTART,
    CloseError,
    close,
    received,
    sending,
    until_one_ends,
)
from alphintra.infrastructure.telemetry import new_trace_id
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["stream"]

AUTHENTICATE_S_MAX: Final = 10.0
PROVE_AGAIN_S: Final = 30.0
MESSAGE_BYTES_MAX: Final = 16 * 1024
TRADE_UPDATES: Final = "trade_updates"

_Encode = Callable[[object], bytes]
_as_json: Final = msgspec.json.Encoder(decimal_format="string").encode
_as_msgpack: Final = msgspec.msgpack.Encoder(decimal_format="string", uuid_format="canonical").encode


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
    except CloseError as error:
        await close(websocket, error)
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
            raise CloseError(code, error.detail[:100]) from error
        try:
            await self._say("authorization", {"status": "authorized", "action": "authenticate"})
            await until_one_ends(
                self._read(), self._tell(listener), self._watch(listener), self._prove_again(credentials)
            )
        finally:
            await self._updates.detach(listener)

    async def _authenticated(self) -> tuple[_Credentials, Caller]:
        try:
            async with asyncio.timeout(AUTHENTICATE_S_MAX):
                message = await self._receive()
        except TimeoutError as error:
            raise CloseError(CLOSE_POLICY, "auth timeout") from error
        try:
            credentials = _credentials_of(message)
            return credentials, await credentials.prove(self._gate, self._address)
        except AlphintraError as error:
            if error.kind not in {Kind.UNAUTHENTICATED, Kind.FORBIDDEN}:
                raise CloseError(CLOSE_LATER, "credentials cannot be checked at the moment") from error
            await self._say("authorization", {"status": "unauthorized", "action": "authenticate"})
            raise CloseError(CLOSE_POLICY, "unauthorized") from error

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
            raise CloseError(CLOSE_POLICY, "slow client")
        raise CloseError(CLOSE_RESTART, "updates may have been missed: connect again and read your orders")

    async def _prove_again(self, credentials: _Credentials) -> None:
        while True:
            await asyncio.sleep(PROVE_AGAIN_S)
            try:
                await credentials.prove(self._gate, self._address)
            except AlphintraError as error:
                if error.kind in {Kind.UNAUTHENTICATED, Kind.FORBIDDEN}:
                    raise CloseError(CLOSE_POLICY, "unauthorized") from error

    async def _say(self, name: str, data: object) -> None:
        await sending(self._websocket.send_bytes(self._encode({"stream": name, "data": data})))

    async def _receive(self) -> Mapping[str, Any]:
        body = await received(self._websocket, bytes_max=MESSAGE_BYTES_MAX)
        try:
            message = _unpacked(body) if self._encode is _as_msgpack else msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise CloseError(CLOSE_POLICY, "invalid syntax") from error
        if not isinstance(message, dict):
            raise CloseError(CLOSE_POLICY, "invalid syntax")
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
