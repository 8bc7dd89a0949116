"""What an account may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_OID, UUID, uuid5

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, UserId
from alphintra.kernel.money import require_positive
from alphintra.kernel.vocabulary import AccountMode

__all__ = ["Account", "keyed_account_id", "new_account", "same_account"]

_CURRENCY = re.compile(r"[A-Z]{3}")
_ACCOUNT_NAME_MAX = 80
_KEY_MAX = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account; ``is_active`` once risk has set limits and broker has opened the connection."""

    account_id: AccountId
    owner_id: UserId
    name: str
    mode: AccountMode
    currency: str
    feed_id: UUID | None
    is_risk_ready: bool
    is_venue_ready: bool
    starting_cash: Decimal
    cash: Decimal
    realized_pnl: Decimal
    fees: Decimal
    created_at: datetime

    @property
    def is_active(self) -> bool:
        """Whether orders are taken."""
        return self.is_risk_ready and self.is_venue_ready


def new_account(  # noqa: PLR0913 - an account has these parts
    *,
    account_id: AccountId,
    owner_id: UserId,
    name: str,
    starting_cash: Decimal,
    currency: str,
    feed_id: UUID | None,
    at: datetime,
    mode: AccountMode = AccountMode.PAPER,
    confirm: str = "",
) -> Account:
    """Return a new account; a live one that names no feed has the prices of its own venue, under its own id.

    Raises FIELD_LENGTH, FIELD_VALUE, FIELD_REQUIRED, FIELD_FORBIDDEN, CONFIRM_REQUIRED or NUMBER_* for bad input.
    """
    if not 0 < len(name.strip()) <= _ACCOUNT_NAME_MAX or not name.isprintable():
        message = f"the name must have 1 to {_ACCOUNT_NAME_MAX} printable characters"
        raise AlphintraError("FIELD_LENGTH", message, pointer="/name")
    if not _CURRENCY.fullmatch(currency):
        raise AlphintraError("FIELD_VALUE", "the currency is three letters, e.g. USD", pointer="/currency")
    require_positive(starting_cash, pointer="/starting_cash")
    _require_way(mode, feed_id, is_confirmed=confirm == name)
    return Account(
        account_id=account_id,
        owner_id=owner_id,
        name=name.strip(),
        mode=mode,
        currency=currency,
        feed_id=account_id if feed_id is None else feed_id,
        is_risk_ready=False,
        is_venue_ready=False,
        starting_cash=starting_cash,
        cash=starting_cash,
        realized_pnl=Decimal(0),
        fees=Decimal(0),
        created_at=at,
    )


def _require_way(mode: AccountMode, feed_id: UUID | None, *, is_confirmed: bool) -> None:
    """Check that a paper account has the feed it trades against, and that a live one is meant.

    A live account may name the feed by whose prices risk judges its orders instead of those of its own venue.
    """
    if mode is AccountMode.PAPER:
        if feed_id is None:
            message = "a paper account trades against a price feed: name one"
            raise AlphintraError("FIELD_REQUIRED", message, pointer="/feed_id")
        return
    if not is_confirmed:
        message = "orders of a live account reach a venue: confirm it by its name, written once more"
        raise AlphintraError("CONFIRM_REQUIRED", message, pointer="/confirm")


def keyed_account_id(owner_id: UserId, key: str) -> AccountId:
    """Return the account id of an owner's key: the same for every repetition. Raises IDEMPOTENCY_FORMAT."""
    if not 0 < len(key) <= _KEY_MAX or not key.isascii() or not key.isprintable():
        message = f"the key has 1 to {_KEY_MAX} printable ASCII characters"
        raise AlphintraError("IDEMPOTENCY_FORMAT", message, pointer="/key")
    return AccountId(uuid5(NAMESPACE_OID, f"account/{owner_id}/{key}"))


def same_account(stored: Account, asked: Account) -> Account:
    """Return the stored account if it is what is asked for again. Raises IDEMPOTENCY_MISMATCH."""
    if any(
        getattr(stored, name) != getattr(asked, name)
        for name in ("name", "mode", "starting_cash", "currency", "feed_id")
    ):
        message = "the key has opened another account: choose a new one"
        raise AlphintraError("IDEMPOTENCY_MISMATCH", message, kind=Kind.CONFLICT, pointer="/key")
    return stored
