"""One engine on one workload in a process of its own: times, what it came to, and the memory it took at most.

``python -m benchmarks.contest`` with ``{"engine", "work", "bars", "repeats"}`` on standard input. An engine that is not
installed answers ``{"missing"}``.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Final

STARTED: Final = perf_counter()

from benchmarks.market import one_symbol, panel  # noqa: E402 - the clock starts first

__all__ = ["Came", "Work", "main"]

CASH: Final = 1e9
FEE: Final = 0.001
FAST, SLOW = 10, 30
RANGE, TRAIL, REACH = 14, 2.0, 4.0
EVERY, BACK, HELD, WEIGHT = 20, 100, 10, 0.099
SYMBOLS: Final = 50


@dataclass(frozen=True, slots=True)
class Came:
    """What a run came to: equity at its end and how many trades were closed (fills, of a rotation)."""

    equity: float
    trades: int


Work = Callable[[], Came]


def pairs_of(count: int) -> list[tuple[int, int]]:
    """Return the first so many pairs of lengths, the fast one at least five below the slow one."""
    found = [(fast, slow) for fast in range(5, 40) for slow in range(10, 70) if slow >= fast + 5]
    return found[:: max(1, len(found) // count)][:count]


def _prepare(engine: str, work: str, bars: int) -> Work:
    market = panel(SYMBOLS, bars) if work == "w3" else one_symbol(bars)
    works: Mapping[tuple[str, str], Callable[..., Work]]
    if engine == "floor":
        from benchmarks.floor_works import WORKS as works  # noqa: N811, PLC0415 - only what takes part is loaded
    elif engine == "alphintra":
        from benchmarks.own_works import WORKS as works  # noqa: N811, PLC0415
    else:
        from benchmarks.peer_works import WORKS as works  # noqa: N811, PLC0415
    return works[engine, work](market)


def main() -> None:
    """Carry out the order on standard input."""
    order = json.load(sys.stdin)
    try:
        run = _prepare(order["engine"], order["work"], int(order["bars"]))
    except ImportError as error:
        sys.stdout.write(json.dumps({"missing": str(error)}))
        return
    came = run()
    first_s = perf_counter() - STARTED
    times = []
    for _ in range(int(order["repeats"])):
        at = perf_counter()
        came = run()
        times.append((perf_counter() - at) * 1000)
    facts = {
        "times_ms": times,
        "equity": came.equity,
        "trades": came.trades,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "first_s": first_s,
    }
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main()
