"""The reference backtest: alone in a warm process, and as a whole request to the platform."""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.children import MeasureError, measure_apart
from benchmarks.desk import Desk
from benchmarks.machine import Watch

if TYPE_CHECKING:
    from benchmarks.installation import Installation
    from benchmarks.recorder import Recorder

__all__ = ["measure_backtests"]

_BARS: Final = 3270
_LOOK_EVERY_S: Final = 0.005
_REQUEST_S_MAX: Final = 60.0
_ENDED: Final = frozenset({"finished", "failed", "canceled"})


def measure_backtests(recorder: Recorder, platform: Installation, *, repeats: int) -> None:
    """Measure one round."""
    watch = Watch()
    found = measure_apart("engine", {"repeats": repeats})
    usage = watch.stop()
    if found["bars"] != _BARS:
        raise MeasureError(f"the sample holds {found['bars']} bars of AAPL, not {_BARS}")
    engine_ms = median(found["engine_ms"])
    recorder.add("backtest.engine", engine_ms, base=median(found["floor_ms"]), usage=usage)
    recorder.add("backtest.statistics", median(found["statistics_ms"]), base=engine_ms, usage=usage)
    api, _token = platform.person()
    with api:
        desk = Desk(api)
        body = {"version_id": desk.make_workflow(), "symbol": "AAPL", "initial_cash": "100000"}
        _request_ms(desk, body)  # the worker reads the catalogue for the first time
        watch = Watch()
        taken = [_request_ms(desk, body) for _ in range(repeats)]
        request_ms = median(taken)
        recorder.add("backtest.request", request_ms, base=engine_ms, usage=watch.stop())
        key = api.post("/api-keys", {"name": "bench", "scopes": ["read", "trade"]})
    watch = Watch()
    taken = [_command_ms(platform, key) for _ in range(repeats)]
    recorder.add("backtest.command", median(taken), base=request_ms, usage=watch.stop())


def _command_ms(platform: Installation, key: Mapping[str, str]) -> float:
    credentials = {"ALPHINTRA_API_KEY_ID": key["key_id"], "ALPHINTRA_API_SECRET": key["secret"]}
    at = time.perf_counter()
    done = platform.run("backtest", "run", "--template", "ema_crossover", "--symbol", "AAPL", environ=credentials)
    taken = (time.perf_counter() - at) * 1000
    if done.returncode:
        raise MeasureError(f"alphintra backtest run: {done.stderr.strip()[-200:]}")
    return taken


def _request_ms(desk: Desk, body: Mapping[str, object]) -> float:
    at = time.perf_counter()
    path = f"/backtests/{desk.api.post('/backtests', body)['backtest_id']}"
    while (found := desk.api.get(path))["status"] not in _ENDED:
        if time.perf_counter() - at > _REQUEST_S_MAX:
            raise MeasureError("a backtest did not end within a minute")
        time.sleep(_LOOK_EVERY_S)
    taken = (time.perf_counter() - at) * 1000
    if found["status"] != "finished":
        raise MeasureError(f"a backtest ended as {found['status']}: {found['error']}")
    return taken
