"""How an account reaches its venue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alphintra.kernel.ids import AccountId, FeedId, UserId
from alphintra.kernel.vocabulary import AccountMode

__all__ = ["OPEN", "PAPER", "Connection", "open_paper_connection"]

PAPER = "paper"
OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How an account reaches its venue; ``feed_id`` is the price feed that drives a paper venue."""

    account_id: AccountId
    owner_id: UserId
    adapter: str
    feed_id: FeedId
    status: str
    opened_at: datetime


def open_paper_connection(
    account_id: AccountId, owner_id: UserId, *, mode: AccountMode, feed_id: UUID | None, at: datetime
) -> Connection | None:
    """Return the connection of a new account; None for a live account or one without a feed: no adapter is there."""
    if mode is not AccountMode.PAPER or feed_id is None:
        return None
    return Connection(
        account_id=account_id, owner_id=owner_id, adapter=PAPER, feed_id=FeedId(feed_id), status=OPEN, opened_at=at
    )
