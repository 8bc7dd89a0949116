"""Notification with its channels, a webhook and a mail server, for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest_asyncio

from fixtures.single_service import opened
from integration.notification.receivers import Desk, Mailbox, Opening, Receiver, mail_server, webhook_server

if TYPE_CHECKING:
    from fixtures.postgres import ServiceDatabase


@pytest_asyncio.fixture
async def database(service_database: Callable[[str], Awaitable[ServiceDatabase]]) -> ServiceDatabase:
    return await service_database("notification")


@pytest_asyncio.fixture
async def opening(database: ServiceDatabase) -> AsyncIterator[Opening]:
    async with AsyncExitStack() as stack:

        async def made(**options: object) -> Desk:
            return Desk(await stack.enter_async_context(opened(database)), **options)  # type: ignore[arg-type]

        yield made


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_server(Receiver()) as listening:
        yield listening


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with mail_server(Mailbox()) as listening:
        yield listening
