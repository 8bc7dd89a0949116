"""Exits that are placed with an entry and live as long as its position: stop, target, trail, and what moves them.

A guard is the group of exits of one open position (docs/decisions/0012, 0017). They meet a bar from the entry's fill
on, the bar of the entry included; the first that executes ends the others. Of a stop and a target inside one bar the
stop executes, and the execution is counted as ambiguous. What moves a stop (break-even, chandelier) does so at a close
and counts from the next bar on, and never away from the market.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Context, Decimal
from enum import IntEnum
from typing import TYPE_CHECKING

from alphintra.engine.matching import UNTOUCHED, Met, Moment, OrderTerms, Watch, meet
from alphintra.kernel.money import round_price
from alphintra.kernel.vocabulary import OrderType, Side

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar

__all__ = ["Guard", "GuardExit", "Level", "LevelKind", "Protection", "guarded"]

_WIDE = Context(prec=60)
_HUNDRED = Decimal(100)
_ALWAYS = datetime.min.replace(tzinfo=UTC)  # a child lives from its parent's fill: each bar it is shown may fill it
STOP, TARGET, TRAIL = "stop", "target", "trail"


class LevelKind(IntEnum):
    """How the distance of an exit is told: as its price, as a distance from the entry's price, or in percent of it."""

    PRICE = 1
    DISTANCE = 2
    PERCENT = 3


@dataclass(frozen=True, slots=True)
class Level:
    """Where an exit lies; ``amount`` is above zero."""

    kind: LevelKind
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The exits an entry brings with it.

    Args:
        stop: sells a long position where the price falls to it.
        target: limit at which the position is closed with a profit.
        trail: distance or percent a stop follows the best price since the fill with.
        chandelier: distance from the highest high since the fill (lowest low of a short position) at the entry's
            close; each later close tells a new one.
        break_even: percent the best price must have gained for the stop to move to the entry's price.
        bars_max: after so many bars the position is left at the next open.
    """

    stop: Level | None = None
    target: Level | None = None
    trail: Level | None = None
    chandelier: Decimal | None = None
    break_even: Decimal | None = None
    bars_max: int | None = None


@dataclass(frozen=True, slots=True)
class GuardExit:
    """An exit that executed: ``leg`` is stop, target or trail; ambiguous if the other one lay in the same bar."""

    leg: str
    price: Decimal
    is_ambiguous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The exits that came with one entry of a position.

    Args:
        protection: what was asked for.
        side: of the exits.
        entry_price: of the fill that opened the position.
        order_id: client order id of the entry.
        qty: of the entry.
        tag: the entry's.
        best: best price since the fill, None before the first bar has been met.
        stop: where the stop lies, None without one.
        target: where the target lies.
        trail: how far the trailing stop has come.
    """

    protection: Protection
    side: Side
    entry_price: Decimal
    order_id: str
    qty: Decimal
    tag: str = ""
    best: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    trail: Watch = UNTOUCHED

    def met(self, bar: Bar, *, slippage_bps: Decimal, since: Moment = Moment.OPEN) -> tuple[Guard, GuardExit | None]:
        """Let the exits meet a bar; return what is left of them and the exit that executed.

        ``since`` is when in the bar they came to work: nothing of it executes before.
        """
        found: list[tuple[Moment, int, Decimal, str, Met]] = []
        trail = self.trail
        for leg, terms in self._terms():
            watch = self.trail if leg == TRAIL else UNTOUCHED
            met = meet(terms, bar, watch=watch, slippage_bps=slippage_bps)
            if met.price is not None and met.level is not None:
                nearest = -met.level if self.side is Side.SELL else met.level
                found.append((max(since, met.moment), int(leg == TARGET), nearest, leg, met))
            if leg == TRAIL:
                trail = met.watch
        if not found:
            return self._after(bar, trail), None
        moment, rank, _, leg, met = min(found, key=lambda item: item[:3])
        others = [item for item in found if item[4].moment is Moment.WITHIN and item[1] != rank]
        is_ambiguous = moment is Moment.WITHIN and bool(others)
        price = met.price if met.price is not None else bar.close
        return self._after(bar, trail), GuardExit(leg, price, is_ambiguous)

    def ratcheted(self, distance: Decimal | None) -> Guard:
        """Return the exits after a close that tells a distance from the best price; None leaves them as they are."""
        if distance is None or self.best is None or self.protection.chandelier is None:
            return self
        return self.tightened(self.best - distance if self.side is Side.SELL else self.best + distance)

    def _after(self, bar: Bar, trail: Watch) -> Guard:
        is_long = self.side is Side.SELL
        best = bar.high if is_long else bar.low
        if self.best is not None:
            best = max(best, self.best) if is_long else min(best, self.best)
        after = replace(self, best=best, trail=trail)
        gain = self.protection.break_even
        if gain is None:
            return after
        goal = _away(self.entry_price, gain, is_up=is_long)
        is_reached = best >= goal if is_long else best <= goal
        return after.tightened(self.entry_price) if is_reached else after

    def tightened(self, level: Decimal) -> Guard:
        """Return the exits with the stop at a level, unless it lies nearer to the market already."""
        if self.side is Side.SELL:
            return self if level <= 0 else replace(self, stop=level if self.stop is None else max(self.stop, level))
        return replace(self, stop=level if self.stop is None else min(self.stop, level))

    def _terms(self) -> list[tuple[str, OrderTerms]]:
        terms = []
        if self.stop is not None:
            terms.append((STOP, OrderTerms(self.side, OrderType.STOP, _ALWAYS, stop_price=self.stop)))
        trail = self.protection.trail
        if trail is not None:
            is_percent = trail.kind is LevelKind.PERCENT
            terms.append(
                (
                    TRAIL,
                    OrderTerms(
                        self.side,
                        OrderType.TRAILING_STOP,
                        _ALWAYS,
                        trail_price=None if is_percent else trail.amount,
                        trail_percent=trail.amount if is_percent else None,
                    ),
                )
            )
        if self.target is not None:
            terms.append((TARGET, OrderTerms(self.side, OrderType.LIMIT, _ALWAYS, limit_price=self.target)))
        return terms


def guarded(protection: Protection, side: Side, *, qty: Decimal, price: Decimal, order_id: str, tag: str = "") -> Guard:
    """Return the exits of what an entry on ``side`` opened at ``price``."""
    is_long = side is Side.BUY
    stop = _level(protection.stop, price, is_up=not is_long)
    guard = Guard(
        protection=protection,
        side=Side.SELL if is_long else Side.BUY,
        entry_price=price,
        order_id=order_id,
        qty=qty,
        tag=tag,
        stop=stop,
        target=_level(protection.target, price, is_up=is_long),
    )
    if protection.chandelier is None:
        return guard
    return guard.tightened(price - protection.chandelier if is_long else price + protection.chandelier)


def _level(level: Level | None, price: Decimal, *, is_up: bool) -> Decimal | None:
    """Return the price of a level; None where there is none or where it is one no price reaches."""
    if level is None:
        return None
    match level.kind:
        case LevelKind.PRICE:
            found = level.amount
        case LevelKind.DISTANCE:
            found = price + level.amount if is_up else price - level.amount
        case LevelKind.PERCENT:
            found = _away(price, level.amount, is_up=is_up)
    return found if found > 0 else None


def _away(price: Decimal, percent: Decimal, *, is_up: bool) -> Decimal:
    """Return the price moved by a percentage, rounded to a millionth."""
    share = _HUNDRED + percent if is_up else _HUNDRED - percent
    return round_price(_WIDE.divide(_WIDE.multiply(price, share), _HUNDRED))
