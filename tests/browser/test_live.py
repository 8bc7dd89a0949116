"""Real money in a real browser, at a made-up venue: it cannot be taken for paper, and an order is seen to its fill."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from alphintra.cli.client import wait_for
from alphintra.infrastructure.system import SystemClock
from browser.conftest import WAIT_MS, OpenPage
from fixtures.platform import Person, Platform
from fixtures.venue.beside import venue_beside
from fixtures.venue.server import KEY_ID, SECRET, SimulatedVenue

pytestmark = pytest.mark.browser

SYMBOL = "AAPL"


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody's live account, whose trading is enabled."""

    person: Person
    account_id: str
    name: str
    venue: SimulatedVenue


@pytest.fixture(scope="module")
def desk(platform: Platform) -> Iterator[Desk]:
    person, name = platform.person("owner"), f"real {secrets.token_hex(3)}"
    with venue_beside(fills=True) as venue:
        cash = format(venue.market.cash, "f")
        body = {"name": name, "starting_cash": cash, "mode": "live", "confirm": name}
        account = str(person.api.post("/accounts", body)["account_id"])
        wait_for("broker", lambda: person.api.get("/connections"), lambda found: account in str(found))
        keys = {"key_id": KEY_ID, "secret_key": SECRET}
        connection = {"adapter": "alpaca", "environment": "paper", "credentials": keys, "base_url": venue.url}
        person.api.put(f"/accounts/{account}/connection", connection)
        venue.market.quote(SYMBOL, "100", at=SystemClock().now(), bid="99.9", ask="100.1")
        person.api.put(f"/accounts/{account}/connection/prices", {"symbols": [SYMBOL]})
        scope = {"scope": "account", "account_id": account, "reason": "looked at"}
        person.api.post("/risk/release", scope)
        yield Desk(person, account, name, venue)
        person.api.post("/risk/kill", {**scope, "state": "halted"})


def test_a_live_account_is_unmistakable_and_an_order_is_seen_to_its_fill(open_page: OpenPage, desk: Desk) -> None:
    opened = open_page(f"/orders?account={desk.account_id}", person=desk.person)
    page = opened.page
    banner = page.get_by_role("banner")
    expect(banner.get_by_text("LIVE", exact=True)).to_be_visible()
    expect(banner.get_by_text("PAPER", exact=True)).to_have_count(0)
    page.get_by_role("button", name="New order").click()
    ticket = page.get_by_role("dialog")
    ticket.get_by_label("Symbol").fill(SYMBOL)
    ticket.get_by_label("Quantity").fill("2")
    ticket.get_by_label("Limit price").fill("100")
    opened.shoot("live-ticket")
    assert opened.barriers() == []
    expect(ticket.get_by_label("Check by risk")).to_contain_text("All controls agree", timeout=WAIT_MS)
    ticket.get_by_role("button", name="Send to the venue").click()
    expect(ticket).to_have_count(0)
    page.get_by_role("tab", name="All").click()
    row = page.get_by_role("row").filter(has_text=SYMBOL)
    expect(row).to_contain_text("Filled", timeout=WAIT_MS)
    row.click()
    opened.shoot("live-order")
    (sent,) = desk.venue.market.rows.values()
    assert (sent.body["symbol"], sent.qty, sent.left) == (SYMBOL, Decimal(2), Decimal(0))
    assert opened.complaints() == []
