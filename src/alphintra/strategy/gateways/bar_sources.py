"""Where bars are downloaded from: public market-data APIs behind one interface, asked page by page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.machinery import PathFinder
from types import MappingProxyType
from typing import Any, Final, Protocol

import httpx
import msgspec

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.domain.intervals import interval_of
from alphintra.strategy.domain.live_bars import RawBar

__all__ = ["ALPACA_FEEDS", "BarSource", "LiveSource", "Page", "Recent", "Sources", "Wanted"]

REQUEST_TIMEOUT_S: Final = 20.0
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
ALPACA_URL: Final = "https://data.alpaca.markets"
ALPACA_PACE_S: Final = 0.31  # 200 requests a minute are allowed
ALPACA_ROWS: Final = 10_000
CCXT_ROWS: Final = 1000
KEY_VARIABLES: Final = ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY")
ALPACA_PAGES_MAX: Final = 100
ALPACA_FEEDS: Final = MappingProxyType({"alpaca": "iex", "alpaca:iex": "iex", "alpaca:sip": "sip"})  # of live bars
_ALPACA_UNITS: Final = MappingProxyType({"m": "Min", "h": "Hour", "d": "Day", "w": "Week", "mo": "Month"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BUSY: Final = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Bars that opened in ``[start, end)``."""

    symbol: str
    timeframe: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of the wanted bars.

    Attributes:
        rows: opening (milliseconds since 1970), and open, high, low, close and volume as text, oldest first.
        after: where to ask on from; None at the end.
    """

    rows: tuple[tuple[int, tuple[str, ...]], ...]
    after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Bars of several symbols that opened in ``[start, end)``, up to those that come now."""

    symbols: tuple[str, ...]
    timeframe: str
    start: datetime
    end: datetime


class LiveSource(Protocol):
    """Whoever tells live bars."""

    async def recent(self, wanted: Recent) -> tuple[RawBar, ...]:
        """Return all bars wanted, one under way perhaps among them; raises what `BarSource.page` does, or VENUE_*."""


class BarSource(LiveSource, Protocol):
    """One public API."""

    async def page(self, wanted: Wanted) -> Page:
        """Return the first bars of those wanted.

        Raises SOURCE_BUSY (ask again later), SOURCE_REFUSED (never this way), SOURCE_PROTOCOL or SYMBOL_UNKNOWN.
        """


OpenSource = Callable[[str | None], AbstractAsyncContextManager[BarSource]]


class Sources:
    """Opens sources by name: ``alpaca``, or ``ccxt:`` and the id of an exchange there.

    Live bars of stocks are those of IEX, which every account at Alpaca may read; ``alpaca:sip`` has those of all
    exchanges, for accounts that subscribe to them.

    Args:
        environ: environment of the process, with the keys of Alpaca.
        urls: other addresses of the sources, by name; for tests and for proxies.
        others: how sources of other names are opened, given their address, None for their own.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        urls: Mapping[str, str] | None = None,
        others: Mapping[str, OpenSource] | None = None,
    ) -> None:
        self._environ = environ
        self._urls = {} if urls is None else urls
        self._others = {} if others is None else others

    def require(self, name: str) -> None:
        """Check that a source can be asked. Raises SOURCE_UNKNOWN, SOURCE_KEYS or ADAPTER_NOT_INSTALLED."""
        if name in ALPACA_FEEDS:
            if not all(self._environ.get(variable) for variable in KEY_VARIABLES):
                message = f"alpaca wants keys: start the platform with {' and '.join(KEY_VARIABLES)} in its environment"
                raise AlphintraError("SOURCE_KEYS", message, pointer="/source")
        elif re.fullmatch(r"ccxt:[a-z0-9]{2,30}", name):
            if PathFinder.find_spec("ccxt") is None:
                message = "the extra ccxt is not installed: pip install --require-hashes -r requirements/ccxt.txt"
                raise AlphintraError("ADAPTER_NOT_INSTALLED", message, kind=Kind.UNAVAILABLE, pointer="/source")
        elif name not in self._others:
            known = ", ".join(["alpaca", *self._others])
            message = f"there is no source {name[:40]!r}: write {known}, or ccxt:kraken for an exchange of ccxt"
            raise AlphintraError("SOURCE_UNKNOWN", message, pointer="/source")

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[BarSource]:
        """Open a source for one download. Raises what `require` does, and EXCHANGE_UNKNOWN."""
        self.require(name)
        url = self._urls.get(name)
        if name in self._others:
            async with self._others[name](url) as source:
                yield source
        elif name in ALPACA_FEEDS:
            headers = {
                "APCA-API-KEY-ID": self._environ[KEY_VARIABLES[0]],
                "APCA-API-SECRET-KEY": self._environ[KEY_VARIABLES[1]],
            }
            async with httpx.AsyncClient(
                base_url=url or ALPACA_URL, headers=headers, timeout=REQUEST_TIMEOUT_S, trust_env=False
            ) as client:
                yield AlpacaBars(client, pace_s=ALPACA_PACE_S if url is None else 0.0, live_feed=ALPACA_FEEDS[name])
        else:
            yield await asyncio.to_thread(CcxtBars, name.partition(":")[2], url)


class AlpacaBars:
    """Historical bars of Alpaca's market-data API, unadjusted.

    Args:
        client: with the address and the keys.
        pace_s: least time between two requests.
        live_feed: which of its feeds live bars of stocks are of.
    """

    def __init__(self, client: httpx.AsyncClient, *, pace_s: float, live_feed: str = "iex") -> None:
        self._client = client
        self._pace_s = pace_s
        self._live_feed = live_feed

    async def page(self, wanted: Wanted) -> Page:
        """Return up to ten thousand bars."""
        interval = interval_of(wanted.timeframe)
        query = {
            "symbols": wanted.symbol,
            "timeframe": f"{interval.count}{_ALPACA_UNITS[interval.unit]}",
            "start": _moment(wanted.start),
            "end": _moment(wanted.end - timedelta(microseconds=1)),
            "limit": str(ALPACA_ROWS),
            "sort": "asc",
        }
        if "/" not in wanted.symbol:
            query["adjustment"] = "raw"
        path = "/v1beta3/crypto/us/bars" if "/" in wanted.symbol else "/v2/stocks/bars"
        await asyncio.sleep(self._pace_s)
        answer = _decoded(await _asked(self._client, path, query), _AlpacaAnswer)
        bars = (answer.bars or {}).get(wanted.symbol, [])
        rows = tuple(
            (_millis(bar.t), tuple(f"{value:f}" for value in (bar.o, bar.h, bar.l, bar.c, bar.v))) for bar in bars
        )
        has_more = answer.next_page_token is not None and bool(bars)
        return Page(rows=rows, after=bars[-1].t + timedelta(milliseconds=1) if has_more else None)

    async def recent(self, wanted: Recent) -> tuple[RawBar, ...]:
        """Return the bars wanted, stocks and pairs by a request each for all of them."""
        found: list[RawBar] = []
        for is_pair in (False, True):
            symbols = [symbol for symbol in wanted.symbols if ("/" in symbol) is is_pair]
            if symbols:
                found += await self._recent(symbols, wanted, is_pair=is_pair)
        return tuple(found)

    async def _recent(self, symbols: Sequence[str], wanted: Recent, *, is_pair: bool) -> list[RawBar]:
        interval = interval_of(wanted.timeframe)
        query = {
            "symbols": ",".join(symbols),
            "timeframe": f"{interval.count}{_ALPACA_UNITS[interval.unit]}",
            "start": _moment(wanted.start),
            "end": _moment(wanted.end - timedelta(microseconds=1)),
            "limit": str(ALPACA_ROWS),
            "sort": "asc",
        }
        if not is_pair:
            query |= {"adjustment": "raw", "feed": self._live_feed}
        path = "/v1beta3/crypto/us/bars" if is_pair else "/v2/stocks/bars"
        found: list[RawBar] = []
        for _ in range(ALPACA_PAGES_MAX):
            await asyncio.sleep(self._pace_s)
            answer = _decoded(await _asked(self._client, path, query), _AlpacaAnswer)
            for symbol, bars in (answer.bars or {}).items():
                found += [RawBar(symbol, bar.t.astimezone(UTC), (bar.o, bar.h, bar.l, bar.c, bar.v)) for bar in bars]
            if answer.next_page_token is None:
                return found
            query["page_token"] = answer.next_page_token
        raise AlphintraError("SOURCE_PROTOCOL", "the source has more pages than there can be")


class _AlpacaBar(msgspec.Struct):
    t: datetime
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741 - as it is called there
    c: Decimal
    v: Decimal


class _AlpacaAnswer(msgspec.Struct):
    bars: dict[str, list[_AlpacaBar]] | None = None
    next_page_token: str | None = None


class CcxtBars:
    """Candles of an exchange by ccxt's own client, which keeps to the exchange's pace.

    Args:
        exchange: id of the exchange at ccxt.
        url: another address of its API.

    Raises:
        AlphintraError: EXCHANGE_UNKNOWN.
    """

    def __init__(self, exchange: str, url: str | None) -> None:
        import ccxt  # noqa: PLC0415 - an extra, and heavy

        if exchange not in ccxt.exchanges:
            message = f"ccxt knows no exchange {exchange!r}: give its id there, e.g. kraken"
            raise AlphintraError("EXCHANGE_UNKNOWN", message, pointer="/source")
        self._errors = ccxt
        self._client: Any = getattr(ccxt, exchange)({"enableRateLimit": True, "timeout": 1000 * REQUEST_TIMEOUT_S})
        if url is not None:
            self._client.urls["api"] = dict.fromkeys(self._client.urls["api"], url)

    async def page(self, wanted: Wanted) -> Page:
        """Return what one request brings."""
        return await asyncio.to_thread(self._page, wanted)

    async def recent(self, wanted: Recent) -> tuple[RawBar, ...]:
        """Return the bars wanted, symbol by symbol and page by page."""
        found: list[RawBar] = []
        for symbol in wanted.symbols:
            start: datetime | None = wanted.start
            while start is not None and start < wanted.end:
                page = await self.page(Wanted(symbol=symbol, timeframe=wanted.timeframe, start=start, end=wanted.end))
                for opened, values in page.rows:
                    amounts = tuple(Decimal(value) for value in values)
                    found.append(RawBar(symbol, _EPOCH + timedelta(milliseconds=opened), amounts))
                start = page.after
        return tuple(found)

    def _page(self, wanted: Wanted) -> Page:
        interval = interval_of(wanted.timeframe)
        name = wanted.timeframe.replace("mo", "M")
        since, until = _millis(wanted.start), _millis(wanted.end)
        try:
            found = self._client.fetch_ohlcv(wanted.symbol, name, since, CCXT_ROWS)
        except self._errors.BadSymbol as error:
            raise AlphintraError("SYMBOL_UNKNOWN", f"the exchange has no {wanted.symbol}", pointer="/symbol") from error
        except self._errors.NetworkError as error:
            message = f"the exchange did not answer: {error}"[:200]
            raise AlphintraError("SOURCE_BUSY", message, kind=Kind.UNAVAILABLE) from error
        except self._errors.BaseError as error:
            raise AlphintraError("SOURCE_REFUSED", f"the exchange refused: {error}"[:200]) from error
        fresh = [row for row in found if since <= row[0] < until]
        try:
            rows = tuple((int(row[0]), tuple(_plain(value) for value in row[1:6])) for row in fresh)
        except (TypeError, ValueError, IndexError) as error:
            raise _no_protocol() from error
        last = _EPOCH + timedelta(milliseconds=rows[-1][0]) if rows else None
        after = None if last is None else last + timedelta(minutes=interval.minutes)
        is_over = after is None or after >= wanted.end or any(row[0] >= until for row in found)
        return Page(rows=rows, after=None if is_over else after)


async def _asked(client: httpx.AsyncClient, path: str, query: Mapping[str, str]) -> bytes:
    try:
        async with client.stream("GET", path, params=query) as response:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > ANSWER_BYTES_MAX:
                    raise AlphintraError("SOURCE_PROTOCOL", "the source answered with more than 16 MiB")
    except httpx.HTTPError as error:
        message = f"the source did not answer ({type(error).__name__})"
        raise AlphintraError("SOURCE_BUSY", message, kind=Kind.UNAVAILABLE) from error
    if response.status_code in _BUSY:
        message = f"the source answered {response.status_code}: it is busy or broken"
        raise AlphintraError("SOURCE_BUSY", message, kind=Kind.UNAVAILABLE)
    if not response.is_success:
        told = bytes(body[:120]).decode(errors="replace")
        raise AlphintraError("SOURCE_REFUSED", f"the source answered {response.status_code}: {told}")
    return bytes(body)


def _decoded(body: bytes, wanted: type[_AlpacaAnswer]) -> _AlpacaAnswer:
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.MsgspecError as error:
        raise _no_protocol() from error


def _no_protocol() -> AlphintraError:
    return AlphintraError("SOURCE_PROTOCOL", "the source answered with something else than bars")


def _plain(value: object) -> str:
    return f"{Decimal(repr(value) if isinstance(value, float) else str(value)):f}"


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _millis(value: datetime) -> int:
    return (value - _EPOCH) // timedelta(milliseconds=1)
