"""What strict closes of the system catalogue, by name."""

from __future__ import annotations

import pytest

from alphintra.dataplane.hardening import Hardening, closure_of, closures

CLOSED = (
    ("table", "pg_roles", "roles"),
    ("table", "pg_stat_activity", "sessions"),
    ("table", "pg_publication_rel", "sessions"),
    ("table", "pg_settings", "configuration"),
    ("table", "pg_proc", "names"),
    ("table", "anything_a_later_version_brings", "names"),
    ("function", "has_table_privilege(name, text, text)", "rights"),
    ("function", "pg_stat_get_activity(integer)", "sessions"),
    ("function", "pg_total_relation_size(regclass)", "sizes"),
    ("function", "pg_logical_emit_message(boolean, text, text, boolean)", "traffic"),
    ("function", "lo_create(oid)", "large objects"),
    ("function", "pg_try_advisory_xact_lock(bigint)", "locks"),
    ("function", "pg_get_functiondef(oid)", "definitions"),
    ("function", "schema_to_xml(name, boolean, boolean, text)", "XML"),
)
OPEN = (
    "now()",
    "gen_random_uuid()",
    "set_config(text, text, boolean)",
    "current_setting(text)",
    "format_type(oid, integer)",
    "hashtext(text)",
    "nextval(regclass)",
    "pg_typeof(any)",
    "pg_backend_pid()",
    "pg_size_pretty(bigint)",
    "pg_column_size(any)",
    "array_agg(anynonarray)",
    "slow_log(text)",
)


@pytest.mark.parametrize(("kind", "name", "word"), CLOSED)
def test_what_tells_of_others_is_closed_and_the_purpose_says_so(kind: str, name: str, word: str) -> None:
    closure = closure_of(kind, name)
    assert closure is not None
    assert word in closure.purpose


@pytest.mark.parametrize("name", OPEN)
def test_what_statements_and_drivers_live_on_stays_open(name: str) -> None:
    assert closure_of("function", name) is None


def test_each_closure_has_a_purpose_of_its_own_and_only_strict_has_any() -> None:
    purposes = [closure.purpose for closure in closures(Hardening.STRICT)]
    assert len(purposes) == len(set(purposes)) > 10
    assert closures(Hardening.HARDENED) == ()


def test_no_reader_of_the_catalogue_may_lock_leave_objects_or_write_into_the_log() -> None:
    for name in ("lo_create(oid)", "pg_advisory_lock(bigint)", "pg_logical_emit_message(boolean, text, text, boolean)"):
        closure = closure_of("function", name)
        assert closure is not None
        assert not closure.is_readable
