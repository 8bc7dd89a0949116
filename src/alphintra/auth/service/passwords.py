"""Argon2id away from the event loop: two at a time, a bounded queue behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

import argon2
from argon2.exceptions import VerifyMismatchError

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["PasswordHasher"]

T = TypeVar("T")

# OWASP ASVS 5.0.0, 11.4.2: argon2id with one pass over 46 MiB and one lane.
TIME_COST: Final = 1
MEMORY_COST_KIB: Final = 46 * 1024
PARALLELISM: Final = 1
HASHES_AT_ONCE: Final = 2
WAITING_MAX: Final = 32  # at 25 to 60 ms each, the last in the queue is answered well within the bus's 5 s


class PasswordHasher:
    """Hashes and verifies passwords; memory stays bounded at two hashes' worth whatever is asked."""

    def __init__(
        self,
        *,
        time_cost: int = TIME_COST,
        memory_cost_kib: int = MEMORY_COST_KIB,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=time_cost, memory_cost=memory_cost_kib, parallelism=PARALLELISM, type=argon2.Type.ID
        )
        # The threads are the semaphore: a caller who gave up does not let a third hash begin beside his own.
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="argon2")
        self._places = HASHES_AT_ONCE + waiting_max
        self._admitted = 0

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Take a place in the queue for as long as the block runs. Raises AUTH_BUSY if there is none."""
        if self._admitted >= self._places:
            message = "too many passwords are being checked: try again in a few seconds"
            raise AlphintraError("AUTH_BUSY", message, kind=Kind.UNAVAILABLE)
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    async def hash(self, password: str) -> str:
        """Return the PHC string of a new hash; call within ``admitted``."""
        return await self._in_thread(lambda: self._argon2.hash(password))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Tell whether the password is the hashed one; without a hash the same work is done, and the answer is no."""
        if password_hash is None:
            await self.hash(password)
            return False
        return await self._in_thread(lambda: self._is_match(password, password_hash))

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(password_hash)

    def _is_match(self, password: str, password_hash: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except VerifyMismatchError:
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
