"""What holds for every request and every answer, errors included."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from alphintra.edge import front
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.health import AuthHealth, HealthView, MonthsView, TradingHealth
from fixtures.edge import OPERATOR, SOME_ID, Gateway, opened_gateway

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/setup", 200),
        ("GET", "/api/docs", 200),
        ("GET", "/api/v1/health", 200),
        ("GET", "/api/v1/accounts", 401),
        ("GET", f"/api/v1/orders/{SOME_ID}", 401),
        ("GET", "/nope", 404),
        ("PUT", "/api/v1/accounts", 405),
        ("POST", "/api/v1/auth/login", 400),
    ],
)
async def test_every_answer_carries_the_security_headers(gateway: Gateway, method: str, path: str, status: int) -> None:
    answer = await gateway.client.request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "access-control-allow-origin" not in answer.headers
    assert len(answer.headers["trace-id"]) == 32


async def test_strict_transport_is_asked_for_behind_tls_only(gateway: Gateway) -> None:
    plain = await gateway.client.get("http://localhost/api/v1/health")
    secure = await gateway.client.get("https://localhost/api/v1/health")
    assert "strict-transport-security" not in plain.headers
    assert secure.headers["strict-transport-security"].startswith("max-age=31536000")


@pytest.mark.parametrize("host", ["localhost", "localhost:8400", "127.0.0.1:1", "[::1]:8400", "LocalHost"])
async def test_loopback_names_are_hosts(gateway: Gateway, host: str) -> None:
    assert (await gateway.client.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:8400", "", "[::1", "127.0.0.1@evil.example"]
)
async def test_other_names_are_refused(gateway: Gateway, host: str) -> None:
    answer = await gateway.client.get("/api/v1/health", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "HOST_UNKNOWN")


async def test_a_configured_name_is_a_host() -> None:
    async with opened_gateway(allowed_hosts=("trade.example",)) as gateway:
        assert (await gateway.client.get("/", headers={"Host": "trade.example:443"})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "http://localhost:8400.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_page_of_another_origin_changes_nothing(gateway: Gateway, headers: dict[str, str]) -> None:
    url = "/api/v1/auth/login"
    answer = await gateway.client.post(url, json={"email": "a@example.org", "password": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "ORIGIN_FORBIDDEN")
    assert gateway.services.asked == []


async def test_the_own_page_may_change_things(gateway: Gateway) -> None:
    headers = {"Origin": "http://localhost:8400", "Sec-Fetch-Site": "same-origin"}
    body = {"email": "a@example.org", "password": "x"}
    assert (await gateway.client.post("/api/v1/auth/login", json=body, headers=headers)).status_code == 200


async def test_a_trace_that_comes_in_goes_on_to_the_service_and_back(gateway: Gateway) -> None:
    headers = {**gateway.bearer(), "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    answer = await gateway.client.get("/api/v1/accounts", headers=headers)
    assert answer.headers["trace-id"] == TRACE
    assert gateway.services.asked[-1][1].trace_id == TRACE


@pytest.mark.parametrize("traceparent", ["", "x", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}\x7f-1-1"])
async def test_a_trace_that_is_none_is_replaced(gateway: Gateway, traceparent: str) -> None:
    answer = await gateway.client.get("/", headers={"traceparent": traceparent})
    assert answer.headers["trace-id"] not in {TRACE, "0" * 32}
    assert len(answer.headers["trace-id"]) == 32


async def test_each_request_is_one_line_of_the_log(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    said = ""
    for path in ("/api/v1/accounts?x=1", "/"):
        answer = await gateway.client.get(path, headers=gateway.bearer())
    async with asyncio.timeout(5):
        while said.count("http.request") < 2:
            await asyncio.sleep(0.01)
            said += capsys.readouterr().out
    first, second = [json.loads(line) for line in said.splitlines() if "http.request" in line]
    assert (first["method"], first["path"], first["status"]) == ("GET", "/api/v1/accounts", 422)
    assert first["actor"].startswith("user:")
    assert (second["path"], second["actor"], second["level"]) == ("/", "anonymous", "info")
    assert second["trace_id"] == answer.headers["trace-id"]
    assert datetime.fromisoformat(second["timestamp"]).utcoffset() == timedelta(0)


async def test_headers_beyond_all_use_are_refused(gateway: Gateway) -> None:
    answer = await gateway.client.get("/", headers={"X-Long": "x" * 40_000})
    assert (answer.status_code, answer.json()["code"]) == (431, "HEADERS_TOO_LARGE")


async def test_too_many_requests_at_once_are_turned_away(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "IN_FLIGHT_MAX", 0)
    answer = await gateway.client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (429, "BUSY")
    monkeypatch.setattr(front, "IN_FLIGHT_MAX", 1)
    assert (await gateway.client.get("/")).status_code == 200


async def test_a_request_that_takes_too_long_is_given_up(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = front._BodyRule(frozenset({"application/json"}), 1000, 0.05)
    monkeypatch.setattr(front, "_JSON", rule)
    waiting = asyncio.Event()

    async def never(*_: object, **__: object) -> list[object]:
        await waiting.wait()
        return []

    bus = gateway.app.state.gate.bus
    headers = gateway.bearer()
    monkeypatch.setattr(bus, "ask_many", never)
    answer = await gateway.client.get("/api/v1/accounts", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "REQUEST_TIMEOUT")
    assert answer.headers["retry-after"] == "1"


async def test_a_failure_nobody_foresaw_is_a_problem_and_a_log_entry_without_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened_gateway(raise_app_exceptions=False) as gateway:
        headers = gateway.bearer()
        secret = "hunter2-" + "x" * 8

        async def broken(*_: object, **__: object) -> object:
            kept = secret
            raise KeyError(len(kept))

        monkeypatch.setattr(gateway.app.state.gate.bus, "ask_many", broken)
        with capture_logs() as lines:
            answer = await gateway.client.get("/api/v1/accounts", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "KeyError" not in answer.text
    (line,) = [one for one in lines if one["event"] == "http.failed"]
    assert "KeyError" in line["traceback"]
    assert secret not in str(lines)


async def test_health_lists_eight_services_that_are_well(gateway: Gateway) -> None:
    gateway.services.replies[AuthHealth] = HealthView(
        service="auth", database="auth_db", role="auth_service_user", migrations=3, events_waiting=0, latency_ms=0.4
    )
    answer = await gateway.client.get("/api/v1/health")
    health = answer.json()
    assert (answer.status_code, health["status"], health["version"]) == (200, "ok", "9.9.9")
    assert len(health["services"]) == 8
    assert health["services"][0] == {
        "service": "auth",
        "status": "ok",
        "database": "auth_db",
        "role": "auth_service_user",
        "migrations": 3,
        "events_waiting": 0,
        "latency_ms": 0.4,
        "months": None,
        "code": "",
    }


async def test_health_lists_the_service_that_is_down_and_says_503(gateway: Gateway) -> None:
    gateway.services.directory.remove("risk.cmd.health")
    answer = await gateway.client.get("/api/v1/health")
    states = {one["service"]: (one["status"], one["code"]) for one in answer.json()["services"]}
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
    assert states.pop("risk") == ("down", "RISK_UNAVAILABLE")
    assert set(states.values()) == {("ok", "")}
    assert len(states) == 7


async def test_health_survives_a_service_that_answers_with_a_failure(gateway: Gateway) -> None:
    gateway.services.replies[AuthHealth] = AlphintraError("DATABASE_DOWN", "x")
    answer = await gateway.client.get("/api/v1/health")
    assert answer.status_code == 503
    assert answer.json()["services"][0]["code"] == "DATABASE_DOWN"


async def test_the_first_page_leads_to_health_and_description_without_foreign_assets(gateway: Gateway) -> None:
    page = (await gateway.client.get("/")).text
    for link in ("/api/v1/health", "/api/docs", "/api/openapi.json"):
        assert f'href="{link}"' in page
        assert (await gateway.client.get(link)).status_code == 200
    assert "//" not in page.replace("<!doctype html>", "")


async def test_the_setup_page_runs_only_its_own_script_and_never_holds_the_token(gateway: Gateway) -> None:
    first = await gateway.client.get("/setup?token=one-time-token")
    second = await gateway.client.get("/setup?token=one-time-token")
    policy = first.headers["content-security-policy"]
    nonce = policy.split("script-src 'nonce-")[1].split("'")[0]
    assert first.text.count(f'<script nonce="{nonce}">') == first.text.count("<script") == 1
    assert "form-action 'none'" in policy
    assert policy != second.headers["content-security-policy"]
    assert "one-time-token" not in first.text


async def test_a_caller_beyond_the_limit_is_told_to_wait_and_may_still_cancel() -> None:
    async with opened_gateway(rate_limit=2) as gateway:
        one, other = gateway.bearer(), OPERATOR
        statuses = [(await gateway.client.get("/api/v1/accounts", headers=one)).status_code for _ in range(10)]
        assert statuses == [200] * 10
        refused = await gateway.client.get("/api/v1/accounts", headers=one)
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
            429,
            "RATE_LIMITED",
            "1",
        )
        assert (await gateway.client.delete(f"/api/v1/orders/{SOME_ID}", headers=one)).status_code == 200
        assert (await gateway.client.get("/metrics", headers=other)).status_code == 200


async def test_metrics_count_what_was_answered_and_are_for_the_operator(gateway: Gateway) -> None:
    await gateway.client.get("/api/v1/accounts", headers=gateway.bearer())
    await gateway.client.get("/nope")
    assert (await gateway.client.get("/metrics")).status_code == 401
    assert (await gateway.client.get("/metrics", headers=gateway.bearer(role="trader"))).status_code == 403
    answer = await gateway.client.get("/metrics", headers=OPERATOR)
    assert answer.headers["content-type"].startswith("text/plain")
    counted = [
        'alphintra_http_requests_total{method="GET",operation="list_accounts",status="200"} 1.0',
        'alphintra_http_requests_total{method="GET",operation="none",status="404"} 1.0',
        'alphintra_http_requests_total{method="GET",operation="metrics",status="401"} 1.0',
        'alphintra_http_request_seconds_count{operation="list_accounts"} 1.0',
    ]
    assert [line for line in counted if line not in answer.text.splitlines()] == []


async def test_metrics_show_until_when_there_are_months_and_nothing_of_a_service_that_does_not_answer(
    gateway: Gateway,
) -> None:
    async def shown() -> list[str]:
        answer = await gateway.client.get("/metrics", headers=OPERATOR)
        return [line for line in answer.text.splitlines() if line.startswith("alphintra_months_")]

    june = datetime(2026, 6, 1, tzinfo=UTC)
    for kept_until, has_rest, until in ((june, False, june.timestamp()), (None, True, 0.0)):
        gateway.services.replies[TradingHealth] = HealthView(
            service="trading",
            database="d",
            role="r",
            migrations=1,
            events_waiting=0,
            latency_ms=1.0,
            months=MonthsView(kept_until=kept_until, has_rest=has_rest, warning=""),
        )
        kept, rest = await shown()
        name, value = kept.split()
        assert (name, float(value)) == ('alphintra_months_kept_until_seconds{service="trading"}', until)
        assert rest == f'alphintra_months_rest{{service="trading"}} {float(has_rest)}'
    gateway.services.replies[TradingHealth] = AlphintraError("DATABASE_DOWN", "x")
    for _ in range(2):
        assert await shown() == []
