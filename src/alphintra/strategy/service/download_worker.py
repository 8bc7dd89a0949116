"""The worker of downloads: beside the others, since it mostly waits for a source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.strategy.service.downloads import LEASE, run_download
from alphintra.strategy.service.jobs import Waker, work

if TYPE_CHECKING:
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.strategy.gateways.bar_sources import Sources
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.repository import Desk

__all__ = ["DownloadWorker"]


class DownloadWorker:
    """Carries out downloads, oldest first, one at a time."""

    def __init__(self, *, desk: Desk, catalogue: Catalogue, sources: Sources, clock: Clock, ids: IdSource) -> None:
        self._desk = desk
        self._catalogue = catalogue
        self._sources = sources
        self._clock = clock
        self._ids = ids
        self._waker = Waker()
        self.wake = self._waker.wake

    async def run(self) -> None:
        """Work until cancelled."""
        await work(self.do_next, self._waker, waiting="downloads.waiting")

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
