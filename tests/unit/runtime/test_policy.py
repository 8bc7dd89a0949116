"""The supervisor's decisions: when to restart, and what state that makes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alphintra.runtime.policy import (
    Event,
    Exited,
    Finished,
    Phase,
    PlatformState,
    ProcessState,
    Ready,
    RestartPolicy,
    Started,
    Stopped,
    Stopping,
    Up,
    after_exit,
    fold,
    state_from_json,
    state_to_json,
)

AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
BEGUN = PlatformState(phase=Phase.STARTING, pid=7, started_at=AT)

names = st.sampled_from(["postgres", "trading", "edge"])
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Started, names, st.none() | st.integers(2, 99_999)),
    st.builds(Ready, names),
    st.builds(Finished, names),
    st.builds(Exited, names, st.integers(-64, 255), st.booleans()),
    st.builds(Up, st.dictionaries(names, st.integers(1, 65_535))),
    st.builds(Stopping),
    st.builds(Stopped, names | st.just("")),
)


def folded(*happened: Event, state: PlatformState = BEGUN) -> PlatformState:
    for event in happened:
        state = fold(state, event, at=AT)
    return state


def process(state: PlatformState, name: str) -> ProcessState:
    return next(each for each in state.processes if each.name == name)


def test_first_restart_comes_after_the_first_delay() -> None:
    decision = after_exit(RestartPolicy(delay_first_s=0.5), streak=0, ran_s=3.0)
    assert (decision.delay_s, decision.streak, decision.is_looping) == (0.5, 1, False)


def test_delay_doubles_with_each_exit_in_a_row_up_to_the_longest() -> None:
    policy = RestartPolicy(delay_first_s=1.0, delay_max_s=5.0)
    delays = [after_exit(policy, streak=streak, ran_s=0.1).delay_s for streak in range(5)]
    assert delays == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_sound_run_ends_the_row() -> None:
    policy = RestartPolicy(stable_s=60.0)
    assert after_exit(policy, streak=9, ran_s=60.0).streak == 1
    assert after_exit(policy, streak=9, ran_s=59.9).streak == 10


def test_a_loop_is_reported_only_past_the_limit() -> None:
    policy = RestartPolicy(looping_after=3)
    assert not after_exit(policy, streak=2, ran_s=0.0).is_looping
    assert after_exit(policy, streak=3, ran_s=0.0).is_looping


@given(streak=st.integers(0, 10**9), ran_s=st.floats(0, 1e9))
def test_restarts_are_bounded_in_rate_however_long_the_row(streak: int, ran_s: float) -> None:
    policy = RestartPolicy()
    decision = after_exit(policy, streak=streak, ran_s=ran_s)
    assert policy.delay_first_s <= decision.delay_s <= policy.delay_max_s


def test_platform_is_ready_once_up_and_degraded_while_a_process_is_away() -> None:
    up = folded(Started("trading", 10), Ready("trading"), Up({"http": 8400}))
    assert (up.phase, up.ports) == (Phase.READY, {"http": 8400})
    away = folded(Exited("trading", -9, is_looping=False), state=up)
    assert away.phase is Phase.DEGRADED
    assert process(away, "trading") == ProcessState(
        name="trading", phase=Phase.RESTARTING, since=AT, pid=None, restarts=1, last_exit=-9
    )
    assert folded(Started("trading", 11), state=away).phase is Phase.DEGRADED
    assert folded(Started("trading", 11), Ready("trading"), state=away).phase is Phase.READY


def test_a_crash_loop_stays_visible_until_the_process_is_ready() -> None:
    looping = folded(Started("risk", 10), Ready("risk"), Up({}), Exited("risk", 1, is_looping=True))
    assert process(looping, "risk").phase is Phase.CRASH_LOOP
    again = folded(Started("risk", 12), state=looping)
    assert (process(again, "risk").phase, process(again, "risk").pid) == (Phase.CRASH_LOOP, 12)
    assert process(folded(Ready("risk"), state=again), "risk").phase is Phase.READY


def test_a_finished_one_shot_process_leaves_the_platform_ready() -> None:
    assert folded(Started("migrate", 10), Finished("migrate"), Up({})).phase is Phase.READY


def test_before_up_a_ready_process_does_not_make_the_platform_ready() -> None:
    assert folded(Started("trading", 10), Ready("trading")).phase is Phase.STARTING


def test_stopping_is_final_until_all_is_stopped() -> None:
    stopping = folded(Started("edge", 10), Ready("edge"), Up({}), Stopping(), Stopped("edge"))
    assert stopping.phase is Phase.STOPPING
    assert process(stopping, "edge").phase is Phase.STOPPED
    assert folded(Stopped(), state=stopping).phase is Phase.STOPPED


def test_since_is_the_time_of_the_last_change() -> None:
    later = AT + timedelta(seconds=5)
    state = fold(folded(Started("edge", 10)), Ready("edge"), at=later)
    assert process(state, "edge").since == later


@given(st.lists(events))
def test_any_history_survives_the_state_file(happened: list[Event]) -> None:
    state = folded(*happened)
    assert state_from_json(json.loads(json.dumps(state_to_json(state)))) == state


@given(st.lists(events))
def test_a_platform_called_ready_has_only_sound_processes(happened: list[Event]) -> None:
    state = folded(*happened)
    if state.phase is Phase.READY:
        assert {each.phase for each in state.processes} <= {Phase.READY, Phase.FINISHED}
