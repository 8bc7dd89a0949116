"""Watchdogs: when a feed counts as silent and a job as stopped, and that each is told once and ended once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from alphintra.risk.domain.alerts import DEFAULT_RULES, RuleName, Severity
from alphintra.risk.domain.watchdogs import PATIENCE, FeedWatch, JobBeat, dead_jobs, silent_feeds
from unit.risk.books import NOON

SILENT, DEAD = DEFAULT_RULES[RuleName.FEED_SILENT], DEFAULT_RULES[RuleName.DETECTOR_DEAD]
FEED = FeedWatch(feed_id=UUID(int=6), status="running", interval_ms=1000, moved_at=NOON, is_silent=False, silences=0)
LONG_AGO = NOON - timedelta(days=1)


def seconds(count: float) -> timedelta:
    """Return so many seconds."""
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("interval_ms", "quiet_s", "status", "is_told"),
    [
        (1000, 15, "running", False),
        (1000, 15.001, "running", True),
        (60_000, 180, "running", False),
        (60_000, 180.001, "running", True),
        (1000, 3600, "paused", False),
        (1000, 3600, "finished", False),
    ],
)
def test_a_feed_is_silent_past_its_patience_while_it_runs(
    *, interval_ms: int, quiet_s: float, status: str, is_told: bool
) -> None:
    feed = replace(FEED, interval_ms=interval_ms, status=status)
    told = list(silent_feeds([feed], rule=SILENT, since=LONG_AGO, at=NOON + seconds(quiet_s)))
    assert [(raised.severity, after.is_silent, after.silences) for raised, after in told] == [
        (Severity.WARNING, True, 1)
    ] * is_told


def test_silence_before_the_watching_began_counts_for_nothing() -> None:
    later = NOON + timedelta(hours=1)
    assert list(silent_feeds([FEED], rule=SILENT, since=later, at=later + seconds(15))) == []
    told_before = replace(FEED, is_silent=True, silences=1)
    assert list(silent_feeds([told_before], rule=SILENT, since=later, at=later + seconds(1))) == []
    assert list(dead_jobs([], rule=DEAD, since=later, at=later + seconds(15))) == []


@pytest.mark.parametrize("change", [{"moved_at": NOON + seconds(60)}, {"status": "paused"}, {"status": "failed"}])
def test_a_feed_that_is_heard_again_or_need_not_be_is_told_once(change: dict[str, object]) -> None:
    at = NOON + seconds(60)
    ((silent, told),) = silent_feeds([FEED], rule=SILENT, since=LONG_AGO, at=at)
    assert list(silent_feeds([told], rule=SILENT, since=LONG_AGO, at=at)) == []
    changed = replace(told, **change)  # type: ignore[arg-type] # of the table
    ((over, after),) = silent_feeds([changed], rule=SILENT, since=LONG_AGO, at=at + seconds(1))
    assert (over.severity, after.is_silent, over.dedupe_key) == (Severity.INFO, False, f"{silent.dedupe_key}:over")
    assert list(silent_feeds([after], rule=SILENT, since=LONG_AGO, at=at + seconds(2))) == []


@pytest.mark.parametrize("job", sorted(PATIENCE))
def test_each_job_that_stops_is_told_alone_once_and_when_it_comes_round_again(job: str) -> None:
    began, patience = NOON, PATIENCE[job]
    at = NOON + patience + seconds(1)
    alive = {name: JobBeat(job=name, beat_at=at, is_dead=False, deaths=0) for name in PATIENCE}
    stopped = alive | {job: replace(alive[job], beat_at=began)}
    assert list(dead_jobs(stopped.values(), rule=DEAD, since=began, at=NOON + patience)) == []
    ((raised, after),) = dead_jobs(stopped.values(), rule=DEAD, since=began, at=at)
    assert (raised.severity, raised.subject, after.deaths) == (Severity.CRITICAL, f"job:{job}", 1)
    assert list(dead_jobs((stopped | {job: after}).values(), rule=DEAD, since=began, at=at)) == []
    again = replace(after, beat_at=at)
    ((over, ended),) = dead_jobs((stopped | {job: again}).values(), rule=DEAD, since=began, at=at)
    assert (over.severity, ended.is_dead, ended.deaths) == (Severity.INFO, False, 1)
    never = [beat for name, beat in alive.items() if name != job]
    assert [one.subject for one, _ in dead_jobs(never, rule=DEAD, since=began, at=at)] == [f"job:{job}"]


def test_the_rule_stretches_the_patience_with_jobs() -> None:
    beats = [JobBeat(job=name, beat_at=NOON, is_dead=False, deaths=0) for name in PATIENCE]
    at = NOON + seconds(400)
    assert len(list(dead_jobs(beats, rule=DEAD, since=LONG_AGO, at=at))) == len(PATIENCE)
    patient = replace(DEAD, threshold=Decimal(100))
    assert list(dead_jobs(beats, rule=patient, since=LONG_AGO, at=at)) == []
