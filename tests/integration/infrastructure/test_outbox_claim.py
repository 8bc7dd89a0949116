"""Claiming queued events costs by what is queued, however many events the log holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import asyncpg

from alphintra.infrastructure.postgres import Queries

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from fixtures.postgres import ServiceDatabase

_PUBLISHED = 3000
_QUEUED = 400


async def test_a_claim_reads_the_log_for_queued_events_alone(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> None:
    database = await service_database("user")
    connection = await asyncpg.connect(database.dsn())
    try:
        await _fill(connection, events=_PUBLISHED + _QUEUED, queued=_QUEUED)
        claim = Queries.load("alphintra.user").statements["events.claim"]
        claimed = await connection.fetch(claim, 128)
        subjects = [row["subject"] for row in claimed]
        assert subjects == [f"user.evt.{number}" for number in range(_PUBLISHED + 1, _PUBLISHED + 129)]
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {claim}", 128)
    finally:
        await connection.close()
    nodes = list(_nodes(json.loads(explained)[0]["Plan"]))
    read = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes
        if node.get("Relation Name") == "event_log"
    )
    assert 128 <= read <= _QUEUED


async def _fill(connection: asyncpg.Connection, *, events: int, queued: int) -> None:
    await connection.execute(
        """
        INSERT INTO event_log (event_id, subject, aggregate_id, payload, occurred_at)
        SELECT gen_random_uuid(), 'user.evt.' || n, gen_random_uuid(), repeat('x', 200), now()
        FROM generate_series(1, $1::integer) AS n
        """,
        events,
    )
    await connection.execute(
        "INSERT INTO outbox (event_id) SELECT event_id FROM event_log ORDER BY seq DESC LIMIT $1", queued
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
