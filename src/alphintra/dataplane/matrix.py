"""Result of attacking the borders between the services: who got where, with the server's own answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["AccessMatrix", "Cell", "Outcome", "Probe"]


class Outcome(StrEnum):
    """What the server made of a probe; an answer that is neither a yes nor a refusal proves nothing."""

    ALLOWED = "allowed"
    LEAKS = "leaks"
    DENIED = "denied"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing tried with one credential.

    Attributes:
        name: what was tried, e.g. ``connect alphintra_risk`` or ``publish risk.evt.access_probe``.
        may: whether the manifest allows it.
        outcome: what happened.
        code: SQLSTATE of the refusal, empty on the bus and where nothing was refused.
        answer: the server's own words.
    """

    name: str
    may: bool
    outcome: Outcome
    code: str = ""
    answer: str = ""

    @property
    def is_as_declared(self) -> bool:
        """Whether reality agrees with the manifest; an error never does."""
        return self.outcome is (Outcome.ALLOWED if self.may else Outcome.DENIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One credential against one service's property.

    Attributes:
        user: whose credential was used.
        target: whose database, subjects and stream were tried.
        probes: what was tried.
        declared: what the manifest lets the user do with the target, such as a command it may send; not tried.
    """

    user: str
    target: str
    probes: tuple[Probe, ...]
    declared: tuple[str, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """Whether anything at all got through."""
        return any(probe.outcome is Outcome.ALLOWED for probe in self.probes)

    @property
    def is_as_declared(self) -> bool:
        """Whether every probe ended as the manifest says."""
        return bool(self.probes) and all(probe.is_as_declared for probe in self.probes)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessMatrix:
    """Every service against every service.

    Attributes:
        kind: ``database`` or ``bus``.
        cells: one per pair of services.
        outsiders: the same tries by users that are no service (the edge).
        limits: what the administrator could neither see nor change, and no probe can prove.
        drift: what is granted or missing against the declaration, as the statement that would mend it.
    """

    kind: str
    cells: tuple[Cell, ...]
    outsiders: tuple[Cell, ...] = ()
    drift: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def allowed_count(self) -> int:
        """Pairs where something got through; the number of services if all is well."""
        return sum(cell.is_allowed for cell in self.cells)

    @property
    def denied_count(self) -> int:
        """Pairs where every try was refused."""
        return sum(all(probe.outcome is Outcome.DENIED for probe in cell.probes) for cell in self.cells)

    @property
    def is_isolated(self) -> bool:
        """Whether every try ended as declared and nothing drifted."""
        return not self.drift and all(cell.is_as_declared for cell in (*self.cells, *self.outsiders))

    @property
    def faults(self) -> tuple[str, ...]:
        """Every try that ended otherwise than declared, and the drift, in words."""
        tries = tuple(
            f"{cell.user} against {cell.target}: {probe.name} was {probe.outcome.value} ({probe.answer or 'no answer'})"
            for cell in (*self.cells, *self.outsiders)
            for probe in cell.probes
            if not probe.is_as_declared
        )
        return (*tries, *self.drift)
