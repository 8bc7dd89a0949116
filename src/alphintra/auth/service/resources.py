"""What every use case of auth has at hand."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alphintra.auth.repository import Credentials
    from alphintra.auth.service.passwords import PasswordHasher
    from alphintra.auth.service.tokens import TokenIssuer
    from alphintra.kernel.ids import IdSource

__all__ = ["Resources"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Handed to each use case.

    Attributes:
        credentials: the auth database.
        passwords: argon2id.
        tokens: the signing key.
        common_passwords: passwords nobody may choose, in folded case.
        ids: source of identifiers.
    """

    credentials: Credentials
    passwords: PasswordHasher
    tokens: TokenIssuer
    common_passwords: AbstractSet[str] = field(repr=False)
    ids: IdSource
