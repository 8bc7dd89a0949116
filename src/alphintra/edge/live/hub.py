"""Hands what is told to those who listen; nothing is heard from the bus while nobody does."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import msgspec

from alphintra.contracts.auth import SessionRevoked
from alphintra.edge.guards import Gate
from alphintra.edge.live.channels import EVENT_CHANNELS, Ears, told
from alphintra.edge.live.mailbox import Mailbox
from alphintra.infrastructure.event_tap import EventTap
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Event

__all__ = ["Hub", "Listener"]

LISTENERS_MAX: Final = 512
LISTENERS_OF_PERSON_MAX: Final = 32
_MISSED: Final = msgspec.Raw(b'{"event":"missed"}')


class Listener:
    """One open stream: whose it is, what it asked for, what waits for it."""

    def __init__(self, ears: Ears, *, actor_id: str, session_id: UUID | None) -> None:
        self.ears = ears
        self.actor_id = actor_id
        self.session_id = session_id
        self.channels: set[str] = set()
        self.mailbox = Mailbox()
        self.is_ended = asyncio.Event()


class Hub:
    """Whoever listens at this gateway.

    Args:
        gate: told of sessions that end elsewhere.
        tap: where events are heard; without it nobody can listen.
    """

    def __init__(self, gate: Gate, tap: EventTap | None) -> None:
        self._gate = gate
        self._tap = tap
        self._listeners: set[Listener] = set()

    async def attach(self, listener: Listener) -> None:
        """Begin to listen; every event told from now on comes. Raises STREAM_UNAVAILABLE, STREAM_LIMIT or BUS_*."""
        if self._tap is None:
            message = "events cannot be heard here: try another edge"
            raise AlphintraError("STREAM_UNAVAILABLE", message, kind=Kind.UNAVAILABLE)
        of_person = sum(one.actor_id == listener.actor_id for one in self._listeners)
        if len(self._listeners) >= LISTENERS_MAX or of_person >= LISTENERS_OF_PERSON_MAX:
            raise AlphintraError("STREAM_LIMIT", "too many streams are open: close a tab", kind=Kind.LIMITED)
        self._listeners.add(listener)
        try:
            await self._tap.open(self._hand_out, self._tell_gap)
        except AlphintraError:
            await self.detach(listener)
            raise

    async def detach(self, listener: Listener) -> None:
        """Stop listening."""
        self._listeners.discard(listener)
        if not self._listeners and self._tap is not None:
            await self._tap.close()

    def _hand_out(self, event: Event, _event_id: UUID) -> None:
        if isinstance(event, SessionRevoked):
            self._end(event.session_id)
        at = self._gate.clock.now()
        for listener in self._listeners:
            listener.ears.note(event)
        for one in told(event):
            for listener in self._listeners:
                if one.channel in listener.channels and listener.ears.may_hear(one):
                    listener.mailbox.put(one.channel, one.data, at=at)

    def _end(self, session_id: UUID) -> None:
        """Refuse a session that ended, here or at another gateway, and close what it listens by."""
        self._gate.end_session(session_id)
        for listener in self._listeners:
            if listener.session_id == session_id:
                listener.is_ended.set()

    def _tell_gap(self) -> None:
        """Events may have been missed: everybody sees a gap in every channel of events, and reads anew."""
        at = self._gate.clock.now()
        for listener in self._listeners:
            for channel in listener.channels & EVENT_CHANNELS:
                listener.mailbox.skip(channel)
                listener.mailbox.put(channel, _MISSED, at=at)
