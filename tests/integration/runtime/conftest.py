"""Homes, clocks and waits for tests with real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alphintra.runtime.home import Home

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]

_DEADLINE_S = 120.0


class SteadyClock:
    """A clock that stands still: no test here depends on the time."""

    def now(self) -> datetime:
        return datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> SteadyClock:
    return SteadyClock()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A fresh home below pytest's folder, which is closed to the servers' account just as /root is."""
    return Home.open(tmp_path / "home")


@pytest.fixture
def eventually() -> Eventually:
    """Wait until a condition holds; fails the test at the deadline."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(_DEADLINE_S):
            while not condition():  # noqa: ASYNC110 - other processes change it
                await asyncio.sleep(0.02)

    return wait
