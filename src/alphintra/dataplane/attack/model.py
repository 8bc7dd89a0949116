"""What is tried, where, and what came of it. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from alphintra.dataplane.matrix import Outcome

if TYPE_CHECKING:
    from alphintra.dataplane.layouts import Placement

__all__ = ["Answer", "Attack", "Effect", "Floor", "Level", "Place", "Result", "Tactic"]

_REFUSALS: Final = frozenset({"42501", "28000", "23001"})  # no privilege; no way in; refused by an append-only table
_PROOFS: Final = frozenset({"23502", "23503", "23505", "23514", "55P03"})


class Place(StrEnum):
    """Where a probe runs, and so whom it concerns."""

    DOOR = "door"
    """Outside: it tries to get a session near the victim."""
    SELF = "self"
    """The attacker's own database and role; once per attacker."""
    INSTANCE = "instance"
    """A session of the attacker on the victim's instance, in whatever database lets it in as its own."""
    DATABASE = "database"
    """A session of the attacker in the victim's database."""


class Effect(StrEnum):
    """What an open probe gives: something to read about others, or something to do."""

    ACCESS = "access"
    LEAK = "leak"


class Floor(StrEnum):
    """Up to where PostgreSQL itself cannot close a probe, whatever is revoked."""

    NONE = ""
    SHARED_DATABASE = "shared database"
    SHARED_INSTANCE = "shared instance"
    ANYWHERE = "anywhere"


class Level(StrEnum):
    """How far an instance is hardened; each level closes what the one before it does and more."""

    USUAL = "usual"
    HARDENED = "hardened"
    STRICT = "strict"

    @property
    def rank(self) -> int:
        """Place in the order, the loosest first."""
        return tuple(Level).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What PostgreSQL said to one probe.

    Attributes:
        outcome: got through (``allowed``, ``leaks``), refused, or nothing that proves either.
        code: SQLSTATE, empty where nothing was refused.
        text: PostgreSQL's own words, or what it showed.
    """

    outcome: Outcome
    code: str = ""
    text: str = ""


Tactic = Callable[[Any, "Attack", "Placement"], Awaitable[Answer]]  # Any: a Raider, of the room that builds on this
"""Tries what one statement cannot; leaves nothing behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One probe.

    Attributes:
        name: ``category.what``; stable, the accepted list and reports speak of it.
        place: where it runs.
        means: what an attacker gains where it is open.
        close: how to close it.
        sql: the statement, with names in braces (see ``ground.Ground``); rolled back unless ``is_bare``.
        each: what the statement is tried on, one after another: ``table``, ``role``, ``sequence``, ...; open if any is.
        shows: whether it is open only if its single value is there, is not false, and is neither empty nor zero.
        effect: what an open one gives.
        floor: up to where PostgreSQL itself cannot close it.
        closed_by: least level that closes it, where it can be closed.
        refusals: further SQLSTATEs that prove it is closed, such as an extension that is not installed.
        proofs: further SQLSTATEs that prove the privilege was there, such as a constraint checked after it.
        is_bare: runs outside a transaction, because PostgreSQL refuses it inside; such a statement fails, by its
            making, right after the check of the privilege.
        within_role: whether any session of a role may do this to the role's others, so that it is open by
            declaration where two services share a role.
        tactic: tries it, in place of ``sql``.
    """

    name: str
    place: Place
    means: str
    close: str
    sql: str = ""
    each: str = ""
    shows: bool = False
    effect: Effect = Effect.ACCESS
    floor: Floor = Floor.NONE
    closed_by: Level = Level.USUAL
    refusals: frozenset[str] = frozenset()
    proofs: frozenset[str] = frozenset()
    is_bare: bool = False
    within_role: bool = False
    tactic: Tactic | None = field(default=None, repr=False)

    @property
    def category(self) -> str:
        """First part of the name."""
        return self.name.partition(".")[0]

    @property
    def open_outcome(self) -> Outcome:
        """What it is called when it gets through."""
        return Outcome.LEAKS if self.effect is Effect.LEAK else Outcome.ALLOWED

    def judge_refusal(self, code: str, text: str) -> Answer:
        """Return what an error of PostgreSQL proves: closed, open, or nothing."""
        if code in _PROOFS | self.proofs:
            return Answer(outcome=self.open_outcome, code=code, text=text)
        outcome = Outcome.DENIED if code in _REFUSALS | self.refusals else Outcome.ERROR
        return Answer(outcome=outcome, code=code, text=text)

    def judge_value(self, value: object) -> Answer:
        """Return what the value of a statement that ran proves."""
        if not self.shows:
            return Answer(outcome=self.open_outcome, text="it ran")
        text = "" if value is None else str(value)
        if text.lower() in {"", "0", "f", "false"}:
            return Answer(outcome=Outcome.DENIED, text="it answers, and shows nothing of the other")
        return Answer(outcome=self.open_outcome, text=f"it shows {text[:120]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One probe of one service against another, or against its own bounds where they are the same.

    Attributes:
        attack: what was tried.
        attacker: whose credential.
        victim: whose property; the attacker itself for what concerns its own role and database.
        answer: what came of it.
        is_declared: whether the layout itself gives this, such as entering a database two services share.
    """

    attack: Attack
    attacker: str
    victim: str
    answer: Answer
    is_declared: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it got through although the layout does not give it."""
        return not self.is_declared and self.answer.outcome in {Outcome.ALLOWED, Outcome.LEAKS}
