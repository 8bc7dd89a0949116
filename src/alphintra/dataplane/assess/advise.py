"""Which layout to choose: the seed's five "consider central" questions, weighed with what was measured. Pure."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alphintra.dataplane.assess.figures import Findings

__all__ = ["QUESTIONS", "TEAM_SMALL", "Advice", "Answers", "advise", "combinations_for", "recommended"]

TEAM_SMALL: Final = 3
"""The seed calls a team below this very small."""
_MANY: Final = 3
_SOME: Final = 2

QUESTIONS: Final = (
    "How many developers look after it?",
    "Does it handle money, orders or other financial records of people?",
    "Is it a prototype, without anybody's real data?",
    "Is the budget for servers extremely tight?",
    "Does it only create, read, update and delete, without reports or trading?",
)


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to the seed's five questions.

    Attributes:
        team_size: developers.
        is_financial: whether financial records of people are kept.
        is_prototype: whether nobody's real data is in it.
        has_extreme_cost_limits: whether each server counts.
        is_simple_crud: whether it only stores and shows.
    """

    team_size: int
    is_financial: bool
    is_prototype: bool
    has_extreme_cost_limits: bool
    is_simple_crud: bool

    @property
    def for_central(self) -> tuple[str, ...]:
        """Return which of the seed's five reasons for a central database are given."""
        reasons = {
            f"a team of {self.team_size}, fewer than {TEAM_SMALL}": self.team_size < TEAM_SMALL,
            "no financial records": not self.is_financial,
            "a prototype": self.is_prototype,
            "an extremely tight budget": self.has_extreme_cost_limits,
            "nothing but simple records": self.is_simple_crud,
        }
        return tuple(reason for reason, is_given in reasons.items() if is_given)


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """A recommendation with its reasons, in sentences.

    Attributes:
        layout: the recommended one.
        answers: what it was decided on.
        reasons: what speaks for it, with the figures that decided.
        costs: what it costs, with figures.
        instead: when another layout would be the better one.
    """

    layout: str
    answers: Answers
    reasons: tuple[str, ...]
    costs: tuple[str, ...]
    instead: tuple[str, ...]


def recommended(answers: Answers) -> str:
    """Return the layout that fits the answers.

    Financial records of real people exclude a shared database: with a team and a budget that can carry it an instance
    for each service, else separate. Without them three reasons for central decide for it, two for hybrid.
    """
    given = len(answers.for_central)
    if answers.is_financial and not answers.is_prototype:
        can_carry = answers.team_size >= TEAM_SMALL and not answers.has_extreme_cost_limits
        return "instances" if can_carry else "separate"
    if given >= _MANY:
        return "central"
    return "hybrid" if given == _SOME else "separate"


def combinations_for(layout: str) -> tuple[str, ...]:
    """Return the sets of answers, in words, for which a layout is recommended; 32 in all."""
    found = []
    for small, others, prototype, cost, crud in product((True, False), repeat=5):
        answers = Answers(
            team_size=2 if small else 5,
            is_financial=not others,
            is_prototype=prototype,
            has_extreme_cost_limits=cost,
            is_simple_crud=crud,
        )
        if recommended(answers) == layout:
            found.append("; ".join(answers.for_central) or "none of the five reasons for central")
    return tuple(found)


def advise(answers: Answers, findings: Iterable[Findings]) -> Advice:
    """Weigh the answers with what was measured; a layout that was not measured is recommended without figures."""
    measured = {found.layout: found for found in findings}
    layout = recommended(answers)
    return Advice(
        layout=layout,
        answers=answers,
        reasons=(_first_reason(answers, layout), *_reasons(layout, measured)),
        costs=_costs(layout, measured),
        instead=_instead(answers, layout),
    )


def _first_reason(answers: Answers, layout: str) -> str:
    given = answers.for_central
    said = f"{len(given)} of the five reasons for a central database apply" + (
        f" ({'; '.join(given)})" if given else ""
    )
    if answers.is_financial and not answers.is_prototype:
        return f"{said}, but financial records of real people are kept, which rules out sharing a database."
    if layout == "central":
        return f"{said}, which is enough: whatever isolation is needed later can be had by moving services out."
    return (
        f"{said}, which is not enough for central." if layout == "separate" else f"{said}: a database for each domain."
    )


def _reasons(layout: str, measured: dict[str, Findings]) -> tuple[str, ...]:
    mine, central = measured.get(layout), measured.get("central")
    if mine is None:
        return ("This layout was not measured here: run `alphintra db assess --all` for its figures.",)
    said = []
    share, administrator = mine.value("reach_share"), mine.value("administrator_share")
    if share is not None and administrator is not None:
        said.append(
            f"A stolen credential of one service reads {share:.0%} of the others' rows; the administrator of one "
            f"instance reaches {administrator:.0%} of all."
        )
    lost, of_central = (
        mine.value("lost_with_instance"),
        None if central is None else central.value("lost_with_instance"),
    )
    if lost is not None:
        beside = "" if of_central is None or layout == "central" else f" ({of_central:.0f} in central)"
        said.append(f"The crash of one instance silences {lost:.0f} of 8 services{beside}.")
    rolled = mine.value("whole_rolled_back")
    if rolled is not None:
        said.append(f"Bringing one service back to a point in time rolls back {rolled:.0f} others.")
    colliding = mine.value("colliding_worst")
    if colliding is not None:
        said.append(f"In one database at most {colliding:.0f} pairs of rules on keeping data collide.")
    slow, pinned = mine.value("p99_ratio"), mine.value("pinned_p99_ratio")
    if slow is not None:
        own = "" if pinned is None else f", {pinned:.1f} times with processors of its own"
        said.append(f"Beside heavy work of strategy an order takes {slow:.1f} times its quiet p99{own}.")
    return tuple(said)


def _costs(layout: str, measured: dict[str, Findings]) -> tuple[str, ...]:
    mine, central = measured.get(layout), measured.get("central")
    if mine is None:
        return ()
    said = []
    for key, what in (("parts", "parts to run"), ("pss_mib", "MiB of memory"), ("disk_mib", "MiB of disk")):
        value = mine.value(key)
        if value is None:
            continue
        of_central = None if central is None or layout == "central" else central.value(key)
        said.append(f"{value:.0f} {what}" + ("." if of_central is None else f", {of_central:.0f} in central."))
    return tuple(said)


def _instead(answers: Answers, layout: str) -> tuple[str, ...]:
    match layout:
        case "instances":
            less = "separate on one instance if the memory or the care of eight servers is too much"
            return (f"{less}: a crash, a patch and a restore then touch all services.",)
        case "separate" if answers.is_financial:
            more = "instances as soon as the budget allows"
            return (f"{more}: only there do a crash, a patch or a restore stay within one service.",)
        case "central":
            return ("separate or instances before the first real person's money or data arrives.",)
        case _:
            return ("central for three of the five reasons; instances for financial records of real people.",)
