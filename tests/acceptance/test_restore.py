"""One service is brought back to the second before rows were deleted, while a person trades on paper."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from alphintra.cli.client import ApiClient, wait_for
from alphintra.infrastructure.system import SystemClock
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fixtures.platform import Platform

pytestmark = [pytest.mark.timeout(1800), pytest.mark.slow]

PRICES = "symbol,date,open,high,low,close,volume\n" + "".join(
    f"BCK,2015-01-{day:02},10.00,11.00,9.00,10.50,1000\n" for day in (5, 6, 7, 8, 9, 12, 13)
)
OVER = {"finished", "failed", "filled", "rejected", "canceled", "expired"}


def asked(platform: Platform, statement: str) -> list[Any]:
    """Run a statement as somebody who can do anything in notification's database."""
    server = next(each for each in provisioned_order(Home.existing(platform.home)).instances if each.instance == "main")

    async def run() -> list[Any]:
        connection = await asyncpg.connect(server.admin_url, database="alphintra_notification")
        try:
            await connection.execute("set search_path = notification_schema")
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return asyncio.run(run())


def ended(api: ApiClient, path: str) -> Any:  # noqa: ANN401 - JSON
    return wait_for(path, lambda: api.get(path), lambda found: found["status"] in OVER)


def opened(api: ApiClient) -> str:
    upload = api.upload("/datasets", PRICES.encode(), filename="prices.csv", source="made up")
    ended(api, f"/imports/{upload['import_id']}")
    feed = api.post("/feeds", {"name": "restore", "symbols": ["BCK"], "interval_ms": 0})
    wait_for("the feed", lambda: api.get(f"/feeds/{feed['feed_id']}"), lambda found: found["status"] != "preparing")
    made = api.post("/accounts", {"name": "restore", "starting_cash": "1000", "feed_id": feed["feed_id"]})
    account: str = made["account_id"]
    wait_for("the account", lambda: api.get(f"/accounts/{account}"), lambda found: found["status"] == "active")
    return account


def trade_once(api: ApiClient, account: str) -> str:
    """Place an order and cancel it, of which notification tells."""
    terms = {"account_id": account, "symbol": "BCK", "side": "buy", "type": "limit", "limit_price": "8.90"}
    taken = api.place(terms | {"qty": "1"})
    path = f"/orders/{taken['order_id']}"
    wait_for("the venue", partial(api.get, path), lambda found: found["status"] != "pending_new")
    api.delete(path)
    assert ended(api, path)["status"] == "canceled"
    done: str = taken["order_id"]
    return done


@contextmanager
def traded(platform: Platform, token: str, account: str) -> Iterator[tuple[list[str], list[str]]]:
    orders: list[str] = []
    failures: list[str] = []
    is_over = threading.Event()

    def trade() -> None:
        with ApiClient(platform.base_url, token) as api:
            while not is_over.is_set():
                try:
                    orders.append(trade_once(api, account))
                except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the end
                    failures.append(repr(error))

    thread = threading.Thread(target=trade)
    thread.start()
    try:
        yield orders, failures
    finally:
        is_over.set()
        thread.join()


def test_one_service_is_brought_back_while_the_others_trade(
    private_platform: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = private_platform(settings=f'[backup]\ntarget = "{tmp_path / "backups"}"\n')
    person = platform.person("trader")
    account = opened(person.api)
    token = person.api.post("/auth/login", {"email": person.email, "password": person.password})["access_token"]
    made = platform.run("backup", "run", "--instance", "main", "--json")
    assert made.returncode == 0, made.stderr
    with traded(platform, token, account) as (orders, failures):
        wait_for("some trades", lambda: asked(platform, "select message_id from messages"), lambda rows: len(rows) > 2)
        kept = set(asked(platform, "select message_id, body from messages"))
        at = SystemClock().now()
        wait_for("more", lambda: len(orders), lambda count: count > len(kept) + 2)
        asked(platform, "truncate messages cascade")
        before = len(orders)
        done = platform.run("backup", "restore", "--service", "notification", "--at", at.isoformat(), "--yes", "--json")
        assert done.returncode == 0, done.stderr
        restored = json.loads(done.stdout)
        assert len(orders) > before
        wait_for("trades afterwards", lambda: len(orders), lambda count: count > before + 3)
    assert failures == []
    assert restored["heard_again"] > 0
    assert restored["lost"] == 0
    assert kept <= set(asked(platform, "select message_id, body from messages"))
    # I15: it has told of every order that was canceled, also of those after the moment it was brought back to.
    wait_for(
        "what was canceled",
        lambda: asked(platform, "select count(*) from messages where kind = 'order_canceled'"),
        lambda rows: rows[0][0] == len(orders),
    )
    finished = platform.run("backup", "restore", "--finish", "--yes")
    assert finished.returncode == 0, finished.stderr
    for command in (("books", "check"), ("db", "plan"), ("db", "verify", "--quick")):
        found = platform.run(*command, environ=person.key)
        assert found.returncode == 0, (command, found.stdout, found.stderr)
