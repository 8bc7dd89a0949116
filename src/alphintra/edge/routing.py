"""How a route of the wide API is declared: what it needs, what it reads and what it answers are its signature."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Annotated, Any, Final, Generic, TypeVar, get_args, get_type_hints

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from alphintra.edge.decoding import bind
from alphintra.edge.guards import Caller, Scope, gate_of
from alphintra.edge.problems import did_you_mean
from alphintra.edge.replies import encode_reply
from alphintra.edge.strict_json import parse_json
from alphintra.kernel.errors import AlphintraError

__all__ = [
    "Admin",
    "Allow",
    "Body",
    "Halter",
    "Operation",
    "PageLimit",
    "Public",
    "Reader",
    "Routes",
    "Session",
    "Trader",
]

B = TypeVar("B", bound=msgspec.Struct)
PAGE_MAX: Final = 1000
Handler = Callable[..., Awaitable[msgspec.Struct]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Allow:
    """Dependency: the caller, if they have the scope."""

    scope: Scope

    async def __call__(self, request: Request) -> Caller:
        """Authenticate and authorise. Raises AUTH_*, TOKEN_* or FIELD_UNKNOWN for a query nobody declared."""
        caller = await gate_of(request).admit(request, self.scope)
        _check_query(request)
        return caller


Public = Annotated[Caller, Depends(Allow(Scope.PUBLIC))]
Session = Annotated[Caller, Depends(Allow(Scope.SESSION))]
Reader = Annotated[Caller, Depends(Allow(Scope.READ))]
Trader = Annotated[Caller, Depends(Allow(Scope.TRADE))]
Admin = Annotated[Caller, Depends(Allow(Scope.ADMIN))]
Halter = Annotated[Caller, Depends(Allow(Scope.HALT))]
PageLimit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many at most.")]


@dataclass(frozen=True, slots=True)
class Body(Generic[B]):
    """Dependency: the request's JSON body.

    Args:
        wanted: what it must be.
        is_optional: whether no body at all stands for an empty object.
    """

    wanted: type[B]
    is_optional: bool = False

    async def __call__(self, request: Request) -> B:
        """Read and bind the body. Raises BODY_*, JSON_*, ENCODING, FIELD_* or NUMBER_*."""
        body = await request.body()
        if self.is_optional and not body:
            return self.wanted()
        return bind(self.wanted, parse_json(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one route is, for the guard test and the API description; paths are below ``/api/v1``."""

    method: str
    path: str
    name: str
    scope: Scope
    body: type[msgspec.Struct] | None
    is_body_optional: bool
    reply: type[msgspec.Struct]
    status: int
    description: str = ""


class Routes:
    """The routes of one resource.

    A handler takes a caller (``Reader``, ``Trader`` …), at most one ``Annotated[X, Depends(Body(X))]``, path and query
    parameters, and returns the view that is answered.
    """

    def __init__(self, tag: str) -> None:
        self.router = APIRouter(tags=[tag])
        self.operations: list[Operation] = []

    def get(self, path: str) -> Callable[[H], H]:
        """Declare a reading route."""
        return self._declare("GET", path, HTTPStatus.OK)

    def post(self, path: str, *, status: int = HTTPStatus.OK) -> Callable[[H], H]:
        """Declare a route that makes or does something."""
        return self._declare("POST", path, status)

    def put(self, path: str) -> Callable[[H], H]:
        """Declare a route that replaces something."""
        return self._declare("PUT", path, HTTPStatus.OK)

    def patch(self, path: str) -> Callable[[H], H]:
        """Declare a route that changes something."""
        return self._declare("PATCH", path, HTTPStatus.OK)

    def delete(self, path: str) -> Callable[[H], H]:
        """Declare a route that ends something."""
        return self._declare("DELETE", path, HTTPStatus.OK)

    def _declare(self, method: str, path: str, status: int) -> Callable[[H], H]:
        def declare(handler: H) -> H:
            hints = get_type_hints(handler, include_extras=True)
            operation = _operation(handler.__name__, hints, method=method, path=path, status=status)
            self.operations.append(operation)
            self.router.add_api_route(
                path,
                _endpoint(handler, hints, status),
                methods=[method],
                status_code=status,
                response_model=None,
                response_class=Response,
                name=handler.__name__,
                operation_id=handler.__name__,
            )
            return handler

        return declare


def _operation(name: str, hints: dict[str, Any], *, method: str, path: str, status: int) -> Operation:
    marks = [mark.dependency for hint in hints.values() for mark in get_args(hint)[1:] if hasattr(mark, "dependency")]
    (allow,) = [mark for mark in marks if isinstance(mark, Allow)]  # a route without one is a mistake at import
    bodies = [mark for mark in marks if isinstance(mark, Body)]
    return Operation(
        method=method,
        path=path.replace(":path}", "}"),  # a symbol may hold a slash; the description has no word for that
        name=name,
        scope=allow.scope,
        body=bodies[0].wanted if bodies else None,
        is_body_optional=bool(bodies) and bodies[0].is_optional,
        reply=hints["return"],
        status=status,
    )


def _endpoint(handler: Handler, hints: dict[str, Any], status: int) -> Callable[..., Awaitable[Response]]:
    @wraps(handler)
    async def endpoint(**arguments: object) -> Response:
        view = await handler(**arguments)
        (caller,) = [value for value in arguments.values() if isinstance(value, Caller)]
        answer = Response(
            encode_reply(view),
            status_code=caller.status or status,
            headers=caller.headers,
            media_type="application/json",
        )
        for line in caller.cookies:
            answer.headers.append("Set-Cookie", line)
        return answer

    signature = inspect.signature(handler)
    parameters = [one.replace(annotation=hints[one.name]) for one in signature.parameters.values()]
    resolved = signature.replace(parameters=parameters, return_annotation=Response)
    endpoint.__signature__ = resolved  # type: ignore[attr-defined] # FastAPI reads the parameters from here
    return endpoint


def _check_query(request: Request) -> None:
    given = request.query_params.multi_items()
    if not given:
        return
    declared = _declared_query(request)
    for name, _ in given:
        if name not in declared:
            message = f"there is no query parameter {name[:60]!r}: {did_you_mean(name, declared)}"
            raise AlphintraError("FIELD_UNKNOWN", message, pointer=f"/{name}")
    if len(given) > len(request.query_params):
        raise AlphintraError("FIELD_DUPLICATE", "a query parameter is there twice: keep one")


def _declared_query(request: Request) -> Sequence[str]:
    dependant = request.scope["route"].dependant
    nested = (parameter for each in dependant.dependencies for parameter in each.query_params)
    return [parameter.alias for parameter in (*dependant.query_params, *nested)]
