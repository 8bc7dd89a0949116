"""What is taken from an exchange's streams, and what is a reason to ask the exchange."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, nullcontext
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.broker.domain.reports import VenueFill, VenueOrder, VenueState
from alphintra.broker.gateways.ccxt_profiles import Profile, offered_streams, profile_of
from alphintra.broker.gateways.ccxt_stream import Streams
from alphintra.broker.gateways.venue import VenueError
from unit.broker.exchange_trade import TRADE

if TYPE_CHECKING:
    from alphintra.broker.gateways.venue import Report

OURS = "0199c5f81c1e7a529c1f0d8c8f2a6b11"
ORDER: dict[str, Any] = {
    "id": "o1",
    "clientOrderId": OURS,
    "symbol": "BTC/USD",
    "status": "canceled",
    "filled": Decimal(1),
    "amount": Decimal(3),
}


class Library:
    """As much of the library's client as streams call: two lists, a handler of messages, and calls that wait."""

    id = "example"

    def __init__(self) -> None:
        self.has: dict[str, object] = {"watchMyTrades": True, "watchOrders": True}
        self.markets: dict[str, object] = {"BTC/USD": {}}
        self.myTrades: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []
        self.fails_with: asyncio.Queue[Exception] = asyncio.Queue()

    def handle_message(self, _connection: object, message: dict[str, Any]) -> None:
        """Keep what a message tells."""
        if message.get("is_unreadable"):
            raise TypeError("unreadable")
        self.myTrades += message.get("trades", [])
        self.orders += message.get("orders", [])

    async def watch_my_trades(self) -> None:
        """Wait for what never comes, or fail."""
        raise await self.fails_with.get()

    async def watch_orders(self) -> None:
        """Wait for what never comes."""
        await asyncio.Event().wait()

    async def close_ws_clients(self) -> None:
        """Close nothing."""


class Listening:
    """Streams over the library, read one report at a time; the first, which says that it listens, is read."""

    def __init__(self, profile: Profile) -> None:
        self.library = Library()
        self.found: VenueOrder | None = None
        self.looked: list[tuple[str, str | None]] = []
        streams = Streams(self.library, profile, quote="USD", calling=nullcontext, look=self.look)
        self.reports = streams.reports()

    async def look(self, venue_order_id: str, symbol: str | None) -> VenueOrder | None:
        """Answer what the exchange has."""
        self.looked.append((venue_order_id, symbol))
        if self.found is None:
            raise VenueError("VENUE_BUSY", "not now")
        return self.found

    async def hears(self, **message: object) -> Report:
        """Let a message come, and return what is reported next."""
        reading = asyncio.ensure_future(anext(self.reports))
        await asyncio.sleep(0)
        self.library.handle_message(None, message)
        async with asyncio.timeout(30):
            return await reading


async def heard(profile: Profile, **message: object) -> Report:
    """Return what is reported for one message."""
    listening = Listening(profile)
    async with aclosing(listening.reports):
        assert await anext(listening.reports) is None
        return await listening.hears(**message)


KNOWN = replace(profile_of("binance"), is_serial=False)


async def test_executions_and_ends_are_taken_where_they_are_what_the_exchange_lists() -> None:
    fill = await heard(KNOWN, trades=[TRADE])
    assert isinstance(fill, VenueFill)
    assert (fill.execution_id, fill.qty, fill.fee) == ("t1", Decimal("0.5"), Decimal("0.1"))
    order = await heard(KNOWN, orders=[ORDER])
    assert isinstance(order, VenueOrder)
    assert (order.client_order_id, order.state, order.filled_qty) == (OURS, VenueState.CANCELED, Decimal(1))


@pytest.mark.parametrize(
    "change",
    [
        {"amount": None},
        {"symbol": "DOGE/MOON"},
        {"amount": Decimal("123456789.12345678")},
        {"price": Decimal("1234567890.1234567")},
        {"info": {"fees": [{}, {}]}},
        {"id": None},
    ],
)
async def test_an_execution_that_is_not_certain_is_asked_for(change: dict[str, object]) -> None:
    assert await heard(KNOWN, trades=[{**TRADE, **change}]) is None


async def test_an_exchange_nobody_looked_at_is_asked_whatever_it_tells() -> None:
    assert await heard(Profile(), trades=[TRADE]) is None
    assert await heard(Profile(), orders=[ORDER]) is None


@pytest.mark.parametrize("change", [{"filled": None}, {"clientOrderId": None}, {"symbol": None}])
async def test_how_an_order_ended_is_asked_where_the_stream_does_not_say_it(change: dict[str, object]) -> None:
    listening = Listening(KNOWN)
    listening.found = VenueOrder(
        venue_order_id="o1",
        client_order_id=OURS,
        symbol="BTC/USD",
        state=VenueState.CANCELED,
        word="canceled",
        filled_qty=Decimal(2),
    )
    async with aclosing(listening.reports):
        await anext(listening.reports)
        assert await listening.hears(orders=[{**ORDER, **change}]) is listening.found
        listening.found = None
        assert await listening.hears(orders=[{**ORDER, **change, "id": "o2"}]) is None
    assert [name for name, _ in listening.looked] == ["o1", "o2"]


async def test_what_was_told_is_not_told_again_and_working_orders_say_nothing() -> None:
    listening = Listening(KNOWN)
    async with aclosing(listening.reports):
        await anext(listening.reports)
        await listening.hears(trades=[TRADE])
        nothing_new: dict[str, Any] = {"trades": [TRADE], "orders": [{**ORDER, "status": "open"}]}
        listening.library.handle_message(None, nothing_new)
        fill = await listening.hears(trades=[{**TRADE, "id": "t2"}])
    assert isinstance(fill, VenueFill)
    assert fill.execution_id == "t2"


async def test_a_message_the_library_stumbles_over_is_a_reason_to_ask() -> None:
    assert await heard(KNOWN, is_unreadable=True) is None


async def test_a_stream_that_ends_is_opened_again_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    rest = asyncio.sleep

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        await rest(0)

    listening = Listening(KNOWN)
    async with aclosing(listening.reports):
        await anext(listening.reports)
        monkeypatch.setattr("alphintra.broker.gateways.ccxt_stream.asyncio.sleep", pause)
        for _ in range(3):
            listening.library.fails_with.put_nowait(ConnectionError("cut"))
            async with asyncio.timeout(30):
                assert await anext(listening.reports) is None
    assert [each for each in waited if each] == [1.0, 2.0, 4.0]


def test_only_streams_the_library_has_are_offered() -> None:
    library = Library()
    library.has = {"watchMyTrades": None, "watchOrders": True}
    assert offered_streams(library) == ("watch_orders",)
