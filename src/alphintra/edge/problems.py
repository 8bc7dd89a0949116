"""Failures as RFC 9457 problems: one table from kind to status, one shape, never a stack trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Problem", "did_you_mean", "handlers", "problem_response", "status_of", "unforeseen"]

ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]

MEDIA_TYPE: Final = "application/problem+json"
DETAIL_MAX: Final = 600
RETRY_AFTER_S: Final = 1

_STATUS: Final = MappingProxyType(
    {
        Kind.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
        Kind.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
        Kind.FORBIDDEN: HTTPStatus.FORBIDDEN,
        Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
        Kind.CONFLICT: HTTPStatus.CONFLICT,
        Kind.LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
        Kind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
        Kind.BUG: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
_TITLE: Final = MappingProxyType(
    {
        Kind.INVALID: "The request is not valid",
        Kind.UNAUTHENTICATED: "Sign in first",
        Kind.FORBIDDEN: "Not allowed",
        Kind.NOT_FOUND: "Not found",
        Kind.CONFLICT: "In conflict with the present state",
        Kind.LIMITED: "Too many requests",
        Kind.UNAVAILABLE: "Not available at the moment",
        Kind.BUG: "The platform failed",
    }
)
# Codes for which HTTP has a narrower word than their kind's.
_STATUS_OF_CODE: Final = MappingProxyType(
    {
        "BODY_EMPTY": HTTPStatus.BAD_REQUEST,
        "ENCODING": HTTPStatus.BAD_REQUEST,
        "JSON_DUPLICATE_KEY": HTTPStatus.BAD_REQUEST,
        "JSON_SYNTAX": HTTPStatus.BAD_REQUEST,
        "JSON_TOO_DEEP": HTTPStatus.BAD_REQUEST,
        "METHOD_NOT_ALLOWED": HTTPStatus.METHOD_NOT_ALLOWED,
        "VERSION_CONFLICT": HTTPStatus.PRECONDITION_FAILED,
        "BODY_TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "CONTENT_TYPE": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "HOST_UNKNOWN": HTTPStatus.MISDIRECTED_REQUEST,
        "HEADERS_TOO_LARGE": HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    }
)
_encode = msgspec.json.Encoder(decimal_format="string").encode
_RETRIABLE: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A failure (RFC 9457): ``code`` is stable, ``pointer`` names the offending input, ``trace_id`` the log entry."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    pointer: str
    trace_id: str


def status_of(error: AlphintraError) -> int:
    """Return the HTTP status an error is answered with."""
    return int(_STATUS_OF_CODE.get(error.code, _STATUS[error.kind]))


def problem_response(
    error: AlphintraError, trace_id: str, *, extra: Mapping[str, object] | None = None, allow: str = ""
) -> Response:
    """Write an error down as problem+json.

    Args:
        error: what could not be done.
        trace_id: names the log entries of this request.
        extra: further members of the problem, named by the operation that adds them.
        allow: methods the resource knows, for a 405.
    """
    status = status_of(error)
    problem = Problem(
        type=f"urn:alphintra:problem:{error.code.lower()}",
        title=_TITLE[error.kind],
        status=status,
        detail=error.detail[:DETAIL_MAX],
        code=error.code,
        pointer=error.pointer[:DETAIL_MAX],
        trace_id=trace_id,
    )
    headers = {}
    if error.kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="alphintra"'
    if status in _RETRIABLE or error.code == "IN_PROGRESS":
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if allow:
        headers["Allow"] = allow
    members = {**msgspec.structs.asdict(problem), **(extra or {})}
    return Response(_encode(members), status_code=status, headers=headers, media_type=MEDIA_TYPE)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a hint at the closest known word, or at all of them if none is close."""
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known)}"


def handlers(methods_of: Callable[[str], Sequence[str]]) -> dict[int | type[Exception], ExceptionHandler]:
    """Return the exception handlers both applications share.

    Args:
        methods_of: the methods the resource under a path takes, for a 405.
    """

    async def on_http_exception(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
        path = request.url.path[:120]
        allow = ""
        if status == HTTPStatus.NOT_FOUND:
            message = f"there is no {path!r} here: GET /api/openapi.json describes what there is"
            refused = AlphintraError("ROUTE_UNKNOWN", message, kind=Kind.NOT_FOUND)
        elif status == HTTPStatus.METHOD_NOT_ALLOWED:
            allow = ", ".join(methods_of(request.url.path))
            refused = AlphintraError("METHOD_NOT_ALLOWED", f"{path!r} takes {allow}, not {request.method[:20]}")
        else:
            refused = AlphintraError("REQUEST_INVALID", f"the request cannot be read: {error}")
        return problem_response(refused, request.state.trace_id, allow=allow)

    return {
        AlphintraError: _on_alphintra_error,
        RequestValidationError: _on_validation_error,
        HTTPException: on_http_exception,
        Exception: _on_exception,
    }


async def _on_alphintra_error(request: Request, error: Exception) -> Response:
    return problem_response(error if isinstance(error, AlphintraError) else unforeseen(), request.state.trace_id)


async def _on_exception(request: Request, _error: Exception) -> Response:
    # The outermost layer logs it with its trace; here it only gets its shape.
    return problem_response(unforeseen(), request.state.trace_id)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    found = _from_pydantic(error.errors()[0]) if isinstance(error, RequestValidationError) else unforeseen()
    return problem_response(found, request.state.trace_id)


def _from_pydantic(finding: Mapping[str, object]) -> AlphintraError:
    where = finding["loc"]
    name = str(where[-1]) if isinstance(where, Sequence) and where else ""
    pointer = f"/{name}"
    kind = str(finding["type"])
    message = f"{name}: {finding['msg']}"
    if kind == "missing":
        return AlphintraError("FIELD_REQUIRED", f"{name} is missing: add it to the query", pointer=pointer)
    if name == "limit" and kind in {"less_than_equal", "greater_than_equal"}:
        return AlphintraError("PAGE_LIMIT", message, pointer=pointer)
    if kind.startswith("uuid"):
        return AlphintraError("FIELD_FORMAT", f"{name} is no UUID", pointer=pointer)
    if kind in {"enum", "literal_error"}:
        return AlphintraError("FIELD_VALUE", message, pointer=pointer)
    if kind.startswith("string_too"):
        return AlphintraError("FIELD_LENGTH", message, pointer=pointer)
    return AlphintraError("FIELD_TYPE", message, pointer=pointer)


def unforeseen() -> AlphintraError:
    """Return what a caller is told of a failure nobody anticipated."""
    message = "something failed that should not: the log entry under this trace id tells what"
    return AlphintraError("INTERNAL", message, kind=Kind.BUG)
