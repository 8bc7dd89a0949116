"""The demonstration: the platform's main job, from prices to fills, on a machine with nothing started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.demonstration import require_sound, run_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.installation import Installation

pytestmark = pytest.mark.timeout(240)


@pytest.mark.slow
def test_demonstration_verifies_every_step_and_runs_again_in_the_same_home(installation: Installation) -> None:
    first = require_sound(installation.run("demo", "--json"))
    assert installation.living() == []
    assert run_number(installation) == 1
    started = installation.run("up", "--detach")
    assert started.status == 0, started.err
    second = require_sound(installation.run("demo", "--json"))
    assert run_number(installation) == 2
    assert second["facts"]["fills"] == first["facts"]["fills"]
    assert installation.run("status").status == 0, "a platform that ran before the demonstration runs on"
    assert installation.run("down").status == 0
    assert installation.living() == []


@pytest.mark.slow
def test_two_homes_on_one_machine_do_not_touch_each_other(fresh_installation: Callable[..., Installation]) -> None:
    one, other = fresh_installation(), fresh_installation()
    for_people, for_programs = one.start("demo"), other.start("demo", "--json")
    require_sound(for_programs.finish(timeout_s=200))
    told = for_people.finish(timeout_s=200)
    assert told.status == 0, told.err
    assert "every step verified" in told.out
    assert "RISK_QTY_MAX" in told.out
    assert one.living() == other.living() == []
