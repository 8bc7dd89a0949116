"""Mail: to confirmed addresses alone, encrypted, by a server that is believed."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.notification import (
    ConfirmChannel,
    SendTest,
)
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.deploy.certificates import new_authority
from fixtures.single_service import acting
from integration.notification.receivers import (
    ADA,
    BOB,
    Desk,
    Mailbox,
    Opening,
    mail_server,
)

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from alphintra.contracts.notification import ChannelAdded


async def confirmed(desk: Desk, mailbox: Mailbox, user_id: UUID = ADA) -> ChannelAdded:
    """Add an e-mail address and give the code that arrives there."""
    added = await desk.add(user_id, "email", "ada@example.org", name="mail")
    await desk.sender.send_due()
    code = re.search(r"[0-9]{8}", mailbox.mails.pop().get_content())  # type: ignore[attr-defined]
    assert code is not None
    command = ConfirmChannel(channel_id=added.channel.channel_id, code=code[0])
    assert (await desk.channels.confirm_channel(command, acting(user_id))).status == "active"
    return added


async def test_a_message_reaches_a_confirmed_address(opening: Opening, mailbox: Mailbox) -> None:
    desk = await opening(smtp_url=f"smtp+plain://127.0.0.1:{mailbox.port}")
    await confirmed(desk, mailbox)
    await desk.happen(ADA)
    await desk.sender.send_due()
    (mail,) = mailbox.mails
    (entry, *_) = await desk.log(ADA)
    assert (mail["to"], mail["from"]) == ("ada@example.org", "Alphintra <alerts@example.org>")
    assert mail["subject"] == "Critical: A price feed failed"
    assert mail["message-id"] == f"<{entry.sending_id}@example.org>"
    assert "the file is gone" in mail.get_content()  # type: ignore[attr-defined]


async def test_nothing_but_a_code_reaches_an_address_that_is_not_confirmed(opening: Opening, mailbox: Mailbox) -> None:
    desk = await opening(smtp_url=f"smtp+plain://127.0.0.1:{mailbox.port}")
    added = await desk.add(ADA, "email", "bob@example.org")
    await desk.happen(ADA)
    await desk.sender.send_due()
    await desk.sender.send_due()
    assert [mail["subject"] for mail in mailbox.mails] == ["Confirm this address for Alphintra"]
    command = ConfirmChannel(channel_id=added.channel.channel_id, code="00000000")
    for _ in range(5):
        with pytest.raises(AlphintraError, match="CODE_INVALID"):
            await desk.channels.confirm_channel(command, acting(ADA))
    with pytest.raises(AlphintraError, match="CODE_EXPIRED"):
        await desk.channels.confirm_channel(command, acting(ADA))
    with pytest.raises(AlphintraError, match="CHANNEL_NOT_FOUND"):
        await desk.channels.confirm_channel(command, acting(BOB))


async def test_nobody_can_fill_a_strangers_mailbox_with_codes(opening: Opening, mailbox: Mailbox) -> None:
    desk = await opening(smtp_url=f"smtp+plain://127.0.0.1:{mailbox.port}")
    added = await desk.add(ADA, "email", "bob@example.org")
    again = SendTest(channel_id=added.channel.channel_id)
    for _ in range(19):
        await desk.channels.send_test(again, acting(ADA))
    with pytest.raises(AlphintraError, match="CHANNEL_THROTTLED"):
        await desk.channels.send_test(again, acting(ADA))
    desk.clock.pass_time(seconds=3601)
    await desk.channels.send_test(again, acting(ADA))


async def test_an_address_the_server_refuses_is_given_up_and_a_server_that_is_busy_is_asked_again(
    opening: Opening, mailbox: Mailbox
) -> None:
    desk = await opening(smtp_url=f"smtp+plain://127.0.0.1:{mailbox.port}")
    await confirmed(desk, mailbox)
    for answer, state in (("451 later", "due"), ("550 no such user", "given_up")):
        mailbox.answer = answer
        await desk.happen(ADA)
        await desk.sender.send_due()
        entry = (await desk.log(ADA))[0]
        assert (entry.state, entry.code) == (state, "MAIL_REFUSED")
        assert answer.split(" ", 1)[1] in entry.detail


async def test_a_server_without_encryption_is_told_nothing(opening: Opening, mailbox: Mailbox) -> None:
    desk = await opening(smtp_url=f"smtp://user:canary-secret@127.0.0.1:{mailbox.port}")
    await desk.add(ADA, "email", "ada@example.org")
    await desk.sender.send_due()
    assert mailbox.mails == []
    (entry,) = await desk.log(ADA)
    assert (entry.state, entry.code) == ("due", "MAIL_INSECURE")
    assert "canary" not in entry.detail


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_mail_goes_encrypted_to_a_server_whose_certificate_is_believed(
    opening: Opening, tmp_path: Path, *, is_trusted: bool
) -> None:
    authority = new_authority("Test", at=SystemClock().now())
    issued = authority.issue_server(("localhost",), at=SystemClock().now())
    (tmp_path / "crt").write_text(issued.certificate)
    (tmp_path / "key").write_text(issued.key)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    trusted = ssl.create_default_context(cadata=authority.certificate if is_trusted else None)
    async with mail_server(Mailbox(password="canary-secret"), tls=served) as mailbox:
        desk = await opening(smtp_url=f"smtp://user:canary-secret@localhost:{mailbox.port}", tls=trusted)
        await desk.add(ADA, "email", "ada@example.org")
        await desk.sender.send_due()
        (entry,) = await desk.log(ADA)
        if is_trusted:
            assert (entry.state, len(mailbox.mails)) == ("delivered", 1), entry.detail
        else:
            assert (entry.state, entry.code, mailbox.mails) == ("due", "MAIL_INSECURE", [])


async def test_without_a_mail_server_an_address_cannot_be_added(opening: Opening) -> None:
    desk = await opening()
    with pytest.raises(AlphintraError, match="MAIL_NOT_SET"):
        await desk.add(ADA, "email", "ada@example.org")
