"""Detectors: each a pure function of one person's actions in one symbol, in order, and of its parameters.

They find what is to be looked at, never what is proven: a person decides on the case. Sources of the patterns: Annex I
of Regulation (EU) 596/2014 and Annex II of Delegated Regulation (EU) 2016/522, whose indicators are named at each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderType, Side
from alphintra.risk.domain.surveillance.stream import (
    MESSAGES,
    Action,
    ActionKind,
    Finding,
    Life,
    in_order,
    lives_of,
    windows,
)

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.engine.sessions import Session

__all__ = ["DETECTORS", "Values", "detect"]

Values = Mapping[str, Decimal]
_BPS: Final = Decimal(10_000)
_PLAIN: Final = frozenset({OrderType.MARKET, OrderType.LIMIT})
EVIDENCE_MAX: Final = 500


def detect(name: str, actions: Sequence[Action], values: Values) -> tuple[Finding, ...]:
    """Run a detector over actions of any people and symbols, each pair of them by itself; a finding comes once."""
    grouped: dict[tuple[object, str], list[Action]] = defaultdict(list)
    for action in in_order(actions):
        grouped[action.owner_id, action.symbol].append(action)
    found: dict[object, Finding] = {}
    for group in grouped.values():
        for finding in DETECTORS[name](group, values):
            found.setdefault(finding.anchor, finding)
    return tuple(found.values())


def wash_trade(actions: Sequence[Action], values: Values) -> Iterator[Finding]:
    """Buying from and selling to oneself: no change of beneficial ownership (2016/522 Annex II s. 1 indicator 3(a)).

    A pair is a buy and a sell within ``window_s``, at prices within ``price_bps``, the smaller quantity at least
    ``qty_share`` of the larger. One pair between two accounts of a person is a finding; in one account, where a quick
    round trip is common, ``pairs_same_account`` of them within the window of the first.
    """
    trades = [action for action in actions if action.kind is ActionKind.TRADE]
    used: set[object] = set()
    same: dict[object, list[tuple[Action, Action]]] = defaultdict(list)
    for window in windows(trades, _seconds(values)):
        last = window[-1]
        for earlier in window[:-1]:
            if earlier.event_id in used or not _is_wash_pair(earlier, last, values):
                continue
            used |= {earlier.event_id, last.event_id}
            if earlier.account_id != last.account_id:
                summary = (
                    f"{earlier.side} and {last.side} of {last.qty:f} {last.symbol} at {earlier.price} and {last.price} "
                    f"between two accounts of one person, {_gap(earlier, last)} apart"
                )
                yield _finding("wash_trade", last, (earlier, last), summary)
            else:
                same[last.account_id].append((earlier, last))
            break
    for pairs in same.values():
        yield from _repeated_pairs(pairs, values)


def self_cross(actions: Sequence[Action], values: Values) -> Iterator[Finding]:
    """Own orders on both sides that could meet each other (2016/522 Annex II s. 1 indicator 3(a); FIA 2024 3.5).

    An order of at least ``qty_min`` crosses one that works on the other side when the buy's limit is at or above the
    sell's; a market order crosses any limit. Stops do not stand in the book before they fire and are not looked at.
    """
    working: dict[Side, dict[object, Life]] = {Side.BUY: {}, Side.SELL: {}}
    lives = lives_of(actions)
    for action in actions:
        if action.kind not in {ActionKind.NEW, ActionKind.AMEND} or action.type not in _PLAIN:
            continue
        other = Side.SELL if action.side is Side.BUY else Side.BUY
        working[other] = {key: life for key, life in working[other].items() if life.is_open(action.happened_at)}
        for life in working[other].values():
            if _crosses(action, life.first) and min(action.qty, life.first.qty) >= values["qty_min"]:
                summary = (
                    f"{action.side} {action.qty:f} {action.symbol} at {_limit(action)} came while an own "
                    f"{life.first.side} of {life.first.qty:f} at {_limit(life.first)} was working"
                )
                yield _finding("self_cross", action, (life.first, action), summary)
                break
        working[action.side][action.order_id] = lives[action.order_id]


def layering(actions: Sequence[Action], values: Values) -> Iterator[Finding]:
    """Orders not meant to trade, on the other side of one that is (2016/522 Annex II s. 1 indicator 5(e) and (f)).

    Around a trade: orders on the other side that came up to ``window_s`` before it, were working at it, and were
    canceled up to ``window_s`` after it with at most ``filled_share`` filled; at least ``orders_min`` of them with
    ``size_ratio`` times the quantity traded in all, or a single one of ``single_ratio`` times (spoofing).
    """
    lives = list(lives_of(actions).values())
    window = _seconds(values)
    for trade in (action for action in actions if action.kind is ActionKind.TRADE):
        layers = [life for life in lives if _is_layer(life, trade, window, values["filled_share"])]
        total = sum((life.first.qty for life in layers), Decimal(0))
        is_layered = len(layers) >= values["orders_min"] and total >= values["size_ratio"] * trade.qty
        largest = max((life.first.qty for life in layers), default=Decimal(0))
        if is_layered or (layers and largest >= values["single_ratio"] * trade.qty):
            ends = [life.end for life in layers if life.end is not None]
            evidence = in_order([*(life.first for life in layers), trade, *ends])
            summary = (
                f"{len(layers)} {layers[0].first.side} orders of {total:f} {trade.symbol} in all stood while "
                f"{trade.qty:f} were traded on the other side, and were canceled within {values['window_s']:f} s"
            )
            yield _finding("layering", layers[0].first, evidence, summary)


def quote_stuffing(actions: Sequence[Action], values: Values) -> Iterator[Finding]:
    """Messages in numbers that burden others (2016/522 Annex II s. 1 indicator 4(e); RTS 6 article 15(1)(d)).

    At least ``messages_min`` new orders, amendments and cancellations within ``window_s`` with trades of at most
    ``trade_share`` of them. A burst is one finding until a window without one.
    """
    quiet_until: datetime | None = None
    for window in windows(actions, _seconds(values)):
        messages = [action for action in window if action.kind in MESSAGES]
        trades = sum(action.kind is ActionKind.TRADE for action in window)
        if len(messages) < values["messages_min"] or trades > values["trade_share"] * len(messages):
            continue
        last = window[-1].happened_at
        if quiet_until is None or last > quiet_until:
            summary = (
                f"{len(messages)} messages and {trades} trades in {window[0].symbol} within {values['window_s']:f} s"
            )
            yield _finding("quote_stuffing", messages[0], messages, summary)
        quiet_until = last + _seconds(values)


def marking_close(actions: Sequence[Action], values: Values) -> Iterator[Finding]:
    """Trades at the end of a session that move its last price (2016/522 Annex II s. 1 indicator 1(a)).

    By the venue's clock: at least ``trades_min`` trades in the last ``window_s`` of a session, ``volume_share`` of the
    person's volume of that session, ``side_share`` of it on one side, and a last price ``move_bps`` further in that
    direction than the last price known before the window. Without such a price, as with daily bars, nothing is found.
    """
    by_session: dict[Session, list[Action]] = defaultdict(list)
    for action in actions:
        session = _session_of(action)
        if session is not None:
            by_session[session].append(action)
    for session, trades in by_session.items():
        finding = _marked(sorted(trades, key=_venue_time), session, values)
        if finding is not None:
            yield finding


def ramping(actions: Sequence[Action], values: Values) -> Iterator[Finding]:
    """Trades that push the price one way, step by step (2016/522 Annex II s. 1 indicator 2; MAR Annex I A(a)).

    At least ``trades_min`` trades within ``window_s``, ``side_share`` of their quantity on one side, at prices that
    never turn back and end ``move_bps`` further in that direction.
    """
    trades = [action for action in actions if action.kind is ActionKind.TRADE and action.price is not None]
    quiet_until: datetime | None = None
    for window in windows(trades, _seconds(values)):
        if len(window) < values["trades_min"]:
            continue
        side, share = _main_side(window)
        prices = [action.price or Decimal(0) for action in window]
        steps = [_direction(side) * (later - earlier) for earlier, later in pairwise(prices)]
        move = _direction(side) * (prices[-1] - prices[0]) / prices[0] * _BPS
        if share < values["side_share"] or min(steps) < 0 or move < values["move_bps"]:
            continue
        last = window[-1].happened_at
        if quiet_until is None or last > quiet_until:
            summary = (
                f"{len(window)} trades, {share:.0%} {side}, moved {window[0].symbol} from {prices[0]:f} to "
                f"{prices[-1]:f}, {move:.0f} bps, within {values['window_s']:f} s"
            )
            yield _finding("ramping", window[0], window, summary)
        quiet_until = last + _seconds(values)


DETECTORS: Final[Mapping[str, Callable[[Sequence[Action], Values], Iterator[Finding]]]] = MappingProxyType(
    {
        "wash_trade": wash_trade,
        "self_cross": self_cross,
        "layering": layering,
        "quote_stuffing": quote_stuffing,
        "marking_close": marking_close,
        "ramping": ramping,
    }
)


def _is_wash_pair(one: Action, other: Action, values: Values) -> bool:
    if one.side is other.side or one.price is None or other.price is None:
        return False
    smaller, larger = sorted((one.qty, other.qty))
    apart = abs(one.price - other.price) / max(one.price, other.price) * _BPS
    return smaller >= values["qty_share"] * larger and apart <= values["price_bps"]


def _repeated_pairs(pairs: Sequence[tuple[Action, Action]], values: Values) -> Iterator[Finding]:
    """Yield one finding for each run of enough pairs within a window; its pairs count for no other."""
    start = 0
    while start < len(pairs):
        first = pairs[start][0].happened_at
        run = [pair for pair in pairs[start:] if pair[1].happened_at <= first + _seconds(values)]
        if len(run) >= values["pairs_same_account"]:
            evidence = in_order([action for pair in run for action in pair])
            summary = f"{len(run)} times bought and sold back {evidence[0].symbol} at nearly one price in one account"
            yield _finding("wash_trade", evidence[0], evidence, summary)
            start += len(run)
        else:
            start += 1


def _crosses(one: Action, other: Action) -> bool:
    if one.side is other.side:
        return False
    buy, sell = (one, other) if one.side is Side.BUY else (other, one)
    if buy.price is None or sell.price is None:
        return one.price is None and other.price is not None  # a market order meets what stands in the book
    return buy.price >= sell.price


def _is_layer(life: Life, trade: Action, window: timedelta, filled_share: Decimal) -> bool:
    return (
        life.first.side is not trade.side
        and life.is_canceled
        and life.end is not None
        and trade.happened_at - window <= life.first.happened_at <= trade.happened_at < life.end.happened_at
        and life.end.happened_at <= trade.happened_at + window
        and life.filled <= filled_share * life.first.qty
    )


def _session_of(action: Action) -> Session | None:
    """Return the session a trade was made in; None for pairs, which never close, and beyond the calendar."""
    if action.kind is not ActionKind.TRADE or action.venue_at is None or action.price is None or "/" in action.symbol:
        return None
    calendar = calendar_of(action.symbol)
    try:
        return calendar.session_on(calendar.trading_day(action.venue_at, extended_hours=True))
    except AlphintraError:
        return None


def _marked(trades: Sequence[Action], session: Session, values: Values) -> Finding | None:
    begin = session.close - _seconds(values)
    late = [action for action in trades if begin <= _venue_time(action) <= session.close]
    if len(late) < values["trades_min"]:
        return None
    before = [action for action in trades if _venue_time(action) < begin]
    known = before[-1].price if before else _price_before(late[0], begin, session)
    last = late[-1].price
    if known is None or last is None:
        return None
    volume = sum((action.qty for action in trades), Decimal(0))
    side, share = _main_side(late)
    part = sum((action.qty for action in late), Decimal(0)) / volume
    move = _direction(side) * (last - known) / known * _BPS
    if part < values["volume_share"] or share < values["side_share"] or move < values["move_bps"]:
        return None
    summary = (
        f"{len(late)} trades in the last {values['window_s']:f} s, {part:.0%} of the session's, {share:.0%} {side}, "
        f"moved {late[0].symbol} from {known:f} to {last:f}, {move:.0f} bps"
    )
    return _finding("marking_close", late[0], [*before[-1:], *late], summary)


def _price_before(action: Action, begin: datetime, session: Session) -> Decimal | None:
    """Return the price risk held at an action, if it is of the session and from before the window."""
    marked = action.reference_at
    return action.reference if marked is not None and session.open <= marked < begin else None


def _main_side(trades: Sequence[Action]) -> tuple[Side, Decimal]:
    bought = sum((action.qty for action in trades if action.side is Side.BUY), Decimal(0))
    total = sum((action.qty for action in trades), Decimal(0))
    share = bought / total
    return (Side.BUY, share) if share >= Decimal("0.5") else (Side.SELL, 1 - share)


def _direction(side: Side) -> int:
    return 1 if side is Side.BUY else -1


def _venue_time(action: Action) -> datetime:
    return action.venue_at or action.happened_at


def _limit(action: Action) -> str:
    return "the market" if action.price is None else f"{action.price:f}"


def _gap(one: Action, other: Action) -> str:
    return f"{abs((other.happened_at - one.happened_at).total_seconds()):.6f} s"


def _seconds(values: Values) -> timedelta:
    return timedelta(microseconds=int(values["window_s"] * 1_000_000))


def _finding(detector: str, anchor: Action, evidence: Sequence[Action], summary: str) -> Finding:
    return Finding(
        detector=detector, anchor=anchor.event_id, evidence=tuple(evidence[:EVIDENCE_MAX]), summary=f"{summary}."
    )
