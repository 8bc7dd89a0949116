"""Whether a venue can work what a strategy may ask for, known before it trades: every reason why not, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.sessions import calendar_of
from alphintra.kernel.vocabulary import OrderClass, OrderType, TimeInForce

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.pretrade.instruments import Instrument
    from alphintra.strategy.domain.sides import Stance

__all__ = ["Offer", "Trade", "misfits", "source_of_venue", "worked_for"]

_LEGS: Final = {
    "StopLoss": (OrderType.STOP,),
    "TakeProfit": (OrderType.LIMIT,),
    "TrailingStop": (OrderType.TRAILING_STOP,),
    "Bracket": (OrderType.STOP, OrderType.LIMIT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a venue works, and what an account there may do."""

    types: frozenset[OrderType]
    times_in_force: frozenset[TimeInForce]
    order_classes: frozenset[OrderClass]
    has_fractional: bool
    has_two_exits: bool
    may_short: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One symbol a strategy is to trade: its specification, its price, and what the account holds of it already."""

    symbol: str
    instrument: Instrument | None
    is_priced: bool
    held: Decimal


def source_of_venue(adapter: str, exchange: str) -> str:
    """Return what sources of live bars of a venue begin with."""
    return f"ccxt:{exchange}" if adapter == "ccxt" else adapter


def misfits(
    plan: Plan, stance: Stance, trades: Sequence[Trade], offer: Offer, *, is_extended: bool, at: datetime
) -> tuple[str, ...]:
    """Return in words everything that keeps a strategy from trading at a venue; nothing where it can.

    Args:
        plan: the strategy.
        stance: which sides it may take.
        trades: what it is to trade.
        offer: of the venue.
        is_extended: whether its feed has bars of outside the regular session.
        at: now.
    """
    steps = {step.node: step for step in plan.steps}
    found = [
        reason
        for step in plan.steps
        if step.type in {"Order", "RebalanceTo", "Algorithm"}
        for reason in _of_order(step, steps, trades, offer)
    ]
    if is_extended and any(not calendar_of(trade.symbol).is_always_open for trade in trades):
        found.append("its feed has bars of outside the regular session, in which a deployment's orders do not trade")
    for trade in trades:
        found += [f"{trade.symbol}: {reason}" for reason in _of_symbol(trade, stance, offer, at=at)]
    return tuple(dict.fromkeys(found))


def _of_order(step: Step, steps: Mapping[str, Step], trades: Sequence[Trade], offer: Offer) -> Iterator[str]:
    """Tell what of one order node the venue does not work."""
    kind = OrderType(str(step.params.get("type", OrderType.MARKET)))
    exits = [steps[node].type for node, _port in step.inputs.get("exit", ()) if steps[node].type in _LEGS]
    legs = [leg for exit_type in exits for leg in _LEGS[exit_type]]
    for wanted in dict.fromkeys((kind, OrderType.MARKET, *legs)):
        if wanted not in offer.types:
            yield f"the venue works no orders of type {wanted} (node {step.node})"
    yield from _of_times(step, trades, offer, has_exits=bool(legs))
    yield from _of_groups(step, legs, offer)
    yield from _of_lots(step, steps, trades, offer)


def _of_times(step: Step, trades: Sequence[Trade], offer: Offer, *, has_exits: bool) -> Iterator[str]:
    asked = TimeInForce(str(step.params.get("tif", TimeInForce.DAY)))
    for trade in trades:
        tif = TimeInForce.GTC if has_exits else worked_for(trade.symbol, asked)
        for each in dict.fromkeys((tif, worked_for(trade.symbol, TimeInForce.DAY))):
            if each not in offer.times_in_force:
                yield f"the venue works no orders with time in force {each} (node {step.node}, {trade.symbol})"


def _of_groups(step: Step, legs: Sequence[OrderType], offer: Offer) -> Iterator[str]:
    needed = OrderClass.SIMPLE if not legs else OrderClass.OTO if len(legs) == 1 else OrderClass.BRACKET
    if needed not in offer.order_classes:
        yield f"the venue works no groups of class {needed}: exits cannot come with the entry (node {step.node})"
    elif len(legs) > 1 and not offer.has_two_exits:
        yield f"the venue works no two exits for one position: keep the stop or the target (node {step.node})"


def _of_lots(step: Step, steps: Mapping[str, Step], trades: Sequence[Trade], offer: Offer) -> Iterator[str]:
    lot = _lot(step, steps)
    if lot is not None and lot % 1 and not offer.has_fractional:
        yield f"the venue trades whole quantities, and the lot is {lot:f} (node {step.node})"
    for trade in trades:
        spec = trade.instrument
        if lot is not None and spec is not None and spec.lot is not None and lot % spec.lot:
            yield f"{trade.symbol} is traded in lots of {spec.lot:f}, and the lot is {lot:f} (node {step.node})"


def worked_for(symbol: str, asked: TimeInForce) -> TimeInForce:
    """Return how long an order works at a live venue; those of pairs, which always trade, know no orders of the day."""
    is_endless = asked is TimeInForce.DAY and calendar_of(symbol).is_always_open
    return TimeInForce.GTC if is_endless else asked


def _lot(step: Step, steps: Mapping[str, Step]) -> Decimal | None:
    """Return what quantities of an order node are whole multiples of; None where nothing says."""
    own = step.params.get("lot")
    sized = [steps[node].params.get("lot") for node, _port in step.inputs.get("size", ())]
    found = own if own is not None else next((lot for lot in sized if lot is not None), None)
    return None if found is None else Decimal(str(found))


def _of_symbol(trade: Trade, stance: Stance, offer: Offer, *, at: datetime) -> Iterator[str]:
    """Tell what keeps a symbol from being traded there."""
    spec = trade.instrument
    if not trade.is_priced:
        yield "risk has no price of it for this account: let its connection or its feed carry it"
    if spec is not None and spec.is_halted:
        yield "its trading is halted"
    if spec is not None and spec.expires_at is not None and spec.expires_at <= at:
        yield f"it expired at {spec.expires_at:%Y-%m-%d %H:%M}"
    if stance.may_short:
        if not offer.may_short:
            yield "the strategy may sell short, and the limits of the account do not allow it"
        elif calendar_of(trade.symbol).is_always_open:
            yield "the strategy may sell short, and a pair cannot be borrowed at this venue"
        elif spec is not None and not spec.is_shortable:
            yield "the strategy may sell short, and it cannot be borrowed"
    if (stance.may_short and trade.held > 0) or (stance.may_long and trade.held < 0):
        yield f"the account holds {trade.held:f} otherwise, and orders on the other side would take of that"
