"""Alpaca's words: what it sends, read strictly, and what it is sent. Names as in its trading API, version 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.broker.domain.prices import Quote
from alphintra.broker.domain.reports import VenueFill, VenueOrder, VenueState
from alphintra.broker.gateways.venue import VenueError
from alphintra.contracts.venue_views import VenueBarsView, VenueBarView
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import require_finite
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from alphintra.broker.domain.prices import AskedBars
    from alphintra.contracts.approval import OrderTerms

__all__ = [
    "authorization_of",
    "bars_of",
    "bars_query",
    "cash_of",
    "fill_of_activity",
    "order_body",
    "order_of",
    "pair_body",
    "parse",
    "position_of",
    "protocol_error",
    "quote_of",
    "replace_body",
    "reports_of",
]

_STATES = {
    "new": VenueState.WORKING,
    "accepted": VenueState.WORKING,
    "partially_filled": VenueState.WORKING,
    "accepted_for_bidding": VenueState.WORKING,
    "held": VenueState.WORKING,
    "calculated": VenueState.WORKING,
    "stopped": VenueState.WORKING,
    "pending_new": VenueState.PENDING,
    "pending_cancel": VenueState.PENDING,
    "pending_replace": VenueState.PENDING,
    "suspended": VenueState.SUSPENDED,
    "done_for_day": VenueState.DONE_FOR_DAY,
    "filled": VenueState.FILLED,
    "canceled": VenueState.CANCELED,
    "expired": VenueState.EXPIRED,
    "rejected": VenueState.REJECTED,
    "replaced": VenueState.REPLACED,
}
_FILLS = frozenset({"fill", "partial_fill"})
_SHOWN = 60
BARS_MAX = 2000  # an answer of so many stays below a message of the bus
_HOUR, _DAY = 60, 1440


def protocol_error(detail: str) -> VenueError:
    """Return the error of an answer that is not in the venue's language."""
    return VenueError("VENUE_PROTOCOL", f"the venue answered with {detail}")


def parse(body: bytes | str) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read JSON. Raises VENUE_PROTOCOL, e.g. for a page of HTML or half an answer."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text = body[:_SHOWN] if isinstance(body, str) else body[:_SHOWN].decode("ascii", "replace")
        raise protocol_error(f"something that is not JSON: {text!r}") from error


def order_of(data: Any) -> VenueOrder:  # noqa: ANN401 - JSON of any shape
    """Read an order. Raises VENUE_PROTOCOL."""
    word = _text(data, "status")
    legs = data.get("legs")
    return VenueOrder(
        venue_order_id=_text(data, "id"),
        client_order_id=_text(data, "client_order_id"),
        symbol=_text(data, "symbol"),
        state=_STATES.get(word, VenueState.UNCLEAR),
        word=word,
        filled_qty=_amount(data, "filled_qty"),
        legs=tuple(order_of(leg) for leg in legs) if isinstance(legs, list) else (),
        replaces=_name(data, "replaces"),
        replaced_by=_name(data, "replaced_by"),
    )


def reports_of(data: Any) -> list[VenueOrder | VenueFill]:  # noqa: ANN401 - JSON of any shape
    """Read a trade update: the execution it tells of, where it does, then the order. Raises VENUE_PROTOCOL.

    Of an order that took the place of another the order comes before as well: whose place is known by it alone.
    """
    order = order_of(_field(data, "order"))
    if _text(data, "event") in {"rejected", "order_replace_rejected", "order_cancel_rejected"}:
        order = replace(order, reason=str(data.get("reason") or data["event"])[:_SHOWN])
    fill = _fill_of_update(data)
    if fill is None:
        return [order]
    return [fill, order] if order.replaces is None else [order, fill, order]


def authorization_of(data: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """Read the answer to a log-in on the stream. Raises VENUE_PROTOCOL."""
    return _text(_field(data, "data"), "status")


def position_of(data: Any) -> tuple[str, Decimal]:  # noqa: ANN401 - JSON of any shape
    """Read a position: its symbol and its quantity, below zero for a short one. Raises VENUE_PROTOCOL."""
    qty = _amount(data, "qty")
    return _text(data, "symbol"), -abs(qty) if data.get("side") == "short" else qty


def cash_of(data: Any) -> Decimal:  # noqa: ANN401 - JSON of any shape
    """Read an account's cash. Raises VENUE_PROTOCOL."""
    return _amount(data, "cash")


def _fill_of_update(data: Any) -> VenueFill | None:  # noqa: ANN401 - JSON of any shape
    """Read the execution a trade update tells of, None where it tells of none. Raises VENUE_PROTOCOL."""
    event = _text(data, "event")
    if event not in _FILLS and event != "trade_bust":
        return None
    order = _field(data, "order")
    return VenueFill(
        execution_id=_text(data, "execution_id"),
        venue_order_id=_text(order, "id"),
        client_order_id=_text(order, "client_order_id"),
        symbol=_text(order, "symbol"),
        side=_side(order),
        qty=_positive(data, "qty"),
        price=_positive(data, "price"),
        fee=Decimal(0),
        executed_at=_moment(data, "timestamp"),
        cum_qty=_amount(order, "filled_qty"),
        is_final=event == "fill",
        is_bust=event == "trade_bust",
    )


def fill_of_activity(data: Any) -> VenueFill:  # noqa: ANN401 - JSON of any shape
    """Read a FILL activity, whose id ends in the execution's id. Raises VENUE_PROTOCOL."""
    return VenueFill(
        execution_id=_text(data, "id").rpartition("::")[2],
        venue_order_id=_text(data, "order_id"),
        client_order_id="",
        symbol=_text(data, "symbol"),
        side=_side(data),
        qty=_positive(data, "qty"),
        price=_positive(data, "price"),
        fee=Decimal(0),
        executed_at=_moment(data, "transaction_time"),
        cum_qty=_amount(data, "cum_qty"),
        is_final=_text(data, "type") == "fill",
    )


def quote_of(symbol: str, data: Any) -> Quote | None:  # noqa: ANN401 - JSON of any shape
    """Read a snapshot of a symbol's market, None where nothing was ever traded. Raises VENUE_PROTOCOL.

    A side of the quote on which nobody stands is told as zero.
    """
    if not isinstance(data, Mapping) or data.get("latestTrade") is None:
        return None
    trade, quote = _field(data, "latestTrade"), data.get("latestQuote")
    sides = [] if quote is None else [_amount(quote, name) for name in ("bp", "ap")]
    bid, ask = sides if all(side > 0 for side in sides) and sides else (None, None)
    moments = [_moment(each, "t") for each in (trade, quote) if each is not None]
    return Quote(symbol=symbol, price=_positive(trade, "p"), bid=bid, ask=ask, at=max(moments))


def bars_query(asked: AskedBars) -> dict[str, str]:
    """Write a question for bars."""
    unit, count = ("Min", asked.minutes)
    for name, minutes in (("Day", _DAY), ("Hour", _HOUR)):
        if asked.minutes % minutes == 0:
            unit, count = name, asked.minutes // minutes
            break
    last = asked.end.astimezone(UTC) - timedelta(microseconds=1)
    query = {
        "symbols": ",".join(asked.symbols),
        "timeframe": f"{count}{unit}",
        "start": asked.start.astimezone(UTC).isoformat(),
        "end": last.isoformat(),
        "limit": str(BARS_MAX),
        "sort": "asc",
    }
    return query | ({"page_token": asked.page_token} if asked.page_token else {})


def bars_of(data: Any) -> VenueBarsView:  # noqa: ANN401 - JSON of any shape
    """Read a page of bars. Raises VENUE_PROTOCOL."""
    named = data.get("bars") if isinstance(data, Mapping) else None
    if not isinstance(named, Mapping) or not all(isinstance(bars, list) for bars in named.values()):
        raise protocol_error("something that is no page of bars")
    found = [
        VenueBarView(
            symbol=symbol,
            opened_at=_moment(bar, "t"),
            open=_amount(bar, "o"),
            high=_amount(bar, "h"),
            low=_amount(bar, "l"),
            close=_amount(bar, "c"),
            volume=_amount(bar, "v"),
        )
        for symbol, bars in named.items()
        for bar in bars
    ]
    return VenueBarsView(bars=tuple(found), next_page_token=_name(data, "next_page_token") or "")


def order_body(terms: OrderTerms) -> dict[str, object]:
    """Write an order."""
    body: dict[str, object] = {
        "symbol": terms.symbol,
        "side": terms.side.value,
        "type": terms.type.value,
        "time_in_force": terms.time_in_force.value,
        "client_order_id": terms.client_order_id,
        "extended_hours": terms.extended_hours,
    }
    for name in ("qty", "notional", "limit_price", "stop_price", "trail_price", "trail_percent"):
        amount: Decimal | None = getattr(terms, name)
        if amount is not None:
            body[name] = f"{amount.normalize():f}"
    if terms.position_intent is not None:
        body["position_intent"] = terms.position_intent.value
    return body


def pair_body(target: OrderTerms, stop: OrderTerms) -> dict[str, object]:
    """Write a limit and a stop order that close the same, as one order of the class oco."""
    whole = order_body(stop)
    loss = {name: whole[name] for name in ("stop_price", "limit_price") if name in whole}
    body = order_body(target)
    return {**body, "order_class": "oco", "take_profit": {"limit_price": body["limit_price"]}, "stop_loss": loss}


def replace_body(terms: OrderTerms) -> dict[str, object]:
    """Write what is to change of a working order; it has one field for both kinds of trail."""
    whole = order_body(terms)
    names = ("qty", "time_in_force", "limit_price", "stop_price", "client_order_id")
    body = {name: whole[name] for name in names if name in whole}
    trail = whole.get("trail_price") or whole.get("trail_percent")
    return body if trail is None else {**body, "trail": trail}


def _field(data: Any, name: str) -> Any:  # noqa: ANN401 - JSON of any shape
    if not isinstance(data, Mapping) or data.get(name) is None:
        raise protocol_error(f"no {name}")
    return data[name]


def _text(data: Any, name: str) -> str:  # noqa: ANN401 - JSON of any shape
    value = _field(data, name)
    if not isinstance(value, str):
        raise protocol_error(f"a {name} that is no text")
    return value


def _name(data: Any, name: str) -> str | None:  # noqa: ANN401 - JSON of any shape
    return None if data.get(name) is None else _text(data, name)


def _amount(data: Any, name: str) -> Decimal:  # noqa: ANN401 - JSON of any shape
    value = _field(data, name)
    try:
        return require_finite(Decimal(str(value)))
    except (InvalidOperation, ValueError, AlphintraError) as error:
        raise protocol_error(f"{name} {str(value)[:_SHOWN]!r}, which is no number") from error


def _positive(data: Any, name: str) -> Decimal:  # noqa: ANN401 - JSON of any shape
    value = _amount(data, name)
    if value <= 0:
        raise protocol_error(f"{name} {str(value)[:_SHOWN]!r} of an execution")
    return value


def _side(data: Any) -> Side:  # noqa: ANN401 - JSON of any shape
    word = _text(data, "side")
    if word in {"sell", "sell_short"}:
        return Side.SELL
    if word == "buy":
        return Side.BUY
    raise protocol_error(f"the side {word[:_SHOWN]!r}")


def _moment(data: Any, name: str) -> datetime:  # noqa: ANN401 - JSON of any shape
    text = _text(data, name)
    try:
        moment = datetime.fromisoformat(_microseconds(text))
    except ValueError as error:
        raise protocol_error(f"{name} {text[:_SHOWN]!r}, which is no time") from error
    if moment.tzinfo is None:
        raise protocol_error(f"{name} {text[:_SHOWN]!r} without a zone")
    return moment.astimezone(UTC)


def _microseconds(text: str) -> str:
    """Cut nanoseconds, which Alpaca sends and datetime does not read, to microseconds."""
    head, point, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return f"{head}{point}{digits[:6]}{rest[len(digits) :]}" if point else text
