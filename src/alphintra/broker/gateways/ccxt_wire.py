"""Ccxt's unified words: what it gives, read strictly, and what it is given. Amounts are Decimal on both sides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from alphintra.broker.domain.reports import VenueFill, VenueOrder, VenueState
from alphintra.broker.gateways.venue import Refused, VenueError
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import AMOUNT_PLACES, require_finite
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from alphintra.contracts.approval import OrderTerms

__all__ = [
    "amount",
    "check_terms",
    "fill_of",
    "is_ours",
    "order_call",
    "order_of",
    "placed_order",
    "positions_of",
    "protocol_error",
    "total_of",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATES: Final = {
    "open": VenueState.WORKING,
    "canceling": VenueState.PENDING,
    "canceled": VenueState.CANCELED,
    "cancelled": VenueState.CANCELED,
    "expired": VenueState.EXPIRED,
    "rejected": VenueState.REJECTED,
    "failed": VenueState.REJECTED,
}
_WITH_LIMIT: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_QUANTUM: Final = Decimal(1).scaleb(-AMOUNT_PLACES)
_SHOWN = 60
_ID_DIGITS = re.compile(r"[0-9a-f]{32}")


def protocol_error(detail: str) -> VenueError:
    """Return the error of an answer that cannot be read."""
    return VenueError("VENUE_PROTOCOL", f"the exchange answered with {detail}")


def check_terms(terms: OrderTerms, market: Mapping[str, Any] | None, *, quote: str) -> Refused | None:
    """Return why an exchange would not take an order, or would take another than was meant; None if neither."""
    if market is None or market.get("spot") is not True:
        return Refused("ORDER_UNKNOWN_SYMBOL", f"the exchange has no spot market {terms.symbol}")
    if market.get("quote") != quote:
        reason = f"{terms.symbol} is not quoted in {quote}, in which this account is kept: use another account"
        return Refused("SYMBOL_CURRENCY", reason)
    if market.get("active") is False:
        return Refused("SYMBOL_CLOSED", f"the exchange does not trade {terms.symbol} now")
    return _check_steps(terms, market.get("precision") or {}) or _check_bounds(terms, market.get("limits") or {})


def _check_steps(terms: OrderTerms, precision: Mapping[str, Any]) -> Refused | None:
    """The library cuts what has too many decimals; an order for something else than was asked is refused instead."""
    steps = {
        "qty": precision.get("amount"),
        "limit_price": precision.get("price"),
        "stop_price": precision.get("price"),
    }
    for name, step in steps.items():
        value: Decimal | None = getattr(terms, name)
        if value is not None and step is not None and value % _limit(step) != 0:
            code = "QTY_STEP" if name == "qty" else "PRICE_STEP"
            return Refused(code, f"{name} {value:f} is no multiple of {_limit(step):f}, the step of {terms.symbol}")
    return None


def _check_bounds(terms: OrderTerms, limits: Mapping[str, Any]) -> Refused | None:
    qty, price = terms.qty or Decimal(0), terms.limit_price
    values = {"amount": ("quantity", qty), "cost": ("value", None if price is None else qty * price)}
    for name, (what, value) in values.items():
        least, most = (_bound(limits, name, end) for end in ("min", "max"))
        if value is not None and least is not None and value < least:
            return Refused("QTY_TOO_SMALL", f"{what} {value:f} is below {least:f}, the least of {terms.symbol}")
        if value is not None and most is not None and value > most:
            return Refused("QTY_TOO_LARGE", f"{what} {value:f} is above {most:f}, the most of {terms.symbol}")
    return None


def order_call(terms: OrderTerms, offered: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ccxt's ``create_order``; the venue knows an order by its id's 32 hexadecimal digits.

    ``offered`` is ccxt's description of what the exchange takes with an order.
    """
    params: dict[str, object] = {"clientOrderId": terms.order_id.hex}
    if terms.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}:
        params["timeInForce"] = terms.time_in_force.value.upper()
    if terms.stop_price is not None:
        params["stopLossPrice" if offered.get("stopLossPrice") else "triggerPrice"] = f"{terms.stop_price:f}"
    if terms.trail_price is not None:
        params["trailingAmount"] = f"{terms.trail_price:f}"
    if terms.trail_percent is not None:
        params["trailingPercent"] = f"{terms.trail_percent:f}"
    return {
        "symbol": terms.symbol,
        "type": "limit" if terms.type in _WITH_LIMIT else "market",
        "side": terms.side.value,
        "amount": f"{terms.qty or Decimal(0):f}",
        "price": None if terms.limit_price is None else f"{terms.limit_price:f}",
        "params": params,
    }


def placed_order(data: Any, terms: OrderTerms) -> VenueOrder:  # noqa: ANN401 - a structure of the library
    """Read the answer to an order, of which many exchanges say nothing but the id. Raises VENUE_PROTOCOL."""
    return VenueOrder(
        venue_order_id=_text(data, "id"),
        client_order_id=terms.order_id.hex,
        symbol=terms.symbol,
        state=VenueState.PENDING,
        word="taken",
        filled_qty=Decimal(0),
    )


def order_of(data: Any) -> VenueOrder:  # noqa: ANN401 - a structure of the library
    """Read an order. Raises VENUE_PROTOCOL."""
    word = _text(data, "status")
    filled = Decimal(0) if data.get("filled") is None else amount(data["filled"], "filled")
    state = _STATES.get(word, VenueState.UNCLEAR)
    if word == "closed":
        whole = data.get("amount")
        is_short = whole is not None and filled < amount(whole, "amount")
        state = VenueState.CANCELED if is_short else VenueState.FILLED
    return VenueOrder(
        venue_order_id=_text(data, "id"),
        client_order_id=str(data.get("clientOrderId") or "").replace("-", ""),
        symbol=_text(data, "symbol"),
        state=state,
        word=word,
        filled_qty=filled,
    )


def is_ours(client_order_id: str) -> bool:
    """Tell whether an id is one that our orders are sent under."""
    return _ID_DIGITS.fullmatch(client_order_id) is not None


def fill_of(data: Any, *, quote: str) -> VenueFill:  # noqa: ANN401 - a structure of the library
    """Read an execution. Raises VENUE_PROTOCOL.

    A fee is charged in the account's currency, or kept of what was traded; one in a third currency moves neither.
    """
    symbol = _text(data, "symbol")
    base = symbol.partition("/")[0]
    fees = _fees(data)
    return VenueFill(
        execution_id=_text(data, "id"),
        venue_order_id=_text(data, "order"),
        client_order_id="",
        symbol=symbol,
        side=_side(data),
        qty=_positive(data, "amount"),
        price=_positive(data, "price"),
        fee=fees.get(quote, Decimal(0)),
        executed_at=_moment(data),
        fee_qty=max(fees.get(base, Decimal(0)), Decimal(0)),
        foreign_fee=next((name for name, cost in fees.items() if cost and name not in {base, quote}), ""),
    )


def positions_of(balances: Any, markets: Mapping[str, Any], *, quote: str) -> dict[str, Decimal]:  # noqa: ANN401 - as above
    """Read what is held of everything that is traded against the account's currency. Raises VENUE_PROTOCOL."""
    totals = balances.get("total") if isinstance(balances, Mapping) else None
    if not isinstance(totals, Mapping):
        raise protocol_error("no balances")
    held: dict[str, Decimal] = {}
    for currency, total in totals.items():
        symbol = f"{currency}/{quote}"
        if currency != quote and symbol in markets and total is not None:
            held[symbol] = amount(total, currency)
    return {symbol: qty for symbol, qty in held.items() if qty}


def total_of(balances: Any, currency: str) -> Decimal:  # noqa: ANN401 - a structure of the library
    """Read how much of a currency there is, bound in orders or not. Raises VENUE_PROTOCOL."""
    totals = balances.get("total") if isinstance(balances, Mapping) else None
    if not isinstance(totals, Mapping):
        raise protocol_error("no balances")
    return Decimal(0) if totals.get(currency) is None else amount(totals[currency], currency)


def amount(value: object, name: str) -> Decimal:
    """Read a text, cut to nine decimals, which is as far as anything here counts. Raises VENUE_PROTOCOL."""
    try:
        exact = Decimal(str(value))
        cut = exact if not exact.is_finite() else exact.quantize(_QUANTUM)
        return require_finite(cut)
    except (InvalidOperation, ValueError, AlphintraError) as error:
        raise protocol_error(f"{name} {str(value)[:_SHOWN]!r}, which is no number") from error


def _fees(data: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return what was taken, by currency."""
    taken: dict[str, Decimal] = {}
    for fee in data.get("fees") or [data.get("fee")]:
        if isinstance(fee, Mapping) and fee.get("cost") is not None:
            currency = str(fee.get("currency"))
            taken[currency] = taken.get(currency, Decimal(0)) + amount(fee["cost"], "fee")
    return taken


def _limit(value: object) -> Decimal:
    return Decimal(str(value))


def _bound(limits: Mapping[str, Any], name: str, end: str) -> Decimal | None:
    value = (limits.get(name) or {}).get(end)
    return None if value is None else _limit(value)


def _text(data: Any, name: str) -> str:  # noqa: ANN401 - a structure of the library
    value = data.get(name) if isinstance(data, Mapping) else None
    if not isinstance(value, str) or not value:
        raise protocol_error(f"no {name}")
    return value


def _positive(data: Any, name: str) -> Decimal:  # noqa: ANN401 - a structure of the library
    value = amount(data.get(name), name)
    if value <= 0:
        raise protocol_error(f"{name} {str(value)[:_SHOWN]!r} of an execution")
    return value


def _side(data: Any) -> Side:  # noqa: ANN401 - a structure of the library
    word = _text(data, "side")
    if word not in {"buy", "sell"}:
        raise protocol_error(f"the side {word[:_SHOWN]!r}")
    return Side(word)


def _moment(data: Any) -> datetime:  # noqa: ANN401 - a structure of the library
    milliseconds = data.get("timestamp")
    if not isinstance(milliseconds, int):
        raise protocol_error("an execution without its time")
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise protocol_error(f"the time {milliseconds} of an execution") from error
