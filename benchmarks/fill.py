"""From an order to its fill on the WebSocket: what a person who watches their orders sees."""

from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from alphintra.cli.client import wait_for
from benchmarks.children import MeasureError
from benchmarks.desk import Desk
from benchmarks.machine import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.cli.client import ApiClient
    from benchmarks.installation import Installation
    from benchmarks.recorder import Recorder

__all__ = ["measure_fill"]

_SYMBOL: Final = "AAPL"
_TOLD_S_MAX: Final = 30.0
_UNMEASURED: Final = 5


def measure_fill(recorder: Recorder, platform: Installation, *, orders: int) -> None:
    """Place market orders one after the other, step the market as soon as each works, and wait until its fill is told.

    Measured is the whole: the request, risk, the venue's acknowledgement, one step of the feed, matching, booking, and
    each of the relays between them. The first orders, which open connections, do not count.

    Raises MeasureError if a fill is not told in half a minute.
    """
    api, token = platform.person()
    with api:
        desk = Desk(api)
        feed = desk.make_feed()
        account_id = desk.open_account(feed["feed_id"])
        with _listening(platform.port, token) as told:
            taken_ms: list[float] = []
            watch = Watch()
            for number in range(orders + _UNMEASURED):
                if number == _UNMEASURED:
                    watch = Watch()
                taken_ms.append(_filled_after_ms(api, told, feed, account_id=account_id, number=number))
            usage = watch.stop()
    counted = sorted(taken_ms[_UNMEASURED:])
    recorder.add("fill.p50", counted[len(counted) // 2], usage=usage)
    recorder.add("fill.p99", counted[len(counted) * 99 // 100], usage=usage)


def _filled_after_ms(
    api: ApiClient, told: ClientConnection, feed: Mapping[str, Any], *, account_id: str, number: int
) -> float:
    """Return how long an order takes to its fill; the feed stands at the step of that number before."""
    path = f"/feeds/{feed['feed_id']}"
    target = int(feed["seq"]) + number + 1
    order = {
        "account_id": account_id,
        "symbol": _SYMBOL,
        "side": "buy",
        "qty": "1",
        "type": "market",
        "time_in_force": "day",
        "client_order_id": f"fill-{number}",
    }
    asked_at = perf_counter()
    order_id = api.post("/orders", order)["order_id"]
    _wait_told(told, order_id, "new")
    api.post(f"{path}/resume", {"pause_at": target})
    _wait_told(told, order_id, "fill")
    taken_ms = (perf_counter() - asked_at) * 1000
    wait_for("the end of the step", lambda: api.get(path), lambda found: _stands(found, target))
    return taken_ms


def _stands(feed: Mapping[str, Any], target: int) -> bool:
    return bool(feed["seq"] >= target and feed["status"] == "paused")


def _wait_told(told: ClientConnection, order_id: str, event: str) -> None:
    try:
        while True:
            message = json.loads(told.recv(timeout=_TOLD_S_MAX))
            data = message["data"]
            if message["stream"] == "trade_updates" and data["order"]["id"] == order_id and data["event"] == event:
                return
    except (TimeoutError, WebSocketException) as error:
        raise MeasureError(f"the stream did not tell {event!r} of an order: {error!r}") from error


def _listening(port: int, token: str) -> ClientConnection:
    told = connect(f"ws://127.0.0.1:{port}/alpaca/stream")
    told.send(json.dumps({"action": "authenticate", "data": {"oauth_token": token}}))
    told.recv(timeout=_TOLD_S_MAX)
    told.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
    told.recv(timeout=_TOLD_S_MAX)
    return told
