"""What an API key is for: accounts of one mode, or one account alone; checked by every service that keeps accounts."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor
from alphintra.kernel.vocabulary import AccountMode

__all__ = ["is_for_account", "require_account", "require_all_accounts", "require_for_account", "require_for_mode"]


def is_for_account(actor: Actor, account_id: UUID, mode: AccountMode) -> bool:
    """Tell whether the actor's key, if it is one, is for this account; whose it is must be looked at besides."""
    return actor.mode in {None, mode} and actor.account_id in {None, account_id}


def require_for_account(actor: Actor, account_id: UUID, mode: AccountMode) -> None:
    """Refuse a key on an account it is not for, once it is clear that its person owns it. Raises AUTH_SCOPE."""
    require_for_mode(actor, mode)
    require_account(actor, account_id)


def require_account(actor: Actor, account_id: UUID) -> None:
    """Refuse a key of one account on another, where nothing is known of that one's mode. Raises AUTH_SCOPE."""
    if actor.account_id not in {None, account_id}:
        message = "this API key is for another account: take one made for this account, or for all of its mode"
        raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN, pointer="/account_id")


def require_all_accounts(actor: Actor, what: str, *, pointer: str = "") -> None:
    """Refuse any key on what concerns accounts of both modes or of several people: a key reaches less.

    Raises AUTH_SCOPE.
    """
    if actor.mode is not None or actor.account_id is not None:
        reach = "one account" if actor.account_id is not None else f"{actor.mode} accounts"
        message = f"this API key is for {reach} and {what}: sign in, or name an account the key is for"
        raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN, pointer=pointer)


def require_for_mode(actor: Actor, mode: AccountMode) -> None:
    """Refuse a paper key on what is live, and the other way round. Raises AUTH_SCOPE."""
    if actor.mode not in {None, mode}:
        message = f"this API key is for {actor.mode} accounts and this is about a {mode} one: take a {mode} key"
        raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN, pointer="/account_id")
