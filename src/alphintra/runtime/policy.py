"""Decisions of the supervisor, without input or output: when to restart, and what state the platform is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

__all__ = [
    "Event",
    "Exited",
    "Finished",
    "Phase",
    "PlatformState",
    "ProcessState",
    "Ready",
    "RestartDecision",
    "RestartPolicy",
    "Started",
    "Stopped",
    "Stopping",
    "Up",
    "after_exit",
    "fold",
    "state_from_json",
    "state_to_json",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How a process that ends without being asked is started again; it is never given up, only ever more rarely.

    Args:
        delay_first_s: wait before the first restart; doubles with each further one.
        delay_max_s: longest wait, so at most one restart in this time in the long run.
        stable_s: a run at least this long counts as sound: the next wait starts from the first again.
        looping_after: restarts in a row after which the process is reported as crash-looping.
        rests_when_done: whether one that ends with status 0 has done its work and is left until it is wanted again.
    """

    delay_first_s: float = 0.2
    delay_max_s: float = 30.0
    stable_s: float = 60.0
    looping_after: int = 5
    rests_when_done: bool = False


@dataclass(frozen=True, slots=True)
class RestartDecision:
    """What to do about one exit: the length of the row it belongs to, the wait, and whether to report a loop."""

    streak: int
    delay_s: float
    is_looping: bool


def after_exit(policy: RestartPolicy, *, streak: int, ran_s: float) -> RestartDecision:
    """Decide about a process that ended after ``ran_s`` seconds, ``streak`` exits in a row having come before."""
    streak = 1 if ran_s >= policy.stable_s else streak + 1
    doublings = min(streak - 1, 32)
    delay = min(policy.delay_max_s, policy.delay_first_s * 2**doublings)
    return RestartDecision(streak, delay, streak > policy.looping_after)


class Phase(StrEnum):
    """Where a process, or the platform as a whole, stands."""

    STARTING = "starting"
    READY = "ready"
    FINISHED = "finished"  # a one-shot process that did its work
    RESTARTING = "restarting"
    CRASH_LOOP = "crash_loop"
    DEGRADED = "degraded"  # the platform is up, but not all of its processes are
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """One supervised process; ``last_exit`` is its last unasked-for exit status, negative for a signal."""

    name: str
    phase: Phase
    since: datetime
    pid: int | None = None
    restarts: int = 0
    last_exit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformState:
    """What ``status`` shows: the supervisor, its processes in the order they were started, the ports in use."""

    phase: Phase
    pid: int
    started_at: datetime
    ports: Mapping[str, int] = field(default_factory=dict)
    processes: tuple[ProcessState, ...] = ()


@dataclass(frozen=True, slots=True)
class Started:
    """A process was started, and is not ready yet."""

    name: str
    pid: int | None


@dataclass(frozen=True, slots=True)
class Ready:
    """A process does its work."""

    name: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A one-shot process ended as it should."""

    name: str


@dataclass(frozen=True, slots=True)
class Exited:
    """A process ended without being asked, and will be started again."""

    name: str
    status: int
    is_looping: bool


@dataclass(frozen=True, slots=True)
class Up:
    """All processes were ready for the first time."""

    ports: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stopping:
    """The platform was asked to stop."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A process, or without a name the platform, ended as asked."""

    name: str = ""


_ProcessEvent = Started | Ready | Finished | Exited | Stopped
Event = _ProcessEvent | Up | Stopping


def fold(state: PlatformState, event: Event, *, at: datetime) -> PlatformState:
    """Return the state after one event."""
    match event:
        case Stopping():
            return replace(state, phase=Phase.STOPPING)
        case Up(ports):
            return _judged(replace(state, ports=dict(ports), phase=Phase.READY))
        case Stopped(""):
            return replace(state, phase=Phase.STOPPED)
        case Started() | Ready() | Finished() | Exited() | Stopped():
            return _judged(_with_process(state, _after(_process(state, event.name, at), event, at=at)))
        case _:
            assert_never(event)


def _after(process: ProcessState, event: _ProcessEvent, *, at: datetime) -> ProcessState:
    match event:
        case Started(_, pid):
            is_looping = process.phase is Phase.CRASH_LOOP
            again = Phase.RESTARTING if process.restarts else Phase.STARTING
            return replace(process, phase=Phase.CRASH_LOOP if is_looping else again, pid=pid, since=at)
        case Ready():
            return replace(process, phase=Phase.READY, since=at)
        case Finished():
            return replace(process, phase=Phase.FINISHED, pid=None, since=at)
        case Exited(_, status, is_looping):
            phase = Phase.CRASH_LOOP if is_looping else Phase.RESTARTING
            count = process.restarts + 1
            return replace(process, phase=phase, pid=None, since=at, restarts=count, last_exit=status)
        case Stopped():
            return replace(process, phase=Phase.STOPPED, pid=None, since=at)
        case _:
            assert_never(event)


def _process(state: PlatformState, name: str, at: datetime) -> ProcessState:
    known = (process for process in state.processes if process.name == name)
    return next(known, ProcessState(name=name, phase=Phase.STARTING, since=at))


def _with_process(state: PlatformState, changed: ProcessState) -> PlatformState:
    if all(process.name != changed.name for process in state.processes):
        return replace(state, processes=(*state.processes, changed))
    processes = tuple(changed if process.name == changed.name else process for process in state.processes)
    return replace(state, processes=processes)


def _judged(state: PlatformState) -> PlatformState:
    """Once up, the platform is ready exactly while all of its processes are."""
    if state.phase not in {Phase.READY, Phase.DEGRADED}:
        return state
    sound = all(process.phase in {Phase.READY, Phase.FINISHED} for process in state.processes)
    return replace(state, phase=Phase.READY if sound else Phase.DEGRADED)


def state_to_json(state: PlatformState) -> dict[str, object]:
    """Return the state as plain JSON values; times in ISO 8601 with offset."""
    return {
        "phase": state.phase.value,
        "pid": state.pid,
        "started_at": state.started_at.isoformat(),
        "ports": dict(state.ports),
        "processes": [
            {
                "name": process.name,
                "phase": process.phase.value,
                "since": process.since.isoformat(),
                "pid": process.pid,
                "restarts": process.restarts,
                "last_exit": process.last_exit,
            }
            for process in state.processes
        ],
    }


def state_from_json(read: Mapping[str, object]) -> PlatformState:
    """Return the state that `state_to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    processes, ports = read["processes"], read["ports"]
    if not isinstance(processes, list) or not isinstance(ports, dict):
        raise TypeError("processes must be a list and ports an object")
    return PlatformState(
        phase=Phase(str(read["phase"])),
        pid=int(str(read["pid"])),
        started_at=datetime.fromisoformat(str(read["started_at"])),
        ports={str(name): int(port) for name, port in ports.items()},
        processes=tuple(
            ProcessState(
                name=str(each["name"]),
                phase=Phase(str(each["phase"])),
                since=datetime.fromisoformat(str(each["since"])),
                pid=each["pid"],
                restarts=int(each["restarts"]),
                last_exit=each["last_exit"],
            )
            for each in processes
        ),
    )
