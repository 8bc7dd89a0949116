"""Webhooks: signed, at least once under one id, and nothing leads inside."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest

from alphintra.contracts.notification import (
    ListMessages,
    RotateChannelKeys,
    RotateChannelSecret,
    SendTest,
)
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from alphintra.notification.service import sending
from alphintra.runtime.deploy.certificates import new_authority
from fixtures.services import operator_context
from fixtures.single_service import PowerCutError, acting, stop_at
from integration.notification.receivers import (
    ADA,
    BOB,
    KEYS,
    Opening,
    Receiver,
    webhook_server,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.postgres import ServiceDatabase

NEWER = "2:OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEwOTg="
DAY = 86_400


async def test_a_message_reaches_a_webhook_signed_and_once(opening: Opening, receiver: Receiver) -> None:
    desk = await opening()
    added = await desk.add(ADA, "webhook", receiver.url)
    await desk.happen(ADA)
    await desk.happen(BOB)
    assert await desk.sender.send_due() == 1
    assert await desk.sender.send_due() == 0
    (call,) = receiver.calls
    assert call.is_signed_by(added.secret)
    assert not call.is_signed_by("whsec_" + "A" * 43 + "=")
    body = msgspec.json.decode(call.body)
    (message,) = (await desk.events.list_messages(ListMessages(), acting(ADA))).messages
    assert (body["type"], body["data"]["kind"], body["data"]["severity"]) == ("message", "feed_finished", "critical")
    assert body["data"]["message_id"] == str(message.message_id)
    (entry,) = await desk.log(ADA)
    assert (entry.state, entry.attempts, entry.title) == ("delivered", 1, message.title)
    assert call.headers["webhook-id"] == str(entry.sending_id)


async def test_after_a_failure_it_is_tried_again_later_under_the_same_id(opening: Opening, receiver: Receiver) -> None:
    desk = await opening()
    await desk.add(ADA, "webhook", receiver.url)
    receiver.statuses = [503, 500, 204]
    await desk.happen(ADA)
    assert await desk.sender.send_due() == 1
    for wait in (15, 30):  # doubled; chance gives the whole of it
        desk.clock.pass_time(seconds=wait - 1)
        assert await desk.sender.send_due() == 0
        desk.clock.pass_time(seconds=1)
        assert await desk.sender.send_due() == 1
    assert len(receiver.calls) == 3
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len({call.body for call in receiver.calls}) == 1
    (entry,) = await desk.log(ADA)
    assert (entry.state, entry.attempts, entry.code) == ("delivered", 3, "")


@pytest.mark.parametrize(
    ("point", "calls"),
    [("notification.sending_stored", 1), ("notification.sending_called", 2)],
)
async def test_a_crash_loses_nothing_and_a_repetition_is_known_by_its_id(
    opening: Opening, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, point: str, calls: int
) -> None:
    desk = await opening()
    await desk.add(ADA, "webhook", receiver.url)
    await desk.happen(ADA)
    with monkeypatch.context() as crashing:
        stop_at(crashing, sending, point)
        with pytest.raises(PowerCutError):
            await desk.sender.send_due()
    assert await desk.sender.send_due() == 0  # whoever had it may still be calling
    desk.clock.pass_time(seconds=sending.LEASE.total_seconds())
    assert await desk.sender.send_due() == 1
    assert await desk.sender.send_due() == 0
    assert len(receiver.calls) == calls
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert [entry.state for entry in await desk.log(ADA)] == ["delivered"]
    assert (await desk.events.list_messages(ListMessages(), acting(ADA))).unread == 1


async def test_what_is_given_up_is_told_and_a_channel_that_keeps_failing_rests_until_a_test_arrives(
    opening: Opening, receiver: Receiver
) -> None:
    desk = await opening()
    added = await desk.add(ADA, "webhook", receiver.url)
    receiver.statuses = [500]
    for _ in range(3):
        await desk.happen(ADA)
    for _ in range(26):
        while await desk.sender.send_due():
            pass
        desk.clock.pass_time(seconds=3600)
    assert {entry.state for entry in await desk.log(ADA)} == {"given_up"}
    assert {entry.code for entry in await desk.log(ADA)} == {"WEBHOOK_STATUS"}
    told = [
        message
        for message in (await desk.events.list_messages(ListMessages(), acting(ADA))).messages
        if message.kind == "channel_failed"
    ]
    assert any("Nothing more is sent" in message.body for message in told)
    await desk.happen(ADA)
    assert await desk.sender.send_due() == 0  # it rests
    receiver.statuses = [204]
    await desk.channels.send_test(SendTest(channel_id=added.channel.channel_id), acting(ADA))
    assert await desk.sender.send_due() == 1
    await desk.happen(ADA)
    assert await desk.sender.send_due() == 1


async def test_a_receiver_that_is_gone_is_not_called_again(opening: Opening, receiver: Receiver) -> None:
    desk = await opening()
    await desk.add(ADA, "webhook", receiver.url)
    receiver.statuses = [410]
    await desk.happen(ADA)
    await desk.sender.send_due()
    (entry,) = await desk.log(ADA)
    assert (entry.state, entry.attempts) == ("given_up", 1)


async def test_a_redirection_is_not_followed(opening: Opening, receiver: Receiver) -> None:
    desk = await opening()
    async with webhook_server(Receiver()) as inside:
        receiver.statuses, receiver.more = [307], f"location: {inside.url}\r\n"
        await desk.add(ADA, "webhook", receiver.url)
        await desk.happen(ADA)
        await desk.sender.send_due()
        assert inside.calls == []
    (entry,) = await desk.log(ADA)
    assert (entry.state, entry.detail) == ("due", "the webhook answered 307")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fec0::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://192.168.1.1/",
        "https://224.0.0.1/",
        "https://0.0.0.0/",
        "https://8.8.8.8:22/",
        "https://user:password@8.8.8.8/",
        "https://8.8.8.8/#fragment",
        "ftp://8.8.8.8/",
        "https://",
        "not a url",
    ],
)
async def test_a_webhook_that_leads_inside_is_refused(opening: Opening, url: str) -> None:
    desk = await opening(networks="")
    with pytest.raises(AlphintraError) as refused:
        await desk.add(ADA, "webhook", url)
    assert refused.value.code == "URL_FORBIDDEN"


async def test_a_name_that_moves_inside_later_is_not_called(opening: Opening, receiver: Receiver) -> None:
    answers = ["8.8.8.8"]

    async def lookup(_host: str, _port: int) -> list[str]:
        return list(answers)

    desk = await opening(networks="", lookup=lookup)
    await desk.add(ADA, "webhook", "https://hooks.example.org:8443/hook")
    answers[:] = ["8.8.8.8", "127.0.0.1"]
    await desk.happen(ADA)
    await desk.sender.send_due()
    (entry,) = await desk.log(ADA)
    assert (entry.state, entry.code, entry.attempts) == ("given_up", "URL_FORBIDDEN", 1)
    assert receiver.calls == []


async def test_the_address_looked_at_is_the_one_called_and_the_name_is_what_its_certificate_is_for(
    opening: Opening, tmp_path: Path
) -> None:
    authority = new_authority("Test", at=SystemClock().now())
    trusted = ssl.create_default_context(cadata=authority.certificate)
    asked = []

    async def lookup(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    for name, is_known in (("hooks.example.org", True), ("other.example.org", False)):
        issued = authority.issue_server(("hooks.example.org",), at=SystemClock().now())
        served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        (tmp_path / "crt").write_text(issued.certificate)
        (tmp_path / "key").write_text(issued.key)
        served.load_cert_chain(tmp_path / "crt", tmp_path / "key")
        receiver = Receiver()
        async with webhook_server(receiver, tls=served):
            desk = await opening(tls=trusted, lookup=lookup)
            added = await desk.add(ADA, "webhook", f"https://{name}:{receiver.port}/hook", name=name)
            await desk.channels.send_test(SendTest(channel_id=added.channel.channel_id), acting(ADA))
            await desk.sender.send_due()
        assert [call.headers["host"] for call in receiver.calls] == [f"{name}:{receiver.port}"] * is_known
        assert (await desk.log(ADA))[0].code == ("" if is_known else "WEBHOOK_UNREACHABLE")
    assert set(asked) == {"hooks.example.org", "other.example.org"}


async def test_a_rotated_secret_signs_beside_the_one_before_for_a_day(opening: Opening, receiver: Receiver) -> None:
    desk = await opening()
    added = await desk.add(ADA, "webhook", receiver.url)
    channel_id = added.channel.channel_id
    other = await desk.channels.rotate_channel_secret(RotateChannelSecret(channel_id=channel_id), acting(ADA))
    assert other.secret != added.secret
    for wait, old in ((0, True), (DAY + 1, False)):
        desk.clock.pass_time(seconds=wait)
        await desk.happen(ADA)
        await desk.sender.send_due()
        call = receiver.calls.pop()
        assert (call.is_signed_by(other.secret), call.is_signed_by(added.secret)) == (True, old)


async def test_secrets_are_stored_encrypted_and_open_after_their_keys_were_rotated(
    opening: Opening, receiver: Receiver, database: ServiceDatabase
) -> None:
    desk = await opening()
    added = await desk.add(ADA, "webhook", receiver.url)
    connection = await asyncpg.connect(database.admin_dsn)
    try:
        await connection.execute("set search_path to notification_schema")
        (stored,) = await connection.fetch("select wrapped_key, ciphertext from channel_secrets")
        for table in ("channel_secrets", "channels", "audit_events", "event_log", "sendings"):
            rows = await connection.fetch(f"select t::text as line from {table} as t")  # noqa: S608 - named above
            assert not any(added.secret in row["line"] for row in rows)
    finally:
        await connection.close()
    assert added.secret.encode() not in stored["wrapped_key"] + stored["ciphertext"]
    desk.keys = f"{NEWER},{KEYS}"
    assert (await desk.channels.rotate_channel_keys(RotateChannelKeys(), operator_context())).rewrapped == 1
    desk.keys = NEWER
    await desk.happen(ADA)
    await desk.sender.send_due()
    assert receiver.calls[0].is_signed_by(added.secret)
    with pytest.raises(AlphintraError, match="ROLE_REQUIRED"):
        await desk.channels.rotate_channel_keys(RotateChannelKeys(), acting(ADA))
