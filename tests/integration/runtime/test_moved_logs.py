"""The keeper of an audit log goes with its service: a move is no fault of the log, and nothing waits longer for it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest
from structlog.testing import capture_logs

from alphintra.infrastructure.system import SystemClock
from alphintra.runtime.audit_keys import witness_of
from alphintra.runtime.chain import keeper
from alphintra.runtime.chain.work import logs_of, verify_logs
from fixtures.moving.town import NEW, OLD, Town, built
from fixtures.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from alphintra.dataplane.chain.witness import Witness
    from alphintra.dataplane.server import Server

pytestmark = pytest.mark.timeout(600)

_WRITE: Final = """
    insert into audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
    values (gen_random_uuid(), 'person', 'profile.set', 'user:1', '{}', 'trace', now())
"""


@asynccontextmanager
async def kept(town: Town, witness: Witness) -> AsyncIterator[None]:
    """Keep the log of the town's service, as the keeper's process does."""
    stop = asyncio.Event()
    task = asyncio.create_task(keeper.LogKeeper(home=town.home, service="user", witness=witness, stop=stop).keep())
    try:
        yield
    finally:
        stop.set()
        await task


async def sealed(town: Town, witness: Witness) -> int:
    """Write a row where the service lives, and return how many leaves there are once it is sealed and witnessed."""
    async with town.as_owner(town.place) as connection:
        await connection.execute(_WRITE)
        rows: int = await connection.fetchval("select count(*) from audit_events")

    async def is_shown() -> bool:
        status = (await logs_of(town.home, ("user",), witness))["user"]
        return status.seen is not None and status.standing.pending == 0 and status.seen.size == rows

    await until(is_shown)
    return rows


async def test_a_log_is_sealed_at_each_place_of_its_service_and_no_alarm_is_raised(
    private_postgres: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_SIGN_EVERY_S", 0.2)  # else each look waits for seconds
    town = await built(private_postgres(), tmp_path)
    witness = witness_of(town.home)
    with capture_logs() as told:
        async with kept(town, witness):
            counts = [await sealed(town, witness)]
            async with town.moving(town.journal(NEW)) as moving:
                await moving.go_on()
            counts.append(await sealed(town, witness))
            async with town.moving() as moving:
                await moving.go_back()
            assert town.place == OLD
            counts.append(await sealed(town, witness))
            async with town.moving(town.journal(NEW)) as moving:
                await moving.go_on()
                counts.append(await sealed(town, witness))
                await moving.finish()
            counts.append(await sealed(town, witness))
            found = (await verify_logs(town.home, ("user",), witness, at=SystemClock().now()))["user"]
    assert [each for each in told if each["log_level"] == "error"] == []
    assert counts == [1, 2, 3, 4, 5]
    assert (found.status, found.leaves, found.pending) == (0, 5, 0)
