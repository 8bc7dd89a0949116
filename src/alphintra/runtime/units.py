"""What a supervised process is: how it starts, when it is ready, how it stops."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.children import Child, Command, StopPlan
from alphintra.runtime.home import Home
from alphintra.runtime.logfiles import LogFile
from alphintra.runtime.policy import RestartPolicy

__all__ = ["SUPERVISED_VARIABLE", "ProcessSpec", "ProcessUnit", "ReadyWhen", "Standalone", "Unit", "launch"]

SUPERVISED_VARIABLE = "ALPHINTRA_SUPERVISED"
"""Marks a child and all that it starts with its home, so that the next start finds what a killed one left."""

_OWN_ERROR = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): (.+)")  # how our processes tell why they end
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONPATH", "SSL_CERT_FILE")


class ReadyWhen(StrEnum):
    """What makes a process count as ready."""

    ANNOUNCED = "announced"  # it said so: see `readiness`
    STARTED = "started"  # at once
    FINISHED = "finished"  # it is one-shot: it ended with status 0, and is not started again


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process of ours, as data.

    Args:
        name: unique; names the log ``logs/<name>.log`` and the line of ``status``.
        argv: program and arguments; the program by absolute path, e.g. ``sys.executable``.
        env: what this process may know: its own credentials and no one else's. Of the supervisor's environment it
            gets only what no secret is in (programs' path, language, time zone).
        env_once: what only its first start gets on top: what arms a crash (`infrastructure.faults`) must not do so in
            the process that takes the place of the crashed one.
        ready: what makes it count as ready.
        stage: the stages start in rising order, each when all of the one before is ready, and stop in falling order;
            the servers are stage 0.
        restart: how it is started again when it ends.
        ready_timeout_s: longest start.
        stop_timeout_s: time between SIGTERM and SIGKILL.
        cwd: working directory, the home if None.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    env_once: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready: ReadyWhen = ReadyWhen.ANNOUNCED
    stage: int = 1
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    ready_timeout_s: float = 30.0
    stop_timeout_s: float = 10.0
    cwd: Path | None = None

    @classmethod
    def python(cls, name: str, module: str, *arguments: str, env: Mapping[str, str], stage: int = 1) -> ProcessSpec:
        """Return the spec of ``python -m module arguments…`` with this interpreter; refine it with `replace`."""
        return cls(name=name, argv=(sys.executable, "-m", module, *arguments), env=env, stage=stage)


class Unit(Protocol):
    """Anything the supervisor keeps running: an embedded server or a process of ours."""

    @property
    def name(self) -> str:
        """Unique name."""
        ...

    @property
    def stage(self) -> int:
        """See `ProcessSpec`."""
        ...

    @property
    def restart(self) -> RestartPolicy:
        """How it is started again."""
        ...

    @property
    def is_one_shot(self) -> bool:
        """Whether it is ready by having ended well."""
        ...

    @property
    def ready_timeout_s(self) -> float:
        """Longest time from start to ready."""
        ...

    @property
    def stop_plan(self) -> StopPlan:
        """How it is ended in peace."""
        ...

    @property
    def hurry_plan(self) -> StopPlan:
        """How it is ended at once, with nothing acknowledged lost."""
        ...

    async def before_start(self) -> None:
        """Make a start possible: clear what an earlier run left, create what is absent."""
        ...

    def command(self) -> Command:
        """Return how to start it now."""
        ...

    async def wait_ready(self, child: Child) -> None:
        """Return when it is ready; the caller watches the time and the child's life."""
        ...


class ProcessUnit:
    """A process of ours as the supervisor sees it."""

    is_one_shot: bool
    hurry_plan: StopPlan = ()

    def __init__(self, spec: ProcessSpec, home: Home) -> None:
        if spec.stage < 1:
            raise AlphintraError("STAGE", f"process {spec.name} needs a stage above the servers' 0", kind=Kind.BUG)
        self.name = spec.name
        self.stage = spec.stage
        self.restart = spec.restart
        self.ready_timeout_s = spec.ready_timeout_s
        self.stop_plan: StopPlan = ((signal.SIGTERM, spec.stop_timeout_s),)
        self.is_one_shot = spec.ready is ReadyWhen.FINISHED
        self._spec = spec
        self._home = home
        self._env_once = dict(spec.env_once)

    async def before_start(self) -> None:
        """Nothing: what is left of an earlier supervisor is cleared once for all processes."""

    def command(self) -> Command:
        """Return the program with its own environment and the mark of its home."""
        env = inherited_environment() | dict(self._spec.env) | self._env_once
        env[SUPERVISED_VARIABLE] = str(self._home.path)
        self._env_once = {}
        return Command(
            argv=self._spec.argv,
            env=env,
            cwd=self._spec.cwd or self._home.path,
            announces=self._spec.ready is ReadyWhen.ANNOUNCED,
        )

    async def wait_ready(self, child: Child) -> None:
        """Return when what the spec asks for has happened. Raises START_FAILED if a one-shot process failed."""
        match self._spec.ready:
            case ReadyWhen.ANNOUNCED:
                await child.wait_announced()
            case ReadyWhen.FINISHED:
                await child.wait()
            case ReadyWhen.STARTED:
                return


async def launch(unit: Unit, log: LogFile, *, on_start: Callable[[Child], None], is_supervised: bool = True) -> None:
    """Start a unit and return when it is ready.

    ``on_start`` gets the child as soon as there is one: it is the caller's to stop, also when this raises.

    Raises:
        AlphintraError: the failure it told as its last word, else START_FAILED (it ended, with the last line of its
            log), START_TIMEOUT, or what the unit's own preparation raises.
    """
    await unit.before_start()
    before = log.end()
    child = Child.start(unit.command(), log, is_pumped=is_supervised)
    on_start(child)
    waits = {asyncio.ensure_future(unit.wait_ready(child)), asyncio.ensure_future(child.wait())}
    try:
        done, _ = await asyncio.wait(waits, timeout=unit.ready_timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in done:
            wait.result()
    finally:
        for wait in waits:
            wait.cancel()
    if not done:
        detail = f"{unit.name} was not ready within {unit.ready_timeout_s:g} s: {_last_words(log, before)}"
        raise AlphintraError("START_TIMEOUT", detail, kind=Kind.UNAVAILABLE)
    if child.returncode is not None and not (unit.is_one_shot and child.returncode == 0):
        own = _OWN_ERROR.fullmatch(log.last_line(since=before))
        if own is not None:
            raise AlphintraError(own[1], own[2], kind=Kind.UNAVAILABLE)
        detail = f"{unit.name} ended with status {child.returncode} before it was ready: {_last_words(log, before)}"
        raise AlphintraError("START_FAILED", detail, kind=Kind.UNAVAILABLE)


def _last_words(log: LogFile, since: int) -> str:
    return f"{log.last_line(since=since) or 'it wrote nothing'} (see {log.path})"


class Standalone:
    """Runs one server without a supervisor: for tests, and for tools that need a database while the platform is down.

    Its output goes to the log without passing through us, so the event loop may rest between `start` and `stop`.
    """

    def __init__(self, unit: Unit, home: Home) -> None:
        self._unit = unit
        self._path = home.logs / f"{unit.name}.log"
        self._child: Child | None = None

    async def start(self) -> None:
        """Start and return when ready; what did not get that far is stopped again. Raises what `launch` raises."""
        log = LogFile(self._path)
        try:
            await launch(self._unit, log, on_start=self._keep, is_supervised=False)
        except BaseException:
            await self.stop()
            raise
        finally:
            log.close()

    async def stop(self) -> None:
        """Stop in peace; nothing to do if it is not running."""
        if self._child is not None:
            await self._child.stop(self._unit.stop_plan)
            self._child = None

    def _keep(self, child: Child) -> None:
        self._child = child


def inherited_environment() -> dict[str, str]:
    """Return what children get of our environment: where programs and temporary files are, language, time zone."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}
