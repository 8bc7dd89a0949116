"""How long the platform takes to start, beside its two servers alone in the same round."""

from __future__ import annotations

from pathlib import Path

from benchmarks.installation import Installation
from benchmarks.machine import Watch
from benchmarks.recorder import Recorder
from benchmarks.servers import BareServers

__all__ = ["measure_start"]


def measure_start(recorder: Recorder, folder: Path) -> None:
    """Measure one round: both for the first time in fresh homes, then both again in the same homes."""
    platform = Installation(folder / "platform")
    try:
        for name in ("first", "warm"):
            watch = Watch()
            with BareServers(folder / "bare") as bare:
                pass
            seconds, cpu_s = platform.start()
            usage = watch.stop()
            platform.stop()
            recorder.add(f"start.{name}", seconds, base=bare.started.seconds, usage=usage)
            recorder.add(f"start.{name}_cpu", cpu_s, base=bare.cpu_s, usage=usage)
    finally:
        platform.stop()
