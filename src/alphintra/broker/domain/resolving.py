"""What is done about an order whose answer was lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from alphintra.broker.domain.reports import LiveOrder, LiveStatus

__all__ = ["Verdict", "miss", "next_question_at"]

MISSES_MAX = 2


class Verdict(StrEnum):
    """What follows from a venue not knowing an order: ask again, send it again, or leave it to a person."""

    ASK = "ask"
    RESEND = "resend"
    REVIEW = "review"


def next_question_at(order: LiveOrder, *, visibility_delay: timedelta) -> datetime | None:
    """Return when the venue is to be asked for an order, None unless its answer was lost."""
    if order.status is not LiveStatus.UNKNOWN or order.unknown_since is None:
        return None
    return (order.missed_at or order.unknown_since) + visibility_delay


def miss(
    order: LiveOrder, *, visibility_delay: timedelta, rejects_duplicates: bool, at: datetime
) -> tuple[LiveOrder, Verdict]:
    """Return what follows from the venue's answer that it does not know an order.

    An answer within the visibility delay of the sending, or of the last answer, says nothing. After two that count the
    order is sent again under the same id if the venue refuses duplicates; else a person decides. Where the clock was
    set back meanwhile the waiting begins anew: an order is not to stay unknown until the clock has caught up.
    """
    if order.unknown_since is not None and max(order.unknown_since, order.missed_at or order.unknown_since) > at:
        return replace(order, unknown_since=at, missed_at=None if order.missed_at is None else at), Verdict.ASK
    due = next_question_at(order, visibility_delay=visibility_delay)
    if due is None or at < due:
        return order, Verdict.ASK
    order = replace(order, misses=order.misses + 1, missed_at=at)
    if order.misses < MISSES_MAX:
        return order, Verdict.ASK
    if rejects_duplicates:
        again = replace(order, status=LiveStatus.QUEUED, misses=0, unknown_since=None, missed_at=None)
        return again, Verdict.RESEND
    return replace(order, status=LiveStatus.REVIEW), Verdict.REVIEW
