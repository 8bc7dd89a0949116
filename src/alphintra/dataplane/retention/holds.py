"""Legal holds: set and lifted with a reason, told and audited, each in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from alphintra.infrastructure.events import encode_event
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.holds import HOLD_EVENTS, Hold
from alphintra.kernel.messages import Actor, Context, subject_of
from alphintra.manifest.disposals import SUBJECTS

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from alphintra.kernel.ids import IdSource

__all__ = ["KINDS", "HoldRecord", "Writer", "active_holds", "append_audit", "lift_hold", "list_holds", "set_hold"]

KINDS: Final = ("all", *SUBJECTS)
_REASON_MAX: Final = 500
_encode = msgspec.json.Encoder(decimal_format="string", order="deterministic").encode

_LIST: Final = """
    select hold_id, kind, subject, from_at, to_at, reason, set_by, set_at, lifted_by, lifted_at, lift_reason
    from retention_holds order by set_at, hold_id
"""
_ACTIVE: Final = """
    select hold_id, kind, subject, from_at, to_at from retention_holds where lifted_at is null order by set_at, hold_id
"""
_SET: Final = """
    insert into retention_holds (hold_id, kind, subject, from_at, to_at, reason, set_by, set_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_LIFT: Final = """
    update retention_holds set lifted_by = $2, lifted_at = $3, lift_reason = $4
    where hold_id = $1 and lifted_at is null returning hold_id, kind, subject, from_at, to_at
"""
_AUDIT: Final = """
    insert into audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
    values ($1, $2, $3, $4, $5, $6, $7)
"""
_EVENT: Final = """
    insert into event_log (event_id, subject, aggregate_id, payload, occurred_at) values ($1, $2, $3, $4, $5)
"""
_QUEUE: Final = "insert into outbox (event_id) values ($1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """On whose authority, when and under which trace something is written."""

    actor: str
    at: datetime
    trace_id: str
    ids: IdSource


class HoldRecord(Hold, frozen=True, kw_only=True):
    """A hold with who set it and, once that is so, who lifted it; times are UTC."""

    reason: str
    set_by: str
    set_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str | None


async def list_holds(connection: asyncpg.Connection) -> tuple[HoldRecord, ...]:
    """Return all holds there ever were, oldest first."""
    return tuple(HoldRecord(**dict(row)) for row in await connection.fetch(_LIST))


async def active_holds(connection: asyncpg.Connection) -> tuple[Hold, ...]:
    """Return the holds in force."""
    return tuple(Hold(**dict(row)) for row in await connection.fetch(_ACTIVE))


async def set_hold(connection: asyncpg.Connection, service: str, hold: Hold, *, reason: str, writer: Writer) -> None:
    """Put records of a service under a legal hold. Raises HOLD_SUBJECT, HOLD_RANGE, HOLD_REASON."""
    _check(hold, reason)
    values = (hold.hold_id, hold.kind, hold.subject, hold.from_at, hold.to_at, reason, writer.actor, writer.at)
    async with connection.transaction():
        await connection.execute(_SET, *values)
        await _tell(connection, service, hold, state="set", reason=reason, writer=writer)


async def lift_hold(
    connection: asyncpg.Connection, service: str, hold_id: UUID, *, reason: str, writer: Writer
) -> Hold:
    """Lift a hold that is in force. Raises HOLD_NOT_FOUND, HOLD_REASON."""
    _check_reason(reason)
    async with connection.transaction():
        row = await connection.fetchrow(_LIFT, hold_id, writer.actor, writer.at, reason)
        if row is None:
            message = f"{service} has no hold {hold_id} in force: see `alphintra retention holds`"
            raise AlphintraError("HOLD_NOT_FOUND", message, kind=Kind.NOT_FOUND)
        hold = Hold(**dict(row))
        await _tell(connection, service, hold, state="lifted", reason=reason, writer=writer)
    return hold


async def append_audit(
    connection: asyncpg.Connection, action: str, subject: str, detail: dict[str, Any], *, writer: Writer
) -> None:
    """Record what retention did in the service's audit log, in the transaction of the connection."""
    text = _encode(detail).decode()
    values = (writer.ids.new(), writer.actor, action, subject, text, writer.trace_id, writer.at)
    await connection.execute(_AUDIT, *values)


async def _tell(
    connection: asyncpg.Connection, service: str, hold: Hold, *, state: str, reason: str, writer: Writer
) -> None:
    kind = HOLD_EVENTS[service]
    event = kind(hold=hold, state=state, reason=reason)
    event_id = writer.ids.new()
    context = Context(trace_id=writer.trace_id, actor=Actor(id=writer.actor))
    payload = encode_event(event, event_id=event_id, aggregate_id=hold.hold_id, context=context, at=writer.at)
    await connection.execute(_EVENT, event_id, subject_of(kind), hold.hold_id, payload, writer.at)
    await connection.execute(_QUEUE, event_id)
    detail = msgspec.to_builtins(hold) | {"reason": reason}
    await append_audit(connection, f"retention.hold_{state}", f"hold:{hold.hold_id}", detail, writer=writer)


def _check(hold: Hold, reason: str) -> None:
    if hold.kind not in KINDS or (hold.kind == "all") != (hold.subject == ""):
        message = f"a hold is on all, or on one of {', '.join(SUBJECTS)} by its id: name exactly one"
        raise AlphintraError("HOLD_SUBJECT", message, pointer="--user")
    if hold.subject:
        try:
            is_plain = str(UUID(hold.subject)) == hold.subject
        except ValueError:
            is_plain = False
        if not is_plain:
            message = f"{hold.subject[:40]!r} is no id: write it as in 0190a0c2-7b7e-7c3e-8000-000000000001"
            raise AlphintraError("HOLD_SUBJECT", message, pointer=f"--{hold.kind}")
    if hold.from_at is not None and hold.to_at is not None and hold.from_at >= hold.to_at:
        raise AlphintraError("HOLD_RANGE", "a hold ends after it begins: --from lies before --to", pointer="--to")
    _check_reason(reason)


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > _REASON_MAX:
        message = f"say why in 1 to {_REASON_MAX} characters: it stays in the audit log"
        raise AlphintraError("HOLD_REASON", message, pointer="--reason")
