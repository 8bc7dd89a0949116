"""The outermost layer: what holds for every request and every answer, whatever route they meet."""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from time import perf_counter
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from alphintra.edge.alpaca.errors import ALPACA_PREFIX, error_response
from alphintra.edge.metrics import Metrics
from alphintra.edge.problems import problem_response, unforeseen
from alphintra.edge.settings import EdgeSettings
from alphintra.infrastructure.telemetry import LineWriter, get_logger, new_trace_id
from alphintra.kernel.clock import Clock
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["UPLOAD_BYTES_MAX", "Front"]

JSON_BYTES_MAX: Final = 512 * 1024
UPLOAD_BYTES_MAX: Final = 64 * 1024 * 1024
HEADER_BYTES_MAX: Final = 32 * 1024
IN_FLIGHT_MAX: Final = 1024
REQUEST_S_MAX: Final = 30.0
UPLOAD_S_MAX: Final = 600.0
PATH_LOGGED_MAX: Final = 200
CLIENT_GONE: Final = 499  # what the log says of a request whose sender left; never sent

_UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_IDENTITY_HEADERS: Final = frozenset(
    {b"x-user-id", b"x-user-role", b"x-user-roles", b"x-forwarded-user", b"x-remote-user", b"x-account-id"}
)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_DEFAULT_HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
_STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


@dataclass(frozen=True, slots=True)
class _BodyRule:
    media: frozenset[str]
    bytes_max: int
    seconds_max: float


_JSON: Final = _BodyRule(frozenset({"application/json"}), JSON_BYTES_MAX, REQUEST_S_MAX)
_FILE_MEDIA: Final = frozenset(
    {
        "text/csv",
        "application/gzip",
        "application/x-gzip",
        "application/zip",
        "application/vnd.apache.parquet",
        "application/octet-stream",
    }
)
_UPLOADS: Final = MappingProxyType(
    {("POST", "/api/v1/datasets"): _BodyRule(_FILE_MEDIA, UPLOAD_BYTES_MAX, UPLOAD_S_MAX)}
)


class Front:
    """Checks host, origin, size and type of a request, bounds its time, and dresses and logs the answer."""

    def __init__(self, app: ASGIApp, *, settings: EdgeSettings, metrics: Metrics, clock: Clock) -> None:
        self._app = app
        self._metrics = metrics
        self._lines = LineWriter(clock)
        self._hosts = _LOOPBACK | {host.lower() for host in settings.allowed_hosts}
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._connect(scope, receive, send)
            return
        headers = _headers_of(scope)
        trace_id = _trace_id(headers.get("traceparent", ""))
        scope.setdefault("state", {})["trace_id"] = trace_id
        answer = _Answer(send, trace_id, is_secure=scope.get("scheme") == "https")
        started = perf_counter()
        self._in_flight += 1
        try:
            with bound_contextvars(trace_id=trace_id):
                await self._serve(scope, receive, answer, headers)
        finally:
            self._in_flight -= 1
            seconds = perf_counter() - started
            self._metrics.answered(scope, answer.status, seconds)
            self._lines.write(_line(scope, answer.status, trace_id, seconds))

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a WebSocket through that comes under our name and, where a browser sends it, from our own page."""
        headers = _headers_of(scope)
        try:
            _check_host(headers.get("host", ""), self._hosts)
            _check_origin(headers)
        except AlphintraError as error:
            get_logger().warning("ws.refused", code=error.code, path=_logged_path(scope))
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": error.code})
            return
        await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer, headers: Mapping[str, str]) -> None:
        rule = _UPLOADS.get((scope["method"], scope["path"]), _JSON)
        failed: AlphintraError
        try:
            self._check(scope, headers, rule)
            async with asyncio.timeout(rule.seconds_max):
                await self._app(scope, _Counted(receive, rule.bytes_max), answer)
        except AlphintraError as error:
            failed = error
        except TimeoutError:
            message = f"the request took more than {rule.seconds_max:g} s and was given up"
            failed = AlphintraError("REQUEST_TIMEOUT", message, kind=Kind.UNAVAILABLE)
        except ClientDisconnect:
            answer.status = CLIENT_GONE
            return
        except Exception as error:  # noqa: BLE001 - the last resort: logged, and the caller gets the trace id
            # Without the frames' variables: they hold passwords and tokens.
            trace = "".join(traceback.format_exception(error))
            get_logger().error("http.failed", method=scope["method"], path=_logged_path(scope), traceback=trace)
            failed = unforeseen()
        else:
            return
        if not answer.is_started:
            await _told(failed, scope)(scope, receive, answer)

    def _check(self, scope: Scope, headers: Mapping[str, str], rule: _BodyRule) -> None:
        if self._in_flight > IN_FLIGHT_MAX:
            raise AlphintraError("BUSY", "too many requests are in flight: try again", kind=Kind.LIMITED)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES_MAX:
            raise AlphintraError("HEADERS_TOO_LARGE", f"the headers are larger than {HEADER_BYTES_MAX} bytes")
        _check_host(headers.get("host", ""), self._hosts)
        if scope["method"] in _UNSAFE:
            _check_origin(headers)
            _check_body(headers, rule)
        forged = [name.decode() for name, _ in scope["headers"] if name in _IDENTITY_HEADERS]
        if forged:
            get_logger().warning("http.identity_headers_ignored", headers=forged)


class _Answer:
    """Sends an answer on with the headers every answer carries, and remembers its status."""

    def __init__(self, send: Send, trace_id: str, *, is_secure: bool) -> None:
        self._send = send
        self._trace = (b"trace-id", trace_id.encode())
        self._is_secure = is_secure
        self.status = 0

    @property
    def is_started(self) -> bool:
        return self.status > 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers = list(message.get("headers", ()))
            named = {name for name, _ in headers}
            headers += _HEADERS
            headers += [pair for pair in _DEFAULT_HEADERS if pair[0] not in named]
            headers.append(self._trace)
            if self._is_secure:
                headers.append(_STRICT_TRANSPORT)
            message = {**message, "headers": headers}
        await self._send(message)


class _Counted:
    """Receives a body and stops where it becomes larger than declared or allowed."""

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self._receive = receive
        self._bytes_max = bytes_max
        self._bytes = 0

    async def __call__(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            if self._bytes > self._bytes_max:
                raise _too_large(self._bytes_max)
        return message


def _told(failed: AlphintraError, scope: Scope) -> Response:
    if scope["path"].startswith(f"{ALPACA_PREFIX}/"):
        return error_response(failed)
    return problem_response(failed, scope["state"]["trace_id"])


def _headers_of(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _trace_id(traceparent: str) -> str:
    known = _TRACEPARENT.fullmatch(traceparent)
    return known[1] if known else new_trace_id()


def _check_host(host: str, allowed: frozenset[str]) -> None:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if name not in allowed:
        message = f"this server does not go by the name {host[:80]!r}: add it to the allowed hosts if it should"
        raise AlphintraError("HOST_UNKNOWN", message)


def _check_origin(headers: Mapping[str, str]) -> None:
    """A browser says where a request comes from; other clients say nothing, and have no ambient authority either."""
    origin = headers.get("origin")
    is_foreign = headers.get("sec-fetch-site", "none") in {"cross-site", "same-site"}
    if is_foreign or (origin is not None and origin.partition("://")[2] != headers["host"]):
        message = "a page of another origin may not change anything here: open the platform's own page"
        raise AlphintraError("ORIGIN_FORBIDDEN", message, kind=Kind.FORBIDDEN)


def _check_body(headers: Mapping[str, str], rule: _BodyRule) -> None:
    length = headers.get("content-length", "0")
    if length == "0" and "transfer-encoding" not in headers:
        return
    if int(length) > rule.bytes_max:  # the server has refused lengths that are no number
        raise _too_large(rule.bytes_max)
    media, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower()
    is_known = media.strip().lower() in rule.media and charset in {"", "charset=utf-8", 'charset="utf-8"'}
    if not is_known or "content-encoding" in headers:
        message = f"send the body as {' or '.join(sorted(rule.media))}, in UTF-8 and without content encoding"
        raise AlphintraError("CONTENT_TYPE", message)


def _too_large(bytes_max: int) -> AlphintraError:
    return AlphintraError("BODY_TOO_LARGE", f"the body is larger than {bytes_max} bytes")


def _logged_path(scope: Scope) -> str:
    path: str = scope["path"]  # never the query: it may hold a one-time token
    return path[:PATH_LOGGED_MAX]


def _line(scope: Scope, status: int, trace_id: str, seconds: float) -> dict[str, object]:
    return {
        "method": scope["method"][:20],
        "path": _logged_path(scope),
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "actor": scope["state"].get("actor", "anonymous"),
        "trace_id": trace_id,
        "event": "http.request",
        "level": "info",
    }
