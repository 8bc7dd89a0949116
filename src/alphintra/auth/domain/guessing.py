"""Decisions about whoever guesses: when the next attempt is looked at, and how random secrets are kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alphintra.kernel.ids import UserId

__all__ = [
    "ATTEMPTS_FORGOTTEN_AFTER",
    "Attempts",
    "Throttled",
    "attempt_bucket",
    "code_bucket",
    "hash_secret",
    "next_attempt",
]

ATTEMPTS_FREE: Final = 5
ATTEMPT_DELAY_MAX: Final = timedelta(minutes=15)
ATTEMPTS_FORGOTTEN_AFTER: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Log-ins tried from one address on one account since the last that succeeded."""

    count: int
    last_at: datetime
    blocked_until: datetime


@dataclass(frozen=True, slots=True)
class Throttled:
    """An attempt that is not even looked at."""

    retry_after: timedelta


def attempt_bucket(email: str, address: str) -> bytes:
    """Return the 32-byte key under which attempts are counted; neither part can be read from it."""
    return hashlib.sha256(f"{email}\0{address}".encode("utf-8", "replace")).digest()


def code_bucket(user_id: UserId) -> bytes:
    """Return the key under which attempts with codes and passwords of somebody known are counted, from everywhere."""
    return hashlib.sha256(user_id.bytes).digest()


def next_attempt(previous: Attempts | None, *, at: datetime) -> Attempts | Throttled:
    """Count one more attempt, or refuse it because the last one is too close.

    The first five are free; from then on each one doubles the wait, from 1 s to at most 15 min. An attempt that is
    refused is not counted, so the wait never grows by itself and an account is never locked for good.
    """
    if previous is None or at - previous.last_at > ATTEMPTS_FORGOTTEN_AFTER:
        return Attempts(count=1, last_at=at, blocked_until=at)
    if at < previous.blocked_until:
        return Throttled(previous.blocked_until - at)
    count = previous.count + 1
    doublings = min(count - ATTEMPTS_FREE, 10)  # 2^10 s is past the upper bound
    delay = timedelta(0) if doublings < 0 else min(timedelta(seconds=2**doublings), ATTEMPT_DELAY_MAX)
    return Attempts(count=count, last_at=at, blocked_until=at + delay)


def hash_secret(secret: bytes) -> bytes:
    """Return SHA-256 of a secret of at least 160 random bits; a password goes through argon2id instead."""
    return hashlib.sha256(secret).digest()
