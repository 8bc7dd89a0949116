"""What an assessment finds: figures with their unit and spread, verdicts, and the report that holds them. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

__all__ = ["SCHEMA", "ClaimRow", "Figure", "Findings", "Machine", "Report", "Verdict", "Word"]

SCHEMA: Final = "alphintra.assess/1"
"""Version of the report's JSON; a change that an old reader would misread gets the next number."""


class Word(StrEnum):
    """What a measured figure says about a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    CONDITION = "holds under a condition"
    UNMEASURED = "not measured"


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One measured value.

    Attributes:
        value: the count, or the median over the rounds.
        unit: in words, such as ``MiB``, ``ms`` or ``rows``; ``x`` for a ratio, ``share`` for 0 to 1.
        low: smallest round, where there were several.
        high: largest round.
        rounds: how often it was measured.
    """

    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    rounds: int = 1


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one layout.

    Attributes:
        layout: its name.
        figures: by key; a key that is absent was not measured.
        facts: lists of words that go with a figure, such as the services that were lost.
        seconds: what measuring this layout took, by step.
        gaps: steps that could not be measured, each with the reason.
    """

    layout: str
    figures: dict[str, Figure] = {}
    facts: dict[str, tuple[str, ...]] = {}
    seconds: dict[str, float] = {}
    gaps: dict[str, str] = {}

    def value(self, key: str) -> float | None:
        """Return a figure's value, None where it was not measured."""
        found = self.figures.get(key)
        return None if found is None else found.value


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one claim for one layout.

    Attributes:
        word: the verdict.
        brief: the deciding figure in a few characters, for the table.
        evidence: the figures behind it, one sentence with units.
        condition: what has to be so for the claim to hold, where it does under a condition.
    """

    word: Word
    brief: str
    evidence: str
    condition: str = ""


class ClaimRow(msgspec.Struct, frozen=True, kw_only=True):
    """One claim of the seed with the verdict of each layout that was measured.

    Attributes:
        number: in the ledger of claims, 1 to 30.
        claim: in the seed's words.
        measured: what is measured for it.
        rule: how the figures become a verdict.
        verdicts: by layout.
    """

    number: int
    claim: str
    measured: str
    rule: str
    verdicts: dict[str, Verdict]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured; figures of two machines are compared with care."""

    cpus: int
    cpu_model: str
    memory_gib: float
    system: str
    postgres: str
    python: str
    alphintra: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole assessment, as it is saved.

    Attributes:
        schema: `SCHEMA`.
        made_at: when it was made, UTC, ISO 8601.
        is_quick: whether fewer rows and rounds were used.
        rows: orders loaded into each layout; the other tables follow from it.
        optimisation_rows: rows of the tables that claims 17 to 19 are timed on; 0 where they were not.
        seconds: the whole run.
        machine: where.
        reproduce: command that makes such a report.
        findings: by layout, in the order they were measured.
        claims: the judged claims, in order of number.
    """

    schema: str
    made_at: str
    is_quick: bool
    rows: int
    optimisation_rows: int
    seconds: float
    machine: Machine
    reproduce: str
    findings: tuple[Findings, ...]
    claims: tuple[ClaimRow, ...]

    @property
    def layouts(self) -> tuple[str, ...]:
        """Names of the layouts that were measured."""
        return tuple(found.layout for found in self.findings)
