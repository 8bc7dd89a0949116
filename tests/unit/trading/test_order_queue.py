"""Whom the order queue waits for: those who were answered together, for a moment; never for a lone order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio

from alphintra.trading import endpoints
from alphintra.trading.endpoints import OrderQueue
from alphintra.trading.service import submission
from fixtures.single_service import NOON

LONG_S = 3600.0


class Desk:
    """A queue whose batches are noted instead of stored."""

    def __init__(self) -> None:
        clock = SimpleNamespace(now=lambda: NOON)
        self.queue = OrderQueue(books=cast("Any", None), risk=cast("Any", None), clock=clock, ids=cast("Any", None))
        self.batches: list[int] = []
        self._names = 0

    async def write(self, batch: Sequence[Any], **_means: object) -> list[Any]:
        """Note a batch and answer it."""
        await asyncio.sleep(0)
        self.batches.append(len(batch))
        return list(batch)

    def place(self, count: int) -> list[asyncio.Task[Any]]:
        """Begin to place orders at one time."""
        self._names += count
        names = range(self._names - count, self._names)
        items = [SimpleNamespace(keys=((number, "c"),)) for number in names]
        return [asyncio.create_task(self.queue.submit(cast("Any", item))) for item in items]


@pytest_asyncio.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    made = Desk()
    monkeypatch.setattr(submission, "submit_orders", made.write)
    monkeypatch.setattr(endpoints, "GATHER_S", LONG_S)
    task = asyncio.create_task(made.queue.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def answered(tasks: list[asyncio.Task[Any]]) -> None:
    async with asyncio.timeout(30):
        await asyncio.gather(*tasks)


async def test_lone_orders_wait_for_nobody(desk: Desk) -> None:
    for _order in range(3):
        await answered(desk.place(1))
    assert desk.batches == [1, 1, 1]


async def test_orders_answered_together_are_awaited_together(desk: Desk) -> None:
    await answered(desk.place(4))
    early = desk.place(3)
    for _turn in range(50):
        await asyncio.sleep(0)
    assert desk.batches == [4]
    await answered([*early, *desk.place(1)])
    assert desk.batches == [4, 4]


async def test_who_waited_in_the_queue_meanwhile_counts_with_those_just_answered(desk: Desk) -> None:
    first = desk.place(3)
    await asyncio.sleep(0)  # they are queued
    await asyncio.sleep(0)  # and being written
    second = desk.place(2)
    await answered(first)
    for _turn in range(50):
        await asyncio.sleep(0)
    assert desk.batches == [3]
    await answered([*second, *desk.place(3)])
    assert desk.batches == [3, 5]


async def test_no_more_than_a_good_batch_is_awaited(desk: Desk) -> None:
    await answered(desk.place(40))
    await answered(desk.place(endpoints.GATHERED_MAX))
    assert desk.batches == [40, endpoints.GATHERED_MAX]


async def test_whoever_does_not_come_back_holds_up_the_others_for_a_moment_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(desk.place(4))
    monkeypatch.setattr(endpoints, "GATHER_S", 0.01)
    await answered(desk.place(1))
    await answered(desk.place(1))
    assert desk.batches == [4, 1, 1]
