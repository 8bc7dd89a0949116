"""People, their sessions and keys, in a real browser."""

from __future__ import annotations

import secrets
from http import HTTPStatus

import pytest
from playwright.sync_api import expect

from alphintra.cli.client import ApiClient
from alphintra.kernel.errors import AlphintraError
from browser.conftest import OpenPage
from fixtures.platform import Person, Platform

pytestmark = pytest.mark.browser

PASSWORD = "four unrelated made-up words"


def test_somebody_is_registered_disabled_and_enabled_again(open_page: OpenPage, platform: Platform) -> None:
    opened = open_page("/users")
    page, email = opened.page, f"new-{secrets.token_hex(4)}@alphintra.example"
    page.get_by_role("button", name="Register somebody").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("First password").fill(PASSWORD)
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("status").filter(has_text=email)).to_contain_text("registered as trader")
    assert opened.barriers() == []
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    theirs = open_page("/about", is_in=False)
    answer = theirs.page.context.request.post(
        f"{platform.base_url}/api/v1/session",
        data={"email": email, "password": PASSWORD},
        headers={"Origin": platform.base_url, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status == HTTPStatus.OK
    page.get_by_placeholder("Filter").fill(email)
    page.get_by_role("button", name=f"Disable {email}").click()
    dialog = page.get_by_role("dialog", name=f"Disable {email}")
    expect(dialog.get_by_role("button", name="Disable")).to_be_disabled()
    dialog.get_by_label("Reason").fill("has left")
    dialog.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("cell", name="disabled")).to_be_visible()
    opened.shoot("users-disabled")
    again = theirs.page.context.request.get(f"{platform.base_url}/api/v1/session")
    assert again.status == HTTPStatus.UNAUTHORIZED
    page.get_by_role("button", name=f"Enable {email}").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("is back")
    page.get_by_role("dialog").get_by_role("button", name="Enable").click()
    expect(page.get_by_role("cell", name="enabled")).to_be_visible()
    assert opened.barriers() == []
    assert opened.complaints() == []


def test_a_keys_secret_is_shown_once_works_and_dies_when_revoked(
    open_page: OpenPage, platform: Platform, owner: Person
) -> None:
    opened = open_page("/users")
    page, name = opened.page, f"bot {secrets.token_hex(3)}"
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Make key").click()
    expect(dialog.get_by_text("The secret is shown this once.")).to_be_visible()
    secret = dialog.locator("dd").nth(1).inner_text()
    key_id = dialog.locator("dd").nth(0).inner_text()
    opened.shoot("users-key")
    assert opened.barriers() == []
    dialog.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("cell", name=name, exact=True)).to_be_visible()
    assert secret not in page.content()
    headers = {"APCA-API-KEY-ID": key_id, "APCA-API-SECRET-KEY": secret}
    with ApiClient(platform.base_url, headers=headers) as api:
        assert any(one["key_id"] == key_id for one in owner.api.get("/api-keys")["keys"])
        api.get("/accounts")
        page.get_by_role("button", name=f"Revoke {name}").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("row", name=name)).to_contain_text("revoked")
        with pytest.raises(AlphintraError, match="KEY_INVALID"):
            api.get("/accounts")
    assert opened.complaints() == []


def test_a_session_elsewhere_is_ended(open_page: OpenPage, platform: Platform) -> None:
    person = platform.person("trader")
    elsewhere = open_page("/about", person=person).page
    page = open_page("/users", person=person).page
    expect(page.get_by_text("This needs the role owner or operator; yours is trader")).to_be_visible()
    ends = page.get_by_role("button", name="End", exact=True)
    expect(ends).to_have_count(2)  # this window's own has no button; the fixture's is the other
    for _ in range(2):
        ends.first.click()
        page.get_by_role("dialog").get_by_role("button", name="End session").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("this one")).to_be_visible()
    assert elsewhere.context.request.get(f"{platform.base_url}/api/v1/session").status == HTTPStatus.UNAUTHORIZED
