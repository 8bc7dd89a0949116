"""The auth service on a database of the test's own."""

from __future__ import annotations

import pytest_asyncio

from alphintra.auth.app import wire
from alphintra.infrastructure.host import Parts
from fixtures.services import StartService
from fixtures.single_service import SettableClock
from integration.auth.scene import SEED, Auth


@pytest_asyncio.fixture
async def auth(start_service: StartService) -> Auth:
    clock = SettableClock()
    parts = Parts(background=False)  # events stay in the outbox, where the test looks
    service = await start_service("auth", wire, secrets={"jwt_seed": SEED}, clock=clock, parts=parts)
    return Auth(service=service, clock=clock)
