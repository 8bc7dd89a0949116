"""The measures: what each row means, what it is compared with, and which goal it has. Data; nothing here measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["GROUPS", "MEASURES", "PEERS", "PROCESSES", "STORED", "WORKS", "Goal", "Measure"]

PROCESSES: Final = ("core", "relay", "worker", "postgres", "nats", "supervisor")
STORED: Final = (10_000, 100_000, 1_000_000, 10_000_000)
GROUPS: Final = ("start", "memory", "orders", "split", "fill", "kill", "flat", "replay", "backtest", "engines")

WORKS: Final = {
    "w1": "W1: crossover of two averages, 1,000,000 bars, figures and trades",
    "w2": "W2: 1,000 crossovers of 100,000 bars, no curves",
    "w3": "W3: ten of 50 symbols by strength, 20,000 bars",
    "w4": "W4: W1 with trailing stop and target within bars",
}
PEERS: Final = (
    ("w1", "raptorbt", 8),
    ("w1", "vectorbt-rust", 12),
    ("w1", "vectorbt-numba", 12),
    ("w1", "backtesting.py", 0),
    ("w1", "backtrader", 0),
    ("w1", "bt", 0),
    ("w1", "nautilus_trader", 0),
    ("w2", "raptorbt", 15),
    ("w2", "vectorbt-rust", 85),
    ("w3", "vectorbt-rust", 40),
    ("w3", "vectorbt-numba", 40),
    ("w4", "raptorbt", 5),
    ("w4", "vectorbt-rust", 8),
    ("w4", "vectorbt-numba", 8),
)


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound: ``is_ratio`` tells whether on the ratio or on the value itself."""

    limit: float
    is_at_most: bool = True
    is_ratio: bool = False

    def is_met(self, value: float, ratio: float | None) -> bool:
        """Tell whether the goal is met."""
        held = ratio if self.is_ratio else value
        if held is None:
            return False
        return held <= self.limit if self.is_at_most else held >= self.limit

    def text(self, unit: str) -> str:
        """Return it as shown in the table."""
        sign = "<=" if self.is_at_most else ">="
        return f"ratio {sign} {self.limit:g}" if self.is_ratio else f"{sign} {self.limit:g} {unit}"


@dataclass(frozen=True, slots=True)
class Measure:
    """One row; ``key`` begins with its group, ``base`` says what the ratio divides by (empty: no ratio)."""

    key: str
    what: str
    unit: str
    base: str = ""
    goal: Goal | None = None

    @property
    def group(self) -> str:
        """What it is measured with."""
        return self.key.split(".", 1)[0]


def _at_least_times(limit: float) -> Goal:
    return Goal(limit, is_at_most=False, is_ratio=True)


def _at_most_times(limit: float) -> Goal:
    return Goal(limit, is_ratio=True)


def _beaten(least: float) -> Goal | None:
    return _at_least_times(least) if least else None


_BARE = "bare PostgreSQL + NATS"
_L0 = "pgbench L0 -c 16"
_ECHO = "GET / at 8 connections"

MEASURES: Final = (
    Measure("start.first", "first start ever, fresh home, to all healthy", "s", _BARE, Goal(15)),
    Measure("start.first_cpu", "CPU of that start", "CPU s", _BARE),
    Measure("start.warm", "warm start, to all healthy", "s", _BARE, Goal(5)),
    Measure("start.warm_cpu", "CPU of that start", "CPU s", _BARE),
    Measure("memory.idle", "PSS of all processes, idle", "MB", "350 MB", Goal(350)),
    *(Measure(f"memory.{name}", f"of it {name}", "MB", "the whole") for name in PROCESSES),
    Measure("memory.used", "PSS of all processes after the other groups", "MB", "idle"),
    *(Measure(f"memory.used_{name}", f"of it {name}", "MB", "the whole") for name in PROCESSES),
    Measure("orders.l0", "pgbench L0, -c 16: three inserts and a commit", "/s"),
    Measure("orders.l0_single", "pgbench L0, -c 1", "/s", _L0),
    Measure("orders.l0_cpu", "PostgreSQL's CPU per L0 transaction", "us"),
    Measure("orders.writer", "trading's writer alone, 64 in flight", "/s", _L0, _at_least_times(2.5)),
    Measure("orders.writer_cpu", "CPU per order: writer and PostgreSQL", "us", "L0's PostgreSQL"),
    Measure(
        "orders.http",
        "orders accepted over HTTP, 64 connections",
        "/s",
        _L0,
        _at_least_times(1.0),
    ),
    Measure("orders.http_p50", "answer time at 64 connections, p50", "ms"),
    Measure("orders.http_p99", "answer time at 64 connections, p99", "ms"),
    Measure("orders.through", "the same orders until the venue has acknowledged the last", "/s", _L0),
    Measure("orders.cpu", "CPU per order to its acknowledgement, all processes", "us", "L0's PostgreSQL"),
    *(Measure(f"orders.cpu_{name}", f"of it {name}", "us", "all processes") for name in PROCESSES),
    Measure("orders.echo_p50", "cheapest route (GET /), 8 connections, p50", "ms"),
    Measure("orders.echo_p99", "cheapest route (GET /), 8 connections, p99", "ms"),
    Measure("orders.p50", "order accepted, 8 connections, p50", "ms", _ECHO, Goal(4, is_ratio=True)),
    Measure("orders.p99", "order accepted, 8 connections, p99", "ms", _ECHO, Goal(3, is_ratio=True)),
    Measure(
        "split.http",
        "orders accepted over HTTP with risk in its own process, 64 connections",
        "/s",
        _L0,
        _at_least_times(0.75),
    ),
    Measure("split.cpu", "CPU per order to its acknowledgement, all processes", "us", "L0's PostgreSQL"),
    Measure("fill.p50", "order to its paper fill on the WebSocket, p50", "ms", "", Goal(15)),
    Measure("fill.p99", "order to its paper fill on the WebSocket, p99", "ms"),
    Measure("kill.canceled", "kill switch to the last of 1,000 working orders canceled", "ms", "", Goal(1000)),
    *(
        Measure(
            f"flat.stored_{count}",
            f"CPU per order with {count:,} stored: writer and PostgreSQL",
            "us",
            "10,000 stored",
            None if count == STORED[0] else Goal(1.2, is_ratio=True),
        )
        for count in STORED
    ),
    Measure("replay.rate", "lock-step replay with a deployed crossover", "steps/s"),
    Measure("replay.step", "one step", "ms", "one L0 commit, -c 1"),
    Measure("replay.cpu", "CPU per step, all processes", "ms"),
    Measure("replay.fill", "order stored to its fill booked, p50", "ms", "one step"),
    Measure("backtest.engine", "crossover on 3,270 daily bars of AAPL, warm process", "ms", "floor loop in floats"),
    Measure("backtest.statistics", "its statistics", "ms", "the backtest"),
    Measure("backtest.request", "the same as a whole request, until its result is there", "ms", "the backtest"),
    Measure("backtest.command", "the same as `alphintra backtest run`", "ms", "the request"),
    *(
        Measure(
            f"engines.{work}", f"{WORKS[work]}, through this engine", "ms", "hand-written loop", _at_most_times(most)
        )
        for work, most in (("w1", 3.0), ("w2", 3.3), ("w3", 4.0), ("w4", 3.5))
    ),
    *(
        Measure(f"engines.{work}_{peer}", f"the same through {peer}", "ms", f"this engine ({work})", _beaten(least))
        for work, peer, least in PEERS
    ),
    Measure("engines.rss_w1", "most memory of that process, W1", "MB", "", Goal(300)),
    Measure("engines.rss_w2", "most memory of that process, W2", "MB", "", Goal(400)),
    Measure("engines.small", "W1 over 1,000 bars in a warm process", "ms", "", Goal(5)),
    Measure("engines.first", "W1 in a fresh process, to its first result", "s", "", Goal(3)),
    Measure("engines.linear", "W1 a bar over 10,000,000 bars", "ns", "over 1,000,000", _at_most_times(1.5)),
)
