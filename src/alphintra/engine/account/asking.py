"""What an account asks for at a close: the one place where signals and a book become an order."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Context, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from alphintra.engine.account.columns import AddingColumns, Columns
from alphintra.engine.account.rules import AccountRules, Bound, Size
from alphintra.engine.intents import Intent, Outcome
from alphintra.engine.protection import Level, Protection
from alphintra.engine.ticks import limit_on_tick, stop_on_tick, trail_on_tick
from alphintra.kernel.money import PRICE_QUANTUM
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from alphintra.engine.graph.values import StateView

__all__ = ["Asked", "ask", "expected_levels", "leaving", "level_amount", "order_at", "quantity", "share_amount"]

_WIDE = Context(prec=60)
_HUNDRED = Decimal(100)
_SHARES = 1e11  # percent, to a billionth of one
_SHARE_MAX = 1e3
_UNITS = 1e6
_ENTRY = 1
_REASONS = {1: "entry", 2: "exit", 3: "time"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is decided at one close: the outcome and the order, if there is one."""

    outcome: Outcome
    intent: Intent | None = None


def level_amount(value: float) -> Decimal | None:
    """Return a price or distance a node computed as the books have it: in millionths, half to even.

    None where it is unknown, or nothing is left of it. The product is the float's, so that a compiled run has the same.
    """
    if not math.isfinite(value) or (units := round(value * _UNITS)) <= 0:
        return None
    return units * PRICE_QUANTUM


def share_amount(target: float, observed: float) -> Decimal | None:
    """Return a share of equity in percent to a billionth: the target over what is observed, at most a thousandfold."""
    if not math.isfinite(observed) or observed <= 0.0:
        return None
    return Decimal(round(min(target / observed, _SHARE_MAX) * _SHARES)).scaleb(-9)


def ask(rules: AccountRules, columns: Columns, index: int, *, view: StateView, close: Decimal) -> Asked:
    """Decide what the account does at a close: exits before entries, one order at a time, entries only when flat."""
    is_leaving, entry = float(columns.leave[index]) > 0.0, float(columns.entry[index])
    is_asked = entry != 0.0 and not math.isnan(entry)
    is_canceling = bool(columns.cancel.size) and float(columns.cancel[index]) > 0.0
    if is_canceling and view.is_entry_working and not (view.qty and is_leaving):
        return Asked(Outcome.ENTRY_CANCELED)
    if view.qty:
        asked = _held(rules, view, is_leaving=is_leaving, is_asked=is_asked)
        is_adding = bool(columns.add.size) and float(columns.add[index]) > 0.0
        return _added(rules, columns, index, view, close) if is_adding and asked.intent is None else asked
    if is_leaving and view.is_entry_working and not rules.pricing.is_market:
        return Asked(Outcome.ENTRY_CANCELED)
    if not is_asked:
        return Asked(Outcome.BLOCKED_NO_POSITION if is_leaving else Outcome.NO_SIGNAL)
    return (
        Asked(Outcome.BLOCKED_ORDER_WORKING) if view.is_order_working else _entered(rules, columns, index, view, close)
    )


def _added(rules: AccountRules, columns: Columns, index: int, view: StateView, close: Decimal) -> Asked:
    """Ask for one more entry of the position, unless it has as many as it may."""
    if view.is_order_working:
        return Asked(Outcome.BLOCKED_ORDER_WORKING)
    if not isinstance(columns, AddingColumns) or view.entries >= rules.entries_max:
        return Asked(Outcome.BLOCKED_IN_POSITION)
    return _entered(rules, columns.long if view.qty > 0 else columns.short, index, view, close)


def _entered(rules: AccountRules, columns: Columns, index: int, view: StateView, close: Decimal) -> Asked:
    """Ask for a position, unless its size, its exits or its price are not known."""
    qty = quantity(rules, columns, index, equity=view.equity, close=close)
    if qty <= 0:
        return Asked(Outcome.BLOCKED_ZERO_QUANTITY)
    protection = _protection(rules, columns, index)
    if rules.is_guarded and protection is None:
        return Asked(Outcome.BLOCKED_NO_PROTECTION)
    intent = _intent(Side.BUY if columns.entry[index] > 0 else Side.SELL, qty, "entry", protection)
    priced = _priced(intent, rules, columns, index)
    if priced is None:
        return Asked(Outcome.BLOCKED_NO_PRICE)
    if (blocked := _blocked_by_exits(priced, close)) is not None:
        return Asked(blocked)
    return Asked(Outcome.INTENT, _on_ticks(priced, rules.tick))


def _on_ticks(intent: Intent, tick: Decimal | None) -> Intent:
    """Return an entry with its prices in whole ticks of its symbol; so will those of the exits be that it brings."""
    if tick is None:
        return intent
    protection = intent.protection
    if protection is not None:
        side = Side.SELL if intent.side is Side.BUY else Side.BUY
        stop, target, trail = protection.stop, protection.target, protection.trail
        if stop is not None and stop.is_price:
            stop = replace(stop, amount=stop_on_tick(stop.amount, tick, side))
        if target is not None and target.is_price:
            target = replace(target, amount=limit_on_tick(target.amount, tick, side))
        protection = replace(protection, stop=stop, target=target, trail=_trail_on_tick(trail, tick), tick=tick)
    limit, trigger = intent.limit_price, intent.stop_price
    return replace(
        intent,
        protection=protection,
        limit_price=None if limit is None else limit_on_tick(limit, tick, intent.side),
        stop_price=None if trigger is None else stop_on_tick(trigger, tick, intent.side),
    )


def _trail_on_tick(trail: Level | None, tick: Decimal) -> Level | None:
    if trail is None or not trail.is_distance:
        return trail
    return replace(trail, amount=trail_on_tick(trail.amount, tick))


def expected_levels(entry: Intent, close: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Return where stop and target will lie if an entry fills at the price it waits for, else at the close."""
    if entry.protection is None:
        return None, None
    return entry.protection.levels(entry.side, entry.limit_price or entry.stop_price or close)


def _blocked_by_exits(entry: Intent, close: Decimal) -> Outcome | None:
    """Return why the exits of an entry cannot be placed as things stand; None where they can.

    The stop has to lie on the losing side of limit and target, and the target on the gaining side.
    """
    if entry.protection is None:
        return None
    stop, target = expected_levels(entry, close)
    if (stop is None) is not (entry.protection.stop is None) or (target is None) is not (
        entry.protection.target is None
    ):
        return Outcome.BLOCKED_NO_PROTECTION
    known = [price for price in (stop, entry.limit_price, target) if price is not None]
    is_in_order = all(low < high if entry.side is Side.BUY else low > high for low, high in pairwise(known))
    return None if is_in_order else Outcome.BLOCKED_EXIT_SIDE


def _held(rules: AccountRules, view: StateView, *, is_leaving: bool, is_asked: bool) -> Asked:
    """Decide while a position is held: it is left by a rule, or because its time is over."""
    if is_leaving:
        return _left(view, "exit")
    if rules.bars_max is not None and view.bars_held >= rules.bars_max:
        return _left(view, "time")
    return Asked(Outcome.BLOCKED_IN_POSITION if is_asked else Outcome.NO_SIGNAL)


def order_at(rules: AccountRules, columns: Columns, index: int, *, qty: Decimal, reason: int) -> Intent:
    """Return the intent of an order of signed quantity; ``reason`` 1 enters, 2 leaves, 3 is out of time."""
    protection = _protection(rules, columns, index) if reason == _ENTRY else None
    intent = _intent(Side.BUY if qty > 0 else Side.SELL, abs(qty), _REASONS[reason], protection)
    return (_priced(intent, rules, columns, index) or intent) if reason == _ENTRY else intent


def leaving(view: StateView, reason: str, *, tag: str = "") -> Intent:
    """Return the intent that closes what a book holds."""
    intent = _intent(Side.SELL if view.qty > 0 else Side.BUY, abs(view.qty), reason, None)
    return replace(intent, tag=tag) if tag else intent


def _left(view: StateView, reason: str) -> Asked:
    if view.is_order_working and not view.is_entry_working:
        return Asked(Outcome.BLOCKED_ORDER_WORKING)
    return Asked(Outcome.INTENT, leaving(view, reason))


def _priced(intent: Intent, rules: AccountRules, columns: Columns, index: int) -> Intent | None:
    """Return an entry with its prices, None where one of them is not known."""
    pricing = rules.pricing
    if pricing.is_market:
        return intent
    limit = level_amount(float(columns.limit[index])) if pricing.has_limit else None
    stop = level_amount(float(columns.trigger[index])) if pricing.has_trigger else None
    if (limit is None) is pricing.has_limit or (stop is None) is pricing.has_trigger:
        return None
    return replace(
        intent,
        order_type=pricing.kind,
        time_in_force=pricing.time_in_force,
        limit_price=limit,
        stop_price=stop,
        bars_max=pricing.bars,
    )


def _intent(side: Side, qty: Decimal, reason: str, protection: Protection | None) -> Intent:
    return Intent(
        index=0,
        node="",
        side=side,
        qty=qty,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        reason=reason,
        tag=reason,
        protection=protection,
    )


def quantity(rules: AccountRules, columns: Columns, index: int, *, equity: Decimal, close: Decimal) -> Decimal:
    """Return what an entry orders, whole lots; zero where its column does not say."""
    sizing, equity = rules.sizing, max(equity, Decimal(0))
    most = None if sizing.most is None else _lots(equity, sizing.most, price=close, lot=rules.lot)
    match sizing.kind:
        case Size.FIXED_QTY:
            qty = _WIDE.divide(sizing.number, rules.lot).to_integral_value(rounding=ROUND_FLOOR) * rules.lot
        case Size.FIXED_NOTIONAL:
            qty = _lots(sizing.number, _HUNDRED, price=close, lot=rules.lot)
        case Size.PERCENT_EQUITY:
            qty = _lots(equity, sizing.number, price=close, lot=rules.lot)
        case Size.RISK:
            distance = level_amount(float(columns.size[index]))
            qty = Decimal(0) if distance is None else _lots(equity, sizing.number, price=distance, lot=rules.lot)
        case _:
            share = share_amount(float(sizing.number), float(columns.size[index]))
            qty = Decimal(0) if share is None else _lots(equity, share, price=close, lot=rules.lot)
    return qty if most is None else min(qty, most)


def _lots(amount: Decimal, percent: Decimal, *, price: Decimal, lot: Decimal) -> Decimal:
    budget = _WIDE.divide(_WIDE.multiply(amount, percent), _HUNDRED)
    return _WIDE.divide(budget, _WIDE.multiply(price, lot)).to_integral_value(rounding=ROUND_FLOOR) * lot


def _protection(rules: AccountRules, columns: Columns, index: int) -> Protection | None:
    """Return the exits an entry brings; None where one that is asked for has no level."""
    if not rules.is_guarded:
        return None
    stop, has_stop = _level(rules.stop, float(columns.stop[index]) if columns.stop.size else math.nan)
    target, has_target = _level(rules.target, float(columns.target[index]) if columns.target.size else math.nan)
    trail, has_trail = _level(rules.trail, float(columns.trail[index]) if columns.trail.size else math.nan)
    chandelier = level_amount(float(columns.chandelier[index])) if rules.has_chandelier else None
    if not (has_stop and has_target and has_trail) or (rules.has_chandelier and chandelier is None):
        return None
    return Protection(
        stop=stop,
        target=target,
        trail=trail,
        chandelier=chandelier,
        break_even=rules.break_even,
        bars_max=rules.bars_max,
    )


def _level(bound: Bound | None, value: float) -> tuple[Level | None, bool]:
    """Return an exit's level, and False where it is asked for and not known."""
    if bound is None:
        return None, True
    amount = level_amount(value) if bound.has_column else bound.number
    return (None, False) if amount is None else (Level(bound.kind, amount), True)
