"""What is pruned leaves every moment that is promised, and nothing that builds on what is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.backup.model import BackupKind, Manifest
from alphintra.dataplane.backup.retention import Keep, surplus

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def made(hours_ago: int, kind: BackupKind = BackupKind.DUMP, parent: str = "") -> Manifest:
    at = NOW - timedelta(hours=hours_ago)
    return Manifest(
        ident=f"b{hours_ago:05d}",
        scope="service-risk",
        kind=kind,
        origin="home",
        began_at=at,
        ended_at=at,
        parent=parent,
        server_version=180006,
        databases={},
        key="k",
        files=(),
    )


def chains(ages: list[tuple[int, bool]]) -> list[Manifest]:
    """Return an instance's backups of such ages, each in full or built on the one before."""
    found: list[Manifest] = []
    for age, is_full in sorted(dict(ages).items(), reverse=True):
        if is_full or not found:
            found.append(made(age, BackupKind.FULL))
        else:
            found.append(made(age, BackupKind.INCREMENTAL, found[-1].ident))
    return found


KEEPS = st.builds(Keep, last=st.integers(0, 4), days=st.integers(0, 40), months=st.integers(0, 6))


@given(st.lists(st.tuples(st.integers(0, 9000), st.booleans()), max_size=30), KEEPS)
def test_what_is_left_builds_on_nothing_that_is_gone(ages: list[tuple[int, bool]], keep: Keep) -> None:
    backups = chains(ages)
    gone = {each.ident for each in surplus(backups, keep, at=NOW)}
    left = [each for each in backups if each.ident not in gone]
    assert all(not each.parent or each.parent not in gone for each in left)
    assert len(left) >= min(keep.last, len(backups))


@given(st.lists(st.tuples(st.integers(0, 9000), st.booleans()), max_size=30), KEEPS)
def test_pruning_twice_removes_nothing_more(ages: list[tuple[int, bool]], keep: Keep) -> None:
    backups = chains(ages)
    gone = {each.ident for each in surplus(backups, keep, at=NOW)}
    left = [each for each in backups if each.ident not in gone]
    assert surplus(left, keep, at=NOW) == ()


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30, unique=True), st.integers(1, 40))
def test_every_moment_of_the_days_kept_has_a_backup_before_it(ages: list[int], days: int) -> None:
    backups = [made(age) for age in ages]
    gone = {each.ident for each in surplus(backups, Keep(last=0, days=days, months=0), at=NOW)}
    start = NOW - timedelta(days=days)
    if any(each.began_at < start for each in backups):
        assert any(each.began_at < start and each.ident not in gone for each in backups)


def test_the_first_of_each_month_is_kept() -> None:
    backups = [made(24 * age) for age in range(200)]
    gone = surplus(backups, Keep(last=1, days=0, months=3), at=NOW)
    left = sorted(
        {each.began_at.date().isoformat() for each in backups} - {each.began_at.date().isoformat() for each in gone}
    )
    assert left == ["2026-09-01", "2026-10-01", "2026-11-01", "2026-11-23"]


def test_what_builds_on_others_is_removed_before_them() -> None:
    backups = chains([(300, True), (299, False), (298, False), (10, True)])
    gone = surplus(backups, Keep(last=1, days=0, months=0), at=NOW)
    assert [each.ident for each in gone] == ["b00298", "b00299", "b00300"]
