"""Failures as Alpaca tells them: an HTTP status, its number and one sentence; our own code stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from alphintra.edge.problems import ExceptionHandler, unforeseen
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["ALPACA_PREFIX", "HANDLERS", "error_body", "error_response", "refused"]

ALPACA_PREFIX: Final = "/alpaca"
DETAIL_MAX: Final = 600
RETRY_AFTER_S: Final = 1

INVALID: Final = 40010000
NOT_UNIQUE: Final = 40010001
UNAUTHORIZED: Final = 40110000
FORBIDDEN: Final = 40310000
NOT_FOUND: Final = 40410000
METHOD: Final = 40510000
UNPROCESSABLE: Final = 42210000
LIMITED: Final = 42910000
FAILED: Final = 50010000
UNAVAILABLE: Final = 50310000

_Answer = tuple[HTTPStatus, int]
_OF_KIND: Final[Mapping[Kind, _Answer]] = MappingProxyType(
    {
        Kind.INVALID: (HTTPStatus.UNPROCESSABLE_ENTITY, UNPROCESSABLE),
        Kind.UNAUTHENTICATED: (HTTPStatus.UNAUTHORIZED, UNAUTHORIZED),
        Kind.FORBIDDEN: (HTTPStatus.FORBIDDEN, FORBIDDEN),
        Kind.NOT_FOUND: (HTTPStatus.NOT_FOUND, NOT_FOUND),
        Kind.CONFLICT: (HTTPStatus.UNPROCESSABLE_ENTITY, UNPROCESSABLE),
        Kind.LIMITED: (HTTPStatus.TOO_MANY_REQUESTS, LIMITED),
        Kind.UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, UNAVAILABLE),
        Kind.BUG: (HTTPStatus.INTERNAL_SERVER_ERROR, FAILED),
    }
)
_BAD_REQUEST: Final[_Answer] = (HTTPStatus.BAD_REQUEST, INVALID)
_OF_CODE: Final[Mapping[str, _Answer]] = MappingProxyType(
    {
        "ACTIVITY_TYPE_UNKNOWN": (HTTPStatus.UNPROCESSABLE_ENTITY, NOT_UNIQUE),
        "BODY_EMPTY": _BAD_REQUEST,
        "BODY_TOO_LARGE": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, INVALID),
        "CONTENT_TYPE": _BAD_REQUEST,
        "ENCODING": _BAD_REQUEST,
        "JSON_DUPLICATE_KEY": _BAD_REQUEST,
        "JSON_SYNTAX": _BAD_REQUEST,
        "JSON_TOO_DEEP": _BAD_REQUEST,
        "METHOD_NOT_ALLOWED": (HTTPStatus.METHOD_NOT_ALLOWED, METHOD),
        "ORDER_ID_REUSED": (HTTPStatus.UNPROCESSABLE_ENTITY, NOT_UNIQUE),
        "ORDER_DENIED": (HTTPStatus.FORBIDDEN, FORBIDDEN),
    }
)
_encode = msgspec.json.Encoder(decimal_format="string").encode


def refused(code: str, message: str, *, kind: Kind = Kind.INVALID, pointer: str = "") -> AlphintraError:
    """Return a failure of this API, with the code it has in the platform's own."""
    return AlphintraError(code, message, kind=kind, pointer=pointer)


def error_body(error: AlphintraError) -> tuple[int, dict[str, object]]:
    """Return the HTTP status and the JSON of a failure; ``reason_code`` is what the platform's own API calls it."""
    status, number = _OF_CODE.get(error.code, _OF_KIND[error.kind])
    return int(status), {"code": number, "message": error.detail[:DETAIL_MAX], "reason_code": error.code}


def error_response(error: AlphintraError, *, extra: Mapping[str, object] | None = None) -> Response:
    """Write a failure down as Alpaca does, with further members where an operation has them."""
    status, body = error_body(error)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.kind in {Kind.LIMITED, Kind.UNAVAILABLE} else {}
    content = _encode({**body, **(extra or {})})
    return Response(content, status_code=status, headers=headers, media_type="application/json")


async def _on_alphintra_error(_request: Request, error: Exception) -> Response:
    return error_response(error if isinstance(error, AlphintraError) else unforeseen())


async def _on_http_exception(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    path = request.url.path[:120]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return error_response(refused("METHOD_NOT_ALLOWED", f"{path!r} does not take {request.method[:20]}"))
    message = f"endpoint not found: {path!r} is none that this platform serves, see docs/alpaca.md"
    return error_response(refused("ROUTE_UNKNOWN", message, kind=Kind.NOT_FOUND))


async def _on_exception(_request: Request, _error: Exception) -> Response:
    return error_response(unforeseen())


HANDLERS: Final[Mapping[int | type[Exception], ExceptionHandler]] = MappingProxyType(
    {AlphintraError: _on_alphintra_error, HTTPException: _on_http_exception, Exception: _on_exception}
)
"""What answers failures of the routes below ``/alpaca``."""
