"""Carrying out jobs: one after the other, the work in a thread, the lease kept beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["IDLE_S", "LEASE", "Progress", "Waker", "carry_out", "work"]

T = TypeVar("T")
LEASE = timedelta(seconds=30)
HEARTBEAT_S = 0.5
IDLE_S = 5.0


@dataclass(slots=True)
class Progress:
    """What the thread of a job and the worker that watches it tell each other."""

    share: float = 0.0
    is_stop_asked: bool = False

    def told(self, done: int, total: int) -> None:
        """Note how much of the work is done."""
        self.share = done / total

    def should_stop(self) -> bool:
        """Tell whether the job is to end."""
        return self.is_stop_asked

    def check(self) -> None:
        """Raise RUN_STOPPED if the job is to end."""
        if self.is_stop_asked:
            raise AlphintraError("RUN_STOPPED", "the job was stopped", kind=Kind.CONFLICT)


async def carry_out(
    compute: Callable[[], T], progress: Progress, *, keep_lease: Callable[[], Awaitable[None]]
) -> T | AlphintraError:
    """Compute in a thread and keep the job's lease meanwhile; a failure of the computation is returned, not raised.

    Raises STORE_* where the lease could not be kept, and cancellation: the thread is stopped and waited for then, and
    the job is taken again once its lease is over.
    """
    work = asyncio.create_task(asyncio.to_thread(compute))
    try:
        while not (await asyncio.wait({work}, timeout=HEARTBEAT_S))[0]:
            await keep_lease()
    finally:
        if not work.done():
            progress.is_stop_asked = True
            await asyncio.wait({work})
        error = work.exception()
    if error is None:
        return work.result()
    if isinstance(error, AlphintraError):
        return error
    get_logger().error("job.failed", exc_info=error)
    return AlphintraError("INTERNAL", f"the job failed ({type(error).__name__}): see the log", kind=Kind.BUG)


class Waker:
    """Sleeps until woken, or for a while."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        """End the sleep."""
        self._event.set()

    async def sleep(self, seconds: float) -> None:
        """Return when woken or when the time is over."""
        with suppress(TimeoutError):
            # Not wait_for: before Python 3.12 it swallows a cancellation that meets a wake, and the stop hangs.
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()


async def work(do_next: Callable[[], Awaitable[bool]], waker: Waker, *, waiting: str) -> None:
    """Do one job after the other until cancelled, and look anew where none waits.

    While the database is away that is logged as ``waiting``: a job goes on when its lease is over.
    """
    while True:
        try:
            if await do_next():
                continue
        except AlphintraError as error:
            get_logger().warning(waiting, reason=str(error))
        await waker.sleep(IDLE_S)
