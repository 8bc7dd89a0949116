"""Use cases about who is let in: people disabled and enabled, sessions looked at and ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from alphintra.auth import domain
from alphintra.auth.service.authority import (
    acting_user,
    is_administrator,
    require_administrator,
    require_for_person,
)
from alphintra.auth.service.people import user_view
from alphintra.auth.service.sessions import end_session
from alphintra.contracts.auth import (
    DisabledView,
    DisableUser,
    EnableUser,
    ListSessions,
    OpenSessionsView,
    OpenSessionView,
    RevokeSession,
    UserView,
)
from alphintra.infrastructure.events import append_audit
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.kernel.messages import Context

if TYPE_CHECKING:
    from alphintra.auth.service.resources import Resources

__all__ = ["disable_user", "enable_user", "list_sessions", "revoke_session"]


async def disable_user(command: DisableUser, context: Context, *, resources: Resources, at: datetime) -> DisabledView:
    """Keep a person out: no sign-in, no session, no key. Their accounts, orders and deployments stay as they are.

    One who is disabled stays so. Raises ROLE_REQUIRED, USER_NOT_FOUND, USER_SELF, OWNER_LAST, REASON_FORMAT.
    """
    require_administrator(context)
    reason = domain.check_reason(command.reason)
    user_id = UserId(command.user_id)
    if user_id == context.actor.user_id:
        message = "nobody disables themselves: let another owner or operator do it"
        raise AlphintraError("USER_SELF", message, kind=Kind.CONFLICT, pointer="/user_id")
    async with resources.credentials.transaction() as tx:
        await tx.lock_setup()  # of two owners who disable each other, one comes second
        await require_for_person(tx, user_id, context)
        user = await tx.lock_user(user_id)
        if user is None or (user.role is domain.Role.OWNER and not await tx.has_other_owner(user_id)):
            message = "this is the only owner who can sign in: let another one in first"
            raise AlphintraError("OWNER_LAST", message, kind=Kind.CONFLICT, pointer="/user_id")
        ended = await tx.open_sessions(user_id, at=at)
        for session in ended:
            reason_of_end = domain.EndReason.USER_DISABLED
            await end_session(tx, session, reason_of_end, resources=resources, context=context, at=at)
        keys = tuple(key.key_id for key in await tx.list_keys(user_id) if key.revoked_at is None)
        if user.disabled_at is None:
            user = replace(user, disabled_at=at)
            await tx.disable_user(user_id, at=at)
            detail: dict[str, object] = {"reason": reason, "sessions": len(ended), "keys": len(keys)}
            await append_audit(
                tx.session, "user.disable", f"user:{user_id}", detail, ids=resources.ids, context=context, at=at
            )
    return DisabledView(user=user_view(user), session_ids=tuple(one.session_id for one in ended), key_ids=keys)


async def enable_user(command: EnableUser, context: Context, *, resources: Resources, at: datetime) -> UserView:
    """Let a person in again; their keys are taken again, their sessions stay ended.

    Raises ROLE_REQUIRED, USER_NOT_FOUND, REASON_FORMAT.
    """
    require_administrator(context)
    reason = domain.check_reason(command.reason)
    user_id = UserId(command.user_id)
    async with resources.credentials.transaction() as tx:
        await tx.lock_user(user_id)
        user = await require_for_person(tx, user_id, context)
        if user.disabled_at is not None:
            await tx.enable_user(user_id)
            await append_audit(
                tx.session,
                "user.enable",
                f"user:{user_id}",
                {"reason": reason},
                ids=resources.ids,
                context=context,
                at=at,
            )
    return user_view(replace(user, disabled_at=None))


async def list_sessions(
    command: ListSessions, context: Context, *, resources: Resources, at: datetime
) -> OpenSessionsView:
    """List one person's sessions that can be gone on with. Raises USER_REQUIRED, ROLE_REQUIRED, USER_NOT_FOUND."""
    user_id = acting_user(context) if command.user_id is None else UserId(command.user_id)
    async with resources.credentials.transaction() as tx:
        await require_for_person(tx, user_id, context)
        found = await tx.open_sessions(user_id, at=at)
    return OpenSessionsView(sessions=tuple(_view(session) for session in found))


async def revoke_session(
    command: RevokeSession, context: Context, *, resources: Resources, at: datetime
) -> OpenSessionView:
    """End a session of one's own, or of a person one may act for; one that has ended stays so.

    Raises SESSION_NOT_FOUND, also for another's, and ROLE_REQUIRED for that of somebody above the actor.
    """
    async with resources.credentials.transaction() as tx:
        session = await tx.lock_session(command.session_id)
        if session is None or (session.user_id != context.actor.user_id and not is_administrator(context)):
            raise AlphintraError("SESSION_NOT_FOUND", "there is no such session", kind=Kind.NOT_FOUND)
        await require_for_person(tx, session.user_id, context)
        if session.ended_at is None:
            reason = domain.EndReason.REVOKED
            await end_session(tx, session, reason, resources=resources, context=context, at=at)
    return _view(session)


def _view(session: domain.Session) -> OpenSessionView:
    return OpenSessionView(
        session_id=session.session_id,
        user_id=session.user_id,
        signed_in_at=session.signed_in_at,
        last_at=session.rotated_at,
        expires_at=session.expires_at,
        address=session.address,
    )
