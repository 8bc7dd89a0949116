"""What the optimisation measurements are made of: cases that fit the services' tables, months without gaps, plans."""

from __future__ import annotations

import pytest

from alphintra.dataplane.optimisation.cases import CASES, YEAR_DAYS, YEAR_START, Case, partition_sql, partitions
from alphintra.dataplane.optimisation.measure import measure_optimisations, plan_facts
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICES

NEVER_ASKED = "postgresql://nobody@/nowhere?host=/nonexistent"


def test_the_months_cover_the_year_without_gap_or_overlap() -> None:
    months = partitions()
    assert months[0][1] == YEAR_START
    assert [end for _, _, end in months[:-1]] == [start for _, start, _ in months[1:]]
    assert (months[-1][2] - months[0][1]).days == YEAR_DAYS


def test_claims_17_to_19_are_measured_on_tables_that_exist() -> None:
    assert {case.claim for case in CASES} == {17, 18, 19}
    for case in CASES:
        assert case.table in {table.name for table in SERVICES[case.service].tables}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.table)
def test_rows_lie_within_the_year(case: Case) -> None:
    for asked in (1_000, 10_000_000):
        assert case.rows(asked) * case.step(asked).total_seconds() <= YEAR_DAYS * 86_400 + 60


def test_a_partitioned_table_has_a_partition_for_each_month() -> None:
    orders = next(case for case in CASES if case.table == "orders")
    whole, *parts = partition_sql("partitioned", orders, like='"declared"."orders"')
    assert 'partition by range ("created_at")' in whole
    assert len(parts) == 12


def test_a_plan_tells_what_ran_and_not_what_was_pruned() -> None:
    index_only = {"Node Type": "Index Only Scan", "Index Name": "i", "Relation Name": "june", "Actual Loops": 1}
    pruned = {"Node Type": "Seq Scan", "Relation Name": "july", "Actual Loops": 0}
    plan = {
        "Node Type": "Append", "Actual Loops": 1, "Plans": [index_only, pruned],
        "Shared Hit Blocks": 3, "Shared Read Blocks": 4,
    }  # fmt: skip
    facts = plan_facts(plan)
    assert (facts.nodes, facts.indexes, facts.tables_read) == (("Append", "Index Only Scan"), ("i",), 1)
    assert facts.is_index_only
    assert facts.pages == 7
    assert not plan_facts({**plan, "Plans": [index_only, {**pruned, "Actual Loops": 1}]}).is_index_only


@pytest.mark.parametrize(("rows", "rounds", "code"), [(10, 5, "OPTIMISATION_ROWS"), (1_000, 4, "OPTIMISATION_ROUNDS")])
async def test_too_little_to_measure_is_refused_before_any_server_is_asked(rows: int, rounds: int, code: str) -> None:
    with pytest.raises(AlphintraError, match=code):
        await measure_optimisations(NEVER_ASKED, rows=rows, rounds=rounds)
