"""What trading tells of splits on a feed as a whole, whoever has an account there."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Event

__all__ = ["FeedSplit"]


class FeedSplit(Event, tag="trading.feed_split.v1", frozen=True):
    """A symbol of a feed was split, once for each reference; its prices up to step ``after_seq`` are of old shares."""

    feed_id: UUID
    symbol: str
    new_shares: int
    old_shares: int
    after_seq: int
    reference: str
