"""Every template trades on paper, through the real services, as its backtest says: orders, fills, worth.

All deployments run side by side on one replay, each in an account of its own. Nothing may differ: the paper venue and
the backtest meet bars by one rule, and the backtest's orders are held against the limits of the very account.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from alphintra.cli.client import wait_for
from alphintra.engine.templates import GALLERY
from alphintra.kernel.money import plain

if TYPE_CHECKING:
    from alphintra.cli.client import ApiClient
    from fixtures.platform import Platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SAMPLE = "us-stocks-daily-2000-2013.csv.gz"
PAIR = "crypto-ETHBTC-5m.csv.gz"
BESIDE = [folder / "shared" / "data" / PAIR for folder in Path(__file__).parents[3:]]
STOCKS = ("AAPL", "GOOG", "IBM", "MSFT")
FIVE = "GOOG5"  # five-minute bars made of the shipped daily ones
WAIT_S = 600.0
ENDED = {"finished", "failed", "canceled"}
OVER_SEVERAL = {"momentum_rotation": STOCKS, "pairs": ("IBM", "MSFT")}
INTRADAY = {"vwap_reversion", "opening_range"}
EXCHANGE = ZoneInfo("America/New_York")
BARS_OF_SESSION = 78
SESSIONS = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """A template, what it trades, and the bars of which replay."""

    template: str
    symbols: tuple[str, ...]
    timeframe: str
    capital: str = "100000"

    @property
    def traded(self) -> dict[str, object]:
        """The symbols as a request says them."""
        return {"symbol": self.symbols[0]} if len(self.symbols) == 1 else {"symbols": self.symbols}


def daily_trials() -> list[Trial]:
    return [
        Trial(each.name, OVER_SEVERAL.get(each.name, ("GOOG",)), "1d")
        for each in _gallery()
        if each.name not in INTRADAY
    ]


def _gallery() -> Sequence[Any]:
    return tuple(GALLERY.values()) if hasattr(GALLERY, "values") else tuple(GALLERY)


def test_every_template_trades_the_shipped_stocks_on_paper_as_its_backtest(platform: Platform) -> None:
    api = platform.person("trader").api
    _import(api, (resources.files("alphintra") / "data" / SAMPLE).read_bytes(), SAMPLE)
    _import(api, _five_minutes(), "five.csv")
    daily = [Trial(name, OVER_SEVERAL.get(name, ("GOOG",)), "1d") for name in GALLERY if name not in INTRADAY]
    intraday = [Trial(name, (FIVE,), "5m") for name in sorted(INTRADAY)]
    assert len(daily) + len(intraday) == len(GALLERY)
    window = {"start": "2009-01-01T00:00:00Z", "end": "2010-09-03T00:00:00Z"}
    found = _compared(api, daily, STOCKS, window) | _compared(api, intraday, (FIVE,), {})
    assert all(fills > 0 for fills in found.values()), found


@pytest.mark.skipif(not any(path.exists() for path in BESIDE), reason=f"{PAIR} lies beside few repositories only")
def test_templates_trade_a_pair_of_currencies_on_paper_as_their_backtests(platform: Platform) -> None:
    api = platform.person("trader").api
    data = next(path for path in BESIDE if path.exists()).read_bytes()
    lines = gzip.decompress(data).decode().splitlines()[:400]
    _import(api, "\n".join(lines).encode(), "pair.csv", symbol="ETH/BTC")
    trials = [Trial(name, ("ETH/BTC",), "5m", "500") for name in GALLERY if name not in OVER_SEVERAL]
    found = _compared(api, trials, ("ETH/BTC",), {})
    assert sum(found.values()) > 0, found


def _compared(
    api: ApiClient, trials: Sequence[Trial], symbols: Sequence[str], window: dict[str, str]
) -> dict[str, int]:
    """Replay the bars with every trial deployed, hold each against its backtest; return how many fills each had."""
    body = {"name": f"replay of {symbols[0]}", "symbols": symbols, "interval_ms": 0, **window}
    feed_id = api.post("/feeds", body)["feed_id"]
    path = f"/feeds/{feed_id}"
    wait_for("the feed", partial(api.get, path), lambda found: found["status"] == "paused", timeout_s=WAIT_S)
    deployed = {trial: _deployed(api, trial, feed_id) for trial in trials}
    backtests = {trial: _started(api, trial, deployed[trial], window) for trial in trials}
    api.post(f"{path}/resume", {})
    wait_for("the replay", partial(api.get, path), lambda found: found["status"] in ENDED, timeout_s=WAIT_S)
    assert api.get(path)["status"] == "finished"
    fills = {}
    for trial in trials:
        report = _finished(api, backtests[trial])
        expected = _simulated(report, trial)
        assert _traded(api, deployed[trial]) == expected, trial.template
        fills[trial.template] = len(expected["fills"])
    return fills


def _import(api: ApiClient, content: bytes, name: str, **wishes: str) -> None:
    started = api.upload("/datasets", content, filename=name, source="a test of parity", **wishes)
    fetch = partial(api.get, f"/imports/{started['import_id']}")
    done = wait_for("the import", fetch, lambda found: found["status"] in ENDED, timeout_s=WAIT_S)
    assert done["status"] == "finished", done


def _five_minutes() -> bytes:
    """Return bars of five minutes made of the first sessions of GOOG in 2009: open, one extreme, the other, close.

    The shipped data has no shorter bars, and two templates trade within the session.
    """
    data = (resources.files("alphintra") / "data" / SAMPLE).read_bytes()
    rows = [line.split(",") for line in gzip.decompress(data).decode().splitlines() if line.startswith("GOOG,2009-")]
    lines = ["symbol,time,open,high,low,close,volume"]
    for row in sorted(rows, key=lambda row: row[1])[:SESSIONS]:
        opened, high, low, close = (Decimal(value) for value in row[2:6])
        marks = (opened, *((low, high) if close >= opened else (high, low)), close)
        start = datetime.combine(date.fromisoformat(row[1]), time(9, 30), EXCHANGE).astimezone(UTC)
        prices = [_between(marks, place) for place in range(BARS_OF_SESSION + 1)]
        for place in range(BARS_OF_SESSION):
            first, last = prices[place], prices[place + 1]
            at = (start + timedelta(minutes=5 * place)).isoformat().replace("+00:00", "Z")
            volume = 1000 + place * 37 % 11 * 100
            lines.append(f"{FIVE},{at},{first},{max(first, last)},{min(first, last)},{last},{volume}")
    return "\n".join(lines).encode()


def _between(marks: Sequence[Decimal], place: int) -> Decimal:
    third, rest = divmod(place, BARS_OF_SESSION // 3)
    near, far = marks[third], marks[min(third + 1, len(marks) - 1)]
    return (near + (far - near) * rest / (BARS_OF_SESSION // 3)).quantize(Decimal("0.01"))


def _deployed(api: ApiClient, trial: Trial, feed_id: str) -> dict[str, Any]:
    """Store the template as a workflow and deploy it into a new account of the replay."""
    drawn = {"name": trial.template, "template": trial.template, "timeframe": trial.timeframe}
    workflow = api.post("/workflows", drawn)
    account = api.post("/accounts", {"name": trial.template, "starting_cash": trial.capital, "feed_id": feed_id})
    fetch = partial(api.get, f"/accounts/{account['account_id']}")
    wait_for("the account", fetch, lambda found: found["status"] == "active", timeout_s=WAIT_S)
    told = {"version_id": workflow["version_id"], "account_id": account["account_id"], "capital": trial.capital}
    made: dict[str, Any] = api.post("/deployments", {**told, **trial.traded})
    return made


def _started(api: ApiClient, trial: Trial, deployment: dict[str, Any], window: dict[str, str]) -> str:
    """Queue the backtest of the same version, bars and limits; return its id."""
    names = ("version_id", "account_id")
    body = {name: deployment[name] for name in names} | {
        "initial_cash": trial.capital,
        **trial.traded,
        **window,
    }
    return str(api.post("/backtests", body)["backtest_id"])


def _finished(api: ApiClient, backtest_id: str) -> dict[str, Any]:
    fetch = partial(api.get, f"/backtests/{backtest_id}")
    done = wait_for("the backtest", fetch, lambda found: found["status"] in ENDED, timeout_s=WAIT_S)
    assert done["status"] == "finished", done
    result = done["result"]
    report: dict[str, Any] = json.loads(result) if isinstance(result, str) else result
    assert not any(report["left_out"].values()), report["left_out"]
    return report


def _simulated(report: dict[str, Any], trial: Trial) -> dict[str, Any]:
    """Return what the backtest asked for (bar, symbol, side, quantity, and how it ended), its fills and its worth."""
    symbol = trial.symbols[0]
    fills = [_fill(each["ts"], each.get("symbol", symbol), each) for each in report["fills"]]
    return {
        "orders": _orders_of(report, symbol),
        "fills": sorted(fills),
        "equity": _amount(report["equity"][-1]["equity"]),
    }


def _orders_of(report: dict[str, Any], alone: str) -> list[tuple[Any, ...]]:
    found = []
    for record in report["orders"]:
        order = record["order"]
        symbol = record.get("symbol", alone)
        intent = order["intent"]
        asked = (_moment(order["created_ts"]), symbol, intent["side"], _amount(intent["qty"]), intent["order_type"])
        found.append((*asked, record["status"]))
    return sorted(found)


def _traded(api: ApiClient, deployment: dict[str, Any]) -> dict[str, Any]:
    """Return the same of a deployment, from trading's orders and executions."""
    account_id, deployment_id = deployment["account_id"], deployment["deployment_id"]
    decided = api.get(f"/deployments/{deployment_id}/decisions", limit=1000)["decisions"]
    asked_at = {name: each["bar_ts"] for each in decided for name in each["client_order_id"].split(",") if name}
    listed = api.get("/orders", account_id=account_id, limit=1000)["orders"]
    orders = [
        (
            _moment(asked_at[each["client_order_id"]]),
            *(each["symbol"], each["side"], _amount(each["qty"]), each["type"], each["status"]),
        )
        for each in listed
        if each["leg"] == "entry"
    ]
    executions = api.get(f"/accounts/{account_id}/executions", limit=1000)["executions"]
    fills = [_fill(each["executed_at"], each["symbol"], each) for each in executions]
    current = api.get(f"/deployments/{deployment_id}")
    return {"orders": sorted(orders), "fills": sorted(fills), "equity": _amount(current["equity"])}


def _fill(at: str, symbol: str, each: dict[str, Any]) -> tuple[Any, ...]:
    return (_moment(at), symbol, each["side"], *(_amount(each[name]) for name in ("qty", "price", "fee")))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _amount(value: object) -> Decimal:
    return plain(Decimal(str(value)))
