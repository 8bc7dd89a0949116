"""Hashing keeps its bounds and does the same work for everybody."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from threading import Lock
from time import sleep

import pytest

from alphintra.auth.service.passwords import PasswordHasher
from alphintra.kernel.errors import AlphintraError, Kind

PASSWORD = "a quiet harbour at dawn"


class CountingHasher(PasswordHasher):
    """Counts how many hashes are worked on at once."""

    def __init__(self) -> None:
        super().__init__(memory_cost_kib=8)
        self._lock = Lock()
        self.running = self.most = self.done = 0

    def _is_match(self, password: str, password_hash: str) -> bool:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        for _ in range(2):
            sleep(0.005)  # lets a third hash start, if one may
        with self._lock:
            self.running -= 1
            self.done += 1
        return super()._is_match(password, password_hash)


async def test_a_password_matches_its_own_hash_alone() -> None:
    hasher = PasswordHasher(memory_cost_kib=8)
    hashed = await hasher.hash(PASSWORD)
    assert await hasher.verify(PASSWORD, hashed)
    assert not await hasher.verify(PASSWORD + " ", hashed)
    assert not await hasher.verify(PASSWORD, None)
    assert hashed != await hasher.hash(PASSWORD)


async def test_exact_bytes_count() -> None:
    hasher = PasswordHasher(memory_cost_kib=8)
    composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
    assert not await hasher.verify(decomposed, await hasher.hash(composed))
    assert not await hasher.verify("before\0after", await hasher.hash("before\0other"))


async def test_the_parameters_in_use_are_those_of_the_standard() -> None:
    assert (await PasswordHasher().hash(PASSWORD)).startswith("$argon2id$v=19$m=47104,t=1,p=1$")


async def test_a_hash_under_other_parameters_is_outdated() -> None:
    old = await PasswordHasher(memory_cost_kib=8).hash(PASSWORD)
    assert PasswordHasher(memory_cost_kib=16).is_outdated(old)
    assert PasswordHasher(memory_cost_kib=8, time_cost=2).is_outdated(old)
    assert not PasswordHasher(memory_cost_kib=8).is_outdated(old)


async def test_two_at_a_time_are_hashed_also_when_callers_give_up() -> None:
    hasher = CountingHasher()
    hashed = await hasher.hash(PASSWORD)
    tasks = [asyncio.ensure_future(hasher.verify(PASSWORD, hashed)) for _ in range(8)]
    while hasher.running < 2:  # noqa: ASYNC110 - threads count, no event tells
        await asyncio.sleep(0.001)
    for task in tasks[:2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[2:] == [True] * 6
    assert hasher.most == 2


async def test_the_queue_is_bounded_and_frees_its_places() -> None:
    hasher = PasswordHasher(memory_cost_kib=8, waiting_max=1)
    with ExitStack() as places:
        for _ in range(3):
            places.enter_context(hasher.admitted())
        with pytest.raises(AlphintraError) as caught, hasher.admitted():
            pytest.fail("a fourth was admitted")
        assert (caught.value.code, caught.value.kind) == ("AUTH_BUSY", Kind.UNAVAILABLE)
    with hasher.admitted():
        assert await hasher.verify(PASSWORD, await hasher.hash(PASSWORD))


async def test_a_place_is_freed_when_the_work_fails() -> None:
    hasher = PasswordHasher(memory_cost_kib=8, waiting_max=-1)
    for _ in range(3):
        with pytest.raises(LookupError), hasher.admitted():
            raise LookupError
    with hasher.admitted(), pytest.raises(AlphintraError, match="AUTH_BUSY"), hasher.admitted():
        pytest.fail("a second was admitted")
