"""The worker of sweeps: beside the one of imports and backtests, so that neither waits for the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.strategy.service.jobs import LEASE, Waker, work
from alphintra.strategy.service.sweep_runs import run_sweep

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.trial_runs import TrialRunner
    from alphintra.strategy.repository import Desk

__all__ = ["SweepWorker"]


class SweepWorker:
    """Carries out sweeps and walk-forwards, oldest first, one at a time."""

    def __init__(
        self, *, desk: Desk, catalogue: Catalogue, runner: TrialRunner, host: Host, clock: Clock, ids: IdSource
    ) -> None:
        self._desk = desk
        self._catalogue = catalogue
        self._runner = runner
        self._host = host
        self._clock = clock
        self._ids = ids
        self._waker = Waker()
        self.wake = self._waker.wake

    async def run(self) -> None:
        """Work until cancelled."""
        await work(self.do_next, self._waker, waiting="sweeps.waiting")

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
                host=self._host,
                clock=self._clock,
                ids=self._ids,
            )
        return row is not None
