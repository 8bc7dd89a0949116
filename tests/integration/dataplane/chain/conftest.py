"""An audit log to seal and to tamper with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.dataplane.chain.audited import Log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fixtures.postgres import ServiceDatabase


@pytest.fixture
async def log(service_database: Callable[[str], Awaitable[ServiceDatabase]]) -> Log:
    """Return the empty audit log of a service of its own."""
    return Log(await service_database("user"))
