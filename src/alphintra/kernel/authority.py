"""What an API key is for: accounts of one mode, or one account alone; checked by every service that keeps accounts."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor
from alphintra.kernel.vocabulary import AccountMode

__all__ = ["is_for_account", "require_for_account", "require_for_mode"]


def is_for_account(actor: Actor, account_id: UUID, mode: AccountMode) -> bool:
    """Tell whether the actor's key, if it is one, is for this account; whose it is must be looked at besides."""
    return actor.mode in {None, mode} and actor.account_id in {None, account_id}


def require_for_account(actor: Actor, account_id: UUID, mode: AccountMode) -> None:
    """Refuse a key on an account it is not for, once it is clear that its person owns it. Raises AUTH_SCOPE."""
    require_for_mode(actor, mode)
    if actor.account_id not in {None, account_id}:
        message = "this API key is for another account: take one made for this account, or for all of its mode"
        raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN, pointer="/account_id")


def require_for_mode(actor: Actor, mode: AccountMode) -> None:
    """Refuse a paper key on what is live, and the other way round. Raises AUTH_SCOPE."""
    if actor.mode not in {None, mode}:
        message = f"this API key is for {actor.mode} accounts and this is about a {mode} one: take a {mode} key"
        raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN, pointer="/account_id")
