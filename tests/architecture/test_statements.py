"""SQL, Python and manifest agree: no statement missing or dead, no table undeclared, none of another service used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from alphintra.manifest import COMMON_TABLES, SERVICES, ServiceSpec

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "alphintra"
SPECS = tuple(SERVICES.values())
ROOMS_WITH_SQL = (*SERVICES, "infrastructure")
RUNS = {"execute", "execute_many", "row", "rows", "value"}


def statements_in(text: str) -> set[str]:
    """Return the names of the statements of a queries.sql."""
    return set(re.findall(r"^-- ([a-z_]+\.[a-z_]+): \S", text, re.MULTILINE))


def statement_names(room: str) -> set[str]:
    path = PACKAGE / room / "sql" / "queries.sql"
    return statements_in(path.read_text(encoding="utf-8")) if path.exists() else set()


def literals_in(text: str) -> set[str]:
    """Return all string literals of a Python file."""
    nodes = ast.walk(ast.parse(text))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def run_in(text: str) -> set[str]:
    """Return the statement names handed literally to a session."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    named = (c.args[0] for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr in RUNS and c.args)
    return {a.value for a in named if isinstance(a, ast.Constant) and isinstance(a.value, str)}


def python_of(room: str) -> Iterator[str]:
    yield from (path.read_text(encoding="utf-8") for path in sorted((PACKAGE / room).rglob("*.py")))


def tables_created_in(text: str) -> set[str]:
    """Return the tables a migration creates; a part of a table is no table of its own."""
    create = r"^\s*create table (?:if not exists )?([a-z_]+)(?! partition of)\b"
    return set(re.findall(create, text, re.MULTILINE | re.IGNORECASE))


def tables_touched_in(text: str) -> set[str]:
    """Return what follows FROM, JOIN, INTO and UPDATE in SQL, comments left out."""
    code = re.sub(r"--.*", "", text)
    return set(re.findall(r"\b(?:from|join|into|update)\s+(?:only\s+)?([a-z_][a-z0-9_.]*)", code, re.IGNORECASE))


def tables_created(room: str) -> set[str]:
    migrations = sorted((PACKAGE / room / "sql" / "migrations").glob("*.sql"))
    return {table for path in migrations for table in tables_created_in(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("room", ROOMS_WITH_SQL)
def test_every_statement_is_run_by_its_own_room(room: str) -> None:
    literals = {literal for text in python_of(room) for literal in literals_in(text)}
    assert statement_names(room) - literals == set()


@pytest.mark.parametrize("room", ROOMS_WITH_SQL)
def test_every_statement_that_is_run_exists(room: str) -> None:
    run = {name for text in python_of(room) for name in run_in(text)}
    assert run - statement_names(room) - statement_names("infrastructure") == set()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_the_migrations_create_exactly_the_tables_of_the_manifest(spec: ServiceSpec) -> None:
    assert tables_created(spec.name) == {table.name for table in spec.tables}


def test_the_common_migrations_create_exactly_the_common_tables() -> None:
    assert tables_created("infrastructure") == {table.name for table in COMMON_TABLES}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_no_statement_touches_a_table_of_another_service(spec: ServiceSpec) -> None:
    own = {table.name for table in (*spec.tables, *COMMON_TABLES)}
    foreign = {table.name for other in SPECS for table in other.tables} - own
    texts = [path.read_text(encoding="utf-8") for path in (PACKAGE / spec.name).rglob("*.sql")]
    assert {table.rpartition(".")[2] for text in texts for table in tables_touched_in(text)} & foreign == set()


def test_the_readers_of_sql_and_python_find_what_is_planted() -> None:
    assert statements_in("-- orders.get: read one\nselect 1;\n-- a remark: not a name\n") == {"orders.get"}
    assert run_in("await s.rows('orders.get', x)\nf('orders.put')\ns.row(name)") == {"orders.get"}
    assert literals_in("statement = 'orders.get' if x else 'orders.put'") == {"orders.get", "orders.put"}
    assert tables_created_in("CREATE TABLE IF NOT EXISTS a (\n);\ncreate table b ();") == {"a", "b"}
    assert tables_created_in("CREATE TABLE a_rest PARTITION OF a DEFAULT;") == set()
    assert tables_touched_in("select x from a join b.c on true; -- from d\nupdate e set x = 1") == {"a", "b.c", "e"}
