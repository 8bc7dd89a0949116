"""The bytes of an audit row that its leaf commits to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.kernel.merkle import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

__all__ = ["AUDIT_COLUMNS", "AuditRow", "canonical", "hashes_of", "row_of"]

AUDIT_COLUMNS: Final = (
    "e.audit_id::text as audit_id, e.actor, e.action, e.object, e.detail, e.trace_id, e.occurred_at, e.recorded_at"
)
"""What is read of `audit_events as e` for the canonical bytes."""

_encode = msgspec.json.Encoder(order="sorted").encode


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """An audit row as it is sealed; times are UTC."""

    audit_id: str
    actor: str
    action: str
    object: str
    detail: str
    trace_id: str
    occurred_at: datetime
    recorded_at: datetime


def row_of(record: asyncpg.Record) -> AuditRow:
    """Return the row that was read by `AUDIT_COLUMNS`."""
    return AuditRow(**{name: record[name] for name in AuditRow.__struct_fields__})


def canonical(row: AuditRow) -> bytes:
    """Return the row as RFC 8785 writes JSON: names in order, no white space, all values text.

    Times are RFC 3339 with Z, and with microseconds where there are any; ``detail`` is the stored text itself.
    """
    return _encode(row)


def hashes_of(rows: Iterable[AuditRow]) -> list[bytes]:
    """Return the leaf hash of each row."""
    return [leaf_hash(_encode(row)) for row in rows]
