"""Who may do what to credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.auth.domain import Role, Scope, User, may_grant
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.kernel.messages import Context

if TYPE_CHECKING:
    from alphintra.auth.repository import CredentialsTransaction

__all__ = [
    "acting_user",
    "is_administrator",
    "require_administrator",
    "require_credential_scope",
    "require_enabled",
    "require_for_person",
    "require_local_operator",
    "require_may_grant",
]


def acting_user(context: Context) -> UserId:
    """Return who acts. Raises USER_REQUIRED for services and for the local operator."""
    if context.actor.user_id is None:
        message = "only a signed-in person has sessions and keys: log in, or name the person"
        raise AlphintraError("USER_REQUIRED", message, kind=Kind.FORBIDDEN)
    return UserId(context.actor.user_id)


def is_administrator(context: Context) -> bool:
    """Tell whether the actor is an owner or operator."""
    return bool({Role.OWNER, Role.OPERATOR} & set(context.actor.roles))


def require_administrator(context: Context) -> None:
    """Let owners and operators pass. Raises ROLE_REQUIRED, or AUTH_SCOPE for an API key without ``admin``."""
    if not is_administrator(context):
        raise AlphintraError("ROLE_REQUIRED", "only an owner or operator may do this", kind=Kind.FORBIDDEN)
    require_credential_scope(context)


def require_credential_scope(context: Context) -> None:
    """Let sessions pass, and API keys with ``admin``: a lesser key must not make itself a greater one."""
    if context.actor.scopes and Scope.ADMIN not in context.actor.scopes:
        message = "this API key may not touch credentials: use one with the scope admin, or log in"
        raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN)


def require_local_operator(context: Context) -> None:
    """Let the person at the machine's own command line pass. Raises ROLE_REQUIRED."""
    if not _is_local_operator(context):
        message = "only the operator at the machine's command line may do this"
        raise AlphintraError("ROLE_REQUIRED", message, kind=Kind.FORBIDDEN)


def require_may_grant(context: Context, role: Role) -> None:
    """Refuse to make, or to act for, somebody above the actor. Raises ROLE_REQUIRED."""
    if not may_grant(context.actor.roles, role, is_local_operator=_is_local_operator(context)):
        raise AlphintraError("ROLE_REQUIRED", f"only an owner may do this to an {role}", kind=Kind.FORBIDDEN)


async def require_enabled(tx: CredentialsTransaction, user_id: UserId) -> User:
    """Return a person, held until the transaction ends. Raises USER_NOT_FOUND and USER_DISABLED."""
    user = await tx.lock_user(user_id)
    if user is None:
        raise AlphintraError("USER_NOT_FOUND", "there is no such person", kind=Kind.NOT_FOUND, pointer="/user_id")
    if user.disabled_at is not None:
        message = "this person is disabled: an owner or operator can let them in again"
        raise AlphintraError("USER_DISABLED", message, kind=Kind.FORBIDDEN)
    return user


async def require_for_person(tx: CredentialsTransaction, user_id: UserId, context: Context) -> User:
    """Return a person the actor is, or may act for. Raises ROLE_REQUIRED, AUTH_SCOPE and USER_NOT_FOUND."""
    require_credential_scope(context)
    if user_id != context.actor.user_id:
        require_administrator(context)
    user = await tx.get_user(user_id)
    if user is None:
        raise AlphintraError("USER_NOT_FOUND", "there is no such person", kind=Kind.NOT_FOUND, pointer="/user_id")
    if user_id != context.actor.user_id:
        require_may_grant(context, user.role)
    return user


def _is_local_operator(context: Context) -> bool:
    actor = context.actor
    return actor.id == "operator" and actor.user_id is None and Role.OPERATOR in actor.roles
