"""A broker is connected in four steps, its key replaced, trading disabled: in a real browser, at a made-up venue."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Route, expect

from alphintra.cli.client import wait_for
from browser.conftest import OpenPage
from fixtures.paper import open_paper_account
from fixtures.platform import Person, Platform
from fixtures.venue.beside import venue_beside
from fixtures.venue.server import KEY_ID, SECRET

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def venue_url() -> Iterator[str]:
    """Give the address of a venue that is like Alpaca, run beside the test."""
    with venue_beside() as venue:
        yield venue.url


@pytest.fixture(scope="module")
def boss(platform: Platform) -> Person:
    return platform.person("owner")


def test_a_paper_account_shows_its_venue_without_key_or_money(open_page: OpenPage, boss: Person) -> None:
    open_paper_account(boss, symbol=f"P{secrets.token_hex(3).upper()}")
    opened = open_page("/connections", person=boss)
    card = opened.page.get_by_role("region", name="Paper")
    expect(card.get_by_text("inside the platform, no key, no money")).to_be_visible()
    assert opened.barriers() == []


def test_a_broker_is_connected_tested_enabled_and_given_a_new_key(
    open_page: OpenPage, boss: Person, venue_url: str
) -> None:
    opened = open_page("/connections", person=boss)
    page, name = opened.page, f"live {secrets.token_hex(3)}"

    def lead_there(route: Route) -> None:
        body = {**json.loads(route.request.post_data or "{}"), "base_url": venue_url}
        route.continue_(post_data=json.dumps(body))

    page.route("**/connection", lambda route: lead_there(route) if route.request.method == "PUT" else route.continue_())
    page.get_by_role("button", name="Connect a broker").click()
    wizard = page.get_by_role("dialog", name="Connect a broker")
    wizard.get_by_label("Name", exact=True).fill(name)
    wizard.get_by_label("The name once more").fill(name)
    wizard.get_by_label("Cash it holds").fill("100000")
    wizard.get_by_role("button", name="Next").click()
    wizard.get_by_label("Key id").fill(KEY_ID)
    save = wizard.get_by_role("button", name="Save key")
    expect(save).to_have_attribute("title", "Secret key first")
    wizard.get_by_label("Secret key").fill(SECRET)
    opened.shoot("connections-key")
    assert opened.barriers() == []
    save.click()
    expect(wizard.get_by_role("status")).to_contain_text("Reading works")
    wizard.get_by_role("button", name="Next").click()
    account = next(one["account_id"] for one in boss.api.get("/accounts")["accounts"] if one["name"] == name)
    states = boss.api.get("/risk/kill-states")["current"]
    assert [one["state"] for one in states if one["account_id"] == account] == ["halted"]
    wizard.get_by_role("button", name="Enable trading").click()
    expect(wizard).to_have_count(0)
    card = page.get_by_role("region", name=name)
    expect(card.get_by_text(f"…{KEY_ID[-4:]} (number 1, write-only)")).to_be_visible()
    expect(card.get_by_text("ms there and back")).to_be_visible()
    expect(card.get_by_text("enabled", exact=True)).to_be_visible()
    expect(page.get_by_text("Venue and books agree.").or_(page.get_by_text("CASH_DIFF")).first).to_be_visible()
    assert SECRET not in page.content()
    opened.shoot("connections")
    assert opened.barriers() == []

    card.get_by_role("button", name="Disable trading").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("overnight")
    page.get_by_role("dialog").get_by_role("button", name="Disable trading").click()
    expect(card.get_by_text("disabled by the kill switch")).to_be_visible()

    card.get_by_role("button", name="New key").click()
    renewal = page.get_by_role("dialog", name="New key for Alpaca")
    renewal.get_by_label("Key id").fill(KEY_ID)
    renewal.get_by_label("Secret key").fill(SECRET)
    renewal.get_by_role("button", name="Save key").click()
    expect(renewal.get_by_role("status")).to_contain_text("Reading works")
    renewal.get_by_role("button", name="Done").click()
    expect(card.get_by_text("(number 2, write-only)")).to_be_visible()
    expect(card.get_by_text("disabled by the kill switch")).to_be_visible()
    assert opened.complaints() == []


def test_the_prices_a_connection_asks_for_are_chosen(open_page: OpenPage, boss: Person, venue_url: str) -> None:
    made = boss.api.post(
        "/accounts", {"name": "watching", "starting_cash": "100000", "mode": "live", "confirm": "watching"}
    )
    path = f"/accounts/{made['account_id']}/connection"
    credentials = {"key_id": KEY_ID, "secret_key": SECRET}
    wait_for("broker", lambda: boss.api.get("/connections"), lambda found: made["account_id"] in str(found))
    boss.api.put(path, {"adapter": "alpaca", "environment": "paper", "credentials": credentials, "base_url": venue_url})
    page = open_page(f"/connections?connection={made['account_id']}", person=boss).page
    page.get_by_label("Watched symbols").fill("AAPL")
    page.get_by_role("button", name="Watch these").click()
    expect(page.get_by_role("cell", name="AAPL")).to_be_visible()


def test_a_viewer_is_told_which_role_connecting_takes(open_page: OpenPage, platform: Platform) -> None:
    opened = open_page("/connections", person=platform.person("viewer"))
    connect = opened.page.get_by_role("button", name="Connect a broker")
    expect(connect).to_be_disabled()
    expect(connect).to_have_attribute("title", "This needs the role owner, operator or trader; yours is viewer")
    expect(opened.page.get_by_text("Always there, without key or money.")).to_be_visible()
    assert opened.complaints() == []
