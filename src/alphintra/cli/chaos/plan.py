"""What is broken when: drawn from a seed before anything starts, so that a run can be repeated. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from random import Random

__all__ = ["CRASHED", "KILL_POINTS", "STATIONS", "Fault", "FaultKind", "crashes", "plan_faults"]

T = TypeVar("T")
CRASHED: Final = "crashed"  # what came of a point that a process passed


class FaultKind(StrEnum):
    """What can be done to a platform."""

    CRASH_AT_POINT = "crash at a point"
    KILL_PROCESS = "kill -9 a process"
    PAUSE_PROCESS = "stop a process for a while"
    KILL_SUPERVISOR = "kill -9 the supervisor"
    KILL_POSTGRES = "kill -9 PostgreSQL"
    CRASH_POSTGRES = "PostgreSQL ends without a checkpoint"
    KILL_NATS = "kill -9 NATS"
    SLOW_DATABASE = "slow database"
    CUT_DATABASE = "no way to the database"
    RESET_DATABASE = "all database connections reset"
    CUT_BUS = "no way to the bus"
    RESET_BUS = "all bus connections reset"
    FULL_DISK = "full database disk"
    STEP_CLOCK = "clock stepped"
    PARTITION = "no network at all"


KILL_POINTS: Final = (
    "trading.before_assess",
    "trading.assessed",
    "trading.before_commit",
    "trading.committed",
    "risk.before_assess_commit",
    "risk.assess_committed",
    "risk.before_fill_commit",
    "relay.published",
    "consumer.handled",
    "broker.approval_examined",
    "broker.intent_stored",
    "broker.venue_answered",
    "broker.answer_stored",
    "broker.answer_committed",
    "broker.cancel_stored",
    "broker.cancel_committed",
    "broker.step_stored",
    "broker.step_committed",
    "trading.before_fill_commit",
    "trading.fill_committed",
    "notification.message_stored",
    "notification.message_committed",
    "strategy.matched",
    "strategy.placed",
)
"""Points on the order path, from the request to the message about the fill."""

STATIONS: Final = {
    "S1 request taken": ("trading.before_assess",),
    "S2, S7 order, event and audit committed": ("trading.before_commit", "trading.committed"),
    "S3, S4 event published, then off the queue": ("relay.published",),
    "S5 decision and reservation committed": ("risk.before_assess_commit", "risk.assess_committed"),
    "S6 approval handed over": ("trading.assessed",),
    "S8 order heard by broker": ("broker.approval_examined",),
    "S9 intent stored": ("broker.intent_stored",),
    "S10, S11 venue asked, venue answered": ("broker.venue_answered",),
    "S12 answer committed": ("broker.answer_stored", "broker.answer_committed"),
    "S13 report heard": ("consumer.handled", "broker.step_stored", "broker.step_committed"),
    "S14 ledger, position and exposure committed": (
        "trading.before_fill_commit",
        "trading.fill_committed",
        "risk.before_fill_commit",
    ),
    "S15 people notified": ("notification.message_stored", "notification.message_committed"),
    "cancellation": ("broker.cancel_stored", "broker.cancel_committed"),
    "strategy at work": ("strategy.matched", "strategy.placed"),
}
"""Where on the path each point lies: the stations S1 to S15, and what is beside them."""

_FIRST_S: Final = 3.0
_GAP_S: Final = (1.0, 5.0)
_LASTS_S: Final = {
    FaultKind.PAUSE_PROCESS: (1.0, 8.0),
    FaultKind.SLOW_DATABASE: (2.0, 6.0),
    FaultKind.CUT_DATABASE: (1.0, 6.0),
    FaultKind.CUT_BUS: (1.0, 6.0),
    FaultKind.FULL_DISK: (1.0, 4.0),
    FaultKind.STEP_CLOCK: (2.0, 8.0),
    FaultKind.PARTITION: (1.0, 5.0),
}
_STEPS_S: Final = ("-3600", "-1.5", "1.5", "3600")
_RECOVERY_S: Final = {
    FaultKind.KILL_SUPERVISOR: 8.0,
    FaultKind.KILL_POSTGRES: 3.0,
    FaultKind.CRASH_POSTGRES: 3.0,
    FaultKind.FULL_DISK: 5.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is broken.

    Attributes:
        at_s: when, in seconds after the load began.
        kind: what is done.
        target: process or point it is done to, seconds of a step, empty where the kind says all.
        lasts_s: how long it stays so; 0 for what is over at once.
    """

    at_s: float
    kind: FaultKind
    target: str
    lasts_s: float


def plan_faults(rng: Random, *, minutes: float, processes: Sequence[str], kinds: Iterable[FaultKind]) -> list[Fault]:
    """Return the faults of a run, in order of time, never two at once.

    Every kind comes up before one does again, and so do the points and the processes, as far as the time goes.

    Args:
        rng: source of chance; the same state gives the same plan.
        minutes: how long things are broken.
        processes: names of the platform's processes.
        kinds: what may be done on this machine.
    """
    allowed = list(kinds)
    # Points are many: each second fault is one.
    points, targets = _shuffled(rng, KILL_POINTS), _shuffled(rng, processes)
    others = _shuffled(rng, [kind for kind in allowed if kind is not FaultKind.CRASH_AT_POINT])
    faults: list[Fault] = []
    at_s = _FIRST_S
    while at_s < minutes * 60:
        is_point = FaultKind.CRASH_AT_POINT in allowed and len(faults) % 2 == 0
        kind = FaultKind.CRASH_AT_POINT if is_point else next(others)
        target = ""
        if kind is FaultKind.CRASH_AT_POINT:
            target = f"{next(points)}:{rng.randint(1, 4)}"
        elif kind in {FaultKind.KILL_PROCESS, FaultKind.PAUSE_PROCESS}:
            target = next(targets)
        elif kind is FaultKind.STEP_CLOCK:
            target = rng.choice(_STEPS_S)
        lasts_s = round(rng.uniform(*_LASTS_S[kind]), 1) if kind in _LASTS_S else 0.0
        faults.append(Fault(at_s=at_s, kind=kind, target=target, lasts_s=lasts_s))
        at_s = round(at_s + lasts_s + _RECOVERY_S.get(kind, 0.0) + rng.uniform(*_GAP_S), 1)
    return faults


def crashes(faults: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return how often a process ended at each point, by the faults of a report."""
    hit = (f for f in faults if f["kind"] == FaultKind.CRASH_AT_POINT and f["outcome"] == CRASHED)
    return Counter(str(fault["target"]).partition(":")[0] for fault in hit)


def _shuffled(rng: Random, items: Sequence[T]) -> Iterator[T]:
    """Yield the items in a random order, then in another, without end."""
    while True:
        yield from rng.sample(items, len(items))
