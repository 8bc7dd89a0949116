"""`alphintra chaos run`: a platform broken by plan heals, and every invariant holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from alphintra.cli.chaos.plan import KILL_POINTS

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.installation import Installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize(("seed", "processes"), [(1, "default"), (2, "risk-apart"), (3, "per-service")])
def test_a_broken_platform_heals_and_every_invariant_holds(
    installation: Installation, tmp_path: Path, seed: int, processes: str
) -> None:
    arguments = ("--seed", str(seed), "--minutes", "1", "--processes", processes, "--out", str(tmp_path))
    outcome = installation.start("chaos", "run", *arguments, "--json").finish(timeout_s=600)
    assert outcome.status == 0, f"{outcome.err}\n{outcome.out}"
    document = outcome.document
    assert document["is_ok"]
    assert len(document["findings"]) >= 14
    assert {"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I13"} == {
        each["invariant"] for each in document["findings"]
    }
    assert document["faults"]
    assert set(document["points_hit"]) <= set(KILL_POINTS)
    assert document["operations"]["place ok"] > 20
    history = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert sum(each["kind"] == "place" and each["outcome"] == "ok" for each in history) > 20
    page = (tmp_path / "chaos.html").read_text()
    assert f"every invariant holds: {len(document['findings'])} of {len(document['findings'])}" in page
    assert page.count('<line class="fault"') == len(document["faults"])
    assert page.count("<circle") == sum(document["operations"].values())
    assert f"--seed {seed} --minutes 1 --processes {processes}" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
