"""How the state of an order folds over its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from alphintra.engine.portfolio import notional
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import TERMINAL, OrderStatus, Side
from alphintra.trading.domain.orders import Order, OrderEvent, OrderEventKind, Reason

__all__ = ["advance", "executed", "fold", "standing"]

_K, _S = OrderEventKind, OrderStatus
Changes = Mapping[str, Any]
_NOTHING: Final[Changes] = MappingProxyType({})

_ENDS: Final = {
    _K.REFUSED: _S.REJECTED,
    _K.CANCELED: _S.CANCELED,
    _K.EXPIRED: _S.EXPIRED,
    _K.REPLACED: _S.REPLACED,
}
# Where the order stands at the venue after it has said so; None where from any state.
_STANDS: Final[dict[OrderEventKind, tuple[OrderStatus, frozenset[OrderStatus] | None]]] = {
    _K.ACTIVATED: (_S.NEW, frozenset({_S.HELD})),
    _K.ACKNOWLEDGED: (_S.NEW, None),
    _K.ACCEPTED: (_S.ACCEPTED, frozenset({_S.HELD, _S.PENDING_NEW, _S.UNKNOWN})),
    _K.SUSPENDED: (_S.SUSPENDED, None),
    _K.DONE_FOR_DAY: (_S.DONE_FOR_DAY, None),
    _K.UNCERTAIN: (_S.UNKNOWN, None),
}
_REQUESTS: Final = {_K.CANCEL_REQUESTED: _S.PENDING_CANCEL, _K.REPLACE_REQUESTED: _S.PENDING_REPLACE}
_REFUSALS: Final = {_K.CANCEL_REFUSED: _S.PENDING_CANCEL, _K.REPLACE_REFUSED: _S.PENDING_REPLACE}
_PENDING: Final = frozenset(_REQUESTS.values())
# States the order leaves as soon as anything shows that the venue works it.
_UNCONFIRMED: Final = frozenset({_S.HELD, _S.PENDING_NEW, _S.ACCEPTED, _S.UNKNOWN})
_UNSUBMITTED: Final = TERMINAL | {_S.HELD}
_TIMES: Final = {
    _S.FILLED: "filled_at",
    _S.CANCELED: "canceled_at",
    _S.EXPIRED: "expired_at",
    _S.REJECTED: "failed_at",
    _S.REPLACED: "replaced_at",
}


def fold(first: Order, events: Iterable[OrderEvent]) -> Order:
    """Return the order after all events; those that change nothing are passed over."""
    order = first
    for event in events:
        order = advance(order, event) or order
    return order


def advance(order: Order, event: OrderEvent) -> Order | None:
    """Return the order after the event, None where the event changes nothing.

    Terminal states never reopen. A fill is always booked: after a cancel or expiry it counts but does not reopen.
    """
    kind = event.kind
    if kind in {_K.SUBMITTED, _K.DENIED, _K.HELD}:
        message = f"{kind} is the first event of an order, not a later one"
        raise AlphintraError("ORDER_EVENT", message, kind=Kind.BUG)
    event = _no_earlier(order, event)
    if kind is _K.EXECUTED:
        return executed(order, event)
    if kind is _K.CARRIED:
        return _carried(order, event)
    return None if order.status in TERMINAL else _advance_open(order, event)


def _advance_open(order: Order, event: OrderEvent) -> Order | None:
    kind = event.kind
    if kind in _ENDS:
        return _ended(order, _ENDS[kind], event)
    if kind in _STANDS:
        return _stands(order, event)
    if kind in _REQUESTS:
        return _requested(order, _REQUESTS[kind], event)
    if kind in _REFUSALS:
        return _refused(order, _REFUSALS[kind], event)
    return _trailed(order, event) if kind is _K.TRAILED else _triggered(order, event)


def standing(order: Order) -> OrderStatus:
    """Return where an open order stands at the venue, whatever is asked of it meanwhile."""
    status = (order.resumes or _S.NEW) if order.status in _PENDING else order.status
    return _S.NEW if status is _S.PARTIALLY_FILLED else status


def executed(order: Order, event: OrderEvent) -> Order:
    """Return the order after an execution, which always counts."""
    event = _no_earlier(order, event)
    filled = order.filled_qty + event.qty
    grown = replace(
        order,
        filled_qty=filled,
        filled_amount=order.filled_amount + notional(event.qty, event.price),
        final_qty=event.final_qty or order.final_qty,
    )
    wanted = _wanted(grown)
    is_over = wanted is not None and filled > wanted
    if order.status in TERMINAL:
        flag = Reason.OVERFILL if is_over else Reason.LATE_FILL
        return _next(grown, event, code=flag, reason=_FLAGGED[flag])
    if wanted is not None and filled >= wanted:
        code: str = Reason.OVERFILL if is_over else ""
        return _closed(grown, _S.FILLED, event, code=code, reason=_FLAGGED.get(code, ""))
    changes = _at(grown, _confirmed(order, event))
    return _next(grown, event, code=order.reason_code, reason=order.reason, changes=changes)


def _no_earlier(order: Order, event: OrderEvent) -> OrderEvent:
    """Return the event no earlier than what happened before: a clock that is set back must not turn the order round."""
    return event if event.at >= order.updated_at else replace(event, at=order.updated_at)


_FLAGGED: Final[dict[str, str]] = {
    Reason.LATE_FILL: "an execution came after the order was closed; it is booked",
    Reason.OVERFILL: "more was executed than was ordered; it is booked",
}


def _wanted(order: Order) -> Decimal | None:
    """Return what the order fills in all, None while nobody knows."""
    return order.final_qty if order.qty is None else order.qty - order.carried_qty


def _carried(order: Order, event: OrderEvent) -> Order | None:
    """Count what the order before this one had filled; late news of it may complete this one."""
    if event.qty <= order.carried_qty:
        return None
    grown = replace(order, carried_qty=event.qty)
    wanted = _wanted(grown)
    if order.status not in TERMINAL and wanted is not None and order.filled_qty and order.filled_qty >= wanted:
        return _closed(grown, _S.FILLED, event, code="", reason="")
    return _next(grown, event, code=order.reason_code, reason=order.reason)


def _triggered(order: Order, event: OrderEvent) -> Order | None:
    if order.triggered_at is not None:
        return None
    changes = {**_at(order, _confirmed(order, event)), "triggered_at": event.at}
    return _next(order, event, code=order.reason_code, reason=order.reason, changes=changes)


def _trailed(order: Order, event: OrderEvent) -> Order | None:
    """Take a better price a trailing stop has seen, wherever it stands; news that came late says nothing new."""
    if event.hwm is None or (order.hwm is not None and not _is_better(order.side, event.hwm, order.hwm)):
        return None
    return _next(replace(order, hwm=event.hwm), event, code=order.reason_code, reason=order.reason)


def _is_better(side: Side, price: Decimal, than: Decimal) -> bool:
    return price < than if side is Side.BUY else price > than


def _stands(order: Order, event: OrderEvent) -> Order | None:
    if _is_old(order, event):
        return None
    wanted, allowed = _STANDS[event.kind]
    order, is_moved = _priced(order, event)
    before = standing(order)
    if is_moved and (before is wanted or (allowed is not None and before not in allowed)):
        seq = event.seq or order.report_seq
        return _next(order, event, code=order.reason_code, reason=order.reason, changes={"report_seq": seq})
    if before is wanted or (allowed is not None and before not in allowed):
        if event.seq <= order.report_seq:
            return None
        # It says nothing new, but from here on what is older than it says nothing any more.
        return _next(order, event, code=order.reason_code, reason=order.reason, changes={"report_seq": event.seq})
    # What was asked of an order whose state is unknown may not have arrived either: it is to be asked for again.
    at_venue = {"status": wanted, "resumes": None} if wanted is _S.UNKNOWN else _at(order, wanted)
    changes = {**at_venue, "report_seq": event.seq or order.report_seq}
    is_asked = changes.get("status", order.status) in _PENDING
    code, reason = (order.reason_code, order.reason) if is_asked else (event.code, event.reason)
    return _next(order, event, code=code, reason=reason, changes=changes)


def _priced(order: Order, event: OrderEvent) -> tuple[Order, bool]:
    """Return an exit with the price its venue reckoned from the entry's fill, and whether that is news."""
    if order.from_fill is None:
        return order, False
    limit, stop = event.limit_price or order.limit_price, event.stop_price or order.stop_price
    if (limit, stop) == (order.limit_price, order.stop_price):
        return order, False
    return replace(order, limit_price=limit, stop_price=stop), True


def _requested(order: Order, status: OrderStatus, event: OrderEvent) -> Order | None:
    if order.status is status or order.status is _S.PENDING_CANCEL:
        return None
    successor = event.other_order_id or order.replaced_by
    changes = {"status": status, "resumes": standing(order), "replaced_by": successor}
    return _next(order, event, code=event.code, reason=event.reason, changes=changes)


def _refused(order: Order, status: OrderStatus, event: OrderEvent) -> Order | None:
    if order.status is not status:
        return None
    successor = None if status is _S.PENDING_REPLACE else order.replaced_by
    moved = replace(order, status=_S.NEW, resumes=None, replaced_by=successor)
    return _next(moved, event, code=event.code, reason=event.reason, changes=_at(moved, standing(order)))


def _ended(order: Order, status: OrderStatus, event: OrderEvent) -> Order:
    code, reason = event.code, event.reason
    if not code and status is _S.CANCELED:
        was_asked = order.status is _S.PENDING_CANCEL
        code, reason = (order.reason_code, order.reason) if was_asked else (_unasked(order), "")
    if not code and status is _S.EXPIRED:
        code = Reason.TIME_IN_FORCE_ENDED
    successor = event.other_order_id if status is _S.REPLACED else None
    return _closed(order, status, event, code=code, reason=reason, changes={"replaced_by": successor})


def _unasked(order: Order) -> Reason:
    return Reason.CANCELED_BY_VENUE if order.group_id is None else Reason.GROUP_ENDED


def _confirmed(order: Order, event: OrderEvent) -> OrderStatus:
    """Return where the order stands once an event shows that the venue works it, or for an old one that it did."""
    before = standing(order)
    return _S.NEW if before in _UNCONFIRMED and not _is_old(order, event) else before


def _is_old(order: Order, event: OrderEvent) -> bool:
    """Tell whether a later word on where the order stands is known already: this one was delivered behind it."""
    return 0 < event.seq < order.report_seq


def _at(order: Order, stands: OrderStatus) -> Changes:
    """Return what lets the order stand there; a request that is under way stays under way."""
    if order.status in _PENDING:
        return {"resumes": stands}
    return {"status": _S.PARTIALLY_FILLED if stands is _S.NEW and order.filled_qty else stands}


def _closed(
    order: Order, status: OrderStatus, event: OrderEvent, *, code: str, reason: str, changes: Changes = _NOTHING
) -> Order:
    ended = {**changes, "status": status, "resumes": None, _TIMES[status]: event.at}
    return _next(order, event, code=code, reason=reason, changes=ended)


def _next(order: Order, event: OrderEvent, *, code: str, reason: str, changes: Changes = _NOTHING) -> Order:
    """Return the order with all changes of an event, made at once: an order has many fields to copy."""
    submitted = order.submitted_at
    status = changes.get("status", order.status)
    if submitted is None and status not in _UNSUBMITTED and _stood(status, changes.get("resumes", order.resumes)):
        submitted = event.at
    return replace(
        order,
        **changes,
        reason_code=str(code),
        reason=reason,
        submitted_at=submitted,
        version=order.version + 1,
        updated_at=event.at,
    )


def _stood(status: OrderStatus, resumes: OrderStatus | None) -> bool:
    """Tell whether an open order of this status is more than held."""
    return status not in _PENDING or resumes is not _S.HELD
