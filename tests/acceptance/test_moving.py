"""A person trades on paper while all eight services move from layout to layout and back."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.cli.client import ApiClient, wait_for
from alphintra.runtime.home import Home
from alphintra.runtime.layout import recorded_layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.platform import Platform

pytestmark = [pytest.mark.timeout(1800), pytest.mark.slow]

PRICES = "symbol,date,open,high,low,close,volume\n" + "".join(
    f"MOV,2015-01-{day:02},10.00,11.00,9.00,10.50,1000\n" for day in (5, 6, 7, 8, 9, 12, 13)
)
GROUPS = ("trading,risk", "strategy,user", "auth,notification", "nocode,broker")
LAYOUTS = {"hybrid": 3, "central": 1, "separate": 8}


@dataclass(slots=True)
class Trading:
    """What one trader asked for, and what went wrong."""

    orders: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def opened(api: ApiClient, name: str) -> tuple[str, str]:
    """Return an account and its feed, which stands still."""
    feed = api.post("/feeds", {"name": name, "symbols": ["MOV"], "interval_ms": 0})
    wait_for("the feed", lambda: api.get(f"/feeds/{feed['feed_id']}"), lambda found: found["status"] != "preparing")
    made = api.post("/accounts", {"name": name, "starting_cash": "1000", "feed_id": feed["feed_id"]})
    account: str = made["account_id"]
    wait_for("the account", lambda: api.get(f"/accounts/{account}"), lambda found: found["status"] == "active")
    return account, feed["feed_id"]


def hold_ten(api: ApiClient) -> str:
    """Return an account that holds ten shares."""
    upload = api.upload("/datasets", PRICES.encode(), filename="prices.csv", source="made up")
    ended(api, f"/imports/{upload['import_id']}")
    account, feed = opened(api, "holding")
    order = api.place({"account_id": account, "symbol": "MOV", "side": "buy", "qty": "10", "type": "market"})
    path = f"/orders/{order['order_id']}"
    wait_for("the venue", lambda: api.get(path), lambda found: found["status"] != "pending_new")
    api.post(f"/feeds/{feed}/resume", {})
    assert ended(api, path)["status"] == "filled"
    return account


def ended(api: ApiClient, path: str) -> Any:  # noqa: ANN401 - JSON
    over = {"finished", "failed", "filled", "rejected", "canceled", "expired"}
    return wait_for(path, lambda: api.get(path), lambda found: found["status"] in over)


@contextmanager
def traded(platform: Platform, token: str, account: str) -> Iterator[Trading]:
    """Place and cancel orders and look at the portfolio without a rest; every answer counts."""
    trading, is_over = Trading(), threading.Event()
    terms = {"account_id": account, "symbol": "MOV", "side": "buy", "qty": "1", "type": "limit", "limit_price": "8.90"}

    def trade() -> None:
        with ApiClient(platform.base_url, token) as api:
            while not is_over.is_set():
                try:
                    order = api.place(terms)
                    trading.orders.append(order["order_id"])
                    path = f"/orders/{order['order_id']}"
                    wait_for("the venue", partial(api.get, path), lambda found: found["status"] != "pending_new")
                    api.delete(path)
                    assert ended(api, path)["status"] == "canceled"
                    api.get(f"/accounts/{account}")
                except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the end
                    trading.failures.append(repr(error))

    thread = threading.Thread(target=trade)
    thread.start()
    try:
        yield trading
    finally:
        is_over.set()
        thread.join()


def test_a_person_trades_while_all_services_move_from_layout_to_layout(
    private_platform: Callable[..., Platform],
) -> None:
    platform = private_platform()
    person = platform.person("trader")
    held = hold_ten(person.api)
    account, _feed = opened(person.api, "trading")
    token = person.api.post("/auth/login", {"email": person.email, "password": person.password})["access_token"]
    with traded(platform, token, account) as trading:
        for layout, databases in LAYOUTS.items():
            before = len(trading.orders)
            for services in GROUPS:
                done = platform.run("db", "migrate", "--to", layout, "--services", services, "--json")
                assert done.returncode == 0, done.stderr
                moved = json.loads(done.stdout)["services"]
                assert {each["state"] for each in moved} == {"verified"}
                finished = platform.run("db", "migrate", "--finish", "--yes")
                assert finished.returncode == 0, finished.stderr
            assert len({item.database for item in recorded_layout(Home.existing(platform.home))}) == databases
            assert len(trading.orders) > before
    assert trading.failures == []
    statuses = {person.api.get(f"/orders/{order}")["status"] for order in trading.orders}
    assert statuses == {"canceled"}
    login = ("login", "--email", person.email, "--password-stdin")
    assert platform.run(*login, text=person.password).returncode == 0
    assert platform.run("books", "check").returncode == 0
    assert platform.run("db", "plan").returncode == 0
    assert platform.run("db", "verify", "--quick").returncode == 0
    assert platform.run("down").returncode == 0
    again = platform.run("up", "--detach")
    assert again.returncode == 0, again.stderr
    with ApiClient(platform.base_url, token) as api:
        positions = api.get(f"/accounts/{held}/positions")["positions"]
    assert [(each["symbol"], each["qty"]) for each in positions] == [("MOV", "10")]
