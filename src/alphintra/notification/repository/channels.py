"""Channels with their secrets and rules, and when people are left alone: rows to values and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from alphintra.infrastructure.envelope import Sealed
from alphintra.kernel.ids import UserId
from alphintra.notification.domain.channels import Channel, ChannelKind, ChannelStatus
from alphintra.notification.domain.schedule import Schedule

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alphintra.infrastructure.postgres import Record, Session

__all__ = ["ChannelRows"]


class ChannelRows:
    """Channels, secrets, rules and schedules as one session sees and changes them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def add(self, channel: Channel) -> None:
        """Store a new channel. Raises CONFLICT_UNIQUE where the person has one of that name."""
        await self.session.execute(
            "channels.insert",
            channel.channel_id,
            channel.user_id,
            channel.kind,
            channel.name,
            channel.address,
            channel.status,
            channel.created_at,
        )

    async def of_person(self, user_id: UserId) -> tuple[Channel, ...]:
        """Read a person's channels with their rules, oldest first."""
        rules: dict[UUID, dict[str, str]] = {}
        for row in await self.session.rows("rules.of", user_id):
            rules.setdefault(row["channel_id"], {})[row["topic"]] = row["severity"]
        found = await self.session.rows("channels.list", user_id)
        return tuple(_channel(row, rules.get(row["channel_id"], {})) for row in found)

    async def lock(self, channel_id: UUID, user_id: UserId) -> Channel | None:
        """Read a person's channel and hold it; its rules are left out."""
        row = await self.session.row("channels.lock", channel_id, user_id)
        return None if row is None else _channel(row, {})

    async def name_of(self, channel_id: UUID) -> str:
        """Read what a channel is called."""
        return str(await self.session.value("channels.name", channel_id))

    async def turn(self, channel_id: UUID, status: ChannelStatus, *, at: datetime) -> None:
        """Store a channel's new status; a removed one loses its address."""
        await self.session.execute("channels.turn", channel_id, status, at)

    async def renew(self, channel_id: UUID, version: int, *, at: datetime) -> None:
        """Remember the version of a channel's newest secret."""
        await self.session.execute("channels.renew", channel_id, version, at)

    async def miss(self, channel_id: UUID) -> None:
        """Count a wrong code."""
        await self.session.execute("channels.miss", channel_id)

    async def fail(self, channel_id: UUID) -> int:
        """Count a message that was given up; returns how many in a row."""
        return int(await self.session.value("channels.fail", channel_id))

    async def succeed(self, channel_id: UUID) -> None:
        """Remember that something arrived; a channel that rested is awake again."""
        await self.session.execute("channels.succeed", channel_id)

    async def leading_to(
        self, people: Sequence[UserId], topic: str
    ) -> tuple[tuple[UUID, UserId, str | None, datetime | None], ...]:
        """Read people's active channels: each with its owner, the least severity of a topic, until when it is mute."""
        rows = await self.session.rows("channels.of_people", list(people), topic)
        return tuple((row["channel_id"], UserId(row["user_id"]), row["least"], row["muted_until"]) for row in rows)

    async def put_secret(self, channel_id: UUID, sealed: Sealed, *, at: datetime) -> None:
        """Store a channel's newest secret."""
        await self.session.execute(
            "channel_secrets.insert",
            channel_id,
            sealed.version,
            sealed.kek_version,
            sealed.wrapped_key,
            sealed.ciphertext,
            at,
        )

    async def retire_secrets(self, channel_id: UUID, *, before: int, end: datetime) -> None:
        """Let older secrets of a channel hold until then."""
        await self.session.execute("channel_secrets.retire", channel_id, before, end)

    async def secrets(self, channel_id: UUID, *, at: datetime) -> tuple[tuple[Sealed, datetime], ...]:
        """Read the secrets of a channel that hold, newest first, and when each was made."""
        found = []
        for row in await self.session.rows("channel_secrets.get", channel_id, at):
            fields = dict(row)
            sealed_at = fields.pop("sealed_at")
            found.append((Sealed(**fields), sealed_at))
        return tuple(found)

    async def under_older_key(self, version: int) -> tuple[tuple[UUID, Sealed], ...]:
        """Read and hold the secrets whose data key another version than this wraps."""
        found = []
        for row in await self.session.rows("channel_secrets.under_older", version):
            fields = dict(row)
            found.append((fields.pop("channel_id"), Sealed(**fields)))
        return tuple(found)

    async def rewrap(self, channel_id: UUID, sealed: Sealed) -> None:
        """Store the data key of a secret as the newest key wraps it."""
        await self.session.execute(
            "channel_secrets.rewrap", channel_id, sealed.version, sealed.kek_version, sealed.wrapped_key
        )

    async def forget_secrets(self, channel_id: UUID) -> None:
        """Delete the secrets of a channel."""
        await self.session.execute("channel_secrets.forget", channel_id)

    async def forget_ended_secrets(self, *, at: datetime) -> None:
        """Delete the secrets that hold no more."""
        await self.session.execute("channel_secrets.forget_ended", at)

    async def put_rules(self, channel_id: UUID, rules: Mapping[str, str]) -> None:
        """Set rules of a channel."""
        await self.session.execute("rules.put", channel_id, list(rules), list(rules.values()))

    async def forget_rules(self, channel_id: UUID) -> None:
        """Delete the rules of a channel."""
        await self.session.execute("rules.forget", channel_id)

    async def schedule(self, user_id: UserId) -> Schedule | None:
        """Read when a person is left alone, None for one who has chosen nothing."""
        row = await self.session.row("schedules.get", user_id)
        return None if row is None else Schedule(**row)

    async def put_schedule(self, user_id: UserId, schedule: Schedule, *, at: datetime) -> None:
        """Store when a person is left alone."""
        await self.session.execute(
            "schedules.put",
            user_id,
            schedule.time_zone,
            schedule.quiet_from,
            schedule.quiet_to,
            schedule.muted_until,
            at,
        )


def _channel(row: Record, rules: Mapping[str, str]) -> Channel:
    fields = dict(row)
    fields["kind"] = ChannelKind(fields["kind"])
    fields["status"] = ChannelStatus(fields["status"])
    fields["user_id"] = UserId(fields["user_id"])
    return Channel(**fields, rules=rules)
