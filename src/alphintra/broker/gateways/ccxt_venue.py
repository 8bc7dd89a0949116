"""Exchanges for crypto currencies through the ccxt library: spot orders over REST; executions told and asked for."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from alphintra.broker.domain.links import Environment, KeyRights
from alphintra.broker.gateways import ccxt_wire as wire
from alphintra.broker.gateways.ccxt_errors import Said, answer_of, error_of, said_by
from alphintra.broker.gateways.ccxt_library import exchange_class
from alphintra.broker.gateways.ccxt_profiles import Finding, capabilities_of, profile_of
from alphintra.broker.gateways.ccxt_rights import question_of
from alphintra.broker.gateways.ccxt_stream import Streams
from alphintra.broker.gateways.venue import Duplicate, NotSent, Refused, Taken, Uncertain, VenueError, date_of
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.broker.domain.capabilities import Capabilities
    from alphintra.broker.domain.reports import VenueFill, VenueOrder
    from alphintra.broker.gateways.vault import Credentials
    from alphintra.broker.gateways.venue import Answer, Report
    from alphintra.contracts.approval import OrderTerms
    from alphintra.kernel.ids import OrderId

__all__ = ["CcxtVenue", "exchange_capabilities"]

CALL_TIMEOUT_MS = 10_000
PAGES_MAX = 200
QUOTE: Final = "USD"
_OPTIONAL: Final = {"password": "passphrase", "uid": "uid"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class CcxtVenue:
    """One account at an exchange.

    Args:
        credentials: with ``key_id`` and ``secret_key``, ``passphrase`` or ``uid`` where the exchange has one, and
            ``quote``, the currency the account is kept in, USD if it is not there.
        exchange: ccxt's id of the exchange.
        environment: the exchange's test system or the one with money.
        base_url: another address than the exchange's own, empty for its own.
    """

    def __init__(
        self, credentials: Credentials, exchange: str, environment: Environment, *, base_url: str = ""
    ) -> None:
        self._profile = profile_of(exchange)
        self._rights = question_of(exchange) if environment is Environment.LIVE else None
        self._quote = credentials.values.get("quote") or QUOTE
        self._secrets = tuple(value for name, value in credentials.values.items() if name != "quote" and value)
        self._client = _client(exchange, credentials)
        _turn_to(self._client, exchange, environment, base_url=base_url)
        if self._profile.is_serial:
            self._client.nonce = _increasing(self._client.milliseconds)
        self.capabilities = capabilities_of(self._client, self._profile)
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if self._profile.is_serial else nullcontext()
        self._symbols: set[str] = set()
        self._by_pair: set[str] = set()
        self._balances: Any = None
        self._streams = Streams(self._client, self._profile, quote=self._quote, calling=self._calling, look=self._look)

    @property
    def dated_at(self) -> datetime | None:
        """When the exchange says it gave its last answer."""
        headers = self._client.last_response_headers or {}
        return date_of(next((str(text) for name, text in headers.items() if str(name).lower() == "date"), ""))

    async def place(self, terms: OrderTerms) -> Answer:
        """Send an order, once it fits the steps and bounds of its market."""
        try:
            market = (await self._markets()).get(terms.symbol)
        except VenueError as error:
            return NotSent(error)
        refusal = wire.check_terms(terms, market, quote=self._quote)
        if refusal is not None:
            return refusal
        self._symbols.add(terms.symbol)
        offered = ((self._client.features or {}).get("spot") or {}).get("createOrder") or {}
        call = wire.order_call(terms, offered)
        try:
            async with self._calling():
                call["params"] |= self._profile.order_params(self._client.milliseconds())
                found = await self._client.create_order(**call)
        except Exception as error:  # noqa: BLE001 - whatever the library stumbles over, the order may be there
            return answer_of(error, self._profile, secrets=self._secrets)
        try:
            return Taken(wire.placed_order(found, terms))
        except VenueError as error:
            return Uncertain(error.detail)

    async def replace(self, venue_order_id: str, terms: OrderTerms) -> Answer:  # noqa: ARG002 - what every venue is asked
        """Refuse: no exchange does it in one step for every kind of order."""
        return Refused("ORDER_UNSUPPORTED", "the exchange does not replace orders: cancel this one and place another")

    async def cancel(self, venue_order_id: str, *, symbol: str) -> Refused | NotSent | Uncertain | None:
        """Ask for an order's cancellation."""
        try:
            async with self._calling():
                await self._client.cancel_order(venue_order_id, symbol)
        except Exception as error:  # noqa: BLE001 - whatever the library stumbles over, the request may have arrived
            answer = answer_of(error, self._profile, secrets=self._secrets)
            return None if isinstance(answer, Duplicate) or "CancelPending" in type(error).__name__ else answer
        return None

    async def find(
        self,
        client_order_id: str,  # noqa: ARG002 - exchanges take no client order id as it is
        *,
        order_id: OrderId,
        venue_order_id: str | None,
        symbol: str,
    ) -> VenueOrder | None:
        """Ask for one order; that it is not there proves nothing where the exchange does not find by our id."""
        self._symbols.add(symbol)
        if venue_order_id is not None:
            return await self._look(venue_order_id, symbol)
        name = order_id.hex
        if self._profile.finding is Finding.ORDER:
            params = {"clientOrderId": name, "origClientOrderId": name}
            found = await self._ask(lambda: self._client.fetch_order("", symbol, params), is_absence_told=True)
            orders = [] if found is None else [wire.order_of(found)]
        else:
            orders = await self._listed(name, symbol)
        return next((order for order in orders if order.client_order_id == name), None)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Ask for every order that works."""
        found = await self._by_symbol("orders", self._client.fetch_open_orders)
        orders = {order.venue_order_id: order for order in map(wire.order_of, found)}
        self._symbols |= {order.symbol for order in orders.values()}
        return tuple(orders.values())

    async def executions(self, since: datetime | None) -> tuple[VenueFill, ...]:
        """Ask for executions from a moment on, page by page."""
        start = None if since is None else round((since - _EPOCH).total_seconds() * 1000)
        found = await self._by_symbol("executions", lambda symbol: self._pages(symbol, start))
        fills = {fill.execution_id: fill for fill in (wire.fill_of(each, quote=self._quote) for each in found)}
        return tuple(sorted(fills.values(), key=lambda fill: (fill.executed_at, fill.execution_id)))

    async def positions(self) -> Mapping[str, Decimal]:
        """Ask for what is held of all that is traded against the account's currency."""
        markets = await self._markets()
        self._balances = await self._ask(self._client.fetch_balance)
        held = wire.positions_of(self._balances, markets, quote=self._quote)
        self._symbols |= held.keys()
        return held

    async def cash(self) -> Decimal:
        """Ask for what there is of the account's currency; an answer about positions told it too, once."""
        balances, self._balances = self._balances, None
        if balances is None:
            balances = await self._ask(self._client.fetch_balance)
        return wire.total_of(balances, self._quote)

    async def rights(self) -> KeyRights:
        """Ask for the rights of the key where there is money and the exchange is known to tell them."""
        asked = self._rights
        if asked is None:
            return KeyRights()
        try:
            answer = await self._ask(getattr(self._client, asked.method))
        except VenueError as error:
            if error.code in {"VENUE_REFUSED", "VENUE_PROTOCOL"}:  # it does not tell them of this key
                return KeyRights()
            raise
        return asked.read(answer) if isinstance(answer, Mapping) else KeyRights()

    def stream(self) -> AsyncIterator[Report]:
        """Listen to what the exchange tells by itself, where it does; None wherever it is to be asked at once."""
        return self._streams.reports()

    async def close(self) -> None:
        """Close what is open."""
        await self._streams.close()
        await self._client.close()

    async def _look(self, venue_order_id: str, symbol: str | None) -> VenueOrder | None:
        found = await self._ask(lambda: self._client.fetch_order(venue_order_id, symbol), is_absence_told=True)
        return None if found is None else wire.order_of(found)

    @asynccontextmanager
    async def _calling(self) -> AsyncIterator[None]:
        """Call the library, which changes how its caller's decimals are rounded, in a context of its own."""
        async with self._turn:
            with localcontext():
                yield

    async def _markets(self) -> Mapping[str, Any]:
        return await self._ask(self._client.load_markets)  # type: ignore[no-any-return] # by symbol

    async def _listed(self, name: str, symbol: str) -> list[VenueOrder]:
        """Look through open orders, then closed ones: an order goes from the first to the second."""
        params = {"clientOrderId": name} if self._profile.finding is Finding.LISTS else {}
        found = await self._ask(lambda: self._client.fetch_open_orders(symbol, params=params))
        for method in ("fetch_closed_orders", "fetch_canceled_orders", "fetch_orders"):
            if self._client.has.get(_camel(method)) is True:
                look = getattr(self._client, method)
                found = [*found, *await self._ask(partial(look, symbol, params=params))]
                if params:
                    break
        return [wire.order_of(each) for each in found]

    async def _by_symbol(self, what: str, ask: Callable[[str | None], Awaitable[list[Any]]]) -> list[Any]:
        """Ask for all symbols at once, or for each that is known of, as the exchange wants it for what is asked."""
        if what not in self._by_pair:
            try:
                return await self._ask(partial(ask, None), is_symbol_missing_told=True)  # type: ignore[no-any-return]
            except _SymbolNeededError:
                self._by_pair.add(what)
        return [each for symbol in sorted(self._symbols) for each in await self._ask(partial(ask, symbol))]

    async def _pages(self, symbol: str | None, start: int | None) -> list[Any]:
        """Read executions until a page brings nothing new."""
        known: dict[str, Any] = {}
        for _ in range(PAGES_MAX):
            skip = self._profile.page_param
            params = {skip: len(known)} if skip and known else {}
            page = await self._client.fetch_my_trades(symbol, start, params=params)
            fresh = {each["id"]: each for each in page if each["id"] not in known}
            if not fresh:
                return list(known.values())
            known |= fresh
            if not skip:
                start = max(each["timestamp"] for each in page)
        raise wire.protocol_error("more executions than there can be")

    async def _ask(
        self, call: Callable[[], Awaitable[Any]], *, is_absence_told: bool = False, is_symbol_missing_told: bool = False
    ) -> Any:  # noqa: ANN401 - structures of the library
        try:
            async with self._calling():
                return await call()
        except AlphintraError:
            raise
        except Exception as error:  # the library stumbles over answers it does not expect
            said = said_by(error, self._profile)
            if is_absence_told and said in {Said.ABSENT, Said.REFUSED}:
                return None
            if is_symbol_missing_told and type(error).__name__ == "ArgumentsRequired":
                raise _SymbolNeededError from error
            raise error_of(error, self._profile, secrets=self._secrets) from error


@cache
def exchange_capabilities(exchange: str) -> Capabilities | None:
    """Return what an exchange can do, None where the library or the exchange is not there any more."""
    try:
        client = exchange_class(exchange)({"enableRateLimit": False})
    except AlphintraError:
        return None
    return capabilities_of(client, profile_of(exchange))


class _SymbolNeededError(Exception):
    """The exchange answers for one symbol at a time only."""


def _client(exchange: str, credentials: Credentials) -> Any:  # noqa: ANN401 - the library's classes are not typed
    """Return the library's client: one that counts in decimals, waits nowhere by itself and logs nothing."""
    client = exchange_class(exchange)({"enableRateLimit": False, "timeout": CALL_TIMEOUT_MS})
    client.apiKey, client.secret = credentials["key_id"], credentials["secret_key"]
    for name, ours in _OPTIONAL.items():
        if client.requiredCredentials.get(name):
            setattr(client, name, credentials[ours])
    client.number = Decimal
    client.options["defaultType"] = "spot"
    client.options["maxRetriesOnFailure"] = 0
    client.options.update(profile_of(exchange).options)
    client.on_json_response = _texts  # with another JSON library installed the client would count in floats
    client.logger = logging.Logger("ccxt", logging.CRITICAL)  # noqa: LOG001 - the client logs headers with keys
    client.timeout_on_exit = 0
    return client


def _turn_to(client: Any, exchange: str, environment: Environment, *, base_url: str) -> None:  # noqa: ANN401 - as above
    """Turn a client to a test system or another address. Raises ENVIRONMENT_UNKNOWN."""
    if base_url:
        client.urls["api"] = _moved(client.urls["api"], base_url.rstrip("/"))
    elif environment is Environment.PAPER:
        if not client.urls.get("test"):
            message = f"{exchange} has no test system: its only environment is live"
            raise AlphintraError("ENVIRONMENT_UNKNOWN", message, pointer="/environment")
        client.set_sandbox_mode(True)


def _moved(urls: Any, base_url: str) -> Any:  # noqa: ANN401 - texts, by name or not
    if isinstance(urls, Mapping):
        return {name: _moved(each, base_url) for name, each in urls.items()}
    if not isinstance(urls, str):
        return urls
    parts = urlsplit(urls)
    return (base_url.replace("http", "ws", 1) if parts.scheme.startswith("ws") else base_url) + parts.path


def _texts(body: str) -> Any:  # noqa: ANN401 - JSON of any shape
    return json.loads(body, parse_float=str, parse_int=str)


def _increasing(milliseconds: Callable[[], int]) -> Callable[[], int]:
    """Number requests by time, but never twice the same."""
    last = 0

    def number() -> int:
        nonlocal last
        last = max(last + 1, milliseconds())
        return last

    return number


def _camel(method: str) -> str:
    first, *others = method.split("_")
    return first + "".join(map(str.capitalize, others))
