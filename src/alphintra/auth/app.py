"""Composition root of auth."""

from __future__ import annotations

from importlib import resources as files
from typing import TYPE_CHECKING

from alphintra.auth.endpoints import Endpoints
from alphintra.auth.repository import Credentials
from alphintra.auth.service.passwords import PasswordHasher
from alphintra.auth.service.resources import Resources
from alphintra.auth.service.tokens import TokenIssuer
from alphintra.contracts.auth import (
    ConfirmSecondFactor,
    CreateApiKey,
    CreateSetupToken,
    DisableUser,
    EnableUser,
    GetSecondFactor,
    GetSigningKeys,
    ListApiKeys,
    ListSessions,
    ListUsers,
    LogIn,
    LogOut,
    OfferSecondFactor,
    RefreshSession,
    RegisterUser,
    RemoveSecondFactor,
    RevokeApiKey,
    RevokeSession,
    SetUpOwner,
    StepUp,
    VerifyApiKey,
)
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["common_passwords", "wire"]


def wire(host: ServiceHost, _parts: Parts) -> None:
    """Enter what auth answers. Raises SECRET_MISSING or SECRET_FORMAT if the signing seed is not there."""
    seed = host.credentials.secrets.get("jwt_seed")
    if seed is None:
        message = "auth was started without its secret jwt_seed: give it 32 random bytes as base64"
        raise AlphintraError("SECRET_MISSING", message, kind=Kind.UNAVAILABLE, pointer="jwt_seed")
    resources = Resources(
        credentials=Credentials(host.database),
        passwords=PasswordHasher(),
        tokens=TokenIssuer(seed),
        common_passwords=common_passwords(),
        ids=host.ids,
    )
    endpoints = Endpoints(resources=resources, clock=host.clock)
    bus = host.bus
    bus.answer(CreateSetupToken, endpoints.create_setup_token)
    bus.answer(SetUpOwner, endpoints.set_up_owner)
    bus.answer(RegisterUser, endpoints.register_user)
    bus.answer(ListUsers, endpoints.list_users)
    bus.answer(DisableUser, endpoints.disable_user)
    bus.answer(EnableUser, endpoints.enable_user)
    bus.answer(ListSessions, endpoints.list_sessions)
    bus.answer(RevokeSession, endpoints.revoke_session)
    bus.answer(LogIn, endpoints.log_in)
    bus.answer(RefreshSession, endpoints.refresh_session)
    bus.answer(LogOut, endpoints.log_out)
    bus.answer(StepUp, endpoints.step_up)
    bus.answer(OfferSecondFactor, endpoints.offer_second_factor)
    bus.answer(ConfirmSecondFactor, endpoints.confirm_second_factor)
    bus.answer(RemoveSecondFactor, endpoints.remove_second_factor)
    bus.answer(GetSecondFactor, endpoints.get_second_factor)
    bus.answer(GetSigningKeys, endpoints.get_signing_keys)
    bus.answer(CreateApiKey, endpoints.create_api_key)
    bus.answer(ListApiKeys, endpoints.list_api_keys)
    bus.answer(RevokeApiKey, endpoints.revoke_api_key)
    bus.answer(VerifyApiKey, endpoints.verify_api_key)


def common_passwords() -> frozenset[str]:
    """Read the passwords nobody may choose, in folded case; lines with # are remarks."""
    text = (files.files("alphintra.auth") / "data" / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("# "))
