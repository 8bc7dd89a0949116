"""Carrying out jobs: the work in a thread, the lease kept beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["LEASE", "Progress", "carry_out"]

T = TypeVar("T")
LEASE = timedelta(seconds=30)
HEARTBEAT_S = 0.5


@dataclass(slots=True)
class Progress:
    """What the thread of a job and the worker that watches it tell each other."""

    share: float = 0.0
    is_stop_asked: bool = False

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
