"""Which version of a thing a change builds on, said in the body or as If-Match."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["expected_version", "stated_version"]

_ETAG: Final = re.compile(r'"([0-9]{1,9})"')


def expected_version(request: Request, stated: int | None, *, pointer: str) -> int:
    """Return the version a change is based on.

    Raises FIELD_REQUIRED if nothing says it, FIELD_FORMAT for an If-Match that is none of our ETags, VERSION_CONFLICT
    if header and body disagree.
    """
    version = stated_version(request, stated, pointer=pointer)
    if version is None:
        message = "say which version this changes: the field, or the ETag as If-Match"
        raise AlphintraError("FIELD_REQUIRED", message, pointer=pointer)
    return version


def stated_version(request: Request, stated: int | None, *, pointer: str) -> int | None:
    """Return the version a change is based on where that is said, None for whatever there is.

    Raises FIELD_FORMAT and VERSION_CONFLICT as `expected_version`.
    """
    header = request.headers.get("if-match")
    if header is None:
        return stated
    tag = _ETAG.fullmatch(header)
    if tag is None:
        raise AlphintraError("FIELD_FORMAT", 'If-Match must be an ETag of this API, e.g. "3"', pointer="If-Match")
    version = int(tag[1])
    if stated is not None and stated != version:
        message = f"the body says version {stated}, If-Match says {version}: say one"
        raise AlphintraError("VERSION_CONFLICT", message, kind=Kind.CONFLICT, pointer=pointer)
    return version
