"""Bars of Yahoo Finance by its chart answers: what is drawn there, turned back into prices as they were traded.

Yahoo adjusts prices, volumes and dividends for every split up to today and tells the splits beside them: what a bar was
traded at is its price times the ratios of all later splits. Adjusted closes are not read, for the dividends they were
made of are told too.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import httpx
import msgspec

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.domain.intervals import interval_of
from alphintra.strategy.domain.live_bars import RawBar
from alphintra.strategy.gateways.bar_sources import ANSWER_BYTES_MAX, REQUEST_TIMEOUT_S, Page, Recent, Wanted
from alphintra.strategy.gateways.corporate_events import CashDividend, Events, ShareSplit

__all__ = ["YAHOO", "YahooBars", "open_yahoo"]

YAHOO: Final = "yahoo"
YAHOO_URL: Final = "https://query1.finance.yahoo.com"
AGENT: Final = "Mozilla/5.0 (compatible; Alphintra)"
_INTERVALS: Final = MappingProxyType(
    {"1m": "1m", "2m": "2m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "60m", "1d": "1d"}
)
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
_LATEST: Final = timedelta(days=7)  # beyond now, so that splits of today are told
_DIGITS: Final = Context(prec=7)  # as many as the floats hold that Yahoo keeps prices in
_NOT_FOUND: Final = 404
_CLASS: Final = re.compile(r"\.(?=[ABC]$)")


class _Error(msgspec.Struct):
    code: str = ""
    description: str = ""


class _Split(msgspec.Struct):
    date: int
    numerator: float
    denominator: float


class _Dividend(msgspec.Struct):
    date: int
    amount: Decimal


class _Events(msgspec.Struct):
    splits: dict[str, _Split] = {}
    dividends: dict[str, _Dividend] = {}


class _Quote(msgspec.Struct):
    open: list[Decimal | None] = []
    high: list[Decimal | None] = []
    low: list[Decimal | None] = []
    close: list[Decimal | None] = []
    volume: list[Decimal | None] = []


class _Indicators(msgspec.Struct):
    quote: list[_Quote] = []


class _Meta(msgspec.Struct, rename="camel"):
    exchange_timezone_name: str = "UTC"
    instrument_type: str = ""


class _Result(msgspec.Struct):
    meta: _Meta
    indicators: _Indicators
    timestamp: list[int] = []
    events: _Events = msgspec.field(default_factory=_Events)


class _Chart(msgspec.Struct):
    result: list[_Result] | None = None
    error: _Error | None = None


class _Answer(msgspec.Struct):
    chart: _Chart


class YahooBars:
    """Historical bars of Yahoo Finance as they were traded, with splits and dividends; a request brings all there is.

    Args:
        client: with the address.
        now: until when splits are asked for.
    """

    def __init__(self, client: httpx.AsyncClient, *, now: datetime) -> None:
        self._client = client
        self._now = now

    async def page(self, wanted: Wanted) -> Page:
        """Return all bars wanted; a bar of which a price is missing is left out."""
        result = await self._chart(wanted)
        return Page(rows=_rows(result, wanted), after=None)

    async def events(self, wanted: Wanted) -> Events:
        """Return the splits and dividends of the time wanted, dividends in the cash that was paid for a share then."""
        result = await self._chart(wanted)
        splits = _splits(result)
        return Events(
            splits=tuple(each for each in splits if wanted.start <= each.at < wanted.end),
            dividends=tuple(
                CashDividend(at=at, amount=_raw(each.amount, _later(splits, at)))
                for each in sorted(result.events.dividends.values(), key=lambda told: told.date)
                if wanted.start <= (at := _moment(each.date)) < wanted.end
            ),
        )

    async def recent(self, wanted: Recent) -> tuple[RawBar, ...]:
        """Refuse: prices here are told late, and not for trading. Raises SOURCE_REFUSED."""
        message = f"yahoo tells no live bars of {', '.join(wanted.symbols)[:60]}: use alpaca, or an exchange of ccxt"
        raise AlphintraError("SOURCE_REFUSED", message)

    async def _chart(self, wanted: Wanted) -> _Result:
        name = _INTERVALS.get(wanted.timeframe)
        if name is None:
            message = f"yahoo has no bars of {wanted.timeframe}: take one of {', '.join(_INTERVALS)}"
            raise AlphintraError("TIMEFRAME_UNAVAILABLE", message, pointer="/timeframe")
        query = {
            "period1": str(int(wanted.start.timestamp())),
            # Up to now: prices are adjusted for the splits after the bars, too.
            "period2": str(int(max(wanted.end, self._now + _LATEST).timestamp())),
            "interval": name,
            "events": "div,splits",
            "includePrePost": "false",
        }
        # BTC/USD and BRK.B are BTC-USD and BRK-B there; the dot of VOD.L is of the exchange and stays.
        symbol = _CLASS.sub("-", wanted.symbol.replace("/", "-"))
        answer = _decoded(await self._asked(f"/v8/finance/chart/{symbol}", query, wanted.symbol))
        if answer.chart.error is not None:
            raise _refused(answer.chart.error.description, wanted.symbol)
        if not answer.chart.result:
            raise _no_protocol()
        return answer.chart.result[0]

    async def _asked(self, path: str, query: dict[str, str], symbol: str) -> bytes:
        try:
            response = await self._client.get(path, params=query)
        except httpx.HTTPError as error:
            message = f"yahoo did not answer ({type(error).__name__})"
            raise AlphintraError("SOURCE_BUSY", message, kind=Kind.UNAVAILABLE) from error
        if response.status_code in _BUSY:
            message = f"yahoo answered {response.status_code}: it is busy, or wants to be asked less often"
            raise AlphintraError("SOURCE_BUSY", message, kind=Kind.UNAVAILABLE)
        body = response.content
        if len(body) > ANSWER_BYTES_MAX:
            raise AlphintraError("SOURCE_PROTOCOL", "yahoo answered with more than 16 MiB: ask for a shorter time")
        if response.status_code == _NOT_FOUND:
            raise AlphintraError("SYMBOL_UNKNOWN", f"yahoo has no {symbol}", pointer="/symbol")
        if not response.is_success:
            raise _refused(_reason(body), symbol)
        return body


@asynccontextmanager
async def open_yahoo(url: str | None, now: datetime) -> AsyncIterator[YahooBars]:
    """Open Yahoo Finance, or another address that speaks as it does, for one download."""
    async with httpx.AsyncClient(
        base_url=url or YAHOO_URL,
        headers={"User-Agent": AGENT, "Accept": "application/json"},
        timeout=REQUEST_TIMEOUT_S,
        trust_env=False,
    ) as client:
        yield YahooBars(client, now=now)


def _rows(result: _Result, wanted: Wanted) -> tuple[tuple[int, tuple[str, ...]], ...]:
    if not result.timestamp:
        return ()
    if not result.indicators.quote:
        raise _no_protocol()
    quote, splits = result.indicators.quote[0], _splits(result)
    columns = (quote.open, quote.high, quote.low, quote.close, quote.volume)
    if any(len(column) != len(result.timestamp) for column in columns):
        raise _no_protocol()
    found = []
    is_intraday = interval_of(wanted.timeframe).is_intraday
    for second, *prices, volume in zip(result.timestamp, *columns, strict=True):
        at = _moment(second)
        known = [price for price in prices if price is not None]
        if not wanted.start <= at < wanted.end or len(known) != len(prices):
            continue
        ratio = _later(splits, at)
        traded = volume or Decimal(0)
        values = [*(_raw(price, ratio) for price in known), traded * ratio.denominator / ratio.numerator]
        opened = at if is_intraday else _midnight(at, result.meta.exchange_timezone_name)
        found.append((int(opened.timestamp() * 1000), tuple(f"{round(value, 6).normalize():f}" for value in values)))
    return tuple(found)


def _splits(result: _Result) -> tuple[ShareSplit, ...]:
    found = []
    for each in sorted(result.events.splits.values(), key=lambda split: split.date):
        ratio = Fraction(str(each.numerator)) / Fraction(str(each.denominator)) if each.denominator else Fraction(0)
        if ratio <= 0:
            raise _no_protocol()
        found.append(ShareSplit(at=_moment(each.date), ratio=ratio))
    return tuple(found)


def _later(splits: Sequence[ShareSplit], at: datetime) -> Fraction:
    """Return by which prices of that time were divided since."""
    ratio = Fraction(1)
    for split in splits:
        if split.at > at:
            ratio *= split.ratio
    return ratio


def _raw(price: Decimal, ratio: Fraction) -> Decimal:
    """Return a price as it was traded; what adjusting left behind the seventh digit is rounded off."""
    return _DIGITS.plus(price * ratio.numerator / ratio.denominator)


def _midnight(at: datetime, zone: str) -> datetime:
    """Return where the day of a moment begins at the exchange."""
    try:
        local = at.astimezone(ZoneInfo(zone))
    except (KeyError, ValueError) as error:
        raise _no_protocol() from error
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _decoded(body: bytes) -> _Answer:
    try:
        return msgspec.json.decode(body, type=_Answer)
    except msgspec.MsgspecError as error:
        raise _no_protocol() from error


def _reason(body: bytes) -> str:
    try:
        error = msgspec.json.decode(body, type=_Answer).chart.error
    except msgspec.MsgspecError:
        error = None
    return body[:120].decode(errors="replace") if error is None else error.description


def _refused(reason: str, symbol: str) -> AlphintraError:
    return AlphintraError("SOURCE_REFUSED", f"yahoo refuses {symbol}: {reason[:200]}", pointer="/symbol")


def _no_protocol() -> AlphintraError:
    return AlphintraError("SOURCE_PROTOCOL", "yahoo answered with something else than bars")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
