"""Which rows are due, under which rule, and which of them are held. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alphintra.manifest import SERVICES
from alphintra.manifest.disposals import Disposal, Manner, disposals_of, disposed_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from alphintra.kernel.holds import Hold
    from alphintra.manifest import TableSpec
    from alphintra.manifest.retention import Terms

__all__ = ["Due", "Month", "due_months", "held_sql", "rules_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One rule about one table, at one instant.

    Attributes:
        table: whose rows.
        disposal: which of them, and how they leave.
        terms: how long they are kept under the profile.
        cutoff: rows older than this are due.
        is_archived: whether they go to a sealed archive, or for good.
    """

    table: TableSpec
    disposal: Disposal
    terms: Terms
    cutoff: datetime
    is_archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A part of a table that is cut by month; the first may begin at no time."""

    part: str
    starts_at: datetime | None
    ends_at: datetime


def rules_of(service: str, *, profile: str, at: datetime) -> tuple[Due, ...]:
    """Return the rules by which rows of a service leave its tables, in the order they have to be carried out in."""
    found = []
    spec = SERVICES[service]
    for table in disposed_tables(spec):
        for disposal in disposals_of(service, table):
            terms = disposal.rule.terms(profile)
            stay = terms.hot or terms.keep
            if disposal.manner is Manner.KEPT or stay is None:
                continue
            due = Due(
                table=table,
                disposal=disposal,
                terms=terms,
                cutoff=stay.before(at),
                is_archived=terms.hot is not None,
            )
            found.append(due)
    return tuple(found)


def due_months(months: Sequence[Month], cutoff: datetime) -> tuple[Month, ...]:
    """Return the months all of whose rows are older than the cutoff: those that had ended by then."""
    return tuple(month for month in months if month.ends_at <= cutoff)


def held_sql(disposal: Disposal, holds: Sequence[Hold], *, first: int) -> tuple[str, tuple[object, ...]]:
    """Return the condition that is true of a row ``t`` that a hold covers, and its arguments.

    A hold on somebody covers all rows of its range in a table that cannot tell whose they are.

    Args:
        disposal: of the table.
        holds: those in force.
        first: number of the first argument in the statement.
    """
    conditions: list[str] = []
    values: list[object] = []

    def argument(value: object) -> str:
        values.append(value)
        return f"${first + len(values) - 1}"

    for hold in holds:
        parts = ["true"]
        if hold.from_at is not None:
            parts.append(f"{disposal.aged_by} >= {argument(hold.from_at)}::timestamptz")
        if hold.to_at is not None:
            parts.append(f"{disposal.aged_by} < {argument(hold.to_at)}::timestamptz")
        if hold.kind in disposal.subjects:
            parts.append(f"coalesce({disposal.subjects[hold.kind]} = {argument(hold.subject)}::text, true)")
        conditions.append(f"({' and '.join(parts)})")
    return f"({' or '.join(conditions) or 'false'})", tuple(values)
