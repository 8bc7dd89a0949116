"""What is to be sent by channels, and what became of it: rows to values and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alphintra.kernel.ids import UserId
from alphintra.notification.domain.channels import ChannelKind, Failure, Purpose, Sending, SendingState
from alphintra.notification.domain.drafts import Severity
from alphintra.notification.domain.schedule import UNDISTURBED, Schedule

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alphintra.infrastructure.postgres import Record, Session

__all__ = ["Due", "SendingRows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A sending that is due, with all that its courier needs but the channel's secrets.

    Attributes:
        sending_id: which; the same at every attempt.
        channel_id: by which channel.
        user_id: to whom.
        purpose: what is sent.
        message_id: which message, of that purpose.
        severity: of the message.
        attempts: how many were made before.
        tried_at: when the first was.
        created_at: when it was stored.
        channel_kind: what the channel is.
        address: where it leads.
        kind: of the message; empty for other purposes, as the next three.
        title: of the message.
        body: of the message.
        subject: of the message.
        happened_at: when what it tells of happened.
        schedule: when its person is left alone.
    """

    sending_id: UUID
    channel_id: UUID
    user_id: UserId
    purpose: Purpose
    message_id: UUID | None
    severity: Severity
    attempts: int
    tried_at: datetime | None
    created_at: datetime
    channel_kind: ChannelKind
    address: str
    kind: str
    title: str
    body: str
    subject: str
    happened_at: datetime
    schedule: Schedule


class SendingRows:
    """Sendings as one session sees and changes them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def plan(
        self,
        entries: Sequence[tuple[UUID, UUID, UserId, UUID | None]],
        *,
        purpose: Purpose,
        severity: Severity,
        at: datetime,
    ) -> None:
        """Store what is to be sent: id, channel, person and message each; one message leaves once by a channel."""
        if not entries:
            return
        await self.session.execute(
            "sendings.plan",
            [entry[0] for entry in entries],
            [entry[1] for entry in entries],
            [entry[2] for entry in entries],
            [entry[3] for entry in entries],
            purpose,
            severity,
            at,
        )
        self.session.is_wake_due = True

    async def due(self, *, limit: int, at: datetime) -> tuple[Due, ...]:
        """Read and hold what is due, the oldest of each channel."""
        return tuple(_due(row) for row in await self.session.rows("sendings.due", at, limit))

    async def attempt(self, sending_ids: Sequence[UUID], *, lease_end: datetime, at: datetime) -> None:
        """Remember that attempts are about to be made; without an outcome the next ones are made at the lease's end."""
        await self.session.execute("sendings.attempt", list(sending_ids), at, lease_end)

    async def defer(self, sending_id: UUID, until: datetime) -> None:
        """Leave a sending until then."""
        await self.session.execute("sendings.defer", sending_id, until)

    async def hasten(self, user_id: UserId, *, at: datetime) -> None:
        """Have what waits for a person, and was not tried yet, looked at anew."""
        await self.session.execute("sendings.hasten", user_id, at)
        self.session.is_wake_due = True

    async def retry(self, sending_id: UUID, failure: Failure, *, due_at: datetime) -> None:
        """Remember why an attempt failed, and when the next one is made."""
        await self.session.execute("sendings.retry", sending_id, due_at, failure.code, failure.detail)

    async def end(self, sending_id: UUID, state: SendingState, failure: Failure | None, *, at: datetime) -> bool:
        """Store that a sending is over; False if it was before."""
        code, detail = ("", "") if failure is None else (failure.code, failure.detail)
        return await self.session.value("sendings.end", sending_id, state, at, code, detail) is not None

    async def withdraw(self, channel_id: UUID, *, at: datetime) -> None:
        """End what waits for a channel."""
        await self.session.execute("sendings.withdraw", channel_id, at)

    async def asked_since(self, user_id: UserId, moment: datetime) -> int:
        """Count the tests and codes a person had sent since then."""
        return int(await self.session.value("sendings.count_asked", user_id, moment))

    async def of_person(
        self, user_id: UserId, *, limit: int, channel_id: UUID | None, state: str, before: UUID | None
    ) -> tuple[Sending, ...]:
        """Read what was and is to be sent to a person, newest first."""
        rows = await self.session.rows("sendings.list", user_id, limit, channel_id, state, before)
        return tuple(_sending(row) for row in rows)

    async def get(self, sending_id: UUID) -> Sending | None:
        """Read one of them."""
        row = await self.session.row("sendings.get", sending_id)
        return None if row is None else _sending(row)


def _due(row: Record) -> Due:
    fields = dict(row)
    hours = {name: fields.pop(name) for name in ("time_zone", "quiet_from", "quiet_to", "muted_until")}
    fields["schedule"] = UNDISTURBED if hours["time_zone"] is None else Schedule(**hours)
    fields["purpose"] = Purpose(fields["purpose"])
    fields["severity"] = Severity(fields["severity"])
    fields["channel_kind"] = ChannelKind(fields["channel_kind"])
    fields["user_id"] = UserId(fields["user_id"])
    fields["happened_at"] = fields["happened_at"] or fields["created_at"]
    for name in ("kind", "title", "body", "subject"):
        fields[name] = fields[name] or ""
    return Due(**fields)


def _sending(row: Record) -> Sending:
    fields = dict(row)
    fields["purpose"] = Purpose(fields["purpose"])
    fields["state"] = SendingState(fields["state"])
    fields["user_id"] = UserId(fields["user_id"])
    return Sending(**fields)
