"""Plans of chaos runs: the same seed gives the same plan, everything comes up, nothing overlaps."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from alphintra.cli.chaos.plan import KILL_POINTS, Fault, FaultKind, plan_faults

PROCESSES = ("core", "relay", "worker")


def faults(seed: int, minutes: float) -> list[Fault]:
    return plan_faults(Random(seed), minutes=minutes, processes=PROCESSES, kinds=list(FaultKind))  # noqa: S311 - chance, no secret


@given(st.integers(0, 2**31), st.floats(0.1, 20))
def test_the_same_seed_gives_the_same_plan(seed: int, minutes: float) -> None:
    assert faults(seed, minutes) == faults(seed, minutes)


@given(st.integers(0, 2**31), st.floats(0.1, 20))
def test_faults_follow_each_other_within_the_time(seed: int, minutes: float) -> None:
    planned = faults(seed, minutes)
    assert planned
    assert all(before.at_s + before.lasts_s < after.at_s for before, after in pairwise(planned))
    assert planned[-1].at_s < minutes * 60


@given(st.integers(0, 2**31))
def test_every_kind_comes_up_before_one_does_again(seed: int) -> None:
    others = [fault.kind for fault in faults(seed, 20) if fault.kind is not FaultKind.CRASH_AT_POINT]
    count = len(FaultKind) - 1
    assert set(others[:count]) == set(FaultKind) - {FaultKind.CRASH_AT_POINT}


@given(st.integers(0, 2**31))
def test_every_point_comes_up_in_a_long_run(seed: int) -> None:
    points = {fault.target.partition(":")[0] for fault in faults(seed, 30) if fault.kind is FaultKind.CRASH_AT_POINT}
    assert points == set(KILL_POINTS)


def test_what_a_machine_does_not_allow_is_not_planned() -> None:
    chance = Random(1)  # noqa: S311 - chance, no secret
    planned = plan_faults(chance, minutes=20, processes=PROCESSES, kinds=[FaultKind.KILL_PROCESS])
    assert {fault.kind for fault in planned} == {FaultKind.KILL_PROCESS}
    assert {fault.target for fault in planned} == set(PROCESSES)
