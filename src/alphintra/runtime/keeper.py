"""Keeps one process running: starts it, starts it again when it ends, stops it when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.children import Child
from alphintra.runtime.logfiles import LogFile
from alphintra.runtime.policy import Event, Exited, Finished, Ready, Started, Stopped, after_exit
from alphintra.runtime.units import Unit, launch

__all__ = ["Keeper"]

_NO_STATUS = 255  # reported for a start that failed before there was a process, or while it still ran


class Keeper:
    """The life of one unit under supervision.

    Args:
        unit: what to run.
        log: where its output goes.
        report: told of every change, in order.
        note: told of failed restarts, for the supervisor's own log.
    """

    def __init__(
        self,
        unit: Unit,
        log: LogFile,
        *,
        report: Callable[[Event], None],
        note: Callable[[str, str], None],
    ) -> None:
        self.unit = unit
        self._log = log
        self._report = report
        self._note = note
        self._child: Child | None = None
        self.keeping: asyncio.Task[None] | None = None
        self._started_at_s = 0.0

    async def start(self) -> None:
        """Start for the first time and return when ready; from then on it is kept running. Raises as `launch`."""
        self._report(Started(self.unit.name, None))
        await self._launch()
        if self.unit.is_one_shot:
            self._report(Finished(self.unit.name))
        else:
            self.keeping = asyncio.get_running_loop().create_task(self._keep(), name=f"keep {self.unit.name}")

    @property
    def is_resting(self) -> bool:
        """Whether it has done its work, and is not kept any more: see `RestartPolicy.rests_when_done`."""
        keeping = self.keeping
        return self.unit.restart.rests_when_done and keeping is not None and keeping.done() and not keeping.exception()

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stop it, whatever it is doing; ``hurry`` set at any time makes that immediate."""
        if self.keeping is not None:
            self.keeping.cancel()
            await asyncio.wait({self.keeping})
        child = self._child
        if child is not None and child.returncode is None:
            await child.stop(self.unit.stop_plan, hurry=hurry, hurry_plan=self.unit.hurry_plan)
        if child is not None and not self.unit.is_one_shot:
            self._report(Stopped(self.unit.name))

    async def _launch(self) -> None:
        self._started_at_s = asyncio.get_running_loop().time()
        await launch(self.unit, self._log, on_start=self._watch)
        if not self.unit.is_one_shot:
            self._report(Ready(self.unit.name))

    def _watch(self, child: Child) -> None:
        self._child = child
        self._report(Started(self.unit.name, child.pid))

    async def _keep(self) -> None:
        streak = 0
        is_up = True
        loop = asyncio.get_running_loop()
        while True:
            status = await self._child.wait() if is_up and self._child is not None else await self._clear_failed()
            if status == 0 and self.unit.restart.rests_when_done:
                self._report(Finished(self.unit.name))
                return
            decision = after_exit(self.unit.restart, streak=streak, ran_s=loop.time() - self._started_at_s)
            streak = decision.streak
            self._report(Exited(self.unit.name, status, decision.is_looping))
            await asyncio.sleep(decision.delay_s)
            try:
                await self._launch()
                is_up = True
            except (AlphintraError, OSError) as error:  # OSError: files or processes have run out, which may pass
                is_up = False
                self._note("restart.failed", str(error))

    async def _clear_failed(self) -> int:
        """End what a failed start left running (it was too slow), and return its status."""
        if self._child is None:
            return _NO_STATUS
        if self._child.returncode is None:
            await self._child.stop(self.unit.stop_plan, hurry_plan=self.unit.hurry_plan)
        return _NO_STATUS if self._child.returncode is None else self._child.returncode
