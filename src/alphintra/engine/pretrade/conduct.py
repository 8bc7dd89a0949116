"""Controls of conduct: how many messages, the same order twice, orders that meet one's own, repeated executions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from alphintra.engine.pretrade.cases import Case, Control, Findings, finding
from alphintra.engine.pretrade.values import plain
from alphintra.kernel.vocabulary import OrderType, Side

__all__ = ["COUNTED", "LATCHED", "RATED", "SINGLE", "UNCROSSED"]

_TWO = Decimal(2)


def _rated(case: Case) -> Findings:
    book, controls = case.book, case.book.controls
    if controls.message_burst is None or book.tokens is None:
        return ()
    kept = Decimal(controls.cancel_reserve)
    if book.is_ratio_high:
        kept = max(kept, Decimal(controls.message_burst) / _TWO)
    if book.tokens - 1 >= kept:
        return ()
    why = " (too many orders to an execution)" if book.is_ratio_high else ""
    detail = (
        f"the account's messages are used up{why}: {controls.message_burst} at once and "
        f"{plain(controls.messages_per_s)} more a second, {plain(kept)} kept back; wait and send again"
    )
    return (finding("R07", "RISK_MSG_RATE", detail, limit=kept, observed=round(book.tokens - 1, 9)),)


def _counted(case: Case) -> Findings:
    most, count = case.book.controls.open_orders_max, case.book.open_orders
    if most is None or count < most or case.order.replaces is not None:
        return ()
    detail = f"{count} orders are open, the limit is {most}: cancel some first"
    return (finding("R07", "RISK_OPEN_ORDERS_MAX", detail, limit=most, observed=count + 1),)


def _single(case: Case) -> Findings:
    book, window = case.book, case.book.controls.duplicate_window_s
    if window is None or book.at is None:
        return ()
    since = book.at - timedelta(seconds=window)
    content = case.order.content
    if not any(item.content == content and item.decided_at > since for item in book.recent):
        return ()
    detail = f"an order of the same content was approved less than {window} s ago: wait, or change it"
    return (finding("R09", "RISK_DUPLICATE", detail, limit=window, observed="the same content"),)


def _uncrossed(case: Case) -> Findings:
    order, market = case.order, case.market
    if not case.book.controls.is_self_match_refused:
        return ()
    resting = market.resting_sell if order.side is Side.BUY else market.resting_buy
    if resting is None:
        return ()
    price = order.limit_price
    if price is None and order.type in {OrderType.STOP, OrderType.TRAILING_STOP}:
        return ()  # it meets nothing before it fires
    is_meeting = price is None or (price >= resting if order.side is Side.BUY else price <= resting)
    if not is_meeting:
        return ()
    word = "sell" if order.side is Side.BUY else "buy"
    detail = f"it would meet the owner's own order to {word} {order.symbol} at {plain(resting)}: cancel that first"
    observed: object = "market" if price is None else price
    return (finding("R24", "RISK_SELF_MATCH", detail, field="/terms/limit_price", limit=resting, observed=observed),)


def _latched(case: Case) -> Findings:
    order = case.order
    found = []
    for latch in case.book.latches:
        if latch.symbol not in {None, order.symbol} or latch.book_id not in {None, order.book_id}:
            continue
        if latch.code == "OVERFILL" and order.is_reducing:
            continue
        detail = f"{latch.reason}: a named person has to lift this block"
        found.append(finding("R08", latch.code, detail, limit="not latched", observed="latched"))
    return tuple(found)


RATED = Control(
    rule="R07",
    name="Message rate",
    codes=("RISK_MSG_RATE",),
    inputs="token bucket of new orders, replacements and cancels; cancels pass always and have tokens of their own",
    default="none",
    check=_rated,
)
COUNTED = Control(
    rule="R07",
    name="Open orders",
    codes=("RISK_OPEN_ORDERS_MAX",),
    inputs="orders that work or wait",
    default="none",
    check=_counted,
)
SINGLE = Control(
    rule="R09",
    name="Duplicates",
    codes=("RISK_DUPLICATE",),
    inputs="content of orders approved within duplicate_window_s",
    default="none; the same client order id is the same order always",
    check=_single,
)
UNCROSSED = Control(
    rule="R24",
    name="Self-match",
    codes=("RISK_SELF_MATCH",),
    inputs="limit orders of the owner on the other side, in all accounts and books",
    default="off",
    check=_uncrossed,
)
LATCHED = Control(
    rule="R08",
    name="Latched blocks: repeated executions, overfill",
    codes=("RISK_REPEAT_LATCHED", "OVERFILL"),
    inputs="latches of account, symbol and book",
    default="repeat_max is not set",
    check=_latched,
)
