"""Passwords of roles from where people keep them: a file of the form of ``.pgpass``, and variables. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["PASSWORD_VARIABLE", "PassLine", "find_password", "parse_pgpass", "password_variable"]

PASSWORD_VARIABLE: Final = "ALPHINTRA_AUDIT_PASSWORD_"  # noqa: S105 - the start of a variable's name
_FIELDS: Final = 5
_ANY: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassLine:
    """One line: where it holds, ``*`` for anywhere, and the password."""

    host: str
    port: str
    database: str
    user: str
    password: str = field(repr=False)


def parse_pgpass(text: str, *, name: str) -> tuple[PassLine, ...]:
    r"""Read ``host:port:database:user:password`` lines; ``\:`` and ``\\`` stand for the characters, ``#`` for a remark.

    Raises PASSWORD_FILE naming the line, never its text, for one that has not five fields.
    """
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        # As libpq reads it: the password is what follows the fourth colon, further ones may stand plain in it.
        parts = re.split(r"(?<!\\):", line, maxsplit=_FIELDS - 1)
        if len(parts) != _FIELDS:
            message = f"{name}:{number} has not the five fields host:port:database:user:password: correct that line"
            raise AlphintraError("PASSWORD_FILE", message, pointer="--password-file")
        host, port, database, user, password = (re.sub(r"\\(.)", r"\1", part) for part in parts)
        lines.append(PassLine(host=host, port=port, database=database, user=user, password=password))
    return tuple(lines)


def find_password(lines: Iterable[PassLine], *, host: str, port: int, database: str, user: str) -> str | None:
    """Return the password of the first line that holds, as libpq chooses it; None if none does."""
    wanted = (host, str(port), database, user)
    for line in lines:
        held = (line.host, line.port, line.database, line.user)
        if all(one in {_ANY, value} for one, value in zip(held, wanted, strict=True)):
            return line.password
    return None


def password_variable(role: str, environ: Mapping[str, str]) -> str | None:
    """Return the password of a role from ``ALPHINTRA_AUDIT_PASSWORD_<ROLE>``; None if it is not set."""
    return environ.get(PASSWORD_VARIABLE + re.sub(r"[^A-Z0-9]", "_", role.upper())) or None
