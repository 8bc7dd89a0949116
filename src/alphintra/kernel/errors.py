"""The one root of every anticipated failure, with a stable code and a kind that the edges translate."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["AlphintraError", "Kind"]


class Kind(StrEnum):
    """What a failure means for the caller; each way out maps it once (HTTP status, exit code)."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"
    BUG = "bug"


class AlphintraError(Exception):
    """Something could not be done, and the caller is told what and how to mend it.

    Args:
        code: stable, upper case, e.g. ``QTY_NOT_POSITIVE``; part of the public interface.
        detail: one sentence for a person: what is wrong and how to fix it. Never holds a secret.
        kind: class of failure.
        pointer: JSON pointer or flag name of the offending input, empty where there is none.
    """

    def __init__(self, code: str, detail: str, *, kind: Kind = Kind.INVALID, pointer: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.kind = kind
        self.pointer = pointer

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling, so that a failure in a worker process arrives whole."""
        return (_rebuild, (type(self), self.code, self.detail, self.kind, self.pointer))


def _rebuild(cls: type[AlphintraError], code: str, detail: str, kind: Kind, pointer: str) -> AlphintraError:
    error = cls.__new__(cls)
    AlphintraError.__init__(error, code, detail, kind=kind, pointer=pointer)
    return error
