"""Windows of upkeep: each service has one, no two services one hour, and nothing is done outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alphintra.dataplane.maintenance.windows import require_open, windows_of
from alphintra.dataplane.schedule import Window
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICES

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = [MONDAY + timedelta(minutes=30 * step) for step in range(7 * 48)]


def test_every_service_has_a_window_and_no_two_of_them_one_hour() -> None:
    windows = windows_of({})
    assert set(windows) == set(SERVICES)
    for at in WEEK:
        assert sum(window.contains(at) for window in windows.values()) <= 1
    assert all(any(window.contains(at) for at in WEEK) for window in windows.values())


def test_a_chosen_window_takes_the_place_of_the_default() -> None:
    windows = windows_of({"trading": "mon 00:00-01:00 America/New_York"})
    assert windows["trading"].contains(MONDAY + timedelta(hours=5))
    assert windows["risk"] == windows_of({})["risk"]


@pytest.mark.parametrize(
    ("chosen", "code"), [({"desk": "always"}, "MAINTENANCE_SERVICE"), ({"risk": "sometimes"}, "WINDOW")]
)
def test_a_window_of_nobody_or_of_no_time_is_refused(chosen: dict[str, str], code: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        windows_of(chosen)
    assert refused.value.code == code
    assert refused.value.pointer == f"maintenance_windows.{next(iter(chosen))}"


def test_outside_of_its_window_upkeep_is_refused_with_the_next_opening() -> None:
    window = Window.parse("sun 01:00-02:00")
    sunday = MONDAY + timedelta(days=6)
    require_open("auth", window, at=sunday + timedelta(hours=1))
    require_open("auth", window, at=sunday + timedelta(hours=2, microseconds=-1))
    for at in (sunday + timedelta(hours=1, microseconds=-1), sunday + timedelta(hours=2), MONDAY):
        with pytest.raises(AlphintraError, match="MAINTENANCE_WINDOW") as refused:
            require_open("auth", window, at=at)
        opens = "2026-03-15" if at == sunday + timedelta(hours=2) else "2026-03-08"
        assert f"it opens {opens} 01:00 UTC" in refused.value.detail
