"""Things named by a person: by id or, where that is unique, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.cli.client import ApiClient

__all__ = ["account_id", "as_uuid", "feed_id", "workflow"]


def as_uuid(text: str, *, pointer: str) -> str:
    """Return an id in its usual form. Raises ID_FORMAT."""
    found = _uuid(text)
    if found is None:
        detail = f"{pointer}: {text[:60]!r} is no id: copy it from the matching list command"
        raise AlphintraError("ID_FORMAT", detail, pointer=pointer)
    return found


def account_id(api: ApiClient, text: str) -> str:
    """Return an account's id by id or name. Raises ACCOUNT_NOT_FOUND, NAME_AMBIGUOUS."""
    return _uuid(text) or str(
        _only(text, api.get("/accounts")["accounts"], "account", "ACCOUNT_NOT_FOUND")["account_id"]
    )


def feed_id(api: ApiClient, text: str) -> str:
    """Return a feed's id by id or name. Raises FEED_NOT_FOUND, NAME_AMBIGUOUS."""
    return _uuid(text) or str(_only(text, api.get("/feeds")["feeds"], "feed", "FEED_NOT_FOUND")["feed_id"])


def workflow(api: ApiClient, text: str) -> Mapping[str, Any]:
    """Return a workflow by id or name, one's own first. Raises WORKFLOW_NOT_FOUND, NAME_AMBIGUOUS."""
    ident = _uuid(text)
    if ident is not None:
        found: Mapping[str, Any] = api.get(f"/workflows/{ident}")
        return found
    own = api.get("/workflows")["workflows"]
    if all(each["name"] != text for each in own):
        shared = api.get("/workflows", shared=True)["workflows"]
        own = [*own, *(each for each in shared if each["name"] == text)]
    return _only(text, own, "workflow", "WORKFLOW_NOT_FOUND")


def _only(name: str, items: Sequence[Mapping[str, Any]], what: str, code: str) -> Mapping[str, Any]:
    found = [item for item in items if item["name"] == name]
    if len(found) == 1:
        return found[0]
    if found:
        detail = f"{len(found)} have the {what} name {name!r}: say which by its id"
        raise AlphintraError("NAME_AMBIGUOUS", detail, kind=Kind.CONFLICT)
    known = ", ".join(repr(item["name"]) for item in items[:5]) or "none"
    detail = f"there is no {what} {name[:60]!r}; there are: {known}"
    raise AlphintraError(code, detail, kind=Kind.NOT_FOUND)


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
