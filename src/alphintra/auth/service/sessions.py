"""Use cases about sessions: log in, refresh, log out."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Final

from alphintra.auth import domain
from alphintra.auth.service.attempts import count_attempt, printable
from alphintra.auth.service.authority import acting_user, require_credential_scope, require_enabled
from alphintra.auth.service.factors import has_factor, require_code
from alphintra.contracts.auth import LogIn, LogOut, RefreshSession, SessionRevoked, TokensView
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Context

if TYPE_CHECKING:
    from alphintra.auth.repository import CredentialsTransaction
    from alphintra.auth.service.resources import Resources

__all__ = ["end_session", "log_in", "log_out", "refresh_session"]

_REFRESH_SECRET_BYTES: Final = 32


async def log_in(command: LogIn, context: Context, *, resources: Resources, at: datetime) -> TokensView:
    """Start a session.

    An unknown person costs what a wrong password costs and gets the same answer. An attempt is counted before it is
    looked at, so that many at once are not looked at together.

    Raises:
        AlphintraError: LOGIN_FAILED, USER_DISABLED, OTP_REQUIRED, OTP_INVALID, OTP_USED, AUTH_THROTTLED, AUTH_BUSY,
            EMAIL_FORMAT, PASSWORD_TOO_LONG.
    """
    email = domain.normalise_email(command.email)
    domain.check_password_size(command.password)
    bucket = domain.attempt_bucket(email, command.address)
    passwords = resources.passwords
    with passwords.admitted():
        await count_attempt(bucket, resources=resources, at=at)
        user = await resources.credentials.find_user(email)
        is_match = await passwords.verify(command.password, None if user is None else user.password_hash)
        if user is None or not is_match:
            await _record_failure(user, command.address, context, resources=resources, at=at)
            message = "e-mail address or password is wrong"
            raise AlphintraError("LOGIN_FAILED", message, kind=Kind.UNAUTHENTICATED)
        new_hash = await passwords.hash(command.password) if passwords.is_outdated(user.password_hash) else None
    if command.code and await has_factor(user.user_id, resources=resources):
        await count_attempt(domain.code_bucket(user.user_id), resources=resources, at=at)
    secret = secrets.token_bytes(_REFRESH_SECRET_BYTES)
    address = printable(command.address)
    session = domain.new_session(resources.ids.new(), user.user_id, secret, at=at, address=address)
    async with resources.credentials.transaction() as tx:
        await require_enabled(tx, user.user_id)
        await require_code(tx, user.user_id, command.code, resources=resources, at=at)
        await tx.clear_attempts(domain.code_bucket(user.user_id))
        await tx.clear_attempts(bucket)
        if new_hash is not None:
            await tx.rehash(user, new_hash)
        await tx.add_session(session)
        detail: dict[str, object] = {"address": address, "session_id": session.session_id}
        subject = f"user:{user.user_id}"
        await append_audit(tx.session, "session.log_in", subject, detail, ids=resources.ids, context=context, at=at)
    get_logger().info("login.succeeded", user_id=str(user.user_id), session_id=str(session.session_id))
    return _tokens(user, session, secret, resources=resources, at=at)


async def refresh_session(
    command: RefreshSession, context: Context, *, resources: Resources, at: datetime
) -> TokensView:
    """Exchange a refresh token; the role in the new access token is the one the person has now.

    Safe to repeat within 10 s of the exchange: the same refresh token comes back (see ``domain.refresh``).
    Raises TOKEN_INVALID, TOKEN_REUSED (the session has ended), SESSION_ENDED or SESSION_EXPIRED.
    """
    parsed = domain.parse_refresh_token(command.refresh_token)
    if parsed is None:
        raise _refused(domain.RefreshRefusal.UNKNOWN)
    session_id, secret = parsed
    async with resources.credentials.transaction() as tx:
        session = await tx.lock_session(session_id)
        if session is None:
            raise _refused(domain.RefreshRefusal.UNKNOWN)
        outcome = domain.refresh(session, secret, chain_key=resources.tokens.chain_key, at=at)
        if isinstance(outcome, domain.Renewed) and outcome.session is not session:
            await tx.rotate_session(outcome.session)
        elif outcome is domain.RefreshRefusal.REUSED:
            reason = domain.EndReason.REFRESH_TOKEN_REUSED
            await end_session(tx, session, reason, resources=resources, context=context, at=at)
        user = await tx.get_user(session.user_id)
    fault_point("auth.refresh_committed")
    if isinstance(outcome, domain.RefreshRefusal):
        get_logger().warning("refresh.refused", session_id=str(session_id), reason=outcome)
        raise _refused(outcome)
    if user is None:
        raise AlphintraError("USER_MISSING", "the session belongs to nobody", kind=Kind.BUG)
    return _tokens(user, outcome.session, outcome.secret, resources=resources, at=at)


async def log_out(command: LogOut, context: Context, *, resources: Resources, at: datetime) -> None:
    """End a session of the acting user; one that has ended stays so. Raises SESSION_NOT_FOUND for another's."""
    user_id = acting_user(context)
    require_credential_scope(context)
    async with resources.credentials.transaction() as tx:
        session = await tx.lock_session(command.session_id)
        if session is None or session.user_id != user_id:
            raise AlphintraError("SESSION_NOT_FOUND", "there is no such session", kind=Kind.NOT_FOUND)
        if session.ended_at is None:
            await end_session(tx, session, domain.EndReason.LOG_OUT, resources=resources, context=context, at=at)


async def _record_failure(
    user: domain.User | None, address: str, context: Context, *, resources: Resources, at: datetime
) -> None:
    # What was typed as the address of an unknown person may be a password: it is recorded nowhere.
    subject = "user:unknown" if user is None else f"user:{user.user_id}"
    detail: dict[str, object] = {"address": printable(address)}
    async with resources.credentials.transaction() as tx:
        await append_audit(
            tx.session, "session.log_in_failed", subject, detail, ids=resources.ids, context=context, at=at
        )
    get_logger().warning("login.failed", subject=subject, address=printable(address))


async def end_session(
    tx: CredentialsTransaction,
    session: domain.Session,
    reason: domain.EndReason,
    *,
    resources: Resources,
    context: Context,
    at: datetime,
) -> None:
    """End a session before its time, tell of it and record it."""
    await tx.end_session(session, reason, at=at)
    event = SessionRevoked(session_id=session.session_id, user_id=session.user_id, reason=reason)
    await append_event(tx.session, event, ids=resources.ids, aggregate_id=session.session_id, context=context, at=at)
    action = "session.log_out" if reason is domain.EndReason.LOG_OUT else "session.revoke"
    subject = f"session:{session.session_id}"
    detail: dict[str, object] = {"reason": reason, "user_id": session.user_id}
    await append_audit(tx.session, action, subject, detail, ids=resources.ids, context=context, at=at)


def _tokens(
    user: domain.User, session: domain.Session, secret: bytes, *, resources: Resources, at: datetime
) -> TokensView:
    access_token, expires_at = resources.tokens.issue(user, session, token_id=resources.ids.new(), at=at)
    return TokensView(
        user_id=user.user_id,
        role=user.role,
        access_token=access_token,
        refresh_token=domain.refresh_token_text(session.session_id, secret),
        expires_at=expires_at,
        session_id=session.session_id,
    )


def _refused(reason: domain.RefreshRefusal) -> AlphintraError:
    match reason:
        case domain.RefreshRefusal.UNKNOWN:
            code, message = "TOKEN_INVALID", "the refresh token is not one of ours: log in again"
        case domain.RefreshRefusal.REUSED:
            code, message = "TOKEN_REUSED", "the refresh token was used before, so its session has ended: log in again"
        case domain.RefreshRefusal.ENDED:
            code, message = "SESSION_ENDED", "the session has ended: log in again"
        case domain.RefreshRefusal.EXPIRED:
            code, message = "SESSION_EXPIRED", "the session was idle for 30 min or is 12 h old: log in again"
    return AlphintraError(code, message, kind=Kind.UNAUTHENTICATED, pointer="/refresh_token")
