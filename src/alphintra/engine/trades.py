"""Trades: flat to open to flat is one trade, told from the fills."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.portfolio import cost_of_part, notional
from alphintra.kernel.money import AMOUNT_PLACES
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["OpenTrade", "Trade", "TradeFill", "fold_trade"]

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class TradeFill:
    """What a trade must know of a fill.

    Args:
        ts: time of the bar that filled.
        bar_index: its place in the run, for durations in bars.
        side: buy or sell.
        qty: above zero.
        price: fill price.
        fee: fee of the whole fill.
        realized: profit this fill booked, before fees.
        held_before: signed position before the fill.
        tag: label of the rule that asked for it.
    """

    ts: datetime
    bar_index: int
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    realized: Decimal
    held_before: Decimal
    tag: str = ""


@dataclass(frozen=True, slots=True)
class OpenTrade:
    """A trade whose position is not flat yet; amounts are in currency."""

    opened_ts: datetime
    opened_bar: int
    side: Side
    entry_tag: str
    entry_qty: Decimal = _ZERO
    entry_amount: Decimal = _ZERO
    exit_amount: Decimal = _ZERO
    realized: Decimal = _ZERO
    fees: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Trade:
    """A closed trade.

    Args:
        opened_ts: bar of the first fill.
        closed_ts: bar of the fill that made it flat.
        bars: bars from the first to the last fill.
        side: buy for long, sell for short.
        qty: total quantity entered.
        entry_price: average, rounded to nine decimals.
        exit_price: average, rounded to nine decimals.
        gross: profit before fees.
        fees: fees of all its fills.
        net: gross minus fees.
        entry_tag: label of the entry rule.
        exit_tag: label of the exit rule.
    """

    opened_ts: datetime
    closed_ts: datetime
    bars: int
    side: Side
    qty: Decimal
    entry_price: Decimal
    exit_price: Decimal
    gross: Decimal
    fees: Decimal
    net: Decimal
    entry_tag: str
    exit_tag: str


def fold_trade(current: OpenTrade | None, fill: TradeFill) -> tuple[OpenTrade | None, Trade | None]:
    """Fold one fill; return the trade that stays open and the trade it closed.

    A fill that crosses zero closes one trade and opens another, its fee split by quantity.
    """
    direction = 1 if fill.side is Side.BUY else -1
    if current is None or fill.held_before * direction >= 0:
        return _entered(current, fill, fill.qty, fill.fee), None
    closing = min(fill.qty, abs(fill.held_before))
    closing_fee = cost_of_part(fill.fee, closing, of=fill.qty)
    left = replace(
        current,
        exit_amount=current.exit_amount + notional(closing, fill.price),
        realized=current.realized + fill.realized,
        fees=current.fees + closing_fee,
    )
    if closing < abs(fill.held_before):
        return left, None
    rest = fill.qty - closing
    opened = _entered(None, fill, rest, fill.fee - closing_fee) if rest else None
    return opened, _closed(left, fill)


def _entered(current: OpenTrade | None, fill: TradeFill, qty: Decimal, fee: Decimal) -> OpenTrade:
    base = current or OpenTrade(fill.ts, fill.bar_index, fill.side, fill.tag)
    return replace(
        base,
        entry_qty=base.entry_qty + qty,
        entry_amount=base.entry_amount + notional(qty, fill.price),
        fees=base.fees + fee,
    )


def _closed(trade: OpenTrade, fill: TradeFill) -> Trade:
    return Trade(
        opened_ts=trade.opened_ts,
        closed_ts=fill.ts,
        bars=fill.bar_index - trade.opened_bar,
        side=trade.side,
        qty=trade.entry_qty,
        entry_price=round(trade.entry_amount / trade.entry_qty, AMOUNT_PLACES),
        exit_price=round(trade.exit_amount / trade.entry_qty, AMOUNT_PLACES),
        gross=trade.realized,
        fees=trade.fees,
        net=trade.realized - trade.fees,
        entry_tag=trade.entry_tag,
        exit_tag=fill.tag,
    )
