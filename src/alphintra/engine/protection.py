"""Exits that are placed with an entry and live as long as its position: stop, target, trail, and what moves them.

A guard is the group of exits of one open position (docs/decisions/0012, 0017). They meet a bar from the entry's fill
on, the bar of the entry included; what is told as a distance or in percent is reckoned from the price of that fill. The
first that executes ends the others. Of a stop and a target inside one bar the stop executes, and the execution is
counted as ambiguous. What moves a stop (break-even, chandelier) does so at a close and counts from the next bar on, and
never away from the market.

Other engines let exits meet a bar in other ways (``Intrabar``): their levels are those known before the bar, and the
bar of the entry does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Context, Decimal
from enum import IntEnum
from typing import TYPE_CHECKING

from alphintra.engine.from_fill import exit_price
from alphintra.engine.matching import UNTOUCHED, Met, Moment, OrderTerms, Watch, market_price, meet, trail_level
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.money import round_price
from alphintra.kernel.vocabulary import Intrabar, OrderType, Side

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar

__all__ = ["STOP", "TARGET", "Guard", "GuardExit", "Level", "LevelKind", "Protection", "guarded"]

_WIDE = Context(prec=60)
_HUNDRED, _ONE, _NOTHING = Decimal(100), Decimal(1), Decimal(0)
_OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
_ALWAYS = datetime.min.replace(tzinfo=UTC)  # a child lives from its parent's fill: each bar it is shown may fill it
STOP, TARGET, TRAIL = "stop", "target", "trail"


class LevelKind(IntEnum):
    """How an exit is told: as its price, or by how far it lies from the price at which the entry filled.

    A reward is of a target beside a stop that is a price: so many times as far away, on the other side.
    """

    PRICE = 1
    DISTANCE = 2
    PERCENT = 3
    REWARD = 4


@dataclass(frozen=True, slots=True)
class Level:
    """Where an exit lies; ``amount`` is above zero."""

    kind: LevelKind
    amount: Decimal

    @property
    def is_price(self) -> bool:
        """Tell whether it is known before the entry fills."""
        return self.kind is LevelKind.PRICE

    @property
    def is_distance(self) -> bool:
        """Tell whether it is an amount of money away from the fill."""
        return self.kind is LevelKind.DISTANCE


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
        tick: stop and target are whole multiples of it.
    """

    stop: Level | None = None
    target: Level | None = None
    trail: Level | None = None
    chandelier: Decimal | None = None
    break_even: Decimal | None = None
    bars_max: int | None = None
    tick: Decimal | None = None

    def levels(self, entry: Side, price: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """Return where stop and target of an entry lie that filled at a price; None where there is none.

        A level at which there are no prices any more, zero and below, is none.
        """
        found = (self._at(self.stop, entry, price, leg=STOP), self._at(self.target, entry, price, leg=TARGET))
        return found[0], found[1]

    def reckoned(self, entry: Side, *, leg: str) -> FromFill | None:
        """Return how the price of stop or target follows from that of the fill; None where it does not."""
        level = self.stop if leg == STOP else self.target
        if level is None or level.is_price:
            return None
        is_up = (leg == TARGET) is (entry is Side.BUY)
        amount = level.amount if is_up else -level.amount
        match level.kind:
            case LevelKind.DISTANCE:
                return FromFill(factor=_ONE, offset=amount, tick=self.tick)
            case LevelKind.PERCENT:
                factor = _WIDE.divide(_HUNDRED + amount, _HUNDRED)
                return FromFill(factor=factor, offset=_NOTHING, tick=self.tick)
            case _:
                stop = _NOTHING if self.stop is None else self.stop.amount
                beyond = -_WIDE.multiply(level.amount, stop)
                return FromFill(factor=_ONE + level.amount, offset=beyond, tick=self.tick)

    def _at(self, level: Level | None, entry: Side, price: Decimal, *, leg: str) -> Decimal | None:
        if level is None:
            return None
        side, reckoned = _OPPOSITE[entry], self.reckoned(entry, leg=leg)
        found = level.amount if reckoned is None else exit_price(reckoned, price, side, is_limit=leg == TARGET)
        return found if found > 0 else None


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

    def settled(self, bar: Bar, intrabar: Intrabar) -> Guard:
        """Return the exits after the bar of their entry, where that bar does not count, as other engines have it."""
        if intrabar is Intrabar.BACKTRADER:
            return replace(self, best=bar.close)
        entry = _OPPOSITE[self.side]
        anew = guarded(self.protection, entry, qty=self.qty, price=bar.close, order_id=self.order_id, tag=self.tag)
        return replace(anew, best=bar.close)

    def met_known(self, bar: Bar, *, slippage_bps: Decimal, intrabar: Intrabar) -> tuple[Guard, GuardExit | None]:
        """Let exits whose levels were known before a bar meet it, as other engines do: the stop first, then the target.

        Return what is left of them and the exit that executed; a trail follows highs and lows, or closes, afterwards.
        """
        is_long = self.side is Side.SELL
        leg, level = self._nearest_stop()
        if level is not None and _is_reached(bar.open, level, is_down=is_long):
            return self, GuardExit(leg, market_price(self.side, bar.open, slippage_bps), is_ambiguous=False)
        is_target_met = self.target is not None and _is_reached(
            bar.high if is_long else bar.low, self.target, is_down=not is_long
        )
        if level is not None and _is_reached(bar.low if is_long else bar.high, level, is_down=is_long):
            return self, GuardExit(leg, market_price(self.side, level, slippage_bps), is_ambiguous=is_target_met)
        if self.target is not None and is_target_met:
            price = bar.open if _is_reached(bar.open, self.target, is_down=not is_long) else self.target
            return self, GuardExit(TARGET, price, is_ambiguous=False)
        if intrabar is Intrabar.BACKTRADER:
            return self._followed(bar.close, self.trail), None
        return self._followed(bar.high if is_long else bar.low, self.trail), None

    def _nearest_stop(self) -> tuple[str, Decimal | None]:
        """Return what stops the position first as the market falls (rises, for a short one): stop or trail."""
        terms = next((terms for leg, terms in self._terms() if leg == TRAIL), None)
        if terms is None or self.best is None:
            return STOP, self.stop
        trail = trail_level(terms, self.best)
        is_nearer = self.stop is None or (trail > self.stop if self.side is Side.SELL else trail < self.stop)
        return (TRAIL, trail) if is_nearer else (STOP, self.stop)

    def ratcheted(self, distance: Decimal | None) -> Guard:
        """Return the exits after a close that tells a distance from the best price; None leaves them as they are."""
        if distance is None or self.best is None or self.protection.chandelier is None:
            return self
        return self.tightened(self.best - distance if self.side is Side.SELL else self.best + distance)

    def _after(self, bar: Bar, trail: Watch) -> Guard:
        return self._followed(bar.high if self.side is Side.SELL else bar.low, trail)

    def _followed(self, best: Decimal, trail: Watch) -> Guard:
        is_long = self.side is Side.SELL
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
    stop, target = protection.levels(side, price)
    guard = Guard(
        protection=protection,
        side=_OPPOSITE[side],
        entry_price=price,
        order_id=order_id,
        qty=qty,
        tag=tag,
        stop=stop,
        target=target,
    )
    if protection.chandelier is None:
        return guard
    return guard.tightened(price - protection.chandelier if side is Side.BUY else price + protection.chandelier)


def _is_reached(price: Decimal, level: Decimal, *, is_down: bool) -> bool:
    """Tell whether a price that goes down, or up, has come to a level."""
    return price <= level if is_down else price >= level


def _away(price: Decimal, percent: Decimal, *, is_up: bool) -> Decimal:
    """Return the price moved by a percentage, rounded to a millionth."""
    share = _HUNDRED + percent if is_up else _HUNDRED - percent
    return round_price(_WIDE.divide(_WIDE.multiply(price, share), _HUNDRED))
