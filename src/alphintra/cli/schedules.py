"""What commands show of scheduled jobs: backups and retention."""

# ruff: noqa: PLC0415 - codecs and the calendar are loaded where something is scheduled

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alphintra.cli.output import moment, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.runtime.home import Home
    from alphintra.runtime.settings import RuntimeSettings

__all__ = ["print_schedules", "schedules"]


def schedules(home: Home, chosen: RuntimeSettings) -> list[dict[str, Any]]:
    """Return how each scheduled job stands. Raises CONFIG_*, SCHEDULE."""
    if not (chosen.backup or chosen.backup_schedules or chosen.retention_schedules):
        return []
    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.schedules.standing import standings

    found = []
    for each in standings(home, chosen, at=SystemClock().now()):
        last = each.last
        found.append(
            {
                "job": each.name,
                "schedule": each.schedule,
                "next_at": None if each.next_at is None else each.next_at.isoformat(),
                "began_at": None if last is None else last.began_at.isoformat(),
                "ended_at": None if last is None or last.ended_at is None else last.ended_at.isoformat(),
                "made": "" if last is None else last.made,
                "code": "" if last is None else last.code,
                "detail": "" if last is None else last.detail,
                "failing_since": None if last is None or last.failing_since is None else last.failing_since.isoformat(),
            }
        )
    return found


def print_schedules(found: Sequence[dict[str, Any]]) -> None:
    """Print how scheduled jobs stand; nothing where none is."""
    if not found:
        return
    rows = [
        (
            each["job"],
            each["schedule"],
            moment(each["next_at"]),
            moment(each["began_at"]),
            moment(each["ended_at"]),
            each["made"],
            f"{each['code']} {each['detail']}".strip(),
        )
        for each in found
    ]
    print_table(("job", "schedule", "next", "began", "ended", "made", "what is wrong"), rows)
