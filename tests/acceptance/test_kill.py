"""Processes, servers and the supervisor killed in the middle of the demonstration: nothing is lost, nothing doubled.

The demonstration itself proves it: it compares paper trading with the backtest, the books with each other, the
venue's orders with ours and the messages with what happened, from the owning service's data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.demonstration import require_sound, run_number
from fixtures.installation import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.installation import Installation

pytestmark = pytest.mark.timeout(600)

CRASHED = 137

# By the process each point lies in; those of one set crash in one demonstration.
IN_GATE = (
    {"core": "trading.assessed:1", "relay": "relay.published:5", "worker": "strategy.backtest_stored:1"},
    {"core": "trading.before_commit:4", "relay": "trading.before_fill_commit:2"},
)
PER_SERVICE = {
    "broker": "broker.venue_answered:2",
    "nocode": "nocode.version_stored:1",
    "notification": "notification.message_stored:3",
    "risk": "risk.before_assess_commit:3",
    "strategy": "strategy.decided:100",
    "trading": "trading.fill_committed:2",
    "worker": "strategy.import_stored:1",
}
ONE_BY_ONE = (
    ("core", "nocode.version_stored:1"),
    ("core", "nocode.version_committed:1"),
    ("core", "risk.before_assess_commit:1"),
    ("core", "risk.assess_committed:1"),
    ("core", "risk.before_kill_commit:1"),
    ("core", "trading.before_assess:1"),
    ("core", "trading.assessed:2"),
    ("core", "trading.before_commit:4"),
    ("core", "trading.committed:1"),
    ("core", "broker.step_stored:1"),
    ("core", "broker.step_stored:8"),
    ("core", "broker.step_committed:5"),
    ("relay", "relay.published:1"),
    ("relay", "relay.published:30"),
    ("relay", "consumer.handled:1"),
    ("relay", "consumer.handled:50"),
    ("relay", "notification.message_stored:1"),
    ("relay", "notification.message_committed:1"),
    ("relay", "risk.before_fill_commit:1"),
    ("relay", "trading.before_fill_commit:1"),
    ("relay", "trading.fill_committed:1"),
    ("relay", "broker.approval_examined:1"),
    ("relay", "broker.intent_stored:1"),
    ("relay", "broker.venue_answered:1"),
    ("relay", "broker.answer_stored:1"),
    ("relay", "broker.answer_committed:1"),
    ("relay", "broker.cancel_stored:1"),
    ("relay", "broker.cancel_committed:1"),
    ("relay", "strategy.matched:1"),
    ("relay", "strategy.decided:1"),
    ("relay", "strategy.decided:400"),
    ("relay", "strategy.submitted:2"),
    ("relay", "strategy.settled:2"),
    ("relay", "strategy.placed:1"),
    ("relay", "strategy.placed:400"),
    ("worker", "strategy.import_written:1"),
    ("worker", "strategy.import_stored:1"),
    ("worker", "strategy.backtest_computed:1"),
    ("worker", "strategy.backtest_computed:2"),
    ("worker", "strategy.backtest_stored:2"),
)


@pytest.mark.slow
def test_processes_and_servers_killed_during_the_replay_come_back_and_lose_nothing(installation: Installation) -> None:
    demo = installation.start("demo", "--json")
    plan = (("core", 75), ("relay", 375), ("worker", 400), ("postgres", 450), ("nats", 525), ("core", 600))
    for name, day in plan:
        demo.await_day(day)
        before = installation.processes()[name]
        installation.kill(name)
        wait_until(lambda: _restarts(installation, name) > before["restarts"], f"the end of {name}")  # noqa: B023
    require_sound(demo.finish(timeout_s=200))
    assert {name: _restarts(installation, name) for name in ("core", "relay", "worker", "postgres", "nats")} == {
        "core": 2,
        "relay": 1,
        "worker": 1,
        "postgres": 1,
        "nats": 1,
    }
    assert installation.living() == []


@pytest.mark.parametrize(
    "is_power_cut",
    [pytest.param(False, marks=pytest.mark.slow), pytest.param(True, marks=pytest.mark.slow)],
    ids=["supervisor and command", "everything"],
)
def test_killed_demonstration_is_taken_up_again(installation: Installation, *, is_power_cut: bool) -> None:
    demo = installation.start("demo", "--json")
    demo.await_day(375)
    if is_power_cut:
        installation.cut_power()
    else:
        installation.kill("supervisor")
    demo.kill()
    assert run_number(installation) == 1
    require_sound(installation.run("demo", "--json"))
    assert run_number(installation) == 1
    assert installation.living() == []


@pytest.mark.slow
def test_platform_of_a_killed_demonstration_ends_with_it(installation: Installation) -> None:
    demo = installation.start("demo", "--json")
    demo.await_day(75)
    demo.kill()
    wait_until(lambda: installation.living() == [], "the end of the platform")
    assert installation.state()["phase"] == "stopped"


@pytest.mark.slow
@pytest.mark.parametrize("points", IN_GATE, ids=lambda points: ", ".join(points.values()))
def test_crash_between_two_steps_of_the_order_path_loses_nothing(
    installation: Installation, points: dict[str, str]
) -> None:
    assert _crashed(installation, points) == set(points)


@pytest.mark.slow
def test_crash_in_each_service_s_own_process_loses_nothing(fresh_installation: Callable[..., Installation]) -> None:
    assert _crashed(fresh_installation(processes="per-service"), PER_SERVICE) == set(PER_SERVICE)


@pytest.mark.slow
@pytest.mark.parametrize(("process", "point"), ONE_BY_ONE)
def test_crash_at_any_point_of_the_order_path_loses_nothing(
    installation: Installation, process: str, point: str
) -> None:
    assert _crashed(installation, {process: point}) == {process}


def _crashed(installation: Installation, points: dict[str, str]) -> set[str]:
    """Demonstrate with crashes at these points; return the processes that ended at theirs."""
    demo = installation.start("demo", "--json", crash_at=",".join(points.values()))
    require_sound(demo.finish(timeout_s=200))
    assert installation.living() == []
    return {name for name, process in installation.processes().items() if process["last_exit"] == CRASHED}


def _restarts(installation: Installation, name: str) -> int:
    return int(installation.processes()[name]["restarts"])
