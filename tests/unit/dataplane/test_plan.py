"""The plan as a pure difference: empty where both agree, small where little differs, never dropping anything."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.declaration import declare
from alphintra.dataplane.layouts import separate_layout
from alphintra.dataplane.model import PUBLIC, Database, DefaultGrant, Grant, Membership, Relation, Role, Setting, State
from alphintra.dataplane.plan import fresh_database, plan, unexpected

if TYPE_CHECKING:
    from alphintra.dataplane.plan import Action

DATABASE = "alphintra_user"
SCHEMA = "user_schema"
DECLARED = declare(placement for placement in separate_layout() if placement.service == "user")
EMPTY = State(
    version=180000,
    databases={
        name: Database(
            name=name, grants=frozenset({Grant(kind="database", name=name, grantee=PUBLIC, privilege="CONNECT")})
        )
        for name in ("postgres", "template1")
    },
)


def converged() -> State:
    """Return the observed state that agrees with the declaration, tables included."""
    tables = {(grant.schema, grant.name) for grant in DECLARED.databases[DATABASE].grants if grant.kind == "table"}
    relations = {Relation(schema=schema, name=name, kind="table", owner="user_owner") for schema, name in tables}
    relations |= {
        Relation(schema=SCHEMA, name=grant.name, kind="function", owner="user_owner")
        for grant in DECLARED.databases[DATABASE].grants
        if grant.kind == "function" and grant.schema == SCHEMA
    }
    sequence = Relation(schema=SCHEMA, name="event_log_seq_seq", kind="sequence", owner="user_owner")
    reading = Grant(kind="sequence", schema=SCHEMA, name=sequence.name, grantee="user_backup", privilege="SELECT")
    database = DECLARED.databases[DATABASE]
    found = replace(database, relations=frozenset({*relations, sequence}), grants=database.grants | {reading})
    memberships = frozenset(replace(item, grantor="postgres") for item in DECLARED.memberships)
    databases = {**DECLARED.databases, DATABASE: found}
    return replace(DECLARED, version=180000, databases=databases, memberships=memberships)


def with_grants(state: State, *, add: frozenset[Grant] = frozenset(), drop: frozenset[Grant] = frozenset()) -> State:
    database = state.databases[DATABASE]
    return replace(
        state, databases={**state.databases, DATABASE: replace(database, grants=(database.grants | add) - drop)}
    )


def texts(actions: tuple[Action, ...]) -> list[str]:
    return [action.sql for action in actions]


def test_nothing_to_do_where_reality_agrees() -> None:
    assert plan(DECLARED, converged()) == ()
    assert unexpected(DECLARED, converged()) == ()


def test_from_nothing_everything_comes_in_an_order_that_works() -> None:
    actions = plan(DECLARED, EMPTY)
    sql = texts(actions)
    first = {
        step: next(index for index, text in enumerate(sql) if text.startswith(step))
        for step in ("CREATE ROLE", "GRANT", "CREATE DATABASE", "REVOKE", "CREATE SCHEMA")
    }
    assert sorted(first, key=lambda step: first[step]) == list(first)
    assert [action.transactional for action in actions].count(False) == 1
    assert not any(action.destructive for action in actions)
    assert not any("TABLE" in text and "pg_catalog" not in text for text in sql), (
        "tables come from migrations, their grants after them"
    )


def test_a_new_database_is_closed_to_everybody() -> None:
    sql = texts(plan(DECLARED, EMPTY))
    assert f'REVOKE CONNECT, TEMPORARY ON DATABASE "{DATABASE}" FROM PUBLIC CASCADE' in sql
    assert 'REVOKE USAGE ON SCHEMA "public" FROM PUBLIC CASCADE' in sql
    assert 'REVOKE USAGE ON LANGUAGE "plpgsql" FROM PUBLIC CASCADE' in sql
    assert 'REVOKE CONNECT ON DATABASE "postgres" FROM PUBLIC CASCADE' in sql


def test_no_plan_holds_a_secret_or_drops_anything() -> None:
    for action in plan(DECLARED, EMPTY):
        assert re.match(r"(CREATE|ALTER|GRANT|REVOKE) ", action.sql)
        assert ("PASSWORD" in action.sql) == bool(action.password_of)
        assert "PASSWORD '" not in action.sql


@given(st.sampled_from(sorted(grant for grant in converged().databases[DATABASE].grants)))
def test_each_missing_grant_is_given_by_exactly_one_statement(missing: Grant) -> None:
    (action,) = plan(DECLARED, with_grants(converged(), drop=frozenset({missing})))
    assert action.sql.startswith(f"GRANT {missing.privilege}")
    assert (PUBLIC if missing.grantee == PUBLIC else f'"{missing.grantee}"') in action.sql
    assert not action.destructive


@given(
    kind=st.sampled_from(["schema", "table", "sequence", "function", "type", "language", "database"]),
    grantee=st.sampled_from([PUBLIC, "risk_service_user", "user_service_user", 'odd"name']),
    privilege=st.sampled_from(["TRIGGER", "REFERENCES", "CREATE"]),
)
def test_each_undeclared_grant_is_taken_back_by_exactly_one_statement(kind: str, grantee: str, privilege: str) -> None:
    name = "f(integer)" if kind == "function" else "thing"
    extra = Grant(kind=kind, name=name, schema=SCHEMA, grantee=grantee, privilege=privilege)
    (action,) = plan(DECLARED, with_grants(converged(), add=frozenset({extra})))
    assert action.sql.startswith(f"REVOKE {privilege} ON ")
    assert action.destructive == (grantee != PUBLIC)


def test_a_grant_with_grant_option_is_taken_back_and_given_without() -> None:
    reading = Grant(kind="table", schema=SCHEMA, name="inbox", grantee="user_reader", privilege="SELECT")
    observed = with_grants(converged(), drop=frozenset({reading}), add=frozenset({replace(reading, grantable=True)}))
    assert texts(plan(DECLARED, observed)) == [
        f'REVOKE SELECT ON TABLE "{SCHEMA}"."inbox" FROM "user_reader" CASCADE',  # noqa: S608 - compared
        f'GRANT SELECT ON TABLE "{SCHEMA}"."inbox" TO "user_reader"',
    ]


def test_taking_a_table_wide_right_gives_the_declared_columns_again() -> None:
    extra = Grant(kind="table", schema=SCHEMA, name="audit_events", grantee="user_service_user", privilege="INSERT")
    revoke, grant = texts(plan(DECLARED, with_grants(converged(), add=frozenset({extra}))))
    assert revoke.startswith("REVOKE INSERT ON TABLE")
    assert grant.startswith("GRANT INSERT (")
    assert '"audit_id"' in grant


def test_a_membership_is_taken_back_in_the_name_of_who_gave_it() -> None:
    observed = converged()
    extra = Membership(role="user_owner", member="risk_service_user", inherit=True, may_set=True, grantor="operator")
    (action,) = plan(DECLARED, replace(observed, memberships=observed.memberships | {extra}))
    assert action.sql == 'REVOKE "user_owner" FROM "risk_service_user" GRANTED BY "operator" CASCADE'
    (older,) = plan(DECLARED, before_16(replace(observed, memberships=observed.memberships | {extra})))
    assert older.sql == 'REVOKE "user_owner" FROM "risk_service_user" CASCADE'


def before_16(state: State) -> State:
    """Return the state as PostgreSQL 15 shows it: memberships have no options."""
    plain = frozenset(replace(item, inherit=False, may_set=True) for item in state.memberships)
    return replace(state, version=150000, memberships=plain)


def test_postgresql_15_gets_no_syntax_it_does_not_know() -> None:
    assert plan(DECLARED, before_16(converged())) == ()
    assert not any("INHERIT FALSE" in text for text in texts(plan(DECLARED, replace(EMPTY, version=150000))))


def test_an_administrator_without_superuser_joins_the_owner_and_leaves_the_servers_databases_alone() -> None:
    observed = replace(EMPTY, admin="operator", untouchable=frozenset({"language"}))
    sql = texts(plan(DECLARED, observed))
    assert 'GRANT "user_owner" TO "operator" WITH INHERIT TRUE, SET TRUE' in sql
    assert not any("LANGUAGE" in text or '"template1"' in text or "SUPERUSER" in text for text in sql)


def test_a_role_that_grew_is_cut_back() -> None:
    observed = converged()
    grown = Role(name="user_reader", attributes=("LOGIN", "SUPERUSER"), connection_limit=-1)
    (action,) = plan(DECLARED, replace(observed, roles={**observed.roles, "user_reader": grown}))
    assert "NOSUPERUSER" in action.sql
    assert "CONNECTION LIMIT 5" in action.sql
    assert action.destructive


def test_a_wrong_password_is_replaced_by_a_verifier_to_come() -> None:
    (action,) = plan(DECLARED, replace(converged(), wrong_passwords=frozenset({"user_reader"})))
    assert action.password_of == "user_reader"
    assert action.sql == 'ALTER ROLE "user_reader" WITH PASSWORD :verifier'


def test_a_search_path_is_written_as_a_list_of_names() -> None:
    observed = converged()
    lost = frozenset(item for item in observed.settings if item.name != "search_path")
    sql = texts(plan(DECLARED, replace(observed, settings=lost)))
    assert f'ALTER ROLE "user_reader" IN DATABASE "{DATABASE}" SET "search_path" = "{SCHEMA}", "pg_temp"' in sql


def test_a_setting_nobody_declared_is_reset() -> None:
    observed = converged()
    extra = Setting(database=DATABASE, role="user_reader", name="work_mem", value="1GB")
    (action,) = plan(DECLARED, replace(observed, settings=observed.settings | {extra}))
    assert action.sql == f'ALTER ROLE "user_reader" IN DATABASE "{DATABASE}" RESET "work_mem"'


def test_a_foreign_owner_loses_the_object() -> None:
    observed = converged()
    database = observed.databases[DATABASE]
    taken = frozenset(
        replace(item, owner="user_service_user") if item.name == "inbox" else item for item in database.relations
    )
    (action,) = plan(
        DECLARED, replace(observed, databases={**observed.databases, DATABASE: replace(database, relations=taken)})
    )
    assert action.sql == f'ALTER TABLE "{SCHEMA}"."inbox" OWNER TO "user_owner"'
    assert action.destructive


def test_what_later_objects_would_give_away_is_taken_back() -> None:
    observed = converged()
    giving = DefaultGrant(owner="user_owner", kind="table", schema=SCHEMA, grantee="risk_reader", privilege="SELECT")
    database = replace(observed.databases[DATABASE], default_grants=frozenset({giving}))
    (action,) = plan(DECLARED, replace(observed, databases={**observed.databases, DATABASE: database}))
    assert action.sql.startswith('ALTER DEFAULT PRIVILEGES FOR ROLE "user_owner" IN SCHEMA "user_schema" ')
    assert action.sql.endswith(' REVOKE SELECT ON TABLES FROM "risk_reader"')


def test_a_missing_table_and_an_undeclared_one_are_reported() -> None:
    observed = converged()
    database = observed.databases[DATABASE]
    relations = frozenset(replace(item, name="notes") if item.name == "inbox" else item for item in database.relations)
    changed = replace(observed, databases={**observed.databases, DATABASE: replace(database, relations=relations)})
    assert unexpected(DECLARED, changed) == (
        f"{DATABASE}: table {SCHEMA}.notes is not declared",
        f"{DATABASE}: table {SCHEMA}.inbox is missing",
    )


@pytest.mark.parametrize("name", [DATABASE, "postgres"])
def test_a_fresh_database_differs_from_a_declared_one(name: str) -> None:
    assert fresh_database(name, DECLARED, EMPTY).grants - DECLARED.databases[name].grants
