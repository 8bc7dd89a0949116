"""A venue for one live account that misbehaves as its seed says; its books survive every power cut of ours.

Requests are refused as busy, answered with an error, or carried out without an answer; a replacement takes place
at once, later or never; executions come before the answer, twice, late, out of order, altered or never, are for more
than was ordered, are corrected and taken back; questions fail. What the books hold is always true.
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
from alphintra.kernel.ids import OrderId
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from random import Random

    from alphintra.contracts.approval import OrderTerms

__all__ = ["OPEN", "MischievousVenue"]

_BUSY: Final = 0.06
_REFUSES: Final = 0.04
_LOSES: Final = 0.08
_FILLS_FIRST: Final = 0.2
_FAILS: Final = 0.06
_FEE: Final = Decimal("0.35")
_PRICE: Final = Decimal(50)
_SWAPS_LATER: Final = 0.5
_OVERFILLS: Final = 0.04
_CORRECTS: Final = 0.03
OPEN: Final = frozenset({VenueState.WORKING, VenueState.PENDING})
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
    prior_qty: Decimal = Decimal(0)
    counts_prior: bool = False
    successor: Row | None = None

    @property
    def rest(self) -> Decimal:
        """Return what it may yet execute."""
        return self.qty - self.prior_qty - self.filled_qty

    @property
    def told_qty(self) -> Decimal:
        """Return how much is filled, as this venue counts it."""
        return self.filled_qty + (self.prior_qty if self.counts_prior else 0)

    def shown(self) -> VenueOrder:
        """Return what the venue says of it."""
        return VenueOrder(
            venue_order_id=self.venue_order_id,
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            state=self.state,
            word=str(self.state),
            filled_qty=self.told_qty,
        )


class MischievousVenue:
    """A venue whose books are sound and whose words are not, unless it is told to behave.

    Args:
        rng: source of its misbehaviour.
        cash: of the account.
        knows_ids: whether it refuses a client order id it has seen.
        counts_prior: whether it counts for a replacement what the order before it had filled.
    """

    def __init__(
        self, rng: Random, *, cash: Decimal, at: datetime, knows_ids: bool, counts_prior: bool = False
    ) -> None:
        self.capabilities = replace(
            ALPACA,
            requests_per_minute=6_000_000,
            rejects_duplicates=knows_ids,
            has_pairs=False,  # pairs of the venue's own are cut and lost in the conformance suite's stories
            has_opposites=True,
        )
        self.rows: list[Row] = []
        self.fills: list[VenueFill] = []
        self.taken_back: list[VenueFill] = []
        self.told: deque[VenueOrder | VenueFill] = deque()
        self.behaves = False
        self.at = at
        self._rng = rng
        self._start = self._cash = cash
        self._knows_ids, self._counts_prior = knows_ids, counts_prior

    def happens(self, chance: float) -> bool:
        """Tell whether something goes wrong now."""
        return not self.behaves and self._rng.random() < chance

    async def place(self, terms: OrderTerms) -> Answer:
        """Take an order, or do not; say so, or do not."""
        if self.happens(_BUSY):
            return NotSent(VenueError(self._rng.choice(_FAILURES), "not now"))
        if self.happens(_LOSES):
            return Uncertain("the request was lost")
        if self._knows_ids and self._named(terms.client_order_id):
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
        row = self._row(venue_order_id)
        if row.state is not VenueState.WORKING:
            return Refused("VENUE_REJECTED", f"the order is {row.state}")
        if self.happens(_FILLS_FIRST):
            self._fill(row)
        if row.state in OPEN:
            self._end(row, VenueState.CANCELED)
        return Uncertain("the answer was lost") if self.happens(_LOSES) else None

    async def replace(self, venue_order_id: str, terms: OrderTerms) -> Answer:
        """Put an order in the place of another: at once, or later if that one is not filled first; or do not."""
        if self.happens(_BUSY):
            return NotSent(VenueError(self._rng.choice(_FAILURES), "not now"))
        if self.happens(_LOSES):
            return Uncertain("the request was lost")
        if self._knows_ids and self._named(terms.client_order_id):
            return Duplicate()
        old = self._row(venue_order_id)
        if old.state is not VenueState.WORKING or terms.qty is None or self.happens(_REFUSES):
            return Refused("VENUE_REJECTED", f"the order to be replaced is {old.state}")
        fresh = replace(
            old,
            venue_order_id=f"v{len(self.rows)}",
            client_order_id=terms.client_order_id,
            qty=terms.qty,
            price=terms.limit_price or old.price,
            visible_at=self.at + timedelta(seconds=1 if self.happens(_LOSES) else 0),
            state=VenueState.PENDING,
            filled_qty=Decimal(0),
            counts_prior=self._counts_prior,
        )
        self.rows.append(fresh)
        old.state, old.successor = VenueState.PENDING, fresh
        if not self.happens(_SWAPS_LATER):
            self._swap(old, fresh)
        answer = fresh.shown()
        return Uncertain("the answer was lost") if self.happens(_LOSES) else Taken(answer)

    async def find(
        self, client_order_id: str, *, order_id: OrderId, venue_order_id: str | None, symbol: str
    ) -> VenueOrder | None:
        """Answer for one order."""
        del order_id, venue_order_id, symbol
        self._answer()
        found = [row for row in self._named(client_order_id) if row.visible_at <= self.at]
        return found[0].shown() if found else None

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Answer what works."""
        self._answer()
        return tuple(row.shown() for row in self.rows if row.state in OPEN and row.visible_at <= self.at)

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
        """Execute something, correct it, make a swap, or end an order; return what."""
        if self.rows and self.happens(0.04):
            self._fill(self._rng.choice(self.rows))
            return "out of turn"
        if self.fills and self.happens(_CORRECTS):
            return self._correct(self._rng.choice(self.fills))
        waiting = [id(row.successor) for row in self.rows]  # for the order before them to leave
        open_rows = [row for row in self.rows if row.state in OPEN and id(row) not in waiting]
        if not open_rows:
            return ""
        row = self._rng.choice(open_rows)
        if row.successor is not None and self._rng.random() < 0.5:
            self._swap(row, row.successor)
            return "swapped"
        if row.successor is None and self.happens(0.12):
            self._end(row, self._rng.choice((VenueState.CANCELED, VenueState.EXPIRED)))
            return "ended"
        self._fill(row)
        return "filled"

    def finish_swaps(self) -> None:
        """Decide on every replacement that is under way."""
        for row in self.rows:
            if row.successor is not None:
                self._swap(row, row.successor)

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

    def _row(self, venue_order_id: str) -> Row:
        return next(row for row in self.rows if row.venue_order_id == venue_order_id)

    def _named(self, client_order_id: str) -> list[Row]:
        return [row for row in self.rows if row.client_order_id == client_order_id]

    def _swap(self, old: Row, fresh: Row) -> None:
        """Let an order take the place of another, unless that one filled as much as the new one is for."""
        old.successor = None
        if old.prior_qty + old.filled_qty >= fresh.qty:
            old.state = VenueState.FILLED if old.rest <= 0 else VenueState.WORKING
            self.told.append(old.shown())
            self._end(fresh, VenueState.REJECTED)
            return
        fresh.prior_qty, fresh.state = old.prior_qty + old.filled_qty, VenueState.WORKING
        self._end(old, VenueState.REPLACED)
        self.told.append(fresh.shown())

    def _fill(self, row: Row) -> None:
        if row.rest <= 0 or row.state is VenueState.REJECTED:
            return
        qty = row.rest if self._rng.random() < 0.5 else min(row.rest, Decimal(self._rng.randint(1, 5)))
        if self.happens(_OVERFILLS):
            qty = row.rest + 1
        row.filled_qty += qty
        is_final = row.rest <= 0
        if is_final and row.state in OPEN:
            row.state = VenueState.FILLED
        fill = VenueFill(
            execution_id=f"{row.venue_order_id}-x{len(self.fills) + len(self.taken_back)}",
            venue_order_id=row.venue_order_id,
            client_order_id=row.client_order_id,
            symbol=row.symbol,
            side=row.side,
            qty=qty,
            price=row.price,
            fee=_FEE,
            executed_at=self.at,
            cum_qty=row.told_qty,
            is_final=is_final,
        )
        self.fills.append(fill)
        self._count(fill, 1)
        self.told.append(fill)
        if row.state is VenueState.FILLED and row.successor is not None:
            self._end(row.successor, VenueState.REJECTED)
            row.successor = None

    def _correct(self, fill: VenueFill) -> str:
        """Take an execution back, or say that it had another price."""
        place = self.fills.index(fill)
        self._count(fill, -1)
        if self._rng.random() < 0.5:
            del self.fills[place]
            self.taken_back.append(fill)
            self.told.append(replace(fill, is_bust=True))
            return "taken back"
        self.fills[place] = replace(fill, price=fill.price + 1)
        self._count(self.fills[place], 1)
        self.told.append(self.fills[place])
        return "corrected"

    def _count(self, fill: VenueFill, sign: int) -> None:
        self._cash -= sign * (_signed(fill) * fill.price + fill.fee)

    def _end(self, row: Row, state: VenueState) -> None:
        row.state = state
        self.told.append(row.shown())


def _signed(fill: VenueFill) -> Decimal:
    return fill.qty if fill.side is Side.BUY else -fill.qty
