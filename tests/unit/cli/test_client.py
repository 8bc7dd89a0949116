"""Calls are answered strictly; expired sessions are renewed once, by one of several commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from alphintra.cli import session
from alphintra.cli.client import ApiClient, ApiError, wait_for
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home

URL = "http://127.0.0.1:1"
Handler = Callable[[httpx.Request], httpx.Response]
Answering = Callable[[Handler], None]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    original = httpx.Client

    def install(handler: Handler) -> None:
        monkeypatch.setattr(httpx, "Client", partial(original, transport=httpx.MockTransport(handler)))

    return install


def expired() -> httpx.Response:
    return httpx.Response(401, json={"code": "TOKEN_EXPIRED", "detail": "the token has expired"})


def test_an_expired_token_is_renewed_and_the_call_repeated(answering: Answering) -> None:
    answering(lambda request: httpx.Response(200, json={}) if bearer(request) == "new" else expired())
    asked: list[str] = []

    def renew() -> str:
        asked.append("renew")
        return "new"

    with ApiClient(URL, "old", renew=renew) as api:
        assert api.get("/accounts") == {}
        assert api.get("/accounts") == {}
    assert asked == ["renew"]


def test_a_token_that_stays_expired_is_renewed_once_and_then_told(answering: Answering) -> None:
    answering(lambda _request: expired())
    asked: list[str] = []

    def renew() -> str:
        asked.append("renew")
        return "new"

    with ApiClient(URL, "old", renew=renew) as api, pytest.raises(ApiError) as caught:
        api.get("/accounts")
    assert caught.value.code == "TOKEN_EXPIRED"
    assert asked == ["renew"]


def test_what_is_not_alphintra_is_told(answering: Answering) -> None:
    answering(lambda _request: httpx.Response(200, text="<html>"))
    with ApiClient(URL) as api, pytest.raises(AlphintraError) as caught:
        api.get("/health")
    assert caught.value.code == "NOT_ALPHINTRA"
    assert caught.value.kind is Kind.UNAVAILABLE


def test_a_document_is_sent_as_it_was_written(answering: Answering) -> None:
    sent: list[bytes] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, json={})

    answering(take)
    with ApiClient(URL) as api:
        api.post_document("/workflows", "graph", '{"a": 1.10, "a": 2}', {"name": 'x"y', "template": None})
    assert sent == [b'{"name": "x\\"y", "graph": {"a": 1.10, "a": 2}}']


def test_waiting_ends_with_what_was_waited_for_or_names_it() -> None:
    found = iter([1, 2, 3])
    assert wait_for("three", lambda: next(found), lambda each: each == 3) == 3
    with pytest.raises(AlphintraError) as caught:
        wait_for("the end", lambda: 0, lambda _each: False, timeout_s=0)
    assert caught.value.code == "TIMEOUT"
    assert "the end" in caught.value.detail


def test_of_several_commands_one_exchanges_the_refresh_token(tmp_path: Path, answering: Answering) -> None:
    exchanged: list[str] = []

    def exchange(request: httpx.Request) -> httpx.Response:
        exchanged.append(json.loads(request.content)["refresh_token"])
        return httpx.Response(200, json={"access_token": "new", "refresh_token": "next"})

    answering(exchange)
    home = kept(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(lambda _: session._renewed(home, URL, "old"), range(4)))
    assert tokens == ["new"] * 4
    assert exchanged == ["refresh"]
    assert json.loads(home.read_secret("cli-session") or "") == {"access_token": "new", "refresh_token": "next"}


def test_a_session_that_has_ended_is_forgotten(tmp_path: Path, answering: Answering) -> None:
    answering(lambda _request: httpx.Response(401, json={"code": "TOKEN_REUSED", "detail": "was used"}))
    home = kept(tmp_path)
    with pytest.raises(AlphintraError) as caught:
        session._renewed(home, URL, "old")
    assert caught.value.code == "LOGIN_REQUIRED"
    assert home.read_secret("cli-session") is None


def test_a_session_outlives_a_platform_that_is_busy(tmp_path: Path, answering: Answering) -> None:
    answering(lambda _request: httpx.Response(503, json={"code": "BUS_TIMEOUT", "detail": "try again"}))
    home = kept(tmp_path)
    with pytest.raises(AlphintraError) as caught:
        session._renewed(home, URL, "old")
    assert caught.value.code == "BUS_TIMEOUT"
    assert home.read_secret("cli-session") is not None


def kept(tmp_path: Path) -> Home:
    home = Home.open(tmp_path / "home")
    home.write_secret("cli-session", json.dumps({"access_token": "old", "refresh_token": "refresh"}))
    return home


def bearer(request: httpx.Request) -> str:
    return request.headers["Authorization"].removeprefix("Bearer ")
