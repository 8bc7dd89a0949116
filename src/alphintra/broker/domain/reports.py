"""What a venue reports on an order, and what follows from it.

Reports come twice, late, out of order and altered. Whatever they say: an execution counts once, the filled quantity
never falls, a closed order stays closed, and what does not fit is a finding for a person instead of a silent repair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.money import plain
from alphintra.kernel.vocabulary import Leg, OrderClass, Side

__all__ = [
    "CLOSED",
    "Applied",
    "Finding",
    "LiveOrder",
    "LiveStatus",
    "Tale",
    "VenueFill",
    "VenueOrder",
    "VenueState",
    "apply_fill",
    "apply_state",
]

CLOCK_TOLERANCE = timedelta(seconds=5)


class LiveStatus(StrEnum):
    """State of an order on its way to and at a venue.

    ``sending`` is stored before the venue is called; ``unknown`` is one whose answer was lost; ``review`` waits for a
    person to say whether the venue has it. The exits of a group are ``held`` as long as they are open: what works for
    them at the venue are orders of their own.
    """

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    REVIEW = "review"
    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"


CLOSED = frozenset(
    {LiveStatus.FILLED, LiveStatus.CANCELED, LiveStatus.EXPIRED, LiveStatus.REJECTED, LiveStatus.REPLACED}
)
_UNANSWERED = frozenset({LiveStatus.QUEUED, LiveStatus.SENDING, LiveStatus.UNKNOWN, LiveStatus.REVIEW})


class VenueState(StrEnum):
    """What a venue says an order is, in one vocabulary for all venues; ``unclear`` for a word nobody knows."""

    PENDING = "pending"
    WORKING = "working"
    SUSPENDED = "suspended"
    DONE_FOR_DAY = "done_for_day"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"
    UNCLEAR = "unclear"


class Tale(StrEnum):
    """What other services are told."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    SUSPENDED = "suspended"
    DONE_FOR_DAY = "done_for_day"
    EXECUTED = "executed"


_ENDS = {
    VenueState.CANCELED: (LiveStatus.CANCELED, Tale.CANCELED),
    VenueState.EXPIRED: (LiveStatus.EXPIRED, Tale.EXPIRED),
    VenueState.REJECTED: (LiveStatus.REJECTED, Tale.REJECTED),
    VenueState.REPLACED: (LiveStatus.REPLACED, Tale.REPLACED),
}
_PAUSES = {VenueState.SUSPENDED: Tale.SUSPENDED, VenueState.DONE_FOR_DAY: Tale.DONE_FOR_DAY}


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as the venue describes it.

    Attributes:
        word: the venue's own for the state.
        legs: the orders that the venue keeps together with it, where it shows them.
        replaces: the venue's id of the order whose place it took.
        replaced_by: the venue's id of the order that took its place.
    """

    venue_order_id: str
    client_order_id: str
    symbol: str
    state: VenueState
    word: str
    filled_qty: Decimal
    reason: str = ""
    legs: tuple[VenueOrder, ...] = ()
    replaces: str | None = None
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFill:
    """An execution as the venue describes it.

    Attributes:
        execution_id: the venue's own.
        venue_order_id: which order, in the venue's words.
        client_order_id: the same in ours, empty where the venue does not say.
        symbol: what was traded.
        side: buy or sell.
        qty: quantity of this execution.
        price: price of this execution.
        fee: what was charged, in the account's currency.
        executed_at: when, by the venue's clock.
        cum_qty: what the order had filled in all by then, where the venue says.
        is_final: whether the order is filled with it.
        is_bust: whether the venue takes an earlier execution back.
        fee_qty: what was kept as a fee, beside ``fee``, of what was traded.
        foreign_fee: the currency of a fee that is neither: it is in no book.
    """

    execution_id: str
    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    executed_at: datetime
    cum_qty: Decimal | None = None
    is_final: bool = False
    is_bust: bool = False
    fee_qty: Decimal = Decimal(0)
    foreign_fee: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOrder:
    """An order of ours as far as we know it; ``qty`` is None where it names an amount of money.

    Attributes:
        part_of: the exit of a group that the order works for; others know the exit alone.
        prior_qty: what the orders it took the place of had filled, which counts towards its quantity.
        attempts: how often it was sent; of an exit, 1 once something of it has worked.
        pair_id: the order under whose id this one and others were sent as one, so that the venue itself takes off one
            what another of them fills; None for an order that works alone.
    """

    order_id: OrderId
    account_id: AccountId
    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal | None
    status: LiveStatus
    venue_order_id: str | None
    filled_qty: Decimal
    replaces: OrderId | None = None
    is_cancel_requested: bool = False
    attempts: int = 0
    misses: int = 0
    unknown_since: datetime | None = None
    missed_at: datetime | None = None
    updated_at: datetime | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    leg: Leg = Leg.ENTRY
    group_id: OrderId | None = None
    part_of: OrderId | None = None
    prior_qty: Decimal = Decimal(0)
    pair_id: OrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference between venue and us.

    ``key`` names it among those of the account, so that it is opened once.
    """

    code: str
    key: str
    detail: str
    symbol: str = ""
    order_id: OrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What follows from a report.

    Attributes:
        order: the order afterwards.
        tales: what is told, in order.
        findings: what does not fit.
        fee: of the execution as it is booked.
        is_behind: whether the venue knows of executions that we do not: they are to be asked for.
    """

    order: LiveOrder
    tales: tuple[Tale, ...] = ()
    findings: tuple[Finding, ...] = ()
    fee: Decimal = Decimal(0)
    is_behind: bool = False


def apply_state(order: LiveOrder, report: VenueOrder, *, is_replayed: bool) -> Applied:
    """Return what follows from a venue's description of an order.

    Of a replacement some venues count what the order before it had filled, and some do not: it is left out.

    Args:
        order: ours.
        report: the venue's.
        is_replayed: whether the venue's executions were asked for since: what is still missing then is a finding.
    """
    is_behind = report.filled_qty > order.filled_qty + order.prior_qty
    if report.state is VenueState.UNCLEAR:
        finding = Finding(
            code="VENUE_ENUM_UNKNOWN",
            key=f"{order.order_id}:{report.word}",
            detail=f"the venue calls the order {report.word!r}, a word we do not know: it stays as it is",
            symbol=order.symbol,
            order_id=order.order_id,
        )
        return Applied(order=order, findings=(finding,), is_behind=is_behind)
    findings = (_missing(order, report),) if is_behind and is_replayed else ()
    if order.status in CLOSED:
        return Applied(order=order, findings=findings, is_behind=is_behind)
    known = replace(order, venue_order_id=report.venue_order_id or order.venue_order_id)
    if report.state is VenueState.REJECTED:
        return Applied(order=replace(known, status=LiveStatus.REJECTED), tales=(Tale.REJECTED,), findings=findings)
    known, tales = _acknowledged(known)
    if report.state in _ENDS:
        if is_behind and not is_replayed:
            return Applied(order=known, tales=tales, is_behind=True)
        status, tale = _ENDS[report.state]
        return Applied(order=replace(known, status=status), tales=(*tales, tale), findings=findings)
    if report.state is VenueState.FILLED and is_behind is False:
        known = replace(known, status=LiveStatus.FILLED)
    if report.state in _PAUSES:
        tales = (*tales, _PAUSES[report.state])
    return Applied(order=known, tales=tales, findings=findings, is_behind=is_behind)


def apply_fill(order: LiveOrder, fill: VenueFill, *, pays_rebates: bool, at: datetime) -> Applied:
    """Return what follows from an execution that is not known yet; it is booked whatever state the order is in."""
    filled = order.filled_qty + fill.qty
    total = filled + order.prior_qty
    known, tales = _acknowledged(replace(order, venue_order_id=order.venue_order_id or fill.venue_order_id))
    is_whole = total >= order.qty if order.qty is not None else fill.is_final
    status = LiveStatus.FILLED if is_whole and known.status not in CLOSED else known.status
    findings: list[Finding] = []

    def found(code: str, detail: str) -> None:
        key = f"{fill.execution_id}"
        findings.append(Finding(code=code, key=key, detail=detail, symbol=order.symbol, order_id=order.order_id))

    if order.qty is not None and total > order.qty:
        said = f"the venue filled {plain(total):f} of an order for {plain(order.qty):f}"
        found("OVERFILL", f"{said}: it is booked, the symbol is halted")
    if order.status in CLOSED and order.status is not LiveStatus.FILLED:
        found("LATE_FILL", f"the venue filled {plain(fill.qty):f} after the order was {order.status}: it is booked")
    if fill.executed_at > at + CLOCK_TOLERANCE:
        found("TIME_SKEW", f"the venue dates the execution {fill.executed_at.isoformat()}, in the future")
    fee = fill.fee
    if fee < 0 and not pays_rebates:
        found("FEE_SIGN", f"the venue names a fee of {plain(fee):f} and pays no rebates: it is booked without a fee")
        fee = Decimal(0)
    if fill.foreign_fee:
        findings.append(_foreign_fee(fill))
    return Applied(
        order=replace(known, filled_qty=filled, status=status),
        tales=(*tales, Tale.EXECUTED),
        findings=tuple(findings),
        fee=fee,
        is_behind=fill.cum_qty is not None and fill.cum_qty > total,
    )


def _acknowledged(order: LiveOrder) -> tuple[LiveOrder, tuple[Tale, ...]]:
    if order.status not in _UNANSWERED:
        return order, ()
    return replace(order, status=LiveStatus.WORKING, unknown_since=None), (Tale.ACKNOWLEDGED,)


def _foreign_fee(fill: VenueFill) -> Finding:
    """Return the finding of a fee in a third currency, once for each."""
    detail = (
        f"the venue takes fees in {fill.foreign_fee}, first for execution {fill.execution_id}: they are in no book, "
        "and where the account holds it the position there shrinks by them"
    )
    return Finding(code="FEE_CURRENCY", key=fill.foreign_fee, detail=detail, symbol=fill.symbol)


def _missing(order: LiveOrder, report: VenueOrder) -> Finding:
    return Finding(
        code="EXEC_MISSING",
        key=f"{order.order_id}:{report.filled_qty}",
        detail=f"the venue says {plain(report.filled_qty):f} are filled "
        f"and lists executions for {plain(order.filled_qty):f}",
        symbol=order.symbol,
        order_id=order.order_id,
    )
