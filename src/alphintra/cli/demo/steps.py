"""The steps of the demonstration: each finds what an interrupted run left, or makes it, and checks the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from importlib import resources
from typing import Any

from alphintra.cli.client import ApiClient, ApiError, wait_for
from alphintra.cli.demo.journal import Journal, Run
from alphintra.dataplane.layouts import Placement
from alphintra.kernel.money import plain

__all__ = ["Stage", "import_prices", "make_backtests", "make_deployment", "make_workflow", "sign_in", "trade"]

SAMPLE = "us-stocks-daily-2000-2013.csv.gz"
SYMBOL = "AAPL"
OTHER_SYMBOL = "MSFT"
START = "2010-01-01T00:00:00Z"
CAPITAL = "100000"
STARTING_CASH = "250000"
PAUSE_AT = 300
MANUAL_QTY = "10"
REFUSED_QTY = "1000000"
REPLAY_TIMEOUT_S = 600.0
TELL_EVERY = 75
ORDERS_MAX = 1000
_SPLITS = {"AAPL": 2, "FB": 0, "GOOG": 0, "IBM": 0, "MSFT": 1}
_ENDED = {"finished", "failed", "canceled"}
_CLOSED = {"filled", "canceled", "expired", "rejected", "denied"}
_ON_THE_WAY = {"pending_new", "unknown"}
_WORKING = {"new", "partially_filled"}


@dataclass(frozen=True, slots=True)
class Stage:
    """Who acts and who operates, in which run, where it is written down, and where each service's data is."""

    api: ApiClient
    operator: ApiClient
    run: Run
    journal: Journal
    layout: tuple[Placement, ...]


def sign_in(operator: ApiClient, base_url: str, password: str, run: Run, journal: Journal) -> ApiClient:
    """Make the demonstration's user if there is none, and log in."""
    journal.step("signing in the demonstration's user")
    known = {user["email"]: user for user in operator.get("/users")["users"]}
    if run.email not in known:
        operator.post("/users", {"email": run.email, "password": password, "role": "trader"})
    tokens = ApiClient(base_url).post("/auth/login", {"email": run.email, "password": password})
    client = ApiClient(base_url, tokens["access_token"])
    profile = wait_for("the user's profile", lambda: _or_none(client, "/profile"), lambda found: found is not None)
    journal.check("user has a profile of their own", "user", expected=run.email, found=profile["email"])
    listed = [user["email"] for user in operator.get("/users")["users"]]
    journal.check("user is registered once", "auth", expected=1, found=listed.count(run.email))
    return client


def import_prices(stage: Stage) -> None:
    """Import the shipped daily prices unless the catalogue has them."""
    stage.journal.step("importing real daily prices of five stocks, 2000-2013 (Quandl WIKI, public domain)")
    data = (resources.files("alphintra") / "data" / SAMPLE).read_bytes()
    started = stage.api.upload("/datasets", data, filename=SAMPLE, source="Quandl WIKI (public domain)")
    done = wait_for(
        "the import", lambda: stage.api.get(f"/imports/{started['import_id']}"), lambda found: found["status"] in _ENDED
    )
    stage.journal.check("import ended", "strategy", expected="finished", found=done["status"])
    datasets = {item["symbol"]: item for item in stage.api.get("/datasets")["datasets"]}
    splits = {symbol: len(datasets[symbol]["splits"]) for symbol in sorted(_SPLITS) if symbol in datasets}
    stage.journal.check("splits found in the prices", "strategy", expected=_SPLITS, found=splits)
    stage.journal.facts["bars"] = {symbol: datasets[symbol]["rows"] for symbol in splits}


def make_workflow(stage: Stage) -> Mapping[str, Any]:
    """Make the crossover strategy from its template."""
    stage.journal.step("building the EMA 20/50 crossover from its template")
    found = [item for item in stage.api.get("/workflows")["workflows"] if item["name"] == stage.run.name]
    workflow: Mapping[str, Any] = (
        found[0] if found else stage.api.post("/workflows", {"name": stage.run.name, "template": "ema_crossover"})
    )
    version = stage.api.get(f"/workflow-versions/{workflow['version_id']}")
    stage.journal.check(
        "stored graph has the workflow's hash", "nocode", expected=workflow["graph_hash"], found=version["graph_hash"]
    )
    verdict = stage.api.post("/workflows/validate", {"graph": version["graph"]})
    stage.journal.check("graph is valid", "nocode", expected=[], found=verdict["problems"])
    return workflow


def make_backtests(stage: Stage, workflow: Mapping[str, Any]) -> Mapping[str, Any]:
    """Backtest the strategy twice; the second run must repeat the first to the last digit."""
    stage.journal.step(f"backtesting {SYMBOL} from 2010, twice")
    body = {"version_id": workflow["version_id"], "symbol": SYMBOL, "start": START, "initial_cash": CAPITAL}
    ended: list[Mapping[str, Any]] = []
    for _ in range(2):
        path = f"/backtests/{stage.api.post('/backtests', body)['backtest_id']}"
        ended.append(wait_for("the backtest", partial(stage.api.get, path), lambda found: found["status"] in _ENDED))
    first, second = ended
    stage.journal.check("backtest ended", "strategy", expected="finished", found=first["status"])
    for name in ("run_hash", "result_hash"):
        stage.journal.check(
            f"repeated backtest has the same {name}", "strategy", expected=first[name], found=second[name]
        )
    stage.journal.facts["backtest"] = first["metrics"]
    return first


def make_deployment(stage: Stage, workflow: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Open a paper account on a replay feed and deploy the strategy into it; return account and deployment."""
    api, run = stage.api, stage.run
    stage.journal.step("opening a paper account on a replay of the same prices, and deploying the strategy into it")
    feeds = [item for item in api.get("/feeds")["feeds"] if item["name"] == run.name]
    feed = (
        feeds[0]
        if feeds
        else api.post("/feeds", {"name": run.name, "symbols": [SYMBOL, OTHER_SYMBOL], "start": START, "interval_ms": 0})
    )
    path = f"/feeds/{feed['feed_id']}"
    wait_for("the feed", lambda: api.get(path), lambda found: found["status"] != "preparing")
    accounts = [item for item in api.get("/accounts")["accounts"] if item["name"] == run.name]
    account = (
        accounts[0]
        if accounts
        else api.post("/accounts", {"name": run.name, "starting_cash": STARTING_CASH, "feed_id": feed["feed_id"]})
    )
    account_id = account["account_id"]
    account = wait_for(
        "the account", lambda: api.get(f"/accounts/{account_id}"), lambda found: found["status"] == "active"
    )
    stage.journal.check("account is active", "trading", expected="active", found=account["status"])
    limits = api.get(f"/accounts/{account_id}/limits")
    stage.journal.check("risk has limits for it", "risk", expected=True, found=limits["version"] >= 1)
    connection = api.get(f"/accounts/{account_id}/connection")
    stage.journal.check("its venue is the paper venue", "broker", expected="paper", found=connection["adapter"])
    deployments = [item for item in api.get("/deployments")["deployments"] if item["account_id"] == account_id]
    deployment = (
        deployments[0]
        if deployments
        else api.post(
            "/deployments",
            {
                "version_id": workflow["version_id"],
                "account_id": account_id,
                "symbol": SYMBOL,
                "capital": CAPITAL,
            },
        )
    )
    return account, deployment


def trade(stage: Stage, account: Mapping[str, Any], deployment: Mapping[str, Any]) -> None:
    """Replay to a pause, place orders by hand, be refused one, cancel one, be stopped by the kill switch; go on."""
    api, journal = stage.api, stage.journal
    feed_path = f"/feeds/{deployment['feed_id']}"
    _replay(stage, feed_path, until=PAUSE_AT)
    journal.step("placing orders by hand: one to fill, one to cancel, one that risk refuses, one under the kill switch")
    account_id = account["account_id"]
    order = {"account_id": account_id, "symbol": OTHER_SYMBOL, "side": "buy"}
    if _key(stage, "manual") not in _by_key(stage, account_id):
        # Before the order that is to fill, because the kill switch cancels whatever works in the account.
        _cancel_one(stage, order)
        _be_refused(stage, order)
        _be_killed(stage, order)
    manual = api.place(order | {"qty": MANUAL_QTY, "type": "market"}, key=_key(stage, "manual"))
    order_path = f"/orders/{manual['order_id']}"
    wait_for("the order at the venue", lambda: api.get(order_path), lambda found: found["status"] not in _ON_THE_WAY)
    _replay(stage, feed_path, until=None)
    wait_for("the fill", lambda: api.get(order_path), lambda found: found["status"] in _CLOSED)
    _check_by_hand(stage, account_id)


def _check_by_hand(stage: Stage, account_id: str) -> None:
    """Look at what became of the orders placed by hand, in trading's data."""
    journal = stage.journal
    orders = _by_key(stage, account_id)
    absent: dict[str, Any] = {"status": "absent", "reason_code": "absent", "reason": "", "filled_qty": "0"}
    limit, refused, killed, manual = (
        orders.get(_key(stage, name), absent) for name in ("limit", "refused", "killed", "manual")
    )
    journal.check("limit order is canceled", "trading", expected="canceled", found=limit["status"])
    journal.check("too large an order is refused", "risk", expected="RISK_QTY_MAX", found=refused["reason_code"])
    journal.check("kill switch blocks the account", "risk", expected="KILL_ACTIVE", found=killed["reason_code"])
    journal.check("order placed by hand is filled", "trading", expected=MANUAL_QTY, found=manual["filled_qty"])
    journal.facts["refused"] = {"code": refused["reason_code"], "reason": refused["reason"]}


def _key(stage: Stage, name: str) -> str:
    return f"demo-{stage.run.number}-{name}"


def _by_key(stage: Stage, account_id: str) -> dict[str, Mapping[str, Any]]:
    orders = stage.api.get("/orders", account_id=account_id, limit=ORDERS_MAX)["orders"]
    return {item["client_order_id"]: item for item in orders}


def _cancel_one(stage: Stage, order: Mapping[str, object]) -> None:
    terms = {"qty": "1", "type": "limit", "limit_price": "1.00", "time_in_force": "gtc"}
    path = f"/orders/{stage.api.place({**order, **terms}, key=_key(stage, 'limit'))['order_id']}"
    current = wait_for("the limit order", lambda: stage.api.get(path), lambda found: found["status"] not in _ON_THE_WAY)
    if current["status"] in _WORKING:
        stage.api.delete(path)
    wait_for("the cancel", lambda: stage.api.get(path), lambda found: found["status"] in _CLOSED)


def _be_refused(stage: Stage, order: Mapping[str, object]) -> None:
    with _refusal():
        stage.api.place({**order, "qty": REFUSED_QTY, "type": "market"}, key=_key(stage, "refused"))


def _be_killed(stage: Stage, order: Mapping[str, object]) -> None:
    scope = {"scope": "account", "account_id": order["account_id"], "reason": "demonstration"}
    stage.api.post("/risk/kill", scope)
    with _refusal():
        stage.api.place({**order, "qty": "1", "type": "market"}, key=_key(stage, "killed"))
    stage.operator.post("/risk/release", scope)


@contextmanager
def _refusal() -> Iterator[None]:
    """Take the refusal of an order as the outcome it is; what trading stored of it is looked at later."""
    try:
        yield
    except ApiError as error:
        if "order" not in error.members:
            raise


def _replay(stage: Stage, path: str, *, until: int | None) -> None:
    feed = stage.api.get(path)
    target = feed["steps"] if until is None else until
    if feed["seq"] < target:
        stage.journal.step(f"replaying the market to day {target} of {feed['steps']}")
        if feed["status"] != "running":
            stage.api.post(f"{path}/resume", {"pause_at": until})
        progress = _Progress(stage.journal, feed["seq"])
        feed = wait_for(
            "the replay",
            lambda: progress.tell(stage.api.get(path)),
            lambda found: found["seq"] >= target or found["status"] == "failed",
            timeout_s=REPLAY_TIMEOUT_S,
        )
    reached = feed["seq"] if until is None else min(feed["seq"], until)
    stage.journal.check(f"replay reached day {target}", "strategy", expected=target, found=reached)


@dataclass(slots=True)
class _Progress:
    """Tells of a replay every so many days."""

    journal: Journal
    told: int

    def tell(self, feed: Mapping[str, Any]) -> Mapping[str, Any]:
        if feed["seq"] - self.told >= TELL_EVERY:
            self.told = feed["seq"]
            self.journal.step(f"  day {feed['seq']}")
        return feed


def total(rows: Sequence[Mapping[str, Any]], column: str) -> Decimal:
    """Return the sum of a column of amounts."""
    return plain(sum((Decimal(row[column]) for row in rows), Decimal(0)))


def _or_none(client: ApiClient, path: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return client.get(path)
    except ApiError as error:
        if error.code != "PROFILE_NOT_FOUND":
            raise
        return None
