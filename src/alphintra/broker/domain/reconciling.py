"""What the venue has against what we have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from alphintra.broker.domain.reports import Finding, VenueFill, VenueOrder

__all__ = [
    "BLOCKING",
    "altered",
    "bust",
    "compare_cash",
    "compare_positions",
    "external_execution",
    "external_fill",
    "external_orders",
]

# While one of these is open the account may only reduce: what we think it holds may be wrong.
BLOCKING = frozenset(
    {"EXTERNAL_ORDER", "EXEC_CONFLICT", "EXEC_MISSING", "OVERFILL", "POSITION_DIFF", "ORDER_UNRESOLVED"}
)
_CASH_TOLERANCE = Decimal("0.01")


def compare_positions(ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal]) -> list[Finding]:
    """Return the symbols of which venue and we hold different quantities, in order."""
    findings = []
    for symbol in sorted(ours.keys() | theirs.keys()):
        mine, venue = ours.get(symbol, Decimal(0)), theirs.get(symbol, Decimal(0))
        if mine != venue:
            detail = f"the venue holds {venue:f} {symbol}, our executions add up to {mine:f}"
            key = f"{symbol}:{(venue - mine).normalize():f}"
            findings.append(Finding(code="POSITION_DIFF", key=key, detail=detail, symbol=symbol))
    return findings


def compare_cash(ours: Decimal, theirs: Decimal) -> list[Finding]:
    """Return the difference in cash, if it is above a cent."""
    if abs(ours - theirs) <= _CASH_TOLERANCE:
        return []
    detail = f"the venue has cash of {theirs:f}, starting cash and executions add up to {ours:f}"
    return [Finding(code="CASH_DIFF", key=f"cash:{(theirs - ours).normalize():f}", detail=detail)]


def external_orders(open_orders: Iterable[VenueOrder]) -> list[Finding]:
    """Return orders that work at the venue and are none of ours."""
    return [
        Finding(
            code="EXTERNAL_ORDER",
            key=f"order:{order.venue_order_id}",
            detail=f"the venue works order {order.venue_order_id} on {order.symbol}, which we did not send",
            symbol=order.symbol,
        )
        for order in open_orders
    ]


def external_execution(key: str) -> str | None:
    """Return the id of the execution that a finding of an order that is none of ours tells of; None if of none."""
    kind, _, execution_id = key.partition(":")
    return execution_id if kind == "fill" and execution_id else None


def external_fill(fill: VenueFill) -> Finding:
    """Return the finding of an execution of an order that is none of ours."""
    detail = (
        f"the venue executed {fill.side} {fill.qty:f} {fill.symbol} at {fill.price:f} ({fill.execution_id}) for order "
        f"{fill.venue_order_id}, which we did not send"
    )
    return Finding(code="EXTERNAL_ORDER", key=f"fill:{fill.execution_id}", detail=detail, symbol=fill.symbol)


def altered(known: VenueFill, fill: VenueFill) -> Finding | None:
    """Return the finding of an execution that comes again with other contents, None where they are the same."""
    if (known.side, known.qty, known.price) == (fill.side, fill.qty, fill.price):
        return None
    detail = (
        f"execution {fill.execution_id} was {known.side} {known.qty:f} at {known.price:f} and now is "
        f"{fill.side} {fill.qty:f} at {fill.price:f}: the first stays booked"
    )
    key = f"{fill.execution_id}:{fill.qty.normalize():f}@{fill.price.normalize():f}"
    return Finding(code="EXEC_CONFLICT", key=key, detail=detail, symbol=fill.symbol)


def bust(fill: VenueFill) -> Finding:
    """Return the finding of an execution the venue takes back."""
    detail = f"the venue takes execution {fill.execution_id} of {fill.qty:f} {fill.symbol} at {fill.price:f} back"
    return Finding(code="EXEC_CONFLICT", key=f"bust:{fill.execution_id}", detail=detail, symbol=fill.symbol)
