"""The broker the tests of this folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from fixtures.single_service import opened
from fixtures.venue.server import SimulatedVenue, running_venue
from integration.broker.desk import Desk
from integration.broker.live_desk import LiveDesk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fixtures.postgres import ServiceDatabase


@pytest_asyncio.fixture
async def desk(service_database: Callable[[str], Awaitable[ServiceDatabase]]) -> AsyncIterator[Desk]:
    database = await service_database("broker")
    async with opened(database) as connected:
        yield await Desk.over(database, connected)


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[SimulatedVenue]:
    async with running_venue(SimulatedVenue()) as running:
        yield running


@pytest_asyncio.fixture
async def live_desk(
    service_database: Callable[[str], Awaitable[ServiceDatabase]], venue: SimulatedVenue
) -> AsyncIterator[LiveDesk]:
    database = await service_database("broker")
    async with opened(database) as connected:
        yield LiveDesk(database=database, connected=connected, venue=venue)
