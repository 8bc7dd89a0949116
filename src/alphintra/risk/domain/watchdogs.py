"""Watchdogs: prices that are due and do not come, a background job of risk that does not come round any more.

One rule, feed_silent, is for every silence of prices: of a feed, which risk notices, and of a symbol at the venue of a
live account, which broker notices, since it knows when the symbol trades.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from uuid import UUID

from alphintra.risk.domain.alerts import AlertRule, Raised, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PATIENCE", "FeedWatch", "JobBeat", "dead_jobs", "silent_feeds", "silent_symbol"]

INTERVALS: Final = 3  # a feed may miss so many of its steps before it counts as silent
# How long each job may take to come round: what it waits between two rounds, and a round itself at load.
PATIENCE: Final[Mapping[str, timedelta]] = MappingProxyType(
    {
        "watch": timedelta(seconds=15),  # alerts
        "sessions": timedelta(seconds=15),  # dead-man switches
        "examine": timedelta(seconds=30),  # surveillance
        "sweep": timedelta(seconds=120),  # reservations nobody confirmed; it begins a minute after the start
        "measure": timedelta(seconds=180),  # value at risk and the other kept reports
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedWatch:
    """A feed as it was last heard of: ``silences`` counts how often it was told to be silent."""

    feed_id: UUID
    status: str
    interval_ms: int
    moved_at: datetime
    is_silent: bool
    silences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBeat:
    """When a job last came round; ``deaths`` counts how often it was told to have stopped."""

    job: str
    beat_at: datetime
    is_dead: bool
    deaths: int


def silent_feeds(
    watches: Iterable[FeedWatch], *, rule: AlertRule, since: datetime, at: datetime
) -> Iterator[tuple[Raised, FeedWatch]]:
    """Return what is to be told of feeds, each with the watch as it stands from now on.

    Args:
        watches: every feed that runs, and those told to be silent.
        rule: its threshold is how many seconds without prices are too many.
        since: when the watching began: what was not looked at before that is not held against a feed.
        at: now.
    """
    for watch in watches:
        patience = timedelta(seconds=float(rule.threshold))
        patience = max(patience, INTERVALS * timedelta(milliseconds=watch.interval_ms))
        quiet = at - max(watch.moved_at, since)
        is_silent = watch.status == "running" and quiet > patience
        if is_silent and not watch.is_silent:
            after = replace(watch, is_silent=True, silences=watch.silences + 1)
            detail = f"The feed runs and brought no prices for {quiet.total_seconds():.0f} s; orders meet older ones."
            yield _of_feed(after, rule, "The price feed is silent", detail, at=at), after
        elif watch.is_silent and not is_silent and (watch.status != "running" or watch.moved_at >= since):
            after = replace(watch, is_silent=False)
            detail = "Prices come again." if watch.status == "running" else f"The feed is {watch.status}."
            yield _of_feed(after, rule, "The price feed is heard again", detail, at=at), after


def silent_symbol(
    rule: AlertRule, account_id: UUID, symbol: str, *, is_silent: bool, priced_at: datetime | None, at: datetime
) -> Raised:
    """Return what is to be told of a symbol whose prices stopped coming from an account's venue, or come again."""
    last = "none came yet" if priced_at is None else f"the last is of {priced_at.isoformat()}"
    silence = f"No prices of {symbol} come from the venue while its market is open: {last}."
    subject = f"account:{account_id}:{symbol}"
    return Raised(
        rule=rule,
        dedupe_key=f"{rule.rule}:{subject}:{at.isoformat()}{'' if is_silent else ':over'}",
        severity=rule.severity if is_silent else Severity.INFO,
        account_id=account_id,
        subject=subject,
        title=f"Prices of {symbol} are {'silent' if is_silent else 'heard again'}",
        detail=silence if is_silent else f"Prices of {symbol} come from the venue again.",
        happened_at=at,
    )


def dead_jobs(
    beats: Iterable[JobBeat], *, rule: AlertRule, since: datetime, at: datetime
) -> Iterator[tuple[Raised, JobBeat]]:
    """Return what is to be told of jobs, each with its beat as it stands from now on.

    Args:
        beats: of the jobs that ever came round; one that never did counts from ``since`` on.
        rule: its threshold is how many times the patience with each job is too long.
        since: when the watching began.
        at: now.
    """
    known = {beat.job: beat for beat in beats}
    for job, patience in PATIENCE.items():
        beat = known.get(job, JobBeat(job=job, beat_at=since, is_dead=False, deaths=0))
        quiet = at - max(beat.beat_at, since)
        is_dead = quiet > patience * float(rule.threshold)
        if is_dead and not beat.is_dead:
            after = replace(beat, is_dead=True, deaths=beat.deaths + 1)
            detail = f"It did not come round for {quiet.total_seconds():.0f} s: see the log of risk."
            yield _of_job(after, rule, f"Background job {job} of risk stopped", detail, at=at), after
        elif beat.is_dead and not is_dead and beat.beat_at >= since:
            after = replace(beat, is_dead=False)
            yield _of_job(after, rule, f"Background job {job} of risk runs again", "It came round.", at=at), after


def _of_feed(watch: FeedWatch, rule: AlertRule, title: str, detail: str, *, at: datetime) -> Raised:
    return _raised(rule, f"feed:{watch.feed_id}", watch.silences, title, detail, is_over=not watch.is_silent, at=at)


def _of_job(beat: JobBeat, rule: AlertRule, title: str, detail: str, *, at: datetime) -> Raised:
    return _raised(rule, f"job:{beat.job}", beat.deaths, title, detail, is_over=not beat.is_dead, at=at)


def _raised(  # noqa: PLR0913 - what is said of what
    rule: AlertRule, subject: str, count: int, title: str, detail: str, *, is_over: bool, at: datetime
) -> Raised:
    return Raised(
        rule=rule,
        dedupe_key=f"{rule.rule}:{subject}:{count}{':over' if is_over else ''}",
        severity=Severity.INFO if is_over else rule.severity,
        account_id=None,
        subject=subject,
        title=title,
        detail=detail,
        happened_at=at,
    )
