"""The databases of a running platform, from outside: new passwords under load, and a schema changed by hand."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.cli.client import ApiClient, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.platform import Platform

ROTATIONS = 20
CALLERS = 4


def admin_url(platform: Platform, database: str) -> str:
    order = json.loads((platform.home / "run" / "control.json").read_text())
    return str(order["instances"][0]["admin_url"]).replace("/postgres?", f"/{database}?")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_request_fails_while_all_passwords_are_replaced_twenty_times(
    private_platform: Callable[..., Platform],
) -> None:
    platform = private_platform()
    is_over = Event()
    refused: list[str] = []

    def ask() -> int:
        """Ask what reads from all eight databases, without a rest; return how often."""
        answered = 0
        with ApiClient(platform.base_url) as api:
            while not is_over.is_set():
                try:
                    assert api.get("/health")["status"] == "ok"
                    answered += 1
                except (ApiError, AssertionError) as error:
                    refused.append(str(error))
        return answered

    with ThreadPoolExecutor(CALLERS) as callers:
        asking = [callers.submit(ask) for _ in range(CALLERS)]
        try:
            for _ in range(ROTATIONS):
                done = platform.run("db", "rotate", "--role-kind", "service", "--json")
                assert done.returncode == 0, done.stderr
                assert len(json.loads(done.stdout)["rotated"]) == 8
        finally:
            is_over.set()
        answered = sum(each.result() for each in asking)
    assert refused == []
    assert answered > ROTATIONS * CALLERS
    assert platform.run("db", "verify", "--quick").returncode == 0
    assert platform.run("status").returncode == 0


@pytest.mark.slow
def test_a_table_altered_by_hand_refuses_the_next_start_and_is_named(private_platform: Callable[..., Platform]) -> None:
    platform = private_platform()

    async def alter() -> None:
        connection = await asyncpg.connect(admin_url(platform, "alphintra_trading"))
        await connection.execute("alter table trading_schema.orders add column by_hand text")
        await connection.close()

    asyncio.run(alter())
    told = platform.run("db", "plan")
    assert told.returncode == 1
    assert "table orders has 'by_hand text'" in told.stdout
    assert platform.run("down").returncode == 0
    refused = platform.run("up", "--detach")
    assert refused.returncode != 0
    assert "SCHEMA_DRIFT" in refused.stderr
    assert "table orders has 'by_hand text'" in refused.stderr
