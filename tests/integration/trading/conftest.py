"""The trading service the tests of this folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from integration.trading.desk import Desk, trading_desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase


@pytest_asyncio.fixture
async def desk(
    service_database: Callable[[str], Awaitable[ServiceDatabase]], nats_server: NatsServer
) -> AsyncIterator[Desk]:
    async with trading_desk(await service_database("trading"), nats_server) as desk:
        desk.account_id = (await desk.open_account()).account_id
        yield desk
