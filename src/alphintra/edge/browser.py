"""Sessions of browsers: tokens in cookies that scripts cannot read, and proof that our own page sent a request.

A browser adds cookies to whatever asks it to. So a request that comes with nothing else must show that it came from our
page (`Origin` or `Sec-Fetch-Site`, which no page can forge), and, where it changes something, hold a token that only a
page that may read our answers can have.

Behind TLS cookies carry ``__Host-``: no neighbouring name can plant one, and none travels in the clear. Without TLS, on
loopback, their names hold the port, which cookies ignore.
"""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256
from typing import Final
from uuid import UUID

from starlette.requests import HTTPConnection

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = [
    "CSRF_HEADER",
    "Csrf",
    "access_cookie",
    "cleared",
    "is_safe",
    "refresh_cookie",
    "require_own_page",
    "written",
]

CSRF_HEADER: Final = "X-CSRF-Token"
_SECURE_PREFIX: Final = "__Host-"
_ACCESS: Final = "alphintra"
_REFRESH: Final = "alphintra-refresh"
_VALUE: Final = re.compile(r"[A-Za-z0-9._-]{1,4000}")
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ATTRIBUTES: Final = "Path=/; HttpOnly; SameSite=Strict"


class Csrf:
    """Makes and checks the token of a session: good as long as this gateway runs, then a page asks for the next."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, session_id: UUID) -> str:
        """Return the token of a session."""
        return hmac.new(self._key, session_id.bytes, sha256).hexdigest()

    def require(self, request: HTTPConnection, session_id: UUID) -> None:
        """Refuse a request without it. Raises CSRF_TOKEN."""
        given = request.headers.getlist(CSRF_HEADER)
        if len(given) != 1 or not hmac.compare_digest(given[0].encode(), self.token(session_id).encode()):
            message = f"send the csrf_token of GET /api/v1/session as {CSRF_HEADER}"
            raise AlphintraError("CSRF_TOKEN", message, kind=Kind.FORBIDDEN)


def is_safe(request: HTTPConnection) -> bool:
    """Whether a request only reads."""
    return request.scope.get("method", "GET") in _SAFE_METHODS


def access_cookie(request: HTTPConnection) -> str | None:
    """Return the access token a browser sent. Raises AUTH_AMBIGUOUS where it is there twice."""
    return _sent(request, _ACCESS)


def refresh_cookie(request: HTTPConnection) -> str | None:
    """Return the refresh token a browser sent. Raises AUTH_AMBIGUOUS where it is there twice."""
    return _sent(request, _REFRESH)


def require_own_page(request: HTTPConnection) -> None:
    """Refuse what does not prove that a page of this origin sent it. Raises ORIGIN_FORBIDDEN.

    That a foreign origin is named at all the front has refused already.
    """
    site = request.headers.get("sec-fetch-site")
    is_own = site == "same-origin" or (site is None and request.headers.get("origin") is not None)
    if not is_own:
        message = "sessions in cookies are for this platform's own pages: use a bearer token or an API key elsewhere"
        raise AlphintraError("ORIGIN_FORBIDDEN", message, kind=Kind.FORBIDDEN)


def written(request: HTTPConnection, *, access: str, refresh: str | None = None) -> list[str]:
    """Return the Set-Cookie lines that keep these tokens in the browser until it closes; None leaves that one."""
    tokens = {_ACCESS: access} if refresh is None else {_ACCESS: access, _REFRESH: refresh}
    return [_line(request, name, value) for name, value in tokens.items()]


def cleared(request: HTTPConnection) -> list[str]:
    """Return the Set-Cookie lines that take both tokens away."""
    return [f"{_line(request, name, '')}; Max-Age=0" for name in (_ACCESS, _REFRESH)]


def _line(request: HTTPConnection, name: str, value: str) -> str:
    secure = "; Secure" if _is_secure(request) else ""
    return f"{_full_name(request, name)}={value}; {_ATTRIBUTES}{secure}"


def _is_secure(request: HTTPConnection) -> bool:
    """Whether the browser speaks TLS, if only to whatever stands before us: its page's origin says so."""
    return request.url.scheme in {"https", "wss"} or request.headers.get("origin", "").startswith("https://")


def _full_name(request: HTTPConnection, name: str) -> str:
    return _SECURE_PREFIX + name if _is_secure(request) else f"{name}-{request.url.port or 80}"


def _sent(request: HTTPConnection, name: str) -> str | None:
    names = [_full_name(request, name)]
    if not _is_secure(request):
        names.insert(0, _SECURE_PREFIX + name)  # reading through a proxy that ends TLS says nothing of it
    pairs = [pair.strip().partition("=") for line in request.headers.getlist("cookie") for pair in line.split(";")]
    for wanted in names:
        values = [value for key, _, value in pairs if key == wanted]
        if len(values) > 1:
            message = "the session's cookie is there twice: delete the cookies of this address"
            raise AlphintraError("AUTH_AMBIGUOUS", message, kind=Kind.UNAUTHENTICATED)
        if values and _VALUE.fullmatch(values[0]):
            return values[0]
    return None
