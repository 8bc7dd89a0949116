"""The life of a connection to a venue elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, OrderId, UserId

__all__ = [
    "ADAPTERS",
    "Break",
    "Environment",
    "KeyRights",
    "Link",
    "LinkStatus",
    "hint_of",
    "is_active",
    "may_become",
    "may_send",
    "require_address",
    "require_harmless",
    "skew_of",
]

HINT_LENGTH = 4
ADAPTERS = frozenset({"alpaca", "ccxt"})
_SECOND = timedelta(seconds=1)
_LOOPBACK = ("http://127.0.0.1:", "http://[::1]:", "http://localhost:")


class LinkStatus(StrEnum):
    """State of a connection; ``pending`` until it has credentials, ``closed`` for good."""

    PENDING = "pending"
    RECONCILING = "reconciling"
    OPEN = "open"
    DEGRADED = "degraded"
    EXPIRED = "expired"
    CLOSED = "closed"


class Environment(StrEnum):
    """Which of a venue's worlds a connection reaches: its test system or the one with money; fixed when it is made."""

    PAPER = "paper"
    LIVE = "live"


_NEXT = {
    LinkStatus.PENDING: frozenset({LinkStatus.RECONCILING, LinkStatus.CLOSED}),
    LinkStatus.RECONCILING: frozenset({LinkStatus.OPEN, LinkStatus.DEGRADED, LinkStatus.EXPIRED, LinkStatus.CLOSED}),
    LinkStatus.OPEN: frozenset({LinkStatus.RECONCILING, LinkStatus.DEGRADED, LinkStatus.EXPIRED, LinkStatus.CLOSED}),
    LinkStatus.DEGRADED: frozenset({LinkStatus.RECONCILING, LinkStatus.EXPIRED, LinkStatus.CLOSED}),
    LinkStatus.EXPIRED: frozenset({LinkStatus.RECONCILING, LinkStatus.CLOSED}),
    LinkStatus.CLOSED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """What a venue tells of a key: whether it may trade, and whether it may take money away; None where it does not."""

    may_trade: bool | None = None
    may_withdraw: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How a live account reaches its venue.

    Attributes:
        account_id: whose connection it is; an account has one.
        owner_id: who owns the account.
        starting_cash: cash the account was opened with, which the venue's cash is held against.
        adapter: alpaca or ccxt; empty until it has credentials.
        exchange: which exchange, of an adapter that serves several; empty otherwise.
        environment: test system or money.
        base_url: another address than the venue's own, empty for the venue's own.
        status: where it is in its life.
        reason: why, for a person.
        credentials_version: of the credentials that hold; 0 while there are none.
        seen_at: execution time up to which the venue's executions are known.
        changed_at: when the status changed.
        opened_at: when the account was opened.
        key_hint: the last characters of its key's id, empty where that is not known.
        reconciled_at: when venue and books were last compared to the end.
    """

    account_id: AccountId
    owner_id: UserId
    starting_cash: Decimal
    adapter: str
    exchange: str
    environment: Environment
    base_url: str
    status: LinkStatus
    reason: str
    credentials_version: int
    seen_at: datetime | None
    changed_at: datetime
    opened_at: datetime
    key_hint: str = ""
    reconciled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A difference between venue and us, and what a person said about it."""

    break_id: UUID
    account_id: AccountId
    code: str
    key: str
    symbol: str
    order_id: OrderId | None
    detail: str
    status: str
    found_at: datetime
    resolved_at: datetime | None
    resolved_by: str
    resolution: str


def may_become(old: LinkStatus, new: LinkStatus) -> bool:
    """Tell whether a connection may go from one state to another."""
    return new in _NEXT[old]


def hint_of(key_id: str) -> str:
    """Return the last characters of a key's id, by which people tell their keys apart; none of a short one."""
    return key_id[-HINT_LENGTH:] if len(key_id) >= 2 * HINT_LENGTH else ""


def skew_of(dated: datetime, ours: datetime) -> int:
    """Return how far a venue's clock is ahead of ours, milliseconds; 0 where a second, as it dates, explains it."""
    ahead = dated - ours
    if -_SECOND < ahead <= timedelta():  # it tells whole seconds, cut off
        return 0
    return round((ahead if ahead > timedelta() else ahead + _SECOND) / timedelta(milliseconds=1))


def is_active(status: LinkStatus) -> bool:
    """Tell whether the venue is to be spoken to."""
    return status in {LinkStatus.RECONCILING, LinkStatus.OPEN, LinkStatus.DEGRADED}


def may_send(status: LinkStatus, *, is_caught_up: bool, reduces: bool) -> bool:
    """Tell whether an order may go to the venue now; cancellations may at any time.

    Nothing is sent before the executions of an interruption are known; while a break is open, only what reduces.
    """
    if not is_caught_up:
        return False
    return status is LinkStatus.OPEN or (reduces and status is LinkStatus.RECONCILING)


def require_harmless(rights: KeyRights) -> None:
    """Check that a key is not known to be able to take money away. Raises KEY_MAY_WITHDRAW."""
    if rights.may_withdraw:
        message = "the venue says that this key may withdraw money: make one without that right"
        raise AlphintraError("KEY_MAY_WITHDRAW", message, pointer="/credentials")


def require_address(base_url: str) -> None:
    """Check an address that replaces the venue's own. Raises URL_FORBIDDEN unless it is https or this machine."""
    if base_url and not base_url.startswith(("https://", *_LOOPBACK)):
        message = "the address of a venue begins with https://; plain http is for a test server on this machine"
        raise AlphintraError("URL_FORBIDDEN", message, kind=Kind.INVALID, pointer="/base_url")
