"""Setting up, signing in, people, API keys, profiles."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends
from starlette.requests import Request

from alphintra.contracts.auth import (
    ApiKeyCreated,
    ApiKeysView,
    ApiKeyView,
    ConfirmSecondFactor,
    CreateApiKey,
    CreateSetupToken,
    DisabledView,
    DisableUser,
    EnableUser,
    FactorConfirmed,
    FactorOffered,
    FactorView,
    GetSecondFactor,
    ListApiKeys,
    ListSessions,
    ListUsers,
    LogIn,
    LogOut,
    OfferSecondFactor,
    OpenSessionsView,
    OpenSessionView,
    ProvenView,
    RefreshSession,
    RegisterUser,
    RemoveSecondFactor,
    RevokeApiKey,
    RevokeSession,
    SetUpOwner,
    SetupTokenView,
    StepUp,
    TokensView,
    UsersView,
    UserView,
)
from alphintra.contracts.user import GetProfile, ProfileView, UpdateProfile
from alphintra.edge.decoding import Label
from alphintra.edge.routing import Admin, Body, Public, Reader, Routes, Session
from alphintra.edge.versions import expected_version
from alphintra.kernel.errors import AlphintraError

__all__ = ["routes"]

routes = Routes("identity")


class OwnerBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The first owner, with the one-time token the platform printed."""

    token: str
    email: str
    password: str


class LogInBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """E-mail and password; ``code`` of the authenticator app, or a recovery code, where there is a second factor."""

    email: str
    password: str
    code: str = ""


class StepUpBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A code where there is a second factor, else the password."""

    password: str = ""
    code: str = ""


class CodeBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A code of the authenticator app."""

    code: str


class FactorEndBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A code of the factor to remove, or whose it is: that alone is for the operator at the machine."""

    code: str = ""
    user_id: UUID | None = None


class RefreshBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The refresh token last received; it is worth one exchange."""

    refresh_token: str


class UserBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A person to register; ``role`` is owner, trader or viewer."""

    email: str
    password: str
    role: str


class AccessBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a person is kept out or let in; it stays on record."""

    reason: Label


class ApiKeyBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An API key to make; ``scopes`` are out of read, trade and admin, ``account_id`` the one account it is for.

    ``addresses``, such as 203.0.113.7 or 2001:db8::/48, are where it is taken from; from anywhere without.
    """

    name: Label
    scopes: tuple[str, ...]
    mode: str = "paper"
    user_id: UUID | None = None
    account_id: UUID | None = None
    addresses: tuple[str, ...] = ()


class ProfileBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Changes to the profile; ``version`` is the one last read, unless If-Match says it."""

    version: int | None = None
    display_name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    preferences: dict[str, str] | None = None


class SessionEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The session that ended."""

    session_id: UUID


@routes.post("/setup/token", status=201)
async def create_setup_token(caller: Session) -> SetupTokenView:
    """Make a one-time token for the first owner; earlier ones die. Operator only."""
    return await caller.ask(CreateSetupToken())


@routes.post("/setup/owner", status=201)
async def set_up_owner(caller: Public, body: Annotated[OwnerBody, Depends(Body(OwnerBody))]) -> UserView:
    """Register the first owner with the one-time token."""
    return await caller.ask(SetUpOwner(token=body.token, email=body.email, password=body.password))


@routes.post("/auth/login")
async def log_in(caller: Public, body: Annotated[LogInBody, Depends(Body(LogInBody))]) -> TokensView:
    """Start a session: a short-lived access token and a rotating refresh token."""
    command = LogIn(email=body.email, password=body.password, address=caller.address, code=body.code)
    return await caller.ask(command)


@routes.post("/auth/refresh")
async def refresh_session(caller: Public, body: Annotated[RefreshBody, Depends(Body(RefreshBody))]) -> TokensView:
    """Exchange a refresh token for the next pair; using one twice ends the session."""
    return await caller.ask(RefreshSession(refresh_token=body.refresh_token))


@routes.post("/auth/logout")
async def log_out(caller: Session) -> SessionEnded:
    """End the session of the access token."""
    if caller.session_id is None:
        raise AlphintraError("SESSION_REQUIRED", "these credentials are no session: there is nothing to end")
    await caller.ask(LogOut(session_id=caller.session_id))
    caller.gate.end_session(caller.session_id)
    return SessionEnded(session_id=caller.session_id)


@routes.post("/auth/step-up")
async def step_up(caller: Session, body: Annotated[StepUpBody, Depends(Body(StepUpBody))]) -> ProvenView:
    """Prove again who one is; the access token answered is good for what needs that, for five minutes."""
    if caller.session_id is None:
        raise AlphintraError("SESSION_REQUIRED", "these credentials are no session: there is nothing to prove")
    command = StepUp(session_id=caller.session_id, password=body.password, code=body.code, address=caller.address)
    return await caller.ask(command)


@routes.get("/auth/second-factor")
async def get_second_factor(caller: Session) -> FactorView:
    """Tell whether one has a second factor."""
    return await caller.ask(GetSecondFactor())


@routes.post("/auth/second-factor", status=201)
async def offer_second_factor(caller: Session) -> FactorOffered:
    """Make the secret of an authenticator app; it counts once its first code is given."""
    caller.require_recent()
    return await caller.ask(OfferSecondFactor())


@routes.post("/auth/second-factor/confirm")
async def confirm_second_factor(caller: Session, body: Annotated[CodeBody, Depends(Body(CodeBody))]) -> FactorConfirmed:
    """Give the app's first code; the answer holds recovery codes, shown this once."""
    return await caller.ask(ConfirmSecondFactor(code=body.code))


@routes.post("/auth/second-factor/remove")
async def remove_second_factor(
    caller: Session, body: Annotated[FactorEndBody, Depends(Body(FactorEndBody))]
) -> FactorView:
    """Stop asking for the second factor."""
    return await caller.ask(RemoveSecondFactor(code=body.code, user_id=body.user_id))


@routes.get("/users")
async def list_users(caller: Admin) -> UsersView:
    """List registered people. Owner or operator only."""
    return await caller.ask(ListUsers())


@routes.post("/users", status=201)
async def register_user(caller: Admin, body: Annotated[UserBody, Depends(Body(UserBody))]) -> UserView:
    """Register a person. Owner or operator only."""
    return await caller.ask(RegisterUser(email=body.email, password=body.password, role=body.role))


@routes.post("/users/{user_id}/disable")
async def disable_user(
    caller: Admin, user_id: UUID, body: Annotated[AccessBody, Depends(Body(AccessBody))]
) -> DisabledView:
    """Keep a person out: their sessions end and their keys are refused from now on. Owner or operator only."""
    caller.require_recent()
    done = await caller.ask(DisableUser(user_id=user_id, reason=str(body.reason)))
    for session_id in done.session_ids:
        caller.gate.end_session(session_id)
    for key_id in done.key_ids:
        caller.gate.end_key(key_id)
    return done


@routes.post("/users/{user_id}/enable")
async def enable_user(caller: Admin, user_id: UUID, body: Annotated[AccessBody, Depends(Body(AccessBody))]) -> UserView:
    """Let a disabled person in again. Owner or operator only."""
    caller.require_recent()
    return await caller.ask(EnableUser(user_id=user_id, reason=str(body.reason)))


@routes.get("/users/{user_id}/sessions")
async def list_user_sessions(caller: Admin, user_id: UUID) -> OpenSessionsView:
    """List a person's sessions. Owner or operator only."""
    return await caller.ask(ListSessions(user_id=user_id))


@routes.get("/users/{user_id}/api-keys")
async def list_user_api_keys(caller: Admin, user_id: UUID) -> ApiKeysView:
    """List a person's API keys, without their secrets. Owner or operator only."""
    return await caller.ask(ListApiKeys(user_id=user_id))


@routes.get("/sessions")
async def list_sessions(caller: Session) -> OpenSessionsView:
    """List one's own sessions, newest first."""
    return await caller.ask(ListSessions())


@routes.delete("/sessions/{session_id}")
async def revoke_session(caller: Session, session_id: UUID) -> OpenSessionView:
    """End a session of one's own, or as owner or operator another's; its tokens are refused from now on."""
    ended = await caller.ask(RevokeSession(session_id=session_id))
    caller.gate.end_session(session_id)
    return ended


@routes.get("/api-keys")
async def list_api_keys(caller: Session) -> ApiKeysView:
    """List one's API keys, without their secrets."""
    return await caller.ask(ListApiKeys())


@routes.post("/api-keys", status=201)
async def create_api_key(caller: Session, body: Annotated[ApiKeyBody, Depends(Body(ApiKeyBody))]) -> ApiKeyCreated:
    """Make an API key; its secret is shown this once."""
    caller.require_recent()
    command = CreateApiKey(
        name=str(body.name),
        scopes=body.scopes,
        mode=body.mode,
        user_id=body.user_id,
        account_id=body.account_id,
        addresses=body.addresses,
    )
    return await caller.ask(command)


@routes.delete("/api-keys/{key_id}")
async def revoke_api_key(caller: Session, key_id: str) -> ApiKeyView:
    """Revoke an API key; it is refused from now on."""
    revoked = await caller.ask(RevokeApiKey(key_id=key_id))
    caller.gate.end_key(key_id)
    return revoked


@routes.get("/profile")
async def get_profile(caller: Reader) -> ProfileView:
    """Fetch one's profile; the ETag is its version."""
    profile = await caller.ask(GetProfile())
    caller.headers["ETag"] = f'"{profile.version}"'
    return profile


@routes.patch("/profile")
async def update_profile(
    caller: Session, request: Request, body: Annotated[ProfileBody, Depends(Body(ProfileBody))]
) -> ProfileView:
    """Change one's profile; answers 412 if it changed since it was read."""
    command = UpdateProfile(
        version=expected_version(request, body.version, pointer="/version"),
        display_name=body.display_name,
        locale=body.locale,
        time_zone=body.time_zone,
        preferences=body.preferences,
    )
    profile = await caller.ask(command)
    caller.headers["ETag"] = f'"{profile.version}"'
    return profile
