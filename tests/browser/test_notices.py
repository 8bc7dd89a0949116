"""Notifications in a browser: a mail server and a webhook that really listen, rules, quiet hours, acknowledging."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Locator, Page, expect

from browser.conftest import enter

if TYPE_CHECKING:
    from browser.conftest import OpenPage
    from fixtures.platform import Platform

pytestmark = pytest.mark.browser

WEBHOOK: Final = "https://127.1/hook"


class Taking(BaseHTTPRequestHandler):
    """A webhook that answers well."""

    def do_POST(self) -> None:
        """Take a call."""
        self.rfile.read(int(self.headers["content-length"]))
        self.server.calls.append(dict(self.headers))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library asks for it
        """Say nothing."""


@pytest.fixture
def webhook() -> Iterator[ThreadingHTTPServer]:
    """Give a webhook that listens on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    server.calls = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Mailbox:
    """A mail server's handler that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: ANN401, N802 - theirs
        """Keep a mail."""
        self.mails.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """Give a mail server that listens on this machine, and its port."""
    box = Mailbox()
    with socket.socket() as found:  # the controller calls the port it was given, which 0 is not
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


def add_channel(page: Page, kind: str, name: str, address: str) -> Locator:
    """Fill in the dialog of a new channel and send it; returns the dialog."""
    page.get_by_role("button", name="Add a channel").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(kind, exact=True).click()
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label(re.compile("^(URL|E-mail address)")).fill(address)
    dialog.get_by_role("button", name="Add channel").click()
    return dialog


def test_a_channel_that_leads_inside_is_refused_where_it_is_typed(open_page: OpenPage) -> None:
    page = open_page("/notifications?tab=rules").page
    dialog = add_channel(page, "Webhook", "desk", WEBHOOK)
    expect(dialog.get_by_role("alert")).to_contain_text("URL_FORBIDDEN")
    dialog.get_by_text("E-mail", exact=True).click()
    expect(dialog).to_contain_text("No mail server is set")
    expect(dialog.get_by_role("button", name="Add channel")).to_be_disabled()


def test_messages_leave_by_mail_and_webhook_as_the_rules_say_and_are_acknowledged(
    private_platform: Callable[..., Platform],
    open_page: OpenPage,
    webhook: ThreadingHTTPServer,
    mailbox: tuple[Mailbox, int],
) -> None:
    box, smtp_port = mailbox
    settings = (
        f'smtp_url = "smtp+plain://127.0.0.1:{smtp_port}"\nsmtp_from = "Alphintra <alerts@example.org>"\n'
        'webhook_networks = "127.0.0.0/8"\n'
    )
    platform = private_platform(settings=settings)
    owner = platform.person("owner")
    opened = open_page("/about", base_url=platform.base_url, is_in=False)
    page = opened.page
    enter(page.context, platform.base_url, owner)
    page.goto("/notifications?tab=rules")

    dialog = add_channel(page, "Webhook", "desk", f"http://127.0.0.1:{webhook.server_port}/hook")
    expect(dialog).to_contain_text("whsec_")
    dialog.get_by_role("button", name="Done").click()
    add_channel(page, "E-mail", "mail", "ada@example.org")
    row = page.get_by_role("table", name="Channels").get_by_role("row").filter(has_text="ada@example.org")
    expect(row).to_contain_text("Not confirmed")
    page.get_by_role("tab", name="Delivery log").click()
    deliveries = page.get_by_role("table", name="Deliveries")
    expect(deliveries).to_contain_text("Delivered")
    code = re.search(r"Your code is ([0-9]{8})", box.mails[0])
    assert code is not None
    page.get_by_role("tab", name="Rules and channels").click()
    row.get_by_role("button", name="Enter code").click()
    dialog.get_by_label("Code").fill(code[1])
    dialog.get_by_role("button", name="Confirm address").click()
    expect(row).to_contain_text("Active")

    page.get_by_label("Trading blocked or released by mail").select_option("off")
    opened.shoot("notifications-channels")
    assert opened.barriers() == []
    owner.api.post("/risk/kill", {"scope": "firm", "state": "halted", "reason": "drill"})
    page.get_by_role("tab", name="Inbox").click()
    message = page.get_by_role("listitem").filter(has_text="Trading is halted")
    expect(message).to_be_visible()
    opened.shoot("notifications-inbox")
    message.get_by_role("button", name="Acknowledge").click()
    expect(message).to_contain_text("Acknowledged")
    page.get_by_text("Not acknowledged").click()
    expect(message).to_have_count(0)
    page.get_by_role("tab", name="Delivery log").click()
    expect(deliveries.get_by_role("row").filter(has_text="Trading is halted")).to_have_count(1)
    expect(deliveries.get_by_role("row").filter(has_text="Trading is halted")).to_contain_text("Delivered")
    opened.shoot("notifications-log")
    assert len(webhook.calls) == 1  # type: ignore[attr-defined]
    assert len(box.mails) == 1
    assert opened.barriers() == []


def test_quiet_hours_are_kept_and_muting_ends_when_one_says_so(open_page: OpenPage) -> None:
    page = open_page("/notifications?tab=rules").page
    page.get_by_label("From", exact=True).fill("22:00")
    page.get_by_label("To", exact=True).fill("07:00")
    page.get_by_label("On the clock of").select_option("Europe/Berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="No quiet hours")).to_be_visible()
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(page.get_by_text("Muted until")).to_be_visible()
    page.reload()
    expect(page.get_by_label("From", exact=True)).to_have_value("22:00")
    expect(page.get_by_label("On the clock of")).to_have_value("Europe/Berlin")
    page.get_by_role("button", name="Unmute").click()
    expect(page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    page.get_by_role("button", name="No quiet hours").click()
    expect(page.get_by_label("From", exact=True)).to_have_value("")
