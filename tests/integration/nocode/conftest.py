"""The nocode service on a database of the test's own."""

from __future__ import annotations

import pytest_asyncio

from alphintra.infrastructure.host import Parts
from alphintra.nocode.app import wire
from fixtures.services import StartService
from fixtures.single_service import SettableClock
from integration.nocode.studio import Studio


@pytest_asyncio.fixture
async def studio(start_service: StartService) -> Studio:
    clock = SettableClock()
    parts = Parts(background=False)  # events stay in the outbox, where the test looks
    return Studio(service=await start_service("nocode", wire, clock=clock, parts=parts), clock=clock)
