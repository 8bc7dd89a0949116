"""What is kept of change-overs, and what it tells of the next pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alphintra.runtime.home import Home
from alphintra.runtime.moving.history import ChangeOver, expected_pause, note_change_over, read_history

if TYPE_CHECKING:
    from pathlib import Path


def done(pause_ms: float, *, service: str = "risk") -> ChangeOver:
    return ChangeOver(
        at="2026-01-05T10:00:00.000+00:00",
        service=service,
        source="alphintra_risk on main",
        target="alphintra_central on main",
        versions=(18, 18),
        is_back=False,
        rows=7,
        differences=0,
        pause_ms=pause_ms,
        fence_ms=pause_ms / 2,
        phases_ms={"fence": 1.0},
    )


def test_what_was_noted_is_read_in_order_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    assert read_history(home) == ()
    for pause in (10.0, 20.0):
        note_change_over(home, done(pause))
    path = home.path / "moves-history.jsonl"
    path.write_bytes(path.read_bytes() + path.read_bytes()[:40] + b"\n")
    note_change_over(home, done(30.0))
    assert read_history(home) == (done(10.0), done(20.0), done(30.0))


@pytest.mark.parametrize(
    ("pauses", "told"),
    [
        ([], (0, None, None)),
        ([("risk", 40.0)], (1, 40.0, 40.0)),
        ([("user", 40.0), ("user", 50.0)], (2, 45.0, 50.0)),
        ([("user", 900.0), ("risk", 10.0), ("risk", 20.0), ("risk", 60.0)], (3, 20.0, 60.0)),
        ([("risk", 5000.0)] + [("risk", 30.0)] * 40, (40, 30.0, 30.0)),
    ],
    ids=["none yet", "one", "of others where it has none", "its own", "the latest"],
)
def test_the_next_pause_is_told_by_the_latest_ones(
    pauses: list[tuple[str, float]], told: tuple[int, float | None, float | None]
) -> None:
    found = expected_pause([done(pause, service=service) for service, pause in pauses], "risk")
    assert (found.samples, found.median_ms, found.worst_ms) == told
