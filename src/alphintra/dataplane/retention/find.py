"""What is due in a service's tables, and what stands in the way of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.quoting import identifier
from alphintra.dataplane.retention.rules import Month, due_months, held_sql
from alphintra.manifest.disposals import Manner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg

    from alphintra.dataplane.retention.rules import Due
    from alphintra.kernel.holds import Hold

__all__ = ["Found", "count_due", "find_months", "is_month_free", "month_rows", "rows_where"]

_LONG_S: Final = 1800.0
_PARTS: Final = "select part, starts_at, ends_at from retention_parts($1) where not is_rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How one rule stands.

    Attributes:
        due: rows, or months of them, that may go now.
        held: rows due that a legal hold keeps.
        blocked: rows due that are not at rest yet: an open order, an event not published.
        months: of a table that is cut by month: those that may go.
        months_kept: those whose time is up and that stay, with the reason.
    """

    due: int
    held: int
    blocked: int
    months: tuple[Month, ...] = ()
    months_kept: tuple[tuple[str, str], ...] = ()


def rows_where(due: Due, holds: Sequence[Hold], *, values: Sequence[object] = ()) -> tuple[str, tuple[object, ...]]:
    """Return the condition of rows ``t`` that may go now, and the arguments that follow the given ones."""
    cutoff = f"${len(values) + 1}::timestamptz"
    held, arguments = held_sql(due.disposal, holds, first=len(values) + 2)
    where = f"{due.disposal.aged_by} < {cutoff} and ({due.disposal.only_if}) and not {held}"
    return where, (*values, due.cutoff, *arguments)


async def count_due(connection: asyncpg.Connection, due: Due, holds: Sequence[Hold]) -> Found:
    """Count the rows of one rule; changes nothing."""
    if due.disposal.manner is Manner.PARTS:
        return await find_months(connection, due, holds)
    held, arguments = held_sql(due.disposal, holds, first=2)
    own = due.disposal.only_if
    statement = (
        f"select count(*) filter (where ({own}) and not {held}) as due, "  # noqa: S608 - names are quoted
        f"count(*) filter (where ({own}) and {held}) as held, count(*) filter (where not ({own})) as blocked "
        f"from {identifier(due.table.name)} as t where {due.disposal.aged_by} < $1::timestamptz"
    )
    row = await connection.fetchrow(statement, due.cutoff, *arguments, timeout=_LONG_S)
    return Found(due=row["due"], held=row["held"], blocked=row["blocked"])


async def find_months(connection: asyncpg.Connection, due: Due, holds: Sequence[Hold]) -> Found:
    """Return the months that may go, and why others may not.

    Rows that leave together do so in one run: a month whose rows belong together with rows that stay, stays too.
    """
    rows = await connection.fetch(_PARTS, due.table.name)
    old = due_months([Month(**dict(row)) for row in rows], due.cutoff)
    kept: list[tuple[str, str]] = []
    counts = {month.part: await _count(connection, due, holds, month) for month in old}
    free = []
    for month in old:
        _, held, blocked = counts[month.part]
        if held or blocked:
            reason = f"{held} rows are held" if held else f"{blocked} rows are not at rest"
            kept.append((month.part, reason))
        else:
            free.append(month)
    while True:
        together = tuple(free)
        free = [month for month in together if not await _reaches_out(connection, due, month, together)]
        kept += [(month.part, "some of its histories reach into what stays") for month in together if month not in free]
        if len(free) == len(together):
            break
    return Found(
        due=sum(counts[month.part][0] for month in free),
        held=sum(held for _, held, _ in counts.values()),
        blocked=sum(blocked for _, _, blocked in counts.values()),
        months=tuple(free),
        months_kept=tuple(sorted(kept)),
    )


async def is_month_free(connection: asyncpg.Connection, due: Due, holds: Sequence[Hold], month: Month) -> bool:
    """Whether no row of a month is held or unfinished now."""
    _, held, blocked = await _count(connection, due, holds, month)
    return not held and not blocked


def month_rows(due: Due, month: Month) -> tuple[str, tuple[datetime, ...]]:
    """Return the condition of the rows ``t`` of a month, and its arguments."""
    if month.starts_at is None:
        return f"{due.disposal.aged_by} < $1", (month.ends_at,)
    return f"{due.disposal.aged_by} >= $2 and {due.disposal.aged_by} < $1", (month.ends_at, month.starts_at)


async def _count(connection: asyncpg.Connection, due: Due, holds: Sequence[Hold], month: Month) -> tuple[int, int, int]:
    """Return how many rows a month has, how many of them are held, and how many are not at rest."""
    within, values = month_rows(due, month)
    held, arguments = held_sql(due.disposal, holds, first=len(values) + 1)
    statement = (
        f"select count(*) as n, count(*) filter (where {held}) as held, "  # noqa: S608 - names are quoted
        f"count(*) filter (where not ({due.disposal.only_if})) as blocked "
        f"from {identifier(due.table.name)} as t where {within}"
    )
    row = await connection.fetchrow(statement, *values, *arguments, timeout=_LONG_S)
    return row["n"], row["held"], row["blocked"]


async def _reaches_out(connection: asyncpg.Connection, due: Due, month: Month, together: Sequence[Month]) -> bool:
    """Whether rows of a month belong together with rows outside of all of these months."""
    if not due.disposal.together:
        return False
    within, values = month_rows(due, month)
    name, key = identifier(due.table.name), identifier(due.disposal.together)
    age = due.disposal.aged_by.replace("t.", "e.")
    starts, ends = f"${len(values) + 1}::timestamptz[]", f"${len(values) + 2}::timestamptz[]"
    statement = (
        f"select exists (select from {name} as t join {name} as e on e.{key} = t.{key} where {within} "  # noqa: S608
        f"and not exists (select from unnest({starts}, {ends}) as m (starts_at, ends_at) "
        f"where coalesce({age} >= m.starts_at, true) and {age} < m.ends_at))"
    )
    bounds = ([each.starts_at for each in together], [each.ends_at for each in together])
    return bool(await connection.fetchval(statement, *values, *bounds, timeout=_LONG_S))
