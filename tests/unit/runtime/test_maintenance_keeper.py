"""Upkeep by itself: once for each opening of a window, never outside, the one that waited longest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alphintra.dataplane.schedule import Window
from alphintra.runtime.maintenance.keeper import due_service

SUNDAY = datetime(2026, 3, 8, tzinfo=UTC)
WINDOW = Window.parse("sun 01:00-02:00")


def test_it_is_due_once_in_each_opening_and_never_outside() -> None:
    next_at: dict[str, datetime] = {}
    done = []
    for minute in range(0, 15 * 24 * 60, 7):
        at = SUNDAY + timedelta(minutes=minute)
        service = due_service({"risk": WINDOW}, next_at, at=at)
        if service is not None:
            done.append(at)
            next_at[service] = WINDOW.opens_after(at)
    assert [WINDOW.contains(at) for at in done] == [True, True, True]
    assert [at.date() - SUNDAY.date() for at in done] == [timedelta(days=7 * week) for week in range(3)]


def test_who_waited_longest_has_its_turn_first() -> None:
    at = SUNDAY + timedelta(hours=1, minutes=30)
    windows = dict.fromkeys(("auth", "risk", "user"), WINDOW)
    before = {"auth": at - timedelta(days=7), "risk": at - timedelta(days=14), "user": at + timedelta(days=7)}
    assert due_service(windows, before, at=at) == "risk"
    assert due_service(windows, {"auth": before["auth"], "user": before["user"]}, at=at) == "risk"
    assert due_service(windows, {name: at + timedelta(microseconds=1) for name in windows}, at=at) is None
