"""What of the operator's schedules is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from alphintra.dataplane.schedule import Schedule
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.backups.choices import BackupChoices
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.schedules.notes import Done

__all__ = ["Job", "JobKind", "first_seen", "follows", "jobs_of", "next_due", "scheduled"]

_RETRY: Final = timedelta(minutes=10)
_MOMENT: Final = timedelta(microseconds=1)


class JobKind(StrEnum):
    """What is done."""

    FULL = "full"
    INCREMENTAL = "incremental"
    SERVICE = "service"
    VERIFY = "verify"
    LOG = "log"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Job:
    """One thing that comes again and again: of which instance or service."""

    kind: JobKind
    of: str

    @property
    def name(self) -> str:
        """Name under which it is noted."""
        return f"{self.kind.value}:{self.of}"


def jobs_of(
    choices: BackupChoices, *, instances: Iterable[str], retention: Mapping[str, Schedule] | None = None
) -> dict[Job, Schedule]:
    """Return what the operator has scheduled.

    Args:
        choices: what is said of backups.
        instances: those of the home's own, and those something else backs up.
        retention: when retention of a service is run.
    """
    found: dict[Job, Schedule] = {}
    for instance in instances:
        for kind, schedule in ((JobKind.FULL, choices.full), (JobKind.INCREMENTAL, choices.incremental)):
            if schedule is not None:
                found[Job(kind=kind, of=instance)] = schedule
    found |= {Job(kind=JobKind.SERVICE, of=service): schedule for service, schedule in choices.services.items()}
    if choices.verify is not None:
        found[Job(kind=JobKind.VERIFY, of="all")] = choices.verify
    found |= {Job(kind=JobKind.RETENTION, of=service): when for service, when in (retention or {}).items()}
    return found


def scheduled(home: Home, choices: BackupChoices, *, retention: Mapping[str, Schedule]) -> dict[Job, Schedule]:
    """Return what is scheduled in a home, as `jobs_of`; of its instances nothing before it was first started."""
    try:
        instances = provisioned_order(home).instances
    except AlphintraError:
        instances = ()
    own = {server.instance for server in instances if server.exclusive}
    named = (own | set(choices.external)) & {server.instance for server in instances}
    return jobs_of(choices, instances=sorted(named), retention=retention)


def first_seen(jobs: Iterable[Job], done: Mapping[str, Done], *, at: datetime) -> dict[str, Done]:
    """Return the notes of retention that is scheduled for the first time: it waits for its first moment from now on."""
    return {
        job.name: Done(began_at=at, ended_at=at, is_first_seen=True)
        for job in jobs
        if job.kind is JobKind.RETENTION and job.name not in done
    }


def follows(schedule: Schedule, last: Done | None, *, at: datetime) -> datetime:
    """Return when a job comes next: what failed or was cut is not waited for longer than ten minutes."""
    moment = schedule.next_after(at)
    return moment if last is None or last.is_well else min(moment, max(last.began_at + _RETRY, at))


def next_due(jobs: Mapping[Job, Schedule], done: Mapping[str, Done], *, at: datetime) -> Job | None:
    """Return what is due now, the longest waiting first; runs that were missed are made up for by one.

    What never ran is due at once (retention, which takes something away, is noted when its schedule is first seen: see
    `first_seen`). What failed is tried again after ten minutes. An instance's full backup stands for the incremental
    one that is due beside it.
    """
    waiting: list[tuple[datetime, Job]] = []
    for job, schedule in jobs.items():
        last = done.get(job.name)
        if job.kind is JobKind.INCREMENTAL:
            full = done.get(Job(kind=JobKind.FULL, of=job.of).name)
            if full is not None and full.is_well and (last is None or full.began_at > last.began_at):
                last = full
        moment = schedule.previous_before(at + _MOMENT)
        if last is None or last.began_at < moment:
            waiting.append((moment, job))
        elif not last.is_well and last.began_at + _RETRY <= at:
            waiting.append((last.began_at + _RETRY, job))
    fulls = {job.of for _, job in waiting if job.kind is JobKind.FULL}
    waiting = [each for each in waiting if not (each[1].kind is JobKind.INCREMENTAL and each[1].of in fulls)]
    return min(waiting)[1] if waiting else None
