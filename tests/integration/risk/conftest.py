"""A risk service on a database of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from fixtures.single_service import opened
from integration.risk.desk import Desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fixtures.postgres import ServiceDatabase


@pytest_asyncio.fixture
async def desk(service_database: Callable[[str], Awaitable[ServiceDatabase]]) -> AsyncIterator[Desk]:
    async with opened(await service_database("risk")) as database:
        yield Desk(database)
