"""Every adapter, put to work: ``bench`` is each of them, ``remote`` each whose venue is elsewhere."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, TypeAlias

import pytest
import pytest_asyncio

from fixtures.exchange.binance import SimulatedBinance, running_binance
from fixtures.exchange.server import SimulatedExchange, running_exchange
from fixtures.single_service import opened
from fixtures.venue.server import SimulatedVenue, running_venue
from integration.broker.conformance.at_binance import BinanceBench, BinanceDesk
from integration.broker.conformance.benches import PaperBench
from integration.broker.conformance.remote import AlpacaBench, ExchangeBench, ExchangeDesk
from integration.broker.desk import Desk
from integration.broker.live_desk import LiveDesk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fixtures.postgres import ServiceDatabase
    from integration.broker.conformance.benches import Bench
    from integration.broker.conformance.remote import RemoteBench

Databases: TypeAlias = "Callable[[str], Awaitable[ServiceDatabase]]"


async def _paper(databases: Databases, stack: AsyncExitStack) -> PaperBench:
    database = await databases("broker")
    bench = PaperBench(await Desk.over(database, await stack.enter_async_context(opened(database))))
    await bench.prepare()
    return bench


async def _alpaca(databases: Databases, stack: AsyncExitStack) -> AlpacaBench:
    database = await databases("broker")
    connected = await stack.enter_async_context(opened(database))
    venue = await stack.enter_async_context(running_venue(SimulatedVenue()))
    bench = AlpacaBench(LiveDesk(database=database, connected=connected, venue=venue))
    await bench.prepare()
    return bench


async def _ccxt(databases: Databases, stack: AsyncExitStack) -> ExchangeBench:
    database = await databases("broker")
    connected = await stack.enter_async_context(opened(database))
    exchange = await stack.enter_async_context(running_exchange(SimulatedExchange()))
    desk = ExchangeDesk(database=database, connected=connected, venue=SimulatedVenue(), exchange=exchange)
    bench = ExchangeBench(desk)
    await bench.prepare()
    return bench


async def _binance(databases: Databases, stack: AsyncExitStack) -> BinanceBench:
    database = await databases("broker")
    connected = await stack.enter_async_context(opened(database))
    exchange = await stack.enter_async_context(running_binance(SimulatedBinance()))
    desk = BinanceDesk(database=database, connected=connected, venue=SimulatedVenue(), exchange=exchange)
    bench = BinanceBench(desk)
    await bench.prepare()
    return bench


@pytest_asyncio.fixture(
    params=[_paper, _alpaca, _ccxt, _binance], ids=["paper", "alpaca", "ccxt-kraken", "ccxt-binance"]
)
async def bench(service_database: Databases, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        yield await request.param(service_database, stack)


@pytest_asyncio.fixture(params=[_alpaca, _ccxt, _binance], ids=["alpaca", "ccxt-kraken", "ccxt-binance"])
async def remote(service_database: Databases, request: pytest.FixtureRequest) -> AsyncIterator[RemoteBench]:
    async with AsyncExitStack() as stack:
        yield await request.param(service_database, stack)


@pytest_asyncio.fixture(params=[_ccxt, _binance], ids=["ccxt-kraken", "ccxt-binance"])
async def telling(
    service_database: Databases, request: pytest.FixtureRequest
) -> AsyncIterator[ExchangeBench | BinanceBench]:
    async with AsyncExitStack() as stack:
        yield await request.param(service_database, stack)


@pytest_asyncio.fixture
async def at_binance(service_database: Databases) -> AsyncIterator[BinanceBench]:
    async with AsyncExitStack() as stack:
        yield await _binance(service_database, stack)


@pytest_asyncio.fixture
async def at_exchange(service_database: Databases) -> AsyncIterator[ExchangeBench]:
    async with AsyncExitStack() as stack:
        yield await _ccxt(service_database, stack)
