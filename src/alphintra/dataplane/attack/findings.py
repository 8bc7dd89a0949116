"""What the results come to: findings with their remedy, the matrix of pairs, what to accept, the verdict. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alphintra.dataplane.attack.accepted import Pair, Standing, accept
from alphintra.dataplane.attack.model import Answer, Attack, Effect, Floor, Level, Place, Result
from alphintra.dataplane.layouts import LayoutName
from alphintra.dataplane.matrix import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.dataplane.layouts import Placement

__all__ = ["Assessment", "Finding", "PairVerdict", "assess_results", "name_layout", "reach_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One probe that got through somewhere.

    Attributes:
        attack: what got through.
        pairs: attacker and victim, each time; both the same for what concerns a service's own bounds.
        answer: what PostgreSQL said the first time.
        reasons: why it may stay open, the same for all pairs or one after another; empty if anywhere it may not.
        unaccepted: the pairs it may not stay open for.
    """

    attack: Attack
    pairs: tuple[tuple[str, str], ...]
    answer: Answer
    reasons: tuple[str, ...]
    unaccepted: tuple[tuple[str, str], ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether it stands on the accepted list wherever it is open."""
        return not self.unaccepted

    @property
    def closes_under(self) -> str:
        """Layout or level under which it is closed; empty if under none, or if it was never open by itself."""
        match self.attack.floor:
            case Floor.SHARED_DATABASE:
                return "separate"
            case Floor.SHARED_INSTANCE:
                return "isolated"
            case Floor.ANYWHERE:
                return ""
            case Floor.NONE:
                return self.attack.closed_by.value


@dataclass(frozen=True, slots=True, kw_only=True)
class PairVerdict:
    """One attacker against one victim; its own bounds where they are the same.

    Attributes:
        attacker: whose credential.
        victim: whose property.
        verdict: the worst of it: ``allowed``, then ``error``, ``leaks``, ``denied``.
        counts: results by outcome.
        open: names of probes that got through and are not the layout's own gift.
    """

    attacker: str
    victim: str
    verdict: Outcome
    counts: Mapping[str, int]
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What an attack of all pairs came to.

    Attributes:
        layout: name of the layout, ``separate (isolated)`` with an instance per database.
        level: how far the instances are hardened, the loosest of them.
        probes: the catalogue that was tried.
        results: every answer.
        findings: probes that got through, what may not stay open first.
        pairs: verdict for each attacker and victim.
    """

    layout: str
    level: Level
    probes: tuple[Attack, ...]
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    pairs: tuple[PairVerdict, ...]

    @property
    def errors(self) -> tuple[Result, ...]:
        """Answers that prove nothing."""
        return tuple(result for result in self.results if result.answer.outcome is Outcome.ERROR)

    @property
    def unaccepted(self) -> tuple[Finding, ...]:
        """What is open and must not be."""
        return tuple(finding for finding in self.findings if not finding.is_accepted)

    @property
    def is_as_accepted(self) -> bool:
        """Whether nothing is open beyond the accepted list, and every answer proves something."""
        return not self.unaccepted and not self.errors

    def count(self, effect: Effect) -> int:
        """Return how many distinct probes of one effect are open."""
        return sum(finding.attack.effect is effect for finding in self.findings)


def assess_results(
    results: Sequence[Result],
    *,
    layout: Sequence[Placement],
    levels: Mapping[str, Level],
    standings: Mapping[str, Standing],
) -> Assessment:
    """Gather results into findings and verdicts.

    Args:
        results: of one run.
        layout: where each service lives.
        levels: how far each instance is hardened, by name.
        standings: how each instance is run, by name.
    """
    placed = {item.service: item for item in layout}

    def near(result: Result) -> Pair:
        attacker, victim = placed[result.attacker], placed[result.victim]
        return Pair(
            shares_instance=attacker.instance == victim.instance,
            shares_database=(attacker.instance, attacker.database) == (victim.instance, victim.database),
            shares_role=attacker.service != victim.service and attacker.shares_role_with(victim),
            standing=standings[victim.instance],
            level=levels[victim.instance],
        )

    found: dict[str, list[Result]] = {}
    for result in results:
        if result.is_open:
            found.setdefault(result.attack.name, []).append(result)
    findings = [_finding(group, [accept(item.attack, near(item)) for item in group]) for group in found.values()]
    return Assessment(
        layout=name_layout(layout),
        level=min(levels.values(), key=lambda level: level.rank),
        probes=tuple({result.attack.name: result.attack for result in results}.values()),
        results=tuple(results),
        findings=tuple(sorted(findings, key=lambda item: (item.is_accepted, item.attack.effect, item.attack.name))),
        pairs=_verdicts(results),
    )


def name_layout(layout: Sequence[Placement]) -> str:
    """Return the name of the layout that places services so, and whether each database has its own instance."""
    databases = {(item.instance, item.database) for item in layout}
    if any(item.merged_schema for item in layout):
        name = LayoutName.CONSOLIDATED.value
    elif len(databases) == len(layout):
        name = LayoutName.SEPARATE.value
    elif len(databases) == 1:
        name = LayoutName.CENTRAL.value
    else:
        name = LayoutName.HYBRID.value
    is_isolated = len(databases) > 1 and len({item.instance for item in layout}) == len(databases)
    return f"{name} (isolated)" if is_isolated else name


def reach_of(attack: Attack) -> str:
    """Return in a few words whom a probe concerns."""
    match attack.place:
        case Place.SELF:
            return "its own role and database"
        case Place.DOOR | Place.INSTANCE:
            return "services of the same instance"
        case Place.DATABASE:
            return "services of the same database"


def _finding(group: Sequence[Result], reasons: Sequence[str]) -> Finding:
    first = group[0]
    return Finding(
        attack=first.attack,
        pairs=tuple((item.attacker, item.victim) for item in group),
        answer=first.answer,
        reasons=tuple(dict.fromkeys(reason for reason in reasons if reason)),
        unaccepted=tuple(
            (item.attacker, item.victim) for item, reason in zip(group, reasons, strict=True) if not reason
        ),
    )


def _verdicts(results: Sequence[Result]) -> tuple[PairVerdict, ...]:
    pairs: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        pairs.setdefault((result.attacker, result.victim), []).append(result)
    return tuple(
        PairVerdict(
            attacker=attacker,
            victim=victim,
            verdict=_worst(group),
            counts=Counter(item.answer.outcome.value for item in group),
            open=tuple(item.attack.name for item in group if item.is_open),
        )
        for (attacker, victim), group in pairs.items()
    )


def _worst(group: Sequence[Result]) -> Outcome:
    outcomes = {item.answer.outcome for item in group if item.is_open or item.answer.outcome is Outcome.ERROR}
    order = (Outcome.ALLOWED, Outcome.ERROR, Outcome.LEAKS)
    return next((outcome for outcome in order if outcome in outcomes), Outcome.DENIED)
