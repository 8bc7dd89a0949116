"""The reference backtest in a warm process, beside a loop over floats that does the least such a run needs.

``python -m benchmarks.engine`` with ``{"repeats"}`` on standard input.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from time import perf_counter
from typing import Final

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.bars import Bar
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.metrics.results import measure
from alphintra.engine.templates import crossover

__all__ = ["main"]

_SYMBOL: Final = "AAPL"
_SAMPLE: Final = "us-stocks-daily-2000-2013.csv.gz"


def _bars() -> tuple[Bar, ...]:
    """Return the sample's prices as they were traded: for time, splits do not matter."""
    packed = (resources.files("alphintra") / "data" / _SAMPLE).read_bytes()
    rows = csv.DictReader(gzip.decompress(packed).decode().splitlines())
    return tuple(
        Bar(
            datetime.strptime(row["Date"], "%Y-%m-%d").replace(hour=21, tzinfo=UTC),
            *(Decimal(row[name]) for name in ("Open", "High", "Low", "Close", "Volume")),
        )
        for row in rows
        if row["Ticker"] == _SYMBOL
    )


def _floor(opens: Sequence[float], closes: Sequence[float]) -> float:
    """Trade the crossover of two exponential averages at the next open, in floats; return the last equity."""
    fast = slow = closes[0]
    cash, held, curve = 100_000.0, 0.0, []
    was_above = wants = False
    for index, close in enumerate(closes):
        if wants and not held:
            held = int(0.95 * cash / opens[index])
            cash -= held * opens[index]
        elif not wants and held:
            cash, held = cash + held * opens[index], 0.0
        fast += (close - fast) * (2 / 21)
        slow += (close - slow) * (2 / 51)
        is_above = fast > slow
        if index > 50 and is_above != was_above:  # noqa: PLR2004 - the slow average's length
            wants = is_above
        was_above = is_above
        curve.append(cash + held * close)
    return curve[-1]


def _times_ms(repeats: int, work: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(repeats):
        at = perf_counter()
        work()
        times.append((perf_counter() - at) * 1000)
    return times


def main() -> None:
    """Carry out the order on standard input."""
    repeats = int(json.load(sys.stdin)["repeats"])
    bars = _bars()
    opens, closes = [float(bar.open) for bar in bars], [float(bar.close) for bar in bars]
    plan = compile_plan(crossover(average="ema"))
    settings = BacktestSettings()
    result = run_backtest(plan, _SYMBOL, bars=bars, settings=settings)
    _times_ms(3, lambda: _floor(opens, closes))
    facts = {
        "bars": len(bars),
        "engine_ms": _times_ms(repeats, lambda: run_backtest(plan, _SYMBOL, bars=bars, settings=settings)),
        "floor_ms": _times_ms(repeats, lambda: _floor(opens, closes)),
        "statistics_ms": _times_ms(repeats, lambda: measure(result, bars)),
    }
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main()
