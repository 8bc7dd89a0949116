"""Setting one shared limit keeps the other, and says what changes; what is not limited is said, not left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from alphintra.cli import session
from alphintra.cli.client import ApiClient

USER = str(UUID(int=7))
KEPT = {
    "scope": "user",
    "owner_id": USER,
    "version": 4,
    "credit_max": "1000.000000000",
    "four_eyes_above": "50.000000000",
    "credit_warn_pct": "80.000000000",
    "set_by": "operator",
    "set_at": "2026-01-05T10:00:00Z",
}


class Platform:
    """Keeps shared limits as the edge does: a PUT without both amounts is refused."""

    def __init__(self, kept: dict[str, Any] | None) -> None:
        self.kept = kept
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.query.decode()}".strip())
        if request.method == "PUT":
            body = json.loads(request.content)
            assert body.keys() >= {"credit_max", "four_eyes_above"}
            version = 1 if self.kept is None else self.kept["version"] + 1
            self.kept = {**KEPT, "owner_id": None, **body, "version": version}
        if self.kept is None:
            return httpx.Response(404, json={"code": "SHARED_LIMIT_NOT_FOUND", "detail": "nothing is limited"})
        return httpx.Response(200, json=self.kept)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    made = Platform(dict(KEPT))
    monkeypatch.setattr(httpx, "Client", partial(httpx.Client, transport=httpx.MockTransport(made.answer)))
    monkeypatch.setattr(session, "operator", lambda: ApiClient("http://127.0.0.1:1"))
    return made


def test_what_is_not_named_stays_and_the_change_is_told(platform: Platform, run: Callable[..., Any]) -> None:
    done = run("risk", "shared", "set", "--user", USER, "--credit-max", "2000")
    assert done.status == 0, done.errors
    assert platform.asked == [f"GET owner_id={USER}", "PUT"]
    assert platform.kept is not None
    assert (platform.kept["credit_max"], platform.kept["four_eyes_above"]) == ("2000", "50.000000000")
    assert "credit, most: 1000 -> 2000" in done.output
    assert "two people above: stays 50" in done.output


def test_a_limit_is_taken_off_by_name_alone(platform: Platform, run: Callable[..., Any]) -> None:
    done = run("risk", "shared", "set", "--user", USER, "--without", "four_eyes_above")
    assert done.status == 0, done.errors
    assert platform.kept is not None
    assert (platform.kept["credit_max"], platform.kept["four_eyes_above"]) == ("1000.000000000", None)
    assert "two people above: 50 -> not limited" in done.output


def test_the_first_shared_limits_of_the_firm_start_from_none(platform: Platform, run: Callable[..., Any]) -> None:
    platform.kept = None
    assert "SHARED_LIMIT_NOT_FOUND" in run("risk", "shared", "show").errors
    done = run("risk", "shared", "set", "--four-eyes-above", "10")
    assert done.status == 0, done.errors
    assert "credit, most: stays not limited" in done.output
    shown = run("risk", "shared", "show", "--json")
    assert json.loads(shown.output)["credit_max"] is None


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), "SHARED_LIMITS_NONE"),
        (("--credit-max", "1", "--without", "credit_max"), "SHARED_LIMITS_BOTH"),
    ],
)
def test_nothing_named_and_both_at_once_are_refused_before_anything_is_asked(
    platform: Platform, run: Callable[..., Any], options: tuple[str, ...], code: str
) -> None:
    done = run("risk", "shared", "set", *options)
    assert done.status != 0
    assert code in done.errors
    assert platform.asked == []
