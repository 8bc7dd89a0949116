"""Counting whoever guesses."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Final

from alphintra.auth import domain
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.auth.service.resources import Resources

__all__ = ["count_attempt", "printable"]

_ADDRESS_LENGTH_MAX: Final = 64


async def count_attempt(bucket: bytes, *, resources: Resources, at: datetime) -> None:
    """Count an attempt before it is looked at: many at once are not looked at together. Raises AUTH_THROTTLED."""
    async with resources.credentials.transaction() as tx:
        outcome = domain.next_attempt(await tx.lock_attempts(bucket, at=at), at=at)
        if isinstance(outcome, domain.Throttled):
            seconds = math.ceil(outcome.retry_after.total_seconds())
            message = f"too many attempts were made: try again in {seconds} s"
            raise AlphintraError("AUTH_THROTTLED", message, kind=Kind.LIMITED)
        await tx.save_attempts(bucket, outcome)
        await tx.forget_attempts(before=at - domain.ATTEMPTS_FORGOTTEN_AFTER)


def printable(address: str) -> str:
    """Return what of a caller's address may be logged."""
    return "".join(character for character in address[:_ADDRESS_LENGTH_MAX] if character.isprintable())
