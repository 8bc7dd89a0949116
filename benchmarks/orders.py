"""The order path: accepted and durable orders beside what PostgreSQL can write at all, in the same round."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from benchmarks.children import MeasureError, measure_apart
from benchmarks.desk import Desk
from benchmarks.l0 import L0
from benchmarks.machine import Usage, Watch
from benchmarks.measures import PROCESSES

if TYPE_CHECKING:
    from benchmarks.installation import Installation
    from benchmarks.recorder import Recorder
    from benchmarks.servers import BareServers

__all__ = ["OrderRounds"]

_IN_FLIGHT: Final = 64
_LOW: Final = 8
_ACCOUNTS: Final = 8
_WARM_S: Final = 1.0
_DRAIN_S_MAX: Final = 240.0


class OrderRounds:
    """Rounds of the order path on one installation and one bare PostgreSQL."""

    def __init__(self, recorder: Recorder, platform: Installation, servers: BareServers, *, seconds: float) -> None:
        """Prepare the bare database; the accounts are opened in each round.

        Args:
            recorder: takes the samples.
            platform: running, with the sample's prices in its catalogue.
            servers: running, for L0 and the writer alone.
            seconds: length of each measurement.
        """
        self._recorder = recorder
        self._platform = platform
        self._servers = servers
        self._seconds = seconds
        self._l0 = L0(servers)

    def measure(self) -> None:
        """Measure one round: L0, the writer alone, low load, then as much as goes through."""
        rate, cpu_s = self._bound("orders.l0")
        watch = Watch()
        single, _ = self._l0.rate(clients=1, seconds=self._seconds)
        self._recorder.add("orders.l0_single", single, base=rate, usage=watch.stop())
        self._measure_writer(rate, cpu_s)
        with self._desk() as (desk, token, accounts):
            self._measure_low(desk, token, accounts)
            self._measure_full(desk, token, accounts, l0_rate=rate, l0_cpu_s=cpu_s)

    def measure_split(self, split: Installation) -> None:
        """Measure one round on an installation whose risk has a process of its own."""
        platform, self._platform = self._platform, split
        try:
            rate, cpu_s = self._bound("")
            with self._desk() as (desk, token, accounts):
                before = sum(split.cpu_s().values())
                whole = Watch()
                found, usage = self._load(connections=_IN_FLIGHT, path="/api/v1/orders", token=token, accounts=accounts)
                _require_all(found, "201")
                self._recorder.add("split.http", found["statuses"]["201"] / found["seconds"], base=rate, usage=usage)
                _drain(desk, accounts)
                spent = sum(split.cpu_s().values()) - before
                per_order = spent / found["sent"] * 1e6
                self._recorder.add("split.cpu", per_order, base=cpu_s * 1e6, usage=whole.stop())
        finally:
            self._platform = platform

    def _bound(self, key: str) -> tuple[float, float]:
        watch = Watch()
        rate, cpu_s = self._l0.rate(clients=16, seconds=self._seconds)
        usage = watch.stop()
        if key:
            self._recorder.add(key, rate, usage=usage)
            self._recorder.add(f"{key}_cpu", cpu_s * 1e6, usage=usage)
        return rate, cpu_s

    @contextmanager
    def _desk(self) -> Iterator[tuple[Desk, str, list[str]]]:
        """Lend a person's desk with accounts opened for this round."""
        api, token = self._platform.person()
        with api:
            desk = Desk(api)
            feed_id = desk.make_feed()["feed_id"]
            yield desk, token, [desk.open_account(feed_id) for _ in range(_ACCOUNTS)]

    def _measure_writer(self, l0_rate: float, l0_cpu_s: float) -> None:
        started = self._servers.started
        order = {
            "admin_url": started.admin_url,
            "port": started.port,
            "seconds": self._seconds,
            "in_flight": _IN_FLIGHT,
        }
        before = self._servers.postgres_cpu_s()
        watch = Watch()
        found = measure_apart("writer", order)
        usage = watch.stop()
        stored = found["rate"] * (self._seconds + _WARM_S)  # a second before it is not counted, but written
        cpu_us = found["cpu_us"] + (self._servers.postgres_cpu_s() - before) / stored * 1e6
        self._recorder.add("orders.writer", found["rate"], base=l0_rate, usage=usage)
        self._recorder.add("orders.writer_cpu", cpu_us, base=l0_cpu_s * 1e6, usage=usage)

    def _measure_low(self, desk: Desk, token: str, accounts: list[str]) -> None:
        """Measure answer times at eight connections, of the cheapest route and of orders."""
        echo, usage = self._load(connections=_LOW, path="/")
        _require_all(echo, "200")
        self._recorder.add("orders.echo_p50", echo["p50_ms"], usage=usage)
        self._recorder.add("orders.echo_p99", echo["p99_ms"], usage=usage)
        found, usage = self._load(connections=_LOW, path="/api/v1/orders", token=token, accounts=accounts)
        _require_all(found, "201")
        for name in ("p50", "p99"):
            self._recorder.add(f"orders.{name}", found[f"{name}_ms"], base=echo[f"{name}_ms"], usage=usage)
        _drain(desk, accounts)

    def _measure_full(self, desk: Desk, token: str, accounts: list[str], *, l0_rate: float, l0_cpu_s: float) -> None:
        before = self._platform.cpu_s()
        whole = Watch()
        found, usage = self._load(connections=_IN_FLIGHT, path="/api/v1/orders", token=token, accounts=accounts)
        _require_all(found, "201")
        accepted = found["statuses"]["201"] / found["seconds"]
        self._recorder.add("orders.http", accepted, base=l0_rate, usage=usage)
        self._recorder.add("orders.http_p50", found["p50_ms"], usage=usage)
        self._recorder.add("orders.http_p99", found["p99_ms"], usage=usage)
        _drain(desk, accounts)
        usage = whole.stop()
        self._recorder.add("orders.through", found["sent"] / usage.seconds, base=l0_rate, usage=usage)
        after = self._platform.cpu_s()
        spent = {name: (after[name] - before[name]) / found["sent"] * 1e6 for name in PROCESSES}
        total = sum(spent.values())
        self._recorder.add("orders.cpu", total, base=l0_cpu_s * 1e6, usage=usage)
        for name in PROCESSES:
            self._recorder.add(f"orders.cpu_{name}", spent[name], base=total, usage=usage)

    def _load(self, **order: object) -> tuple[Any, Usage]:
        fixed = {"port": self._platform.port, "warm_s": _WARM_S, "seconds": self._seconds}
        watch = Watch()
        found = measure_apart("load", {**fixed, **order, "prefix": f"b{secrets.token_hex(6)}"})
        return found, watch.stop()


def _drain(desk: Desk, accounts: list[str]) -> None:
    for account_id in accounts:
        desk.wait_acknowledged(account_id, timeout_s=_DRAIN_S_MAX)


def _require_all(found: Any, status: str) -> None:  # noqa: ANN401 - JSON
    if set(found["statuses"]) != {status}:
        raise MeasureError(f"expected {status} alone from the platform, got {found['statuses']}")
