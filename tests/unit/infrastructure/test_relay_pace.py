"""How often a relay looks: at once for a lone event, at longer intervals while each look finds many."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from alphintra.infrastructure import events
from alphintra.infrastructure.events import OutboxRelay

if TYPE_CHECKING:
    import pytest

LONG_S = 3600.0


class Scripted(OutboxRelay):
    """Finds as many events at each look as the script says, and is woken while it publishes them."""

    def __init__(self, counts: list[int]) -> None:
        stream = type("Client", (), {"jetstream": lambda _self: None})()
        super().__init__(service="user", database=cast("Any", None), nats=cast("Any", stream))
        self.counts = counts
        self.looks = 0
        self.done = asyncio.Event()

    async def _publish_batch(self) -> int:
        self.looks += 1
        await asyncio.sleep(0)
        if self.looks < len(self.counts):
            self.wake()
        else:
            self.done.set()
        return self.counts[self.looks - 1] if self.looks <= len(self.counts) else 0


async def looks_of(counts: list[int], monkeypatch: pytest.MonkeyPatch) -> tuple[Scripted, asyncio.Task[None]]:
    """Run a relay whose pause would outlast the test."""
    monkeypatch.setattr(events, "RELAY_EVERY_S", LONG_S)
    relay = Scripted(counts)
    return relay, asyncio.create_task(relay.run())


async def test_a_look_that_finds_few_is_followed_by_the_next_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    relay, task = await looks_of([1, 3, 2, 1, 0], monkeypatch)
    async with asyncio.timeout(30):
        await relay.done.wait()
    assert relay.looks == len(relay.counts)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_look_that_finds_many_is_followed_by_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    relay, task = await looks_of([1, events.RELAY_MANY, 1], monkeypatch)
    for _turn in range(200):  # many times what the looks before took
        await asyncio.sleep(0)
    assert relay.looks == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_full_look_is_followed_by_the_next_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    relay, task = await looks_of([events.RELAY_BATCH, events.RELAY_BATCH, 1], monkeypatch)
    async with asyncio.timeout(30):
        await relay.done.wait()
    assert relay.looks == len(relay.counts)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
