"""What auth answers and tells."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View, hiding

__all__ = [
    "ApiKeyCreated",
    "ApiKeyPrincipal",
    "ApiKeyRevoked",
    "ApiKeyView",
    "ApiKeysView",
    "ConfirmSecondFactor",
    "CreateApiKey",
    "CreateSetupToken",
    "DisableUser",
    "DisabledView",
    "EnableUser",
    "FactorConfirmed",
    "FactorOffered",
    "FactorView",
    "GetSecondFactor",
    "GetSigningKeys",
    "ListApiKeys",
    "ListSessions",
    "ListUsers",
    "LogIn",
    "LogOut",
    "OfferSecondFactor",
    "OpenSessionView",
    "OpenSessionsView",
    "ProvenView",
    "RefreshSession",
    "RegisterUser",
    "RemoveSecondFactor",
    "RevokeApiKey",
    "RevokeSession",
    "SessionRevoked",
    "SetUpOwner",
    "SetupTokenView",
    "SigningKeysView",
    "StepUp",
    "TokensView",
    "UserRegistered",
    "UserView",
    "UsersView",
    "VerifyApiKey",
]


class UserView(View, frozen=True):
    """A registered person; the profile itself lives in user.

    ``sessions`` and ``keys`` count those in use; both, like ``has_second_factor``, are told in the list of all people
    alone. Whoever is disabled cannot sign in, and their keys are refused.
    """

    user_id: UUID
    email: str
    role: str
    created_at: Utc
    disabled_at: Utc | None = None
    has_second_factor: bool = False
    sessions: int = 0
    keys: int = 0


class UsersView(View, frozen=True):
    """Registered people, oldest first."""

    users: tuple[UserView, ...]


class DisabledView(View, frozen=True):
    """A person who was disabled, and what ended with that: their sessions, and their keys while they are disabled."""

    user: UserView
    session_ids: tuple[UUID, ...]
    key_ids: tuple[str, ...]


class OpenSessionView(View, frozen=True):
    """A session that can be gone on with; ``last_at`` is when its refresh token was last exchanged.

    ``address`` is where it was begun from, empty where nobody knows.
    """

    session_id: UUID
    user_id: UUID
    signed_in_at: Utc
    last_at: Utc
    expires_at: Utc
    address: str = ""


class OpenSessionsView(View, frozen=True):
    """A person's sessions, newest first."""

    sessions: tuple[OpenSessionView, ...]


@hiding("access_token", "refresh_token")
class TokensView(View, frozen=True):
    """What a log-in yields: a short-lived access token (JWT, Ed25519) and a rotating refresh token."""

    user_id: UUID
    role: str
    access_token: str
    refresh_token: str
    expires_at: Utc
    session_id: UUID


@hiding("access_token")
class ProvenView(View, frozen=True):
    """A new access token of a session whose person proved again who they are."""

    access_token: str
    expires_at: Utc


@hiding("secret", "uri")
class FactorOffered(View, frozen=True):
    """What an authenticator app takes in: the secret to type, and the same as a URI for a QR code. Shown this once."""

    secret: str
    uri: str


@hiding("recovery_codes")
class FactorConfirmed(View, frozen=True):
    """Codes for when the app is lost, each good once. Shown this once and stored only as hashes."""

    recovery_codes: tuple[str, ...]


class FactorView(View, frozen=True):
    """Whether a person has a second factor, since when, and how many recovery codes are left."""

    confirmed_at: Utc | None
    recovery_codes_left: int


@hiding("token")
class SetupTokenView(View, frozen=True):
    """A one-time token that lets the first owner in; None once an owner exists."""

    token: str | None
    expires_at: Utc | None


class SigningKeysView(View, frozen=True):
    """Public keys access tokens are verified with, as a JSON Web Key Set; and whose tokens are void nevertheless.

    ``ended_sessions`` are those ended before their time within the longest life of an access token: who verifies tokens
    refuses theirs, also after having been restarted.
    """

    jwks: str
    ended_sessions: tuple[UUID, ...] = ()


class ApiKeyView(View, frozen=True):
    """An API key without its secret; without an account it is for all of its mode, without addresses for any."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    mode: str
    created_at: Utc
    revoked_at: Utc | None = None
    account_id: UUID | None = None
    addresses: tuple[str, ...] = ()


@hiding("secret")
class ApiKeyCreated(View, frozen=True):
    """A new API key; the secret is shown this once and stored only as a hash."""

    key_id: str
    secret: str
    scopes: tuple[str, ...]
    mode: str
    account_id: UUID | None = None
    addresses: tuple[str, ...] = ()


class ApiKeysView(View, frozen=True):
    """A person's API keys, oldest first."""

    keys: tuple[ApiKeyView, ...]


class ApiKeyPrincipal(View, frozen=True):
    """Whom an API key stands for and what it was limited to."""

    user_id: UUID
    role: str
    key_id: str
    scopes: tuple[str, ...]
    mode: str
    account_id: UUID | None = None
    addresses: tuple[str, ...] = ()


class CreateSetupToken(Command[SetupTokenView], tag="auth.create_setup_token.v1", frozen=True):
    """Make the one-time owner token; earlier unused ones die. Operator only."""


@hiding("token", "password")
class SetUpOwner(Command[UserView], tag="auth.set_up_owner.v1", frozen=True):
    """Register the first owner with the one-time token."""

    token: str
    email: str
    password: str


@hiding("password")
class RegisterUser(Command[UserView], tag="auth.register_user.v1", frozen=True):
    """Register a person. Owner or operator only."""

    email: str
    password: str
    role: str


@hiding("password", "code")
class LogIn(Command[TokensView], tag="auth.log_in.v1", frozen=True):
    """Start a session with e-mail and password; ``address`` is the caller's, for throttling.

    Whoever has a second factor gives a ``code`` too: of their app, or a recovery code.
    """

    email: str
    password: str
    address: str = ""
    code: str = ""


@hiding("password", "code")
class StepUp(Command[ProvenView], tag="auth.step_up.v1", frozen=True):
    """Prove again to be the person of a session: by a code if they have a second factor, else by the password."""

    session_id: UUID
    password: str = ""
    code: str = ""
    address: str = ""


class OfferSecondFactor(Command[FactorOffered], tag="auth.offer_second_factor.v1", frozen=True):
    """Make the secret of an authenticator app for the acting user; it counts once its first code is given."""


@hiding("code")
class ConfirmSecondFactor(Command[FactorConfirmed], tag="auth.confirm_second_factor.v1", frozen=True):
    """Give the app's first code: from now on it is asked for."""

    code: str


@hiding("code")
class RemoveSecondFactor(Command[FactorView], tag="auth.remove_second_factor.v1", frozen=True):
    """Stop asking for the second factor: the acting user's by one of its codes, anybody's by the operator alone."""

    code: str = ""
    user_id: UUID | None = None


class GetSecondFactor(Command[FactorView], tag="auth.get_second_factor.v1", frozen=True):
    """Tell whether the acting user has a second factor."""


@hiding("refresh_token")
class RefreshSession(Command[TokensView], tag="auth.refresh_session.v1", frozen=True):
    """Exchange a refresh token; using one twice ends the whole session."""

    refresh_token: str


class LogOut(Command[View], tag="auth.log_out.v1", frozen=True):
    """End a session of the acting user."""

    session_id: UUID


class GetSigningKeys(Command[SigningKeysView], tag="auth.get_signing_keys.v1", frozen=True):
    """Fetch the public keys of access tokens."""


class CreateApiKey(Command[ApiKeyCreated], tag="auth.create_api_key.v1", frozen=True):
    """Make an API key for the acting user, or for ``user_id`` if the actor is owner or operator.

    With ``account_id`` it is for that account alone; whose that is, and of which mode, the services see that keep it.
    With ``addresses``, such as 203.0.113.7 or 2001:db8::/48, it is taken from there alone.
    """

    name: str
    scopes: tuple[str, ...]
    mode: str = "paper"
    user_id: UUID | None = None
    account_id: UUID | None = None
    addresses: tuple[str, ...] = ()


class ListApiKeys(Command[ApiKeysView], tag="auth.list_api_keys.v1", frozen=True):
    """List the acting user's API keys, or those of ``user_id`` if the actor is owner or operator."""

    user_id: UUID | None = None


class RevokeApiKey(Command[ApiKeyView], tag="auth.revoke_api_key.v1", frozen=True):
    """Revoke an API key of the acting user, or of anybody an owner or operator may act for."""

    key_id: str


@hiding("secret")
class VerifyApiKey(Command[ApiKeyPrincipal], tag="auth.verify_api_key.v1", frozen=True):
    """Check an API key's id and secret."""

    key_id: str
    secret: str


class ListUsers(Command[UsersView], tag="auth.list_users.v1", frozen=True):
    """List registered people. Owner or operator only."""


class DisableUser(Command[DisabledView], tag="auth.disable_user.v1", frozen=True):
    """Keep a person out: their sessions end and their keys are refused. Owner or operator only; never oneself."""

    user_id: UUID
    reason: str


class EnableUser(Command[UserView], tag="auth.enable_user.v1", frozen=True):
    """Let a disabled person in again. Owner or operator only."""

    user_id: UUID
    reason: str


class ListSessions(Command[OpenSessionsView], tag="auth.list_sessions.v1", frozen=True):
    """List the acting user's sessions, or those of ``user_id`` if the actor is owner or operator."""

    user_id: UUID | None = None


class RevokeSession(Command[OpenSessionView], tag="auth.revoke_session.v1", frozen=True):
    """End a session of the acting user, or of anybody an owner or operator may act for."""

    session_id: UUID


class UserRegistered(Event, tag="auth.user_registered.v1", frozen=True):
    """A person was registered."""

    user_id: UUID
    email: str
    role: str


class SessionRevoked(Event, tag="auth.session_revoked.v1", frozen=True):
    """A session ended before its time."""

    session_id: UUID
    user_id: UUID
    reason: str


class ApiKeyRevoked(Event, tag="auth.api_key_revoked.v1", frozen=True):
    """An API key was revoked."""

    key_id: str
    user_id: UUID
