"""What the machine does: CPU time of process trees, and how much of the machine was somebody else's meanwhile."""

from __future__ import annotations

import os
from dataclasses import dataclass
from time import perf_counter, sleep

import psutil  # type: ignore[import-untyped] # it ships no types

from alphintra.runtime.proc import with_descendants

__all__ = ["FOREIGN_MAX", "Usage", "Watch", "tree_cpu_s", "wait_until_quiet"]

FOREIGN_MAX = 0.08
"""Share of the machine that others may use without a sample counting as noisy."""

_LOOK_S = 1.0


def tree_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants, those included that ended and were waited for."""
    return sum(_cpu_s(each) for each in with_descendants(pid))


@dataclass(frozen=True, slots=True)
class Usage:
    """One stretch of time: how long, and which share of all cores others used (0 to 1)."""

    seconds: float
    foreign: float


class Watch:
    """Measures a stretch of time from its making to `stop`; whatever this process started counts as ours.

    Time that the hypervisor took away counts as foreign. Interrupts count as nobody's: our own packets cause most.
    """

    def __init__(self) -> None:
        self._at = perf_counter()
        self._busy = _machine_busy_s()
        self._ours = tree_cpu_s(os.getpid())

    def stop(self) -> Usage:
        """Return what was used since the start."""
        seconds = perf_counter() - self._at
        busy = _machine_busy_s() - self._busy
        ours = tree_cpu_s(os.getpid()) - self._ours
        cores = os.cpu_count() or 1
        return Usage(seconds, max(0.0, busy - ours) / (seconds * cores))


def wait_until_quiet(patience_s: float) -> bool:
    """Wait until others leave the machine alone for a second; False if they do not in so many seconds."""
    deadline = perf_counter() + patience_s
    while perf_counter() < deadline:
        watch = Watch()
        sleep(_LOOK_S)
        if watch.stop().foreign <= FOREIGN_MAX:
            return True
    return False


def _machine_busy_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + getattr(times, "steal", 0.0))


def _cpu_s(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:  # ended meanwhile: its parent's count has it
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
