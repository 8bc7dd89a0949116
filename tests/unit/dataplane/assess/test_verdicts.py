"""The rules by which figures become verdicts: each at its border, and never a yes where nothing was measured."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from alphintra.dataplane.assess.figures import Figure, Findings, Verdict, Word
from alphintra.dataplane.assess.ledger import CLAIMS, judge

# Figures of a made-up layout on one instance with eight databases, all borders kept.
_SEPARATE: Mapping[str, float] = {
    "parts": 57, "databases": 8, "instances": 1, "login_roles": 48, "pools": 8, "configuration_lines": 41,
    "backup_jobs_whole": 1, "backup_jobs_dump": 8, "whole_s": 2, "whole_mib": 200, "dump_s": 3, "dump_mib": 5,
    "whole_rolled_back": 7, "dump_rolled_back": 0, "dump_restored": 1, "whole_restore_s": 0.4, "dump_restore_s": 0.1,
    "pss_mib": 100, "disk_mib": 100, "wal_mib": 1, "sessions": 8, "rss_mib": 300,
    "lost_with_instance": 8, "lost_with_database": 1, "dropped_by_crash": 7, "recovery_s": 0.2,
    "p50_quiet_ms": 1, "p99_quiet_ms": 2, "p50_loaded_ms": 3, "p99_loaded_ms": 6, "p50_ratio": 3, "p99_ratio": 3,
    "reach_share": 0, "reach_tables": 0, "administrator_share": 1, "rows": 1000, "trading_reads_people": 0,
    "classes_worst": 4, "mixed_databases": 0, "colliding_worst": 2, "audit_kept": 8, "audit_crossed": 0,
    "keys_own": 8, "keys_crossed": 0, "keys_rotated": 1,
    "trails_sound": 8, "trails_shown": 8, "bundles_proven": 8, "bundles_refused": 8, "readers_own": 8,
    "readers_crossed": 0,
    "sql_allow": 8, "sql_deny": 56, "sql_tries": 80, "sql_wrong": 0, "drift": 0, "service_roles": 8,
    "bus_allow": 8, "bus_deny": 56, "bus_tries": 2145, "bus_wrong": 0,
    "role_kinds": 7, "roles_own": 56, "column_grants": 99, "role_tries": 64, "role_refused": 64,
    "ended_by_patch": 7, "patch_s": 0.1, "powers": 0, "drift_planted": 1, "drift_found": 1,
    "modules": 83, "cross_imports": 0, "statements_read": 248, "cross_statements": 0,
    "report_ms": 50, "report_whole_ms": 200, "report_databases": 5, "report_orders": 1000,
    "claim17_faster": 3, "claim19_faster": 3, "optimised_rows": 1e7,
    "claim18_p50_ms": 0.1, "claim18_p99_ms": 0.2, "claim18_index_only": 0,
    "manifest_deployments": 8, "manifest_pools": 8, "manifest_instances": 1, "manifest_objects": 62,
    "retention_archived": 8, "retention_held": 8, "retention_crossed": 0, "retention_classes": 10,
    "windows_refused": 2600, "windows_tried": 2600, "windows_kept": 8, "windows_crossed": 0, "windows_at_once": 1,
    "windows_instances": 1,
    "manifest_urls": 8, "manifest_urls_known": 8, "manifest_secrets": 0,
    "moved_services": 8, "move_rows": 900, "move_differences": 0, "move_acknowledged": 500, "move_refused": 0,
    "move_lost": 0, "move_pause_ms": 60, "elsewhere_pause_ms": 70, "elsewhere_differences": 0, "elsewhere_lost": 0,
    "elsewhere_refused": 0, "elsewhere_acknowledged": 300, "elsewhere_others": 7,
}  # fmt: skip


def findings(layout: str = "separate", **changed: float) -> Findings:
    """Return made-up findings: those of separate with some figures changed; a negative one is left out."""
    values = {**_SEPARATE, **changed}
    figures = {
        key: Figure(value=value, unit="", low=value, high=value, rounds=3)
        for key, value in values.items()
        if value >= 0
    }
    return Findings(layout=layout, figures=figures)


def verdict(number: int, found: Findings, *, base: Findings | None = None) -> Verdict:
    """Judge one claim for one layout, beside separate."""
    separate = base or findings()
    rows = judge((separate, found) if found.layout != "separate" else (found,))
    return rows[number - 1].verdicts[found.layout]


def test_every_claim_of_the_ledger_is_there_once_and_in_order() -> None:
    assert [claim.number for claim in CLAIMS] == list(range(1, 31))


def test_where_nothing_was_measured_no_claim_gets_a_yes_or_a_no() -> None:
    words = {row.number: row.verdicts["central"].word for row in judge((Findings(layout="central"),))}
    advised = {28}  # decided by the advice itself, which needs no measurement
    assert {number for number, word in words.items() if word is not Word.UNMEASURED} == advised


def test_every_rule_says_how_it_decides() -> None:
    assert [claim.number for claim in CLAIMS if len(claim.rule) < 20] == []


_MERGED: dict[str, float] = {
    "merge_services": 8, "merge_acknowledged": 90, "merge_refused": 0, "merge_lost": 0, "merge_pause_ms": 300,
}  # fmt: skip

# claim, changed figures, expected verdict; figures that are not named are those of separate above
_CASES: tuple[tuple[int, dict[str, float], Word], ...] = (
    (23, {}, Word.HOLDS),
    (23, {"elsewhere_lost": 1}, Word.FAILS),
    (23, {"elsewhere_refused": 1}, Word.FAILS),
    (23, {"elsewhere_differences": 1}, Word.FAILS),
    (23, {"elsewhere_acknowledged": 0}, Word.FAILS),
    (23, {"elsewhere_others": 6}, Word.FAILS),
    (29, {}, Word.CONDITION),
    (29, {"move_lost": 1}, Word.FAILS),
    (29, {"move_refused": 1}, Word.FAILS),
    (29, {"move_differences": 1}, Word.FAILS),
    (29, {"move_acknowledged": 0}, Word.FAILS),
    (29, _MERGED, Word.HOLDS),
    (29, {**_MERGED, "merge_lost": 1}, Word.FAILS),
    (29, {**_MERGED, "merge_refused": 1}, Word.FAILS),
    (29, {**_MERGED, "merge_acknowledged": 0}, Word.FAILS),
    (1, {"parts": 56}, Word.HOLDS),
    (1, {"parts": 57}, Word.FAILS),
    (1, {"parts": -1}, Word.UNMEASURED),
    (2, {}, Word.CONDITION),
    (2, {"report_join_ms": 20, "report_join_whole_ms": 90, "report_equal": 1}, Word.HOLDS),
    (2, {"report_join_ms": 20, "report_join_whole_ms": 90, "report_equal": 0}, Word.FAILS),
    (3, {}, Word.CONDITION),
    (3, {"backup_jobs_dump": 1}, Word.HOLDS),
    (3, {"backup_jobs_whole": 8}, Word.FAILS),
    (4, {"pss_mib": 90, "disk_mib": 90}, Word.HOLDS),
    (4, {"pss_mib": 90, "disk_mib": 91}, Word.CONDITION),
    (4, {"pss_mib": 90, "disk_mib": 90, "wal_mib": 1.2}, Word.CONDITION),
    (4, {"pss_mib": 91, "disk_mib": 91}, Word.FAILS),
    (5, {}, Word.HOLDS),
    (5, {"lost_with_instance": 1}, Word.FAILS),
    (6, {}, Word.HOLDS),
    (6, {"p99_ratio": 1.25}, Word.FAILS),
    (7, {}, Word.CONDITION),
    (7, {"reach_share": 0.001}, Word.HOLDS),
    (7, {"administrator_share": 0.4}, Word.FAILS),
    (8, {}, Word.FAILS),
    (8, {"colliding_worst": 3}, Word.CONDITION),
    (8, {"mixed_databases": 1}, Word.HOLDS),
    (9, {}, Word.FAILS),
    (9, {"databases": 3, "lost_with_database": 3}, Word.HOLDS),
    (9, {"databases": 3, "lost_with_database": 3, "reach_share": 0.1}, Word.FAILS),
    (9, {"databases": 1, "lost_with_database": 8}, Word.FAILS),
    (10, {}, Word.HOLDS),
    (10, {"trails_shown": 7}, Word.CONDITION),
    (10, {"trails_sound": 7}, Word.FAILS),
    (10, {"trails_shown": -1}, Word.UNMEASURED),
    (14, {}, Word.CONDITION),
    (14, {"keys_own": 7}, Word.FAILS),
    (14, {"keys_crossed": 1}, Word.FAILS),
    (14, {"keys_rotated": 0}, Word.FAILS),
    (12, {}, Word.HOLDS),
    (12, {"bundles_proven": 7}, Word.FAILS),
    (12, {"bundles_refused": 7}, Word.FAILS),
    (12, {"readers_own": 7}, Word.FAILS),
    (12, {"readers_crossed": 1}, Word.FAILS),
    (10, {"audit_kept": 7}, Word.FAILS),
    (10, {"audit_crossed": 1}, Word.FAILS),
    (13, {}, Word.HOLDS),
    (13, {"sql_allow": 9, "sql_deny": 55}, Word.FAILS),
    (13, {"trading_reads_people": 1}, Word.FAILS),
    (13, {"bus_wrong": 1}, Word.FAILS),
    (13, {"bus_allow": -1}, Word.CONDITION),
    (13, {"bus_allow": -1, "sql_deny": 55}, Word.FAILS),
    (15, {}, Word.HOLDS),
    (15, {"role_refused": 63}, Word.FAILS),
    (11, {}, Word.HOLDS),
    (11, {"retention_held": 7}, Word.FAILS),
    (11, {"retention_crossed": 1}, Word.FAILS),
    (11, {"retention_archived": 7}, Word.FAILS),
    (15, {"roles_own": 6}, Word.FAILS),
    (22, {}, Word.CONDITION),
    (22, {"windows_instances": 8}, Word.HOLDS),
    (22, {"windows_refused": 2599}, Word.FAILS),
    (22, {"windows_crossed": 1}, Word.FAILS),
    (16, {}, Word.FAILS),
    (16, {"ended_by_patch": 0}, Word.HOLDS),
    (17, {"claim17_faster": 2}, Word.HOLDS),
    (17, {"claim17_faster": 1.9}, Word.FAILS),
    (18, {}, Word.CONDITION),
    (18, {"claim18_index_only": 1}, Word.HOLDS),
    (18, {"claim18_index_only": 1, "claim18_p50_ms": 1.1}, Word.FAILS),
    (19, {"claim19_faster": 1.9}, Word.FAILS),
    (20, {}, Word.FAILS),
    (20, {"p99_ratio": 1.25}, Word.HOLDS),
    (21, {}, Word.CONDITION),
    (21, {"whole_rolled_back": 0}, Word.HOLDS),
    (21, {"dump_rolled_back": 1}, Word.FAILS),
    (21, {"dump_restored": 0}, Word.FAILS),
    (24, {}, Word.CONDITION),
    (24, {"manifest_instances": 8}, Word.HOLDS),
    (24, {"manifest_pools": 7}, Word.FAILS),
    (25, {}, Word.HOLDS),
    (25, {"databases": 3}, Word.CONDITION),
    (25, {"drift": 1}, Word.FAILS),
    (25, {"service_roles": 1}, Word.FAILS),
    (26, {}, Word.HOLDS),
    (26, {"powers": 1}, Word.FAILS),
    (26, {"drift_found": 0}, Word.FAILS),
    (26, {"reach_share": 0.5}, Word.FAILS),
    (27, {}, Word.HOLDS),
    (27, {"cross_statements": 1}, Word.FAILS),
    (27, {"reach_share": 0.5}, Word.CONDITION),
    (30, {}, Word.HOLDS),
    (30, {"manifest_secrets": 1}, Word.FAILS),
    (30, {"manifest_urls_known": 7}, Word.FAILS),
)


@pytest.mark.parametrize(("number", "changed", "expected"), _CASES)
def test_a_verdict_turns_exactly_at_its_border(number: int, changed: dict[str, float], expected: Word) -> None:
    assert verdict(number, findings("other", **changed)).word is expected


def test_every_verdict_under_a_condition_names_it() -> None:
    rows = judge((findings(), findings("other", databases=3, colliding_worst=9, reach_share=0)))
    nameless = [
        row.number for row in rows for v in row.verdicts.values() if (v.word is Word.CONDITION) != bool(v.condition)
    ]
    assert nameless == []


def test_a_processor_of_its_own_makes_performance_independent_under_that_condition() -> None:
    pinned = {f"pinned_{key}": 1.0 for key in ("p50_quiet_ms", "p99_quiet_ms", "p50_loaded_ms", "p99_loaded_ms")}
    found = findings("instances", **pinned, pinned_p99_ratio=1.0)
    assert verdict(20, found).word is Word.CONDITION
    assert verdict(6, found).word is Word.CONDITION
    assert verdict(20, findings("instances", **pinned, pinned_p99_ratio=1.3)).word is Word.FAILS


def test_comparisons_are_not_made_without_separate_beside() -> None:
    rows = judge((findings("central", parts=1),))
    assert [row.verdicts["central"].word for row in rows if row.number in {1, 4}] == [Word.UNMEASURED] * 2


def test_a_step_that_failed_is_named_where_its_figures_are_missing() -> None:
    found = Findings(layout="central", gaps={"copy and restore instances": "BACKUP_FAILED: no room"})
    assert "BACKUP_FAILED: no room" in verdict(3, found).evidence
