"""What a restored service has to hear again: all that it had heard, and what others told since (invariant I15).

Its inbox says what it has handled as of the moment it was brought back to. What it handled later is queued once more
by those who told it, from their event logs, which are the record: they and everybody else know these events by their
ids and take no notice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.quoting import qualified
from alphintra.infrastructure.faults import fault_point

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg

    from alphintra.dataplane.move.sides import Side

__all__ = ["Unheard", "forgotten", "queue_again", "schemas_like", "unheard"]

_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """What is still to be heard again.

    Attributes:
        events: ids of events.
        lost: of these, those that nobody has a record of.
    """

    events: frozenset[UUID] = field(default_factory=frozenset)
    lost: frozenset[UUID] = field(default_factory=frozenset)


async def unheard(running: Side, before: str) -> frozenset[UUID]:
    """Return what the service had handled, as the schema of before says, and has not handled now."""
    ours, theirs = qualified(running.schema, "inbox"), qualified(before, "inbox")
    async with running.administrator() as connection:
        rows = await connection.fetch(
            f"select distinct b.event_id from {theirs} as b where not exists "  # noqa: S608 - quoted
            f"(select from {ours} as n where n.consumer = b.consumer and n.event_id = b.event_id)"
        )
    return frozenset(row["event_id"] for row in rows)


async def queue_again(producers: Mapping[str, Side], events: frozenset[UUID], *, attempt: int) -> Unheard:
    """Queue events once more at those who told them; returns which of them wait, and which nobody knows.

    Safe to repeat: what waits already stays as it is. ``attempt`` tells this time from earlier ones.
    """
    known: set[UUID] = set()
    for side in producers.values():
        async with side.administrator() as connection:
            known |= await _queue(connection, side, sorted(events), attempt)
        fault_point("restore.queued")
    return Unheard(events=frozenset(known), lost=events - known)


async def _queue(connection: asyncpg.Connection, side: Side, events: list[UUID], attempt: int) -> set[UUID]:
    log = qualified(*side.placement.location("event_log"))
    outbox = qualified(*side.placement.location("outbox"))
    known: set[UUID] = set()
    for start in range(0, len(events), _CHUNK):
        part = events[start : start + _CHUNK]
        rows = await connection.fetch(f"select event_id from {log} where event_id = any($1::uuid[])", part)  # noqa: S608 - quoted
        found = [row["event_id"] for row in rows]
        await connection.execute(
            f"insert into {outbox} (event_id, attempts) select unnest($1::uuid[]), $2 on conflict do nothing",
            found,
            attempt,
        )
        known |= set(found)
    return known


async def forgotten(running: Side, before: str) -> dict[str, int]:
    """Return what the service itself had told after the moment it was brought back to: events by subject.

    Others have heard of these. What people asked of the service since has to be asked again.
    """
    ours, theirs = qualified(running.schema, "event_log"), qualified(before, "event_log")
    async with running.administrator() as connection:
        rows = await connection.fetch(
            f"select b.subject from {theirs} as b "  # noqa: S608 - quoted
            f"where not exists (select from {ours} as n where n.event_id = b.event_id)"
        )
    return dict(sorted(Counter(row["subject"] for row in rows).items()))


async def schemas_like(running: Side, ident: str) -> frozenset[str]:
    """Return the schemas that a restore has made and not yet dropped, by name."""
    names = [f"{running.schema}_{ident}_{what}" for what in ("new", "old")]
    async with running.administrator() as connection:
        rows = await connection.fetch("select nspname::text from pg_namespace where nspname = any($1::text[])", names)
    return frozenset(row["nspname"] for row in rows)
