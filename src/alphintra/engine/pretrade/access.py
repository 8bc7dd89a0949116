"""Controls of what may be traded: permission, restriction, session, specification, venue, strategy, fleet."""

from __future__ import annotations

from decimal import Decimal

from alphintra.engine.pretrade.cases import Case, Control, Findings, finding
from alphintra.engine.pretrade.instruments import nearest
from alphintra.engine.pretrade.values import plain
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderClass, OrderType, Side, TimeInForce

__all__ = ["COHERENT", "KNOWN", "OFFERED", "OPEN", "PERMITTED", "SHORTABLE", "SPECIFIED", "STRATEGY", "UNRESTRICTED"]

_AT_AUCTION = {TimeInForce.OPG, TimeInForce.CLS}


def _permitted(case: Case) -> Findings:
    allowed, symbol = case.book.controls.symbols_allowed, case.order.symbol
    if allowed is None or symbol in allowed:
        return ()
    detail = f"the account may not trade {symbol}"
    limit = ", ".join(allowed[:20]) or "none"
    return (finding("R17", "RISK_NO_PERMISSION", detail, field="/terms/symbol", limit=limit, observed=symbol),)


def _unrestricted(case: Case) -> Findings:
    if case.market.restriction is None:
        return ()
    symbol = case.order.symbol
    detail = f"{symbol} may not be traded at present"  # the reason is for compliance, not for the trader
    return (finding("R18", "RISK_RESTRICTED", detail, field="/terms/symbol", limit="", observed=symbol),)


def _strategy(case: Case) -> Findings:
    approved, order = case.book.controls.strategies_allowed, case.order
    if approved is None or order.book_id is None:  # orders by hand are no strategy's
        return ()
    if not order.strategy_hash and order.is_reducing:  # by hand a person may always close what a book holds
        return ()
    wanted = approved.get(str(order.book_id))
    if wanted is not None and wanted in {"", order.strategy_hash}:
        return ()
    observed = order.strategy_hash or "none"
    detail = f"strategy {order.book_id} is not approved for this account" + (" in this version" if wanted else "")
    return (finding("R26", "STRATEGY_NOT_APPROVED", detail, limit=wanted or "approved", observed=observed),)


def _coherent(case: Case) -> Findings:
    if case.order.book_id in case.book.doubled:
        detail = f"two instances run strategy {case.order.book_id}: stop one of them"
        return (finding("R27", "FLEET_MISMATCH", detail, limit="one instance", observed="two instances"),)
    if not case.book.fleet:
        return ()
    detail = f"instances of the platform differ: {case.book.fleet}; bring all to one build and configuration"
    return (finding("R27", "FLEET_MISMATCH", detail, limit="one build and configuration", observed=case.book.fleet),)


def _known(case: Case) -> Findings:
    if not case.market.is_order_unknown or case.order.is_reducing:
        return ()
    symbol = case.order.symbol
    detail = f"the outcome of an earlier order for {symbol} is unknown: only orders that reduce are taken until it is"
    return (finding("R28", "ORDER_UNKNOWN_OUTSTANDING", detail, field="/terms/symbol", observed=symbol),)


def _open(case: Case) -> Findings:
    order, book, instrument = case.order, case.book, case.market.instrument
    if instrument is not None and instrument.is_halted:
        detail = f"trading of {order.symbol} is halted"
        return (finding("R21", "VENUE_CLOSED", detail, field="/terms/symbol", limit="open", observed="halted"),)
    if order.expire_at is not None and book.at is not None and order.expire_at <= book.at:
        detail = f"expire_at {order.expire_at.isoformat()} is past: it is {book.at.isoformat()}"
        return (
            finding("R21", "EXPIRY_PAST", detail, field="/terms/expire_at", limit=book.at, observed=order.expire_at),
        )
    if not book.controls.is_session_enforced or book.at is None or order.time_in_force in _AT_AUCTION:
        return ()
    try:
        calendar = calendar_of(order.symbol)
        if calendar.is_open(book.at, extended_hours=order.extended_hours):
            return ()
        opening = calendar.next_open(book.at).isoformat()
    except AlphintraError as error:
        return (finding("R21", "VENUE_CLOSED", error.detail, limit="open", observed=book.at.isoformat()),)
    detail = f"the market of {order.symbol} is closed and opens at {opening}"
    return (finding("R21", "VENUE_CLOSED", detail, limit=opening, observed=book.at.isoformat()),)


def _specified(case: Case) -> Findings:
    instrument, order, book = case.market.instrument, case.order, case.book
    if instrument is None:
        return ()
    found = [*_off_tick(case)]
    qty = order.qty
    if qty is not None:
        if instrument.lot is not None and qty % instrument.lot:
            detail = _between("qty", qty, instrument.lot)
            found.append(finding("R22", "ORDER_LOT", detail, field="/terms/qty", limit=instrument.lot, observed=qty))
        edge = _edge(qty, instrument.qty_min, instrument.qty_max)
        if edge is not None:
            detail = f"qty {plain(qty)} lies outside what {order.symbol} is traded in: the edge is {plain(edge)}"
            found.append(finding("R22", "ORDER_QTY_RANGE", detail, field="/terms/qty", limit=edge, observed=qty))
    if instrument.expires_at is not None and book.at is not None and instrument.expires_at <= book.at:
        detail = f"{order.symbol} expired at {instrument.expires_at.isoformat()}"
        found.append(finding("R22", "ORDER_UNKNOWN_SYMBOL", detail, field="/terms/symbol", observed=order.symbol))
    return tuple(found)


def _off_tick(case: Case) -> Findings:
    instrument, order = case.market.instrument, case.order
    if instrument is None or instrument.tick is None:
        return ()
    found = []
    for name in ("limit_price", "stop_price", "trail_price"):
        price: Decimal | None = getattr(order, name)
        if price is not None and price % instrument.tick:
            detail = _between(name, price, instrument.tick)
            found.append(
                finding("R22", "ORDER_TICK", detail, field=f"/terms/{name}", limit=instrument.tick, observed=price)
            )
    return tuple(found)


def _edge(qty: Decimal, least: Decimal | None, most: Decimal | None) -> Decimal | None:
    if least is not None and qty < least:
        return least
    return most if most is not None and qty > most else None


def _between(name: str, value: Decimal, step: Decimal) -> str:
    below, above = nearest(value, step)
    nearby = f"{plain(below)} or {plain(above)}" if below > 0 else plain(above)
    return f"{name} {plain(value)} is no multiple of {plain(step)}: take {nearby}"


def _offered(case: Case) -> Findings:
    order, venue = case.order, case.book.venue
    is_stop = order.type not in {OrderType.MARKET, OrderType.LIMIT}
    missing = (
        (order.type not in venue.types, "type", f"{order.type} orders"),
        (order.time_in_force not in venue.times_in_force, "time_in_force", f"time in force {order.time_in_force}"),
        (
            is_stop and order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK, *_AT_AUCTION},
            "time_in_force",
            f"{order.type} orders with time in force {order.time_in_force}",
        ),
        (order.notional is not None and not venue.has_notional, "notional", "orders for an amount of money"),
        (order.extended_hours and not venue.has_extended_hours, "extended_hours", "trading outside the session"),
        (order.order_class is not OrderClass.SIMPLE and not venue.has_groups, "order_class", "groups of orders"),
    )
    return tuple(
        finding(
            "R23",
            "ORDER_UNSUPPORTED",
            f"{venue.name} does not take {what}",
            field=f"/terms/{name}",
            limit=venue.name,
            observed=what,
        )
        for is_missing, name, what in missing
        if is_missing
    )


def _shortable(case: Case) -> Findings:
    order, instrument = case.order, case.market.instrument
    if instrument is None or instrument.is_shortable or order.side is Side.BUY or order.is_reducing:
        return ()
    if case.limits is None or not case.limits.may_short:  # told by the rule against any short sale
        return ()
    free = case.exposure.room(Side.SELL)
    qty = case.claim.added_qty if case.claim is not None else order.qty
    if qty is None or qty <= free:
        return ()
    detail = f"{order.symbol} cannot be borrowed: {plain(free)} is free to sell"
    return (finding("R20", "RISK_SHORT_LOCATE", detail, field=order.size_field, limit=free, observed=qty),)


PERMITTED = Control(
    rule="R17",
    name="Permission",
    codes=("RISK_NO_PERMISSION",),
    inputs="symbol, symbols_allowed",
    default="every symbol of the feed",
    check=_permitted,
)
UNRESTRICTED = Control(
    rule="R18",
    name="Restricted list",
    codes=("RISK_RESTRICTED",),
    inputs="restrictions of the symbol for the firm or the account; the reason is in the decision record alone",
    default="nothing restricted",
    check=_unrestricted,
)
STRATEGY = Control(
    rule="R26",
    name="Approved strategies",
    codes=("STRATEGY_NOT_APPROVED",),
    inputs="book and version hash of the order, strategies_allowed",
    default="every strategy",
    check=_strategy,
)
COHERENT = Control(
    rule="R27",
    name="Fleet coherence",
    codes=("FLEET_MISMATCH",),
    inputs="build and configuration hash each instance reported within the last minute; instances of the deployment",
    default="one build, one instance of a deployment",
    check=_coherent,
)
KNOWN = Control(
    rule="R28",
    name="Unknown outcome",
    codes=("ORDER_UNKNOWN_OUTSTANDING",),
    inputs="whether the outcome of an order for the symbol is unknown",
    default="no new exposure meanwhile",
    check=_known,
)
OPEN = Control(
    rule="R21",
    name="Session, halt and expiry",
    codes=("VENUE_CLOSED", "EXPIRY_PAST"),
    inputs="time of the account's market, trading calendar, halts, expire_at",
    default="halts and expiry hold, sessions are not enforced",
    check=_open,
)
SPECIFIED = Control(
    rule="R22",
    name="Instrument specification",
    codes=("ORDER_TICK", "ORDER_LOT", "ORDER_QTY_RANGE", "ORDER_UNKNOWN_SYMBOL"),
    inputs="tick, lot, least and largest quantity, expiry of the instrument",
    default="none where an instrument has no specification",
    check=_specified,
)
OFFERED = Control(
    rule="R23",
    name="What the venue takes",
    codes=("ORDER_UNSUPPORTED",),
    inputs="type, time in force, amount of money, hours and group against the venue's abilities",
    default="paper takes all",
    check=_offered,
)
SHORTABLE = Control(
    rule="R20",
    name="Locate",
    codes=("RISK_SHORT_LOCATE",),
    inputs="position, open sells, whether the instrument can be borrowed",
    default="instruments without specification can be",
    check=_shortable,
)
