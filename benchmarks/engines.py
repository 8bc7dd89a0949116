"""Backtest engines on the same prices and rules, each in a process of its own, beside a hand-written loop."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.children import MeasureError, measure_apart
from benchmarks.machine import Watch
from benchmarks.measures import PEERS, WORKS

if TYPE_CHECKING:
    from benchmarks.recorder import Recorder

__all__ = ["BARS", "EQUAL", "measure_engines", "ratio_of"]

BARS: Final = {"w1": 1_000_000, "w2": 100_000, "w3": 20_000, "w4": 1_000_000}
EQUAL: Final = 1e-9
# Bars of what takes minutes over all; scaled up.
_SLOW: Final = {"backtesting.py": 100_000, "backtrader": 20_000, "bt": 20_000, "nautilus_trader": 50_000}
_OTHER_RULES: Final = frozenset({"nautilus_trader"})  # fills at the close it decides at
_APART: Final = "BENCH_PYTHON"  # names the interpreter with the engines that cannot be installed beside the others
_SMALL_BARS: Final = 1_000
_LONG_BARS: Final = 10_000_000


def measure_engines(recorder: Recorder, *, repeats: int, tell: Callable[[str], None]) -> None:
    """Measure one round: the loops and this engine on every workload, then what else is installed."""
    ours = {}
    for work in WORKS:
        floor, _ = _run("floor", work, repeats=repeats)
        own, watch = _run("alphintra", work, repeats=repeats)
        _require_equal(work, floor, own)
        ours[work] = own
        recorder.add(f"engines.{work}", _best(own), base=_best(floor), usage=watch)
    recorder.add("engines.rss_w1", ours["w1"]["rss_mb"])
    recorder.add("engines.rss_w2", ours["w2"]["rss_mb"])
    recorder.add("engines.first", ours["w1"]["first_s"])
    small, watch = _run("alphintra", "w1", repeats=20 * repeats, bars=_SMALL_BARS)
    recorder.add("engines.small", median(small["times_ms"]), usage=watch)
    long, watch = _run("alphintra", "w1", repeats=2, bars=_LONG_BARS)
    a_bar, a_bar_long = _best(ours["w1"]) * 1e6 / BARS["w1"], _best(long) * 1e6 / _LONG_BARS
    recorder.add("engines.linear", a_bar_long, base=a_bar, usage=watch)
    _measure_peers(recorder, ours, tell)


def _measure_peers(recorder: Recorder, ours: dict[str, dict[str, Any]], tell: Callable[[str], None]) -> None:
    """Measure other engines, and tell where one comes to something else by the same rules."""
    expected = {(work, BARS[work]): found for work, found in ours.items()}
    for work, peer, _ in PEERS:
        bars = _SLOW.get(peer, BARS[work])
        found, watch = _run(peer, work, repeats=1 if work == "w2" or peer in _SLOW else 3, bars=bars)
        if "missing" in found and (apart := os.environ.get(_APART)):
            found, watch = _run(peer, work, repeats=1, bars=bars, python=apart)
        if "missing" in found:
            tell(
                f"  {peer} takes no part in {work}: {found['missing']} (docs/benchmarks.md says where it is installed)"
            )
            continue
        recorder.add(f"engines.{work}_{peer}", _best(found) * BARS[work] / bars, base=_best(ours[work]), usage=watch)
        if work == "w4" or peer in _OTHER_RULES:
            continue
        if (work, bars) not in expected:
            expected[work, bars], _ = _run("alphintra", work, repeats=1, bars=bars)
        one = expected[work, bars]
        if not _is_equal(found["equity"], one["equity"]) or found["trades"] != one["trades"]:
            theirs, our = (f"{each['trades']:,} trades and {each['equity']:.10g}" for each in (found, one))
            tell(f"  {peer} ends {work} over {bars:,} bars with {theirs}, this engine with {our}")


def ratio_of(work: str, *, repeats: int = 7) -> float:
    """Return how many times as long as the loop this engine takes; raises MeasureError where they differ."""
    floor, own = (_run(engine, work, repeats=repeats)[0] for engine in ("floor", "alphintra"))
    _require_equal(work, floor, own)
    return _best(own) / _best(floor)


def _run(
    engine: str, work: str, *, repeats: int, bars: int | None = None, python: str = sys.executable
) -> tuple[dict[str, Any], Any]:
    watch = Watch()
    order = {"engine": engine, "work": work, "bars": BARS[work] if bars is None else bars, "repeats": repeats}
    return measure_apart("contest", order, python=python), watch.stop()


def _best(found: dict[str, Any]) -> float:
    """Return the time of the fastest run: what the work takes where nobody disturbs it."""
    return float(min(found["times_ms"]))


def _is_equal(one: float, other: float) -> bool:
    return abs(one - other) <= EQUAL * max(abs(one), abs(other))


def _require_equal(work: str, floor: dict[str, Any], own: dict[str, Any]) -> None:
    if floor["trades"] != own["trades"] or not _is_equal(floor["equity"], own["equity"]):
        told = ", ".join(f"{each['trades']} trades and {each['equity']:.12g}" for each in (floor, own))
        raise MeasureError(f"{work}: the loop and the engine differ: {told}")
