"""What detectors look at: the orders, amendments, cancellations and trades of one person in one symbol, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from alphintra.kernel.vocabulary import OrderType, Side

__all__ = ["MESSAGES", "Action", "ActionKind", "Finding", "Life", "in_order", "lives_of", "windows"]


class ActionKind(StrEnum):
    """What happened to an order; ``done`` is its end by being filled or replaced."""

    NEW = "new"
    AMEND = "amend"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REJECT = "reject"
    TRADE = "trade"
    DONE = "done"


MESSAGES = frozenset({ActionKind.NEW, ActionKind.AMEND, ActionKind.CANCEL})
_ENDS = frozenset({ActionKind.CANCEL, ActionKind.EXPIRE, ActionKind.REJECT, ActionKind.DONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One entry of the stream.

    Attributes:
        event_id: of the event that told it; time-ordered, so that it orders what one microsecond holds.
        happened_at: when trading told it, to the microsecond.
        venue_at: when a trade was made by the venue's clock, which on paper is the time of the bar.
        price: of a trade, or the limit of an order; None for an order without one.
        reference: the newest price risk held when it heard of the action, marked at ``reference_at``.
    """

    event_id: UUID
    happened_at: datetime
    kind: ActionKind
    owner_id: UUID
    account_id: UUID
    order_id: UUID
    symbol: str
    side: Side
    type: OrderType
    qty: Decimal
    price: Decimal | None = None
    reference: Decimal | None = None
    reference_at: datetime | None = None
    execution_id: str = ""
    venue_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a detector found: the actions it rests on, and one sentence with the figures.

    ``anchor`` is the action that makes two findings the same one.
    """

    detector: str
    anchor: UUID
    evidence: tuple[Action, ...]
    summary: str


@dataclass(slots=True)
class Life:
    """An order from the first action on it to its end, as far as the stream holds it."""

    first: Action
    filled: Decimal = Decimal(0)
    end: Action | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether it was working at a time."""
        return self.first.happened_at <= at and (self.end is None or self.end.happened_at > at)

    @property
    def is_canceled(self) -> bool:
        """Whether it ended by being canceled."""
        return self.end is not None and self.end.kind is ActionKind.CANCEL


def in_order(actions: Iterable[Action]) -> list[Action]:
    """Return actions in the order they happened; the event id decides within a microsecond."""
    return sorted(actions, key=lambda action: (action.happened_at, action.event_id))


def lives_of(actions: Sequence[Action]) -> dict[UUID, Life]:
    """Return the orders whose beginning the stream holds."""
    lives: dict[UUID, Life] = {}
    for action in actions:
        if action.kind in {ActionKind.NEW, ActionKind.AMEND}:
            lives.setdefault(action.order_id, Life(action))
        elif (life := lives.get(action.order_id)) is not None:
            if action.kind is ActionKind.TRADE:
                life.filled += action.qty
            elif action.kind in _ENDS and life.end is None:
                life.end = action
    return lives


def windows(actions: Sequence[Action], length: timedelta) -> Iterator[Sequence[Action]]:
    """Yield for each action those of the time before it, itself included."""
    start = 0
    for end, action in enumerate(actions):
        while actions[start].happened_at < action.happened_at - length:
            start += 1
        yield actions[start : end + 1]
