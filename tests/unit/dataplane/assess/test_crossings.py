"""Crossings of code: planted ones are found, what only looks like one is not, and the installed code has none."""

from __future__ import annotations

import pytest

from alphintra.dataplane.assess.bench import Notes
from alphintra.dataplane.assess.crossings import crossing_imports, crossing_tables, note_crossings


@pytest.mark.parametrize(
    "text",
    [
        "import alphintra.risk.domain",
        "from alphintra.risk import domain",
        "from alphintra.risk.repository import Books",
        "from alphintra import risk",
        "def f():\n    from alphintra.risk import domain\n",
    ],
)
def test_an_import_of_another_service_is_found_wherever_it_stands(text: str) -> None:
    assert crossing_imports(text, service="trading") != []
    assert crossing_imports(text, service="risk") == []


def test_contracts_and_names_that_only_begin_alike_are_no_crossing() -> None:
    text = "from alphintra.contracts.risk import AssessOrder\nimport alphintra.risk_free\nfrom risk import x\n"
    assert crossing_imports(text, service="trading") == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT order_id FROM assessments",
        "select 1 from orders o join assessments a on a.order_id = o.order_id",
        "UPDATE assessments SET approved = true",
        "insert into assessments (x) values (1)",
        "DELETE FROM risk_schema.reservations",
        "create table t (x bigint references assessments (x))",
    ],
)
def test_a_statement_that_names_anothers_table_is_found(sql: str) -> None:
    assert crossing_tables(sql, service="trading") != []
    assert crossing_tables(sql.replace("orders", "balances"), service="risk") == []


def test_comments_constants_and_local_names_are_no_crossing() -> None:
    sql = "with assessments as (select 1) select 'from reservations' from assessments -- join kill_states"
    assert crossing_tables(sql, service="trading") == []


def test_the_installed_services_do_not_cross() -> None:
    notes = Notes()
    note_crossings(notes)
    assert notes.facts["crossings"] == ()
    assert notes.figures["modules"].value > 50
    assert notes.figures["statements_read"].value > 200
