"""What is due is done once, what was missed is made up for once, and a full backup stands for an incremental one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.backup.retention import Keep
from alphintra.dataplane.schedule import Schedule
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.backups.choices import BackupChoices, External, backup_choices
from alphintra.runtime.platform import require_startable
from alphintra.runtime.schedules.due import Job, JobKind, first_seen, follows, jobs_of, next_due
from alphintra.runtime.schedules.notes import Done, begun, failed, succeeded
from alphintra.runtime.settings import RuntimeSettings
from alphintra.runtime.tables import service_schedules

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
HOURLY = Schedule.parse("0 * * * *")
RISK = Job(kind=JobKind.SERVICE, of="risk")
FULL = Job(kind=JobKind.FULL, of="main")
RETENTION = Job(kind=JobKind.RETENTION, of="risk")
STEP = Job(kind=JobKind.INCREMENTAL, of="main")


def done(hours_ago: float, *, code: str = "", is_cut: bool = False) -> Done:
    at = NOW - timedelta(hours=hours_ago)
    return Done(began_at=at, ended_at=None if is_cut else at, code=code)


def test_what_never_ran_is_due_and_what_ran_is_not() -> None:
    assert next_due({RISK: HOURLY}, {}, at=NOW) == RISK
    assert next_due({RISK: HOURLY}, {RISK.name: done(0.1)}, at=NOW) is None


@given(st.integers(1, 5000))
def test_however_many_runs_were_missed_one_makes_up_for_them(hours: int) -> None:
    known = {RISK.name: done(hours)}
    assert next_due({RISK: HOURLY}, known, at=NOW) == RISK
    assert next_due({RISK: HOURLY}, {RISK.name: done(0)}, at=NOW) is None


@pytest.mark.parametrize("last", [done(0.1, code="SPACE"), done(0.1, is_cut=True)])
def test_what_failed_or_was_cut_is_tried_again_after_ten_minutes(last: Done) -> None:
    assert next_due({RISK: HOURLY}, {RISK.name: last}, at=NOW) is None
    assert next_due({RISK: HOURLY}, {RISK.name: last}, at=NOW + timedelta(minutes=5)) == RISK


def test_a_full_backup_stands_for_the_incremental_one_due_beside_it() -> None:
    jobs = {FULL: HOURLY, STEP: HOURLY}
    assert next_due(jobs, {}, at=NOW) == FULL
    assert next_due(jobs, {FULL.name: done(0.1)}, at=NOW) is None
    assert next_due(jobs, {FULL.name: done(0.1, code="SPACE")}, at=NOW) == STEP


def test_the_longest_waiting_comes_first() -> None:
    daily = Job(kind=JobKind.SERVICE, of="auth")
    jobs = {RISK: HOURLY, daily: Schedule.parse("15 3 * * *")}
    assert next_due(jobs, {}, at=NOW) == daily


def test_what_the_operator_says_is_read() -> None:
    found = backup_choices(
        RuntimeSettings(
            home=Path("/home"),
            backup={"target": "/srv/backups", "full": "0 2 * * sun", "keep_days": "7"},
            backup_schedules={"trading": "15 3 * * *"},
            backup_external={"big": "pgbackrest:main"},
        )
    )
    assert found == BackupChoices(
        target="/srv/backups",
        full=Schedule.parse("0 2 * * sun"),
        services={"trading": Schedule.parse("15 3 * * *")},
        keep=Keep(days=7),
        external={"big": External(tool="pgbackrest", name="main")},
    )
    assert set(jobs_of(found, instances=["main"])) == {FULL, Job(kind=JobKind.SERVICE, of="trading")}


@pytest.mark.parametrize(
    ("said", "code", "pointer"),
    [
        ({"backup": {"targte": "/x"}}, "CONFIG_UNKNOWN", "backup.targte"),
        ({"backup": {"full": "0 2 * * *"}}, "CONFIG_VALUE", "backup.target"),
        ({"backup": {"target": "/x", "full": "never"}}, "SCHEDULE", "backup.full"),
        ({"backup": {"target": "/x", "keep_days": "-1"}}, "CONFIG_RANGE", "backup.keep_days"),
        (
            {"backup": {"target": "/x"}, "backup_schedules": {"trade": "0 2 * * *"}},
            "CONFIG_UNKNOWN",
            "backup_schedules.trade",
        ),
        ({"backup_external": {"main": "cp"}}, "CONFIG_VALUE", "backup_external.main"),
        ({"backup_external": {"main": "barman:a b"}}, "CONFIG_VALUE", "backup_external.main"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, dict[str, str]], code: str, pointer: str) -> None:
    settings = RuntimeSettings(
        home=Path("/home"),
        backup=said.get("backup", {}),
        backup_schedules=said.get("backup_schedules", {}),
        backup_external=said.get("backup_external", {}),
    )
    with pytest.raises(AlphintraError, match=code) as refused:
        backup_choices(settings)
    assert refused.value.pointer == pointer


def test_retention_waits_for_its_first_moment_and_what_was_missed_then_is_made_up_for_by_one() -> None:
    jobs = {RETENTION: HOURLY, RISK: HOURLY}
    known = first_seen(jobs, {}, at=NOW)
    assert list(known) == [RETENTION.name]
    known |= {RISK.name: done(0)}
    assert first_seen(jobs, known, at=NOW + timedelta(days=1)) == {}
    assert next_due(jobs, known, at=NOW + timedelta(minutes=29)) is None
    known[RISK.name] = done(-72)
    assert next_due(jobs, known, at=NOW + timedelta(days=3)) == RETENTION
    known[RETENTION.name] = done(-72)
    assert next_due(jobs, known, at=NOW + timedelta(days=3)) is None


def test_what_failed_comes_again_after_ten_minutes_unless_its_moment_is_nearer() -> None:
    assert follows(HOURLY, None, at=NOW) == NOW + timedelta(minutes=30)
    assert follows(HOURLY, done(0.1), at=NOW) == NOW + timedelta(minutes=30)
    assert follows(HOURLY, done(0, code="SPACE"), at=NOW) == NOW + timedelta(minutes=10)
    assert follows(HOURLY, done(-0.4, code="SPACE"), at=NOW + timedelta(minutes=25)) == NOW + timedelta(minutes=30)
    assert follows(HOURLY, done(1, is_cut=True), at=NOW) == NOW


def test_a_series_of_failures_begins_with_the_first_and_ends_with_what_went_well() -> None:
    last: Done | None = None
    series = []
    for minutes, code in enumerate(("", "SPACE", "BACKUP_TARGET", "", "SPACE")):
        at = NOW + timedelta(minutes=minutes)
        run = begun(last, at=at)
        error = AlphintraError(code or "X", "no")
        last = failed(run, error, last=last, at=at) if code else succeeded(run, at=at)
        series.append(last.failing_since)
    first, fourth = NOW + timedelta(minutes=1), NOW + timedelta(minutes=4)
    assert series == [None, first, first, None, fourth]


@pytest.mark.parametrize("code", ["ALREADY_RUNNING", "RETENTION_BUSY"])
def test_who_finds_another_at_it_once_has_not_failed_and_twice_has(code: str) -> None:
    error = AlphintraError(code, "somebody else is at it")
    once = failed(begun(done(1), at=NOW), error, last=done(1), at=NOW)
    assert (once.code, once.failing_since) == (code, None)
    later = NOW + timedelta(minutes=10)
    assert failed(begun(once, at=later), error, last=once, at=later).failing_since == later


def test_what_operators_were_told_of_is_kept_through_later_runs() -> None:
    told = Done(began_at=NOW, ended_at=NOW, code="SPACE", failing_since=NOW, told=NOW)
    run = begun(told, at=NOW)
    assert (run.failing_since, run.told) == (NOW, NOW)
    assert succeeded(run, at=NOW) == Done(began_at=NOW, ended_at=NOW, told=NOW)
    assert failed(run, AlphintraError("SPACE", "no"), last=told, at=NOW).told == NOW


def test_retention_is_scheduled_for_the_services_that_are_named_and_no_other() -> None:
    found = service_schedules({"trading": "0 4 * * sun"}, "retention_schedules")
    assert jobs_of(BackupChoices(), instances=["main"], retention=found) == {
        Job(kind=JobKind.RETENTION, of="trading"): Schedule.parse("0 4 * * sun")
    }
    assert jobs_of(BackupChoices(), instances=["main"], retention={}) == {}
    for said, code in (({"trade": "0 4 * * sun"}, "CONFIG_UNKNOWN"), ({"trading": "sundays"}, "SCHEDULE")):
        with pytest.raises(AlphintraError, match=code) as refused:
            service_schedules(said, "retention_schedules")
        assert refused.value.pointer == f"retention_schedules.{next(iter(said))}"


def test_a_start_with_a_schedule_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    settings = RuntimeSettings(home=tmp_path / "home", port=0, retention_schedules={"trade": "0 4 * * sun"})
    with pytest.raises(AlphintraError, match="did you mean trading") as refused:
        require_startable(settings)
    assert (refused.value.code, refused.value.pointer) == ("CONFIG_UNKNOWN", "retention_schedules.trade")
    assert not settings.home.exists()
