"""What every venue can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from decimal import Decimal

    from alphintra.broker.domain.capabilities import Capabilities
    from alphintra.broker.domain.connections import Connection
    from alphintra.broker.domain.links import KeyRights
    from alphintra.broker.domain.orders import Order
    from alphintra.broker.domain.prices import AskedBars, Quote
    from alphintra.broker.domain.reports import VenueFill, VenueOrder
    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.venue_views import VenueBarsView
    from alphintra.kernel.ids import OrderId

__all__ = [
    "Answer",
    "BarVenue",
    "DatingVenue",
    "Duplicate",
    "NotSent",
    "PairingVenue",
    "PricingVenue",
    "Refused",
    "RemoteVenue",
    "Report",
    "RightsVenue",
    "Taken",
    "Uncertain",
    "Venue",
    "VenueError",
    "date_of",
]


class Venue(Protocol):
    """A place where orders work. Placing is safe to repeat: a venue knows an order by its id."""

    async def place(self, order: Order, connection: Connection, *, at: datetime) -> str:
        """Have the venue work an order; returns the venue's own id of it."""
        ...

    async def cancel(self, order_id: OrderId, *, at: datetime) -> bool:
        """Take an order off the venue; False if it was closed before."""
        ...


class VenueError(AlphintraError):
    """A question to a venue stayed without an answer that can be used.

    Codes: VENUE_UNREACHABLE, VENUE_SILENT, VENUE_PROTOCOL, VENUE_BUSY (called too often), VENUE_AUTH (credentials).

    Args:
        code: one of these.
        detail: one sentence, without anything secret.
        retry_after: how long the venue wants to be left alone, where it says.
    """

    def __init__(self, code: str, detail: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(code, detail, kind=Kind.UNAVAILABLE)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Taken:
    """The venue has the order."""

    order: VenueOrder


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue answered that it does not take the order, or does not cancel or replace it."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The venue has seen the client order id before: the order is there."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The venue certainly did not get the request: it may be made again."""

    error: VenueError


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The request may have arrived: nothing is known."""

    reason: str


Answer: TypeAlias = "Taken | Refused | Duplicate | NotSent | Uncertain"
Report: TypeAlias = "VenueOrder | VenueFill | None"


class RemoteVenue(Protocol):
    """A venue elsewhere. Questions raise ``VenueError``; requests say what became of them.

    None of them is made inside a transaction.
    """

    capabilities: Capabilities

    async def place(self, terms: OrderTerms) -> Answer:
        """Send an order under its client order id."""
        ...

    async def cancel(self, venue_order_id: str, *, symbol: str) -> Refused | NotSent | Uncertain | None:
        """Ask for an order's cancellation; None where the venue took the request, which may be repeated."""
        ...

    async def replace(self, venue_order_id: str, terms: OrderTerms) -> Answer:
        """Put an order in the place of a working one, in one step."""
        ...

    async def find(
        self, client_order_id: str, *, order_id: OrderId, venue_order_id: str | None, symbol: str
    ) -> VenueOrder | None:
        """Ask for one order; None where the venue answers that it has none such.

        Some venues take no client order id as it is: they know an order by the digits of its order id.
        """
        ...

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Ask for every order that works."""
        ...

    async def executions(self, since: datetime | None) -> tuple[VenueFill, ...]:
        """Ask for executions from a moment on, oldest first."""
        ...

    async def positions(self) -> Mapping[str, Decimal]:
        """Ask for the quantities held, by symbol."""
        ...

    async def cash(self) -> Decimal:
        """Ask for the account's cash; also tells whether the credentials hold."""
        ...

    def stream(self) -> AsyncIterator[Report]:
        """Listen to what the venue tells by itself; None as soon as it listens, and as a sign of life.

        Ends only by VenueError.
        """
        ...

    async def close(self) -> None:
        """Leave the venue."""
        ...


@runtime_checkable
class PairingVenue(RemoteVenue, Protocol):
    """A venue elsewhere that works two exits as a pair of its own (``Capabilities.has_pairs``)."""

    async def place_pair(self, target: OrderTerms, stop: OrderTerms) -> Answer:
        """Send a limit and a stop order that close the same, under the client order id of the first.

        The answer tells of the first, and of the second among its legs.
        """
        ...


@runtime_checkable
class BarVenue(RemoteVenue, Protocol):
    """A venue elsewhere that tells bars of what is traded there."""

    async def bars(self, asked: AskedBars) -> VenueBarsView:
        """Ask for a page of bars, oldest first within each symbol; one under way may be among them."""
        ...


@runtime_checkable
class PricingVenue(RemoteVenue, Protocol):
    """A venue elsewhere that tells the prices of what is traded there."""

    async def quotes(self, symbols: Sequence[str]) -> tuple[Quote, ...]:
        """Ask for the newest prices of symbols; one that the venue has no price of is left out."""
        ...


@runtime_checkable
class RightsVenue(RemoteVenue, Protocol):
    """A venue elsewhere that may tell what a key is allowed to do."""

    async def rights(self) -> KeyRights:
        """Ask for the rights of the key; what the venue does not tell is not known."""
        ...


def date_of(text: str) -> datetime | None:
    """Return the time of a Date header, None where it is none."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None


@runtime_checkable
class DatingVenue(RemoteVenue, Protocol):
    """A venue elsewhere that dates its answers."""

    @property
    def dated_at(self) -> datetime | None:
        """When the venue says it gave its last answer, to the second; None where it did not say."""
        ...
