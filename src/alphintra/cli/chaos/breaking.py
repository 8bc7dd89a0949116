"""Does to a platform what the plan says, and heals it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from alphintra.cli.chaos.network import set_loopback
from alphintra.cli.chaos.plan import CRASHED, Fault, FaultKind
from alphintra.runtime.control import status
from alphintra.runtime.proc import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alphintra.cli.chaos.town import Town

__all__ = ["Breaker"]

_LATENCY_S = 0.15
_ARMED_MAX_S = 3.0
_PIECE = b"\0" * 1_048_576


class Breaker:
    """Carries out faults; each is over when its call returns, except that the platform may still recover."""

    def __init__(self, town: Town, *, pause: Callable[[float], object] = time.sleep) -> None:
        self._town = town
        self._pause = pause
        self.points_hit: set[str] = set()

    def do(self, fault: Fault) -> str:
        """Carry out a fault; return what came of it in a word or two."""
        acts: dict[FaultKind, Callable[[], str]] = {
            FaultKind.CRASH_AT_POINT: lambda: self._crash_at(fault.target),
            FaultKind.KILL_PROCESS: lambda: self._kill(fault.target),
            FaultKind.PAUSE_PROCESS: lambda: self._stop_for(fault.target, fault.lasts_s),
            FaultKind.KILL_SUPERVISOR: self._restart,
            FaultKind.KILL_POSTGRES: lambda: self._kill("postgres"),
            FaultKind.CRASH_POSTGRES: lambda: self._kill("postgres", signal.SIGQUIT),
            FaultKind.KILL_NATS: lambda: self._kill("nats"),
            FaultKind.STEP_CLOCK: lambda: self._step_clock(fault.target, fault.lasts_s),
            FaultKind.PARTITION: lambda: self._partition(fault.lasts_s),
            FaultKind.FULL_DISK: lambda: self._fill(self._town.database_disk, fault.lasts_s),
        }
        return acts.get(fault.kind, lambda: self._disturb(fault))()

    def _restart(self) -> str:
        self._town.kill_supervisor()
        self._town.start()
        return "started again"

    def _disturb(self, fault: Fault) -> str:
        is_bus = fault.kind in {FaultKind.CUT_BUS, FaultKind.RESET_BUS}
        proxy = self._town.bus_proxy if is_bus else self._town.database_proxy
        if fault.kind in {FaultKind.RESET_DATABASE, FaultKind.RESET_BUS}:
            proxy.reset()
            return "reset"
        if fault.kind is FaultKind.SLOW_DATABASE:
            proxy.latency_s = _LATENCY_S
        else:
            proxy.is_cut = True
        self._pause(fault.lasts_s)
        proxy.latency_s, proxy.is_cut = 0.0, False
        return "healed"

    def _step_clock(self, seconds: str, lasts_s: float) -> str:
        """Set every process's clock on or back, and to the machine's time again."""
        path = self._town.clock_file
        for step, pause_s in ((seconds, lasts_s), ("0", 0.1)):
            unseen = path.with_suffix(".new")
            unseen.write_text(step, encoding="utf-8")
            unseen.rename(path)
            self._pause(pause_s)
        return "set right"

    def _partition(self, seconds: float) -> str:
        set_loopback(is_up=False)
        try:
            self._pause(seconds)
        finally:
            set_loopback(is_up=True)
        return "healed"

    def _crash_at(self, target: str) -> str:
        """Arm a point and wait until a process passes it; disarm it where none does."""
        path = self._town.crash_file
        unseen = path.with_suffix(".new")
        unseen.write_text(target, encoding="utf-8")
        unseen.rename(path)
        deadline = time.monotonic() + _ARMED_MAX_S
        while time.monotonic() < deadline:
            if not path.exists():
                self.points_hit.add(target.partition(":")[0])
                return CRASHED
            self._pause(0.05)
        with suppress(FileNotFoundError):
            path.unlink()
        return "not passed"

    def _kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> str:
        pid = self._pid(name)
        if pid is None:
            return "was not running"
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return "killed"

    def _stop_for(self, name: str, seconds: float) -> str:
        pid = self._pid(name)
        if pid is None:
            return "was not running"
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self._pause(seconds)
            os.kill(pid, signal.SIGCONT)
        return "went on"

    def _pid(self, name: str) -> int | None:
        """Return the process that works under a name now; only the platform's own ever get a signal."""
        found = status(self._town.home)
        if found.state is None or not found.is_running:
            return None
        pid = next((each.pid for each in found.state.processes if each.name == name), None)
        return pid if pid is not None and is_alive(pid) else None

    def _fill(self, folder: Path, seconds: float) -> str:
        ballast = folder / "ballast"
        try:
            with ballast.open("wb") as file:
                while True:
                    file.write(_PIECE)
        except OSError:
            self._pause(seconds)
        finally:
            ballast.unlink(missing_ok=True)
        return "freed"
