"""How far a log is, without verifying it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncpg

__all__ = ["Standing", "newest_note", "standing_of"]

_STANDING: Final = """
    select (select coalesce(max(leaf_index) + 1, 0) from audit_leaves) as leaves,
        (select count(*) from audit_pending) as pending,
        (select coalesce(max(tree_size), 0) from audit_checkpoints) as signed,
        (select max(signed_at) from audit_checkpoints) as signed_at
"""
_NEWEST: Final = "select note from audit_checkpoints order by tree_size desc limit 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many rows are sealed, wait to be and are signed, and when that was last."""

    leaves: int
    pending: int
    signed: int
    signed_at: datetime | None


async def standing_of(connection: asyncpg.Connection) -> Standing:
    """Return how far a log is."""
    return Standing(**dict(await connection.fetchrow(_STANDING)))


async def newest_note(connection: asyncpg.Connection) -> str | None:
    """Return the newest checkpoint, None where there is none."""
    note: str | None = await connection.fetchval(_NEWEST)
    return note
