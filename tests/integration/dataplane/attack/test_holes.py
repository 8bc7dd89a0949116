"""Each hole that is planted on a real PostgreSQL brings up exactly its findings, and they go when it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.dataplane.attack.assault import attack_layout
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.provision import provision
from fixtures.postgres import password_of
from integration.dataplane.attack.holes import HOLES, Hole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.attack.findings import Assessment
    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

TWO = frozenset({"risk", "trading"})
CENTRAL = tuple(item for item in choose_layout(LayoutChoice(name=LayoutName.CENTRAL)) if item.service in TWO)


async def attacked(server: Server, layout: Sequence[Placement] = CENTRAL) -> Assessment:
    return await attack_layout((server,), layout=layout, passwords=password_of)


async def run_sql(server: Server, database: str, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(server.admin_url, database=database)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def opened(found: Assessment) -> set[str]:
    """Return the probes that trading got through with, against risk or in its own."""
    return {finding.attack.name for finding in found.findings if any(pair[0] == "trading" for pair in finding.pairs)}


async def wrongly_found(server: Server, holes: Sequence[Hole]) -> dict[str, object]:
    """Plant each hole and close it again; return those that brought up other findings than theirs, and what."""
    before = await attacked(server)
    assert before.is_as_accepted, (before.unaccepted, before.errors)
    wrong: dict[str, object] = {}
    for hole in holes:
        await run_sql(server, hole.database, hole.plant)
        found = await attacked(server)
        await run_sql(server, hole.database, hole.undo)
        new = opened(found) - opened(before)
        extra = sorted(new - hole.opens) if hole.is_exact else []
        accepted = new - {item.attack.name for item in found.unaccepted}
        if extra or hole.opens - new or accepted or found.errors:
            wrong[hole.name] = (extra, sorted(hole.opens - new), accepted, found.errors)
    assert opened(await attacked(server)) == opened(before)
    return wrong


async def test_a_planted_hole_is_found(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=CENTRAL, passwords=password_of)
    assert await wrongly_found(server, [hole for hole in HOLES if hole.is_quick]) == {}


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_each_planted_hole_brings_up_exactly_its_findings(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=CENTRAL, passwords=password_of)
    assert await wrongly_found(server, HOLES) == {}
