"""Rules of the audit on facts written by hand: what each calls by its name, and what it lets pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alphintra.dataplane.audit.facts import Account, Belongs, Facts, HbaRule, Held, LaterHeld, Owned, ServerFacts
from alphintra.dataplane.audit.finding import Finding, Severity, counted
from alphintra.dataplane.audit.mapping import Target
from alphintra.dataplane.audit.roles import ways_into
from alphintra.dataplane.audit.run import judge
from alphintra.dataplane.model import PUBLIC

SERVER = ServerFacts(
    version=180000,
    admin="postgres",
    is_superuser=True,
    connections=97,
    has_tls=True,
    is_local=False,
    password_encryption="scram-sha-256",
)
RISK = Target(service="risk", database="risk_db", role="risk_app", schemas=("risk_schema",))
DESK = Target(service="desk", database="desk_db", role="desk_app", schemas=("desk_schema",))


def account(name: str, *attributes: str, limit: int = 10, verifier: str = "scram") -> Account:
    return Account(name=name, attributes=frozenset(attributes), connection_limit=limit, verifier=verifier)


def owned(kind: str, database: str, schema: str, name: str, owner: str) -> Owned:
    return Owned(kind=kind, database=database, schema=schema, name=name, owner=owner)


def clean() -> Facts:
    """Two services as they should be: nothing is found about them but what a shared instance is."""
    return Facts(
        server=SERVER,
        targets=(RISK, DESK),
        accounts={
            "postgres": account("postgres", "LOGIN", "SUPERUSER", limit=-1),
            "risk_app": account("risk_app", "LOGIN"),
            "desk_app": account("desk_app", "LOGIN"),
            "risk_owner": account("risk_owner"),
            "desk_owner": account("desk_owner"),
        },
        owned=frozenset(
            item
            for name in ("risk", "desk")
            for item in (
                Owned(kind="database", database=f"{name}_db", name=f"{name}_db", owner="postgres"),
                Owned(kind="schema", database=f"{name}_db", name=f"{name}_schema", owner=f"{name}_owner"),
                owned("table", f"{name}_db", f"{name}_schema", "rows", f"{name}_owner"),
            )
        ),
        held=frozenset(
            Held(
                kind="table",
                database=f"{name}_db",
                schema=f"{name}_schema",
                name="rows",
                grantee=f"{name}_app",
                privilege="SELECT",
            )
            for name in ("risk", "desk")
        ),
        hba=(HbaRule(line=1, kind="host", databases=("all",), users=("all",), address="all", method="scram-sha-256"),),
        extensions={"risk_db": ("plpgsql",), "desk_db": ("plpgsql",)},
        connects=frozenset({("risk_app", "risk_db"), ("desk_app", "desk_db")}),
    )


def found(facts: Facts) -> dict[str, Finding]:
    return {item.code: item for item in judge(facts)}


def test_services_as_they_should_be_are_clean_but_for_what_an_instance_shares() -> None:
    assert {item.code for item in judge(clean())} == {"SHARED_INSTANCE", "TOPOLOGY_MISSING"}


def hba(method: str, *, databases: str = "all", users: str = "all") -> Facts:
    rule = HbaRule(line=7, kind="host", databases=(databases,), users=(users,), address="10.0.0.0/8", method=method)
    return replace(clean(), hba=(rule,))


@pytest.mark.parametrize(
    ("facts", "code", "services"),
    [
        (hba("trust"), "HBA_TRUST", ("risk", "desk")),
        (hba("trust", users="risk_app"), "HBA_TRUST", ("risk",)),
        (hba("trust", databases="desk_db"), "HBA_TRUST", ("desk",)),
        (hba("password"), "HBA_CLEARTEXT", ("risk", "desk")),
        (replace(clean(), hba=None), "HBA_HIDDEN", ()),
        (replace(clean(), server=replace(SERVER, has_tls=False)), "TLS_OFF", ()),
        (replace(clean(), server=replace(SERVER, password_encryption="md5")), "PASSWORD_ENCRYPTION", ()),
        (replace(clean(), server=replace(SERVER, connections=19)), "TOPOLOGY_POOL", ()),
        (replace(clean(), extensions={"risk_db": ("dblink",)}), "EXTENSION_REACHES_OUT", ("risk",)),
        (replace(clean(), connects=clean().connects | {("desk_app", "risk_db")}), "TOPOLOGY_GRANT", ("desk", "risk")),
        (replace(clean(), targets=(RISK, replace(DESK, role="risk_app"))), "SHARED_ROLE", ("risk", "desk")),
    ],
)
def test_each_weakness_has_its_code_and_its_services(facts: Facts, code: str, services: tuple[str, ...]) -> None:
    assert found(facts)[code].services == services


@pytest.mark.parametrize(
    "facts",
    [
        hba("trust", users="replication_user"),
        hba("trust", databases="replication"),
        hba("reject"),
        replace(clean(), server=replace(SERVER, has_tls=False, is_local=True)),
        replace(clean(), server=replace(SERVER, connections=20)),
    ],
)
def test_what_concerns_no_mapped_service_passes(facts: Facts) -> None:
    assert found(facts).keys() == {"SHARED_INSTANCE", "TOPOLOGY_MISSING"}


def test_services_in_one_database_are_told_what_they_show_each_other() -> None:
    shared = replace(DESK, database="risk_db")
    finding = found(replace(clean(), targets=(RISK, shared)))["TOPOLOGY_SHARED_DB"]
    assert finding.severity is Severity.REMARK
    assert finding.services == ("risk", "desk")


def test_an_owner_that_logs_in_gets_statements_that_give_its_tables_away() -> None:
    facts = clean()
    mine = frozenset(replace(item, owner="risk_app") if item.owner == "risk_owner" else item for item in facts.owned)
    finding = found(replace(facts, owned=mine))["TOPOLOGY_PRIVILEGE"]
    statements = [item.sql for item in finding.close]
    assert 'ALTER TABLE "risk_schema"."rows" OWNER TO "risk_owner"' in statements
    assert {item.database for item in finding.close} == {"risk_db"}
    assert not any(sql.startswith("CREATE ROLE") for sql in statements), "that role is there already"


def test_a_privilege_on_anothers_table_crosses_and_is_taken_back_column_by_column() -> None:
    facts = clean()
    read = Held(
        kind="table",
        database="risk_db",
        schema="risk_schema",
        name="rows",
        grantee="desk_app",
        privilege="SELECT",
    )
    crossing = {read, replace(read, kind="column", column="qty", privilege="UPDATE")}
    finding = found(replace(facts, held=facts.held | crossing))["CROSS_GRANT"]
    assert finding.services == ("desk", "risk")
    revoke = 'REVOKE SELECT, UPDATE ("qty") ON TABLE "risk_schema"."rows" FROM "desk_app"'
    assert [item.sql for item in finding.close] == [revoke]


def test_rights_are_found_through_any_number_of_memberships() -> None:
    def belongs(member: str, role: str, *, may_set: bool = True) -> Belongs:
        return Belongs(role=role, member=member, inherits=False, may_set=may_set, may_admin=False)

    facts = replace(
        clean(),
        belongs=(belongs("desk_app", "middle"), belongs("middle", "risk_owner"), belongs("middle", "x", may_set=False)),
    )
    facts.accounts["middle"] = account("middle")
    assert ways_into("desk_app", facts) == {"middle", "risk_owner"}
    assert found(facts)["CROSS_MEMBERSHIP"].services == ("desk",)


def test_default_privileges_count_where_a_mapped_services_owner_gives_them() -> None:
    def later(owner: str, grantee: str) -> LaterHeld:
        return LaterHeld(database="risk_db", owner=owner, schema="", kind="table", grantee=grantee, privilege="SELECT")

    facts = clean()
    opened = found(replace(facts, later=frozenset({later("risk_owner", "desk_app")})))["DEFAULT_PRIVILEGES"]
    assert opened.severity is Severity.BREACH
    assert found(replace(facts, later=frozenset({later("risk_owner", PUBLIC)})))["DEFAULT_PRIVILEGES"].severity is (
        Severity.WEAKNESS
    )
    assert "DEFAULT_PRIVILEGES" not in found(replace(facts, later=frozenset({later("stranger", PUBLIC)})))


def test_long_lists_are_cut_and_counted() -> None:
    assert counted(list("abcdefg")) == "a, b, c, d, e and 2 more"
