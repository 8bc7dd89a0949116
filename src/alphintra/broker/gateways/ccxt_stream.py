"""What exchanges tell by themselves, over the library's streams.

A stream is an addition: whether or not it works, the exchange is asked again and again. What it tells is taken from it
only where that is certain to be what the exchange answers when asked; anything else is a reason to ask now.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from decimal import localcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from alphintra.broker.gateways import ccxt_wire as wire
from alphintra.broker.gateways.ccxt_profiles import offered_streams
from alphintra.broker.gateways.venue import VenueError
from alphintra.infrastructure.telemetry import get_logger

if TYPE_CHECKING:
    from alphintra.broker.domain.reports import VenueFill, VenueOrder
    from alphintra.broker.gateways.ccxt_profiles import Profile
    from alphintra.broker.gateways.venue import Report

__all__ = ["Streams"]

WAITING_MAX: Final = 10_000
PAUSE_MAX: Final = timedelta(seconds=60)
_DIGITS_EXACT: Final = 15  # what a number in JSON keeps on its way through a float
_NEWEST: Final = 50  # more do not come with one message
_SEEN_MAX: Final = 1_000
_WORKING: Final = frozenset({"open", "None", ""})


class _Ended(NamedTuple):
    """A stream ended, and what it said."""

    said: str


class _Asked(NamedTuple):
    """An order ended; how, the exchange is to be asked."""

    venue_order_id: str
    symbol: str | None


_Key: TypeAlias = tuple[str, ...]
_Told: TypeAlias = "VenueOrder | VenueFill | _Asked | _Ended | None"


class Streams:
    """The streams of one account.

    Args:
        client: the library's.
        profile: what else is known of the exchange.
        quote: the account's currency.
        calling: what a call of the library is made in.
        look: asks for an order by the exchange's id of it.
    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - the library's classes are not typed
        profile: Profile,
        *,
        quote: str,
        calling: Callable[[], AbstractAsyncContextManager[object]],
        look: Callable[[str, str | None], Awaitable[VenueOrder | None]],
    ) -> None:
        self._client = client
        self._profile = profile
        self._quote = quote
        self._calling = calling
        self._look = look
        self._watchers: list[asyncio.Task[None]] = []
        self._told: asyncio.Queue[_Told] = asyncio.Queue(WAITING_MAX)
        self._seen: deque[_Key] = deque(maxlen=_SEEN_MAX)
        self._handle = getattr(client, "handle_message", None)
        # What the library's calls return leaves out what came between two of them: its lists are looked at instead.
        client.handle_message = self._heard

    async def reports(self) -> AsyncGenerator[Report, None]:
        """Listen for as long as somebody reads; never fails: what breaks is opened anew.

        None at the start, after each interruption, and wherever the exchange is to be asked.
        """
        failures = 0
        while True:
            yield None
            self._told = asyncio.Queue(WAITING_MAX)
            self._watchers = [
                asyncio.create_task(self._watch(method), name=f"ccxt {method}")
                for method in offered_streams(self._client)
            ]
            try:
                while not isinstance(report := await self._told.get(), _Ended):
                    failures = 0
                    yield await self._report(report)
            finally:
                await self.close()
            failures += 1
            pause = min(PAUSE_MAX, timedelta(seconds=2 ** min(failures - 1, 6)))
            get_logger().info("venue.stream_ended", exchange=self._client.id, said=report.said, pause=str(pause))
            await asyncio.sleep(pause.total_seconds())

    async def close(self) -> None:
        """End what listens, and its connections."""
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        await self._client.close_ws_clients()

    async def _report(self, told: VenueOrder | VenueFill | _Asked | None) -> Report:
        if not isinstance(told, _Asked):
            return told
        try:
            return await self._look(told.venue_order_id, told.symbol)
        except VenueError:
            return None

    async def _watch(self, method: str) -> None:
        """Keep one stream open; tells its end, whoever ended it."""
        said = "closed"
        try:
            while True:
                if self._profile.is_serial:  # the token of the stream is asked for in the order of the numbers, too
                    async with self._calling():
                        await self._client.load_markets()
                        await self._client.authenticate()
                with localcontext():  # the library changes how its caller's decimals are rounded
                    await getattr(self._client, method)()
        except Exception as error:  # noqa: BLE001 - the library stumbles over what it does not expect
            said = type(error).__name__
        finally:
            self._tell(_Ended(said))

    def _heard(self, connection: object, message: object) -> None:
        """Let the library take in a message, and tell what is new in its lists."""
        try:
            if self._handle is not None:
                self._handle(connection, message)
        except Exception as error:  # noqa: BLE001 - as above; an exception here would end the stream unheard
            get_logger().info("venue.stream_unread", exchange=self._client.id, said=type(error).__name__)
            self._tell(None)
        executions, orders = self._client.myTrades, self._client.orders
        for item in self._fresh(executions, "id"):
            self._tell(self._execution(item))
        for item in self._fresh(orders, "id", "status", "filled"):
            if str(item.get("status")) not in _WORKING:
                self._tell(self._order(item))

    def _fresh(self, items: Sequence[Mapping[str, Any]] | None, *names: str) -> list[Mapping[str, Any]]:
        """Return those of the newest items that were not there yet, oldest first."""
        fresh = []
        for item in [] if items is None else items[-_NEWEST:]:
            key = tuple(str(item.get(name)) for name in names)
            if key not in self._seen:
                self._seen.append(key)
                fresh.append(item)
        return fresh

    def _tell(self, told: _Told) -> None:
        if self._told.full():
            self._told.get_nowait()  # which will be found when the exchange is asked
        self._told.put_nowait(told)

    def _execution(self, data: Mapping[str, Any]) -> VenueFill | None:
        """Return an execution, None where it is to be asked for."""
        if not self._profile.tells_executions or data.get("symbol") not in (self._client.markets or {}):
            return None
        if len((data.get("info") or {}).get("fees") or []) > 1:  # of which the library reads the first
            return None
        try:
            fill = wire.fill_of(data, quote=self._quote)
        except VenueError:
            return None
        amounts = (fill.qty, fill.price, fill.fee, fill.fee_qty)
        is_exact = all(len(each.normalize().as_tuple().digits) <= _DIGITS_EXACT for each in amounts)
        return fill if is_exact else None

    def _order(self, data: Mapping[str, Any]) -> VenueOrder | _Asked | None:
        """Return an order that ended, or that it is to be asked for."""
        if not self._profile.tells_executions or not isinstance(data.get("id"), str):
            return None
        try:
            order = wire.order_of(data)
        except VenueError:
            return _Asked(data["id"], data.get("symbol"))
        is_whole = data.get("filled") is not None and wire.is_ours(order.client_order_id)
        return order if is_whole else _Asked(order.venue_order_id, order.symbol)
