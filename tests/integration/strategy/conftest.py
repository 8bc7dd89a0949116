"""The strategy service the tests of this folder share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest_asyncio

from fixtures.single_service import opened
from integration.strategy.stage import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fixtures.postgres import ServiceDatabase


@pytest_asyncio.fixture
async def stage(service_database: Callable[[str], Awaitable[ServiceDatabase]], tmp_path: Path) -> AsyncIterator[Stage]:
    database = await service_database("strategy")
    async with opened(database) as connected:
        yield await Stage.over(database, connected, tmp_path)
