"""The API description (OpenAPI 3.1): routes from their declarations, bodies and answers from the message types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from alphintra.edge.decoding import special_schema
from alphintra.edge.guards import Scope
from alphintra.edge.problems import Problem
from alphintra.edge.replies import DOCUMENTS
from alphintra.edge.routing import Operation

__all__ = ["API_PREFIX", "describe"]

API_PREFIX: Final = "/api/v1"
_REF: Final = "#/components/schemas/{name}"
_SECURITY_SCHEMES: Final = {
    "session": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Access token of POST /auth/login, or the operator token.",
    },
    "browser": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-alphintra",
        "description": "Session of POST /session, from this platform's own pages alone; changes need X-CSRF-Token too.",
    },
    "key_id": {"type": "apiKey", "in": "header", "name": "APCA-API-KEY-ID"},
    "key_secret": {"type": "apiKey", "in": "header", "name": "APCA-API-SECRET-KEY"},
}
_CREDENTIALS: Final[list[dict[str, list[str]]]] = [
    {"session": []},
    {"browser": []},
    {"key_id": [], "key_secret": []},
]
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 128 visible ASCII characters; stands for client_order_id where the body has none.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}
_DENIED_MEMBERS: Final = {
    "order_id": {"type": "string", "format": "uuid"},
    "decision_id": {"type": ["string", "null"], "format": "uuid"},
    "order": {"$ref": _REF.format(name="OrderView")},
    "findings": {"type": "array", "items": {"$ref": _REF.format(name="Finding")}},
}


def describe(
    *, version: str, wide: Sequence[BaseRoute], operations: Iterable[Operation], hot: Iterable[Operation]
) -> dict[str, Any]:
    """Return the description of the whole API.

    Args:
        version: of the platform.
        wide: the routes FastAPI serves; their parameters are read from them.
        operations: what each of those routes declared.
        hot: operations served ahead of FastAPI.
    """
    operations, hot = list(operations), list(hot)
    found = get_openapi(
        title="Alphintra",
        version=version,
        openapi_version="3.1.0",
        summary="Self-hosted algorithmic trading platform.",
        description="Failures are problem+json (RFC 9457) with a stable `code`. Decimals are text, times UTC.",
        routes=list(wide),
    )
    schemas = _schemas([*operations, *hot], parameters=found.get("components", {}).get("schemas", {}))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = found["paths"][operation.path][operation.method.lower()]
        paths.setdefault(API_PREFIX + operation.path, {})[operation.method.lower()] = _complete(described, operation)
    for operation in hot:
        paths.setdefault(API_PREFIX + operation.path, {})[operation.method.lower()] = _complete(
            _hot(operation), operation
        )
    paths[f"{API_PREFIX}/datasets"]["post"]["requestBody"] = _upload()
    paths[f"{API_PREFIX}/orders"]["post"]["responses"]["422"] = _denied()
    paths[f"{API_PREFIX}/orders/{{order_id}}"]["patch"]["responses"]["422"] = _denied()
    return {
        "openapi": found["openapi"],
        "info": found["info"],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": schemas, "securitySchemes": _SECURITY_SCHEMES},
    }


def _complete(described: dict[str, Any], operation: Operation) -> dict[str, Any]:
    described["responses"] = {
        str(operation.status): {
            "description": HTTPStatus(operation.status).phrase,
            "content": {"application/json": {"schema": _reference(operation.reply)}},
        },
        "default": {
            "description": "A problem",
            "content": {"application/problem+json": {"schema": _reference(Problem)}},
        },
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": not operation.is_body_optional,
            "content": {"application/json": {"schema": _reference(operation.body)}},
        }
    described["x-scope"] = operation.scope.value
    described["security"] = [] if operation.scope is Scope.PUBLIC else _CREDENTIALS
    return described


def _hot(operation: Operation) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [_IDEMPOTENCY_KEY] if operation.body is not None else []
    if "{order_id}" in operation.path:
        schema = {"type": "string", "format": "uuid"}
        parameters.append({"name": "order_id", "in": "path", "required": True, "schema": schema})
    return {
        "tags": ["orders"],
        "summary": operation.name.replace("_", " ").title(),
        "description": operation.description,
        "operationId": operation.name,
        "parameters": parameters,
    }


def _upload() -> dict[str, Any]:
    media = ("text/csv", "application/gzip", "application/octet-stream")
    return {"required": True, "content": {one: {"schema": {"type": "string", "format": "binary"}} for one in media}}


def _denied() -> dict[str, Any]:
    members = {"type": "object", "properties": _DENIED_MEMBERS}
    schema = {"allOf": [_reference(Problem), members]}
    text = (
        "The order is not valid, or risk refused it: then code and pointer are those of the first of findings, which "
        "have all that speaks against it, and order is the refused order."
    )
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


def _reference(wanted: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _REF.format(name=wanted.__name__)}


def _schemas(operations: Sequence[Operation], *, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas of all bodies and answers, and of what path and query parameters choose from."""
    types: list[type[msgspec.Struct]] = [Problem]
    for operation in operations:
        types += [operation.reply] if operation.body is None else [operation.reply, operation.body]
    _, schemas = msgspec.json.schema_components(
        list(dict.fromkeys(types)), schema_hook=special_schema, ref_template=_REF
    )
    for view, name in DOCUMENTS.items():
        schemas[view.__name__]["properties"][name] = {"type": ["object", "array", "null"]}
    choices = {name: schema for name, schema in parameters.items() if "enum" in schema}
    return dict(sorted({**choices, **schemas}.items()))
