"""How much memory the whole platform holds when nobody uses it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from benchmarks.measures import PROCESSES

if TYPE_CHECKING:
    from benchmarks.installation import Installation
    from benchmarks.recorder import Recorder

__all__ = ["measure_idle", "measure_used"]

_BUDGET_MB: Final = 350.0


def measure_idle(recorder: Recorder, platform: Installation, *, idle_s: float) -> float:
    """Measure after so many seconds of idleness; return the sum in MB."""
    time.sleep(idle_s)
    held = platform.memory_mb()
    whole = sum(held.values())
    recorder.add("memory.idle", whole, base=_BUDGET_MB)
    for name in PROCESSES:
        recorder.add(f"memory.{name}", held[name], base=whole)
    return whole


def measure_used(recorder: Recorder, platform: Installation, *, idle_mb: float, idle_s: float) -> None:
    """Measure again after use, when it has been idle as long."""
    time.sleep(idle_s)
    held = platform.memory_mb()
    whole = sum(held.values())
    recorder.add("memory.used", whole, base=idle_mb)
    for name in PROCESSES:
        recorder.add(f"memory.used_{name}", held[name], base=whole)
