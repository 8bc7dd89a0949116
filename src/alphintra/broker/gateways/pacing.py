"""How often a venue is called: its rate limit, with a share kept for cancellations, and attempts that spread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

__all__ = ["Budget", "Chance", "Pace", "full_budget", "retry_in", "take"]

Chance = Callable[[], float]
RESERVED_SHARE = 0.25
_RETRY_FIRST_S = 0.25
_RETRY_MAX_S = 30.0
_DOUBLINGS_MAX = 10


@dataclass(frozen=True, slots=True)
class Budget:
    """How many calls a venue still takes now; a share of them is kept for cancellations.

    Attributes:
        size: calls that may be made at once.
        rate: calls that come back in a second.
        left: calls left at ``at``.
        at: monotonic seconds.
    """

    size: float
    rate: float
    left: float
    at: float


def full_budget(requests_per_minute: int, *, at: float) -> Budget:
    """Return an unused budget: a minute's calls, of which at most ten seconds' worth may be made at once."""
    size = max(requests_per_minute / 6, 4.0)
    return Budget(size, requests_per_minute / 60, size, at)


def take(budget: Budget, *, is_cancel: bool, at: float) -> tuple[Budget, float]:
    """Take one call out of a budget; returns the seconds to wait before it may be made."""
    left = min(budget.size, budget.left + max(at - budget.at, 0.0) * budget.rate)
    floor = 0.0 if is_cancel else budget.size * RESERVED_SHARE
    wait = max(0.0, (floor + 1 - left) / budget.rate)
    if wait > 0:
        return Budget(budget.size, budget.rate, left, max(at, budget.at)), wait
    return Budget(budget.size, budget.rate, left - 1, max(at, budget.at)), 0.0


def retry_in(failures: int, *, chance: float) -> float:
    """Return the seconds until the next attempt: doubling from a quarter to 30, times a half to one by ``chance``."""
    full = min(_RETRY_FIRST_S * 2.0 ** min(failures, _DOUBLINGS_MAX), _RETRY_MAX_S)
    return full * (0.5 + chance / 2)


class Pace:
    """The pace of one connection.

    Args:
        chance: draws a number from 0 to 1, which spreads the attempts of many.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._budget = full_budget(60, at=0.0)
        self._held_until = 0.0

    def begin(self, requests_per_minute: int) -> None:
        """Begin with an unused budget."""
        self._budget = full_budget(requests_per_minute, at=_now())

    def hold(self, pause: timedelta) -> None:
        """Leave the venue alone for a while; cancellations go on."""
        self._held_until = _now() + pause.total_seconds()

    def retry_in(self, failures: int) -> timedelta:
        """Return how long to wait after so many failures in a row."""
        return timedelta(seconds=retry_in(failures, chance=self._chance()))

    async def spend(self, *, is_cancel: bool = False) -> None:
        """Wait until one call may be made."""
        while True:
            if not is_cancel and self._held_until > _now():
                await asyncio.sleep(self._held_until - _now())
            self._budget, wait = take(self._budget, is_cancel=is_cancel, at=_now())
            if wait <= 0:
                return
            await asyncio.sleep(wait)


def _now() -> float:
    return asyncio.get_running_loop().time()
