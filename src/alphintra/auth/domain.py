"""Decisions about people, their passwords, their sessions and their API keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import MappingProxyType
from typing import Final
from uuid import UUID

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId, UserId
from alphintra.kernel.vocabulary import AccountMode

__all__ = [
    "ApiKey",
    "Attempts",
    "EndReason",
    "Network",
    "NewApiKey",
    "RefreshRefusal",
    "Renewed",
    "Role",
    "Scope",
    "Session",
    "SetupToken",
    "Throttled",
    "User",
    "attempt_bucket",
    "check_password",
    "check_password_size",
    "effective_scopes",
    "hash_secret",
    "is_key_secret",
    "is_narrower",
    "is_setup_token_usable",
    "may_grant",
    "new_api_key",
    "new_session",
    "next_attempt",
    "normalise_email",
    "parse_refresh_token",
    "parse_role",
    "refresh",
    "refresh_token_text",
]

EMAIL_LENGTH_MAX: Final = 254
EMAIL_LOCAL_LENGTH_MAX: Final = 64
PASSWORD_LENGTH_MIN: Final = 8
PASSWORD_BYTES_MAX: Final = 1024
CONTEXT_WORD_LENGTH_MIN: Final = 3
PRODUCT_WORD: Final = "alphintra"

ATTEMPTS_FREE: Final = 5
ATTEMPT_DELAY_MAX: Final = timedelta(minutes=15)
ATTEMPTS_FORGOTTEN_AFTER: Final = timedelta(hours=24)

SETUP_TOKEN_LIFE: Final = timedelta(hours=24)

SESSION_LIFE_MAX: Final = timedelta(hours=12)
SESSION_IDLE_MAX: Final = timedelta(minutes=30)
REFRESH_GRACE: Final = timedelta(seconds=10)
REUSE_LOOK_BACK: Final = 1000

KEY_NAME_LENGTH_MAX: Final = 80
KEY_ADDRESSES_MAX: Final = 50

Network = IPv4Network | IPv6Network

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_REFRESH_TOKEN = re.compile(r"alr_([A-Za-z0-9_-]{64})")
_SESSION_ID_BYTES = 16
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


# --- people ----------------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A registered person and the argon2id hash of the password."""

    user_id: UserId
    email: str
    role: Role
    password_hash: str = field(repr=False)
    created_at: datetime


def normalise_email(text: str) -> str:
    """Return the address trimmed and in lower case. Raises EMAIL_FORMAT; the input is not repeated in the error."""
    email = text.strip().lower()
    local = email.partition("@")[0]
    if len(email) <= EMAIL_LENGTH_MAX and len(local) <= EMAIL_LOCAL_LENGTH_MAX and _EMAIL.fullmatch(email):
        return email
    message = "this is no e-mail address: write one such as ada@example.org, in plain ASCII"
    raise AlphintraError("EMAIL_FORMAT", message, pointer="/email")


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


# --- passwords -------------------------------------------------------------------------------------------------------


def check_password_size(password: str) -> None:
    """Refuse what is never hashed: raises PASSWORD_TOO_LONG, or ENCODING for text that is no Unicode."""
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        message = "the password holds a lone surrogate: send it as UTF-8"
        raise AlphintraError("ENCODING", message, pointer="/password") from None
    if size > PASSWORD_BYTES_MAX:
        message = f"a password has at most {PASSWORD_BYTES_MAX} bytes"
        raise AlphintraError("PASSWORD_TOO_LONG", message, pointer="/password")


def check_password(password: str, *, email: str, common: AbstractSet[str]) -> None:
    """Refuse a new password that is too long, too short or easily guessed; any characters are welcome.

    Args:
        password: taken as it is: neither trimmed nor normalised.
        email: normalised address; the part before the @ may not occur in the password.
        common: passwords known to everybody, in folded case.

    Raises:
        AlphintraError: PASSWORD_TOO_LONG, PASSWORD_TOO_SHORT, PASSWORD_CONTEXT, PASSWORD_BREACHED or ENCODING.
    """
    check_password_size(password)
    if len(password) < PASSWORD_LENGTH_MIN:
        message = f"a password has at least {PASSWORD_LENGTH_MIN} characters, better 15"
        raise AlphintraError("PASSWORD_TOO_SHORT", message, pointer="/password")
    folded = password.casefold()
    local = email.partition("@")[0].casefold()
    if PRODUCT_WORD in folded or (len(local) >= CONTEXT_WORD_LENGTH_MIN and local in folded):
        message = "the password holds the e-mail name or the product's name: choose one that has neither"
        raise AlphintraError("PASSWORD_CONTEXT", message, pointer="/password")
    if folded in common:
        message = "this password stands on the lists every attacker tries first: choose another"
        raise AlphintraError("PASSWORD_BREACHED", message, pointer="/password")


# --- guessing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Log-ins tried from one address on one account since the last that succeeded."""

    count: int
    last_at: datetime
    blocked_until: datetime


@dataclass(frozen=True, slots=True)
class Throttled:
    """An attempt that is not even looked at."""

    retry_after: timedelta


def attempt_bucket(email: str, address: str) -> bytes:
    """Return the 32-byte key under which attempts are counted; neither part can be read from it."""
    return hashlib.sha256(f"{email}\0{address}".encode("utf-8", "replace")).digest()


def next_attempt(previous: Attempts | None, *, at: datetime) -> Attempts | Throttled:
    """Count one more attempt, or refuse it because the last one is too close.

    The first five are free; from then on each one doubles the wait, from 1 s to at most 15 min. An attempt that is
    refused is not counted, so the wait never grows by itself and an account is never locked for good.
    """
    if previous is None or at - previous.last_at > ATTEMPTS_FORGOTTEN_AFTER:
        return Attempts(count=1, last_at=at, blocked_until=at)
    if at < previous.blocked_until:
        return Throttled(previous.blocked_until - at)
    count = previous.count + 1
    doublings = min(count - ATTEMPTS_FREE, 10)  # 2^10 s is past the upper bound
    delay = timedelta(0) if doublings < 0 else min(timedelta(seconds=2**doublings), ATTEMPT_DELAY_MAX)
    return Attempts(count=count, last_at=at, blocked_until=at + delay)


# --- first owner -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupToken:
    """The one-time token of the first owner, as it is stored."""

    expires_at: datetime
    used_at: datetime | None
    replaced_at: datetime | None


def is_setup_token_usable(token: SetupToken | None, *, at: datetime) -> bool:
    """Tell whether the token exists, was neither used nor replaced, and has not expired."""
    return token is not None and token.used_at is None and token.replaced_at is None and at < token.expires_at


def hash_secret(secret: bytes) -> bytes:
    """Return SHA-256 of a secret of at least 160 random bits; a password goes through argon2id instead."""
    return hashlib.sha256(secret).digest()


# --- sessions --------------------------------------------------------------------------------------------------------


class EndReason(StrEnum):
    """Why a session ended before its time."""

    LOG_OUT = "log_out"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105 - a reason, no secret


class RefreshRefusal(StrEnum):
    """Why a refresh token is not exchanged."""

    UNKNOWN = "unknown"
    REUSED = "reused"
    ENDED = "ended"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A log-in and all that follows from it: the family of its refresh tokens, of which one is valid at a time.

    Attributes:
        session_id: claim ``sid`` of its access tokens.
        user_id: whose session it is.
        token_hash: SHA-256 of the secret of the valid refresh token.
        rotations: how often the refresh token was exchanged.
        signed_in_at: when the password was given.
        rotated_at: when the valid refresh token was made.
        expires_at: when the session ends whatever happens.
        ended_at: when it ended before its time, None while it has not.
    """

    session_id: UUID
    user_id: UserId
    token_hash: bytes = field(repr=False)
    rotations: int
    signed_in_at: datetime
    rotated_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """A refresh token was exchanged: the session as it is to be stored, and the secret of the token to hand out."""

    session: Session
    secret: bytes = field(repr=False)


def new_session(session_id: UUID, user_id: UserId, secret: bytes, *, at: datetime) -> Session:
    """Return the session of a log-in whose first refresh token has the given 32 random bytes as its secret."""
    return Session(
        session_id=session_id,
        user_id=user_id,
        token_hash=hash_secret(secret),
        rotations=0,
        signed_in_at=at,
        rotated_at=at,
        expires_at=at + SESSION_LIFE_MAX,
    )


def refresh_token_text(session_id: UUID, secret: bytes) -> str:
    """Return a refresh token as it is handed out: which session, and the secret."""
    return f"alr_{base64.urlsafe_b64encode(session_id.bytes + secret).decode()}"


def parse_refresh_token(text: str) -> tuple[UUID, bytes] | None:
    """Split a refresh token into session and secret; None if it has not the form of one."""
    found = _REFRESH_TOKEN.fullmatch(text)
    if found is None:
        return None
    raw = base64.urlsafe_b64decode(found[1])
    return UUID(bytes=raw[:_SESSION_ID_BYTES]), raw[_SESSION_ID_BYTES:]


def refresh(session: Session, secret: bytes, *, chain_key: bytes, at: datetime) -> Renewed | RefreshRefusal:
    """Exchange a refresh token.

    Tokens of a session form a chain: the next secret is HMAC-SHA256(``chain_key``, session ‖ secret), and only the
    SHA-256 of the valid one is stored. Thereby the token before the valid one can be answered with the very same
    successor when the first answer was lost (within 10 s), though no token is stored; and an older one is recognised
    by walking forward from it, so that its use ends the session, while a made-up one changes nothing. Neither the
    stored rows nor an old token yield a valid token without the key.
    """
    steps = _steps_to_valid(session, secret, chain_key)
    if steps is None:
        return RefreshRefusal.UNKNOWN
    if session.ended_at is not None:
        return RefreshRefusal.ENDED
    if at >= session.expires_at or at - session.rotated_at > SESSION_IDLE_MAX:
        return RefreshRefusal.EXPIRED
    if steps == 0:
        successor = _successor(session, secret, chain_key)
        renewed = replace(session, token_hash=hash_secret(successor), rotations=session.rotations + 1, rotated_at=at)
        return Renewed(session=renewed, secret=successor)
    if steps == 1 and at - session.rotated_at <= REFRESH_GRACE:
        return Renewed(session=session, secret=_successor(session, secret, chain_key))
    return RefreshRefusal.REUSED


def _steps_to_valid(session: Session, secret: bytes, chain_key: bytes) -> int | None:
    for steps in range(min(session.rotations, REUSE_LOOK_BACK) + 1):
        if hmac.compare_digest(hash_secret(secret), session.token_hash):
            return steps
        secret = _successor(session, secret, chain_key)
    return None


def _successor(session: Session, secret: bytes, chain_key: bytes) -> bytes:
    return hmac.digest(chain_key, session.session_id.bytes + secret, "sha256")


# --- API keys --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key; its secret is kept as SHA-256 alone. Without addresses it is taken from anywhere."""

    key_id: str
    user_id: UserId
    name: str
    secret_hash: bytes = field(repr=False)
    scopes: tuple[str, ...]
    mode: AccountMode
    created_at: datetime
    revoked_at: datetime | None = None
    account_id: AccountId | None = None
    addresses: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApiKey:
    """What is wanted of a new key, unchecked."""

    name: str
    scopes: tuple[str, ...]
    mode: str
    account_id: AccountId | None = None
    addresses: tuple[str, ...] = ()


def new_api_key(user: User, wanted: NewApiKey, *, key_id: str, secret: str, at: datetime) -> ApiKey:
    """Return a new key. Raises KEY_SCOPE, KEY_MODE, KEY_ADDRESS, FIELD_LENGTH or FIELD_CHARS."""
    allowed = sorted(_ROLE_SCOPES[user.role])
    if not wanted.scopes or set(wanted.scopes) - set(allowed):
        message = f"a {user.role}'s key takes one or more of the scopes {', '.join(allowed)}"
        raise AlphintraError("KEY_SCOPE", message, pointer="/scopes")
    if wanted.mode not in set(AccountMode):
        message = f"{wanted.mode[:40]!r} is no mode: take one of {', '.join(AccountMode)}"
        raise AlphintraError("KEY_MODE", message, pointer="/mode")
    if not wanted.name.strip() or len(wanted.name) > KEY_NAME_LENGTH_MAX:
        message = f"a key's name has 1 to {KEY_NAME_LENGTH_MAX} characters"
        raise AlphintraError("FIELD_LENGTH", message, pointer="/name")
    if any(unicodedata.category(character) in _HIDDEN_CATEGORIES for character in wanted.name):
        raise AlphintraError("FIELD_CHARS", "the name holds control or invisible characters", pointer="/name")
    return ApiKey(
        key_id=key_id,
        user_id=user.user_id,
        name=wanted.name,
        secret_hash=hash_secret(secret.encode()),
        scopes=tuple(sorted(set(wanted.scopes))),
        mode=AccountMode(wanted.mode),
        created_at=at,
        account_id=wanted.account_id,
        addresses=_networks(wanted.addresses),
    )


def is_narrower(addresses: Sequence[Network], than: Sequence[Network]) -> bool:
    """Tell whether whoever may use the first may use the second: no addresses are all of them."""
    return not than or (bool(addresses) and all(any(_is_within(each, of) for of in than) for each in addresses))


def _is_within(network: Network, of: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(of, IPv4Network) and network.subnet_of(of)
    return isinstance(of, IPv6Network) and network.subnet_of(of)


def _networks(texts: Sequence[str]) -> tuple[Network, ...]:
    if len(texts) > KEY_ADDRESSES_MAX:
        message = f"a key has at most {KEY_ADDRESSES_MAX} addresses: name networks, such as 203.0.113.0/24"
        raise AlphintraError("KEY_ADDRESS", message, pointer="/addresses")
    found: list[Network] = []
    for index, text in enumerate(texts):
        try:
            found.append(ip_network(text))
        except ValueError:
            message = f"{text[:60]!r} is no address and no network: write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48"
            raise AlphintraError("KEY_ADDRESS", message, pointer=f"/addresses/{index}") from None
    return tuple(dict.fromkeys(found))


def effective_scopes(key: ApiKey, role: Role) -> tuple[str, ...]:
    """Return what the key may do now: what it was given, less what its person's role no longer has."""
    return tuple(scope for scope in key.scopes if scope in _ROLE_SCOPES[role])


def is_key_secret(key: ApiKey | None, secret: str) -> bool:
    """Tell in constant time whether the secret is that of a key that exists and is not revoked."""
    presented = hash_secret(secret.encode("utf-8", "replace"))
    expected = bytes(len(presented)) if key is None else key.secret_hash
    return hmac.compare_digest(presented, expected) and key is not None and key.revoked_at is None
