"""The worker of sweeps: beside the one of imports and backtests, so that neither waits for the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.service.jobs import LEASE
from alphintra.strategy.service.sweep_runs import run_sweep

if TYPE_CHECKING:
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.trial_runs import TrialRunner
    from alphintra.strategy.repository import Desk

__all__ = ["SweepWorker"]

IDLE_S: Final = 5.0


class SweepWorker:
    """Carries out sweeps and walk-forwards, oldest first, one at a time."""

    def __init__(self, *, desk: Desk, catalogue: Catalogue, runner: TrialRunner, clock: Clock, ids: IdSource) -> None:
        self._desk = desk
        self._catalogue = catalogue
        self._runner = runner
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
            except AlphintraError as error:  # the database is away: a sweep goes on when its lease is over
                get_logger().warning("sweeps.waiting", reason=str(error))
            try:
                await asyncio.wait_for(self._woken.wait(), IDLE_S)
            except TimeoutError:
                continue

    async def do_next(self) -> bool:
        """Carry out the oldest sweep; False if nothing waits."""
        now = self._clock.now()
        async with self._desk.transaction() as tx:
            row = await tx.session.row("sweeps.lease", now, now + LEASE)
        if row is not None:
            await run_sweep(
                row,
                desk=self._desk,
                catalogue=self._catalogue,
                runner=self._runner,
                clock=self._clock,
                ids=self._ids,
            )
        return row is not None
