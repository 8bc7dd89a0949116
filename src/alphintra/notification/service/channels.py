"""Use cases of a person's channels, their rules, their quiet hours and what was sent."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from alphintra.contracts.notification import (
    ChannelAdded,
    ChannelKeysView,
    ChannelsView,
    ChannelView,
    ScheduleView,
    SendingsView,
    SendingView,
    TopicView,
)
from alphintra.infrastructure.envelope import Envelopes
from alphintra.infrastructure.events import append_audit
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.notification.domain.channels import (
    CHANNELS_MAX,
    CODE_LIFE,
    CODE_TRIES,
    Channel,
    ChannelKind,
    ChannelStatus,
    Purpose,
    Sending,
    SendingState,
    require_name,
)
from alphintra.notification.domain.drafts import Severity
from alphintra.notification.domain.outgoing import require_email
from alphintra.notification.domain.rules import TOPICS, USUAL, require_rules
from alphintra.notification.domain.schedule import UNDISTURBED, Schedule, new_schedule
from alphintra.notification.gateways.webhooks import new_secret
from alphintra.notification.service.inbox import acting_user, require_limit

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.contracts.notification import (
        AddChannel,
        ConfirmChannel,
        ListSendings,
        RemoveChannel,
        RotateChannelSecret,
        SendTest,
        SetRules,
        SetSchedule,
    )
    from alphintra.kernel.ids import IdSource, UserId
    from alphintra.kernel.messages import Context
    from alphintra.notification.gateways.webhooks import Webhooks
    from alphintra.notification.repository.inboxes import Inboxes, InboxesTransaction

__all__ = [
    "Desk",
    "add_channel",
    "confirm_channel",
    "get_schedule",
    "list_channels",
    "list_sendings",
    "remove_channel",
    "rotate_channel_keys",
    "rotate_channel_secret",
    "send_test",
    "set_rules",
    "set_schedule",
]

ASKED_MAX: Final = 20  # tests and codes a person may have sent in an hour
SECRET_OVERLAP: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_CODE_DIGITS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the use cases of channels stand on.

    Attributes:
        inboxes: what notification keeps.
        envelopes: gives what seals secrets, under the keys as they are now. Raises KEYS_MISSING or KEYS_UNREADABLE.
        webhooks: looks at where webhooks lead.
        mail_from: whom mail comes from; empty where the operator has set no mail server.
        time_zones: names of all time zones there are.
        ids: of channels and sendings.
    """

    inboxes: Inboxes
    envelopes: Callable[[], Envelopes]
    webhooks: Webhooks
    mail_from: str
    time_zones: AbstractSet[str]
    ids: IdSource


async def list_channels(context: Context, *, desk: Desk) -> ChannelsView:
    """Return the acting user's channels and the topics there are. Raises USER_REQUIRED."""
    user_id = acting_user(context)
    async with desk.inboxes.transaction() as tx:
        found = await tx.channels.of_person(user_id)
    return ChannelsView(
        channels=tuple(_channel_view(channel) for channel in found),
        topics=tuple(TopicView(topic=topic, title=title) for topic, title in TOPICS.items()),
        mail_from=desk.mail_from,
    )


async def add_channel(command: AddChannel, context: Context, *, desk: Desk, at: datetime) -> ChannelAdded:
    """Add a channel of the acting user; to an e-mail address a code is sent, a webhook's secret is in the answer.

    Raises FIELD_VALUE, FIELD_LENGTH, FIELD_CHARS, URL_FORBIDDEN, URL_UNKNOWN, MAIL_NOT_SET, NAME_TAKEN, CHANNELS_MAX,
    CHANNEL_THROTTLED, USER_REQUIRED and those of the envelopes.
    """
    user_id = acting_user(context)
    if command.kind not in set(ChannelKind):
        raise AlphintraError("FIELD_VALUE", "a channel is email or webhook", pointer="/kind")
    kind = ChannelKind(command.kind)
    if kind is ChannelKind.EMAIL:
        _require_mail(desk)
        address, secret, status = require_email(command.address), _new_code(), ChannelStatus.UNCONFIRMED
    else:
        await desk.webhooks.check(command.address)
        address, secret, status = command.address, new_secret(), ChannelStatus.ACTIVE
    channel = Channel(
        channel_id=desk.ids.new(),
        user_id=user_id,
        kind=kind,
        name=require_name(command.name),
        address=address,
        status=status,
        secret_version=1,
        failures=0,
        tries=0,
        created_at=at,
        changed_at=at,
    )
    sealed = desk.envelopes().seal(secret.encode(), channel.channel_id, version=1)
    async with desk.inboxes.transaction() as tx:
        others = await tx.channels.of_person(user_id)
        if len(others) >= CHANNELS_MAX:
            message = f"a person has {CHANNELS_MAX} channels at most: remove one first"
            raise AlphintraError("CHANNELS_MAX", message, kind=Kind.CONFLICT)
        if any(other.name == channel.name for other in others):
            message = "there is a channel of this name: choose another"
            raise AlphintraError("NAME_TAKEN", message, kind=Kind.CONFLICT, pointer="/name")
        await tx.channels.add(channel)
        await tx.channels.put_secret(channel.channel_id, sealed, at=at)
        if kind is ChannelKind.EMAIL:
            await _ask(tx, channel, Purpose.CODE, desk=desk, at=at)
        await _audit(
            tx, "channel.add", channel, {"kind": kind.value, "name": channel.name}, desk=desk, context=context, at=at
        )
    return ChannelAdded(channel=_channel_view(channel), secret=secret if kind is ChannelKind.WEBHOOK else "")


async def confirm_channel(command: ConfirmChannel, context: Context, *, desk: Desk, at: datetime) -> ChannelView:
    """Take the code that was sent to an e-mail address. Raises CHANNEL_NOT_FOUND, CODE_INVALID or CODE_EXPIRED."""
    user_id = acting_user(context)
    refusal: AlphintraError | None = None
    async with desk.inboxes.transaction() as tx:
        channel = await _held(tx, command.channel_id, user_id)
        if channel.status is ChannelStatus.UNCONFIRMED:
            ((sealed, sealed_at), *_) = await tx.channels.secrets(channel.channel_id, at=at)
            code = desk.envelopes().open(sealed, channel.channel_id).decode()
            refusal = _look_at_code(channel, command.code, code, sealed_at=sealed_at, at=at)
            if refusal is not None:
                await tx.channels.miss(channel.channel_id)
            else:
                await tx.channels.turn(channel.channel_id, ChannelStatus.ACTIVE, at=at)
                await tx.channels.forget_secrets(channel.channel_id)
                await _audit(tx, "channel.confirm", channel, {}, desk=desk, context=context, at=at)
        found = await _with_rules(tx, channel.channel_id, user_id)
    if refusal is not None:  # counted first: whoever guesses has no more tries for it
        raise refusal
    return _channel_view(found)


async def send_test(command: SendTest, context: Context, *, desk: Desk, at: datetime) -> SendingView:
    """Send a test by a channel, or another code to an address not confirmed yet.

    Raises CHANNEL_NOT_FOUND, CHANNEL_THROTTLED, MAIL_NOT_SET and those of the envelopes.
    """
    async with desk.inboxes.transaction() as tx:
        channel = await _held(tx, command.channel_id, acting_user(context))
        purpose = Purpose.TEST
        if channel.kind is ChannelKind.EMAIL:
            _require_mail(desk)
        if channel.status is ChannelStatus.UNCONFIRMED:
            purpose = Purpose.CODE
            version = channel.secret_version + 1
            sealed = desk.envelopes().seal(_new_code().encode(), channel.channel_id, version=version)
            await tx.channels.forget_secrets(channel.channel_id)
            await tx.channels.put_secret(channel.channel_id, sealed, at=at)
            await tx.channels.renew(channel.channel_id, version, at=at)
        sending_id = await _ask(tx, channel, purpose, desk=desk, at=at)
        sending = await tx.sendings.get(sending_id)
    if sending is None:
        message = "a sending just stored is not there"
        raise RuntimeError(message)
    return _sending_view(sending)


async def rotate_channel_secret(
    command: RotateChannelSecret, context: Context, *, desk: Desk, at: datetime
) -> ChannelAdded:
    """Draw another secret for a webhook; the one before signs too for a day. Raises CHANNEL_NOT_FOUND, FIELD_VALUE."""
    user_id = acting_user(context)
    async with desk.inboxes.transaction() as tx:
        channel = await _held(tx, command.channel_id, user_id)
        if channel.kind is not ChannelKind.WEBHOOK:
            raise AlphintraError("FIELD_VALUE", "an e-mail address has no secret", pointer="/channel_id")
        version, secret = channel.secret_version + 1, new_secret()
        sealed = desk.envelopes().seal(secret.encode(), channel.channel_id, version=version)
        await tx.channels.retire_secrets(channel.channel_id, before=version, end=at + SECRET_OVERLAP)
        await tx.channels.put_secret(channel.channel_id, sealed, at=at)
        await tx.channels.renew(channel.channel_id, version, at=at)
        await _audit(tx, "channel.rotate_secret", channel, {"version": version}, desk=desk, context=context, at=at)
        found = await _with_rules(tx, channel.channel_id, user_id)
    return ChannelAdded(channel=_channel_view(found), secret=secret)


async def remove_channel(command: RemoveChannel, context: Context, *, desk: Desk, at: datetime) -> ChannelView:
    """Remove a channel with its secrets and rules; what waits for it is withdrawn. Raises CHANNEL_NOT_FOUND."""
    async with desk.inboxes.transaction() as tx:
        channel = await _held(tx, command.channel_id, acting_user(context))
        await tx.channels.turn(channel.channel_id, ChannelStatus.REMOVED, at=at)
        await tx.channels.forget_secrets(channel.channel_id)
        await tx.channels.forget_rules(channel.channel_id)
        await tx.sendings.withdraw(channel.channel_id, at=at)
        await _audit(tx, "channel.remove", channel, {}, desk=desk, context=context, at=at)
    return _channel_view(replace(channel, status=ChannelStatus.REMOVED, address=""))


async def set_rules(command: SetRules, context: Context, *, desk: Desk, at: datetime) -> ChannelView:
    """Set from which severity on messages leave by a channel; topics left out stay. Raises FIELD_VALUE."""
    user_id = acting_user(context)
    rules = require_rules(command.rules)
    async with desk.inboxes.transaction() as tx:
        channel = await _held(tx, command.channel_id, user_id)
        await tx.channels.put_rules(channel.channel_id, rules)
        await _audit(tx, "channel.set_rules", channel, {"rules": rules}, desk=desk, context=context, at=at)
        found = await _with_rules(tx, channel.channel_id, user_id)
    return _channel_view(found)


async def get_schedule(context: Context, *, desk: Desk) -> ScheduleView:
    """Return when the acting user is left alone. Raises USER_REQUIRED."""
    user_id = acting_user(context)
    async with desk.inboxes.transaction() as tx:
        return _schedule_view(await tx.channels.schedule(user_id) or UNDISTURBED)


async def set_schedule(command: SetSchedule, context: Context, *, desk: Desk, at: datetime) -> ScheduleView:
    """Set when the acting user is left alone; what waits is looked at anew. Raises FIELD_VALUE and USER_REQUIRED."""
    user_id = acting_user(context)
    wanted = Schedule(
        time_zone=command.time_zone,
        quiet_from=command.quiet_from,
        quiet_to=command.quiet_to,
        muted_until=command.muted_until,
    )
    schedule = new_schedule(wanted, time_zones=desk.time_zones, at=at)
    async with desk.inboxes.transaction() as tx:
        await tx.channels.put_schedule(user_id, schedule, at=at)
        await tx.sendings.hasten(user_id, at=at)
    return _schedule_view(schedule)


async def list_sendings(command: ListSendings, context: Context, *, desk: Desk) -> SendingsView:
    """Return what was and is to be sent to the acting user, newest first. Raises PAGE_LIMIT and FIELD_VALUE."""
    require_limit(command.limit)
    if command.state and command.state not in set(SendingState):
        raise AlphintraError("FIELD_VALUE", f"a state is one of {', '.join(SendingState)}", pointer="/state")
    async with desk.inboxes.transaction() as tx:
        found = await tx.sendings.of_person(
            acting_user(context),
            limit=command.limit,
            channel_id=command.channel_id,
            state=command.state,
            before=command.before,
        )
    return SendingsView(sendings=tuple(_sending_view(sending) for sending in found))


async def rotate_channel_keys(context: Context, *, desk: Desk, at: datetime) -> ChannelKeysView:
    """Wrap every data key that an older key wraps by the newest. Raises ROLE_REQUIRED and those of the envelopes."""
    if "operator" not in context.actor.roles and context.actor.id != "operator":
        raise AlphintraError("ROLE_REQUIRED", "keys are rotated by an operator", kind=Kind.FORBIDDEN)
    envelopes = desk.envelopes()
    async with desk.inboxes.transaction() as tx:
        older = await tx.channels.under_older_key(envelopes.newest)
        for channel_id, sealed in older:
            await tx.channels.rewrap(channel_id, envelopes.rewrap(sealed, channel_id))
        facts: dict[str, object] = {"version": envelopes.newest, "rewrapped": len(older)}
        await append_audit(tx.session, "channel.rotate_keys", "firm", facts, ids=desk.ids, context=context, at=at)
    return ChannelKeysView(version=envelopes.newest, rewrapped=len(older))


async def _ask(tx: InboxesTransaction, channel: Channel, purpose: Purpose, *, desk: Desk, at: datetime) -> UUID:
    """Store a test or a code to be sent. Raises CHANNEL_THROTTLED: strangers' mailboxes are not to be filled."""
    if await tx.sendings.asked_since(channel.user_id, at - _HOUR) >= ASKED_MAX:
        message = f"{ASKED_MAX} tests and codes were sent within an hour: try again later"
        raise AlphintraError("CHANNEL_THROTTLED", message, kind=Kind.LIMITED)
    sending_id = desk.ids.new()
    entry = (sending_id, channel.channel_id, channel.user_id, None)
    await tx.sendings.plan([entry], purpose=purpose, severity=Severity.INFO, at=at)
    return sending_id


async def _held(tx: InboxesTransaction, channel_id: UUID, user_id: UserId) -> Channel:
    channel = await tx.channels.lock(channel_id, user_id)
    if channel is None:
        message = "you have no such channel: list your channels"
        raise AlphintraError("CHANNEL_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/channel_id")
    return channel


async def _with_rules(tx: InboxesTransaction, channel_id: UUID, user_id: UserId) -> Channel:
    return next(each for each in await tx.channels.of_person(user_id) if each.channel_id == channel_id)


def _look_at_code(
    channel: Channel, given: str, code: str, *, sealed_at: datetime, at: datetime
) -> AlphintraError | None:
    if channel.tries >= CODE_TRIES or at - sealed_at > CODE_LIFE:
        message = "this code holds no more: have another one sent"
        return AlphintraError("CODE_EXPIRED", message, kind=Kind.CONFLICT, pointer="/code")
    if not hmac.compare_digest(given.strip().encode(), code.encode()):
        message = "this is not the code that was sent: look at the newest mail again"
        return AlphintraError("CODE_INVALID", message, pointer="/code")
    return None


def _require_mail(desk: Desk) -> None:
    if not desk.mail_from:
        message = "no mail server is set: the operator sets smtp_url and smtp_from"
        raise AlphintraError("MAIL_NOT_SET", message, kind=Kind.CONFLICT, pointer="/kind")


def _new_code() -> str:
    return "".join(secrets.choice("0123456789") for _ in range(_CODE_DIGITS))


async def _audit(  # noqa: PLR0913 - what an audit row holds, and where it comes from
    tx: InboxesTransaction,
    action: str,
    channel: Channel,
    facts: dict[str, object],
    *,
    desk: Desk,
    context: Context,
    at: datetime,
) -> None:
    what = f"channel:{channel.channel_id}"
    await append_audit(tx.session, action, what, facts, ids=desk.ids, context=context, at=at)


def _channel_view(channel: Channel) -> ChannelView:
    return ChannelView(
        channel_id=channel.channel_id,
        kind=channel.kind,
        name=channel.name,
        address=channel.address,
        status=channel.status,
        created_at=channel.created_at,
        rules={topic: channel.rules.get(topic, USUAL) for topic in TOPICS},
    )


def _sending_view(sending: Sending) -> SendingView:
    return SendingView(
        sending_id=sending.sending_id,
        channel_id=sending.channel_id,
        purpose=sending.purpose,
        message_id=sending.message_id,
        severity=sending.severity,
        title=sending.title,
        state=sending.state,
        attempts=sending.attempts,
        due_at=sending.due_at,
        created_at=sending.created_at,
        ended_at=sending.ended_at,
        code=sending.code,
        detail=sending.detail,
    )


def _schedule_view(schedule: Schedule) -> ScheduleView:
    return ScheduleView(
        time_zone=schedule.time_zone,
        quiet_from=schedule.quiet_from,
        quiet_to=schedule.quiet_to,
        muted_until=schedule.muted_until,
    )
