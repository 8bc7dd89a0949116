"""Everything kept of one symbol in one book: the position, its lots, and the trade that is under way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.lots import Lot, LotClose, apply_to_lots, scaled_quantities, take_lots
from alphintra.engine.portfolio import FLAT, Position, apply_fill, cost_of_part, notional
from alphintra.engine.trades import OpenTrade, Trade, TradeFill, fold_trade
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import plain, require_finite, require_positive
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "NOTHING_HELD",
    "Fill",
    "Filled",
    "Finished",
    "Holding",
    "Moved",
    "fill_holding",
    "move_holding",
    "split_holding",
]

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, as the books see it; ``fee`` is negative where the venue pays a rebate."""

    execution_id: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    executed_at: datetime


@dataclass(frozen=True, slots=True)
class Holding:
    """What one book holds of one symbol.

    Args:
        position: by weighted average.
        fees: of all its fills so far.
        lots: open lots, oldest first.
        lots_opened: number of the newest lot.
        trade: the round trip that is under way; None while flat.
        trades_opened: number of the newest trade.
    """

    position: Position = FLAT
    fees: Decimal = _ZERO
    lots: tuple[Lot, ...] = ()
    lots_opened: int = 0
    trade: OpenTrade | None = None
    trades_opened: int = 0


NOTHING_HELD = Holding()


@dataclass(frozen=True, slots=True)
class Finished:
    """A trade that a fill closed, its number, and the exact amounts behind its average prices."""

    number: int
    trade: Trade
    entry_amount: Decimal
    exit_amount: Decimal


@dataclass(frozen=True, slots=True)
class Filled:
    """What a fill did to a holding.

    Args:
        holding: after the fill.
        realized: profit it booked by weighted average, before fees.
        changed: lots it opened or took from, as they are now; closed ones with a quantity of zero.
        closes: parts of lots it closed, oldest first.
        finished: the trade it closed, if it made the book flat or crossed zero.
    """

    holding: Holding
    realized: Decimal
    changed: tuple[Lot, ...]
    closes: tuple[LotClose, ...]
    finished: Finished | None


def fill_holding(holding: Holding, fill: Fill) -> Filled:
    """Fold one fill into a holding. Raises QTY_NOT_POSITIVE or NUMBER_* for impossible amounts."""
    require_finite(fill.fee, pointer="/fee")
    before = holding.position
    position, realized = apply_fill(before, fill.side, qty=fill.qty, price=fill.price)
    fresh = Lot(holding.lots_opened + 1, _ZERO, _ZERO, fill.executed_at, fill.execution_id)
    lots, closes = apply_to_lots(holding.lots, fill.side, qty=fill.qty, price=fill.price, opened=fresh)
    told = TradeFill(
        ts=fill.executed_at,
        bar_index=0,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        fee=fill.fee,
        realized=realized,
        held_before=before.qty,
    )
    trade, finished = fold_trade(holding.trade, told)
    is_opened = trade is not None and (holding.trade is None or finished is not None)
    after = Holding(
        position=position,
        fees=holding.fees + fill.fee,
        lots=tuple(lot for lot in lots if lot.qty),
        lots_opened=max([holding.lots_opened, *(lot.number for lot in lots)]),
        trade=trade,
        trades_opened=holding.trades_opened + is_opened,
    )
    known = {lot.number: lot for lot in holding.lots}
    changed = tuple(lot for lot in lots if known.get(lot.number) != lot)
    return Filled(after, realized, changed, closes, _finished(holding, fill, finished))


@dataclass(frozen=True, slots=True)
class Moved:
    """A part of a holding on its way from one book to another, at cost: no profit is booked by either."""

    source: Holding
    target: Holding
    qty: Decimal
    cost: Decimal
    source_lots: tuple[Lot, ...]
    target_lots: tuple[Lot, ...]


def move_holding(source: Holding, target: Holding, *, qty: Decimal, at: datetime) -> Moved:
    """Move a quantity, above zero, with its average cost and its oldest lots, from one book to another.

    Raises TRANSFER_QTY where the source holds less, TRANSFER_OPPOSITE where the target holds the other sign: a profit
    would come of it, so a price is needed; QTY_NOT_POSITIVE or NUMBER_*.
    """
    require_positive(qty, pointer="/qty")
    held = source.position.qty
    if qty > abs(held):
        raise AlphintraError("TRANSFER_QTY", f"the book holds {plain(abs(held)):f}, not {plain(qty):f}", pointer="/qty")
    if held * target.position.qty < 0:
        message = "the receiving book holds the other side: name a price at which the two meet"
        raise AlphintraError("TRANSFER_OPPOSITE", message, pointer="/price")
    signed = qty.copy_sign(held)
    cost = cost_of_part(source.position.cost, qty, of=abs(held))
    taking = take_lots(source.lots, qty)
    numbers = range(target.lots_opened + 1, target.lots_opened + 1 + len(taking.taken))
    arrived = tuple(replace(lot, number=number) for number, lot in zip(numbers, taking.taken, strict=True))
    left = replace(source.position, qty=held - signed, cost=source.position.cost - cost)
    grown = replace(target.position, qty=target.position.qty + signed, cost=target.position.cost + cost)
    given = replace(source, position=left, lots=tuple(lot for lot in taking.lots if lot.qty), trade=_given(source, qty))
    opened = 0 if target.trade else 1
    taken = replace(
        target,
        position=grown,
        lots=(*target.lots, *arrived),
        lots_opened=target.lots_opened + len(arrived),
        trade=_received(target, signed, cost, at),
        trades_opened=target.trades_opened + opened,
    )
    known = {lot.number: lot for lot in source.lots}
    changed = tuple(lot for lot in taking.lots if known[lot.number] != lot)
    return Moved(given, taken, signed, cost, changed, arrived)


def split_holding(holding: Holding, *, numerator: int, denominator: int) -> Holding:
    """Return the holding after a split of ``numerator`` new for ``denominator`` old: other quantities, the same cost.

    Quantities are rounded to nine decimals, so that what is left of a share stays held: no cash changes hands and the
    profit is zero.
    """
    (qty,) = scaled_quantities((holding.position.qty,), numerator=numerator, denominator=denominator)
    parts = scaled_quantities([lot.qty for lot in holding.lots], numerator=numerator, denominator=denominator)
    trade = holding.trade
    if trade is not None:
        (entered,) = scaled_quantities((trade.entry_qty,), numerator=numerator, denominator=denominator)
        trade = replace(trade, entry_qty=entered)
    lots = tuple(replace(lot, qty=part) for lot, part in zip(holding.lots, parts, strict=True))
    return replace(holding, position=replace(holding.position, qty=qty), lots=lots, trade=trade)


def _finished(before: Holding, fill: Fill, trade: Trade | None) -> Finished | None:
    if trade is None or before.trade is None:
        return None
    last = notional(min(fill.qty, abs(before.position.qty)), fill.price)
    return Finished(before.trades_opened, trade, before.trade.entry_amount, before.trade.exit_amount + last)


def _given(source: Holding, qty: Decimal) -> OpenTrade | None:
    """Return the giver's trade: what is given away was never entered; None once nothing is left."""
    trade, held = source.trade, abs(source.position.qty)
    if trade is None or qty == held:
        return None
    part = cost_of_part(trade.entry_amount, qty, of=trade.entry_qty)
    return replace(trade, entry_qty=trade.entry_qty - qty, entry_amount=trade.entry_amount - part)


def _received(target: Holding, signed: Decimal, cost: Decimal, at: datetime) -> OpenTrade:
    trade = target.trade or OpenTrade(at, 0, Side.BUY if signed > 0 else Side.SELL, "")
    return replace(trade, entry_qty=trade.entry_qty + abs(signed), entry_amount=trade.entry_amount + abs(cost))
