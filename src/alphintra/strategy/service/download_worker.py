"""The worker of downloads: beside the others, since it mostly waits for a source."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.service.downloads import LEASE, run_download

if TYPE_CHECKING:
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.strategy.gateways.bar_sources import Sources
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.repository import Desk

__all__ = ["DownloadWorker"]

IDLE_S: Final = 5.0


class DownloadWorker:
    """Carries out downloads, oldest first, one at a time."""

    def __init__(self, *, desk: Desk, catalogue: Catalogue, sources: Sources, clock: Clock, ids: IdSource) -> None:
        self._desk = desk
        self._catalogue = catalogue
        self._sources = sources
        self._clock = clock
        self._ids = ids
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._woken.clear()
            try:
                if await self.do_next():
                    continue
            except AlphintraError as error:  # the database is away: a download goes on when its lease is over
                get_logger().warning("downloads.waiting", reason=str(error))
            with suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it swallows a cancellation that meets a wake, and the stop hangs.
                async with asyncio.timeout(IDLE_S):
                    await self._woken.wait()

    async def do_next(self) -> bool:
        """Carry out the oldest download; False if none waits."""
        now = self._clock.now()
        async with self._desk.transaction() as tx:
            row = await tx.session.row("downloads.lease", now, now + LEASE)
        if row is not None:
            await run_download(
                row,
                desk=self._desk,
                catalogue=self._catalogue,
                sources=self._sources,
                clock=self._clock,
                ids=self._ids,
            )
        return row is not None
