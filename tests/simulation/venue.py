"""A venue for one live account that misbehaves as its seed says; its books survive every power cut of ours.

Requests are refused as busy, answered with an error, or carried out without an answer; executions come before the
answer, twice, late, out of order, altered or never; questions fail. What the books hold is always true.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.broker.domain.capabilities import ALPACA
from alphintra.broker.domain.reports import VenueFill, VenueOrder, VenueState
from alphintra.broker.gateways.venue import Answer, Duplicate, NotSent, Refused, Taken, Uncertain, VenueError
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from random import Random

    from alphintra.contracts.approval import OrderTerms

__all__ = ["MischievousVenue"]

_BUSY: Final = 0.06
_REFUSES: Final = 0.04
_LOSES: Final = 0.08
_FILLS_FIRST: Final = 0.2
_FAILS: Final = 0.06
_FEE: Final = Decimal("0.35")
_PRICE: Final = Decimal(50)
_OPEN: Final = frozenset({VenueState.WORKING})
_FAILURES: Final = ("VENUE_BUSY", "VENUE_UNREACHABLE", "VENUE_SILENT")


@dataclass(slots=True)
class Row:
    """An order at the venue."""

    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    visible_at: datetime
    state: VenueState = VenueState.WORKING
    filled_qty: Decimal = Decimal(0)

    def shown(self) -> VenueOrder:
        """Return what the venue says of it."""
        return VenueOrder(
            venue_order_id=self.venue_order_id,
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            state=self.state,
            word=str(self.state),
            filled_qty=self.filled_qty,
        )


class MischievousVenue:
    """A venue whose books are sound and whose words are not, unless it is told to behave.

    Args:
        rng: source of its misbehaviour.
        cash: of the account.
        knows_ids: whether it refuses a client order id it has seen.
    """

    def __init__(self, rng: Random, *, cash: Decimal, at: datetime, knows_ids: bool) -> None:
        self.capabilities = replace(ALPACA, requests_per_minute=6_000_000, rejects_duplicates=knows_ids)
        self.rows: list[Row] = []
        self.fills: list[VenueFill] = []
        self.told: deque[VenueOrder | VenueFill] = deque()
        self.behaves = False
        self.at = at
        self._rng = rng
        self._start = self._cash = cash
        self._knows_ids = knows_ids

    def happens(self, chance: float) -> bool:
        """Tell whether something goes wrong now."""
        return not self.behaves and self._rng.random() < chance

    async def place(self, terms: OrderTerms) -> Answer:
        """Take an order, or do not; say so, or do not."""
        if self.happens(_BUSY):
            return NotSent(VenueError(self._rng.choice(_FAILURES), "not now"))
        if self.happens(_LOSES):
            return Uncertain("the request was lost")
        if self._knows_ids and any(row.client_order_id == terms.client_order_id for row in self.rows):
            return Duplicate()
        if self.happens(_REFUSES) or terms.qty is None:
            return Refused("VENUE_REJECTED", "the venue does not like the order")
        row = Row(
            venue_order_id=f"v{len(self.rows)}",
            client_order_id=terms.client_order_id,
            symbol=terms.symbol,
            side=terms.side,
            qty=terms.qty,
            price=terms.limit_price or _PRICE,
            visible_at=self.at + timedelta(seconds=1 if self.happens(_LOSES) else 0),
        )
        self.rows.append(row)
        self.told.append(row.shown())
        if self.happens(_FILLS_FIRST):
            self._fill(row)
        answer = row.shown()
        return Uncertain("the answer was lost") if self.happens(_LOSES) else Taken(answer)

    async def cancel(self, venue_order_id: str, *, symbol: str) -> Refused | NotSent | Uncertain | None:
        """Take an order off, or do not; say so, or do not."""
        del symbol
        if self.happens(_BUSY):
            return NotSent(VenueError(self._rng.choice(_FAILURES), "not now"))
        if self.happens(_LOSES):
            return Uncertain("the request was lost")
        row = next(row for row in self.rows if row.venue_order_id == venue_order_id)
        if row.state not in _OPEN:
            return Refused("VENUE_REJECTED", f"the order is {row.state}")
        if self.happens(_FILLS_FIRST):
            self._fill(row)
        if row.state in _OPEN:
            self._end(row, VenueState.CANCELED)
        return Uncertain("the answer was lost") if self.happens(_LOSES) else None

    async def replace(self, venue_order_id: str, terms: OrderTerms) -> Answer:
        """Refuse: no story replaces orders here."""
        return Refused("VENUE_REJECTED", f"{venue_order_id} is not replaced by {terms.client_order_id}")

    async def find(self, client_order_id: str, *, venue_order_id: str | None, symbol: str) -> VenueOrder | None:
        """Answer for one order."""
        del venue_order_id, symbol
        self._answer()
        found = [row for row in self.rows if row.client_order_id == client_order_id and row.visible_at <= self.at]
        return found[0].shown() if found else None

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Answer what works."""
        self._answer()
        return tuple(row.shown() for row in self.rows if row.state in _OPEN and row.visible_at <= self.at)

    async def executions(self, since: datetime | None) -> tuple[VenueFill, ...]:
        """Answer what was executed."""
        self._answer()
        return tuple(fill for fill in self.fills if since is None or fill.executed_at >= since)

    async def positions(self) -> Mapping[str, Decimal]:
        """Answer what the account holds."""
        self._answer()
        held: dict[str, Decimal] = {}
        for fill in self.fills:
            held[fill.symbol] = held.get(fill.symbol, Decimal(0)) + _signed(fill)
        return {symbol: qty for symbol, qty in held.items() if qty}

    async def cash(self) -> Decimal:
        """Answer what money the account has."""
        self._answer()
        return self._cash

    async def stream(self) -> AsyncIterator[None]:
        """Say nothing: the world hands on what is told."""
        yield None

    async def close(self) -> None:
        """Nothing is to be left."""

    def trade(self) -> str:
        """Execute something, or end an order; return what."""
        open_rows = [row for row in self.rows if row.state in _OPEN]
        if self.rows and self.happens(0.04):
            self._fill(self._rng.choice(self.rows))
            return "out of turn"
        if not open_rows:
            return ""
        row = self._rng.choice(open_rows)
        if self.happens(0.12):
            self._end(row, self._rng.choice((VenueState.CANCELED, VenueState.EXPIRED)))
            return "ended"
        self._fill(row)
        return "filled"

    def hear(self) -> VenueOrder | VenueFill | None:
        """Return the next thing that is told: not always in order, sometimes twice, altered, or never."""
        if not self.told:
            return None
        place = self._rng.randrange(min(4, len(self.told))) if self.happens(0.3) else 0
        report = self.told[place]
        if not self.happens(0.2):
            del self.told[place]
        if self.happens(0.15):
            return None
        return report

    def altered(self, known: Sequence[str]) -> VenueFill | None:
        """Return an execution that was told before with another quantity, if there is one."""
        told = [fill for fill in self.fills if fill.execution_id in known]
        return replace(self._rng.choice(told), qty=Decimal(77), cum_qty=None) if told else None

    def _answer(self) -> None:
        if self.happens(_FAILS):
            raise VenueError(self._rng.choice(_FAILURES), "no answer")

    def _fill(self, row: Row) -> None:
        rest = row.qty - row.filled_qty
        if rest <= 0:
            return
        qty = rest if self._rng.random() < 0.5 else min(rest, Decimal(self._rng.randint(1, 5)))
        row.filled_qty += qty
        is_final = row.filled_qty == row.qty
        if is_final and row.state in _OPEN:
            row.state = VenueState.FILLED
        fill = VenueFill(
            execution_id=f"{row.venue_order_id}-x{len(self.fills)}",
            venue_order_id=row.venue_order_id,
            client_order_id=row.client_order_id,
            symbol=row.symbol,
            side=row.side,
            qty=qty,
            price=row.price,
            fee=_FEE,
            executed_at=self.at,
            cum_qty=row.filled_qty,
            is_final=is_final,
        )
        self.fills.append(fill)
        self._cash -= _signed(fill) * fill.price + fill.fee
        self.told.append(fill)

    def _end(self, row: Row, state: VenueState) -> None:
        row.state = state
        self.told.append(row.shown())


def _signed(fill: VenueFill) -> Decimal:
    return fill.qty if fill.side is Side.BUY else -fill.qty
