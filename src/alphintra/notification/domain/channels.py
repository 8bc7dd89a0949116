"""Channels of people, and what becomes of what is sent by them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import UserId

__all__ = [
    "CHANNELS_MAX",
    "CODE_LIFE",
    "CODE_TRIES",
    "FAILURES_MAX",
    "GIVE_UP_AFTER",
    "Channel",
    "ChannelKind",
    "ChannelStatus",
    "Failure",
    "Purpose",
    "Sending",
    "SendingState",
    "next_attempt",
    "require_name",
]

CHANNELS_MAX: Final = 10
NAME_MAX: Final = 64
FAILURES_MAX: Final = 3  # messages given up in a row, after which a channel rests
GIVE_UP_AFTER: Final = timedelta(hours=24)
CODE_LIFE: Final = timedelta(hours=1)
CODE_TRIES: Final = 5
_RETRY_FIRST: Final = timedelta(seconds=15)
_RETRY_MAX: Final = timedelta(hours=1)
_DOUBLINGS_MAX: Final = 10


class ChannelKind(StrEnum):
    """What a channel is."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class ChannelStatus(StrEnum):
    """Where a channel is in its life; only an active one is sent messages by."""

    UNCONFIRMED = "unconfirmed"  # its e-mail address is not known to be the person's
    ACTIVE = "active"
    RESTING = "resting"  # it failed too often; a test that arrives wakes it
    REMOVED = "removed"


class Purpose(StrEnum):
    """What is sent."""

    MESSAGE = "message"
    TEST = "test"
    CODE = "code"


class SendingState(StrEnum):
    """What became of a sending."""

    DUE = "due"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    WITHDRAWN = "withdrawn"  # its channel was removed before


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way to a person beside their inbox.

    Attributes:
        channel_id: which.
        user_id: whose.
        kind: what it is.
        name: as its person calls it.
        address: e-mail address or URL; empty once it is removed.
        status: where it is in its life.
        secret_version: of the newest secret: a webhook's key, or the code an e-mail address is confirmed by.
        failures: messages given up in a row.
        tries: wrong codes entered since the newest was made.
        created_at: when it was added.
        changed_at: when its status or its secret changed.
        rules: least severity by topic, of those that were set.
    """

    channel_id: UUID
    user_id: UserId
    kind: ChannelKind
    name: str
    address: str
    status: ChannelStatus
    secret_version: int
    failures: int
    tries: int
    created_at: datetime
    changed_at: datetime
    rules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One thing to be sent by one channel; ``sending_id`` is the same at every attempt."""

    sending_id: UUID
    channel_id: UUID
    user_id: UserId
    purpose: Purpose
    message_id: UUID | None
    severity: str
    title: str
    state: SendingState
    attempts: int
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt did not succeed; what is final is not tried again."""

    code: str
    detail: str
    is_final: bool = False


def next_attempt(
    failure: Failure, *, attempts: int, tried_at: datetime, at: datetime, chance: float
) -> datetime | None:
    """Return when to try again, None to give up.

    Args:
        failure: of the attempt just made.
        attempts: how many there were, with it.
        tried_at: when the first of them was made.
        at: now.
        chance: from 0 to 1: spreads the attempts of many, by a half to the whole of the wait.
    """
    if failure.is_final or at - tried_at >= GIVE_UP_AFTER:
        return None
    doublings = min(attempts - 1, _DOUBLINGS_MAX)
    wait = min(_RETRY_FIRST * (1 << doublings), _RETRY_MAX)
    return at + wait * (0.5 + chance / 2)


def require_name(text: str) -> str:
    """Return the name of a channel. Raises FIELD_LENGTH or FIELD_CHARS."""
    name = text.strip()
    if not 0 < len(name) <= NAME_MAX:
        raise AlphintraError("FIELD_LENGTH", f"a name has 1 to {NAME_MAX} characters", pointer="/name")
    if any(unicodedata.category(each).startswith(("C", "Zl", "Zp")) for each in name):
        raise AlphintraError("FIELD_CHARS", "the name holds control or invisible characters", pointer="/name")
    return name
