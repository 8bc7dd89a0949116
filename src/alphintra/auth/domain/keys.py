"""Decisions about API keys."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from alphintra.auth.domain.guessing import hash_secret
from alphintra.auth.domain.people import Role, User, scopes_of
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId, UserId
from alphintra.kernel.vocabulary import AccountMode

__all__ = [
    "ApiKey",
    "Network",
    "NewApiKey",
    "effective_scopes",
    "is_key_secret",
    "is_narrower",
    "new_api_key",
]

KEY_NAME_LENGTH_MAX: Final = 80
KEY_ADDRESSES_MAX: Final = 50

Network = IPv4Network | IPv6Network

_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key; its secret is kept as SHA-256 alone. Without addresses it is taken from anywhere."""

    key_id: str
    user_id: UserId
    name: str
    secret_hash: bytes = field(repr=False)
    scopes: tuple[str, ...]
    mode: AccountMode
    created_at: datetime
    revoked_at: datetime | None = None
    account_id: AccountId | None = None
    addresses: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApiKey:
    """What is wanted of a new key, unchecked."""

    name: str
    scopes: tuple[str, ...]
    mode: str
    account_id: AccountId | None = None
    addresses: tuple[str, ...] = ()


def new_api_key(user: User, wanted: NewApiKey, *, key_id: str, secret: str, at: datetime) -> ApiKey:
    """Return a new key. Raises KEY_SCOPE, KEY_MODE, KEY_ADDRESS, FIELD_LENGTH or FIELD_CHARS."""
    allowed = sorted(scopes_of(user.role))
    if not wanted.scopes or set(wanted.scopes) - set(allowed):
        message = f"a {user.role}'s key takes one or more of the scopes {', '.join(allowed)}"
        raise AlphintraError("KEY_SCOPE", message, pointer="/scopes")
    if wanted.mode not in set(AccountMode):
        message = f"{wanted.mode[:40]!r} is no mode: take one of {', '.join(AccountMode)}"
        raise AlphintraError("KEY_MODE", message, pointer="/mode")
    if not wanted.name.strip() or len(wanted.name) > KEY_NAME_LENGTH_MAX:
        message = f"a key's name has 1 to {KEY_NAME_LENGTH_MAX} characters"
        raise AlphintraError("FIELD_LENGTH", message, pointer="/name")
    if any(unicodedata.category(character) in _HIDDEN_CATEGORIES for character in wanted.name):
        raise AlphintraError("FIELD_CHARS", "the name holds control or invisible characters", pointer="/name")
    return ApiKey(
        key_id=key_id,
        user_id=user.user_id,
        name=wanted.name,
        secret_hash=hash_secret(secret.encode()),
        scopes=tuple(sorted(set(wanted.scopes))),
        mode=AccountMode(wanted.mode),
        created_at=at,
        account_id=wanted.account_id,
        addresses=_networks(wanted.addresses),
    )


def is_narrower(addresses: Sequence[Network], than: Sequence[Network]) -> bool:
    """Tell whether whoever may use the first may use the second: no addresses are all of them."""
    return not than or (bool(addresses) and all(any(_is_within(each, of) for of in than) for each in addresses))


def _is_within(network: Network, of: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(of, IPv4Network) and network.subnet_of(of)
    return isinstance(of, IPv6Network) and network.subnet_of(of)


def _networks(texts: Sequence[str]) -> tuple[Network, ...]:
    if len(texts) > KEY_ADDRESSES_MAX:
        message = f"a key has at most {KEY_ADDRESSES_MAX} addresses: name networks, such as 203.0.113.0/24"
        raise AlphintraError("KEY_ADDRESS", message, pointer="/addresses")
    found: list[Network] = []
    for index, text in enumerate(texts):
        try:
            found.append(ip_network(text))
        except ValueError:
            message = f"{text[:60]!r} is no address and no network: write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48"
            raise AlphintraError("KEY_ADDRESS", message, pointer=f"/addresses/{index}") from None
    return tuple(dict.fromkeys(found))


def effective_scopes(key: ApiKey, role: Role) -> tuple[str, ...]:
    """Return what the key may do now: what it was given, less what its person's role no longer has."""
    return tuple(scope for scope in key.scopes if scope in scopes_of(role))


def is_key_secret(key: ApiKey | None, secret: str) -> bool:
    """Tell in constant time whether the secret is that of a key that exists and is not revoked."""
    presented = hash_secret(secret.encode("utf-8", "replace"))
    expected = bytes(len(presented)) if key is None else key.secret_hash
    return hmac.compare_digest(presented, expected) and key is not None and key.revoked_at is None
