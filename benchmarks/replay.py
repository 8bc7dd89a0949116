"""Paper trading: how fast a replayed market moves in lock-step, and how soon an order is a booked fill."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Final

from alphintra.cli.client import wait_for
from benchmarks.children import MeasureError
from benchmarks.desk import Desk
from benchmarks.machine import Watch

if TYPE_CHECKING:
    from benchmarks.installation import Installation
    from benchmarks.recorder import Recorder

__all__ = ["measure_replay"]

_REPLAY_S_MAX: Final = 300.0
_ROWS_MAX: Final = 1000


def measure_replay(
    recorder: Recorder, platform: Installation, *, commits_per_s: float | None, steps_max: int | None
) -> None:
    """Replay a feed with the crossover deployed on it, to its end or for so many steps.

    Args:
        recorder: takes the samples.
        platform: running, with the sample's prices in its catalogue.
        commits_per_s: of one client of PostgreSQL, measured before; None where that was left out.
        steps_max: after how many steps to stop; None for the whole replay.
    """
    api, _token = platform.person()
    with api:
        desk = Desk(api)
        feed = desk.make_feed()
        account_id = desk.open_account(feed["feed_id"])
        deployed = {"version_id": desk.make_workflow(), "account_id": account_id, "symbol": "AAPL", "capital": "100000"}
        api.post("/deployments", deployed)
        path = f"/feeds/{feed['feed_id']}"
        target = feed["steps"] if steps_max is None else min(steps_max, feed["steps"])
        before = sum(platform.cpu_s().values())
        watch = Watch()
        api.post(f"{path}/resume", {"pause_at": target})
        ended = wait_for(
            "the replay",
            lambda: api.get(path),
            lambda found: found["seq"] >= target or found["status"] == "failed",
            timeout_s=_REPLAY_S_MAX,
        )
        usage = watch.stop()
        if ended["status"] == "failed":
            raise MeasureError(f"the replay failed: {ended['error']}")
        step_ms = usage.seconds / target * 1000
        recorder.add("replay.rate", target / usage.seconds, usage=usage)
        recorder.add("replay.step", step_ms, base=None if commits_per_s is None else 1000 / commits_per_s, usage=usage)
        cpu_s = sum(platform.cpu_s().values()) - before
        recorder.add("replay.cpu", cpu_s / target * 1000, usage=usage)
        orders = {order["order_id"]: order for order in api.get("/orders", account_id=account_id)["orders"]}
        fills = api.get(f"/accounts/{account_id}/executions", limit=_ROWS_MAX)["executions"]
        taken = [_ms_between(orders[fill["order_id"]]["created_at"], fill["booked_at"]) for fill in fills]
        if not taken:
            raise MeasureError("the deployed strategy traded nothing")
        recorder.add("replay.fill", median(taken), base=step_ms, usage=usage)


def _ms_between(first: str, second: str) -> float:
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds() * 1000
