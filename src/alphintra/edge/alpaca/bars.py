"""Market data in Alpaca's terms: bars of the catalogue; there are no quotes and trades, and none are made up."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from alphintra.contracts.strategy import BarsView, BarView, ListBars, ListDatasets
from alphintra.edge.alpaca.errors import refused
from alphintra.edge.alpaca.reading import Fields, query_of, symbol_of
from alphintra.edge.alpaca.shapes import json_response, moment
from alphintra.edge.guards import Caller, Scope, gate_of
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["get_bars", "get_latest_bar", "list_bars", "list_latest_bars", "refuse_quotes_and_trades"]

PAGE_DEFAULT: Final = 1000
PAGE_MAX: Final = 10_000
READ_MAX: Final = 4000
SYMBOLS_MAX: Final = 200


class Adjustment(StrEnum):
    """What prices are adjusted for."""

    RAW = "raw"
    SPLIT = "split"
    DIVIDEND = "dividend"
    ALL = "all"


class Sort(StrEnum):
    """In which order of time."""

    ASC = "asc"
    DESC = "desc"


async def list_bars(request: Request) -> Response:
    """List bars of several symbols, symbol after symbol; a page token leads on where a page is full."""
    caller = await gate_of(request).admit(request, Scope.READ)
    query = query_of(request)
    symbols = _symbols(query)
    bars, token = await _pages(caller, query, symbols)
    return json_response({"bars": bars, "next_page_token": token})


async def get_bars(request: Request) -> Response:
    """List bars of the symbol in the path."""
    caller = await gate_of(request).admit(request, Scope.READ)
    symbol = symbol_of(request.path_params["symbol"])
    bars, token = await _pages(caller, query_of(request), [symbol])
    return json_response({"bars": bars.get(symbol, []), "symbol": symbol, "next_page_token": token})


async def list_latest_bars(request: Request) -> Response:
    """Fetch the newest stored bar of each symbol that has one."""
    caller = await gate_of(request).admit(request, Scope.READ)
    symbols = _symbols(query_of(request))
    found = await asyncio.gather(*(_latest(caller, symbol) for symbol in symbols))
    return json_response({"bars": {symbol: bar for symbol, bar in zip(symbols, found, strict=True) if bar is not None}})


async def get_latest_bar(request: Request) -> Response:
    """Fetch the newest stored bar of the symbol in the path."""
    caller = await gate_of(request).admit(request, Scope.READ)
    symbol = symbol_of(request.path_params["symbol"])
    bar = await _latest(caller, symbol)
    if bar is None:
        raise refused("SYMBOL_UNKNOWN", f"no bar found for {symbol}", kind=Kind.NOT_FOUND)
    return json_response({"symbol": symbol, "bar": bar})


async def refuse_quotes_and_trades(request: Request) -> Response:
    """Refuse what only a market could say. Raises DATA_UNAVAILABLE."""
    await gate_of(request).admit(request, Scope.READ)
    message = "there are no quotes, trades or snapshots here: the catalogue holds bars, ask for those"
    raise refused("DATA_UNAVAILABLE", message)


def _symbols(query: Fields) -> list[str]:
    symbols = sorted({symbol_of(text, pointer="/symbols") for text in query.texts("symbols")})
    if not symbols:
        raise refused("FIELD_REQUIRED", "symbols is required", pointer="/symbols")
    if len(symbols) > SYMBOLS_MAX:
        raise refused("FIELD_LENGTH", f"at most {SYMBOLS_MAX} symbols at once", pointer="/symbols")
    return symbols


async def _pages(
    caller: Caller, query: Fields, symbols: Sequence[str]
) -> tuple[dict[str, list[dict[str, Any]]], str | None]:
    """Return bars by symbol up to the limit, and the token of what follows. Symbols without bars are left out."""
    timeframe = query.required_text("timeframe")
    limit = query.whole("limit", default=PAGE_DEFAULT, most=PAGE_MAX)
    start, end = query.moment("start"), query.moment("end")
    adjustment = query.choice("adjustment", Adjustment) or Adjustment.RAW
    if adjustment in {Adjustment.DIVIDEND, Adjustment.ALL}:
        message = "bars are adjusted for splits or not at all: take adjustment raw or split"
        raise refused("ADJUSTMENT_UNAVAILABLE", message, pointer="/adjustment")
    newest_first = query.choice("sort", Sort) is Sort.DESC
    after_symbol, after = _read_token(query.text("page_token"))
    known = {item.symbol for item in (await caller.ask(ListDatasets())).datasets}
    found: dict[str, list[dict[str, Any]]] = {}
    count = 0
    for symbol in symbols:
        if symbol not in known or symbol < after_symbol:
            continue
        beyond = after if symbol == after_symbol else None
        while True:
            command = ListBars(
                symbol=symbol,
                timeframe=timeframe,
                start=start,
                end=end,
                after=beyond,
                newest_first=newest_first,
                is_split_adjusted=adjustment is Adjustment.SPLIT,
                limit=min(limit - count, READ_MAX),
            )
            page = await caller.ask(command)
            if page.bars:
                found.setdefault(symbol, []).extend(map(_shape, page.bars))
                beyond = page.bars[-1].opened_at
                count += len(page.bars)
            if count == limit:
                return found, _next_token(symbol, beyond, page, is_last=symbol == symbols[-1])
            if not page.has_more:
                break
    return found, None


async def _latest(caller: Caller, symbol: str) -> dict[str, Any] | None:
    try:
        page = await caller.ask(ListBars(symbol=symbol, newest_first=True, limit=1))
    except AlphintraError as error:
        if error.code == "SYMBOL_UNKNOWN":
            return None
        raise
    return _shape(page.bars[0]) if page.bars else None


def _shape(bar: BarView) -> dict[str, Any]:
    """Return a bar; the numbers of trades and their average price are not known."""
    return {
        "t": moment(bar.opened_at),
        "o": float(bar.open),
        "h": float(bar.high),
        "l": float(bar.low),
        "c": float(bar.close),
        "v": float(bar.volume),
        "n": None,
        "vw": None,
    }


def _next_token(symbol: str, beyond: datetime | None, page: BarsView, *, is_last: bool) -> str | None:
    if beyond is None or (is_last and not page.has_more):
        return None
    return base64.urlsafe_b64encode(f"{symbol}|{beyond.isoformat()}".encode()).decode()


def _read_token(token: str | None) -> tuple[str, datetime | None]:
    """Return symbol and opening of the last bar of the page before. Raises PAGE_TOKEN."""
    if token is None:
        return "", None
    try:
        symbol, _, beyond = base64.urlsafe_b64decode(token.encode()).decode().partition("|")
        opened = datetime.fromisoformat(beyond)
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise refused("PAGE_TOKEN", "invalid page_token", pointer="/page_token") from error
    if opened.tzinfo is None:
        raise refused("PAGE_TOKEN", "invalid page_token", pointer="/page_token")
    return symbol, opened
