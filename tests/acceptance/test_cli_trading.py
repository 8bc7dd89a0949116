"""The way of a trader over the command line alone: prices, strategy, backtest, account, orders, risk."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from alphintra.cli.client import wait_for
from fixtures.installation import COMMAND_TIMEOUT_S
from fixtures.platform import Person, Platform

DAYS = 400


class Trader:
    """Calls commands as one person and reads what they print."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.person: Person = platform.person("trader")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as this person."""
        return self.platform.run(*arguments, environ=self.person.key)

    def json(self, *arguments: str, status: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Run a command with --json and return what it printed."""
        ended = self.run(*arguments, "--json")
        assert ended.returncode == status, ended.stderr
        return json.loads(ended.stdout)


@pytest.fixture
def trader(platform: Platform) -> Trader:
    return Trader(platform)


@pytest.fixture
def symbol() -> str:
    return "T" + secrets.token_hex(4).upper()


@pytest.fixture
def prices(tmp_path: Path, symbol: str) -> Path:
    """A rising and falling price, so that averages cross."""
    path = tmp_path / "prices.csv"
    rows = ["symbol,date,open,high,low,close,volume"]
    price, day = 100.0, date(2015, 1, 5)
    for number in range(DAYS):
        price += 1 if number // 60 % 2 == 0 else -1
        rows.append(f"{symbol},{day},{price:.2f},{price + 1:.2f},{price - 1:.2f},{price + 0.5:.2f},1000")
        day += timedelta(days=3 if day.weekday() == 4 else 1)
    path.write_text("\n".join(rows) + "\n")
    return path


def test_from_a_file_to_filled_orders(trader: Trader, symbol: str, prices: Path) -> None:
    imported = trader.json("data", "import", str(prices), "--source", "made up for a test")
    assert [(each["symbol"], each["rows"]) for each in imported["datasets"]] == [(symbol, DAYS)]
    assert trader.json("data", "show", symbol.lower())["source"] == "made up for a test"
    strategy = trader.json("strategy", "create", "--name", "crossing", "--template", "sma_crossover")
    run = ("backtest", "run", "--workflow", "crossing", "--symbol", symbol, "--cash", "10000", "--fee-bps", "5")
    first, second = trader.json(*run), trader.json(*run)
    assert first["status"] == "finished"
    assert first["metrics"]["trade_count"] >= 1
    assert (first["run_hash"], first["result_hash"]) == (second["run_hash"], second["result_hash"])
    feed = trader.json("feed", "create", "--name", f"replay {symbol}", "--symbol", symbol, "--interval-ms", "0")
    account = trader.json("account", "open", "--name", "paper", "--cash", "50000", "--feed", f"replay {symbol}")
    deployment = trader.json(
        "strategy", "deploy", "--workflow", strategy["workflow_id"], "--account", "paper", "--symbol", symbol,
        "--capital", "10000",
    )  # fmt: skip
    bought = trader.json("order", "buy", symbol, "3", "--account", "paper", "--key", f"once-{symbol}")
    again = trader.json("order", "buy", symbol, "3", "--account", "paper", "--key", f"once-{symbol}")
    assert again["order_id"] == bought["order_id"]
    resting = trader.json("order", "buy", symbol, "1", "--account", "paper", "--limit", "1.00", "--tif", "gtc")
    await_status(trader, resting, {"new"})
    trader.json("order", "cancel", resting["order_id"])
    await_status(trader, resting, {"canceled"})
    trader.json("feed", "resume", feed["feed_id"])
    path = f"/feeds/{feed['feed_id']}"
    ended = wait_for("the replay", lambda: trader.person.api.get(path), lambda found: found["status"] == "finished")
    assert ended["seq"] == ended["steps"]
    assert await_status(trader, bought, {"filled"})["filled_qty"] == "3"
    books = trader.json("account", "show", "paper")
    assert books["ledger_total"] == "0"
    checked = trader.json("books", "check", "--account", "paper", "--wait", "60")
    assert [rule["rule"] for rule in checked["accounts"][0]["rules"] if not rule["holds"]] == []
    assert len(checked["accounts"][0]["rules"]) == 7
    manual = [each for each in books["positions"] if each["book_id"] is None]
    assert [(each["symbol"], each["qty"]) for each in manual] == [(symbol, "3")]
    own = trader.json("strategy", "deployments")["deployments"]
    assert [(each["deployment_id"], each["intents"] > 0) for each in own] == [(deployment["deployment_id"], True)]
    decisions = trader.json("strategy", "decisions", deployment["deployment_id"], "-n", "400")["decisions"]
    assert decisions[0]["seq"] == ended["seq"]
    orders = trader.json("order", "list", "--account", account["account_id"], "--status", "canceled")["orders"]
    assert [each["order_id"] for each in orders] == [resting["order_id"]]


def test_risk_refuses_and_the_kill_switch_blocks(trader: Trader, symbol: str, prices: Path) -> None:
    account = with_account(trader, symbol, prices)
    buy = ("order", "buy", symbol)
    limits = trader.json("risk", "limits", "set", "--account", account, "--order-qty-max", "5")
    assert (limits["order_qty_max"], limits["version"]) == ("5", 2)
    assert trader.json("risk", "limits", "show", "--account", account) == limits
    refused = trader.run(*buy, "6", "--account", account)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error RISK_QTY_MAX: ")
    assert "denied" in refused.stdout
    assert trader.json(*buy, "5", "--account", account)["status"] == "pending_new"
    scope = ("--scope", "account", "--account", account, "--reason", "test")
    assert trader.run("risk", "kill", *scope).stderr.startswith("error CONFIRM_REQUIRED: ")
    assert trader.json("risk", "kill", *scope, "--yes")["state"] == "halted"
    assert trader.json(*buy, "1", "--account", account, status=1)["reason_code"] == "KILL_ACTIVE"
    assert trader.json("risk", "release", *scope, "--yes")["state"] == "normal"
    assert trader.json(*buy, "1", "--account", account)["status"] == "pending_new"


def test_why_an_order_was_refused_and_what_people_set_beside_limits(trader: Trader, symbol: str, prices: Path) -> None:
    account = with_account(trader, symbol, prices)
    named = ("--account", account)
    trader.json("risk", "limits", "set", *named, "--order-qty-max", "5", "--control", "price_collar_pct=50")
    refused = trader.json("order", "buy", symbol, "6", *named, status=1)
    (decision,) = trader.json("risk", "why", refused["order_id"])["decisions"]
    assert [each["code"] for each in decision["findings"]] == ["RISK_QTY_MAX"]
    assert (decision["limit_version"], decision["is_intact"]) == (2, True)
    assert "RISK_QTY_MAX" in trader.run("risk", "why", refused["order_id"]).stdout
    stranger = Trader(trader.platform)
    assert stranger.run("risk", "why", refused["order_id"]).stderr.startswith("error ORDER_NOT_FOUND: ")
    changed = trader.json("risk", "limits", "diff", *named, "1", "2")["changed"]
    assert changed["order_qty_max"]["new"] == "5"
    assert changed["price_collar_pct"] == {"old": None, "new": "50"}
    assert [each["version"] for each in trader.json("risk", "limits", "history", *named)["versions"]] == [2, 1]
    assert trader.run("risk", "limits", "diff", *named, "1", "9").stderr.startswith("error LIMITS_VERSION: ")
    # Leave is asked for by the trader; giving it is for somebody else, and not for a trader.
    asked = trader.json("risk", "overrides", "request", refused["order_id"], "--reason", "agreed with the client")
    assert trader.run("risk", "overrides", "approve", asked["override_id"]).stderr.startswith("error ")
    (waiting,) = trader.json("risk", "overrides", "list", *named, "--open")["overrides"]
    assert waiting["override_id"] == asked["override_id"]
    leave = trader.platform.run("risk", "overrides", "approve", asked["override_id"], "--json")
    assert leave.returncode == 0, leave.stderr
    assert trader.json("order", "buy", symbol, "6", *named)["status"] == "pending_new"
    restricted = trader.json("risk", "restrictions", "add", symbol, *named, "--reason", "insider list 7")
    told = trader.run("order", "buy", symbol, "1", *named)
    assert told.stderr.startswith("error RISK_RESTRICTED: ")
    assert "insider" not in told.stderr
    trader.json("risk", "restrictions", "lift", restricted["restriction_id"])
    assert trader.json("order", "buy", symbol, "1", *named)["status"] == "pending_new"
    own = trader.json("risk", "exposure", *named)
    assert [each["symbol"] for each in own["exposures"]] == [symbol]
    assert trader.json("risk", "latches", "list", *named) == {"latches": []}


def test_trading_of_one_person_is_blocked_by_the_scope_named(trader: Trader, symbol: str, prices: Path) -> None:
    account = with_account(trader, symbol, prices)
    why = ("--reason", "test", "--yes")
    for wrong in (("--scope", "user"), ("--scope", "venue", "--account", account), ("--scope", "firm", "--venue", "x")):
        assert trader.run("risk", "kill", *wrong, *why).stderr.startswith("error KILL_SCOPE: ")
    user = ("--scope", "user", "--user", trader.person.user_id)
    assert trader.json("risk", "kill", *user, *why)["owner_id"] == trader.person.user_id
    assert trader.json("order", "buy", symbol, "1", "--account", account, status=1)["reason_code"] == "KILL_ACTIVE"
    assert trader.json("risk", "release", *user, *why)["state"] == "normal"
    assert trader.json("order", "buy", symbol, "1", "--account", account)["status"] == "pending_new"


def test_tables_for_people_stay_within_100_columns(trader: Trader, symbol: str, prices: Path) -> None:
    account = with_account(trader, symbol, prices)
    trader.run("order", "buy", symbol, "12345", "--account", account, "--limit", "0.5")
    run = trader.run("backtest", "run", "--template", "ema_crossover", "--symbol", symbol, "--start", "2015-01-01")
    assert "the deepest fall" in run.stdout
    wide = []
    for command in (
        ("data", "list"),
        ("data", "show", symbol),
        ("feed", "list"),
        ("account", "list"),
        ("account", "show", account),
        ("order", "list", "--account", account),
        ("strategy", "list"),
        ("strategy", "templates"),
        ("strategy", "deployments"),
        ("backtest", "list"),
        ("risk", "limits", "show", "--account", account),
        ("user", "list"),
    ):
        shown = trader.run(*command)
        assert (command, shown.returncode, shown.stderr) == (command, 0, "")
        wide += [line for line in shown.stdout.splitlines() if len(line) > 100]
    assert wide == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"date,open,high,low,close,volume\n", "FILE_EMPTY"),
        (b"date,open,high,low,volume\n2015-01-05,1,1,1,1\n", "CSV_COLUMN"),
        (b"\x1f\x8b\x08\x00broken", "FILE_TRUNCATED"),
    ],
)
def test_a_file_without_bars_is_refused_by_name_and_leaves_nothing(
    trader: Trader, symbol: str, tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    refused = trader.run("data", "import", str(path), "--symbol", symbol)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith(f"error {code}: prices.csv: ")
    assert refused.stdout == ""
    assert trader.run("data", "show", symbol).returncode == 2


def test_unknown_things_are_named(trader: Trader, symbol: str) -> None:
    other = Trader(trader.platform)
    strangers = other.json("strategy", "create", "--name", "theirs", "--template", "ema_crossover")["workflow_id"]
    for arguments, code in (
        (("data", "show", symbol), "SYMBOL_UNKNOWN"),
        (("account", "show", "nowhere"), "ACCOUNT_NOT_FOUND"),
        (("feed", "resume", "nowhere"), "FEED_NOT_FOUND"),
        (("strategy", "show", strangers), "WORKFLOW_NOT_FOUND"),
        (("strategy", "show", "theirs"), "WORKFLOW_NOT_FOUND"),
        (("order", "show", strangers), "ORDER_NOT_FOUND"),
        (("backtest", "run", "--symbol", symbol, "--template", "none_such"), "TEMPLATE_UNKNOWN"),
        (("user", "api-key", "create", "--user", "x@y.example", "--scope", "read", "--name", "n"), "USER_NOT_FOUND"),
    ):
        refused = trader.run(*arguments)
        found = refused.stderr.partition(":")[0]
        assert (arguments, refused.returncode, found) == (arguments, 2, f"error {code}")
        assert refused.stderr.count("\n") == 1


def test_a_graph_is_checked_without_being_stored(trader: Trader, tmp_path: Path) -> None:
    template = trader.json("strategy", "templates")["templates"][0]
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(template["graph"], indent=2))
    assert trader.json("strategy", "validate", str(path))["problems"] == []
    broken = {**template["graph"], "nodes": template["graph"]["nodes"][1:]}
    path.write_text(json.dumps(broken))
    assert trader.json("strategy", "validate", str(path), status=1)["problems"] != []
    path.write_text('{"nodes": [\n  1,,\n]}')
    refused = trader.run("strategy", "validate", str(path))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error JSON_SYNTAX: {path}:2:")
    assert trader.json("strategy", "list")["workflows"] == []


def test_ctrl_c_cancels_the_backtest_it_waits_for(trader: Trader, symbol: str, prices: Path) -> None:
    trader.json("data", "import", str(prices))
    argv = [sys.executable, "-m", "alphintra", "backtest", "run", "--template", "ema_crossover", "--symbol", symbol]
    environ: Mapping[str, str] = trader.platform.environ(**trader.person.key)
    with subprocess.Popen(argv, stderr=subprocess.PIPE, env=dict(environ), text=True) as child:  # noqa: S603 - our own program
        assert child.stderr is not None
        assert child.stderr.readline() == f"backtesting {symbol}\n"
        os.kill(child.pid, signal.SIGINT)
        said = child.stderr.read()
        status = child.wait(timeout=COMMAND_TIMEOUT_S)
    started = trader.json("backtest", "list")["backtests"]
    assert len(started) == 1
    # It is fast: the interrupt may come when it is done already.
    assert (status, "canceled the backtest" in said) in {(130, True), (130, False), (0, False)}
    assert started[0]["status"] in ({"canceled", "finished"} if status else {"finished"})


def test_people_log_in_use_keys_and_log_out(platform: Platform) -> None:
    email = f"{secrets.token_hex(6)}@alphintra.example"
    password = "a made-up passphrase"
    made = platform.run("user", "create", "--email", email, "--role", "viewer", "--password-stdin", text=password)
    assert made.returncode == 0
    twice = platform.run("user", "create", "--email", email, "--role", "viewer", "--password-stdin", text=password)
    assert (twice.returncode, twice.stderr.partition(":")[0]) == (2, "error EMAIL_TAKEN")
    wrong = platform.run("login", "--email", email, "--password-stdin", text="wrong")
    assert (wrong.returncode, wrong.stderr.partition(":")[0]) == (2, "error LOGIN_FAILED")
    missing = platform.run("login", "--email", email)
    assert (missing.returncode, missing.stderr.partition(":")[0]) == (2, "error PASSWORD_REQUIRED")
    assert platform.run("account", "list").stderr.startswith("error LOGIN_REQUIRED: ")
    assert platform.run("login", "--email", email, "--password-stdin", text=password).returncode == 0
    kept = platform.home / "secrets" / "cli-session"
    assert kept.stat().st_mode & 0o077 == 0
    key = json.loads(platform.run("user", "api-key", "create", "--scope", "read", "--name", "bot", "--json").stdout)
    listed = platform.run("user", "api-key", "list")
    assert key["key_id"] in listed.stdout
    assert key["secret"] not in listed.stdout
    environ = {"ALPHINTRA_API_KEY_ID": key["key_id"], "ALPHINTRA_API_SECRET": key["secret"]}
    assert platform.run("account", "list", environ=environ).returncode == 0
    viewer = platform.run("strategy", "create", "--name", "x", "--template", "ema_crossover", environ=environ)
    assert viewer.stderr.startswith("error AUTH_SCOPE: ")
    assert platform.run("user", "api-key", "revoke", key["key_id"], "--yes").returncode == 0
    assert platform.run("account", "list", environ=environ).returncode == 2
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"access_token": "not.a.token"}))
    assert platform.run("account", "list").returncode == 2
    assert platform.run("logout").returncode == 0
    assert not kept.exists()
    assert platform.run("logout").stdout == "nobody was logged in\n"


def with_account(trader: Trader, symbol: str, prices: Path) -> str:
    """Import the prices and open an account on a paused replay of them that has a first price."""
    trader.json("data", "import", str(prices))
    trader.json("feed", "create", "--name", f"replay {symbol}", "--symbol", symbol)
    account: str = trader.json("account", "open", "--name", "paper", "--feed", f"replay {symbol}")["account_id"]
    return account


def await_status(trader: Trader, order: Mapping[str, Any], wanted: set[str]) -> Any:  # noqa: ANN401 - JSON
    path = f"/orders/{order['order_id']}"
    return wait_for("the order's status", lambda: trader.person.api.get(path), lambda found: found["status"] in wanted)
