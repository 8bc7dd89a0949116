"""Decisions about people: addresses, roles, and the first owner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import UserId

__all__ = [
    "SETUP_TOKEN_LIFE",
    "Holdings",
    "Role",
    "Scope",
    "SetupToken",
    "User",
    "check_reason",
    "is_setup_token_usable",
    "may_grant",
    "normalise_email",
    "parse_role",
    "scopes_of",
]

EMAIL_LENGTH_MAX: Final = 254
EMAIL_LOCAL_LENGTH_MAX: Final = 64
REASON_LENGTH_MAX: Final = 500
SETUP_TOKEN_LIFE: Final = timedelta(hours=24)

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")


class Role(StrEnum):
    """What a person is in this installation."""

    OWNER = "owner"
    OPERATOR = "operator"
    TRADER = "trader"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What an API key may be used for."""

    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


_ROLE_SCOPES = MappingProxyType(
    {
        Role.OWNER: frozenset(Scope),
        Role.OPERATOR: frozenset(Scope),
        Role.TRADER: frozenset({Scope.READ, Scope.TRADE}),
        Role.VIEWER: frozenset({Scope.READ}),
    }
)


def scopes_of(role: Role) -> frozenset[Scope]:
    """Return what an API key of a person of this role may be for."""
    return _ROLE_SCOPES[role]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A registered person and the argon2id hash of the password; ``disabled_at`` where they are kept out."""

    user_id: UserId
    email: str
    role: Role
    password_hash: str = field(repr=False)
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a person has to sign in with: a second factor, sessions and keys in use."""

    has_second_factor: bool = False
    sessions: int = 0
    keys: int = 0


def normalise_email(text: str) -> str:
    """Return the address trimmed and in lower case. Raises EMAIL_FORMAT; the input is not repeated in the error."""
    email = text.strip().lower()
    local = email.partition("@")[0]
    if len(email) <= EMAIL_LENGTH_MAX and len(local) <= EMAIL_LOCAL_LENGTH_MAX and _EMAIL.fullmatch(email):
        return email
    message = "this is no e-mail address: write one such as ada@example.org, in plain ASCII"
    raise AlphintraError("EMAIL_FORMAT", message, pointer="/email")


def check_reason(text: str) -> str:
    """Return a reason without blanks around it. Raises REASON_FORMAT if it says nothing or too much."""
    reason = text.strip()
    if 0 < len(reason) <= REASON_LENGTH_MAX and reason.isprintable():
        return reason
    message = f"say why in 1 to {REASON_LENGTH_MAX} printable characters"
    raise AlphintraError("REASON_FORMAT", message, pointer="/reason")


def parse_role(text: str) -> Role:
    """Return the role of that name. Raises ROLE_UNKNOWN."""
    try:
        return Role(text)
    except ValueError:
        message = f"{text[:40]!r} is no role: take one of {', '.join(Role)}"
        raise AlphintraError("ROLE_UNKNOWN", message, pointer="/role") from None


def may_grant(actor_roles: Sequence[str], role: Role, *, is_local_operator: bool) -> bool:
    """Tell whether an actor may make, or act for, a person of this role: nobody reaches above the own role."""
    if Role.OWNER in actor_roles or is_local_operator:
        return True
    return Role.OPERATOR in actor_roles and role is not Role.OWNER


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupToken:
    """The one-time token of the first owner, as it is stored."""

    expires_at: datetime
    used_at: datetime | None
    replaced_at: datetime | None


def is_setup_token_usable(token: SetupToken | None, *, at: datetime) -> bool:
    """Tell whether the token exists, was neither used nor replaced, and has not expired."""
    return token is not None and token.used_at is None and token.replaced_at is None and at < token.expires_at
