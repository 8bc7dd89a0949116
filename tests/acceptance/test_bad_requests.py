"""Wrong requests to a running platform: a problem document or one line, and no table and no file is changed."""

from __future__ import annotations

import asyncio
import gzip
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest

from alphintra.cli.client import ApiClient, wait_for
from alphintra.manifest import SERVICES
from alphintra.runtime.credentials import operator_token
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from fixtures.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMAIL = "mistaken@alphintra.example"
HEADER = "symbol,date,open,high,low,close,volume\n"
ROWS = "".join(f"BAD,2015-01-{day:02},10.00,11.00,9.00,10.50,1000\n" for day in (5, 6, 7))
SAMPLE = resources.files("alphintra") / "data" / "us-stocks-daily-2000-2013.csv.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A platform with a person who has an account on a feed."""

    installation: Installation
    http: httpx.Client
    password: str
    account_id: str
    version_id: str

    def rows(self) -> dict[str, int]:
        """Return how many rows the tables have that a request could change.

        Risk's watches raise alerts and tell people of them at times of their own, and the sealer seals what was
        written before: those tables are left out.
        """
        counted = asyncio.run(_count_rows(self.installation))
        return {
            table: count
            for table, count in counted.items()
            if (table in _OF_RISK or not table.startswith(("notification.", "risk.")))
            and not table.endswith((".audit_leaves", ".audit_checkpoints", ".audit_pending"))
        }

    def files(self) -> list[str]:
        """Return the files of the market-data catalogue."""
        return sorted(str(path) for path in (self.installation.home / "catalogue").rglob("*"))

    def refused(self, method: str, path: str, **options: Any) -> tuple[int, str, str, str]:  # noqa: ANN401 - JSON
        """Return status, code, detail and pointer of a refusal that changed nothing."""
        before = self.rows(), self.files()
        refusal = problem(self.http.request(method, path, **options))
        assert (self.rows(), self.files()) == before
        return refusal


def problem(response: httpx.Response) -> tuple[int, str, str, str]:
    """Return status, code, detail and pointer of a problem document."""
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == response.status_code
    assert len(told["detail"]) > 10
    return response.status_code, told["code"], told["detail"], told.get("pointer", "")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    installation = Installation.fresh()
    try:
        started = installation.run("up", "--detach")
        assert started.status == 0, started.err
        made = _make_desk(installation)
        # What the desk was made of is told after the answers: rows that come then are not a request's.
        wait_for("the last event of the desk", lambda: asyncio.run(_count_rows(installation)), _is_settled)
        with made.http:
            yield made
    finally:
        installation.clear()


_OF_RISK = {"risk.assessments", "risk.reservations", "risk.limit_sets", "risk.kill_states", "risk.exposures"}


@pytest.mark.parametrize("qty", ["NaN", "sNaN", "Infinity", "-Infinity", "-1", "0", "1e999", "", "ten", None])
def test_quantity_that_is_no_positive_finite_number_is_refused(desk: Desk, qty: str | None) -> None:
    order = {"account_id": desk.account_id, "symbol": "GOOD", "side": "buy", "qty": qty, "type": "market"}
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    refusal = desk.refused("POST", "/orders", json=order, headers=headers)
    assert refusal[0] in {400, 422}
    assert refusal[3] == "/qty"


@pytest.mark.parametrize("qty", ["NaN", "Infinity", "-1"])
def test_number_that_json_does_not_have_is_refused(desk: Desk, qty: str) -> None:
    order = f'{{"account_id": "{desk.account_id}", "symbol": "GOOD", "side": "buy", "qty": {qty}, "type": "market"}}'
    headers = {"Idempotency-Key": secrets.token_hex(8), "Content-Type": "application/json"}
    assert desk.refused("POST", "/orders", content=order, headers=headers)[0] in {400, 422}


@pytest.mark.parametrize("cash", ["NaN", "-1", "Infinity"])
def test_account_with_impossible_cash_is_refused(desk: Desk, cash: str) -> None:
    feed_id = desk.http.get("/feeds").json()["feeds"][0]["feed_id"]
    body = {"name": "impossible", "starting_cash": cash, "feed_id": feed_id}
    assert desk.refused("POST", "/accounts", json=body)[0] in {400, 422}


_MISSING = "0190aaaa-0000-7000-8000-0000000000aa"
_JSON = {"Content-Type": "application/json"}
_KEYED = {**_JSON, "Idempotency-Key": "wrong-request"}


def _order(desk: Desk, **changes: object) -> dict[str, object]:
    """Return an order that would be taken, but for the changes; Ellipsis leaves a field out."""
    plain = {"account_id": desk.account_id, "symbol": "GOOD", "side": "buy", "qty": "1", "type": "market"}
    return {name: value for name, value in {**plain, **changes}.items() if value is not ...}


def _syntax(desk: Desk) -> list[tuple[str, str, dict[str, Any], tuple[int, str, str]]]:
    """Return what is no request at all: method, path, what is sent, and status, code and pointer of the refusal."""

    def sent(content: bytes, **headers: str) -> dict[str, Any]:
        return {"content": content, "headers": {**_KEYED, **{n.replace("_", "-"): v for n, v in headers.items()}}}

    named = {"starting_cash": "1", "feed_id": _MISSING}
    return [
        ("POST", "/orders", sent(b""), (400, "BODY_EMPTY", "")),
        ("POST", "/orders", sent(b'{"qty": "1"'), (400, "JSON_SYNTAX", "")),
        ("POST", "/orders", sent(b'{"qty": "1", "qty": "2"}'), (400, "JSON_DUPLICATE_KEY", "/qty")),
        ("POST", "/orders", sent(b'{"symbol": "\xff\xfe"}'), (400, "ENCODING", "")),
        ("POST", "/orders", sent(b'{"symbol": "\\ud800"}'), (400, "ENCODING", "")),
        ("POST", "/orders", sent(b"[" * 100_000), (400, "JSON_TOO_DEEP", "")),
        ("POST", "/orders", sent(b"x" * 50_000_000), (413, "BODY_TOO_LARGE", "")),
        ("POST", "/orders", sent(b"{}", Content_Type="text/plain"), (415, "CONTENT_TYPE", "")),
        ("POST", "/orders", {"json": _order(desk, quantty="1", qty=...)}, (422, "FIELD_UNKNOWN", "/quantty")),
        ("POST", "/orders", {"json": _order(desk, reduce_only="true")}, (422, "FIELD_TYPE", "/reduce_only")),
        ("POST", "/accounts", {"json": {**named, "name": "a\0b"}}, (422, "FIELD_CHARS", "/name")),
        ("POST", "/accounts", {"json": {**named, "name": "evil\u202egpj"}}, (422, "FIELD_CHARS", "/name")),
        ("GET", f"/orders?account_id={desk.account_id}&limit=1000000000", {}, (422, "PAGE_LIMIT", "/limit")),
        ("GET", f"/orders?account_id={desk.account_id}&cursor=forged", {}, (422, "CURSOR_INVALID", "/cursor")),
        ("PATCH", "/profile", {"json": {}, "headers": {"If-Match": '"99"'}}, (412, "VERSION_CONFLICT", "/version")),
        ("POST", "/orders", {"json": _order(desk)}, (422, "IDEMPOTENCY_REQUIRED", "/client_order_id")),
        (
            "POST",
            "/orders",
            {"json": _order(desk), "headers": {"Idempotency-Key": "k" * 10_000}},
            (422, "IDEMPOTENCY_FORMAT", "Idempotency-Key"),
        ),
        ("DELETE", f"/orders/{_MISSING}", {}, (404, "ORDER_NOT_FOUND", "")),
    ]


# What makes an order wrong, and code and pointer of the refusal.
_WRONG_ORDERS: list[tuple[dict[str, object], str, str]] = [
    ({"qty": "NaN"}, "NUMBER_NOT_FINITE", "/qty"),
    ({"qty": "9" * 28}, "NUMBER_RANGE", "/qty"),
    ({"qty": "-5"}, "QTY_NOT_POSITIVE", "/qty"),
    ({"qty": "0"}, "QTY_NOT_POSITIVE", "/qty"),
    ({"qty": "-0"}, "QTY_NOT_POSITIVE", "/qty"),
    ({"qty": 0.1 + 0.2}, "NUMBER_SCALE", "/qty"),
    ({"qty": "1_000"}, "NUMBER_FORMAT", "/qty"),
    ({"qty": "\u0661\u0662\u0663"}, "NUMBER_FORMAT", "/qty"),
    ({"qty": " 12 "}, "NUMBER_FORMAT", "/qty"),
    ({"qty": "1,5"}, "NUMBER_FORMAT", "/qty"),
    ({"type": "limit", "qty": "9" * 18, "limit_price": "9" * 18}, "NUMBER_RANGE", "/qty"),
    ({"type": "limit"}, "ORDER_FIELD_REQUIRED", "/limit_price"),
    ({"limit_price": "10"}, "ORDER_FIELD_FORBIDDEN", "/limit_price"),
    ({"time_in_force": "gtd", "expire_at": "2001-01-01T00:00:00Z"}, "EXPIRY_PAST", "/expire_at"),
    ({"time_in_force": "gtd", "expire_at": "2101-01-01T00:00:00"}, "TIME_NO_ZONE", "/expire_at"),
    ({"time_in_force": "week"}, "ORDER_UNSUPPORTED", "/time_in_force"),
    ({"client_order_id": "two\nlines"}, "ORDER_ID_FORMAT", "/client_order_id"),
    ({"client_order_id": "x" * 129}, "ORDER_ID_FORMAT", "/client_order_id"),
    ({"account_id": _MISSING}, "ACCOUNT_NOT_FOUND", "/account_id"),
]


def test_each_wrong_request_is_refused_by_code_and_place_and_changes_nothing(desk: Desk) -> None:
    cases = _syntax(desk)
    for changes, code, pointer in _WRONG_ORDERS:
        options: dict[str, Any] = {"json": _order(desk, **changes)}
        if "client_order_id" not in changes:
            options["headers"] = {"Idempotency-Key": "wrong-order"}
        cases.append(("POST", "/orders", options, (404 if code.endswith("NOT_FOUND") else 422, code, pointer)))
    before = desk.rows(), desk.files()
    for method, path, options, expected in cases:
        status, code, _, pointer = problem(desk.http.request(method, path, **options))
        assert (status, code, pointer) == expected, (method, path, str(options)[:200])
    assert (desk.rows(), desk.files()) == before


# What the controls refuse although it can be meant, and code and pointer of the refusal; the last price is 10.50.
_DENIED_ORDERS: list[tuple[dict[str, object], str, str]] = [
    ({"type": "limit", "limit_price": "10.01"}, "ORDER_TICK", "/limit_price"),
    ({"type": "stop", "side": "buy", "stop_price": "11.01"}, "ORDER_TICK", "/stop_price"),
    ({"qty": "1.5"}, "ORDER_LOT", "/qty"),
    ({"type": "stop", "stop_price": "10.00"}, "ORDER_STOP_SIDE", "/stop_price"),
    ({"type": "stop", "side": "sell", "stop_price": "11.00"}, "ORDER_STOP_SIDE", "/stop_price"),
]


def test_what_the_controls_refuse_is_denied_by_code_and_place_and_reserves_and_sends_nothing(desk: Desk) -> None:
    with ApiClient(desk.installation.base_url, operator_token(Home.existing(desk.installation.home))) as operator:
        operator.put("/risk/instruments/GOOD", {"tick": "0.05", "lot": "1"})
    cash = desk.http.get(f"/accounts/{desk.account_id}/summary").json()
    before = desk.rows()
    for changes, code, pointer in _DENIED_ORDERS:
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        answer = desk.http.post("/orders", json=_order(desk, **changes), headers=headers)
        status, told, detail, place = problem(answer)
        assert (status, told, place) == (422, code, pointer), (changes, answer.json())
        assert {"findings", "decision_id", "order_id"} <= set(answer.json())
        assert "10.5" in detail or code != "ORDER_STOP_SIDE"
        again = desk.http.post("/orders", json=_order(desk, **changes), headers=headers)
        assert again.json()["order_id"] == answer.json()["order_id"]
    wrong_exit = _order(
        desk, type="limit", limit_price="10", order_class="bracket", time_in_force="gtc", stop_loss={"stop_price": "11"}
    )
    wrong_exit["take_profit"] = {"limit_price": "12"}
    refusal = problem(desk.http.post("/orders", json=wrong_exit, headers={"Idempotency-Key": secrets.token_hex(8)}))
    assert (refusal[0], refusal[1], refusal[3]) == (422, "ORDER_STOP_SIDE", "/stop_loss/stop_price")
    after = desk.rows()
    assert after["risk.reservations"] == before["risk.reservations"]
    assert {table for table in after if table.startswith("broker.") and after[table] != before[table]} == set()
    assert after["trading.orders"] == before["trading.orders"] + len(_DENIED_ORDERS), "kept: what was denied, and why"
    assert desk.http.get(f"/accounts/{desk.account_id}/summary").json() == cash


def test_a_closed_order_is_not_changed_and_stays_as_it_is(desk: Desk) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    placed = desk.http.post("/orders", json=_order(desk, type="limit", limit_price="1"), headers=headers).json()
    path = f"/orders/{placed['order_id']}"
    wait_for("the order", lambda: desk.http.get(path).json(), lambda found: found["status"] == "new")
    assert desk.http.delete(path).status_code == 200
    closed = wait_for("the cancel", lambda: desk.http.get(path).json(), lambda found: found["status"] == "canceled")
    refusal = desk.refused("PATCH", path, json={"limit_price": "2"}, headers={"Idempotency-Key": secrets.token_hex(8)})
    assert (refusal[0], refusal[1]) == (409, "ORDER_TERMINAL")
    assert desk.http.get(path).json() == closed


def test_a_key_with_another_body_is_refused_and_the_first_order_stays(desk: Desk) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    asked = _order(desk, type="limit", limit_price="1")
    first = desk.http.post("/orders", json=asked, headers=headers)
    assert first.status_code == 201
    path = f"/orders/{first.json()['order_id']}"
    settled = wait_for("the order", lambda: desk.http.get(path).json(), lambda found: found["status"] == "new")
    refusal = desk.refused("POST", "/orders", json={**asked, "qty": "2"}, headers=headers)
    assert (refusal[0], refusal[1], refusal[3]) == (409, "IDEMPOTENCY_MISMATCH", "Idempotency-Key")
    assert desk.http.get(path).json() == settled
    assert desk.http.delete(path).status_code == 200
    wait_for("the cancel", lambda: desk.http.get(path).json(), lambda found: found["status"] == "canceled")


def test_a_key_in_flight_makes_one_order_whoever_comes_first(desk: Desk) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    asked = _order(desk, type="limit", limit_price="1")
    before = desk.rows()["trading.orders"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: desk.http.post("/orders", json=asked, headers=headers), range(8)))
    taken = {answer.json()["order_id"] for answer in answers if answer.status_code == 201}
    waiting = [answer for answer in answers if answer.status_code != 201]
    assert len(taken) == 1
    for answer in waiting:
        assert (answer.status_code, answer.json()["code"]) == (409, "IN_PROGRESS")
        assert answer.headers["retry-after"] == "1"
    assert desk.rows()["trading.orders"] == before + 1
    path = f"/orders/{taken.pop()}"
    wait_for("the order", lambda: desk.http.get(path).json(), lambda found: found["status"] == "new")
    assert desk.http.delete(path).status_code == 200
    wait_for("the cancel", lambda: desk.http.get(path).json(), lambda found: found["status"] == "canceled")


def test_order_in_an_unknown_symbol_is_refused(desk: Desk) -> None:
    order = {"account_id": desk.account_id, "symbol": "NOSUCH", "side": "buy", "qty": "1", "type": "market"}
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    status, code, detail, _ = problem(desk.http.post("/orders", json=order, headers=headers))
    assert (status, code) == (422, "ORDER_UNKNOWN_SYMBOL")
    assert "NOSUCH" in detail


def test_feed_and_backtest_of_an_unknown_symbol_are_refused(desk: Desk) -> None:
    feed = {"name": "unknown", "symbols": ["NOSUCH"], "interval_ms": 0}
    backtest = {"version_id": desk.version_id, "symbol": "NOSUCH", "initial_cash": "1000"}
    for path, body in (("/feeds", feed), ("/backtests", backtest)):
        status, _, detail, _ = desk.refused("POST", path, json=body)
        assert status in {404, 422}
        assert "NOSUCH" in detail


def test_wrong_password_is_refused_as_an_unknown_person_is(desk: Desk) -> None:
    before = desk.rows()
    wrong = problem(desk.http.post("/auth/login", json={"email": EMAIL, "password": "not the password"}))
    nobody = problem(desk.http.post("/auth/login", json={"email": "no@body.example", "password": "not the password"}))
    assert wrong[0] == 401
    assert wrong == nobody
    assert desk.password not in str(wrong)
    changed = {table for table, count in desk.rows().items() if count != before[table]}
    assert changed <= {"auth.login_failures", "auth.audit_events"}, "kept: who guessed, and when"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FILE_EMPTY"),
        (HEADER.encode(), "FILE_EMPTY"),
        (HEADER.encode() + ROWS.encode()[:-20], "CSV_COLUMN"),
        (HEADER.encode() + b"BAD,2015-01-05,nan,11,9,10.5,1000\n", "PRICE_MISSING"),
        (HEADER.encode() + b"BAD,2015-01-05,10,11,9,-10.5,1000\n", "BAR_INVALID"),
        (SAMPLE.read_bytes()[:4000], "FILE_TRUNCATED"),
        (gzip.compress(HEADER.encode() + ROWS.encode())[:-4], "FILE_TRUNCATED"),
        (b"\x7fELF\x00\x01\x02\x03", "ENCODING"),
    ],
    ids=["empty", "header alone", "cut off", "not a number", "negative", "gzip cut off", "gzip without end", "program"],
)
def test_damaged_prices_are_refused_by_the_command_and_reach_no_catalogue(
    desk: Desk, tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    before, files = desk.rows(), desk.files()
    outcome = desk.installation.run("data", "import", str(path))
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.last_line.startswith(f"error {code}: ")
    assert "prices.csv" in outcome.last_line
    assert desk.files() == files
    changed = {table for table, count in desk.rows().items() if count != before[table]}
    assert changed <= {"strategy.imports", "strategy.audit_events"}, "kept: that it was tried"


def test_second_start_in_a_home_is_refused_and_the_first_goes_on(desk: Desk) -> None:
    pid = desk.installation.state()["pid"]
    for start in (("up",), ("up", "--detach"), ("up", "--port", "1")):
        outcome = desk.installation.run(*start)
        assert outcome.status == 2
        assert outcome.err.startswith(f"error ALREADY_RUNNING: Alphintra already runs in {desk.installation.home}")
        assert "alphintra down" in outcome.err
    assert desk.installation.state()["pid"] == pid
    assert desk.http.get("/health").json()["status"] == "ok"


async def _count_rows(installation: Installation) -> dict[str, int]:
    server = EmbeddedPostgres(Home.existing(installation.home))
    port = installation.state()["ports"]["postgres"]
    counts: dict[str, int] = {}
    for service in SERVICES:
        dsn = f"postgresql://postgres@/alphintra_{service}?host={server.socket_folder}&port={port}"
        connection = await asyncpg.connect(dsn)
        tables = await connection.fetch(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        )
        for schema, table in tables:
            counts[f"{service}.{table}"] = await connection.fetchval(f'select count(*) from "{schema}"."{table}"')  # noqa: S608
        await connection.close()
    return counts


def _is_settled(counts: dict[str, int]) -> bool:
    return not any(count for table, count in counts.items() if table.endswith(".outbox"))


def _make_desk(installation: Installation) -> Desk:
    password = secrets.token_urlsafe(12)
    with ApiClient(installation.base_url, operator_token(Home.existing(installation.home))) as operator:
        operator.post("/users", {"email": EMAIL, "password": password, "role": "trader"})
    with ApiClient(installation.base_url) as anyone:
        token = anyone.post("/auth/login", {"email": EMAIL, "password": password})["access_token"]
    with ApiClient(installation.base_url, token) as api:
        upload = api.upload("/datasets", (HEADER + ROWS.replace("BAD", "GOOD")).encode(), filename="p.csv", source="x")
        path = f"/imports/{upload['import_id']}"
        wait_for("the import", lambda: api.get(path), lambda found: found["status"] == "finished")
        feed = api.post("/feeds", {"name": "desk", "symbols": ["GOOD"], "interval_ms": 0})
        wait_for("the feed", lambda: api.get(f"/feeds/{feed['feed_id']}"), lambda found: found["status"] != "preparing")
        account = api.post("/accounts", {"name": "desk", "starting_cash": "1000", "feed_id": feed["feed_id"]})
        path = f"/accounts/{account['account_id']}"
        wait_for("the account", lambda: api.get(path), lambda found: found["status"] == "active")
        workflow = api.post("/workflows", {"name": "desk", "template": "ema_crossover"})
    http = httpx.Client(base_url=f"{installation.base_url}/api/v1", headers={"Authorization": f"Bearer {token}"})
    return Desk(
        installation=installation,
        http=http,
        password=password,
        account_id=account["account_id"],
        version_id=workflow["version_id"],
    )
