"""What an audit found: a code, what it means, and the statements that close it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Severity", "Statement", "counted"]

_NAMES_SHOWN = 5


class Severity(StrEnum):
    """How a finding counts: a border is open, weaker than it need be, or as it is and to be known."""

    BREACH = "breach"
    WEAKNESS = "weakness"
    REMARK = "remark"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Statement:
    """One statement for the administrator, and the database to run it in (empty where any will do)."""

    sql: str
    database: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found.

    Attributes:
        code: stable, upper case.
        severity: breaches and weaknesses set the exit status, remarks do not.
        services: mapped services it concerns.
        detail: one sentence for a person: what is so, and what it lets somebody do.
        close: statements that close it, in order; empty where none can.
    """

    code: str
    severity: Severity
    services: tuple[str, ...] = ()
    detail: str
    close: tuple[Statement, ...] = ()


def counted(names: tuple[str, ...] | list[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"
