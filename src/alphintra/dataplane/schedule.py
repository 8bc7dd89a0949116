"""When something is due, in the words of cron, and when something may be done: windows of the week."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from alphintra.kernel.errors import AlphintraError

__all__ = ["Schedule", "Window"]

_FIELDS: Final = 5
_DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK: Final = 7
_HOURS: Final = 24
_MINUTES: Final = 60
_SPAN: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_SOME_MOMENT: Final = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Moments that come again and again; make it with `parse`.

    Attributes:
        text: as it was written.
    """

    text: str
    _cron: str
    _zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, *, pointer: str = "") -> Schedule:
        """Read ``minute hour day month weekday``, as cron does, with a time zone behind it where it is not UTC.

        For example ``15 3 * * *`` or ``0 2 * * sat Europe/Berlin``. A clock that is set forward or back leaves out no
        run and makes none twice. Raises SCHEDULE, also for moments that never come.
        """
        words = text.split()
        zone = _zone(words.pop(), text, pointer) if len(words) == _FIELDS + 1 else ZoneInfo("UTC")
        if len(words) != _FIELDS:
            raise _wrong(text, "write five fields: minute, hour, day, month, weekday, such as '15 3 * * *'", pointer)
        schedule = cls(text, " ".join(words), zone)
        try:
            schedule.next_after(_SOME_MOMENT)
        except (CronSimError, ValueError) as error:
            raise _wrong(
                text, f"{str(error).lower()}; the fields are minute, hour, day, month, weekday", pointer
            ) from error
        except StopIteration as error:
            raise _wrong(text, "there is no such moment in any year", pointer) from error
        return schedule

    def next_after(self, at: datetime) -> datetime:
        """Return the first moment after another one, in UTC."""
        return next(CronSim(self._cron, at.astimezone(self._zone))).astimezone(UTC)

    def previous_before(self, at: datetime) -> datetime:
        """Return the last moment before another one, in UTC."""
        return next(CronSim(self._cron, at.astimezone(self._zone), reverse=True)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of each of some days; one that ends before it begins ends on the next day. Minutes of the day."""

    days: frozenset[int]
    begins: int
    ends: int

    def contains(self, day: int, minute: int) -> bool:
        if self.begins < self.ends:
            return day in self.days and self.begins <= minute < self.ends
        yesterday = (day - 1) % _WEEK
        return (day in self.days and minute >= self.begins) or (yesterday in self.days and minute < self.ends)


@dataclass(frozen=True, slots=True)
class Window:
    """Stretches of the week in which something may be done; make it with `parse`.

    Attributes:
        text: as it was written.
    """

    text: str
    _spans: tuple[_Span, ...]
    _zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, *, pointer: str = "") -> Window:
        """Read ``[days] HH:MM-HH:MM [zone]``, several divided by ``;``, or ``always``.

        Days are ``mon`` to ``sun``, as in ``sat,sun`` or ``mon-fri``; every day where none is named. ``22:00-04:00``
        ends on the next day. The zone stands once, at the end. Raises WINDOW.
        """
        if text.strip().lower() == "always":
            return cls(text, (_Span(frozenset(range(_WEEK)), 0, _HOURS * _MINUTES),), ZoneInfo("UTC"))
        parts = [part.split() for part in text.lower().split(";")]
        zone = ZoneInfo("UTC")
        if parts[-1] and not _SPAN.fullmatch(parts[-1][-1]):
            zone = _zone(text.rsplit(maxsplit=1)[-1], text, pointer, code="WINDOW")
            parts[-1].pop()
        return cls(text, tuple(_read_span(words, text, pointer) for words in parts), zone)

    def contains(self, at: datetime) -> bool:
        """Tell whether a moment lies in it; its end does not."""
        local = at.astimezone(self._zone)
        return any(span.contains(local.weekday(), local.hour * _MINUTES + local.minute) for span in self._spans)

    def opens_after(self, at: datetime) -> datetime:
        """Return the first beginning of a stretch after a moment, in UTC."""
        today = at.astimezone(self._zone).date()
        begins = (
            self._moment(today + timedelta(days=ahead), span.begins)
            for span in self._spans
            for ahead in range(_WEEK + 1)
            if (today + timedelta(days=ahead)).weekday() in span.days
        )
        return min(moment for moment in begins if moment > at)

    def _moment(self, day: date, minute: int) -> datetime:
        return datetime.combine(day, time(minute // _MINUTES, minute % _MINUTES), self._zone).astimezone(UTC)


def _read_span(words: list[str], text: str, pointer: str) -> _Span:
    found = _SPAN.fullmatch(words[-1]) if words else None
    if found is None or len(words) > 2:  # noqa: PLR2004 - days and hours
        raise _wrong_window(text, pointer)
    begins, ends = (int(found[at]) * _MINUTES + int(found[at + 1]) for at in (1, 3))
    sound = all(int(found[at]) < _MINUTES for at in (2, 4)) and begins < _HOURS * _MINUTES >= ends and begins != ends
    if not sound:
        raise _wrong_window(text, pointer)
    days = _read_days(words[0], text, pointer) if len(words) > 1 else frozenset(range(_WEEK))
    return _Span(days, begins, ends)


def _read_days(word: str, text: str, pointer: str) -> frozenset[int]:
    days: set[int] = set()
    for part in word.split(","):
        first, _, last = part.partition("-")
        if first not in _DAY_NAMES or (last or first) not in _DAY_NAMES:
            raise _wrong_window(text, pointer)
        begin, end = _DAY_NAMES.index(first), _DAY_NAMES.index(last or first)
        days |= {day % _WEEK for day in range(begin, end + 1 if end >= begin else end + 1 + _WEEK)}
    return frozenset(days)


def _zone(name: str, text: str, pointer: str, *, code: str = "SCHEDULE") -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = (
            f"{text[:80]!r} ends in {name[:40]!r}, which is no time zone: write one such as Europe/Berlin, or none"
        )
        raise AlphintraError(code, message, pointer=pointer) from error


def _wrong(text: str, why: str, pointer: str) -> AlphintraError:
    return AlphintraError("SCHEDULE", f"{text[:80]!r} is no schedule: {why}", pointer=pointer)


def _wrong_window(text: str, pointer: str) -> AlphintraError:
    message = f"{text[:80]!r} is no window: write it as 'sat,sun 02:00-05:00 Europe/Berlin', or 'always'"
    return AlphintraError("WINDOW", message, pointer=pointer)
