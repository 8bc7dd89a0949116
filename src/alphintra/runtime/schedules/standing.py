"""How what is scheduled stands: what came of it the last time, and when it comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alphintra.runtime.backups.choices import backup_choices
from alphintra.runtime.home import Home
from alphintra.runtime.schedules.due import JobKind, follows, scheduled
from alphintra.runtime.schedules.notes import Done, noted
from alphintra.runtime.settings import RuntimeSettings
from alphintra.runtime.tables import service_schedules

__all__ = ["Standing", "standings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One job; ``schedule`` is empty and ``next_at`` None for the archiving of the log, which is done all the time."""

    name: str
    schedule: str
    next_at: datetime | None
    last: Done | None


def standings(home: Home, settings: RuntimeSettings, *, at: datetime) -> tuple[Standing, ...]:
    """Return how each job stands that the settings have scheduled. Raises CONFIG_*, SCHEDULE."""
    choices = backup_choices(settings)
    retention = service_schedules(settings.retention_schedules, "retention_schedules")
    done = noted(home)
    found = []
    for job, schedule in sorted(scheduled(home, choices, retention=retention).items()):
        last = done.get(job.name)
        next_at = follows(schedule, last, at=at)
        last = None if last is None or last.is_first_seen else last
        found.append(Standing(name=job.name, schedule=schedule.text, next_at=next_at, last=last))
    if choices.target:
        logs = ((name, each) for name, each in sorted(done.items()) if name.startswith(f"{JobKind.LOG}:"))
        found += [Standing(name=name, schedule="", next_at=None, last=each) for name, each in logs]
    return tuple(found)
