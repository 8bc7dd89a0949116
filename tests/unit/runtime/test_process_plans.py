"""Which services run in which process: every part of each exactly once, whatever the layout."""

from __future__ import annotations

from collections import Counter

import pytest

from alphintra.manifest import SERVICES
from alphintra.runtime.layout import process_plans
from alphintra.runtime.settings import ProcessLayout


@pytest.mark.parametrize("layout", list(ProcessLayout))
def test_each_part_of_each_service_runs_once_and_the_edge_too(layout: ProcessLayout) -> None:
    plans = process_plans(layout)
    assert len({plan.name for plan in plans}) == len(plans)
    for part in ("commands", "background"):
        runs = Counter(name for plan in plans for name in plan.services if getattr(plan.parts, part))
        assert runs == dict.fromkeys(SERVICES, 1)
    assert [plan.has_edge for plan in plans].count(True) == 1


def test_risk_apart_shares_its_process_with_nobody() -> None:
    plans = process_plans(ProcessLayout.RISK_APART)
    assert [plan.services for plan in plans if "risk" in plan.services] == [("risk",)]
    assert [plan.has_edge for plan in plans if "risk" in plan.services] == [False]
