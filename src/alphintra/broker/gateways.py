"""Ways out of broker: to risk, which approves orders, and to venues, which work them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from alphintra.broker.domain import Connection, Evidence, Order, paper_order_id
from alphintra.contracts.approval import Approval, OrderTerms, is_covered, seal_bytes
from alphintra.contracts.risk import RenewApproval
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context

if TYPE_CHECKING:
    from alphintra.infrastructure.bus import Bus
    from alphintra.infrastructure.signing import VerifyKey
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import FeedId, OrderId

__all__ = ["Approvals", "PaperBook", "PaperVenue", "Renewal", "Venue"]

_ACTOR = Actor(id="service:broker")
_DEFINITE = {Kind.NOT_FOUND, Kind.CONFLICT}


@dataclass(frozen=True, slots=True)
class Renewal:
    """Risk's answer to a request for renewal: fresh evidence, or the reason why there is none; and when it came."""

    evidence: Evidence | None
    reason: str
    at: datetime


class Approvals:
    """Checks approvals with risk's public key, and has them renewed."""

    def __init__(self, bus: Bus, *, verify_key: VerifyKey, clock: Clock) -> None:
        self._bus = bus
        self._verify_key = verify_key
        self._clock = clock

    def examine(self, terms: OrderTerms, approval: Approval) -> Evidence:
        """Return what the approval is worth for these terms."""
        seal = approval.seal
        return Evidence(
            is_signed=self._verify_key.is_signed(seal_bytes(seal), approval.signature),
            is_covered=_is_finite(terms) and is_covered(terms, approval),
            expires_at=seal.expires_at,
            kill_epoch=seal.kill_epoch,
        )

    async def renew(self, terms: OrderTerms, *, trace_id: str) -> Renewal:
        """Ask risk for a new approval of an order whose own one expired.

        Raises RISK_UNAVAILABLE, or whatever else leaves open what risk thinks: the order is then neither sent nor
        refused, and its event is delivered again.
        """
        try:
            answer = await self._bus.ask(RenewApproval(terms=terms), Context(trace_id=trace_id, actor=_ACTOR))
        except AlphintraError as error:
            if error.kind not in _DEFINITE:
                raise
            return Renewal(None, f"{error.code}, {error.detail}", self._clock.now())
        at = self._clock.now()
        if answer.approval is None:
            findings = "; ".join(f"{finding.code}, {finding.detail}" for finding in answer.findings)
            return Renewal(None, findings or "it gave no reason", at)
        return Renewal(self.examine(terms, answer.approval), "", at)


def _is_finite(terms: OrderTerms) -> bool:
    # Risk approves no such order, and hashing a signalling NaN fails instead of answering no.
    amounts = (
        terms.qty,
        terms.notional,
        terms.limit_price,
        terms.stop_price,
        terms.trail_price,
        terms.trail_percent,
    )
    return all(amount is None or amount.is_finite() for amount in amounts)


class Venue(Protocol):
    """A place where orders work. Placing is safe to repeat: a venue knows an order by its id."""

    async def place(self, order: Order, connection: Connection, *, at: datetime) -> str:
        """Have the venue work an order; returns the venue's own id of it."""
        ...

    async def cancel(self, order_id: OrderId, *, at: datetime) -> bool:
        """Take an order off the venue; False if it was closed before."""
        ...


class PaperBook(Protocol):
    """What the paper venue keeps, in the transaction in which broker records its answer."""

    async def accept(self, order_id: OrderId, feed_id: FeedId, *, venue_order_id: str, at: datetime) -> None:
        """Let an order work from the next step of its feed on."""
        ...

    async def withdraw(self, order_id: OrderId, *, at: datetime) -> bool:
        """Close a working order; False if it was closed before."""
        ...


class PaperVenue:
    """The venue that replayed bars drive. It lives in broker's own database and can reach no other venue.

    Intent, acceptance and acknowledgement therefore commit together; a venue elsewhere needs the intent committed
    before it is called, and asked for the order by its id after a crash in between.
    """

    def __init__(self, book: PaperBook) -> None:
        self._book = book

    async def place(self, order: Order, connection: Connection, *, at: datetime) -> str:
        """Work an order from the next step of the connection's feed on."""
        venue_order_id = paper_order_id(order.order_id)
        await self._book.accept(order.order_id, connection.feed_id, venue_order_id=venue_order_id, at=at)
        return venue_order_id

    async def cancel(self, order_id: OrderId, *, at: datetime) -> bool:
        """Take a working order off; a step that may be filling it right now is waited for."""
        return await self._book.withdraw(order_id, at=at)
