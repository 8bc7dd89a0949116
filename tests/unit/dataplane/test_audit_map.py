"""The map of a foreign server: what it may look like, and what is refused with which code."""

from __future__ import annotations

import pytest

from alphintra.dataplane.audit.mapping import Mapped, Target, parse_map, targets_of
from alphintra.dataplane.audit.pgpass import find_password, parse_pgpass, password_variable
from alphintra.dataplane.audit.run import server_of
from alphintra.kernel.errors import AlphintraError


def test_entries_come_one_by_one_or_divided_by_commas() -> None:
    mapped = parse_map(["risk=db_r:r", "desk=db_d:d:book, auth=db_a:a"])
    assert mapped == (
        Mapped(service="risk", database="db_r", role="r"),
        Mapped(service="desk", database="db_d", role="d", schema="book"),
        Mapped(service="auth", database="db_a", role="a"),
    )


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "AUDIT_MAP"),
        ([" , "], "AUDIT_MAP"),
        (["risk"], "AUDIT_MAP"),
        (["risk=db"], "AUDIT_MAP"),
        (["=db:role"], "AUDIT_MAP"),
        (["risk=db:role:schema:more"], "AUDIT_MAP"),
        (["risk=db:role", "risk=other:role"], "TOPOLOGY_CLASH"),
        (["risk=db:r:book", "desk=db:d:book"], "TOPOLOGY_CLASH"),
    ],
)
def test_a_map_that_says_nothing_clear_is_refused(entries: list[str], code: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        parse_map(entries)
    assert refused.value.code == code
    assert refused.value.pointer == "--map"


def test_a_database_of_one_service_is_its_own_with_all_schemas() -> None:
    found = targets_of(parse_map(["risk=db:r"]), {"db": ["ledger", "public"]})
    assert found == (Target(service="risk", database="db", role="r", schemas=("ledger", "public")),)


def test_services_that_share_a_database_have_the_schema_of_their_name() -> None:
    found = targets_of(parse_map(["risk=db:r", "desk=db:d:book"]), {"db": ["book", "risk_schema"]})
    assert [target.schemas for target in found] == [("risk_schema",), ("book",)]


@pytest.mark.parametrize(
    ("entries", "code"), [(["risk=db:r", "desk=db:d"], "AUDIT_MAP"), (["risk=db:r:none"], "TOPOLOGY_UNKNOWN")]
)
def test_a_schema_that_is_not_there_is_refused_and_those_there_are_named(entries: list[str], code: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        targets_of(parse_map(entries), {"db": ["book", "risk_schema"]})
    assert refused.value.code == code
    assert "book" in refused.value.detail


@pytest.mark.parametrize(
    "url", ["", "secret", "http://a:secret@h/db", "postgresql://a:secret@h:port/db", "postgresql:"]
)
def test_what_is_no_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        server_of(url)
    assert refused.value.code == "AUDIT_URL"
    assert "secret" not in refused.value.detail


def test_roles_log_in_over_tcp_where_the_administrator_uses_a_socket() -> None:
    server = server_of("postgresql://postgres@/postgres?host=/run/postgresql&port=6000")
    assert (server.host, server.port) == ("127.0.0.1", 6000)
    assert server_of("postgres://a:secret@db.example:5433/x").port == 5433
    assert "secret" not in repr(server_of("postgres://a:secret@db.example:5433/x"))


def test_a_password_file_is_read_as_libpq_reads_it() -> None:
    lines = parse_pgpass("# remark\n\nh:5432:db:role:pa\\:ss:more\n*:*:*:other:x\\\\y\n", name="passwords")
    assert find_password(lines, host="h", port=5432, database="db", user="role") == "pa:ss:more"
    assert find_password(lines, host="any", port=1, database="any", user="other") == "x\\y"
    assert find_password(lines, host="h", port=5433, database="db", user="role") is None


def test_a_line_of_a_password_file_without_five_fields_is_named_and_not_shown() -> None:
    with pytest.raises(AlphintraError) as refused:
        parse_pgpass("*:*:*:role:fine\nhost:secret\n", name="passwords")
    assert refused.value.code == "PASSWORD_FILE"
    assert "passwords:2" in refused.value.detail
    assert "secret" not in refused.value.detail


def test_a_variable_holds_the_password_of_the_role_it_names() -> None:
    environ = {"ALPHINTRA_AUDIT_PASSWORD_RISK_APP": "one"}
    assert password_variable("risk-app", environ) == "one"
    assert password_variable("risk", environ) is None
