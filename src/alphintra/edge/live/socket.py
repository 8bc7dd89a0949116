"""The WebSocket at ``/api/v1/stream``: who is signed in subscribes to channels and is told what happens on them.

A client whose gateway may have missed events sees a gap in the numbers of a channel; one that reads too slowly loses
old prices first and is cut off before it loses anything else. Either way it reads anew from the API what it shows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from alphintra.contracts.prices import ListPrices, PriceView
from alphintra.contracts.strategy import GetBacktest
from alphintra.contracts.sweeps import GetSweep
from alphintra.contracts.trading import ListAccounts
from alphintra.edge.guards import Caller, Gate
from alphintra.edge.live.channels import EVENT_CHANNELS, QUOTES, RUNS, Ears
from alphintra.edge.live.hub import Hub, Listener
from alphintra.edge.replies import encode_reply
from alphintra.edge.sockets import (
    CLOSE_LATER,
    CLOSE_POLICY,
    CloseError,
    close,
    received,
    sending,
    until_one_ends,
)
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["CLOSE_SESSION", "stream"]

CLOSE_SESSION: Final = 4401  # sign in, or go on with the session, and connect again
BEAT_S: Final = 2.0
PROVE_AGAIN_S: Final = 5.0
QUOTES_EVERY_S: Final = 0.25
RUNS_EVERY_S: Final = 0.5
MESSAGE_BYTES_MAX: Final = 16 * 1024
CHANNELS_MAX: Final = 100
RUNS_MAX: Final = 16
_DONE: Final = frozenset({"finished", "failed", "canceled"})


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What a client says."""

    op: Literal["subscribe", "unsubscribe"]
    channels: Annotated[list[Annotated[str, msgspec.Meta(max_length=80)]], msgspec.Meta(max_length=CHANNELS_MAX)]


class _Subscribed(msgspec.Struct, tag_field="op", tag="subscribed"):
    """The channels listened to now, each with the number of its last frame."""

    channels: dict[str, int]


class _Refused(msgspec.Struct, tag_field="op", tag="refused"):
    """Channels that there are not, or not for this listener."""

    code: str
    detail: str
    channel: str


class _Beat(msgspec.Struct, tag_field="op", tag="beat"):
    """That the stream lives."""

    ts: datetime


class _Progress(msgspec.Struct, frozen=True):
    run_id: UUID
    kind: str
    status: str
    progress: float


_decode = msgspec.json.Decoder(_Asked).decode
_encode = msgspec.json.Encoder().encode


async def stream(websocket: WebSocket) -> None:
    """Serve one client until it leaves, is cut off or its session ends."""
    gate: Gate = websocket.app.state.gate
    try:
        caller = await gate.admit_socket(websocket)
    except AlphintraError as error:
        get_logger().info("live.refused", code=error.code)
        await websocket.accept()  # a handshake that is refused tells a page nothing: this tells it why
        is_passing = error.kind in {Kind.LIMITED, Kind.UNAVAILABLE}
        await close(websocket, CloseError(CLOSE_LATER if is_passing else CLOSE_SESSION, error.code))
        return
    await websocket.accept()
    try:
        await _Conversation(websocket, gate, caller).run()
    except CloseError as error:
        await close(websocket, error)
    except WebSocketDisconnect:
        return


@dataclass(slots=True)
class _Seen:
    """What was told last of what is looked up, so that only changes are told."""

    prices: dict[tuple[UUID, str], PriceView]
    runs: dict[str, _Progress]


class _Conversation:
    """What one client says and is told."""

    def __init__(self, websocket: WebSocket, gate: Gate, caller: Caller) -> None:
        self._websocket = websocket
        self._gate = gate
        self._caller = caller
        self._hub: Hub = websocket.app.state.hub
        self._seen = _Seen({}, {})
        self._turn = asyncio.Lock()  # frames and answers do not mix

    async def run(self) -> None:
        """Listen until one side ends it."""
        try:
            listener = await self._attached()
        except AlphintraError as error:
            code = CLOSE_LATER if error.kind in {Kind.LIMITED, Kind.UNAVAILABLE} else CLOSE_POLICY
            raise CloseError(code, error.code) from error
        try:
            await until_one_ends(
                self._read(listener),
                self._tell(listener),
                self._beat(),
                self._watch(listener),
                self._prove_again(),
                self._look_at_prices(listener),
                self._look_at_runs(listener),
            )
        finally:
            await self._hub.detach(listener)

    async def _attached(self) -> Listener:
        actor = self._caller.context.actor
        ears = Ears(actor)
        listener = Listener(ears, actor_id=actor.id, session_id=self._caller.session_id)
        await self._hub.attach(listener)
        if actor.user_id is not None:  # after that, so that no account is opened unheard in between
            try:
                ears.own(one.account_id for one in (await self._caller.ask(ListAccounts())).accounts)
            except AlphintraError:
                await self._hub.detach(listener)
                raise
        return listener

    async def _read(self, listener: Listener) -> None:
        while True:
            body = await received(self._websocket, bytes_max=MESSAGE_BYTES_MAX)
            try:
                asked = _decode(body)
            except (msgspec.DecodeError, RecursionError, ValueError) as error:
                raise CloseError(CLOSE_POLICY, "invalid syntax") from error
            if asked.op == "unsubscribe":
                for channel in asked.channels:
                    listener.channels.discard(channel)
                    listener.mailbox.forget(channel)
                    self._forget(channel)
                continue
            taken = {channel: listener.mailbox.count(channel) for channel in asked.channels if _is_channel(channel)}
            if len(listener.channels | taken.keys()) > CHANNELS_MAX or _runs(listener.channels | taken.keys()):
                await self._say(_Refused("STREAM_LIMIT", "too many channels: leave some first", ""))
                continue
            async with self._turn:  # no frame of a channel goes ahead of the word that it is listened to
                listener.channels |= taken.keys()
                await sending(self._websocket.send_text(_encode(_Subscribed(taken)).decode()))
            for channel in asked.channels:
                if channel not in taken:
                    await self._say(_Refused("CHANNEL_UNKNOWN", "there is no such channel", channel))

    async def _tell(self, listener: Listener) -> None:
        while True:
            frame = await listener.mailbox.next()
            async with self._turn:
                await sending(self._websocket.send_text(frame))

    async def _beat(self) -> None:
        while True:
            await self._say(_Beat(self._gate.clock.now()))
            await asyncio.sleep(BEAT_S)

    async def _watch(self, listener: Listener) -> None:
        full = asyncio.create_task(listener.mailbox.is_full.wait())
        ended = asyncio.create_task(listener.is_ended.wait())
        try:
            await asyncio.wait((full, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            full.cancel()
            ended.cancel()
        if listener.is_ended.is_set():
            raise CloseError(CLOSE_SESSION, "SESSION_ENDED")
        raise CloseError(CLOSE_LATER, "slow client")

    async def _prove_again(self) -> None:
        while True:
            await asyncio.sleep(PROVE_AGAIN_S)
            try:
                self._caller = await self._gate.admit_socket(self._websocket, is_again=True)
            except AlphintraError as error:
                if error.kind in {Kind.UNAUTHENTICATED, Kind.FORBIDDEN}:
                    raise CloseError(CLOSE_SESSION, error.code) from error

    async def _look_at_prices(self, listener: Listener) -> None:
        """Tell each new price of the symbols listened to: they are kept by trading and no events."""
        while True:
            await asyncio.sleep(QUOTES_EVERY_S)
            symbols = tuple(one.removeprefix(QUOTES) for one in listener.channels if one.startswith(QUOTES))
            if not symbols:
                continue
            try:
                found = (await self._caller.ask(ListPrices(symbols=symbols))).prices
            except AlphintraError:
                continue  # the next look tells
            for one in found:
                channel, key = f"{QUOTES}{one.symbol}", (one.feed_id, one.symbol)
                if channel in listener.channels and self._seen.prices.get(key) != one:
                    self._seen.prices[key] = one
                    data = msgspec.Raw(encode_reply(one))
                    listener.mailbox.put_quote(channel, data, at=self._gate.clock.now())

    async def _look_at_runs(self, listener: Listener) -> None:
        """Tell how far the runs listened to have come."""
        while True:
            await asyncio.sleep(RUNS_EVERY_S)
            for channel in sorted(one for one in listener.channels if one.startswith(RUNS)):
                before = self._seen.runs.get(channel)
                if before is not None and before.status in _DONE:
                    continue
                try:
                    now = await self._progress(UUID(channel.removeprefix(RUNS)))
                except AlphintraError as error:
                    if error.kind is Kind.NOT_FOUND:
                        listener.channels.discard(channel)
                        await self._say(_Refused(error.code, error.detail, channel))
                    continue
                if now != before and channel in listener.channels:
                    self._seen.runs[channel] = now
                    listener.mailbox.put(channel, msgspec.Raw(_encode(now)), at=self._gate.clock.now())

    async def _progress(self, run_id: UUID) -> _Progress:
        try:
            run = await self._caller.ask(GetBacktest(backtest_id=run_id))
        except AlphintraError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
            sweep = await self._caller.ask(GetSweep(sweep_id=run_id))
            return _Progress(run_id, "sweep", sweep.status, sweep.progress)
        return _Progress(run_id, "backtest", run.status, run.progress)

    def _forget(self, channel: str) -> None:
        self._seen.runs.pop(channel, None)
        symbol = channel.removeprefix(QUOTES)
        for key in [key for key in self._seen.prices if key[1] == symbol]:
            del self._seen.prices[key]

    async def _say(self, message: msgspec.Struct) -> None:
        async with self._turn:
            await sending(self._websocket.send_text(_encode(message).decode()))


def _runs(channels: set[str]) -> bool:
    return sum(one.startswith(RUNS) for one in channels) > RUNS_MAX


def _is_channel(channel: str) -> bool:
    if channel.startswith(QUOTES):
        return len(channel) > len(QUOTES)
    if channel.startswith(RUNS):
        try:
            UUID(channel.removeprefix(RUNS))
        except ValueError:
            return False
        return True
    return channel in EVENT_CHANNELS
