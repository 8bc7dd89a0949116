"""Quoting of identifiers and literals in generated SQL; every name passes through here. Pure."""

from __future__ import annotations

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["identifier", "literal", "qualified"]

_NAME_BYTES_MAX = 63  # NAMEDATALEN - 1; PostgreSQL would truncate silently and two names could become one


def identifier(name: str) -> str:
    """Return the name in double quotes. Raises IDENTIFIER_FORMAT for empty, NUL-carrying or over-long names."""
    if not name or "\x00" in name or len(name.encode()) > _NAME_BYTES_MAX:
        message = f"{name[:80]!r} cannot be a PostgreSQL name: use 1 to {_NAME_BYTES_MAX} bytes without NUL"
        raise AlphintraError("IDENTIFIER_FORMAT", message, kind=Kind.BUG)
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, name: str) -> str:
    """Return ``"schema"."name"``."""
    return f"{identifier(schema)}.{identifier(name)}"


def literal(text: str) -> str:
    """Return the text as a string constant that reads the same under any ``standard_conforming_strings``."""
    if "\x00" in text:
        raise AlphintraError("LITERAL_FORMAT", "a PostgreSQL string cannot hold NUL", kind=Kind.BUG)
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted
