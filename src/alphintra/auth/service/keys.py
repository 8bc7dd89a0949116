"""Use cases about API keys and signing keys."""

from __future__ import annotations

import base64
import re
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Final

from alphintra.auth import domain
from alphintra.auth.service.authority import (
    acting_user,
    is_administrator,
    require_credential_scope,
    require_enabled,
    require_for_person,
    require_may_grant,
)
from alphintra.auth.service.tokens import ACCESS_TOKEN_LIFE
from alphintra.contracts.auth import (
    ApiKeyCreated,
    ApiKeyPrincipal,
    ApiKeyRevoked,
    ApiKeysView,
    ApiKeyView,
    CreateApiKey,
    ListApiKeys,
    RevokeApiKey,
    SigningKeysView,
    VerifyApiKey,
)
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.kernel.authority import require_for_account, require_for_mode
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, UserId
from alphintra.kernel.messages import Actor, Context

if TYPE_CHECKING:
    from alphintra.auth.service.resources import Resources

__all__ = ["create_api_key", "get_signing_keys", "list_api_keys", "revoke_api_key", "verify_api_key"]

KEYS_PER_USER_MAX: Final = 50
_KEY_ID = re.compile(r"AK[A-Z2-7]{18}")
_KEY_ID_BYTES: Final = 15
_KEY_ID_CHARACTERS: Final = 18
_KEY_SECRET_BYTES: Final = 32


async def create_api_key(
    command: CreateApiKey, context: Context, *, resources: Resources, at: datetime
) -> ApiKeyCreated:
    """Make an API key; its secret is in this answer and nowhere else.

    Raises KEY_SCOPE, KEY_MODE, KEY_ADDRESS, KEY_LIMIT, FIELD_LENGTH, FIELD_CHARS, USER_NOT_FOUND, USER_REQUIRED,
    ROLE_REQUIRED or AUTH_SCOPE. Not safe to repeat: each call makes another key.
    """
    require_credential_scope(context)
    user_id = _owner_of_new_key(command, context)
    account_id = None if command.account_id is None else AccountId(command.account_id)
    wanted = domain.NewApiKey(
        name=command.name,
        scopes=command.scopes,
        mode=command.mode,
        account_id=account_id,
        addresses=command.addresses,
    )
    maker = await _key_of(context.actor, resources)
    key_id = f"AK{base64.b32encode(secrets.token_bytes(_KEY_ID_BYTES)).decode()[:_KEY_ID_CHARACTERS]}"
    secret = secrets.token_urlsafe(_KEY_SECRET_BYTES)
    async with resources.credentials.transaction() as tx:
        user = await require_enabled(tx, user_id)
        if user.user_id != context.actor.user_id:
            require_may_grant(context, user.role)
        key = domain.new_api_key(user, wanted, key_id=key_id, secret=secret, at=at)
        _require_no_wider(context.actor, maker, key)
        if await tx.count_keys(user_id) >= KEYS_PER_USER_MAX:
            message = f"a person has at most {KEYS_PER_USER_MAX} keys: revoke one first"
            raise AlphintraError("KEY_LIMIT", message, kind=Kind.CONFLICT)
        await tx.add_key(key)
        detail: dict[str, object] = {
            "mode": key.mode,
            "scopes": key.scopes,
            "user_id": user_id,
            "account_id": key.account_id,
            "addresses": _texts(key.addresses),
        }
        await append_audit(
            tx.session, "api_key.create", f"api_key:{key_id}", detail, ids=resources.ids, context=context, at=at
        )
    return ApiKeyCreated(
        key_id=key.key_id,
        secret=secret,
        scopes=key.scopes,
        mode=key.mode,
        account_id=key.account_id,
        addresses=_texts(key.addresses),
    )


async def list_api_keys(command: ListApiKeys, context: Context, *, resources: Resources) -> ApiKeysView:
    """List one person's keys, oldest first, revoked ones too.

    Raises USER_REQUIRED, or for another's ROLE_REQUIRED, AUTH_SCOPE and USER_NOT_FOUND.
    """
    if command.user_id is None or command.user_id == context.actor.user_id:
        keys = await resources.credentials.list_keys(acting_user(context))
    else:
        async with resources.credentials.transaction() as tx:
            user = await require_for_person(tx, UserId(command.user_id), context)
            keys = await tx.list_keys(user.user_id)
    return ApiKeysView(keys=tuple(_view(key) for key in keys))


async def revoke_api_key(command: RevokeApiKey, context: Context, *, resources: Resources, at: datetime) -> ApiKeyView:
    """Revoke a key of the acting user, or of one an owner or operator may act for, once.

    Raises KEY_NOT_FOUND, also for another's, and ROLE_REQUIRED for that of somebody above the actor.
    """
    require_credential_scope(context)
    async with resources.credentials.transaction() as tx:
        key = await tx.lock_key(command.key_id) if _KEY_ID.fullmatch(command.key_id) else None
        if key is None or not (key.user_id == context.actor.user_id or is_administrator(context)):
            raise AlphintraError("KEY_NOT_FOUND", "there is no such API key", kind=Kind.NOT_FOUND, pointer="/key_id")
        user_id = (await require_for_person(tx, key.user_id, context)).user_id
        if key.revoked_at is not None:
            return _view(key)
        await tx.revoke_key(key, at=at)
        event = ApiKeyRevoked(key_id=key.key_id, user_id=user_id)
        await append_event(tx.session, event, ids=resources.ids, aggregate_id=user_id, context=context, at=at)
        subject = f"api_key:{key.key_id}"
        await append_audit(
            tx.session, "api_key.revoke", subject, {"user_id": user_id}, ids=resources.ids, context=context, at=at
        )
    return _view(key, revoked_at=at)


async def verify_api_key(command: VerifyApiKey, *, resources: Resources) -> ApiKeyPrincipal:
    """Return whom a key stands for.

    Raises KEY_INVALID alike for an unknown key, a wrong secret, a revoked key and the key of a person kept out.
    """
    found = await resources.credentials.find_key(command.key_id) if _KEY_ID.fullmatch(command.key_id) else None
    if not domain.is_key_secret(None if found is None else found[0], command.secret) or found is None:
        message = "API key and secret do not belong together, or the key was revoked"
        raise AlphintraError("KEY_INVALID", message, kind=Kind.UNAUTHENTICATED)
    key, role = found
    scopes = domain.effective_scopes(key, role)
    return ApiKeyPrincipal(
        user_id=key.user_id,
        role=role,
        key_id=key.key_id,
        scopes=scopes,
        mode=key.mode,
        account_id=key.account_id,
        addresses=_texts(key.addresses),
    )


async def get_signing_keys(*, resources: Resources, at: datetime) -> SigningKeysView:
    """Return the public keys of access tokens, and the sessions whose tokens are void though not expired."""
    ended = await resources.credentials.list_ended_sessions(since=at - ACCESS_TOKEN_LIFE)
    return SigningKeysView(jwks=resources.tokens.jwks, ended_sessions=ended)


async def _key_of(actor: Actor, resources: Resources) -> domain.ApiKey | None:
    """Return the key the actor is, None for whatever is no key."""
    kind, _, key_id = actor.id.partition(":")
    found = await resources.credentials.find_key(key_id) if kind == "key" else None
    return None if found is None else found[0]


def _texts(addresses: tuple[domain.Network, ...]) -> tuple[str, ...]:
    return tuple(str(each) for each in addresses)


def _require_no_wider(actor: Actor, maker: domain.ApiKey | None, key: domain.ApiKey) -> None:
    """Refuse a key that makes one for what it is not for itself. Raises AUTH_SCOPE."""
    if maker is not None and not domain.is_narrower(key.addresses, maker.addresses):
        message = "this API key is for some addresses: it makes no key for others"
        raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN, pointer="/addresses")
    if actor.account_id is not None and key.account_id is None:
        message = "this API key is for one account: it makes no key for all of them"
        raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN, pointer="/account_id")
    require_for_mode(actor, key.mode)
    if key.account_id is not None:
        require_for_account(actor, key.account_id, key.mode)


def _owner_of_new_key(command: CreateApiKey, context: Context) -> UserId:
    if command.user_id is None or command.user_id == context.actor.user_id:
        return acting_user(context)
    if not is_administrator(context):
        raise _user_not_found()
    return UserId(command.user_id)


def _user_not_found() -> AlphintraError:
    return AlphintraError("USER_NOT_FOUND", "there is no such person", kind=Kind.NOT_FOUND, pointer="/user_id")


def _view(key: domain.ApiKey, *, revoked_at: datetime | None = None) -> ApiKeyView:
    return ApiKeyView(
        key_id=key.key_id,
        name=key.name,
        scopes=key.scopes,
        mode=key.mode,
        created_at=key.created_at,
        revoked_at=key.revoked_at if revoked_at is None else revoked_at,
        account_id=key.account_id,
        addresses=_texts(key.addresses),
    )
