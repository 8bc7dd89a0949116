"""A desk of each test's own on the shared platform, and the stream of its trade updates."""

from __future__ import annotations

import asyncio
import secrets
import threading
import warnings
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from acceptance.alpaca.desk import DEADLINE_S, Desk
from alphintra.cli.client import wait_for

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library's own imports
    from alpaca.data.historical import StockHistoricalDataClient
    from alpaca.trading.client import TradingClient
    from alpaca.trading.stream import TradingStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.platform import Platform

BARS = 60
_ENDED = {"finished", "failed", "canceled"}


def prices(symbol: str, split_symbol: str) -> bytes:
    """Return daily bars that rise by a dollar a day from 100, and some of a symbol that is split on its third day."""
    rows = ["symbol,date,open,high,low,close,volume,adj_close"]
    day = date(2024, 1, 2)
    for number in range(BARS):
        price = 100 + number
        rows.append(f"{symbol},{day},{price}.00,{price + 2}.00,{price - 2}.00,{price + 1}.00,100000,{price + 1}.00")
        day += timedelta(days=3 if day.weekday() == 4 else 1)
    for number, close in enumerate((100, 100, 50, 50)):
        rows.append(f"{split_symbol},{date(2024, 1, 2 + number)},{close},{close},{close},{close},100000,50")
    return ("\n".join(rows) + "\n").encode()


@pytest.fixture
def desk(platform: Platform) -> Desk:
    symbol = "P" + secrets.token_hex(3).upper()
    split_symbol = "S" + symbol[1:]
    person = platform.person("trader")
    started = person.api.upload(
        "/datasets", prices(symbol, split_symbol), filename="prices.csv", source="made up for a test"
    )
    path = f"/imports/{started['import_id']}"
    done = wait_for("the import", lambda: person.api.get(path), lambda found: found["status"] in _ENDED)
    assert done["status"] == "finished", done
    feed = person.api.post("/feeds", {"name": f"replay {symbol}", "symbols": [symbol], "interval_ms": 0})
    path = f"/feeds/{feed['feed_id']}"
    wait_for("the feed", lambda: person.api.get(path), lambda found: found["status"] == "paused")
    body = {"name": "Paper", "starting_cash": "100000", "feed_id": feed["feed_id"]}
    account = f"/accounts/{person.api.post('/accounts', body)['account_id']}"
    opened = wait_for("the account", lambda: person.api.get(account), lambda found: found["status"] == "active")
    key_id, secret = person.key["ALPHINTRA_API_KEY_ID"], person.key["ALPHINTRA_API_SECRET"]
    url = f"{platform.base_url}/alpaca"
    desk = Desk(
        person=person,
        symbol=symbol,
        split_symbol=split_symbol,
        feed_id=feed["feed_id"],
        account_id=opened["account_id"],
        trading=TradingClient(key_id, secret, paper=True, url_override=url),
        data=StockHistoricalDataClient(key_id, secret, url_override=url),
    )
    desk.step(1)
    return desk


async def _hear(opened: Any, tasks: list[asyncio.Task[None]]) -> None:  # noqa: ANN401 - of the library
    tasks.append(asyncio.ensure_future(opened._run_forever()))
    try:
        await tasks[0]
    except asyncio.CancelledError:
        await opened.close()


@pytest.fixture
def stream(desk: Desk, platform: Platform) -> Iterator[list[Any]]:
    """Hear trade updates in a thread, as a script does; the test begins once the platform says it listens."""
    key_id, secret = desk.person.key["ALPHINTRA_API_KEY_ID"], desk.person.key["ALPHINTRA_API_SECRET"]
    url = f"ws://127.0.0.1:{platform.port}/alpaca/stream"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened: Any = TradingStream(key_id, secret, paper=True, url_override=url)
    is_listening = threading.Event()
    dispatch = opened._dispatch

    async def watch(message: Any) -> None:  # noqa: ANN401 - of the library
        await dispatch(message)
        if message.get("stream") == "listening":
            is_listening.set()

    async def remember(update: Any) -> None:  # noqa: ANN401 - of the library
        desk.updates.append(update)

    opened._dispatch = watch
    opened.subscribe_trade_updates(remember)
    tasks: list[asyncio.Task[None]] = []
    thread = threading.Thread(target=lambda: asyncio.run(_hear(opened, tasks)), daemon=True)
    thread.start()
    assert is_listening.wait(DEADLINE_S)
    yield desk.updates
    opened._loop.call_soon_threadsafe(tasks[0].cancel)
    thread.join(DEADLINE_S)
