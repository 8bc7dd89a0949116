"""What is said between the service and the process an algorithm runs in: frames of JSON, a question and its answer."""

from __future__ import annotations

import socket
import struct
from typing import Any, Final

import msgspec

from alphintra.engine.algorithms import Answer, Moment
from alphintra.engine.graph.wire import ParamValue

__all__ = [
    "FRAME_BYTES_MAX",
    "STATE_BYTES_MAX",
    "Answered",
    "Begin",
    "Begun",
    "Described",
    "Failed",
    "GetState",
    "OnBar",
    "Question",
    "Reply",
    "Restore",
    "StateIs",
    "receive",
    "send",
]

STATE_BYTES_MAX: Final = 262_144
FRAME_BYTES_MAX: Final = 4 * STATE_BYTES_MAX
_LENGTH: Final = struct.Struct(">I")


class Begin(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Load an algorithm, if its package is what is told; ``is_described`` asks for its parameters alone.

    ``cpu_s`` and ``wall_s`` are how long it may take for each bar from then on, computing and on the clock.
    """

    algorithm: str
    package: str
    release: str
    content_hash: str
    params: dict[str, ParamValue]
    warm_up: int
    search: tuple[str, ...]
    is_described: bool = False
    cpu_s: float = 5.0
    wall_s: float = 30.0


class OnBar(msgspec.Struct, frozen=True, tag=True):
    """Show a bar."""

    moment: Moment


class GetState(msgspec.Struct, frozen=True, tag=True):
    """Tell the state."""


class Restore(msgspec.Struct, frozen=True, tag=True):
    """Go on from a state."""

    state: str


class Begun(msgspec.Struct, frozen=True, tag=True):
    """It is loaded."""


class Described(msgspec.Struct, frozen=True, tag=True):
    """What it says of itself: parameters as the catalogue of nodes tells them, and bars to warm up by default."""

    summary: str
    parameters: list[dict[str, Any]]
    warm_up: int


class Answered(msgspec.Struct, frozen=True, tag=True):
    """What it made of a bar."""

    answer: Answer


class StateIs(msgspec.Struct, frozen=True, tag=True):
    """Its state as JSON."""

    state: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It could not."""

    code: str
    detail: str


Question = Begin | OnBar | GetState | Restore
Reply = Begun | Described | Answered | StateIs | Failed
_encode = msgspec.json.Encoder(decimal_format="string").encode


def send(channel: socket.socket, message: Question | Reply) -> None:
    """Write a frame."""
    raw = _encode(message)
    channel.sendall(_LENGTH.pack(len(raw)) + raw)


def receive(channel: socket.socket, held: bytearray) -> bytes | None:
    """Read a frame; ``held`` keeps what was read of one when a wait was over. None at the end, or for one too long.

    Raises TimeoutError where the channel has a time limit.
    """
    while True:
        if len(held) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(held)
            if length > FRAME_BYTES_MAX:
                return None
            if len(held) >= _LENGTH.size + length:
                raw = bytes(held[_LENGTH.size : _LENGTH.size + length])
                del held[: _LENGTH.size + length]
                return raw
        chunk = channel.recv(65_536)
        if not chunk:
            return None
        held += chunk
