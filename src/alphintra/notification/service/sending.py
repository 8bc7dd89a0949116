"""Sends what is due: intent first, then the call, then what came of it.

A process that ends between the call and its mark leaves the sending due again at the end of its lease, under the same
id: a receiver gets it at least once, and knows a repetition by that id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Actor, Context
from alphintra.notification.domain.channels import (
    CODE_LIFE,
    FAILURES_MAX,
    ChannelKind,
    ChannelStatus,
    Failure,
    Purpose,
    SendingState,
    next_attempt,
)
from alphintra.notification.domain.drafts import Severity, channel_failed
from alphintra.notification.domain.schedule import quiet_until
from alphintra.notification.gateways.mail import Letter
from alphintra.notification.gateways.webhooks import Call
from alphintra.notification.service.telling import put_message

if TYPE_CHECKING:
    from alphintra.infrastructure.envelope import Envelopes
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.notification.gateways.mail import Mailer
    from alphintra.notification.gateways.webhooks import Webhooks
    from alphintra.notification.repository.inboxes import Inboxes, InboxesTransaction
    from alphintra.notification.repository.sendings import Due

__all__ = ["Sender", "SenderTools"]

BATCH: Final = 16
LEASE: Final = timedelta(minutes=2)
LOOK_S: Final = 1.0
_CONTEXT: Final = Context(trace_id="0" * 32, actor=Actor(id="service:notification"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderTools:
    """What the sender stands on.

    Attributes:
        inboxes: what notification keeps.
        envelopes: gives what opens secrets, under the keys as they are now.
        mailer: sends mail; None where the operator has set no server.
        webhooks: calls webhooks.
        clock: time of day.
        ids: of messages about what failed.
        chance: from 0 to 1, spreads attempts.
    """

    inboxes: Inboxes
    envelopes: Callable[[], Envelopes]
    mailer: Mailer | None
    webhooks: Webhooks
    clock: Clock
    ids: IdSource
    chance: Callable[[], float]


class Sender:
    """Sends what is due, one at a time by each channel, so that they arrive in order and one that hangs holds none."""

    def __init__(self, tools: SenderTools) -> None:
        self._tools = tools
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look for what is due now; must not block."""
        self._awake.set()

    async def run(self) -> None:
        """Send until cancelled; looks when woken, and every second for what has become due."""
        while True:
            self._awake.clear()  # before looking: whatever is committed from here on wakes once more
            if await self.send_due() == 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._awake.wait()

    async def send_due(self) -> int:
        """Make one attempt each at what is due, at most one by each channel; returns how many were looked at."""
        looked_at, due = await self._claimed()
        fault_point("notification.sending_stored")
        await asyncio.gather(*(self._attempt(each) for each in due))
        return looked_at

    async def _claimed(self) -> tuple[int, Sequence[Due]]:
        at = self._tools.clock.now()
        async with self._tools.inboxes.transaction() as tx:
            found = await tx.sendings.due(limit=BATCH, at=at)
            ready = []
            for each in found:
                until = None
                if each.purpose is Purpose.MESSAGE and each.severity is not Severity.CRITICAL:
                    until = quiet_until(each.schedule, ZoneInfo(each.schedule.time_zone), at)
                if until is None:
                    ready.append(each)
                else:
                    await tx.sendings.defer(each.sending_id, until)
            if ready:
                await tx.sendings.attempt([each.sending_id for each in ready], lease_end=at + LEASE, at=at)
            else:
                await tx.channels.forget_ended_secrets(at=at)
        return len(found), ready

    async def _attempt(self, due: Due) -> None:
        try:
            failure = await self._delivered(due)
        except AlphintraError as error:  # secrets that do not open, a database that is away
            failure = Failure(error.code, error.detail)
        fault_point("notification.sending_called")
        at = self._tools.clock.now()
        async with self._tools.inboxes.transaction() as tx:
            if failure is None:
                if await tx.sendings.end(due.sending_id, SendingState.DELIVERED, None, at=at):
                    await tx.channels.succeed(due.channel_id)
            else:
                await self._failed(tx, due, failure, at=at)
        log = get_logger().bind(sending_id=str(due.sending_id), channel=due.channel_kind, attempt=due.attempts + 1)
        if failure is None:
            log.info("sending.delivered")
        else:
            log.warning("sending.failed", code=failure.code)

    async def _failed(self, tx: InboxesTransaction, due: Due, failure: Failure, *, at: datetime) -> None:
        due_at = next_attempt(
            failure,
            attempts=due.attempts + 1,
            tried_at=due.tried_at or at,
            at=at,
            chance=self._tools.chance(),
        )
        if due.purpose is Purpose.CODE and due_at is not None and due_at > due.created_at + CODE_LIFE:
            due_at = None  # the code would hold no more
        if due_at is not None:
            await tx.sendings.retry(due.sending_id, failure, due_at=due_at)
            return
        if not await tx.sendings.end(due.sending_id, SendingState.GIVEN_UP, failure, at=at):
            return
        if due.purpose is not Purpose.MESSAGE:
            return
        is_resting = await tx.channels.fail(due.channel_id) >= FAILURES_MAX
        if is_resting:
            await tx.channels.turn(due.channel_id, ChannelStatus.RESTING, at=at)
        name = await tx.channels.name_of(due.channel_id)
        draft = channel_failed(due.channel_id, name, detail=failure.detail, is_resting=is_resting, at=at)
        await put_message(tx, draft, (due.user_id,), happened_at=at, context=_CONTEXT, ids=self._tools.ids, at=at)

    async def _delivered(self, due: Due) -> Failure | None:
        secrets = await self._secrets(due)
        if due.channel_kind is ChannelKind.EMAIL:
            if self._tools.mailer is None:
                return Failure("MAIL_NOT_SET", "no mail server is set: the operator sets smtp_url and smtp_from")
            subject, text = _written(due, secrets)
            letter = Letter(
                sending_id=due.sending_id, to=due.address, subject=subject, text=text, at=self._tools.clock.now()
            )
            return await self._tools.mailer.send(letter)
        call = Call(
            sending_id=due.sending_id, url=due.address, body=_body(due), secrets=secrets, at=self._tools.clock.now()
        )
        return await self._tools.webhooks.call(call)

    async def _secrets(self, due: Due) -> tuple[str, ...]:
        if due.channel_kind is ChannelKind.EMAIL and due.purpose is not Purpose.CODE:
            return ()
        envelopes = self._tools.envelopes()
        async with self._tools.inboxes.transaction() as tx:
            found = await tx.channels.secrets(due.channel_id, at=self._tools.clock.now())
        return tuple(envelopes.open(sealed, due.channel_id).decode() for sealed, _ in found)


def _written(due: Due, secrets: Sequence[str]) -> tuple[str, str]:
    """Return subject and text of a mail."""
    if due.purpose is Purpose.CODE:
        code = secrets[0] if secrets else ""
        text = (
            f"Your code is {code}. Enter it under Notifications to have messages of Alphintra sent to this address.\n\n"
            f"It holds for an hour. If you did not ask for it, ignore this mail: nothing more will come.\n"
        )
        return "Confirm this address for Alphintra", text
    if due.purpose is Purpose.TEST:
        return "Test of Alphintra", "This channel works. You asked for this test under Notifications.\n"
    text = (
        f"{due.body}\n\n"
        f"{due.severity.capitalize()} of {due.happened_at:%Y-%m-%d %H:%M:%S} UTC, about {due.subject}.\n\n"
        f"--\nSent by a rule of yours; change it under Notifications.\n"
    )
    prefix = "" if due.severity is Severity.INFO else f"{due.severity.capitalize()}: "
    return prefix + due.title, text


def _body(due: Due) -> bytes:
    """Return what a webhook is sent, the same bytes at every attempt."""
    if due.purpose is Purpose.TEST:
        data: dict[str, object] = {"title": "Test of Alphintra", "body": "This channel works."}
        return msgspec.json.encode({"type": "test", "timestamp": due.created_at, "data": data})
    data = {
        "message_id": due.message_id,
        "kind": due.kind,
        "severity": due.severity,
        "title": due.title,
        "body": due.body,
        "subject": due.subject,
    }
    return msgspec.json.encode({"type": "message", "timestamp": due.happened_at, "data": data})
