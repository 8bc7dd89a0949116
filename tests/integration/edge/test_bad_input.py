"""What comes in wrong is refused by code, pointer and status, and no service hears of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest

from alphintra.contracts.trading import ListOrders, SubmitOrder
from alphintra.contracts.user import UpdateProfile
from alphintra.kernel.errors import AlphintraError, Kind
from fixtures.edge import SOME_ID, Gateway

ORDER: Final[dict[str, object]] = {
    "account_id": str(SOME_ID),
    "symbol": "AAPL",
    "side": "buy",
    "qty": "10",
    "type": "market",
    "client_order_id": "mine-1",
}
_JSON: Final = {"Content-Type": "application/json"}


async def post(gateway: Gateway, path: str, content: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await gateway.client.post(path, content=content, headers={**gateway.bearer(), **_JSON, **named})


async def place(gateway: Gateway, **changes: object) -> httpx.Response:
    body = {name: value for name, value in {**ORDER, **changes}.items() if value is not ...}
    return await post(gateway, "/api/v1/orders", json.dumps(body).encode())


def told(answer: httpx.Response) -> tuple[int, str, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["trace_id"] == answer.headers["trace-id"]
    return answer.status_code, problem["code"], problem["pointer"]


# Both a hot route and a wide one: they must not differ.
PATHS: Final = ("/api/v1/orders", "/api/v1/accounts")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "BODY_EMPTY"),
        (b'{"qty": "1"', 400, "JSON_SYNTAX"),
        (b'{"qty": "1", "qty": "2"}', 400, "JSON_DUPLICATE_KEY"),
        (b'{"symbol": "\xff\xfe"}', 400, "ENCODING"),
        (b'{"symbol": "\\ud800"}', 400, "ENCODING"),
        (b"[" * 100_000, 400, "JSON_TOO_DEEP"),
        (b'{"symbol": "' + b"x" * 600_000 + b'"}', 413, "BODY_TOO_LARGE"),
        (b'{"name": "a\\u0000b"}', 422, "FIELD_CHARS"),
        (b'{"quantty": 1}', 422, "FIELD_UNKNOWN"),
        (b"[1]", 422, "FIELD_TYPE"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(
    gateway: Gateway, path: str, content: bytes, status: int, code: str
) -> None:
    answer = await post(gateway, path, content)
    assert told(answer)[:2] == (status, code)
    assert [command for command, _ in gateway.services.asked if type(command).__name__ != "GetSigningKeys"] == []


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_of_fifty_megabytes_is_refused_as_it_arrives(gateway: Gateway, path: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 1024 * 1024

    answer = await gateway.client.post(path, content=endless(), headers={**gateway.bearer(), **_JSON})
    assert told(answer)[:2] == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("path", [*PATHS, "/api/v1/auth/login", "/api/v1/risk/kill"])
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/json; charset=latin-1"],
)
async def test_json_under_another_name_is_refused(gateway: Gateway, path: str, content_type: str) -> None:
    answer = await post(gateway, path, b"{}", Content_Type=content_type)
    assert told(answer)[:2] == (415, "CONTENT_TYPE")


async def test_a_compressed_body_is_refused(gateway: Gateway) -> None:
    assert told(await post(gateway, "/api/v1/orders", b"{}", Content_Encoding="gzip"))[:2] == (415, "CONTENT_TYPE")


async def test_json_with_its_charset_said_is_read(gateway: Gateway) -> None:
    body = json.dumps(ORDER).encode()
    answer = await post(gateway, "/api/v1/orders", body, Content_Type="application/json; charset=utf-8")
    assert answer.status_code == 201


async def test_a_misspelt_field_is_answered_with_the_one_meant(gateway: Gateway) -> None:
    answer = await place(gateway, qty=..., quantty="1")
    assert told(answer) == (422, "FIELD_UNKNOWN", "/quantty")
    answer = await place(gateway, tipe="market", type=...)
    assert "did you mean 'type'?" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["evil\u202egpj.exe", "zero\u200bwidth", "line\nbreak", "\u001b[31mred"])
async def test_a_name_with_invisible_characters_is_refused(gateway: Gateway, name: str) -> None:
    body = json.dumps({"name": name, "starting_cash": "1", "feed_id": str(SOME_ID)}).encode()
    assert told(await post(gateway, "/api/v1/accounts", body)) == (422, "FIELD_CHARS", "/name")


@pytest.mark.parametrize("limit", ["1000000000", "0", "-1"])
async def test_a_page_of_a_billion_is_refused(gateway: Gateway, limit: str) -> None:
    answer = await gateway.client.get("/api/v1/messages", params={"limit": limit}, headers=gateway.bearer())
    assert told(answer) == (422, "PAGE_LIMIT", "/limit")


@pytest.mark.parametrize(
    ("query", "code", "pointer"),
    [
        (f"account_id={SOME_ID}&limit=many", "FIELD_TYPE", "/limit"),
        ("account_id=17", "FIELD_FORMAT", "/account_id"),
        ("", "FIELD_REQUIRED", "/account_id"),
        (f"account_id={SOME_ID}&status=gone", "FIELD_VALUE", "/status"),
        (f"account_id={SOME_ID}&page=2", "FIELD_UNKNOWN", "/page"),
        (f"account_id={SOME_ID}&limit=1&limit=2", "FIELD_DUPLICATE", ""),
    ],
)
async def test_a_query_that_is_not_declared_or_not_valid_is_refused(
    gateway: Gateway, query: str, code: str, pointer: str
) -> None:
    answer = await gateway.client.get(f"/api/v1/orders?{query}", headers=gateway.bearer())
    assert told(answer) == (422, code, pointer)
    assert gateway.services.commands(ListOrders) == []


@pytest.mark.parametrize("path", ["/api/v1/orders/17", "/api/v1/accounts/17", "/api/v1/accounts/17/positions"])
async def test_an_id_that_is_none_is_refused(gateway: Gateway, path: str) -> None:
    answer = await gateway.client.get(path, headers=gateway.bearer())
    assert told(answer)[:2] == (422, "FIELD_FORMAT")


async def test_the_hot_routes_take_no_query_either(gateway: Gateway) -> None:
    answer = await gateway.client.get(f"/api/v1/orders/{SOME_ID}?account_id=1", headers=gateway.bearer())
    assert told(answer) == (422, "FIELD_UNKNOWN", "/account_id")


@pytest.mark.parametrize(
    ("qty", "code"),
    [
        ("NaN", "NUMBER_NOT_FINITE"),
        ("Infinity", "NUMBER_NOT_FINITE"),
        ("-5", "QTY_NOT_POSITIVE"),
        (-5, "QTY_NOT_POSITIVE"),
        ("0", "QTY_NOT_POSITIVE"),
        ("-0", "QTY_NOT_POSITIVE"),
        (0, "QTY_NOT_POSITIVE"),
        (0.1 + 0.2, "NUMBER_SCALE"),
        ("1_000", "NUMBER_FORMAT"),
        ("\u0661\u0662\u0663", "NUMBER_FORMAT"),
        (" 12 ", "NUMBER_FORMAT"),
        ("1,5", "NUMBER_FORMAT"),
        ("9" * 28, "NUMBER_RANGE"),
        (True, "FIELD_TYPE"),
    ],
)
async def test_a_quantity_that_is_no_positive_decimal_is_refused(gateway: Gateway, qty: object, code: str) -> None:
    assert told(await place(gateway, qty=qty)) == (422, code, "/qty")
    assert gateway.services.commands(SubmitOrder) == []


@pytest.mark.parametrize(
    ("token", "code"), [(b"NaN", "NUMBER_NOT_FINITE"), (b"1e999999", "NUMBER_RANGE"), (b"-1e18", "NUMBER_RANGE")]
)
async def test_a_number_beyond_all_amounts_is_refused(gateway: Gateway, token: bytes, code: str) -> None:
    body = json.dumps(ORDER).encode().replace(b'"10"', token)
    assert told(await post(gateway, "/api/v1/orders", body)) == (422, code, "/qty")


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"type": "iceberg"}, "ORDER_UNSUPPORTED", "/type"),
        ({"time_in_force": "week"}, "ORDER_UNSUPPORTED", "/time_in_force"),
        ({"order_class": "pyramid"}, "ORDER_UNSUPPORTED", "/order_class"),
        ({"position_intent": "hold"}, "FIELD_VALUE", "/position_intent"),
        ({"reduce_only": "true"}, "FIELD_TYPE", "/reduce_only"),
        ({"extended_hours": 1}, "FIELD_TYPE", "/extended_hours"),
        ({"expire_at": "2026-03-02T21:00:00"}, "TIME_NO_ZONE", "/expire_at"),
        ({"expire_at": "tomorrow"}, "TIME_FORMAT", "/expire_at"),
        ({"notional": "NaN"}, "NUMBER_NOT_FINITE", "/notional"),
        ({"limit_price": "1,5"}, "NUMBER_FORMAT", "/limit_price"),
        ({"stop_price": "-1"}, "QTY_NOT_POSITIVE", "/stop_price"),
        ({"trail_price": "1e5"}, "NUMBER_FORMAT", "/trail_price"),
        ({"trail_percent": "0"}, "QTY_NOT_POSITIVE", "/trail_percent"),
        ({"take_profit": {"limit_price": "0"}}, "QTY_NOT_POSITIVE", "/take_profit/limit_price"),
        ({"take_profit": {"limit_prize": "1"}}, "FIELD_UNKNOWN", "/take_profit/limit_prize"),
        ({"take_profit": {}}, "FIELD_REQUIRED", "/take_profit/limit_price"),
        ({"stop_loss": {"stop_price": "Infinity"}}, "NUMBER_NOT_FINITE", "/stop_loss/stop_price"),
        ({"stop_loss": []}, "FIELD_TYPE", "/stop_loss"),
        ({"side": "short"}, "FIELD_VALUE", "/side"),
        ({"side": ...}, "FIELD_REQUIRED", "/side"),
        ({"account_id": "x"}, "FIELD_FORMAT", "/account_id"),
        ({"book_id": str(SOME_ID)}, "FIELD_UNKNOWN", "/book_id"),
        ({"client_order_id": "two\nlines"}, "ORDER_ID_FORMAT", "/client_order_id"),
        ({"client_order_id": "x" * 129}, "ORDER_ID_FORMAT", "/client_order_id"),
        ({"client_order_id": ""}, "ORDER_ID_FORMAT", "/client_order_id"),
        ({"client_order_id": "mine-1\n"}, "ORDER_ID_FORMAT", "/client_order_id"),
        ({"client_order_id": ...}, "IDEMPOTENCY_REQUIRED", "/client_order_id"),
    ],
)
async def test_an_order_that_cannot_be_meant_is_refused(
    gateway: Gateway, changes: dict[str, object], code: str, pointer: str
) -> None:
    assert told(await place(gateway, **changes)) == (422, code, pointer)
    assert gateway.services.commands(SubmitOrder) == []


@pytest.mark.parametrize(
    ("failure", "status", "retry_after"),
    [
        (AlphintraError("IDEMPOTENCY_MISMATCH", "another order", kind=Kind.CONFLICT), 409, None),
        (AlphintraError("IN_PROGRESS", "wait", kind=Kind.CONFLICT), 409, "1"),
        (AlphintraError("ORDER_FIELD_REQUIRED", "no price", pointer="/limit_price"), 422, None),
        (AlphintraError("ORDER_FIELD_FORBIDDEN", "a price", pointer="/limit_price"), 422, None),
        (AlphintraError("ORDER_UNKNOWN_SYMBOL", "no such symbol", pointer="/symbol"), 422, None),
        (AlphintraError("ACCOUNT_NOT_FOUND", "no such account", kind=Kind.NOT_FOUND), 404, None),
        (AlphintraError("RISK_UNAVAILABLE", "risk is silent", kind=Kind.UNAVAILABLE), 503, "1"),
        (AlphintraError("BUSY", "too much", kind=Kind.LIMITED), 429, "1"),
    ],
)
async def test_a_refusal_by_the_service_arrives_whole(
    gateway: Gateway, failure: AlphintraError, status: int, retry_after: str | None
) -> None:
    gateway.services.replies[SubmitOrder] = failure
    answer = await place(gateway)
    assert told(answer) == (status, failure.code, failure.pointer)
    assert answer.json()["detail"] == failure.detail
    assert answer.headers.get("retry-after") == retry_after


async def test_a_service_that_breaks_is_a_problem_without_its_secrets(gateway: Gateway) -> None:
    gateway.services.replies[SubmitOrder] = RuntimeError("password=hunter2")
    answer = await place(gateway)
    assert told(answer)[:2] == (500, "INTERNAL")
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "path", ["/nope", "/api/nope", "/api/v1/nope", "/api/v1/", "/api/v1/orders/", "/api/v2/orders"]
)
async def test_an_unknown_route_is_a_problem(gateway: Gateway, path: str) -> None:
    assert told(await gateway.client.get(path, headers=gateway.bearer()))[:2] == (404, "ROUTE_UNKNOWN")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api/v1/orders", "DELETE, GET, POST"),
        ("PUT", f"/api/v1/orders/{SOME_ID}", "DELETE, GET, HEAD, PATCH"),
        ("DELETE", "/api/v1/accounts", "GET, POST"),
        ("OPTIONS", "/api/v1/accounts", "GET, POST"),
        ("TRACE", "/api/v1/health", "GET"),
        ("POST", "/", "GET, HEAD"),
    ],
)
async def test_an_unknown_method_is_a_problem_that_names_the_known_ones(
    gateway: Gateway, method: str, path: str, allow: str
) -> None:
    answer = await gateway.client.request(method, path, headers=gateway.bearer())
    assert told(answer)[:2] == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == allow


async def test_a_stale_version_is_a_failed_precondition(gateway: Gateway) -> None:
    conflict = AlphintraError("VERSION_CONFLICT", "read it again", kind=Kind.CONFLICT, pointer="/version")
    gateway.services.replies[UpdateProfile] = conflict
    answer = await profile(gateway, {"display_name": "Ada"}, {"If-Match": '"4"'})
    assert told(answer) == (412, "VERSION_CONFLICT", "/version")
    (command,) = gateway.services.commands(UpdateProfile)
    assert command.version == 4  # type: ignore[attr-defined] # it is an UpdateProfile


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ({}, {}, 422, "FIELD_REQUIRED"),
        ({}, {"If-Match": "4"}, 422, "FIELD_FORMAT"),
        ({}, {"If-Match": "*"}, 422, "FIELD_FORMAT"),
        ({"version": 3}, {"If-Match": '"4"'}, 412, "VERSION_CONFLICT"),
    ],
)
async def test_a_change_says_which_version_it_is_of(
    gateway: Gateway, body: dict[str, Any], headers: dict[str, str], status: int, code: str
) -> None:
    assert told(await profile(gateway, body, headers))[:2] == (status, code)


async def profile(gateway: Gateway, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    return await gateway.client.patch("/api/v1/profile", json=body, headers={**gateway.bearer(), **headers})
