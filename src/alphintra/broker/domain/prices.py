"""Prices that a venue elsewhere tells: which of them are news, and which symbol's stopped coming."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError

__all__ = ["SYMBOLS_MAX", "AskedBars", "Quote", "Stall", "Watched", "by_minute", "news", "require_symbols", "stalls"]

SYMBOLS_MAX = 100
_SYMBOL_MAX = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A symbol's newest trade, the quote around it where both sides are there, and when the newer of them was told."""

    symbol: str
    price: Decimal
    bid: Decimal | None
    ask: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A symbol whose price is asked for.

    Attributes:
        symbol: which.
        price: the newest we have, None before the first.
        bid: highest offer to buy, None where nobody tells one.
        ask: lowest offer to sell, None where nobody tells one.
        priced_at: when the venue dates the newest.
        watched_at: since when it is asked for.
        is_stalled: whether it was told that its prices stopped coming.
    """

    symbol: str
    price: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    priced_at: datetime | None
    watched_at: datetime
    is_stalled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedBars:
    """Bars of ``minutes`` each, 1440 for days, that opened in ``[start, end)``; all symbols stocks, or all pairs."""

    symbols: tuple[str, ...]
    minutes: int
    start: datetime
    end: datetime
    data_feed: str
    page_token: str


@dataclass(frozen=True, slots=True)
class Stall:
    """A symbol whose prices stopped coming, or come again."""

    symbol: str
    is_stalled: bool
    priced_at: datetime | None


def require_symbols(symbols: Sequence[str]) -> tuple[str, ...]:
    """Return the symbols, each once. Raises FIELD_LENGTH for too many, FIELD_VALUE for what can be none."""
    if len(symbols) > SYMBOLS_MAX:
        raise AlphintraError("FIELD_LENGTH", f"name at most {SYMBOLS_MAX} symbols", pointer="/symbols")
    for place, symbol in enumerate(symbols):
        plain = symbol.replace("/", "", 1).replace(".", "", 1)
        if not plain.isalnum() or not symbol.isascii() or symbol != symbol.upper() or len(symbol) > _SYMBOL_MAX:
            message = f"{symbol[:_SYMBOL_MAX]!r} is no symbol: write it as AAPL, BRK.B or BTC/USD"
            raise AlphintraError("FIELD_VALUE", message, pointer=f"/symbols/{place}")
    return tuple(dict.fromkeys(symbols))


def news(watched: Iterable[Watched], quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    """Return the quotes that are newer than what we have, oldest first."""
    known: Mapping[str, Watched] = {each.symbol: each for each in watched}
    fresh = []
    for quote in quotes:
        before = known.get(quote.symbol)
        if before is not None and (before.priced_at is None or quote.at > before.priced_at):
            fresh.append(quote)
    return tuple(sorted(fresh, key=lambda quote: (quote.at, quote.symbol)))


def by_minute(watched: Iterable[Watched], fresh: Iterable[Quote]) -> tuple[Quote, ...]:
    """Return those of the news that are the first of a minute: what an account is worth is kept no finer."""
    known = {each.symbol: each.priced_at for each in watched}
    return tuple(quote for quote in fresh if _minute(known[quote.symbol]) < _minute(quote.at))


def stalls(watched: Iterable[Watched], *, at: datetime, patience: timedelta) -> tuple[Stall, ...]:
    """Return the symbols whose prices stopped coming or come again, which was not told yet.

    A symbol may be silent for ``patience`` while its regular session is open. When it is closed nothing changes.
    """
    found = []
    for each in watched:
        session = calendar_of(each.symbol).session_at(at)
        if not session.open <= at < session.close:
            continue
        heard_at = max(each.priced_at or each.watched_at, session.open)
        is_stalled = at - heard_at > patience
        if is_stalled is not each.is_stalled:
            found.append(Stall(each.symbol, is_stalled, each.priced_at))
    return tuple(found)


def _minute(moment: datetime | None) -> int:
    return -1 if moment is None else int(moment.timestamp()) // 60
