"""Failures become statuses in one place, and their shape never tells more than it should."""

from __future__ import annotations

import msgspec
import pytest

from alphintra.edge.problems import problem_response, status_of
from alphintra.kernel.errors import AlphintraError, Kind


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Kind.INVALID, 422),
        (Kind.UNAUTHENTICATED, 401),
        (Kind.FORBIDDEN, 403),
        (Kind.NOT_FOUND, 404),
        (Kind.CONFLICT, 409),
        (Kind.LIMITED, 429),
        (Kind.UNAVAILABLE, 503),
        (Kind.BUG, 500),
    ],
)
def test_a_kind_has_one_status(kind: Kind, status: int) -> None:
    assert status_of(AlphintraError("SOME_CODE", "text", kind=kind)) == status


def test_every_kind_has_a_status_and_a_title() -> None:
    for kind in Kind:
        assert problem_response(AlphintraError("SOME_CODE", "text", kind=kind), "t" * 32).status_code >= 400


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("VERSION_CONFLICT", Kind.CONFLICT, 412),
        ("JSON_SYNTAX", Kind.INVALID, 400),
        ("BODY_TOO_LARGE", Kind.INVALID, 413),
        ("CONTENT_TYPE", Kind.INVALID, 415),
    ],
)
def test_a_code_that_http_has_a_word_for_gets_that_status(code: str, kind: Kind, status: int) -> None:
    assert status_of(AlphintraError(code, "text", kind=kind)) == status


def test_a_problem_carries_the_members_of_rfc_9457_and_its_own() -> None:
    error = AlphintraError("QTY_NOT_POSITIVE", "0 must be above zero", pointer="/qty")
    response = problem_response(error, "abc", extra={"order_id": "o1"})
    assert msgspec.json.decode(response.body) == {
        "type": "urn:alphintra:problem:qty_not_positive",
        "title": "The request is not valid",
        "status": 422,
        "detail": "0 must be above zero",
        "code": "QTY_NOT_POSITIVE",
        "pointer": "/qty",
        "trace_id": "abc",
        "order_id": "o1",
    }
    assert response.media_type == "application/problem+json"


@pytest.mark.parametrize(
    ("kind", "code"), [(Kind.LIMITED, "X"), (Kind.UNAVAILABLE, "X"), (Kind.CONFLICT, "IN_PROGRESS")]
)
def test_what_may_succeed_later_says_when_to_try_again(kind: Kind, code: str) -> None:
    assert problem_response(AlphintraError(code, "text", kind=kind), "t").headers["Retry-After"] == "1"


def test_what_will_not_succeed_later_does_not_say_so() -> None:
    assert "Retry-After" not in problem_response(AlphintraError("X", "text", kind=Kind.CONFLICT), "t").headers


def test_who_is_not_known_is_told_how_to_sign_in() -> None:
    response = problem_response(AlphintraError("X", "text", kind=Kind.UNAUTHENTICATED), "t")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_detail_never_echoes_a_whole_body() -> None:
    response = problem_response(AlphintraError("X", "y" * 100_000), "t")
    assert len(response.body) < 2000
