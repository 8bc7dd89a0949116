"""The optimisation claims measured on a real server, small: variants answer alike, indexes are used, none stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.dataplane.optimisation.cases import CASES
from alphintra.dataplane.optimisation.measure import measure_optimisations

if TYPE_CHECKING:
    from alphintra.dataplane.optimisation.measure import OptimisationResult, VariantTiming
    from alphintra.dataplane.server import Server


def timing(result: OptimisationResult, query: str, variant: str) -> VariantTiming:
    found = next(each for each in result.queries if each.query == query)
    return next(each for each in found.timings if each.variant == variant)


async def left_behind(server: Server) -> list[str]:
    connection = await asyncpg.connect(server.admin_url)
    try:
        rows = await connection.fetch("select datname from pg_database where datname like 'alphintra_optimisation%'")
        return [row["datname"] for row in rows]
    finally:
        await connection.close()


async def test_history_is_cut_by_month_and_answers_alike(postgres_server: Server) -> None:
    events = tuple(case for case in CASES if case.table == "order_events")
    shares: list[float] = []
    result = await measure_optimisations(
        postgres_server.admin_url, rows=20_000, rounds=5, progress=shares.append, cases=events
    )
    assert [each.query for each in result.queries] == ["last_state_per_order_of_a_day", "last_state_of_an_order"]
    day = {variant: timing(result, "last_state_per_order_of_a_day", variant) for variant in ("plain", "partitioned")}
    assert day["partitioned"].plan.tables_read == 1, "one month of twelve"
    assert day["partitioned"].plan.pages < day["plain"].plan.pages
    assert day["plain"].ratio == 1
    assert timing(result, "last_state_of_an_order", "partitioned").plan.tables_read == 12, "no time, no month"
    assert {table.rows for table in result.tables} == {20_000}
    assert all(table.heap_bytes > 0 and table.index_bytes > 0 for table in result.tables)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert await left_behind(postgres_server) == []


@pytest.mark.slow
async def test_our_indexes_serve_the_standing_queries_that_plain_tables_scan_for(postgres_server: Server) -> None:
    result = await measure_optimisations(postgres_server.admin_url, rows=100_000, rounds=5)
    served = {
        "orders_of_an_account_in_a_week": "orders_account_page_idx",
        "newest_orders_of_everybody": "orders_created_idx",
        "orders_by_status_of_a_day": "orders_created_idx",
        "fills_of_an_order": "executions_order_idx",
        "refusals_by_reason_of_a_month": "assessments_refused_idx",
        "decisions_of_an_account_in_a_week": "assessments_account_idx",
    }
    for query, index in served.items():
        ours, plain = timing(result, query, "ours"), timing(result, query, "plain")
        assert index in ours.plan.indexes, query
        assert ours.plan.pages * 4 < plain.plan.pages, query
    assert timing(result, "profile_of_a_person", "covering").plan.is_index_only
    assert await left_behind(postgres_server) == []
