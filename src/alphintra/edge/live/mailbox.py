"""What waits for one listener: everything in order, but of quotes only the newest."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime
from typing import Final

import msgspec

__all__ = ["EVENTS_MAX", "QUOTES_MAX", "Mailbox"]

EVENTS_MAX: Final = 4096
QUOTES_MAX: Final = 256

_encode = msgspec.json.Encoder().encode


class _Frame(msgspec.Struct, frozen=True):
    ch: str
    seq: int
    ts: datetime
    data: msgspec.Raw


class Mailbox:
    """Frames on their way to one listener; each channel counts its own, dropped ones included."""

    def __init__(self) -> None:
        self.is_full = asyncio.Event()
        self._counts: dict[str, int] = {}
        self._events: deque[_Frame] = deque()
        self._quotes: deque[_Frame] = deque(maxlen=QUOTES_MAX)
        self._filled = asyncio.Event()

    def count(self, channel: str) -> int:
        """Return the number of the last frame of a channel; 0 before the first."""
        return self._counts.get(channel, 0)

    def put(self, channel: str, data: msgspec.Raw, *, at: datetime) -> None:
        """Let an event wait; who lets too many wait is to be cut off, for none of them may be lost in silence."""
        if len(self._events) >= EVENTS_MAX:
            self.is_full.set()
            return
        self._events.append(self._frame(channel, data, at))
        self._filled.set()

    def put_quote(self, channel: str, data: msgspec.Raw, *, at: datetime) -> None:
        """Let a price wait; the oldest price gives way."""
        self._quotes.append(self._frame(channel, data, at))
        self._filled.set()

    def skip(self, channel: str) -> None:
        """Count a frame that never comes, so that the listener sees a gap."""
        self._counts[channel] = self.count(channel) + 1

    def forget(self, channel: str) -> None:
        """Drop what waits of a channel that is not listened to any more."""
        self._events = deque(frame for frame in self._events if frame.ch != channel)
        kept = [frame for frame in self._quotes if frame.ch != channel]
        self._quotes = deque(kept, maxlen=QUOTES_MAX)

    async def next(self) -> str:
        """Return the next frame, events before prices; waits for one."""
        while True:
            if self._events:
                return _encode(self._events.popleft()).decode()
            if self._quotes:
                return _encode(self._quotes.popleft()).decode()
            self._filled.clear()
            await self._filled.wait()

    def _frame(self, channel: str, data: msgspec.Raw, at: datetime) -> _Frame:
        self.skip(channel)
        return _Frame(ch=channel, seq=self.count(channel), ts=at, data=data)
