"""The kill switch: how long until a thousand working orders are canceled, asked for and read over the API."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING, Final

from alphintra.cli.client import ApiClient
from benchmarks.children import MeasureError
from benchmarks.desk import Desk
from benchmarks.machine import Watch

if TYPE_CHECKING:
    from benchmarks.installation import Installation
    from benchmarks.recorder import Recorder

__all__ = ["measure_kill"]

_ORDERS: Final = 1000
_ALIVE: Final = ("pending_new", "new", "pending_cancel", "unknown")
_SENDERS: Final = 8
_ACKNOWLEDGED_S_MAX: Final = 120.0
_CANCELED_S_MAX: Final = 120.0


def measure_kill(recorder: Recorder, platform: Installation) -> None:
    """Have a thousand orders of one account work, halt the account, wait until none is alive.

    Raises MeasureError if some are alive after two minutes.
    """
    api, token = platform.person()
    with api:
        desk = Desk(api)
        account_id = desk.open_account(desk.make_feed()["feed_id"])
        _place(platform, token, account_id)
        desk.wait_acknowledged(account_id, timeout_s=_ACKNOWLEDGED_S_MAX)
        _wait_for_none(api, account_id, ("pending_new",))
        watch = Watch()
        asked_at = perf_counter()
        api.post("/risk/kill", {"scope": "account", "account_id": account_id, "reason": "benchmark"})
        _wait_for_none(api, account_id, _ALIVE)
        recorder.add("kill.canceled", (perf_counter() - asked_at) * 1000, usage=watch.stop())
        ended = api.get("/orders", account_id=account_id, status="canceled", limit=_ORDERS)["orders"]
        if len(ended) != _ORDERS:
            raise MeasureError(f"{len(ended)} of {_ORDERS} orders were canceled")


def _place(platform: Installation, token: str, account_id: str) -> None:
    def send(numbers: range) -> None:
        with ApiClient(platform.base_url, token) as api:
            for number in numbers:
                api.post(
                    "/orders",
                    {
                        "account_id": account_id,
                        "symbol": "MSFT",
                        "side": "buy",
                        "qty": "1",
                        "type": "limit",
                        "limit_price": "0.01",
                        "time_in_force": "gtc",
                        "client_order_id": f"kill-{number}",
                    },
                )

    with ThreadPoolExecutor(_SENDERS) as senders:
        list(senders.map(send, (range(first, _ORDERS, _SENDERS) for first in range(_SENDERS))))


def _wait_for_none(api: ApiClient, account_id: str, statuses: tuple[str, ...]) -> None:
    deadline = perf_counter() + _CANCELED_S_MAX
    for status in statuses:
        while api.get("/orders", account_id=account_id, status=status, limit=1)["orders"]:
            if perf_counter() > deadline:
                raise MeasureError(f"orders are still {status} after {_CANCELED_S_MAX:g} s")
