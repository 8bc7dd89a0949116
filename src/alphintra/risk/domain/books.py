"""What risk keeps: accounts, limit sets, kill states, exposure, reservations, decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from alphintra.engine.pretrade.values import (
    EXACT,
    Book,
    Exposure,
    Finding,
    KillState,
    LimitSet,
    Order,
    Verdict,
)
from alphintra.kernel.ids import AccountId, FeedId, UserId
from alphintra.kernel.vocabulary import AccountMode
from alphintra.risk.domain.reservations import Reservation, ReservationState

__all__ = [
    "EXACT",
    "Account",
    "Book",
    "Decision",
    "Exposure",
    "Finding",
    "FollowUp",
    "Kill",
    "KillScope",
    "KillState",
    "LimitSet",
    "Order",
    "Reservation",
    "ReservationState",
    "Verdict",
]


class KillScope(StrEnum):
    """Whose trading a kill state blocks."""

    FIRM = "firm"
    ACCOUNT = "account"
    USER = "user"
    STRATEGY = "strategy"
    VENUE = "venue"
    SYMBOL = "symbol"


class FollowUp(StrEnum):
    """What a repeated request gets: the stored refusal, a new seal, a new decision, or nothing more."""

    REPLAY = "replay"
    REISSUE = "reissue"
    REASSESS = "reassess"
    SPENT = "spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account risk keeps a book for."""

    account_id: AccountId
    owner_id: UserId
    feed_id: FeedId | None
    cash: Decimal
    mode: AccountMode = AccountMode.PAPER


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One epoch of the kill state of a scope; what the scope is for is named."""

    scope: KillScope
    account_id: AccountId | None
    state: KillState
    epoch: int
    reason: str
    set_by: str
    set_at: datetime
    owner_id: UUID | None = None
    book_id: UUID | None = None
    venue: str | None = None
    symbol: str | None = None

    @property
    def key(self) -> str:
        """What the scope is for; empty for the firm."""
        named = (self.account_id, self.owner_id, self.book_id, self.venue, self.symbol)
        return next((str(key) for key in named if key is not None), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A stored decision on an order with its reservation, None if there is none.

    ``leaf`` binds the order's terms to the decision and tells whether a repetition asks for the same.
    """

    decision_id: UUID
    attempt: int
    findings: tuple[Finding, ...]
    limit_version: int
    kill_epoch: int
    leaf: bytes
    reservation: Reservation | None

    def follow_up(self, *, is_renewal: bool) -> FollowUp:
        """Return what a repeated request gets. A renewal never revives what trading has given back."""
        if self.reservation is None:
            return FollowUp.REPLAY
        match self.reservation.state:
            case ReservationState.LAPSED:
                return FollowUp.REASSESS
            case ReservationState.RELEASED:
                return FollowUp.SPENT if is_renewal else FollowUp.REASSESS
            case ReservationState.CLOSED:
                return FollowUp.SPENT
            case ReservationState.HELD | ReservationState.CONFIRMED:
                return FollowUp.REISSUE if self.reservation.open_qty > 0 else FollowUp.SPENT
