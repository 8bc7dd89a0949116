"""What notification answers and tells."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View, hiding

__all__ = [
    "AcknowledgeMessages",
    "AddChannel",
    "ChannelAdded",
    "ChannelKeysView",
    "ChannelView",
    "ChannelsView",
    "ConfirmChannel",
    "GetSchedule",
    "JobReported",
    "ListChannels",
    "ListMessages",
    "ListSendings",
    "MarkRead",
    "MessageDelivered",
    "MessageView",
    "MessagesAcknowledged",
    "MessagesView",
    "RemoveChannel",
    "ReportJob",
    "RotateChannelKeys",
    "RotateChannelSecret",
    "ScheduleView",
    "SendTest",
    "SendingView",
    "SendingsView",
    "SetRules",
    "SetSchedule",
    "TopicView",
]


class MessageView(View, frozen=True):
    """One message of a person's inbox; ``topic`` is what its kind is about."""

    message_id: UUID
    kind: str
    severity: str
    title: str
    body: str
    subject: str
    created_at: Utc
    read_at: Utc | None = None
    topic: str = ""
    acknowledged_at: Utc | None = None


class MessagesView(View, frozen=True):
    """Messages, newest first, and how many are unread in all."""

    messages: tuple[MessageView, ...]
    unread: int


class ListMessages(Command[MessagesView], tag="notification.list_messages.v1", frozen=True):
    """List the acting user's messages, newest first.

    ``severity`` is the least one, ``topic`` what they are about, ``before`` a message: those older than it.
    """

    unread_only: bool = False
    limit: int = 50
    open_only: bool = False
    severity: str = ""
    topic: str = ""
    before: UUID | None = None


class MarkRead(Command[MessageView], tag="notification.mark_read.v1", frozen=True):
    """Mark one message of the acting user as read; repeating it changes nothing."""

    message_id: UUID


class MessagesAcknowledged(View, frozen=True):
    """How many messages were acknowledged just now, and how many are unread in all."""

    acknowledged: int
    unread: int


class AcknowledgeMessages(Command[MessagesAcknowledged], tag="notification.acknowledge_messages.v1", frozen=True):
    """Say of messages of the acting user that they are taken care of; repeating it changes nothing."""

    message_ids: tuple[UUID, ...]


class ChannelView(View, frozen=True):
    """A way to a person beside the inbox; ``rules`` is the least severity by topic, or ``off``."""

    channel_id: UUID
    kind: str
    name: str
    address: str
    status: str
    created_at: Utc
    rules: dict[str, str]


class TopicView(View, frozen=True):
    """What messages may be about."""

    topic: str
    title: str


class ChannelsView(View, frozen=True):
    """A person's channels, oldest first, and the topics there are.

    ``mail_from`` is whom mail comes from, empty where the operator has set no mail server.
    """

    channels: tuple[ChannelView, ...]
    topics: tuple[TopicView, ...]
    mail_from: str


class ListChannels(Command[ChannelsView], tag="notification.list_channels.v1", frozen=True):
    """List the acting user's channels."""


@hiding("secret")
class ChannelAdded(View, frozen=True):
    """A channel, and the secret its webhook is signed by: shown this once, empty for e-mail."""

    channel: ChannelView
    secret: str


@hiding("address")
class AddChannel(Command[ChannelAdded], tag="notification.add_channel.v1", frozen=True):
    """Add a channel of the acting user: ``kind`` is email or webhook, ``address`` an e-mail address or a URL.

    An e-mail address counts once the code sent to it is given.
    """

    kind: str
    name: str
    address: str


@hiding("code")
class ConfirmChannel(Command[ChannelView], tag="notification.confirm_channel.v1", frozen=True):
    """Give the code that was sent to an e-mail address."""

    channel_id: UUID
    code: str


class SendingView(View, frozen=True):
    """One thing sent by a channel, or about to be; its id is the same at every attempt.

    ``purpose`` is message, test or code; ``state`` is due, delivered, given_up or withdrawn; ``code`` and ``detail``
    say why the last attempt failed.
    """

    sending_id: UUID
    channel_id: UUID
    purpose: str
    message_id: UUID | None
    severity: str
    title: str
    state: str
    attempts: int
    due_at: Utc
    created_at: Utc
    ended_at: Utc | None
    code: str
    detail: str


class SendingsView(View, frozen=True):
    """What was and is to be sent to a person, newest first."""

    sendings: tuple[SendingView, ...]


class SendTest(Command[SendingView], tag="notification.send_test.v1", frozen=True):
    """Send a test by a channel of the acting user; to an address not confirmed yet, another code."""

    channel_id: UUID


class RotateChannelSecret(Command[ChannelAdded], tag="notification.rotate_channel_secret.v1", frozen=True):
    """Draw another secret for a webhook; both sign for a day."""

    channel_id: UUID


class RemoveChannel(Command[ChannelView], tag="notification.remove_channel.v1", frozen=True):
    """Remove a channel of the acting user, its secrets and its rules; what waits for it is withdrawn."""

    channel_id: UUID


class SetRules(Command[ChannelView], tag="notification.set_rules.v1", frozen=True):
    """Set from which severity on messages leave by a channel: info, warning, critical or off, by topic."""

    channel_id: UUID
    rules: dict[str, str]


class ScheduleView(View, frozen=True):
    """When a person is left alone by channels; what is critical passes.

    ``quiet_from`` and ``quiet_to`` are HH:MM on the clock of ``time_zone``, empty for none.
    """

    time_zone: str
    quiet_from: str
    quiet_to: str
    muted_until: Utc | None


class GetSchedule(Command[ScheduleView], tag="notification.get_schedule.v1", frozen=True):
    """Fetch when the acting user is left alone."""


class SetSchedule(Command[ScheduleView], tag="notification.set_schedule.v1", frozen=True):
    """Set when the acting user is left alone. Replaces what was set before."""

    time_zone: str
    quiet_from: str = ""
    quiet_to: str = ""
    muted_until: Utc | None = None


class ListSendings(Command[SendingsView], tag="notification.list_sendings.v1", frozen=True):
    """List what was and is to be sent to the acting user: by one channel, in one state, older than ``before``."""

    limit: int = 50
    channel_id: UUID | None = None
    state: str = ""
    before: UUID | None = None


class ChannelKeysView(View, frozen=True):
    """The version of the key that wraps data keys now, and how many were wrapped anew."""

    version: int
    rewrapped: int


class RotateChannelKeys(Command[ChannelKeysView], tag="notification.rotate_channel_keys.v1", frozen=True):
    """Wrap every data key of channels that an older key wraps by the newest. Operator only."""


class JobReported(View, frozen=True):
    """How many people have a report in their inbox, now or since it came before."""

    people: int


class ReportJob(Command[JobReported], tag="notification.report_job.v1", frozen=True):
    """Have operators told, once, that a scheduled job fails or works again. The scheduler only.

    Attributes:
        kind: ``full``, ``incremental``, ``service``, ``verify``, ``log`` (of backups) or ``retention``.
        of: the instance or service; ``all`` for ``verify``.
        failing_since: when the first run of the series of failures began.
        is_failing: whether the series goes on.
        code: of the failure.
        detail: of the failure.
    """

    kind: str
    of: str
    failing_since: Utc
    is_failing: bool
    code: str = ""
    detail: str = ""


class MessageDelivered(Event, tag="notification.message_delivered.v1", frozen=True):
    """A message reached a person's inbox."""

    message_id: UUID
    user_id: UUID
    kind: str
