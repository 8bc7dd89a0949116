"""A browser's session cannot be read, planted, borrowed by another page, or used after its end."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any, Final

import httpx
import pytest

from alphintra.contracts.auth import LogIn, LogOut, ProvenView, RefreshSession, StepUp, TokensView
from alphintra.contracts.trading import OpenAccount
from alphintra.kernel.errors import AlphintraError, Kind
from fixtures.edge import MOMENT, OPERATOR_TOKEN, SESSION_ID, USER_ID, Gateway

PLAIN: Final = "http://localhost:8400"
TLS: Final = "https://localhost"
REFRESH: Final = f"alr_{'r' * 64}"
PERSON: Final = {"email": "o@alphintra.example", "password": "a made-up passphrase"}
ACCOUNT: Final = {"name": "Paper", "starting_cash": "1000", "feed_id": str(USER_ID)}


@pytest.fixture(autouse=True)
def _signing_in_yields_tokens(gateway: Gateway) -> None:
    tokens = TokensView(
        user_id=USER_ID,
        role="owner",
        access_token=gateway.token(),
        refresh_token=REFRESH,
        expires_at=MOMENT,
        session_id=SESSION_ID,
    )
    gateway.services.replies |= {LogIn: tokens, RefreshSession: tokens}


def own(base: str = PLAIN) -> dict[str, str]:
    """Return what a browser adds to a request of one of our own pages."""
    return {"Origin": base, "Sec-Fetch-Site": "same-origin"}


async def signed_in(gateway: Gateway, base: str = PLAIN) -> tuple[httpx.Response, dict[str, str]]:
    answer = await gateway.client.post(f"{base}/api/v1/session", json=PERSON, headers=own(base))
    assert answer.status_code == 200, answer.text
    gateway.client.cookies.clear()
    cookies = "; ".join(line.partition(";")[0] for line in answer.headers.get_list("set-cookie"))
    return answer, {"Cookie": cookies}


async def open_account(gateway: Gateway, headers: dict[str, str], base: str = PLAIN) -> tuple[int, str]:
    answer = await gateway.client.post(f"{base}/api/v1/accounts", json=ACCOUNT, headers=headers)
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize(
    ("base", "names", "is_secure"),
    [
        (PLAIN, {"alphintra-8400", "alphintra-refresh-8400"}, False),
        (TLS, {"__Host-alphintra", "__Host-alphintra-refresh"}, True),
    ],
)
async def test_scripts_never_see_a_token(gateway: Gateway, base: str, names: set[str], is_secure: bool) -> None:  # noqa: FBT001 - a column of the table
    answer, _ = await signed_in(gateway, base)
    assert REFRESH not in answer.text
    assert gateway.token() not in answer.text
    lines = answer.headers.get_list("set-cookie")
    cookies = {name: morsel for line in lines for name, morsel in SimpleCookie(line).items()}
    assert set(cookies) == names
    for morsel in cookies.values():
        assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Strict", "/")
        assert (morsel["domain"], morsel["max-age"], morsel["expires"]) == ("", "", "")
        assert bool(morsel["secure"]) == is_secure


async def test_behind_a_proxy_that_ends_tls_cookies_are_secure_all_the_same(gateway: Gateway) -> None:
    headers = {"Origin": "https://localhost:8400", "Sec-Fetch-Site": "same-origin"}
    answer = await gateway.client.post("/api/v1/session", json=PERSON, headers=headers)
    assert all("; Secure" in line and line.startswith("__Host-") for line in answer.headers.get_list("set-cookie"))
    gateway.client.cookies.clear()
    read = await gateway.client.get("/api/v1/session", headers={"Cookie": f"__Host-alphintra={gateway.token()}"})
    assert read.status_code == 200


async def test_a_page_of_ours_with_the_token_changes_things(gateway: Gateway) -> None:
    answer, cookies = await signed_in(gateway)
    csrf = answer.json()["csrf_token"]
    assert await open_account(gateway, {**own(), **cookies, "X-CSRF-Token": csrf}) == (201, "")
    read = (await gateway.client.get("/api/v1/session", headers={**own(), **cookies})).json()
    assert (read["csrf_token"], read["role"], read["user_id"]) == (csrf, "owner", str(USER_ID))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, "ORIGIN_FORBIDDEN"),
        ({"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}, "ORIGIN_FORBIDDEN"),
        ({"Origin": "null"}, "ORIGIN_FORBIDDEN"),
        ({"Sec-Fetch-Site": "none"}, "ORIGIN_FORBIDDEN"),
        ({"Origin": PLAIN, "Sec-Fetch-Site": "same-site"}, "ORIGIN_FORBIDDEN"),
        ({}, "ORIGIN_FORBIDDEN"),
    ],
    ids=str,
)
async def test_another_page_changes_nothing_even_with_cookie_and_token(
    gateway: Gateway, sent: dict[str, str], code: str
) -> None:
    answer, cookies = await signed_in(gateway)
    headers = {**sent, **cookies, "X-CSRF-Token": answer.json()["csrf_token"]}
    assert await open_account(gateway, headers) == (403, code)
    assert gateway.services.commands(OpenAccount) == []


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é", "of another session"])
async def test_our_own_page_needs_the_token_of_its_session(gateway: Gateway, token: str | None) -> None:
    _, cookies = await signed_in(gateway)
    if token == "of another session":
        token = gateway.app.state.gate.csrf.token(USER_ID)
    given = {} if token is None else {"X-CSRF-Token": token.encode("latin-1").decode("latin-1")}
    headers = httpx.Headers({**own(), **cookies, **given}, encoding="latin-1")
    found = await open_account(gateway, headers)  # type: ignore[arg-type] # one that keeps its encoding
    assert found == (403, "CSRF_TOKEN")
    assert gateway.services.commands(OpenAccount) == []


async def test_a_foreign_page_cannot_even_read(gateway: Gateway) -> None:
    _, cookies = await signed_in(gateway)
    for site in ("cross-site", "same-site"):
        answer = await gateway.client.get("/api/v1/accounts", headers={**cookies, "Sec-Fetch-Site": site})
        assert (answer.status_code, answer.json()["code"]) == (403, "ORIGIN_FORBIDDEN")


@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/session/refresh"])
async def test_nobody_is_signed_in_or_kept_signed_in_by_another_page(gateway: Gateway, path: str) -> None:
    body: dict[str, Any] = {"json": PERSON} if path.endswith("session") else {}
    for sent in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "none"}):
        headers = {"Cookie": f"alphintra-refresh-8400={REFRESH}", **sent}
        answer = await gateway.client.post(path, headers=headers, **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "ORIGIN_FORBIDDEN")
    assert gateway.services.asked == []


async def test_a_session_planted_beside_ours_is_refused_and_a_new_sign_in_takes_nothing_over(gateway: Gateway) -> None:
    name = "alphintra-8400"
    twice = {"Cookie": f"{name}={gateway.token()}; {name}={gateway.token()}"}
    answer = await gateway.client.get("/api/v1/session", headers=twice)
    assert (answer.status_code, answer.json()["code"]) == (401, "AUTH_AMBIGUOUS")
    planted = {"Cookie": f"{name}=planted; alphintra-refresh-8400=planted", **own()}
    begun = await gateway.client.post("/api/v1/session", json=PERSON, headers=planted)
    assert begun.status_code == 200
    assert all("planted" not in line for line in begun.headers.get_list("set-cookie"))


async def test_over_tls_a_cookie_a_neighbour_could_plant_counts_for_nothing(gateway: Gateway) -> None:
    for name in ("alphintra", "alphintra-443", "alphintra-8400", "alphintra-80"):
        answer = await gateway.client.get(f"{TLS}/api/v1/session", headers={"Cookie": f"{name}={gateway.token()}"})
        assert answer.status_code == 401


async def test_what_says_who_it_is_needs_no_page_and_its_cookies_are_not_looked_at(gateway: Gateway) -> None:
    bearer = {"Authorization": f"Bearer {OPERATOR_TOKEN}", "Cookie": "alphintra-8400=x; alphintra-8400=y"}
    assert (await gateway.client.get("/api/v1/accounts", headers=bearer)).status_code == 200
    answer = await gateway.client.get("/api/v1/session", headers=bearer)
    assert answer.json()["code"] == "SESSION_REQUIRED"


async def test_a_session_goes_on_with_its_refresh_cookie_and_only_with_it(gateway: Gateway) -> None:
    _, cookies = await signed_in(gateway)
    answer = await gateway.client.post("/api/v1/session/refresh", headers={**own(), **cookies})
    assert answer.status_code == 200
    assert gateway.services.commands(RefreshSession) == [RefreshSession(refresh_token=REFRESH)]
    assert len(answer.headers.get_list("set-cookie")) == 2
    gateway.client.cookies.clear()
    access_alone = {"Cookie": cookies["Cookie"].partition("; ")[0], **own()}
    without = await gateway.client.post("/api/v1/session/refresh", headers=access_alone)
    assert (without.status_code, without.json()["code"]) == (401, "AUTH_REQUIRED")
    used = AlphintraError("TOKEN_REUSED", "used before", kind=Kind.UNAUTHENTICATED)
    gateway.services.replies[RefreshSession] = used
    again = await gateway.client.post("/api/v1/session/refresh", headers={**own(), **cookies})
    assert (again.status_code, again.json()["code"]) == (401, "TOKEN_REUSED")
    assert again.headers.get_list("set-cookie") == []


async def test_signing_out_ends_the_session_here_and_in_auth_and_takes_the_cookies_away(gateway: Gateway) -> None:
    answer, cookies = await signed_in(gateway)
    headers = {**own(), **cookies, "X-CSRF-Token": answer.json()["csrf_token"]}
    ended = await gateway.client.delete("/api/v1/session", headers=headers)
    assert ended.status_code == 200
    assert all("Max-Age=0" in line and "=;" in line for line in ended.headers.get_list("set-cookie"))
    assert gateway.services.commands(LogOut) == [LogOut(session_id=SESSION_ID)]
    gateway.client.cookies.clear()
    kept = await gateway.client.get("/api/v1/session", headers={**own(), **cookies})  # a thief has a copy
    assert (kept.status_code, kept.json()["code"]) == (401, "SESSION_ENDED")


async def test_proving_again_replaces_the_access_cookie_alone(gateway: Gateway) -> None:
    answer, cookies = await signed_in(gateway)
    fresh = gateway.token(jti="proven")
    gateway.services.replies[StepUp] = ProvenView(access_token=fresh, expires_at=MOMENT)
    headers = {**own(), **cookies, "X-CSRF-Token": answer.json()["csrf_token"]}
    proven = await gateway.client.post("/api/v1/session/step-up", json={"password": "x"}, headers=headers)
    assert proven.status_code == 200
    assert [line.partition(";")[0] for line in proven.headers.get_list("set-cookie")] == [f"alphintra-8400={fresh}"]
