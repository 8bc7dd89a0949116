"""What becomes of each table's rows when their time is up. A table that is not named here is never touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.manifest.common import COMMON_TABLES
from alphintra.manifest.retention import CLASSES, RetentionClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SUBJECTS", "Disposal", "Manner", "disposals_of", "disposed_tables", "retainer_rights"]

SUBJECTS: Final = ("user", "account", "order")
"""What a legal hold may be about, beside everything."""


class Manner(StrEnum):
    """How rows leave a table."""

    KEPT = "kept"  # they do not
    PARTS = "parts"  # with the month they lie in
    ROWS = "rows"  # one by one, in small batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """What becomes of some of a table's rows.

    Expressions speak of a row as ``t``.

    Attributes:
        retention: name of their retention class.
        manner: how they leave.
        reason: of ``KEPT``: why they stay whatever their age.
        aged_by: what their age is counted from; no row is old where it is null.
        key: columns that tell one row from another; of ``ROWS``.
        only_if: which of them, and when they are at rest.
        subjects: what tells whose a row is, by subject of a legal hold; a hold on what cannot be told holds all.
        reads: other tables of the service that the expressions read.
        together: column whose rows leave together or not at all, as an order's whole history; of ``PARTS``.
    """

    retention: str
    manner: Manner = Manner.KEPT
    reason: str = ""
    aged_by: str = ""
    key: tuple[str, ...] = ()
    only_if: str = "true"
    subjects: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    together: str = ""

    @property
    def rule(self) -> RetentionClass:
        """How long they are kept."""
        return CLASSES[self.retention]


_STATE: Final = "one row for each thing there is, replaced and not piled up"
_BOOKS: Final = "books of an account that is open are rebuilt from it, and no account is ever closed"
_SET: Final = "what was set, by version: decisions refer to it"
_ALIVE: Final = "its person, workflow or connection is there, and nothing notes the day it ends"
_UNDATED: Final = "nothing notes the day its deployment was retired"
_COUNTED: Final = "a verdict counts every trial there ever was"
_CHAIN: Final = "audit rows are the leaves of a chain: none is taken out"
_REVOKED: Final = "deleted by the service when it is revoked or replaced"
_CASES: Final = "a case is read together with its steps and parameters; whether it is over people decide"

_BY_ACCOUNT: Final = MappingProxyType({"account": "t.account_id::text"})
_BY_OWNER: Final = MappingProxyType({"user": "t.owner_id::text"})
_BY_USER: Final = MappingProxyType({"user": "t.user_id::text"})
_ENDED: Final = "t.status in ('finished', 'failed', 'canceled')"
_ALERT_KINDS: Final = "(t.kind like 'alert\\_%' or t.kind in ('kill_state_changed', 'drift_found', 'months_missing'))"

_TOLD_ALERT: Final = (
    "exists (select from messages as m where m.message_id = t.message_id and " + _ALERT_KINDS.replace("t.", "m.") + ")"
)
_UNSENT: Final = (
    "not exists (select from deliveries as d where d.message_id = t.message_id) "
    "and not exists (select from sendings as s where s.message_id = t.message_id)"
)


_AUDITED: Final = ("audit_id", "actor", "action", "object", "detail", "trace_id", "occurred_at")
_TOLD: Final = ("event_id", "subject", "aggregate_id", "payload", "occurred_at")
_LIFTED: Final = ("lifted_by", "lifted_at", "lift_reason")
_ENDED_ITEM: Final = (
    *("state", "oldest_at", "newest_at", "rows_found", "rows_removed", "rows_left", "checksum", "archive"),
    *("archive_sha256", "ended_at"),
)
# What the role that retires records writes: columns it sets (all where none is named), columns it changes.
_WRITTEN: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = MappingProxyType(
    {
        "event_log": (_TOLD, ()),
        "outbox": (("event_id",), ()),
        "audit_events": (_AUDITED, ()),
        "retention_holds": ((), _LIFTED),
        "retention_items": ((), _ENDED_ITEM),
    }
)


def _kept(reason: str, *tables: str) -> dict[str, tuple[Disposal, ...]]:
    return {table: (Disposal(retention="", reason=reason),) for table in tables}


def _rows(
    retention: str,
    aged_by: str,
    *key: str,
    only_if: str = "true",
    subjects: Mapping[str, str] = MappingProxyType({}),
    reads: tuple[str, ...] = (),
) -> Disposal:
    return Disposal(
        retention=retention,
        manner=Manner.ROWS,
        aged_by=aged_by,
        key=key,
        only_if=only_if,
        subjects=subjects,
        reads=reads,
    )


_COMMON: Final[Mapping[str, tuple[Disposal, ...]]] = MappingProxyType(
    {
        "event_log": (
            _rows(
                "event",
                "t.recorded_at",
                "event_id",
                only_if="not exists (select from outbox as q where q.event_id = t.event_id)",
                reads=("outbox",),
            ),
        ),
        "inbox": (_rows("inbox", "t.received_at", "consumer", "event_id"),),
        **_kept("deleted by the relay once the bus has it", "outbox"),
        **_kept(_CHAIN, "audit_events", "audit_pending", "audit_leaves", "audit_checkpoints"),
        **_kept("which migrations there were", "schema_migrations"),
        **_kept("evidence of holds and runs", "retention_holds", "retention_items"),
    }
)

_OWN: Final[Mapping[str, Mapping[str, tuple[Disposal, ...]]]] = MappingProxyType(
    {
        "auth": {
            **_kept(_ALIVE, "users"),
            **_kept(_REVOKED, "api_keys", "second_factors", "recovery_codes"),
            "sessions": (_rows("session", "t.expires_at", "session_id", subjects=_BY_USER),),
            "setup_tokens": (_rows("session", "t.expires_at", "token_hash"),),
            "login_failures": (_rows("session", "greatest(t.last_at, t.blocked_until)", "bucket"),),
        },
        "broker": {
            **_kept(_ALIVE, "connections", "links"),
            **_kept(_REVOKED, "link_credentials"),
            **_kept(_STATE, "markets", "kill_blocks", "paper_positions", "live_prices"),
            **_kept(
                _BOOKS,
                "verdicts",
                "venue_orders",
                "venue_executions",
                "protection_breaks",
                "live_orders",
                "live_executions",
                "adoptions",
                "breaks",
            ),
        },
        "nocode": {
            **_kept(_ALIVE, "workflows", "workflow_versions", "workflow_grants", "people"),
            "workflow_drafts": (
                _rows(
                    "draft",
                    "t.updated_at",
                    "workflow_id",
                    "author_id",
                    subjects=MappingProxyType({"user": "t.author_id::text"}),
                ),
            ),
            "workflow_executions": (
                _rows(
                    "run",
                    "t.ended_at",
                    "execution_id",
                    only_if="t.kind <> 'live'",
                    subjects=MappingProxyType({"user": "t.executed_by::text"}),
                ),
                _rows(
                    "live_run",
                    "t.ended_at",
                    "execution_id",
                    only_if="t.kind = 'live'",
                    subjects=MappingProxyType({"user": "t.executed_by::text"}),
                ),
            ),
        },
        "notification": {
            "sendings": (
                _rows(
                    "delivery",
                    "t.ended_at",
                    "sending_id",
                    only_if=(f"t.state <> 'due' and not {_TOLD_ALERT}"),
                    subjects=_BY_USER,
                    reads=("messages",),
                ),
                _rows(
                    "alert_message",
                    "t.ended_at",
                    "sending_id",
                    only_if=(f"t.state <> 'due' and {_TOLD_ALERT}"),
                    subjects=_BY_USER,
                    reads=("messages",),
                ),
            ),
            "deliveries": (
                _rows(
                    "delivery",
                    "t.delivered_at",
                    "message_id",
                    "channel",
                    only_if=(
                        "exists (select from messages as m where m.message_id = t.message_id and not "
                        f"{_ALERT_KINDS.replace('t.', 'm.')})"
                    ),
                    subjects=MappingProxyType(
                        {"user": "(select m.user_id::text from messages as m where m.message_id = t.message_id)"}
                    ),
                    reads=("messages",),
                ),
                _rows(
                    "alert_message",
                    "t.delivered_at",
                    "message_id",
                    "channel",
                    only_if=(
                        "exists (select from messages as m where m.message_id = t.message_id and "
                        f"{_ALERT_KINDS.replace('t.', 'm.')})"
                    ),
                    subjects=MappingProxyType(
                        {"user": "(select m.user_id::text from messages as m where m.message_id = t.message_id)"}
                    ),
                    reads=("messages",),
                ),
            ),
            "messages": (
                _rows(
                    "message",
                    "t.created_at",
                    "message_id",
                    only_if=(f"not {_ALERT_KINDS} and {_UNSENT}"),
                    subjects=_BY_USER,
                    reads=("deliveries", "sendings"),
                ),
                _rows(
                    "alert_message",
                    "t.created_at",
                    "message_id",
                    only_if=(f"{_ALERT_KINDS} and {_UNSENT}"),
                    subjects=_BY_USER,
                    reads=("deliveries", "sendings"),
                ),
            ),
            **_kept(_STATE, "recipients", "account_owners", "schedules"),
            **_kept("the log names it: a removed channel keeps its name and nothing more", "channels"),
            **_kept("deleted by the service when its channel is removed", "rules"),
            **_kept(_REVOKED, "channel_secrets"),
        },
        "risk": {
            **_kept(
                _SET,
                "limit_sets",
                "kill_states",
                "scope_kills",
                "instruments",
                "restrictions",
                "latches",
                "shared_limits",
                "limit_proposals",
                "overrides",
                "alert_rules",
            ),
            **_kept(_CASES, "alerts", "surveillance_parameters", "surveillance_cases", "case_steps"),
            **_kept(
                _STATE,
                "reservation_totals",
                "message_buckets",
                "dead_man_switches",
                "fleet",
                "deployment_instances",
                "equity_marks",
                "equity_days",
                "exposures",
                "balances",
                "feed_marks",
                "prices",
                "price_closes",
                "book_exposures",
                "feed_watches",
                "job_beats",
                "limit_warnings",
            ),
            **_kept("an execution that is booked twice is known by it", "booked_executions"),
            "order_stream": (
                _rows(
                    "order",
                    "t.stored_at",
                    "event_id",
                    only_if="t.is_seen",
                    subjects=MappingProxyType(
                        {"user": "t.owner_id::text", "account": "t.account_id::text", "order": "t.order_id::text"}
                    ),
                ),
            ),
            "reservations": (
                _rows(
                    "risk_decision",
                    "t.updated_at",
                    "order_id",
                    only_if="t.state in ('lapsed', 'released') and t.open_qty = 0 and not t.is_unknown",
                    subjects=MappingProxyType({"account": "t.account_id::text", "order": "t.order_id::text"}),
                ),
            ),
            "assessments": (
                _rows(
                    "risk_decision",
                    "t.decided_at",
                    "decision_id",
                    only_if="not exists (select from reservations as r where r.decision_id = t.decision_id)",
                    subjects=MappingProxyType({"account": "t.account_id::text", "order": "t.order_id::text"}),
                    reads=("reservations",),
                ),
            ),
            "risk_metrics": (_rows("risk_metric", "t.measured_at", "metric_id", subjects=_BY_ACCOUNT),),
        },
        "strategy": {
            **_kept("datasets are what backtests were computed from", "datasets"),
            **_kept(_STATE, "feeds", "holdings", "capital_claims", "verdict_thresholds"),
            **_kept(_COUNTED, "trials", "holdout_unlocks"),
            **_kept(_UNDATED, "deployments", "decisions", "intents", "drift_reports"),
            **_kept("an execution that is folded twice is known by it", "deployment_fills"),
            **_kept(_UNDATED, "feed_splits", "recorded_bars", "bar_remarks"),
            "backtests": (
                _rows(
                    "backtest",
                    "t.finished_at",
                    "backtest_id",
                    only_if=(
                        f"{_ENDED} and not exists "
                        "(select from holdout_unlocks as h where h.backtest_id = t.backtest_id)"
                    ),
                    subjects=_BY_OWNER,
                    reads=("holdout_unlocks",),
                ),
            ),
            "sweeps": (
                _rows(
                    "backtest",
                    "t.finished_at",
                    "sweep_id",
                    only_if=f"{_ENDED} and not exists (select from holdout_unlocks as h where h.sweep_id = t.sweep_id)",
                    subjects=_BY_OWNER,
                    reads=("holdout_unlocks",),
                ),
            ),
            "imports": (_rows("job", "t.created_at", "import_id", only_if=_ENDED, subjects=_BY_OWNER),),
            "downloads": (_rows("job", "t.created_at", "download_id", only_if=_ENDED, subjects=_BY_OWNER),),
        },
        "trading": {
            **_kept(
                _BOOKS,
                "accounts",
                "orders",
                "executions",
                "positions",
                "lots",
                "lot_closes",
                "trades",
                "books",
                "portfolio_points",
                "activities",
                "splits_of_feeds",
                "booking_breaks",
                "ledger_entries",
            ),
            **_kept(_STATE, "marks"),
            "order_events": (
                Disposal(
                    retention="order",
                    manner=Manner.PARTS,
                    aged_by="t.occurred_at",
                    only_if=(
                        "not exists (select from orders as o where o.order_id = t.order_id and o.status not in "
                        "('filled', 'canceled', 'expired', 'rejected', 'denied', 'replaced'))"
                    ),
                    together="order_id",
                    subjects=MappingProxyType(
                        {
                            "order": "t.order_id::text",
                            "account": "(select o.account_id::text from orders as o where o.order_id = t.order_id)",
                            "user": "(select o.owner_id::text from orders as o where o.order_id = t.order_id)",
                        }
                    ),
                    reads=("orders",),
                ),
            ),
            "unclaimed_reports": (
                _rows(
                    "order",
                    "t.claimed_at",
                    "event_id",
                    only_if="t.claimed_at is not null",
                    subjects=MappingProxyType({"order": "t.order_id::text"}),
                ),
            ),
        },
        "user": {**_kept(_ALIVE, "profiles", "preferences", "watchlists")},
    }
)


def disposals_of(service: str, table: TableSpec) -> tuple[Disposal, ...]:
    """Return what becomes of a table's rows; nothing where nobody has said it.

    A rule without a class of its own has that of the table's ``data_class``.
    """
    rules = _COMMON if table in COMMON_TABLES else _OWN[service]
    found = rules.get(table.name, ())
    return tuple(_classed(each, table) for each in found)


def _classed(disposal: Disposal, table: TableSpec) -> Disposal:
    if disposal.retention:
        return disposal
    return Disposal(retention=table.data_class, reason=disposal.reason)


def disposed_tables(spec: ServiceSpec) -> tuple[TableSpec, ...]:
    """Return the tables of a service whose rows have an end, those that refer to others before these."""
    tables = {table.name: table for table in (*COMMON_TABLES, *spec.tables)}
    named = [name for name in (*_COMMON, *_OWN[spec.name]) if name in tables]
    return tuple(
        tables[name]
        for name in named
        if any(each.manner is not Manner.KEPT for each in disposals_of(spec.name, tables[name]))
    )


def retainer_rights(spec: ServiceSpec, table: TableSpec) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return what the role that retires records may do with a table: table-wide, columns it sets, columns it changes.

    It deletes rows of those tables alone whose rules say so, and tells of what it does as a service would.
    """
    words = ["select"] if table.name in _read_by(spec) else []
    if table in COMMON_TABLES and table.name in _WRITTEN:
        inserted, updated = _WRITTEN[table.name]
        words += [] if "select" in words or table.name == "audit_events" else ["select"]
        words += [] if inserted else ["insert"]
    else:
        inserted, updated = (), ()
    if any(each.manner is Manner.ROWS for each in disposals_of(spec.name, table)):
        words.append("delete")
    return tuple(words), inserted, updated


def _read_by(spec: ServiceSpec) -> frozenset[str]:
    found: set[str] = set()
    for table in (*COMMON_TABLES, *spec.tables):
        for each in disposals_of(spec.name, table):
            if each.manner is not Manner.KEPT:
                found |= {table.name, *each.reads}
    return frozenset(found)
