"""Ways into auth: commands, each decoded, one use case, encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.auth.service import access, factors, keys, people, sessions
from alphintra.contracts.auth import (
    ApiKeyCreated,
    ApiKeyPrincipal,
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
    GetSigningKeys,
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
    SigningKeysView,
    StepUp,
    TokensView,
    UsersView,
    UserView,
    VerifyApiKey,
)
from alphintra.kernel.messages import View

if TYPE_CHECKING:
    from alphintra.auth.service.resources import Resources
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.messages import Context

__all__ = ["Endpoints"]


class Endpoints:
    """Handlers with what they need at hand."""

    def __init__(self, *, resources: Resources, clock: Clock) -> None:
        self._resources = resources
        self._clock = clock

    async def create_setup_token(self, _command: CreateSetupToken, context: Context) -> SetupTokenView:
        """Answer ``auth.create_setup_token``."""
        return await people.create_setup_token(context, resources=self._resources, at=self._clock.now())

    async def set_up_owner(self, command: SetUpOwner, context: Context) -> UserView:
        """Answer ``auth.set_up_owner``."""
        return await people.set_up_owner(command, context, resources=self._resources, at=self._clock.now())

    async def register_user(self, command: RegisterUser, context: Context) -> UserView:
        """Answer ``auth.register_user``."""
        return await people.register_user(command, context, resources=self._resources, at=self._clock.now())

    async def list_users(self, _command: ListUsers, context: Context) -> UsersView:
        """Answer ``auth.list_users``."""
        return await people.list_users(context, resources=self._resources, at=self._clock.now())

    async def log_in(self, command: LogIn, context: Context) -> TokensView:
        """Answer ``auth.log_in``."""
        return await sessions.log_in(command, context, resources=self._resources, at=self._clock.now())

    async def refresh_session(self, command: RefreshSession, context: Context) -> TokensView:
        """Answer ``auth.refresh_session``."""
        return await sessions.refresh_session(command, context, resources=self._resources, at=self._clock.now())

    async def log_out(self, command: LogOut, context: Context) -> View:
        """Answer ``auth.log_out``."""
        await sessions.log_out(command, context, resources=self._resources, at=self._clock.now())
        return View()

    async def step_up(self, command: StepUp, context: Context) -> ProvenView:
        """Answer ``auth.step_up``."""
        return await factors.step_up(command, context, resources=self._resources, at=self._clock.now())

    async def offer_second_factor(self, _command: OfferSecondFactor, context: Context) -> FactorOffered:
        """Answer ``auth.offer_second_factor``."""
        return await factors.offer_second_factor(context, resources=self._resources, at=self._clock.now())

    async def confirm_second_factor(self, command: ConfirmSecondFactor, context: Context) -> FactorConfirmed:
        """Answer ``auth.confirm_second_factor``."""
        return await factors.confirm_second_factor(command, context, resources=self._resources, at=self._clock.now())

    async def remove_second_factor(self, command: RemoveSecondFactor, context: Context) -> FactorView:
        """Answer ``auth.remove_second_factor``."""
        return await factors.remove_second_factor(command, context, resources=self._resources, at=self._clock.now())

    async def get_second_factor(self, _command: GetSecondFactor, context: Context) -> FactorView:
        """Answer ``auth.get_second_factor``."""
        return await factors.get_second_factor(context, resources=self._resources)

    async def get_signing_keys(self, _command: GetSigningKeys, _context: Context) -> SigningKeysView:
        """Answer ``auth.get_signing_keys``."""
        return await keys.get_signing_keys(resources=self._resources, at=self._clock.now())

    async def create_api_key(self, command: CreateApiKey, context: Context) -> ApiKeyCreated:
        """Answer ``auth.create_api_key``."""
        return await keys.create_api_key(command, context, resources=self._resources, at=self._clock.now())

    async def list_api_keys(self, command: ListApiKeys, context: Context) -> ApiKeysView:
        """Answer ``auth.list_api_keys``."""
        return await keys.list_api_keys(command, context, resources=self._resources)

    async def revoke_api_key(self, command: RevokeApiKey, context: Context) -> ApiKeyView:
        """Answer ``auth.revoke_api_key``."""
        return await keys.revoke_api_key(command, context, resources=self._resources, at=self._clock.now())

    async def verify_api_key(self, command: VerifyApiKey, _context: Context) -> ApiKeyPrincipal:
        """Answer ``auth.verify_api_key``."""
        return await keys.verify_api_key(command, resources=self._resources)

    async def disable_user(self, command: DisableUser, context: Context) -> DisabledView:
        """Answer ``auth.disable_user``."""
        return await access.disable_user(command, context, resources=self._resources, at=self._clock.now())

    async def enable_user(self, command: EnableUser, context: Context) -> UserView:
        """Answer ``auth.enable_user``."""
        return await access.enable_user(command, context, resources=self._resources, at=self._clock.now())

    async def list_sessions(self, command: ListSessions, context: Context) -> OpenSessionsView:
        """Answer ``auth.list_sessions``."""
        return await access.list_sessions(command, context, resources=self._resources, at=self._clock.now())

    async def revoke_session(self, command: RevokeSession, context: Context) -> OpenSessionView:
        """Answer ``auth.revoke_session``."""
        return await access.revoke_session(command, context, resources=self._resources, at=self._clock.now())
