"""What a venue can do: published for risk, shown to people, and held against each order before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from alphintra.broker.domain.approvals import Refusal
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side, TimeInForce

__all__ = ["ALPACA", "UNSUPPORTED", "Capabilities", "Wanted", "check_group", "check_supported"]

UNSUPPORTED = "ORDER_UNSUPPORTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a venue can do.

    Attributes:
        types: order types it works.
        times_in_force: how long it lets an order work.
        order_classes: groups an account at it may place; the broker runs them itself.
        reserves_closing: whether it reserves what an order is to close, so that two exits cannot work side by side.
        has_pairs: whether it works a limit and a stop order that close the same as a pair of its own.
        has_opposites: whether an order that closes may work beside the one that still opens; where not, exits wait
            until their entry has ended.
        has_notional: whether an order may name an amount of money instead of a quantity.
        has_fractional: whether quantities may have decimals.
        has_extended_hours: whether orders may trade outside the regular session.
        has_replace: whether a working order may be replaced in one step.
        has_stream: whether it tells of executions by itself; the others are asked again and again.
        is_asked_too: whether one with a stream is asked as well, for the stream need not tell everything.
        rejects_duplicates: whether it refuses a client order id it has seen, so that sending again is harmless.
        request_life: how long after its sending it may still take an order, where it can be told so; it shows each
            order it took within ``visibility_delay``, which is longer: sending one again after that is harmless.
        finds_by_client_order_id: whether it can be asked for an order by our id; where it cannot, one whose answer was
            lost is looked for among recent ones, and a person decides when it is not there.
        poll_every: how often one that is asked again and again is asked for executions.
        pays_rebates: whether a fee may be below zero.
        visibility_delay: how long an order it took may stay invisible to a question for it.
        requests_per_minute: how often it may be called.
    """

    types: frozenset[OrderType]
    times_in_force: frozenset[TimeInForce]
    order_classes: frozenset[OrderClass] = frozenset(OrderClass)
    reserves_closing: bool = True
    has_pairs: bool = False
    has_opposites: bool = True
    has_notional: bool = False
    has_fractional: bool = True
    has_extended_hours: bool = False
    has_replace: bool = False
    has_stream: bool = False
    is_asked_too: bool = False
    rejects_duplicates: bool = False
    pays_rebates: bool = False
    visibility_delay: timedelta = timedelta(seconds=2)
    requests_per_minute: int = 200
    request_life: timedelta | None = None
    finds_by_client_order_id: bool = True
    poll_every: timedelta = timedelta(seconds=1)

    @property
    def is_resending_harmless(self) -> bool:
        """Whether an order that the venue does not show may be sent again."""
        return self.rejects_duplicates or self.request_life is not None


class Wanted(Protocol):
    """What of an order's terms a venue may not be able to do."""

    @property
    def symbol(self) -> str:
        """What is traded."""

    @property
    def side(self) -> Side:
        """Buy or sell."""

    @property
    def type(self) -> OrderType:
        """How it is priced."""

    @property
    def time_in_force(self) -> TimeInForce:
        """How long it works."""

    @property
    def qty(self) -> Decimal | None:
        """Quantity, unless an amount of money is named."""

    @property
    def notional(self) -> Decimal | None:
        """Amount of money, unless a quantity is named."""

    @property
    def extended_hours(self) -> bool:
        """Whether it may trade outside the regular session."""

    @property
    def order_class(self) -> OrderClass:
        """How it belongs to others."""

    @property
    def leg(self) -> Leg:
        """What it is to its group."""

    @property
    def replaces(self) -> UUID | None:
        """The order it takes the place of."""


ALPACA = Capabilities(
    types=frozenset(OrderType),
    times_in_force=frozenset(TimeInForce) - {TimeInForce.GTD},
    has_notional=True,
    has_extended_hours=True,
    has_replace=True,
    has_stream=True,
    rejects_duplicates=True,
    has_pairs=True,
    has_opposites=False,
)
_PAIR_TYPES = {Leg.TAKE_PROFIT: frozenset({OrderType.LIMIT}), Leg.STOP_LOSS: {OrderType.STOP, OrderType.STOP_LIMIT}}
_PAIR_TIMES = frozenset({TimeInForce.DAY, TimeInForce.GTC})


def check_group(legs: Sequence[Wanted], offered: Capabilities) -> Refusal | None:
    """Return why a venue cannot work the exits of a group, None if it can; asked before anything is opened."""
    if len(legs) > 1 and offered.reserves_closing:
        missing = _missing_for_pair(legs) if offered.has_pairs else "two exits for one position"
        if missing is not None:
            return Refusal(UNSUPPORTED, f"the venue does not offer {missing}: place one of the exits")
    return next((refusal for leg in legs if (refusal := check_supported(leg, offered)) is not None), None)


def _missing_for_pair(legs: Sequence[Wanted]) -> str | None:
    """Return what keeps a venue from working exits as a pair of its own."""
    missing = [
        (any(leg.type not in _PAIR_TYPES.get(leg.leg, ()) for leg in legs), "a trailing stop beside another exit"),
        ({leg.time_in_force for leg in legs} - _PAIR_TIMES, "two exits with a time in force other than day or gtc"),
        (len({leg.time_in_force for leg in legs}) > 1, "two exits with different times in force"),
        (any(leg.qty is None or leg.qty % 1 != 0 for leg in legs), "two exits for a quantity with decimals"),
        (any(leg.extended_hours for leg in legs), "two exits outside the regular session"),
    ]
    return next((what for is_missing, what in missing if is_missing), None)


def check_supported(wanted: Wanted, offered: Capabilities) -> Refusal | None:
    """Return why a venue cannot work an order, None if it can; it names the first thing that is missing."""
    missing = [
        (wanted.type not in offered.types, f"orders of type {wanted.type}"),
        (wanted.time_in_force not in offered.times_in_force, f"time in force {wanted.time_in_force}"),
        (wanted.order_class not in offered.order_classes, f"groups of class {wanted.order_class}"),
        (wanted.notional is not None and not offered.has_notional, "orders by amount of money: name a quantity"),
        (wanted.extended_hours and not offered.has_extended_hours, "trading outside the regular session"),
        (wanted.replaces is not None and not offered.has_replace, "replacing: cancel the order and place another"),
        (
            wanted.qty is not None and wanted.qty % 1 != 0 and not offered.has_fractional,
            "quantities with decimals: name a whole number",
        ),
    ]
    for is_missing, what in missing:
        if is_missing:
            return Refusal(UNSUPPORTED, f"the venue does not offer {what}")
    return None
