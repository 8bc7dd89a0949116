"""The platform's API as the command line uses it: strict about answers, plain about failures."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["ApiClient", "ApiError", "wait_for"]

_TIMEOUT_S = 30.0
_KINDS = {
    400: Kind.INVALID,
    401: Kind.UNAUTHENTICATED,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    409: Kind.CONFLICT,
    412: Kind.CONFLICT,
    413: Kind.INVALID,
    422: Kind.INVALID,
    429: Kind.LIMITED,
    503: Kind.UNAVAILABLE,
}


class ApiError(AlphintraError):
    """A problem the platform answered with; ``members`` are its further fields."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        code, detail = str(problem.get("code", "HTTP")), str(problem.get("detail", f"HTTP status {status}"))
        super().__init__(code, detail, kind=_KINDS.get(status, Kind.BUG), pointer=str(problem.get("pointer", "")))
        self.members = dict(problem)


class ApiClient:
    """Calls ``/api/v1`` with one bearer token, which never shows in messages."""

    def __init__(
        self,
        base_url: str,
        token: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        renew: Callable[[], str] | None = None,
        prove: Callable[[], str | None] | None = None,
    ) -> None:
        """Prepare to call; nothing is sent yet.

        Args:
            base_url: scheme, host and port.
            token: bearer token, none if empty.
            headers: further headers, such as those of an API key.
            renew: gives the next bearer token when one has expired.
            prove: asks the person again who they are and gives the token that says so, None where nobody can be asked.
        """
        self._http = httpx.Client(base_url=f"{base_url}/api/v1", headers=headers, timeout=_TIMEOUT_S)
        self._base_url = base_url
        self._renew = renew
        self._prove = prove
        self._bear(token)

    def __enter__(self) -> Self:
        """Use the client in a ``with`` block."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Close connections."""
        self._http.close()

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Fetch a resource. Raises the platform's problem, or NOT_RUNNING where nothing answers."""
        return self._call("GET", path, params=_without_none(query))

    def get_slow(self, path: str, query: Mapping[str, object], *, timeout_s: float) -> Any:  # noqa: ANN401 - JSON
        """Fetch what takes its time to be computed. Raises as ``get`` does."""
        return self._call("GET", path, params=_without_none(query), timeout=timeout_s)

    def post(self, path: str, body: Mapping[str, object] | None = None, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Send a command; None values of the body are left out."""
        return self._call("POST", path, params=_without_none(query), json=_without_none(body or {}))

    def put(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Replace a resource; None is sent, as null: what a replacement leaves out may not be lifted by it."""
        return self._call("PUT", path, json=dict(body))

    def patch(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Change a resource."""
        return self._call("PATCH", path, json=_without_none(body))

    def delete(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Delete or cancel a resource."""
        return self._call("DELETE", path, params=_without_none(query))

    def post_document(self, path: str, name: str, text: str, fields: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Send a JSON document under a name exactly as it is written, so that the platform judges what was written."""
        members = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in _without_none(fields or {}).items()]
        body = "{" + ", ".join([*members, f"{json.dumps(name)}: {text}"]) + "}"
        return self._call("POST", path, content=body.encode(), headers={"Content-Type": "application/json"})

    def upload(self, path: str, data: bytes, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Send a file's bytes."""
        headers = {"Content-Type": "application/octet-stream"}
        return self._call("POST", path, params=_without_none(query), content=data, headers=headers)

    def place(self, order: Mapping[str, object], *, key: str = "") -> Any:  # noqa: ANN401 - JSON
        """Place an order under an idempotency key, a fresh one unless given."""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return self._call("POST", "/orders", json=_without_none(order), headers=headers)

    def replace_order(self, order_id: str, wish: Mapping[str, object], *, key: str = "") -> Any:  # noqa: ANN401 - JSON
        """Put a new order in the place of a working one, under an idempotency key, a fresh one unless given."""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return self._call("PATCH", f"/orders/{order_id}", json=_without_none(wish), headers=headers)

    def _call(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        try:
            return self._answered(method, path, options)
        except ApiError as error:
            token = self._prove() if error.code == "AUTH_STEP_UP" and self._prove is not None else None
            if token is None:
                raise
        self._bear(token)
        return self._answer(method, path, options)

    def _answered(self, method: str, path: str, options: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        try:
            return self._answer(method, path, options)
        except ApiError as error:
            if error.code != "TOKEN_EXPIRED" or self._renew is None:
                raise
        self._bear(self._renew())
        return self._answer(method, path, options)

    def _answer(self, method: str, path: str, options: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            message = f"nothing answers at {self._base_url}: start the platform with `alphintra up`"
            raise AlphintraError("NOT_RUNNING", message, kind=Kind.UNAVAILABLE) from error
        try:
            found = response.json() if response.content else {}
        except ValueError as error:
            message = f"{self._base_url} answers, but not as Alphintra does: is another program on that port?"
            raise AlphintraError("NOT_ALPHINTRA", message, kind=Kind.UNAVAILABLE) from error
        if response.is_success:
            return found
        raise ApiError(response.status_code, found if isinstance(found, dict) else {})

    def _bear(self, token: str) -> None:
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"


def wait_for(what: str, fetch: Callable[[], Any], is_done: Callable[[Any], bool], *, timeout_s: float = 60.0) -> Any:  # noqa: ANN401 - JSON
    """Fetch until it is so, and return what was fetched; what is briefly unavailable is asked again.

    Raises TIMEOUT naming what was waited for.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = 0.02
    while True:
        try:
            found = fetch()
            if is_done(found):
                return found
        except AlphintraError as error:
            if error.kind not in {Kind.UNAVAILABLE, Kind.LIMITED}:
                raise
        if time.monotonic() > deadline:
            raise AlphintraError("TIMEOUT", f"{what} did not happen within {timeout_s:.0f} s", kind=Kind.UNAVAILABLE)
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.5)


def _without_none(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
