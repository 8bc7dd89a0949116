"""What retention did and has begun, in the service's own database: one item for each archive or removal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal
    from uuid import UUID

    import asyncpg

__all__ = ["Item", "add_item", "end_item", "items", "keep_archived", "take_item"]

_COLUMNS: Final = (
    "item_id, run_id, table_name, part, retention, profile, terms, state, cutoff, oldest_at, newest_at, rows_found, "
    "rows_removed, rows_left, checksum, archive, archive_sha256, actor, started_at, ended_at"
)
_ALL: Final = f"select {_COLUMNS} from retention_items order by started_at, item_id"  # noqa: S608 - constants
_IN: Final = f"""
    select {_COLUMNS} from retention_items where state = any($1::text[]) order by started_at, item_id
"""  # noqa: S608 - constants
_TAKE: Final = f"select {_COLUMNS} from retention_items where item_id = $1 for update"  # noqa: S608 - constants
_ADD: Final = """
    insert into retention_items (
        item_id, run_id, table_name, part, retention, profile, terms, state, cutoff, actor, started_at
    ) values ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $10)
"""
_ARCHIVED: Final = """
    update retention_items set state = 'archived', oldest_at = $2, newest_at = $3, rows_found = $4, checksum = $5,
        archive = $6, archive_sha256 = $7
    where item_id = $1 and state = 'open'
"""
_END: Final = """
    update retention_items set state = $2, rows_removed = $3, rows_left = $4, ended_at = $5, rows_found = $6,
        checksum = $7
    where item_id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing retention does: a month or some rows of a table.

    Attributes:
        state: ``open`` (nothing was taken away, what is written of an archive counts for nothing), ``archived`` (the
            archive is sealed and verified, rows may be partly gone), ``done``, ``destroyed`` (the archive is gone
            too) or ``dropped`` (given up before anything was taken away).
        terms: how long the class was kept under the profile, in words.
        cutoff: rows older than this were due.
        checksum: sum of PostgreSQL's hashes of the rows found.
        rows_left: rows that were archived and stayed: held meanwhile, or changed.
    """

    item_id: UUID
    run_id: UUID
    table_name: str
    part: str
    retention: str
    profile: str
    terms: str
    state: str
    cutoff: datetime
    oldest_at: datetime | None
    newest_at: datetime | None
    rows_found: int
    rows_removed: int
    rows_left: int
    checksum: Decimal
    archive: str
    archive_sha256: str
    actor: str
    started_at: datetime
    ended_at: datetime | None


async def items(connection: asyncpg.Connection, states: Sequence[str] = ()) -> tuple[Item, ...]:
    """Return what there is, or what is in one of these states, oldest first."""
    rows = await (connection.fetch(_IN, list(states)) if states else connection.fetch(_ALL))
    return tuple(Item(**dict(row)) for row in rows)


async def take_item(connection: asyncpg.Connection, item_id: UUID) -> Item:
    """Return an item, for nobody else to change until the transaction ends."""
    return Item(**dict(await connection.fetchrow(_TAKE, item_id)))


async def add_item(connection: asyncpg.Connection, item: Item) -> None:
    """Note what is about to be done."""
    values = (
        *(item.item_id, item.run_id, item.table_name, item.part, item.retention, item.profile, item.terms),
        *(item.cutoff, item.actor, item.started_at),
    )
    await connection.execute(_ADD, *values)


async def keep_archived(connection: asyncpg.Connection, item: Item) -> None:
    """Note that an item's archive is sealed and verified."""
    values = (
        *(item.item_id, item.oldest_at, item.newest_at, item.rows_found, item.checksum),
        *(item.archive, item.archive_sha256),
    )
    await connection.execute(_ARCHIVED, *values)


async def end_item(connection: asyncpg.Connection, item: Item) -> None:
    """Note the state of an item, and what it counted."""
    await connection.execute(
        _END,
        item.item_id,
        item.state,
        item.rows_removed,
        item.rows_left,
        item.ended_at,
        item.rows_found,
        item.checksum,
    )
