"""Whether an order costs the same however many are stored: the writer over histories of growing length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.children import measure_apart
from benchmarks.machine import Watch
from benchmarks.measures import STORED
from benchmarks.servers import BareServers

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.recorder import Recorder

__all__ = ["measure_flat"]

_IN_FLIGHT: Final = 64
_WARM_S: Final = 1.0


def measure_flat(recorder: Recorder, folder: Path, *, seconds: float, stored_max: int) -> None:
    """Fill trading's tables step by step and measure the writer at each; the first is what the others are compared to.

    Args:
        recorder: takes the samples.
        folder: for a PostgreSQL of its own.
        seconds: length of each measurement.
        stored_max: longest history; 1,000,000 orders take about 1.5 GB and two minutes to make.
    """
    with BareServers(folder) as servers:
        first: float | None = None
        for stored in (count for count in STORED if count <= stored_max):
            order = {
                "admin_url": servers.started.admin_url,
                "port": servers.started.port,
                "in_flight": _IN_FLIGHT,
                "stored": stored,
            }
            measure_apart("writer", {**order, "seconds": 0.0})  # the history, and what a first run has to do once
            before = servers.postgres_cpu_s()
            watch = Watch()
            found = measure_apart("writer", {**order, "seconds": seconds})
            usage = watch.stop()
            written = found["rate"] * (seconds + _WARM_S)
            cpu_us = found["cpu_us"] + (servers.postgres_cpu_s() - before) / written * 1e6
            first = cpu_us if first is None else first
            recorder.add(f"flat.stored_{stored}", cpu_us, base=first, usage=usage)
