"""Alpaca: orders over its REST interface, executions over its stream of trade updates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from alphintra.broker.domain.capabilities import ALPACA
from alphintra.broker.domain.links import Environment
from alphintra.broker.gateways import alpaca_wire as wire
from alphintra.broker.gateways.venue import (
    Answer,
    Duplicate,
    NotSent,
    Refused,
    Report,
    Taken,
    Uncertain,
    VenueError,
    date_of,
)
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.broker.domain.prices import AskedBars, Quote
    from alphintra.broker.domain.reports import VenueFill, VenueOrder
    from alphintra.broker.gateways.vault import Credentials
    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.venue_views import VenueBarsView
    from alphintra.kernel.ids import OrderId

__all__ = ["AlpacaVenue"]

_ADDRESSES: Final = {
    Environment.PAPER: "https://paper-api.alpaca.markets",
    Environment.LIVE: "https://api.alpaca.markets",
}
_DATA_ADDRESS: Final = "https://data.alpaca.markets"
_STOCKS, _CRYPTO = "/v2/stocks/snapshots", "/v1beta3/crypto/us/snapshots"
_STOCK_BARS, _CRYPTO_BARS = "/v2/stocks/bars", "/v1beta3/crypto/us/bars"
_FEED = "iex"  # the one every account at Alpaca may read
CALL_TIMEOUT_S = 10.0
STREAM_OPEN_S = 10.0
SILENCE_S = 20.0
PAGE = 100
PAGES_MAX = 200
ORDERS_MAX = 500
_FRAME_BYTES_MAX = 1_000_000
_DUPLICATE = "client_order_id must be unique"
_SHOWN = 200
_GROUPED = frozenset({"oco", "oto", "bracket"})


class AlpacaVenue:
    """One account at Alpaca.

    Args:
        credentials: with ``key_id`` and ``secret_key``.
        environment: which of Alpaca's two worlds.
        base_url: another address than that world's own, empty for its own.
    """

    capabilities = ALPACA

    def __init__(self, credentials: Credentials, environment: Environment, *, base_url: str = "") -> None:
        self._key_id, self._secret = credentials["key_id"], credentials["secret_key"]
        self._base = (base_url or _ADDRESSES[environment]).rstrip("/")
        self._data = base_url.rstrip("/") or _DATA_ADDRESS
        headers = {"APCA-API-KEY-ID": self._key_id, "APCA-API-SECRET-KEY": self._secret}
        self._date = ""
        self._http = httpx.AsyncClient(
            base_url=self._base,
            headers=headers,
            timeout=CALL_TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
            event_hooks={"response": [self._note_date]},
        )

    @property
    def dated_at(self) -> datetime | None:
        """When Alpaca says it gave its last answer."""
        return date_of(self._date)

    async def _note_date(self, response: httpx.Response) -> None:
        self._date = response.headers.get("Date", "")

    async def place(self, terms: OrderTerms) -> Answer:
        """Send an order."""
        return await self._request("POST", "/v2/orders", wire.order_body(terms))

    async def place_pair(self, target: OrderTerms, stop: OrderTerms) -> Answer:
        """Send two exits as one order of the class oco."""
        return await self._request("POST", "/v2/orders", wire.pair_body(target, stop))

    async def replace(self, venue_order_id: str, terms: OrderTerms) -> Answer:
        """Put an order in the place of a working one."""
        return await self._request("PATCH", f"/v2/orders/{venue_order_id}", wire.replace_body(terms))

    async def cancel(self, venue_order_id: str, *, symbol: str) -> Refused | NotSent | Uncertain | None:  # noqa: ARG002 - Alpaca's ids are enough
        """Ask for an order's cancellation."""
        try:
            response = await self._http.delete(f"/v2/orders/{venue_order_id}")
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return NotSent(_unreachable(error))
        except httpx.HTTPError as error:
            return Uncertain(type(error).__name__)
        if response.is_success:
            return None
        if response.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}:
            return _refusal(response)
        return self._unusable(response)

    async def find(
        self,
        client_order_id: str,
        *,
        order_id: OrderId,  # noqa: ARG002 - Alpaca finds by client id
        venue_order_id: str | None,
        symbol: str,  # noqa: ARG002 - as above
    ) -> VenueOrder | None:
        """Ask for one order by its client order id; by Alpaca's id where it is known, since legs have no other."""
        path, query = "/v2/orders:by_client_order_id", {"client_order_id": client_order_id}
        if venue_order_id is not None:
            path, query = f"/v2/orders/{venue_order_id}", {"nested": "true"}
        found = await self._ask(path, query, is_absence_told=True)
        if found is None:
            return None
        order = wire.order_of(found)
        if found.get("order_class") in _GROUPED and venue_order_id is None and not order.legs:
            return wire.order_of(await self._ask(f"/v2/orders/{order.venue_order_id}", {"nested": "true"}))
        return order

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Ask for every order that works, newest last, page by page."""
        orders: dict[str, VenueOrder] = {}
        after = ""
        for _ in range(PAGES_MAX):
            query = {"status": "open", "limit": str(ORDERS_MAX), "direction": "asc", "nested": "false"}
            page = _listed(await self._ask("/v2/orders", {**query, "after": after} if after else query))
            fresh = [wire.order_of(item) for item in page]
            orders |= {order.venue_order_id: order for order in fresh}
            if len(page) < ORDERS_MAX:
                return tuple(orders.values())
            after = str(page[-1].get("submitted_at", ""))
        raise wire.protocol_error("more open orders than there can be")

    async def executions(self, since: datetime | None) -> tuple[VenueFill, ...]:
        """Ask for FILL activities from a moment on, page by page."""
        fills: list[VenueFill] = []
        query = {"direction": "asc", "page_size": str(PAGE)}
        if since is not None:
            query["after"] = since.astimezone(UTC).isoformat()
        for _ in range(PAGES_MAX):
            page = _listed(await self._ask("/v2/account/activities/FILL", query))
            fills += [wire.fill_of_activity(item) for item in page]
            if len(page) < PAGE:
                return tuple(fills)
            query["page_token"] = str(page[-1]["id"])
        raise wire.protocol_error("more executions than there can be")

    async def positions(self) -> Mapping[str, Decimal]:
        """Ask for the quantities held."""
        found: dict[str, Decimal] = {}
        for item in _listed(await self._ask("/v2/positions", {})):
            symbol, qty = wire.position_of(item)
            found[symbol] = found.get(symbol, Decimal(0)) + qty
        return found

    async def quotes(self, symbols: Sequence[str]) -> tuple[Quote, ...]:
        """Ask for snapshots of stocks, as IEX saw them, and of pairs of crypto currencies."""
        pairs = [symbol for symbol in symbols if "/" in symbol]
        stocks = [symbol for symbol in symbols if "/" not in symbol]
        found: dict[str, object] = {}
        if stocks:
            found |= _named(await self._ask(self._data + _STOCKS, {"symbols": ",".join(stocks), "feed": _FEED}))
        if pairs:
            answer = _named(await self._ask(self._data + _CRYPTO, {"symbols": ",".join(pairs)}))
            found |= _named(answer.get("snapshots"))
        quotes = (wire.quote_of(symbol, found.get(symbol)) for symbol in symbols)
        return tuple(quote for quote in quotes if quote is not None)

    async def bars(self, asked: AskedBars) -> VenueBarsView:
        """Ask for bars of stocks, from the feed that is named, or of pairs of crypto currencies."""
        is_pair = "/" in asked.symbols[0]
        query = wire.bars_query(asked) | ({} if is_pair else {"adjustment": "raw", "feed": asked.data_feed})
        return wire.bars_of(await self._ask(self._data + (_CRYPTO_BARS if is_pair else _STOCK_BARS), query))

    async def cash(self) -> Decimal:
        """Ask for the account's cash."""
        return wire.cash_of(await self._ask("/v2/account", {}))

    async def stream(self) -> AsyncIterator[Report]:
        """Listen to trade updates."""
        address = self._base.replace("http", "ws", 1) + "/stream"
        try:
            async with connect(
                address,
                open_timeout=STREAM_OPEN_S,
                ping_interval=SILENCE_S / 2,
                ping_timeout=SILENCE_S / 2,
                max_size=_FRAME_BYTES_MAX,
                proxy=None,
            ) as socket:
                async with asyncio.timeout(STREAM_OPEN_S):
                    await self._log_in(socket)
                yield None
                async for frame in socket:
                    for report in _reports(frame):
                        yield report
        except TimeoutError as error:
            raise VenueError("VENUE_SILENT", "the venue's stream does not answer") from error
        except (OSError, WebSocketException, InvalidHandshake, InvalidURI) as error:
            raise VenueError("VENUE_UNREACHABLE", f"the venue's stream ended: {type(error).__name__}") from error
        raise VenueError("VENUE_UNREACHABLE", "the venue closed its stream")

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()

    async def _log_in(self, socket: Any) -> None:  # noqa: ANN401 - the library's class is generic
        await socket.send(_text({"action": "auth", "key": self._key_id, "secret": self._secret}))
        answer = wire.parse(await socket.recv())
        status = wire.authorization_of(answer)
        if status != "authorized":
            raise VenueError("VENUE_AUTH", "the venue's stream refuses the credentials: add them again")
        await socket.send(_text({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        while wire.parse(await socket.recv()).get("stream") != "listening":
            pass

    async def _request(self, method: str, path: str, body: dict[str, object]) -> Answer:
        try:
            response = await self._http.request(method, path, content=_text(body).encode(), headers=_JSON)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return NotSent(_unreachable(error))
        except httpx.HTTPError as error:
            return Uncertain(f"the connection broke before the answer ({type(error).__name__})")
        if response.is_success:
            try:
                return Taken(wire.order_of(wire.parse(response.content)))
            except AlphintraError as error:
                return Uncertain(error.detail)
        unusable = self._unusable(response)
        if isinstance(unusable, NotSent | Uncertain):
            return unusable
        refusal = _refusal(response)
        return Duplicate() if _DUPLICATE in refusal.reason else refusal

    def _unusable(self, response: httpx.Response) -> NotSent | Uncertain | Refused:
        """Sort the answers that are no decision on an order from those that are."""
        error = _error_of(response)
        if error.code == "VENUE_UNREACHABLE":
            return Uncertain(error.detail)
        return _refusal(response) if error.code == "VENUE_REFUSED" else NotSent(error)

    async def _ask(self, path: str, query: dict[str, str], *, is_absence_told: bool = False) -> Any:  # noqa: ANN401 - JSON
        try:
            response = await self._http.get(path, params=query)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        if response.is_success:
            return wire.parse(response.content)
        if is_absence_told and response.status_code == HTTPStatus.NOT_FOUND and _is_problem(response):
            return None
        raise _error_of(response)


_JSON = {"Content-Type": "application/json"}


def _text(data: Mapping[str, object]) -> str:
    return msgspec.json.encode(data).decode()


def _listed(data: Any) -> list[Any]:  # noqa: ANN401 - JSON of any shape
    if not isinstance(data, list):
        raise wire.protocol_error("something that is no list")
    return data


def _named(data: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON of any shape
    if not isinstance(data, dict):
        raise wire.protocol_error("something that has no names")
    return data


def _unreachable(error: Exception) -> VenueError:
    return VenueError("VENUE_UNREACHABLE", f"the venue cannot be reached ({type(error).__name__})")


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = wire.parse(response.content)
    except VenueError:
        return {}
    return body if isinstance(body, Mapping) else {}


def _is_problem(response: httpx.Response) -> bool:
    """Tell whether it is Alpaca that answers: a proxy's 404 says nothing about an order."""
    return "message" in _problem(response)


def _refusal(response: httpx.Response) -> Refused:
    problem = _problem(response)
    number = problem.get("code", response.status_code)
    reason = str(problem.get("message", "no reason given"))[:_SHOWN]
    return Refused("VENUE_REJECTED", f"{reason} ({number})")


def _error_of(response: httpx.Response) -> VenueError:
    status, problem = response.status_code, _problem(response)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return VenueError("VENUE_BUSY", "the venue was called too often", retry_after=_retry_after(response))
    if status == HTTPStatus.UNAUTHORIZED or (status == HTTPStatus.FORBIDDEN and "code" not in problem):
        return VenueError("VENUE_AUTH", "the venue refuses the credentials: add them again")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or not problem:
        return VenueError("VENUE_UNREACHABLE", f"the venue answered with HTTP {status}")
    return VenueError("VENUE_REFUSED", f"the venue refuses with HTTP {status}: {_refusal(response).reason}")


def _retry_after(response: httpx.Response) -> timedelta | None:
    text = response.headers.get("Retry-After", "")
    return timedelta(seconds=int(text)) if text.isdecimal() else None


def _reports(frame: bytes | str) -> list[VenueOrder | VenueFill]:
    message = wire.parse(frame)
    if not isinstance(message, Mapping) or message.get("stream") != "trade_updates":
        return []
    return wire.reports_of(message.get("data"))
