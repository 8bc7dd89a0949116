"""Decisions about sessions and the chain of their refresh tokens."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from alphintra.auth.domain.guessing import hash_secret
from alphintra.kernel.ids import UserId

__all__ = [
    "SESSION_IDLE_MAX",
    "EndReason",
    "RefreshRefusal",
    "Renewed",
    "Session",
    "new_session",
    "parse_refresh_token",
    "proven",
    "refresh",
    "refresh_token_text",
]

SESSION_LIFE_MAX: Final = timedelta(hours=12)
SESSION_IDLE_MAX: Final = timedelta(minutes=30)
REFRESH_GRACE: Final = timedelta(seconds=10)
REUSE_LOOK_BACK: Final = 1000

_REFRESH_TOKEN = re.compile(r"alr_([A-Za-z0-9_-]{64})")
_SESSION_ID_BYTES = 16


class EndReason(StrEnum):
    """Why a session ended before its time."""

    LOG_OUT = "log_out"
    REVOKED = "revoked"
    USER_DISABLED = "user_disabled"
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
        proven_at: when whoever has it last proved to be the person, after signing in; None if never.
        address: where it was begun from; empty where that is not known.
    """

    session_id: UUID
    user_id: UserId
    token_hash: bytes = field(repr=False)
    rotations: int
    signed_in_at: datetime
    rotated_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    proven_at: datetime | None = None
    address: str = ""

    @property
    def authenticated_at(self) -> datetime:
        """When the person last proved who they are: claim ``auth_time`` of its access tokens."""
        return self.proven_at or self.signed_in_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """A refresh token was exchanged: the session as it is to be stored, and the secret of the token to hand out."""

    session: Session
    secret: bytes = field(repr=False)


def new_session(session_id: UUID, user_id: UserId, secret: bytes, *, at: datetime, address: str = "") -> Session:
    """Return the session of a log-in whose first refresh token has the given 32 random bytes as its secret."""
    return Session(
        session_id=session_id,
        user_id=user_id,
        token_hash=hash_secret(secret),
        rotations=0,
        signed_in_at=at,
        rotated_at=at,
        expires_at=at + SESSION_LIFE_MAX,
        address=address,
    )


def proven(session: Session, *, at: datetime) -> Session:
    """Return the session of a person who proved again who they are."""
    return replace(session, proven_at=at)


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
