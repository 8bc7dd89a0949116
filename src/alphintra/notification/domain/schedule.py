"""When a person is left alone: quiet hours by the clock on their wall, and being muted for a while."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from alphintra.kernel.errors import AlphintraError

__all__ = ["UNDISTURBED", "Schedule", "is_quiet", "new_schedule", "quiet_until"]

MUTE_MAX: Final = timedelta(days=30)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_MINUTE: Final = timedelta(minutes=1)
_SEARCH_MINUTES: Final = 26 * 60  # a day, and more than any clock was ever turned


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a person is left alone by channels; the inbox takes everything.

    Attributes:
        time_zone: whose clock counts, e.g. ``Europe/Berlin``.
        quiet_from: when quiet hours begin, ``HH:MM``; empty for none.
        quiet_to: when they end, on the next day where that is earlier.
        muted_until: until when nothing but what is critical leaves.
    """

    time_zone: str = "UTC"
    quiet_from: str = ""
    quiet_to: str = ""
    muted_until: datetime | None = None


UNDISTURBED: Final = Schedule()
"""What holds for a person who has chosen nothing."""


def new_schedule(wanted: Schedule, *, time_zones: AbstractSet[str], at: datetime) -> Schedule:
    """Return a schedule as a person wants it.

    Raises:
        AlphintraError: FIELD_VALUE for a time zone, hours or an end of muting that cannot be.
    """
    if wanted.time_zone not in time_zones:
        raise AlphintraError("FIELD_VALUE", "this is no time zone: write e.g. Europe/Berlin", pointer="/time_zone")
    for name in ("quiet_from", "quiet_to"):
        text = getattr(wanted, name)
        if text and not _CLOCK.fullmatch(text):
            raise AlphintraError("FIELD_VALUE", "write a time as HH:MM, e.g. 22:00", pointer=f"/{name}")
    if bool(wanted.quiet_from) != bool(wanted.quiet_to):
        raise AlphintraError("FIELD_VALUE", "quiet hours have a beginning and an end", pointer="/quiet_to")
    if wanted.quiet_from and wanted.quiet_from == wanted.quiet_to:
        message = "quiet hours that end when they begin would be none, or never end: choose another end"
        raise AlphintraError("FIELD_VALUE", message, pointer="/quiet_to")
    if wanted.muted_until is not None and wanted.muted_until > at + MUTE_MAX:
        message = f"muting lasts {MUTE_MAX.days} days at most: turn rules off for longer"
        raise AlphintraError("FIELD_VALUE", message, pointer="/muted_until")
    return wanted


def is_quiet(schedule: Schedule, zone: tzinfo, at: datetime) -> bool:
    """Tell whether the clock on the person's wall shows quiet hours."""
    if not schedule.quiet_from:
        return False
    shown = at.astimezone(zone).strftime("%H:%M")
    if schedule.quiet_from < schedule.quiet_to:
        return schedule.quiet_from <= shown < schedule.quiet_to
    return shown >= schedule.quiet_from or shown < schedule.quiet_to


def quiet_until(schedule: Schedule, zone: tzinfo, at: datetime) -> datetime | None:
    """Return the first minute after quiet hours that last now; None outside of them.

    It is looked for minute by minute, as the wall shows them: the night a clock is turned is as long as it is, and an
    hour that is left out or comes twice needs no rule of its own.
    """
    if not is_quiet(schedule, zone, at):
        return None
    minute = at.replace(second=0, microsecond=0)
    for count in range(1, _SEARCH_MINUTES):
        if not is_quiet(schedule, zone, minute + count * _MINUTE):
            return minute + count * _MINUTE
    return minute + _SEARCH_MINUTES * _MINUTE
