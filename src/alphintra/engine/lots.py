"""Lots: what was bought (or sold short) together, closed first in, first out; kept beside the average for the tax."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from alphintra.engine.portfolio import cost_of_part, notional
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import AMOUNT_PLACES, require_positive
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["Lot", "LotClose", "Taking", "apply_to_lots", "scaled_quantities", "take_lots"]

_WIDE = Context(prec=60)
_QUANTUM = Decimal(1).scaleb(-AMOUNT_PLACES)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of one purchase, or of one short sale.

    Args:
        number: its place in the order of opening within its position, from 1.
        qty: signed quantity left, negative when short; zero once it is closed.
        cost: signed amount paid for ``qty``.
        opened_at: when the execution that opened it took place.
        execution_id: the execution that opened it.
    """

    number: int
    qty: Decimal
    cost: Decimal
    opened_at: datetime
    execution_id: str


@dataclass(frozen=True, slots=True)
class LotClose:
    """A part of a lot that a fill closed; ``realized`` is before fees.

    Args:
        number: of the lot.
        qty: signed quantity closed, of the lot's sign.
        cost: signed amount that was paid for it.
        proceeds: signed amount it fetched; negative where a short sale is bought back.
        opened_at: when the lot was opened.
    """

    number: int
    qty: Decimal
    cost: Decimal
    proceeds: Decimal
    opened_at: datetime

    @property
    def realized(self) -> Decimal:
        """Profit of the part, before fees."""
        return self.proceeds - self.cost


@dataclass(frozen=True, slots=True)
class Taking:
    """What was taken out of lots, the oldest first: the lots as they are after it, and the parts taken."""

    lots: tuple[Lot, ...]
    taken: tuple[Lot, ...]


def take_lots(lots: Sequence[Lot], qty: Decimal) -> Taking:
    """Take a quantity, above zero, out of lots of one sign. Raises LOTS_SHORT where they hold less.

    A part of a lot leaves with the same part of its cost, rounded to a millionth; the whole leaves with all of it.
    """
    left, taken = [], []
    wanted = require_positive(qty, pointer="/qty")
    for lot in lots:
        part = min(wanted, abs(lot.qty))
        if not part:
            left.append(lot)
            continue
        wanted -= part
        signed = part.copy_sign(lot.qty)
        cost = cost_of_part(lot.cost, part, of=abs(lot.qty))
        taken.append(replace(lot, qty=signed, cost=cost))
        left.append(replace(lot, qty=lot.qty - signed, cost=lot.cost - cost))
    if wanted:
        raise AlphintraError("LOTS_SHORT", f"{wanted} more than the lots hold is to be taken", pointer="/qty")
    return Taking(tuple(left), tuple(taken))


def apply_to_lots(
    lots: Sequence[Lot], side: Side, *, qty: Decimal, price: Decimal, opened: Lot
) -> tuple[tuple[Lot, ...], tuple[LotClose, ...]]:
    """Fold one fill into a position's lots; return all of them, closed ones included, and what it closed.

    Crossing zero closes every lot and opens one with the rest. Exact: the proceeds of the parts add up to the amount
    traded, so that profit by lots and profit by average differ by no more than what is still held explains:
    ``realized - cost`` over all fills is the same for both.

    Args:
        lots: open lots of the position, oldest first, at least as many as the fill may close.
        side: of the fill.
        qty: above zero.
        price: above zero.
        opened: number, time and execution of the lot the fill opens if it opens one; its amounts are ignored.

    Raises:
        AlphintraError: QTY_NOT_POSITIVE or NUMBER_* for an impossible quantity or price.
    """
    require_positive(qty, pointer="/qty")
    require_positive(price, pointer="/price")
    direction = 1 if side is Side.BUY else -1
    held = sum((abs(lot.qty) for lot in lots if lot.qty * direction < 0), _ZERO)
    closed = min(qty, held)
    closes: list[LotClose] = []
    after = tuple(lots)
    if closed:
        taking = take_lots(lots, closed)
        after = taking.lots
        done = _ZERO
        for part in taking.taken:
            amount = notional(done + abs(part.qty), price) - notional(done, price)
            done += abs(part.qty)
            closes.append(LotClose(part.number, part.qty, part.cost, -direction * amount, part.opened_at))
    if qty > closed:
        amount = notional(qty, price) - notional(closed, price)
        after = (*after, replace(opened, qty=direction * (qty - closed), cost=direction * amount))
    return after, tuple(closes)


def scaled_quantities(quantities: Sequence[Decimal], *, numerator: int, denominator: int) -> tuple[Decimal, ...]:
    """Multiply quantities by a split's ratio so that they add up to the scaled sum, rounded to nine decimals.

    Each is rounded where the running sum is, so that no rounding is lost between the parts and the whole.
    """
    scaled, exact_before, before = [], _ZERO, _ZERO
    for qty in quantities:
        exact_before += qty
        through = _WIDE.divide(_WIDE.multiply(exact_before, Decimal(numerator)), Decimal(denominator))
        rounded = through.quantize(_QUANTUM, context=_WIDE)
        scaled.append(rounded - before)
        before = rounded
    return tuple(scaled)
