"""What risk asks of orders beyond the controls themselves: groups, renewals, and the record of a decision.

The controls are in ``engine.pretrade``, where backtests find them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from alphintra.engine.pretrade.assessment import RENEWED, WORKING, assess, run
from alphintra.engine.pretrade.cases import Case, finding
from alphintra.engine.pretrade.claims import COLLAR, claim_of
from alphintra.engine.pretrade.orders import SYMBOL, check_order
from alphintra.engine.pretrade.values import EXACT, Claim, plain
from alphintra.risk.domain.books import (
    Book,
    Decision,
    Finding,
    KillState,
    Order,
    Reservation,
    ReservationState,
    Verdict,
)
from alphintra.risk.domain.reservations import added, reserved

__all__ = [
    "APPROVAL_LIFE",
    "COLLAR",
    "HOLD_LIFE",
    "SYMBOL",
    "assess",
    "assess_in_family",
    "check_order",
    "inputs_of",
    "plain",
    "reassess",
    "spent",
]

APPROVAL_LIFE: Final = timedelta(seconds=5)
HOLD_LIFE: Final = timedelta(seconds=60)  # an approval nobody confirmed within this time gives its reservation back
_ZERO = Decimal(0)
_RENEWABLE = {ReservationState.HELD, ReservationState.CONFIRMED}


def assess_in_family(order: Order, book: Book, family: Sequence[Reservation]) -> tuple[Verdict, Reservation | None]:
    """Run every control on an order and return what it would reserve.

    Args:
        order: what is asked for.
        book: with every open order counted.
        family: reservations of the order's group, and of the order it replaces.
    """
    claim = claim_of(order, book.exposure(order.symbol).last_price, book.controls)
    new = None if claim is None else reserved(order, claim, family)
    if claim is not None and new is not None:
        qty, cash = added(new, family)
        if (qty, cash) != (claim.added_qty, claim.added_cash):
            claim = replace(claim, added_qty=qty, added_cash=cash)
    verdict = assess(order, book, claim)
    further = _belonging(order, family)
    return (replace(verdict, findings=(*verdict.findings, *further)) if further else verdict), new


def reassess(order: Order, held: Reservation, book: Book) -> tuple[Finding, ...]:
    """Return what stands against a new approval of an order whose reservation is open and counted in the book.

    Its size was judged once and for all. Until it fills, cash and position are asked again: a reservation that had
    lapsed counts again once trading tells of the order, and what it held may have gone to another order meanwhile.

    Args:
        order: as it was approved.
        held: its reservation.
        book: with the reservation counted.
    """
    whole = book.exposure(order.symbol)
    others = replace(
        book,
        reserved_cash=EXACT.subtract(book.reserved_cash, held.counted_cash),
        exposures={
            **book.exposures,
            order.symbol: whole.claimed(order.side, -held.counted_qty, is_reducing=held.is_reducing),
        },
    )
    claim = Claim(
        price=held.price,
        qty=held.open_qty,
        value=EXACT.multiply(held.open_qty, held.price),
        cash=held.open_cash,
        added_qty=held.counted_qty,
        added_cash=held.counted_cash,
    )
    # What works at the venue already is only looked at for blocks.
    controls = RENEWED if not held.filled_qty else WORKING
    return run(controls, Case(order, claim, others))


def spent(decision: Decision) -> Finding:
    """Return the refusal of an approval whose reservation was used up or given back."""
    state = None if decision.reservation is None else decision.reservation.state
    detail = "the order's reservation is no longer open: place a new order under a new client_order_id"
    observed = "filled" if state in _RENEWABLE else str(state)
    return finding("R11", "RISK_RESERVATION_CLOSED", detail, field="/terms/order_id", limit="open", observed=observed)


def inputs_of(order: Order, book: Book, verdict: Verdict) -> dict[str, object]:
    """Return what a decision was made from, for its record."""
    exposure = book.exposure(order.symbol)
    market = book.market(order.symbol)
    instrument = market.instrument
    further: dict[str, object] = {
        "priced_at": market.priced_at,
        "bid": market.bid,
        "ask": market.ask,
        "instrument_version": None if instrument is None else instrument.version,
        "restriction": market.restriction,
        "is_order_unknown": market.is_order_unknown or None,
        "resting_buy": market.resting_buy,
        "resting_sell": market.resting_sell,
        "market_time": book.at,
        "open_orders": book.open_orders,
        "tokens": book.tokens,
        "is_ratio_high": book.is_ratio_high or None,
        "recent": len(book.recent) or None,
        "latches": [latch.code for latch in book.latches] or None,
        "credits": [[credit.scope, credit.used, credit.most] for credit in book.credits] or None,
        "kills": {scope: state for scope, state in book.kills.items() if state is not KillState.NORMAL} or None,
        "symbol_kill": book.symbol_kills.get(order.symbol),
        "fleet": book.fleet or None,
        "overridden": verdict.overridden or None,
        "venue": book.venue.name,
    }
    return {
        "content": order.content,
        **{name: value for name, value in further.items() if value is not None},
        "cash": book.cash,
        "reserved_cash": book.reserved_cash,
        "position_qty": exposure.position_qty,
        "open_buy_qty": exposure.open_buy_qty,
        "open_sell_qty": exposure.open_sell_qty,
        "close_buy_qty": exposure.close_buy_qty,
        "close_sell_qty": exposure.close_sell_qty,
        "last_price": exposure.last_price,
        "working_price": verdict.price,
        "added_qty": None if verdict.claim is None else verdict.claim.added_qty,
        "added_cash": None if verdict.claim is None else verdict.claim.added_cash,
        "firm_kill": book.firm_kill,
        "account_kill": book.account_kill,
    }


def _belonging(order: Order, family: Sequence[Reservation]) -> tuple[Finding, ...]:
    """Refuse what would let a group or a replaced order do more than once what it was approved for."""
    living = [item for item in family if item.open_qty and item.order_id not in {order.order_id, order.replaces}]
    found = []
    if order.is_exit and any(
        item.group_id == order.group_id and (item.leg is order.leg or item.side is not order.side)
        for item in living
        if item.is_exit
    ):
        detail = "a group has one take-profit and one stop-loss of the same side: replace the one that works"
        found.append(finding("R16", "ORDER_GROUP", detail, field="/terms/leg", limit=1, observed=2))
    if order.replaces is not None:
        before = next((item for item in family if item.order_id == order.replaces), None)
        is_like = before is not None and (before.account_id, before.symbol, before.side, before.is_reducing) == (
            order.account_id,
            order.symbol,
            order.side,
            order.is_reducing,
        )
        rival = any(item.replaces == order.replaces for item in living)
        if before is None or not before.open_qty or not is_like or rival:
            detail = "the order to be replaced is not open, is of another kind, or is being replaced already"
            found.append(
                finding("R11", "ORDER_NOT_REPLACEABLE", detail, field="/terms/replaces", limit="open", observed="")
            )
    return tuple(found)
