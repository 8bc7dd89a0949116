"""The points a chaos run crashes at are those the platform passes."""

from __future__ import annotations

import re
from pathlib import Path

import alphintra
from alphintra.cli.chaos.plan import KILL_POINTS

SOURCE = Path(alphintra.__file__).parent


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
    assert set(re.findall(r'fault_point\("([a-z_.]+)"\)', text)) <= set(KILL_POINTS)
