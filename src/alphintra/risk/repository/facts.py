"""All that a batch of orders is judged by, read in two statements, and in a few more where limits ask for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.engine.pretrade.course import refilled
from alphintra.engine.pretrade.instruments import Instrument, Market
from alphintra.engine.pretrade.totals import is_about_the_whole
from alphintra.engine.pretrade.values import Credit, Latch, Recent
from alphintra.kernel.ids import AccountId, BookId
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import AccountMode, Side
from alphintra.risk.domain.books import Book, Exposure, KillState, LimitSet, Order
from alphintra.risk.domain.venues import abilities_of

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Record, Session

__all__ = ["FIRM", "Facts", "instrument_of", "limit_set_of", "read_books", "read_facts"]

FIRM = UUID(int=0)  # stands for the firm where a key is an owner's
FLEET_SEEN = timedelta(seconds=60)
SYMBOLS_NAMED_MAX = 20
_LOCKS = 2**31
_ZERO = Decimal(0)
_to_controls = msgspec.json.Decoder(LimitControls).decode
_decode = msgspec.json.decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a batch is judged by.

    Args:
        epoch: newest epoch of any kill state.
        books: by account.
        overrides: open ones, by account and content of the order, with the codes each lets pass.
    """

    epoch: int
    books: dict[AccountId, Book]
    overrides: dict[tuple[AccountId, str], UUID]


async def read_facts(session: Session, orders: Sequence[Order], *, at: datetime) -> Facts:
    """Read the books the orders touch; an account risk does not know has no cash and limits. Accounts are held."""
    accounts = sorted({order.account_id for order in orders})
    rows = await session.rows("books.list", accounts, at, at - FLEET_SEEN)
    pairs = {(order.account_id, order.symbol) for order in orders}
    bare = {row["account_id"]: _book(row, at=at) for row in rows}
    whole = [account_id for account_id, book in bare.items() if is_about_the_whole(book)]
    if whole:
        pairs |= {(row["account_id"], row["symbol"]) for row in await session.rows("books.symbols", whole)}
    books = await _with_symbols(session, bare, sorted(pairs))
    strategies = {item.book_id for item in orders if item.book_id is not None}
    books = await _with_strategies(session, books, sorted(strategies), since=at - FLEET_SEEN)
    books = await _with_conduct(session, books, sorted(pairs), at=at)
    books = await _with_credit(session, books, rows)
    overrides = {
        (row["account_id"], item["content"]): UUID(item["override_id"])
        for row in rows
        for item in _decode(row["overrides"] or "[]")
    }
    return Facts(epoch=rows[0]["epoch"], books=books, overrides=overrides)


async def read_books(session: Session, account_id: AccountId, *, at: datetime) -> Book:
    """Read an account's whole book."""
    (row,) = await session.rows("books.list", [account_id], at, at - FLEET_SEEN)
    symbols = await session.rows("books.symbols", [account_id])
    books = {account_id: _book(row, at=at)}
    return (await _with_symbols(session, books, [(account_id, item["symbol"]) for item in symbols]))[account_id]


async def _with_symbols(
    session: Session, books: Mapping[AccountId, Book], pairs: Sequence[tuple[AccountId, str]]
) -> dict[AccountId, Book]:
    rows = await session.rows("exposures.list", [account for account, _ in pairs], [symbol for _, symbol in pairs])
    exposures: dict[AccountId, dict[str, Exposure]] = defaultdict(dict)
    markets: dict[AccountId, dict[str, Market]] = defaultdict(dict)
    kills = {row["symbol"]: KillState(row["symbol_kill"]) for row in rows if row["symbol_kill"] is not None}
    for row in rows:
        exposures[row["account_id"]][row["symbol"]] = _exposure(row)
        markets[row["account_id"]][row["symbol"]] = _market(row)
    unmarked = sorted({row["account_id"] for row in rows if row["last_price"] is None})
    known: dict[AccountId, tuple[str, ...]] = {}
    for row in await session.rows("prices.symbols", unmarked, SYMBOLS_NAMED_MAX) if unmarked else ():
        known[row["account_id"]] = (*known.get(row["account_id"], ()), row["symbol"])
    return {
        account_id: replace(
            book,
            exposures=exposures[account_id],
            markets=markets[account_id],
            known_symbols=known.get(account_id, ()),
            symbol_kills=kills,
        )
        for account_id, book in books.items()
    }


async def _with_strategies(
    session: Session, books: dict[AccountId, Book], book_ids: Sequence[BookId], *, since: datetime
) -> dict[AccountId, Book]:
    if not book_ids:
        return books
    rows = await session.rows("books.strategies", book_ids, since)
    kills = {BookId(row["book_id"]): KillState(row["state"]) for row in rows if row["state"] is not None}
    doubled = frozenset(BookId(row["book_id"]) for row in rows if row["is_doubled"])
    return {account_id: replace(book, book_kills=kills, doubled=doubled) for account_id, book in books.items()}


async def _with_conduct(
    session: Session, books: dict[AccountId, Book], pairs: Sequence[tuple[AccountId, str]], *, at: datetime
) -> dict[AccountId, Book]:
    """Add what only some limits ask for: message tokens, recent orders, orders to an execution, resting orders."""
    found = dict(books)
    metered = [account for account, book in books.items() if book.controls.message_burst is not None]
    rows = await session.rows("buckets.list", metered) if metered else ()
    left = {row["account_id"]: (row["tokens"], row["refilled_at"]) for row in rows}
    for account_id in metered:
        tokens = refilled(left.get(account_id), found[account_id].controls, at=at)
        found[account_id] = replace(found[account_id], tokens=tokens)
    windows = {account: _window_s(book.controls) for account, book in books.items()}
    watched = [account for account, seconds in windows.items() if seconds]
    if watched:
        since = at - timedelta(seconds=max(windows.values()))
        for row in await session.rows("books.recent", watched, since):
            book = found[row["account_id"]]
            found[row["account_id"]] = replace(book, recent=(*book.recent, _recent(row, book, at=at)))
    for account_id, book in books.items():
        most = book.controls.order_to_trade_max
        if most is not None:
            since = at - timedelta(seconds=book.controls.order_to_trade_window_s)
            (counts,) = await session.rows("books.ratio", account_id, since)
            is_high = counts["orders"] > most * max(counts["executions"], 1)
            found[account_id] = replace(found[account_id], is_ratio_high=is_high)
    alone = [pair for pair in pairs if books[pair[0]].controls.is_self_match_refused]
    if alone:
        for row in await session.rows("books.resting", [account for account, _ in alone], [name for _, name in alone]):
            book, symbol = found[row["account_id"]], row["symbol"]
            market = replace(book.market(symbol), resting_buy=row["resting_buy"], resting_sell=row["resting_sell"])
            found[row["account_id"]] = replace(book, markets={**book.markets, symbol: market})
    return found


async def _with_credit(session: Session, books: dict[AccountId, Book], rows: Sequence[Record]) -> dict[AccountId, Book]:
    """Add thresholds shared by accounts; they are held until the transaction ends, after the accounts, firm last."""
    owners = sorted({row["owner_id"] for row in rows if row["user_credit"] is not None})
    is_firm = rows[0]["firm_credit"] is not None
    keys = [*owners, FIRM] if is_firm else owners
    if not keys:
        return books
    for lock in sorted({owner.int % (_LOCKS - 1) + 1 for owner in owners}):
        await session.execute("credit.lock", [lock])
    if is_firm:
        await session.execute("credit.lock", [0])
    used = {row["owner_id"]: row["used"] for row in await session.rows("credit.used", keys)}
    found = dict(books)
    for row in rows:
        shared = []
        if row["user_credit"] is not None:
            shared.append(Credit(scope="user", used=used[row["owner_id"]], most=row["user_credit"]))
        if row["firm_credit"] is not None:
            shared.append(Credit(scope="firm", used=used[FIRM], most=row["firm_credit"]))
        found[row["account_id"]] = replace(found[row["account_id"]], credits=tuple(shared))
    return found


def _window_s(controls: LimitControls) -> int:
    drift = controls.price_drift_window_s if controls.price_drift_pct is not None else 0
    return max(drift, controls.duplicate_window_s or 0)


def limit_set_of(row: Record) -> LimitSet:
    """Return a limit set from its columns."""
    return LimitSet(
        account_id=row["account_id"],
        version=row["version"],
        order_qty_max=row["order_qty_max"],
        order_notional_max=row["order_notional_max"],
        position_qty_max=row["position_qty_max"],
        may_short=row["may_short"],
        set_by=row["set_by"],
        set_at=row["set_at"],
        controls=_to_controls(row["controls"]),
        reason=row["reason"],
    )


def instrument_of(symbol: str, version: int, terms: str) -> Instrument:
    """Return a specification from its document."""
    return msgspec.convert({**_decode(terms), "symbol": symbol, "version": version}, Instrument, strict=False)


def _book(row: Record, *, at: datetime) -> Book:
    states = {"user": row["user_kill"], "venue": row["venue_kill"]}
    latches = _decode(row["latches"] or "[]")
    allowed: dict[str, frozenset[str]] = {
        item["content"]: frozenset(item["codes"]) for item in _decode(row["overrides"] or "[]")
    }
    is_live = row["mode"] == AccountMode.LIVE
    return Book(
        account_id=row["account_id"],
        cash=row["cash"],
        reserved_cash=row["reserved_cash"],
        limits=None if row["version"] is None else limit_set_of(row),
        firm_kill=KillState(row["firm_kill"] or KillState.NORMAL),
        account_kill=KillState(row["account_kill"] or KillState.NORMAL),
        kill_reason=row["kill_reason"],
        kills={scope: KillState(state) for scope, state in states.items() if state is not None},
        exposures={},
        at=at if is_live else row["feed_at"] or at,  # a replay's now is where its feed has come
        venue=abilities_of(row["venue"]),
        open_orders=row["open_orders"],
        latches=tuple(_latch(item) for item in latches),
        fleet=row["fleet"] or "",
        allowed=allowed,
    )


def _latch(item: dict[str, Any]) -> Latch:
    book_id = None if item["book_id"] is None else BookId(UUID(item["book_id"]))
    return Latch(code=item["code"], reason=item["reason"], symbol=item["symbol"], book_id=book_id)


def _recent(row: Record, book: Book, *, at: datetime) -> Recent:
    """Return an order with its moment as the account's market counts it: as long before now as it was."""
    now = book.at or at
    return Recent(
        decided_at=now - (at - row["decided_at"]),
        content=row["content"] or "",
        symbol=row["symbol"],
        side=Side(row["side"]),
        limit_price=row["limit_price"],
    )


def _exposure(row: Record) -> Exposure:
    return Exposure(
        position_qty=row["position_qty"],
        open_buy_qty=row["open_buy_qty"],
        open_sell_qty=row["open_sell_qty"],
        close_buy_qty=row["close_buy_qty"],
        close_sell_qty=row["close_sell_qty"],
        last_price=row["last_price"],
    )


def _market(row: Record) -> Market:
    version = row["instrument_version"]
    return Market(
        instrument=None if version is None else instrument_of(row["symbol"], version, row["instrument"]),
        priced_at=row["priced_at"],
        bid=row["bid"],
        ask=row["ask"],
        restriction=row["restriction"],
        is_order_unknown=row["is_order_unknown"],
    )
