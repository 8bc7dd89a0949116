"""Tables every service has: its event log and outbox, its inbox, its audit log, its migrations, its retention."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alphintra.manifest.model import TableSpec

__all__ = ["COMMON_TABLES", "RETAINER_FUNCTIONS", "SEALER_RIGHTS"]

COMMON_TABLES: Final = (
    TableSpec(
        name="event_log",
        data_class="event",
        insert_columns=("event_id", "subject", "aggregate_id", "payload", "occurred_at"),
    ),
    TableSpec(name="outbox", data_class="event", grants=("select", "insert", "update", "delete")),
    TableSpec(name="inbox", data_class="event", grants=("select", "insert")),
    TableSpec(
        name="audit_events",
        data_class="audit",
        insert_columns=("audit_id", "actor", "action", "object", "detail", "trace_id", "occurred_at"),
        triggers=("audit_events_refuse_row_change", "audit_events_refuse_truncate", "audit_events_queue_seal"),
        functions=("refuse_audit_change", "queue_audit_seal"),
    ),
    TableSpec(name="audit_pending", data_class="audit", grants=()),
    TableSpec(
        name="audit_leaves",
        data_class="audit",
        grants=(),
        triggers=("audit_leaves_refuse_row_change", "audit_leaves_refuse_truncate"),
    ),
    TableSpec(
        name="audit_checkpoints",
        data_class="audit",
        grants=(),
        triggers=("audit_checkpoints_refuse_row_change", "audit_checkpoints_refuse_truncate"),
    ),
    TableSpec(name="schema_migrations", data_class="operation"),
    TableSpec(name="retention_holds", data_class="operation", grants=()),
    TableSpec(name="retention_items", data_class="operation", grants=()),
)

RETAINER_FUNCTIONS: Final = (
    "freeze_holds()",
    "retention_columns(text)",
    "retention_parts(text)",
    "retire_part(uuid)",
)
"""Functions of each schema's owner that the role which retires records may call, and nobody else."""

SEALER_RIGHTS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = MappingProxyType(
    {
        "audit_events": (("select",), ()),
        "audit_pending": (("select", "delete"), ()),
        "audit_leaves": (("select",), ("leaf_index", "audit_id", "leaf_hash")),
        "audit_checkpoints": (("select",), ("tree_size", "note", "frontier")),
    }
)
"""What the role that seals the audit log may do, by table: table-wide, and the columns it sets in new rows."""
