"""Whether an order costs the same however many are stored: the writer over histories of growing length."""

from __future__ import annotations

import json
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
_FILLED_AT_ONCE: Final = 250_000


def measure_flat(recorder: Recorder, folder: Path, *, seconds: float, stored_max: int) -> None:
    """Fill trading's tables step by step and measure the writer at each; the first is what the others are compared to.

    A folder that is kept is filled further the next time: an interrupted run costs what it had not stored yet. What
    then is stored already is too much for the shorter histories, which are left out.

    Args:
        recorder: takes the samples.
        folder: for a PostgreSQL of its own.
        seconds: length of each measurement.
        stored_max: longest history; 1,000,000 orders take about 1.5 GB and two minutes to make.
    """
    folder.mkdir(parents=True, exist_ok=True)
    notes = folder / "first.json"
    with BareServers(folder) as servers:
        order = {"admin_url": servers.started.admin_url, "port": servers.started.port, "in_flight": _IN_FLIGHT}
        found = measure_apart("writer", {**order, "stored": 0, "seconds": 0.0})
        first = json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else None
        for stored in (count for count in STORED if count <= stored_max):
            if first is not None and stored * 2 < found["stored"]:
                continue
            for filled in (*range(_FILLED_AT_ONCE, stored, _FILLED_AT_ONCE), stored):
                measure_apart("writer", {**order, "stored": filled, "seconds": 0.0})
            before = servers.postgres_cpu_s()
            watch = Watch()
            measured = measure_apart("writer", {**order, "stored": stored, "seconds": seconds})
            usage = watch.stop()
            written = measured["rate"] * (seconds + _WARM_S)
            cpu_us = measured["cpu_us"] + (servers.postgres_cpu_s() - before) / written * 1e6
            if first is None:
                first = cpu_us
                notes.write_text(json.dumps(first), encoding="utf-8")
            recorder.add(f"flat.stored_{stored}", cpu_us, base=first, usage=usage)
