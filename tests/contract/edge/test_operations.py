"""Every route: declared scope, valid request in, declared reply out, and the description that says so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, Route, WebSocketRoute

from alphintra.contracts.orders import OrderView
from alphintra.contracts.trading import SubmitOrder
from alphintra.edge.alpaca.app import ENDPOINTS
from alphintra.edge.alpaca.errors import ALPACA_PREFIX
from alphintra.edge.app import OPERATIONS
from alphintra.edge.guards import Scope
from alphintra.edge.replies import DOCUMENTS
from alphintra.edge.routes.orders import OrderBody
from alphintra.edge.routing import Operation
from alphintra.kernel.messages import subject_of
from alphintra.manifest import EDGE_ASKS
from fixtures.edge import SOME_ID, Gateway, sample

GOLDEN: Final = Path(__file__).parents[2] / "golden" / "openapi.json"
REWRITE: Final = "ALPHINTRA_REWRITE_GOLDEN"
OPEN_ROUTES: Final = {
    "WEBSOCKET /alpaca/stream",  # asks for credentials itself, before it says anything
    "WEBSOCKET /api/v1/stream",  # looks for a session itself, before it says anything
    "GET /",
    "GET /api/docs",
    "GET /api/openapi.json",
    "GET /setup",
    "GET /api/v1/health",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/session",
    "POST /api/v1/session/refresh",
    "POST /api/v1/setup/owner",
}
NOT_ASKED_BY_ANY_ROUTE: Final = {
    "auth.get_signing_keys",
    "auth.verify_api_key",
    "broker.list_connections",
    "user.change_watchlist",  # this and what follows: by the routes below /alpaca alone
    "user.create_watchlist",
    "user.delete_watchlist",
    "user.get_watchlist",
    "user.list_watchlists",
    "strategy.list_bars",
}
_OF_AN_ACCOUNT: Final = ("cancel_orders", "list_orders", "get_risk_report", "list_risk_reports")
_QUERIES: Final = {
    **dict.fromkeys(_OF_AN_ACCOUNT, f"?account_id={SOME_ID}"),
    **dict.fromkeys(("explain_backtest", "explain_deployment"), "?at=2026-03-02T12:00:00Z"),
    "write_report": "?kind=course",
    "import_dataset": "?filename=a.csv&source=test",
    "list_prices": "?symbols=AAPL",
}
_LOOKS: Final = (
    *("access", "audits", "backups", "databases", "layouts"),
    *("moves", "processes", "queues", "retention", "windows"),
)
_PATH_WORDS: Final = {
    "{symbol}": "AAPL",
    "{key_id}": "key1",
    "{action}": "resume",
    "{rule}": "loss",
    "{detector}": "ramping",
    "{version}": "1",
}


def written(operation: Operation) -> str:
    return f"{operation.method} /api/v1{operation.path}"


def served(gateway: Gateway) -> set[str]:
    found: set[str] = set()
    for route in gateway.app.routes:
        assert isinstance(route, Route | WebSocketRoute | Mount)
        prefix = route.path if isinstance(route, Mount) else ""
        inner: Iterable[Any] = iter_route_contexts(route.routes) if isinstance(route, Mount) else [route]
        found |= {
            f"{method} {prefix}{one.path}"
            for one in inner
            for method in (getattr(one, "methods", None) or {"WEBSOCKET"})
            if method != "HEAD"
        }
    # A symbol may hold a slash, which the description has no word for.
    return {one.replace("datasets/{symbol:path}", "datasets/{symbol}") for one in found}


async def call(gateway: Gateway, operation: Operation, *, headers: dict[str, str]) -> tuple[int, Any, str]:
    path = operation.path
    for word, value in _PATH_WORDS.items():
        path = path.replace(word, value)
    while "{" in path:
        path = path[: path.index("{")] + str(SOME_ID) + path[path.index("}") + 1 :]
    url = f"/api/v1{path}{_QUERIES.get(operation.name, '')}"
    if operation.path.startswith("/session"):  # as a page of ours asks
        headers = {**headers, "Sec-Fetch-Site": "same-origin", "Cookie": "alphintra-refresh-8400=alr_text"}
    if operation.name == "import_dataset":
        answer = await gateway.client.post(
            url, content=b"date,close\n", headers={**headers, "Content-Type": "text/csv"}
        )
    elif operation.body is None:
        answer = await gateway.client.request(operation.method, url, headers=headers)
    else:
        body = msgspec.to_builtins(sample(operation.body), enc_hook=plain)
        answer = await gateway.client.request(operation.method, url, headers=headers, json=body)
    return answer.status_code, answer.json() if answer.content else None, answer.text


def plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    text = str(value)
    return json.loads(text) if text.startswith("{") else text


@pytest.mark.parametrize("operation", OPERATIONS, ids=written)
async def test_a_valid_request_is_answered_as_declared(gateway: Gateway, operation: Operation) -> None:
    status, answered, text = await call(gateway, operation, headers=gateway.bearer())
    assert status == operation.status, text
    documents = any(f'"{name}":{{"sample":1}}' in text for name in set(DOCUMENTS.values()))
    if not documents:
        msgspec.json.decode(text, type=operation.reply)
    assert set(answered) == set(operation.reply.__struct_encode_fields__)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.scope is not Scope.PUBLIC], ids=written)
async def test_nobody_gets_in_without_credentials(gateway: Gateway, operation: Operation) -> None:
    status, answered, _ = await call(gateway, operation, headers={})
    assert (status, answered["code"]) == (401, "AUTH_REQUIRED")
    assert gateway.services.asked == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=written)
async def test_a_viewer_changes_nothing_but_their_own_session_and_inbox(gateway: Gateway, operation: Operation) -> None:
    status, _, _ = await call(gateway, operation, headers=gateway.bearer(role="viewer"))
    assert (status == 403) == (operation.scope in {Scope.TRADE, Scope.ADMIN, Scope.HALT})


def test_every_served_route_is_declared_with_a_scope_or_known_to_be_open(gateway: Gateway) -> None:
    declared = {written(one) for one in OPERATIONS if one.scope is not Scope.PUBLIC}
    declared |= {f"{one.method} {ALPACA_PREFIX}{one.path}" for one in ENDPOINTS} | {"GET /metrics"}
    assert served(gateway) - declared == OPEN_ROUTES
    assert declared <= served(gateway)


def test_changing_routes_need_more_than_reading() -> None:
    harmless = {
        "POST /api/v1/graph-previews",
        "POST /api/v1/workflows/validate",
        "POST /api/v1/messages/{message_id}/read",
        "POST /api/v1/messages/acknowledge",
    }
    lax = {written(one) for one in OPERATIONS if one.method != "GET" and one.scope is Scope.READ}
    assert lax == harmless


def test_users_and_limits_need_the_admin_scope_and_the_kill_switch_its_own() -> None:
    admin = {written(one) for one in OPERATIONS if one.scope is Scope.ADMIN}
    assert admin == {
        "GET /api/v1/users",
        "POST /api/v1/users/{user_id}/disable",
        "POST /api/v1/users/{user_id}/enable",
        "GET /api/v1/users/{user_id}/sessions",
        "GET /api/v1/users/{user_id}/api-keys",
        "GET /api/v1/unclaimed-reports",
        "POST /api/v1/splits",
        "POST /api/v1/unclaimed-reports/replay",
        "POST /api/v1/users",
        "PUT /api/v1/accounts/{account_id}/limits",
        "PUT /api/v1/risk/alert-rules/{rule}",
        "POST /api/v1/connections/rotate-keys",
        "POST /api/v1/notifications/channels/rotate-keys",
        "GET /api/v1/surveillance/cases",
        "GET /api/v1/surveillance/cases/{case_id}",
        "GET /api/v1/surveillance/detectors",
        "POST /api/v1/surveillance/cases/{case_id}/steps",
        "POST /api/v1/surveillance/detectors/{detector}/replay",
        "PUT /api/v1/surveillance/detectors/{detector}",
        "POST /api/v1/accounts/{account_id}/limit-proposals",
        "POST /api/v1/risk/limit-proposals/{proposal_id}/decision",
        "GET /api/v1/risk/shared-limits",
        "PUT /api/v1/risk/shared-limits",
        "PUT /api/v1/risk/instruments/{symbol}",
        "GET /api/v1/risk/restrictions",
        "POST /api/v1/risk/restrictions",
        "POST /api/v1/risk/restrictions/{restriction_id}/lift",
        "POST /api/v1/risk/latches/{latch_id}/lift",
        "POST /api/v1/risk/overrides/{override_id}/approve",
        "PUT /api/v1/risk/fleet",
        "POST /api/v1/operator/access/probe",
        *(f"GET /api/v1/operator/{word}" for word in _LOOKS),
    }
    halt = {written(one) for one in OPERATIONS if one.scope is Scope.HALT}
    assert halt == {"POST /api/v1/risk/kill", "POST /api/v1/risk/release"}


async def test_every_command_a_person_may_send_has_a_route(gateway: Gateway) -> None:
    for operation in sorted(
        OPERATIONS, key=lambda one: one.name in {"log_out", "end_browser_session"}
    ):  # it ends the session of the others
        await call(gateway, operation, headers=gateway.bearer())
    asked = {subject_of(type(command)).replace(".cmd.", ".") for command, _ in gateway.services.asked}
    assert set(EDGE_ASKS) - asked <= NOT_ASKED_BY_ANY_ROUTE


async def test_the_description_is_the_golden_one(gateway: Gateway) -> None:
    answer = await gateway.client.get("/api/openapi.json")
    described = json.dumps(answer.json(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get(REWRITE):
        GOLDEN.write_text(described)
    assert described == GOLDEN.read_text(), f"the API changed: look at the difference, then set {REWRITE}=1"


async def test_the_description_names_every_operation_and_nothing_else(gateway: Gateway) -> None:
    document = (await gateway.client.get("/api/openapi.json")).json()
    described = {
        f"{method.upper()} {path}": operation["x-scope"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert document["openapi"] == "3.1.0"
    assert described == {written(one): one.scope.value for one in OPERATIONS}


async def test_every_reference_of_the_description_leads_somewhere(gateway: Gateway) -> None:
    text = (await gateway.client.get("/api/openapi.json")).text
    known = {f"#/components/schemas/{name}" for name in json.loads(text)["components"]["schemas"]}
    used = {piece.split('"')[0] for piece in text.split('"$ref":"')[1:]}
    assert used <= known


async def test_the_hot_routes_are_described_as_they_are_read_and_answered(gateway: Gateway) -> None:
    schemas = (await gateway.client.get("/api/openapi.json")).json()["components"]["schemas"]
    for wanted in (OrderBody, OrderView):
        assert list(schemas[wanted.__name__]["properties"]) == list(wanted.__struct_encode_fields__)
    assert set(schemas["OrderBody"]["required"]) == {"account_id", "symbol", "side", "type"}
    fields = {one.name for one in msgspec.structs.fields(OrderBody)}
    assert fields <= {one.name for one in msgspec.structs.fields(SubmitOrder)}


async def test_the_route_list_is_a_page_of_its_own(gateway: Gateway) -> None:
    page = await gateway.client.get("/api/docs")
    assert page.status_code == 200
    assert "POST /api/v1/orders" in page.text
    assert "https://" not in page.text
