"""The gate before a database: who is inside is waited for, who comes meanwhile waits, nobody waits for the dead."""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alphintra.infrastructure.gate import Gate, GateKeeper, keeper_lock_path, make_gate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def kept(path: Path) -> Iterator[None]:
    """Hold the lock of who keeps the gates of this folder."""
    descriptor = os.open(keeper_lock_path(path), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def opened(path: Path, epochs: list[int]) -> Gate:
    make_gate(path)

    async def look() -> None:
        epochs.append(len(epochs))

    return Gate(path, on_epoch=look)


async def test_who_is_inside_is_waited_for_and_who_comes_waits(tmp_path: Path) -> None:
    path, told = tmp_path / "trading", list[str]()
    gate, keeper = opened(path, []), GateKeeper(path)

    async def pass_through() -> None:
        async with gate.passing():
            told.append("passed")

    with kept(path):
        async with gate.passing():
            shutting = asyncio.create_task(keeper.shut(wait_s=30))
            await asyncio.sleep(0)
            coming = asyncio.create_task(pass_through())
            async with gate.passing():  # who is inside already is let in again, or nobody would ever leave
                told.append("inside")
            assert not shutting.done()
        assert await shutting
        assert told == ["inside"]
        keeper.open()
        await coming
    assert told == ["inside", "passed"]
    keeper.close()
    gate.close()


async def test_a_gate_that_cannot_be_emptied_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "risk"
    gate, keeper = opened(path, []), GateKeeper(path)
    with kept(path):
        async with gate.passing():
            assert not await keeper.shut(wait_s=0.01)
        async with gate.passing():
            pass
    keeper.close()
    gate.close()


async def test_a_new_epoch_is_told_once_before_the_next_who_passes(tmp_path: Path) -> None:
    path, epochs = tmp_path / "user", list[int]()
    gate, keeper = opened(path, epochs), GateKeeper(path)
    for _ in range(2):
        async with gate.passing():
            pass
    assert len(epochs) == 1  # what was known when the process began may be old already
    with kept(path):
        assert await keeper.shut(wait_s=30)
        keeper.open(is_elsewhere=True)
        for _ in range(2):
            async with gate.passing():
                assert len(epochs) == 2
        assert await keeper.shut(wait_s=30)
        keeper.open()
        async with gate.passing():
            assert len(epochs) == 2
    keeper.close()
    gate.close()


async def test_nobody_waits_for_a_mover_that_has_died(tmp_path: Path) -> None:
    path, epochs = tmp_path / "auth", list[int]()
    gate, keeper = opened(path, epochs), GateKeeper(path)
    with kept(path):
        assert await keeper.shut(wait_s=30)
    keeper.close()
    async with gate.passing():
        assert epochs == [0]
    gate.close()


async def test_a_task_started_inside_has_to_pass_by_itself_once_its_starter_has_left(tmp_path: Path) -> None:
    path = tmp_path / "broker"
    gate, keeper, may_go = opened(path, []), GateKeeper(path), asyncio.Event()

    async def later() -> str:
        await may_go.wait()
        async with gate.passing():
            return "passed"

    with kept(path):
        async with gate.passing():
            started = asyncio.create_task(later())
            await asyncio.sleep(0)
        assert await keeper.shut(wait_s=30)
        may_go.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not started.done()
        keeper.open()
        assert await started == "passed"
    keeper.close()
    gate.close()
