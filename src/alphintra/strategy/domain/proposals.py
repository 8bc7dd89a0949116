"""Which point a sweep tries next: every one, drawn ones, or what a model of the trials so far finds promising.

A proposer remembers nothing of its own that the stored trials do not say: asked again with the same trials, also in
another process after a kill, it proposes the same points.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.strategy.domain.search import Space

__all__ = ["METHODS", "WORST", "Proposer", "proposer_of"]

METHODS: Final = ("grid", "random", "tpe")
WORST: Final = -1e9  # the score of a trial that failed or has none: finite, because a model computes with it
BATCH: Final = 8
_STARTUP: Final = 10
_DRAWS_MAX: Final = 1000


class Proposer(Protocol):
    """Gives out the points of a sweep, numbered from 0."""

    total: int

    def open_points(self, done: Mapping[int, float]) -> dict[int, dict[str, Decimal]]:
        """Return points to try now, by number; none once every trial is done.

        Args:
            done: score of each finished trial by number, higher is better.
        """


def proposer_of(method: str, space: Space, *, trials: int, seed: int) -> Proposer:
    """Return the proposer of a method. Raises SWEEP_METHOD or SWEEP_RANGE."""
    if method == "grid":
        return _Listed(space.grid())
    if method == "random":
        return _Listed(tuple(_drawn(space, seed, number) for number in range(trials)))
    if method == "tpe":
        return _Modelled(space, trials=trials, seed=seed)
    message = f"the method {method[:20]!r} is not known: write {', '.join(METHODS)}"
    raise AlphintraError("SWEEP_METHOD", message, pointer="/method")


class _Listed:
    """Points known beforehand."""

    def __init__(self, points: tuple[dict[str, Decimal], ...]) -> None:
        self._points = points
        self.total = len(points)

    def open_points(self, done: Mapping[int, float]) -> dict[int, dict[str, Decimal]]:
        left = (number for number in range(self.total) if number not in done)
        return {number: self._points[number] for _, number in zip(range(4 * BATCH), left, strict=False)}


class _Modelled:
    """The tree-structured Parzen estimator of Optuna, asked for batches of eight.

    Each batch rests on the batches before it and on nothing else, so that neither the number of processes nor the order
    in which they end changes a proposal.
    """

    def __init__(self, space: Space, *, trials: int, seed: int) -> None:
        import optuna  # noqa: PLC0415 - heavy, and only this method needs it

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.total = trials
        self._space = space
        self._seed = seed
        self._fail = optuna.trial.TrialState.FAIL
        self._choices: dict[str, Any] = {
            name: optuna.distributions.IntDistribution(0, len(values) - 1) for name, values in space.values.items()
        }
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP, constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._first = 0
        self._batch: list[tuple[Any, dict[str, Decimal]]] = []

    def open_points(self, done: Mapping[int, float]) -> dict[int, dict[str, Decimal]]:
        while self._first < self.total:
            if not self._batch:
                size = min(BATCH, self.total - self._first)
                self._batch = [self._ask(self._first + place) for place in range(size)]
            numbered = {self._first + place: point for place, (_, point) in enumerate(self._batch)}
            left = {number: point for number, point in numbered.items() if number not in done}
            if left:
                return left
            for number, (trial, _) in zip(numbered, self._batch, strict=True):
                if trial is not None:
                    self._study.tell(trial, max(done[number], WORST))
            self._first += len(self._batch)
            self._batch = []
        return {}

    def _ask(self, number: int) -> tuple[Any, dict[str, Decimal]]:
        """Ask until a point keeps the rules; a model that finds none is helped out by a drawn one."""
        for _ in range(BATCH):
            trial = self._study.ask(self._choices)
            point = {name: self._space.values[name][trial.params[name]] for name in self._choices}
            if self._space.allows(point):
                return trial, point
            self._study.tell(trial, state=self._fail)
        return None, _drawn(self._space, self._seed, number)


def _drawn(space: Space, seed: int, number: int) -> dict[str, Decimal]:
    """Return the point of that number: the same whatever was drawn before."""
    for attempt in range(_DRAWS_MAX):
        point = {}
        for name, values in space.values.items():
            drawn = hashlib.sha256(f"{seed}/{number}/{attempt}/{name}".encode()).digest()
            point[name] = values[int.from_bytes(drawn[:8], "big") % len(values)]
        if space.allows(point):
            return point
    message = f"{_DRAWS_MAX} draws found no point that keeps every constraint: loosen one"
    raise AlphintraError("SWEEP_RANGE", message, pointer="/constraints")
