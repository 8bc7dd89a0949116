"""The points a chaos run crashes at are those the platform passes."""

from __future__ import annotations

import re
from pathlib import Path

import alphintra
from alphintra.cli.chaos.plan import KILL_POINTS, STATIONS

SOURCE = Path(alphintra.__file__).parent
# A chaos run trades on paper: what only live venues, transfers of cash, splits, settings or reports on orders that are
# in no book pass is not on its way.
ELSEWHERE = {
    "broker.adoption_stored",
    "broker.answer_kept",
    "broker.answer_kept_committed",
    "broker.cancel_answered",
    "broker.exit_swapped",
    "broker.fill_committed",
    "broker.fill_stored",
    "broker.group_planned",
    "broker.kill_committed",
    "broker.kill_stored",
    "broker.report_stored",
    "broker.sending_committed",
    "broker.sending_stored",
    "broker.settings_stored",
    "trading.before_flow_commit",
    "trading.before_split_commit",
    "trading.reports_replayed",
}


def test_every_point_lies_at_one_station() -> None:
    assert sorted(point for points in STATIONS.values() for point in points) == sorted(KILL_POINTS)


def test_every_point_is_passed_somewhere() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py") if "cli" not in path.parts)
    passed = set(re.findall(r'fault_point\("([a-z_.]+)"\)', text))
    assert set(KILL_POINTS) <= passed


def test_every_point_of_the_order_path_is_crashed_at() -> None:
    text = "".join(
        path.read_text(encoding="utf-8")
        for service in ("trading", "broker")
        for path in (SOURCE / service).rglob("*.py")
    )
    assert set(re.findall(r'fault_point\("([a-z_.]+)"\)', text)) <= set(KILL_POINTS) | ELSEWHERE
