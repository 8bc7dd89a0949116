"""Runs one installation: servers first, then what the installation needs, then our processes; and ends it in order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any

from alphintra.kernel.clock import Clock
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.children import stop_strangers
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.keeper import Keeper
from alphintra.runtime.lock import supervisor_lock
from alphintra.runtime.logfiles import LogFile
from alphintra.runtime.policy import Event, Phase, PlatformState, Stopped, Stopping, Up, fold, state_to_json
from alphintra.runtime.proc import processes_marked
from alphintra.runtime.units import SUPERVISED_VARIABLE, ProcessSpec, ProcessUnit, Unit

__all__ = ["STATE_FILE", "More", "Prepare", "Supervisor", "stop_leftovers", "supervised_marker"]

Prepare = Callable[[], Awaitable[Sequence[ProcessSpec]]]
"""Called once when the servers are ready: provisions them, and returns the processes to run, with their credentials."""

More = Callable[[], Sequence[Unit]]
"""Called again and again: returns the servers and processes wanted now; those that do not run yet are started."""

STATE_FILE = "state.json"
_LOOK_FOR_MORE_S = 0.5
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LEFTOVER_PLAN = ((signal.SIGTERM, 5.0),)


class Supervisor:
    """Starts, watches and stops the processes of one home; one per home, held by a lock.

    While it runs, in the main thread, the first SIGTERM, SIGINT or SIGHUP stops in order, a second one at once.
    Should it be killed, the kernel tells every child at that moment, and the next start clears what is left.
    """

    def __init__(self, home: Home, *, clock: Clock, servers: Sequence[Unit] = ()) -> None:
        """Describe the installation; nothing is started.

        Args:
            home: the installation.
            clock: for the times in the state and the supervisor's log.
            servers: stage 0, e.g. `EmbeddedPostgres` and `EmbeddedNats`; none where others run them.
        """
        self._home = home
        self._clock = clock
        self._servers = tuple(servers)
        self._keepers: list[Keeper] = []
        self._given_up: set[str] = set()
        self._stop_asked = asyncio.Event()
        self._hurry = asyncio.Event()
        self._own_log: LogFile | None = None
        self._state = PlatformState(phase=Phase.STARTING, pid=os.getpid(), started_at=clock.now())

    @property
    def state(self) -> PlatformState:
        """What is known now; the same as in ``run/state.json``."""
        return self._state

    def request_stop(self) -> None:
        """Ask `run` to stop in order and return; asked again, to stop at once."""
        if self._stop_asked.is_set():
            self._hurry.set()
        self._stop_asked.set()

    async def run(
        self,
        prepare: Prepare,
        *,
        ports: Mapping[str, int] | None = None,
        check: Callable[[], None] | None = None,
        more: More = tuple,
        on_ready: Callable[[PlatformState], None] | None = None,
    ) -> None:
        """Start everything, keep it running until asked to stop, and stop it.

        Args:
            prepare: see `Prepare`; a failure here stops everything.
            ports: shown in the state beside those of the servers, e.g. ``{"http": 8400}``.
            check: called when nothing of an earlier start is left and nothing is started yet; raises to refuse.
            more: see `More`.
            on_ready: called once, when all is ready for the first time.

        Raises:
            AlphintraError: ALREADY_RUNNING, what `launch` raises for the first process that did not start, or what
                ``prepare`` or ``check`` raises; by then everything is stopped again.
        """
        with supervisor_lock(self._home), ExitStack() as files, self._signals_handled():
            self._own_log = self._open_log("supervisor", files)
            self._publish()
            try:
                await stop_leftovers(self._home)
                if check is not None:
                    check()
                if await self._start_unless_stopped(prepare, files):
                    self._report(Up(self._server_ports() | dict(ports or {})))
                    if on_ready is not None:
                        on_ready(self._state)
                    await self._wait_for_stop(more, files, dict(ports or {}))
            except AlphintraError as error:
                self._note("supervisor.failed", str(error))
                raise
            finally:
                await self._stop_all()

    async def _start_unless_stopped(self, prepare: Prepare, files: ExitStack) -> bool:
        """Start everything; False if a stop was asked for meanwhile."""
        starting = asyncio.ensure_future(self._start_all(prepare, files))
        stopping = asyncio.ensure_future(self._stop_asked.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            return not self._stop_asked.is_set()
        finally:
            for task in (starting, stopping):
                task.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)

    async def _wait_for_stop(self, more: More, files: ExitStack, ports: Mapping[str, int]) -> None:
        """Return when a stop is asked for; a keeper that fails itself ends the platform rather than its watch."""
        stopping = asyncio.ensure_future(self._stop_asked.wait())
        done: set[asyncio.Future[Any]] = set()
        try:
            while not done:
                keeping = {keeper.keeping for keeper in self._keepers if keeper.keeping is not None}
                watched: set[asyncio.Future[Any]] = {stopping, *keeping}
                done, _ = await asyncio.wait(watched, timeout=_LOOK_FOR_MORE_S, return_when=asyncio.FIRST_COMPLETED)
                resting = [keeper for keeper in self._keepers if keeper.is_resting]
                self._keepers = [keeper for keeper in self._keepers if keeper not in resting]
                done -= {keeper.keeping for keeper in resting}
                if not done:
                    await self._start_more(more, files, ports)
        finally:
            stopping.cancel()
        for task in done:
            task.result()

    async def _start_more(self, more: More, files: ExitStack, ports: Mapping[str, int]) -> None:
        """Start what is wanted by now; what does not start is noted, and a server tried at the next start alone."""
        known = {keeper.unit.name for keeper in self._keepers} | self._given_up
        for unit in more():
            if unit.name in known:
                continue
            try:
                await self._start_stage((unit,), files)
            except AlphintraError as error:
                if unit.restart.rests_when_done:
                    for keeper in [each for each in self._keepers if each.unit is unit]:
                        await keeper.stop(self._hurry)
                        self._keepers.remove(keeper)
                else:
                    self._given_up.add(unit.name)
                self._note("start.failed", str(error))
            else:
                if unit.restart.rests_when_done:
                    continue
                self._servers = (*self._servers, unit)
                self._report(Up(self._server_ports() | dict(ports)))

    async def _start_all(self, prepare: Prepare, files: ExitStack) -> None:
        await self._start_stage(self._servers, files)
        units = [ProcessUnit(spec, self._home) for spec in await prepare()]
        names = [unit.name for unit in (*self._servers, *units)]
        for name in names:
            if names.count(name) > 1 or name == "supervisor":
                raise AlphintraError("PROCESS_NAME", f"two processes are named {name}", kind=Kind.BUG)
        by_stage = attrgetter("stage")
        for _, stage in groupby(sorted(units, key=by_stage), key=by_stage):
            await self._start_stage(stage, files)

    async def _start_stage(self, units: Iterable[Unit], files: ExitStack) -> None:
        """Start the units side by side; at the first failure the others are given up, and stopped by the caller."""
        keepers = [
            Keeper(unit, self._open_log(unit.name, files), report=self._report, note=self._note) for unit in units
        ]
        self._keepers.extend(keepers)
        starts = [asyncio.ensure_future(keeper.start()) for keeper in keepers]
        try:
            await asyncio.gather(*starts)
        finally:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)

    async def _stop_all(self) -> None:
        """Stop in falling order of stages: the edge before the services, those before the servers they write to."""
        self._stop_asked.set()
        self._report(Stopping())
        by_stage = attrgetter("unit.stage")
        for _, stage in groupby(sorted(self._keepers, key=by_stage, reverse=True), key=by_stage):
            await asyncio.gather(*(keeper.stop(self._hurry) for keeper in stage))
        self._report(Stopped())

    def _server_ports(self) -> dict[str, int]:
        return {server.name: port for server in self._servers if (port := getattr(server, "port", None)) is not None}

    @contextmanager
    def _signals_handled(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.request_stop)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _open_log(self, name: str, files: ExitStack) -> LogFile:
        log = LogFile(self._home.logs / f"{name}.log")
        files.callback(log.close)
        return log

    def _report(self, event: Event) -> None:
        self._state = fold(self._state, event, at=self._clock.now())
        self._publish()
        self._note(f"supervisor.{type(event).__name__.lower()}", getattr(event, "name", ""))

    def _publish(self) -> None:
        data = json.dumps(state_to_json(self._state)).encode()
        try:
            write_atomically(self._home.run / STATE_FILE, data, durable=False)
        except OSError as error:  # a full disk must not end the watch over those that could free it
            self._note("state.unwritten", str(error))

    def _note(self, event: str, detail: str) -> None:
        if self._own_log is not None:
            line = {"timestamp": self._clock.now().isoformat(), "event": event, "detail": detail}
            self._own_log.write(json.dumps(line).encode() + b"\n")


async def stop_leftovers(home: Home) -> bool:
    """End the processes of ours (servers see to theirs) that a killed supervisor left; True if there were any."""
    marker = supervised_marker(home)
    return await stop_strangers(lambda: processes_marked(marker), _LEFTOVER_PLAN)


def supervised_marker(home: Home) -> str:
    """Return by what the processes of a home are known: see `proc.processes_marked`."""
    return f"{SUPERVISED_VARIABLE}={home.path}"
