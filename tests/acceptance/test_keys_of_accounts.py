"""A key on an account it is not for: every route that takes an account or an order refuses it, and nothing happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from alphintra.cli.client import ApiError, wait_for
from fixtures.paper import open_paper_account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.platform import Person, Platform

SOME_ID: Final = "0190aaaa-0000-7000-8000-0000000000aa"
SCOPES: Final = ["read", "trade", "admin"]
LIMITS: Final = {"order_qty_max": "5", "order_notional_max": "5000", "position_qty_max": "5"}
NAMES: Final = frozenset({"account_id", "order_id"})
# What each route that takes a body is sent; one that is missing here fails the test.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "add_connection": {
        "adapter": "alpaca",
        "environment": "paper",
        "credentials": {"key_id": "k", "secret_key": "s"},
    },
    "check_order": {"symbol": "AAPL", "side": "buy", "type": "market", "qty": "1"},
    "book_cash_flow": {"kind": "deposit", "amount": "5", "reference": "attack"},
    "create_deployment": {"version_id": SOME_ID, "symbol": "AAPL", "capital": "5"},
    "keep_risk_report": {},
    "keep_session": {"session_id": SOME_ID, "timeout_s": 30},
    "kill": {"scope": "account", "state": "halted", "reason": "attack"},
    "propose_limits": LIMITS,
    "release": {"scope": "account", "reason": "attack"},
    "replace_order": {"qty": "2", "client_order_id": "attack-replaced"},
    "request_override": {"reason": "attack"},
    "restrict_symbol": {"symbol": "AAPL", "reason": "attack"},
    "set_limits": LIMITS,
    "set_paper_settings": {"slippage_bps": "1"},
    "start_backtest": {"version_id": SOME_ID, "symbol": "AAPL"},
    "start_sweep": {
        "version_id": SOME_ID,
        "symbol": "AAPL",
        "parameters": [{"name": "fast.period", "min": "5", "max": "20", "step": "5"}],
    },
    "submit_order": {"symbol": "AAPL", "side": "buy", "type": "market", "qty": "1", "client_order_id": "attack"},
    "transfer_position": {"symbol": "AAPL", "qty": "1", "reference": "attack", "to_book": SOME_ID},
    "watch_prices": {"symbols": ["AAPL"]},
}
# A live connection is not there for a paper account, nor paper settings for a live one: not found, whoever asks.
OF_ONE_MODE: Final = frozenset(
    {
        "add_connection",
        "check_connection",
        "close_connection",
        "list_breaks",
        "list_venue_orders",
        "list_watched_prices",
        "reconcile_connection",
        "set_paper_settings",
        "watch_prices",
    }
)


@dataclass(frozen=True, slots=True)
class Owned:
    """A person with an account of either mode, and an order that risk refused."""

    person: Person
    paper: str
    live: str
    order_id: str

    def key(self, **wanted: object) -> dict[str, str]:
        """Make a key; return its headers."""
        made = self.person.api.post("/api-keys", {"name": "attack", "scopes": SCOPES, **wanted})
        return {"APCA-API-KEY-ID": made["key_id"], "APCA-API-SECRET-KEY": made["secret"]}


def risk_knows(person: Person, account_id: str) -> bool:
    """Tell whether risk and broker have heard of an account, as they do after trading has opened it."""
    try:
        person.api.get(f"/accounts/{account_id}/risk")
        person.api.get(f"/accounts/{account_id}/connection")
    except ApiError:
        return False
    return True


@pytest.fixture
def owned(platform: Platform) -> Owned:
    person = platform.person("owner")
    paper = open_paper_account(person, symbol="KEYS")
    body = {"name": "Live", "starting_cash": "1000", "mode": "live", "confirm": "Live"}
    live = str(person.api.post("/accounts", body)["account_id"])
    wait_for("risk", lambda: risk_knows(person, live), bool)
    with pytest.raises(ApiError, match="ORDER_UNKNOWN_SYMBOL"):
        person.api.place({**BODIES["submit_order"], "account_id": paper, "client_order_id": "refused"}, key="refused")
    (order,) = person.api.get("/orders", account_id=paper)["orders"]
    return Owned(person, paper, live, str(order["order_id"]))


def attacks(document: dict[str, Any], account_id: str, order_id: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Return every operation that takes an account or an order, filled in."""
    for template, operations in document["paths"].items():
        for method, operation in operations.items():
            parameters = {one["name"]: one["in"] for one in operation.get("parameters", [])}
            fields = _fields(document, operation)
            name = operation["operationId"]
            if name == "create_api_key" or not NAMES & (parameters.keys() | fields):
                continue  # a key made for an account gives nothing that is not looked at when it is used
            ids = {"account_id": account_id, "order_id": order_id, "book_id": SOME_ID}
            path = template.format(**ids)
            options: dict[str, Any] = {
                "params": {one: ids[one] for one, where in parameters.items() if where == "query" and one in ids}
            }
            if "requestBody" in operation:
                options["json"] = BODIES[name] | {one: ids[one] for one in NAMES & fields}
            yield name, method.upper(), path, options


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content.get("schema", {})
        named = schema.get("$ref", "").rpartition("/")[2]
        found |= set((document["components"]["schemas"][named] if named else schema).get("properties", {}))
    return found


def test_a_key_of_the_other_mode_or_of_another_account_is_refused_everywhere(owned: Owned, platform: Platform) -> None:
    document = httpx.get(f"{platform.base_url}/api/openapi.json").json()
    before = owned.person.api.get(f"/accounts/{owned.paper}")
    cases = (
        ("a live key on the paper account", owned.key(mode="live"), owned.paper),
        ("a key of another account", owned.key(account_id=SOME_ID), owned.paper),
        ("a paper key on the live account", owned.key(), owned.live),
    )
    wrong: list[str] = []
    tried = 0
    with httpx.Client(base_url=platform.base_url) as client:
        for what, headers, account_id in cases:
            for name, method, path, options in attacks(document, account_id, owned.order_id):
                if account_id == owned.live and "order_id" in _ids_of(path, options):
                    continue  # the order is of the paper account, which a paper key may trade
                answer = client.request(method, path, headers=headers, **options)
                tried += 1
                found = (answer.status_code, answer.json().get("code"))
                if found != (403, "AUTH_SCOPE") and not (
                    name in OF_ONE_MODE and found == (404, "CONNECTION_NOT_FOUND")
                ):
                    wrong.append(f"{what}: {method} {path} answered {found}: {answer.text[:200]}")
        live = {"name": "more", "starting_cash": "1", "mode": "live", "confirm": "more"}
        opened = client.post("/api/v1/accounts", headers=owned.key(), json=live)
        assert (opened.status_code, opened.json()["code"]) == (403, "AUTH_SCOPE")
        wider = client.post(
            "/api/v1/api-keys", headers=owned.key(), json={"name": "x", "scopes": SCOPES, "mode": "live"}
        )
        assert (wider.status_code, wider.json()["code"]) == (403, "AUTH_SCOPE")
        for wider_kill in (
            {"scope": "firm"},
            {"scope": "symbol", "symbol": "KEYS"},
            {"scope": "venue", "venue": "paper"},
        ):
            body = {**wider_kill, "state": "halted", "reason": "attack"}
            answer = client.post("/api/v1/risk/kill", headers=owned.key(account_id=owned.paper), json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "AUTH_SCOPE")
        listed = client.get("/api/v1/accounts", headers=owned.key(mode="live")).json()["accounts"]
        assert [one["account_id"] for one in listed] == [owned.live]
        alpaca = client.get("/alpaca/v2/account", headers=owned.key(account_id=owned.live))
        assert (alpaca.status_code, alpaca.json()["reason_code"]) == (403, "AUTH_SCOPE")
        mine = client.get("/alpaca/v2/account", headers=owned.key(account_id=owned.paper))
        assert (mine.status_code, mine.json()["id"]) == (200, owned.paper)
    assert wrong == []
    assert tried > 100
    assert owned.person.api.get(f"/accounts/{owned.paper}") == before
    assert len(owned.person.api.get("/orders", account_id=owned.paper)["orders"]) == 1


def _ids_of(path: str, options: dict[str, Any]) -> set[str]:
    return ({"order_id"} if "/orders/" in path else set()) | set(options.get("json", {}))
