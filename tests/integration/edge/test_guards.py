"""Who gets in, as whom, and for how long a proof is believed."""

from __future__ import annotations

import httpx
import msgspec
import pytest
from joserfc.jwk import OKPKey
from structlog.testing import capture_logs

from alphintra.contracts.auth import ApiKeyPrincipal, GetSigningKeys, SigningKeysView, VerifyApiKey
from alphintra.contracts.orders import AccountView
from alphintra.contracts.trading import GetAccount
from alphintra.edge.guards import PROVEN_MAX
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor
from alphintra.kernel.vocabulary import AccountMode
from fixtures.edge import KEY_HEADERS, OPERATOR, SESSION_ID, SOME_ID, USER_ID, Gateway, sample

ACCOUNTS = "/api/v1/accounts"


async def code(gateway: Gateway, headers: dict[str, str], path: str = ACCOUNTS) -> str:
    answer = await gateway.client.get(path, headers=headers)
    return "" if answer.status_code == 200 else str(answer.json()["code"])


def acting(gateway: Gateway) -> Actor:
    return gateway.services.asked[-1][1].actor


def principal(*scopes: str, role: str = "owner") -> ApiKeyPrincipal:
    return ApiKeyPrincipal(user_id=USER_ID, role=role, key_id="key1", scopes=scopes, mode="paper")


async def test_a_session_acts_as_its_person(gateway: Gateway) -> None:
    assert await code(gateway, gateway.bearer(role="trader")) == ""
    assert acting(gateway) == Actor(id=f"user:{USER_ID}", user_id=USER_ID, roles=("trader",))


async def test_the_operator_token_acts_as_the_operator(gateway: Gateway) -> None:
    assert await code(gateway, OPERATOR, "/api/v1/users") == ""
    assert acting(gateway) == Actor(id="operator", roles=("operator",))


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer alp_op_wrong"},
        {"Authorization": "Bearer alp_op_"},
        {"Authorization": "Bearer not.a.token"},
        {"Authorization": "Bearer x"},
    ],
)
async def test_a_wrong_token_is_refused(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = await gateway.client.get(ACCOUNTS, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "TOKEN_INVALID")
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "AUTH_REQUIRED"),
        ({"Authorization": "Bearer "}, "AUTH_REQUIRED"),
        ({"Authorization": "Basic dTpw"}, "AUTH_REQUIRED"),
        ({"X-User-Id": str(USER_ID)}, "AUTH_REQUIRED"),
        ({**OPERATOR, **KEY_HEADERS}, "AUTH_AMBIGUOUS"),
    ],
)
async def test_missing_and_double_credentials_are_refused(
    gateway: Gateway, headers: dict[str, str], expected: str
) -> None:
    assert await code(gateway, headers) == expected
    assert gateway.services.asked == []


async def test_without_an_operator_token_nobody_is_the_operator(gateway: Gateway) -> None:
    gateway.app.state.gate._operator_hash = ""
    for token in ("alp_op_", "alp_op_" + "0" * 43):
        assert await code(gateway, {"Authorization": f"Bearer {token}"}) in {"TOKEN_INVALID", "AUTH_REQUIRED"}


async def test_identity_headers_from_outside_change_nothing_and_are_told_in_the_log(gateway: Gateway) -> None:
    with capture_logs() as lines:
        assert await code(gateway, {**gateway.bearer(), "X-User-Id": str(SOME_ID), "X-User-Roles": "operator"}) == ""
    assert acting(gateway).user_id == USER_ID
    (warning,) = [line for line in lines if line["event"] == "http.identity_headers_ignored"]
    assert set(warning["headers"]) == {"x-user-id", "x-user-roles"}


async def test_a_token_is_refused_from_its_expiry_on_though_it_was_believed(gateway: Gateway) -> None:
    headers = gateway.bearer()
    gateway.clock.pass_time(seconds=298)
    assert await code(gateway, headers) == ""
    gateway.clock.pass_time(seconds=2)
    assert await code(gateway, headers) == "TOKEN_EXPIRED"


async def test_a_token_for_somebody_else_is_refused(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.token(aud='another')}"}
    assert await code(gateway, headers) == "TOKEN_AUDIENCE"


async def test_signing_keys_are_fetched_once(gateway: Gateway) -> None:
    for seconds in (0, 10, 10, 10):
        gateway.clock.pass_time(seconds=seconds)
        assert await code(gateway, gateway.bearer()) == ""
    assert len(gateway.services.commands(GetSigningKeys)) == 1


async def test_a_session_ended_before_the_edge_was_started_is_refused(gateway: Gateway) -> None:
    known = gateway.services.replies[GetSigningKeys]
    assert isinstance(known, SigningKeysView)
    gateway.services.replies[GetSigningKeys] = msgspec.structs.replace(known, ended_sessions=(SESSION_ID,))
    assert await code(gateway, gateway.bearer()) == "SESSION_ENDED"


async def test_a_new_signing_key_is_taken_up_without_waiting(gateway: Gateway) -> None:
    assert await code(gateway, gateway.bearer()) == ""
    newer = OKPKey.generate_key("Ed25519", {"kid": "two", "alg": "Ed25519", "use": "sig"})
    gateway.services.publish(gateway.services.signing_key, newer)
    gateway.clock.pass_time(seconds=6)
    assert await code(gateway, {"Authorization": f"Bearer {gateway.token(key=newer)}"}) == ""


async def test_tokens_of_an_unknown_key_do_not_make_us_ask_at_each_request(gateway: Gateway) -> None:
    stranger = OKPKey.generate_key("Ed25519", {"kid": "two", "alg": "Ed25519", "use": "sig"})
    for number in range(20):
        headers = {"Authorization": f"Bearer {gateway.token(key=stranger, jti=str(number))}"}
        assert await code(gateway, headers) == "TOKEN_INVALID"
    assert len(gateway.services.commands(GetSigningKeys)) == 1


async def test_a_session_logged_out_here_is_refused_at_once(gateway: Gateway) -> None:
    headers = gateway.bearer()
    answer = await gateway.client.post("/api/v1/auth/logout", headers=headers)
    assert answer.json() == {"session_id": str(SESSION_ID)}
    assert await code(gateway, headers) == "SESSION_ENDED"
    assert await code(gateway, {"Authorization": f"Bearer {gateway.token(jti='other')}"}) == "SESSION_ENDED"


async def test_a_key_is_verified_again_after_five_seconds(gateway: Gateway) -> None:
    for _ in range(3):
        assert await code(gateway, KEY_HEADERS) == ""
    assert len(gateway.services.commands(VerifyApiKey)) == 1
    gateway.services.replies[VerifyApiKey] = AlphintraError("KEY_INVALID", "revoked", kind=Kind.UNAUTHENTICATED)
    gateway.clock.pass_time(seconds=5)
    assert await code(gateway, KEY_HEADERS) == "KEY_INVALID"


async def test_another_secret_is_never_covered_by_the_proof_of_the_right_one(gateway: Gateway) -> None:
    assert await code(gateway, KEY_HEADERS) == ""
    gateway.services.replies[VerifyApiKey] = AlphintraError("KEY_INVALID", "wrong", kind=Kind.UNAUTHENTICATED)
    assert await code(gateway, {**KEY_HEADERS, "APCA-API-SECRET-KEY": "secret2"}) == "KEY_INVALID"
    assert await code(gateway, {"APCA-API-KEY-ID": "key1"}) == "KEY_INVALID"


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("203.0.113.7", ("203.0.113.0/24",), ""),
        ("203.0.114.7", ("203.0.113.0/24", "2001:db8::/48"), "AUTH_SCOPE"),
        ("2001:db8::1", ("203.0.113.0/24", "2001:db8::/48"), ""),
        ("::ffff:203.0.113.7", ("203.0.113.0/24",), ""),
        ("::ffff:203.0.114.7", ("203.0.113.0/24",), "AUTH_SCOPE"),
        ("a unix socket", ("0.0.0.0/0", "::/0"), "AUTH_SCOPE"),
        ("203.0.114.7", (), ""),
    ],
)
async def test_a_key_is_taken_from_its_addresses_alone(
    gateway: Gateway, address: str, networks: tuple[str, ...], expected: str
) -> None:
    gateway.services.replies[VerifyApiKey] = msgspec.structs.replace(principal("read"), addresses=networks)
    transport = httpx.ASGITransport(gateway.app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url=str(gateway.client.base_url)) as client:
        for _ in range(2):  # proven anew, and believed from before
            answer = await client.get(ACCOUNTS, headers=KEY_HEADERS)
            assert ("" if answer.status_code == 200 else answer.json()["code"]) == expected
            assert answer.status_code == (403 if expected else 200)


async def test_a_key_revoked_here_is_refused_at_once(gateway: Gateway) -> None:
    assert await code(gateway, KEY_HEADERS) == ""
    await gateway.client.delete("/api/v1/api-keys/key1", headers=gateway.bearer())
    gateway.services.replies[VerifyApiKey] = AlphintraError("KEY_INVALID", "revoked", kind=Kind.UNAUTHENTICATED)
    assert await code(gateway, KEY_HEADERS) == "KEY_INVALID"


async def test_the_number_of_proofs_kept_is_bounded(gateway: Gateway) -> None:
    for number in range(PROVEN_MAX + 10):
        assert await code(gateway, {"APCA-API-KEY-ID": f"key{number}", "APCA-API-SECRET-KEY": "s"}) == ""
    assert len(gateway.app.state.gate._keys._entries) == PROVEN_MAX


@pytest.mark.parametrize(
    ("scopes", "role", "method", "path", "answered"),
    [
        (("read",), "owner", "GET", ACCOUNTS, 200),
        (("read",), "owner", "DELETE", f"/api/v1/orders/{SOME_ID}", 403),
        (("trade",), "owner", "DELETE", f"/api/v1/orders/{SOME_ID}", 200),
        (("trade",), "owner", "GET", ACCOUNTS, 200),
        (("trade",), "owner", "GET", "/api/v1/users", 403),
        (("read", "trade"), "owner", "GET", "/api/v1/users", 403),
        (("admin",), "owner", "GET", "/api/v1/users", 200),
        (("admin",), "trader", "GET", "/api/v1/users", 403),
        (("read", "trade"), "owner", "GET", "/api/v1/api-keys", 403),
        (("admin",), "owner", "GET", "/api/v1/api-keys", 200),
        ((), "owner", "GET", ACCOUNTS, 403),
        (("read", "trade"), "viewer", "DELETE", f"/api/v1/orders/{SOME_ID}", 403),
        (("read",), "unheard-of", "GET", ACCOUNTS, 403),
    ],
)
async def test_a_key_may_do_what_both_its_scopes_and_its_persons_role_allow(
    gateway: Gateway, scopes: tuple[str, ...], role: str, method: str, path: str, answered: int
) -> None:
    gateway.services.replies[VerifyApiKey] = principal(*scopes, role=role)
    answer = await gateway.client.request(method, path, headers=KEY_HEADERS)
    assert answer.status_code == answered
    assert answered == 200 or answer.json()["code"] == "AUTH_SCOPE"


@pytest.mark.parametrize(
    ("role", "scopes", "answered"),
    [
        ("trader", None, 200),
        ("viewer", None, 403),
        ("owner", None, 200),
        ("owner", ("read", "trade"), 403),
        ("owner", ("admin",), 200),
        ("trader", ("read", "trade"), 403),
    ],
)
async def test_a_trading_person_may_halt_and_a_key_only_as_admin(
    gateway: Gateway, role: str, scopes: tuple[str, ...] | None, answered: int
) -> None:
    gateway.services.replies[VerifyApiKey] = principal(*(scopes or ()), role=role)
    headers = gateway.bearer(role=role) if scopes is None else KEY_HEADERS
    body = {"scope": "account", "account_id": str(SOME_ID), "reason": "test"}
    answer = await gateway.client.post("/api/v1/risk/kill", json=body, headers=headers)
    assert answer.status_code == answered


async def test_a_denied_request_is_told_in_the_log(gateway: Gateway) -> None:
    with capture_logs() as lines:
        await gateway.client.get("/api/v1/users", headers=gateway.bearer(role="trader"))
    (denied,) = [line for line in lines if line["event"] == "http.denied"]
    assert (denied["actor"], denied["needed"]) == (f"user:{USER_ID}", "admin")


async def test_credentials_never_reach_the_log(gateway: Gateway) -> None:
    headers = gateway.bearer()
    body = {"email": "a@example.org", "password": "hunter2-hunter2"}
    with capture_logs() as lines:
        await gateway.client.get(ACCOUNTS, headers=headers)
        await gateway.client.get(ACCOUNTS, headers=KEY_HEADERS)
        await gateway.client.get(ACCOUNTS, headers=OPERATOR)
        await gateway.client.get("/setup?token=one-time-token")
        await gateway.client.post("/api/v1/auth/login", json=body)
    text = str(lines)
    token = headers["Authorization"].removeprefix("Bearer ")
    for secret in (token, "secret1", OPERATOR["Authorization"][7:], "one-time-token", "hunter2-hunter2"):
        assert secret not in text


def stale(gateway: Gateway, *, seconds: int, role: str = "owner") -> dict[str, str]:
    """Return the header of a session whose person proved who they are so long ago."""
    auth_time = int(gateway.clock.now().timestamp()) - seconds
    return {"Authorization": f"Bearer {gateway.token(role=role, auth_time=auth_time)}"}


_STOLEN: list[tuple[str, str, dict[str, object]]] = [
    ("POST", "/api-keys", {"name": "bot", "scopes": ["read"]}),
    ("POST", "/auth/second-factor", {}),
    ("POST", "/accounts", {"name": "live", "starting_cash": "0", "mode": "live", "confirm": "live"}),
    (
        "PUT",
        f"/accounts/{SOME_ID}/connection",
        {"adapter": "alpaca", "environment": "paper", "credentials": {"key": "k"}},
    ),
    ("POST", "/risk/release", {"scope": "firm", "reason": "it is over"}),
    ("POST", "/risk/release", {"scope": "account", "account_id": str(SOME_ID), "reason": "it is over"}),
    ("PUT", "/risk/shared-limits", {"scope": "firm", "credit_max": None, "four_eyes_above": None}),
    ("POST", f"/risk/limit-proposals/{SOME_ID}/decision", {"is_approved": True}),
    ("POST", f"/risk/latches/{SOME_ID}/lift", {"reason": "looked at"}),
    ("POST", f"/risk/overrides/{SOME_ID}/approve", {}),
    (
        "POST",
        "/deployments",
        {
            "version_id": str(SOME_ID),
            "account_id": str(SOME_ID),
            "symbol": "AAPL",
            "capital": "100",
            "feed_id": str(SOME_ID),
            "confirm": "main",
        },
    ),
]


@pytest.mark.parametrize(("method", "path", "body"), _STOLEN, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_session_proven_long_ago_does_none_of_this(
    gateway: Gateway, method: str, path: str, body: dict[str, object]
) -> None:
    live = msgspec.structs.replace(sample(AccountView), mode=AccountMode.LIVE)
    gateway.services.replies[GetAccount] = live
    answer = await gateway.client.request(method, f"/api/v1{path}", json=body, headers=stale(gateway, seconds=301))
    assert (answer.status_code, answer.json()["code"]) == (403, "AUTH_STEP_UP"), answer.text
    assert [type(command) for command, _ in gateway.services.asked if not isinstance(command, GetSigningKeys)] in (
        [],
        [GetAccount],
    ), "nothing was asked of a service but of which kind the account is"
    for headers in (stale(gateway, seconds=299), OPERATOR):
        answer = await gateway.client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.json().get("code", "") != "AUTH_STEP_UP"


async def test_one_paper_account_may_be_let_trade_again_without_proving_anything(gateway: Gateway) -> None:
    paper = msgspec.structs.replace(sample(AccountView), mode=AccountMode.PAPER)
    gateway.services.replies[GetAccount] = paper
    body = {"scope": "account", "account_id": str(SOME_ID), "reason": "it is over"}
    answer = await gateway.client.post("/api/v1/risk/release", json=body, headers=stale(gateway, seconds=3600))
    assert answer.status_code == 200


async def test_trading_is_stopped_by_whoever_is_signed_in_however_long_ago(gateway: Gateway) -> None:
    body = {"scope": "firm", "reason": "stop"}
    answer = await gateway.client.post("/api/v1/risk/kill", json=body, headers=stale(gateway, seconds=3600))
    assert answer.status_code == 200
