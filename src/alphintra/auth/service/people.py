"""Use cases about people: the first owner, registration."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Final

from alphintra.auth import domain
from alphintra.auth.service.authority import require_administrator, require_local_operator, require_may_grant
from alphintra.contracts.auth import (
    RegisterUser,
    SetUpOwner,
    SetupTokenView,
    UserRegistered,
    UsersView,
    UserView,
)
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.kernel.messages import Actor, Context

if TYPE_CHECKING:
    from alphintra.auth.repository import CredentialsTransaction
    from alphintra.auth.service.resources import Resources

__all__ = ["create_setup_token", "list_users", "register_user", "set_up_owner", "user_view"]

_SETUP_TOKEN_BYTES: Final = 32


async def create_setup_token(context: Context, *, resources: Resources, at: datetime) -> SetupTokenView:
    """Make the token that lets the first owner in; it lives 24 h, and earlier ones die. None once there is an owner."""
    require_local_operator(context)
    token = secrets.token_urlsafe(_SETUP_TOKEN_BYTES)
    expires_at = at + domain.SETUP_TOKEN_LIFE
    async with resources.credentials.transaction() as tx:
        await tx.lock_setup()
        if await tx.has_owner():
            return SetupTokenView(token=None, expires_at=None)
        await tx.replace_setup_token(domain.hash_secret(token.encode()), at=at, expires_at=expires_at)
        await append_audit(
            tx.session, "setup_token.create", "installation", {}, ids=resources.ids, context=context, at=at
        )
    return SetupTokenView(token=token, expires_at=expires_at)


async def set_up_owner(command: SetUpOwner, context: Context, *, resources: Resources, at: datetime) -> UserView:
    """Register the first owner; of several at once exactly one succeeds.

    Raises EMAIL_FORMAT, PASSWORD_*, SETUP_TOKEN_INVALID, SETUP_DONE, EMAIL_TAKEN or AUTH_BUSY; the token is used up
    by success alone.
    """
    email = domain.normalise_email(command.email)
    domain.check_password(command.password, email=email, common=resources.common_passwords)
    token_hash = domain.hash_secret(command.token.encode("utf-8", "replace"))
    async with resources.credentials.transaction() as tx:  # a guessed token is refused before the costly hash
        await _require_usable(tx, token_hash, at=at)
    user = await _new_user(email, command.password, domain.Role.OWNER, resources=resources, at=at)
    owner = Context(
        trace_id=context.trace_id,
        actor=Actor(id=f"user:{user.user_id}", user_id=user.user_id, roles=(user.role.value,)),
    )
    async with resources.credentials.transaction() as tx:
        await tx.lock_setup()
        await _require_usable(tx, token_hash, at=at)
        if await tx.has_owner():
            message = "this installation has an owner already: ask them to register you"
            raise AlphintraError("SETUP_DONE", message, kind=Kind.CONFLICT)
        await tx.use_setup_token(token_hash, at=at)
        await _store(tx, user, "user.set_up_owner", resources=resources, context=owner)
    return user_view(user)


async def register_user(command: RegisterUser, context: Context, *, resources: Resources, at: datetime) -> UserView:
    """Register a person; owners and operators may, operators no owners.

    Raises ROLE_REQUIRED, ROLE_UNKNOWN, EMAIL_FORMAT, PASSWORD_*, EMAIL_TAKEN (also when repeated after success) or
    AUTH_BUSY.
    """
    require_administrator(context)
    role = domain.parse_role(command.role)
    require_may_grant(context, role)
    email = domain.normalise_email(command.email)
    domain.check_password(command.password, email=email, common=resources.common_passwords)
    user = await _new_user(email, command.password, role, resources=resources, at=at)
    async with resources.credentials.transaction() as tx:
        await _store(tx, user, "user.register", resources=resources, context=context)
    return user_view(user)


async def list_users(context: Context, *, resources: Resources, at: datetime) -> UsersView:
    """List everybody, oldest first. Raises ROLE_REQUIRED."""
    require_administrator(context)
    found = await resources.credentials.list_users(at=at)
    return UsersView(users=tuple(user_view(user, holdings) for user, holdings in found))


async def _new_user(email: str, password: str, role: domain.Role, *, resources: Resources, at: datetime) -> domain.User:
    with resources.passwords.admitted():
        password_hash = await resources.passwords.hash(password)
    return domain.User(
        user_id=UserId(resources.ids.new()), email=email, role=role, password_hash=password_hash, created_at=at
    )


async def _store(
    tx: CredentialsTransaction, user: domain.User, action: str, *, resources: Resources, context: Context
) -> None:
    await tx.add_user(user)
    at = user.created_at
    event = UserRegistered(user_id=user.user_id, email=user.email, role=user.role)
    await append_event(tx.session, event, ids=resources.ids, aggregate_id=user.user_id, context=context, at=at)
    subject = f"user:{user.user_id}"
    await append_audit(tx.session, action, subject, {"role": user.role}, ids=resources.ids, context=context, at=at)


async def _require_usable(tx: CredentialsTransaction, token_hash: bytes, *, at: datetime) -> None:
    if not domain.is_setup_token_usable(await tx.get_setup_token(token_hash), at=at):
        message = "the setup token is wrong, used, replaced or older than 24 h: make a new one on the command line"
        raise AlphintraError("SETUP_TOKEN_INVALID", message, kind=Kind.UNAUTHENTICATED, pointer="/token")


def user_view(user: domain.User, holdings: domain.Holdings | None = None) -> UserView:
    """Return a person as they are shown."""
    held = holdings or domain.Holdings()
    return UserView(
        user_id=user.user_id,
        email=user.email,
        role=user.role,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        has_second_factor=held.has_second_factor,
        sessions=held.sessions,
        keys=held.keys,
    )
