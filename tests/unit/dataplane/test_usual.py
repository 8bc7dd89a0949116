"""The usual set-up as SQL: what it says for each layout."""

from __future__ import annotations

import pytest

from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.usual import usual_setup


def _statements(name: LayoutName, *, is_shared: bool = False) -> list[tuple[str, str, str]]:
    layout = choose_layout(LayoutChoice(name=name, has_shared_role=is_shared))
    found = usual_setup(layout, passwords=lambda role: f"secret of '{role}'")
    return [(item.database, item.role, item.sql) for item in found]


@pytest.mark.parametrize(
    ("name", "databases"), [(LayoutName.SEPARATE, 8), (LayoutName.HYBRID, 3), (LayoutName.CENTRAL, 1)]
)
def test_each_database_is_made_once_and_each_user_gets_all_privileges(name: LayoutName, databases: int) -> None:
    sqls = [sql for _, _, sql in _statements(name)]
    assert sum(sql.startswith("CREATE DATABASE") for sql in sqls) == databases
    assert sum(sql.startswith("CREATE USER") for sql in sqls) == 8
    assert sum(sql.startswith("GRANT ALL PRIVILEGES ON DATABASE") for sql in sqls) == 8
    assert not any("REVOKE" in sql or "PUBLIC" in sql for sql in sqls)


def test_a_service_makes_its_schema_itself_and_so_owns_it() -> None:
    assert ("alphintra_risk", "risk_service_user", 'CREATE SCHEMA IF NOT EXISTS "risk_schema"') in _statements(
        LayoutName.SEPARATE
    )


def test_one_user_for_all_is_made_once_and_has_no_search_path() -> None:
    sqls = [sql for _, _, sql in _statements(LayoutName.CENTRAL, is_shared=True)]
    assert sum(sql.startswith("CREATE USER") for sql in sqls) == 1
    assert not any("search_path" in sql for sql in sqls)
    assert sum("CREATE SCHEMA" in sql for sql in sqls) == 8


def test_passwords_are_quoted() -> None:
    sqls = [sql for _, _, sql in _statements(LayoutName.SEPARATE)]
    assert "CREATE USER \"risk_service_user\" WITH PASSWORD 'secret of ''risk_service_user'''" in sqls
