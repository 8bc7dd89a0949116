"""Strategies: a template becomes one's own, trades on paper, and says why it did."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from alphintra.cli.client import wait_for
from browser.bench import SYMBOL, bring_prices
from browser.conftest import OpenPage
from fixtures.platform import Person

pytestmark = pytest.mark.browser

NAME = "SMA crossover"
ACCOUNT = "strategies in the browser"
BARS = 120


def bring_account(owner: Person) -> str:
    """Give the owner a paper account on a feed of made-up prices that waits, and return the feed."""
    bring_prices(owner)
    feed: str = owner.api.post("/feeds", {"name": "waves", "symbols": [SYMBOL], "interval_ms": 0})["feed_id"]
    wait_for("the feed", lambda: owner.api.get(f"/feeds/{feed}"), lambda found: found["status"] != "preparing")
    opened = owner.api.post("/accounts", {"name": ACCOUNT, "starting_cash": "50000", "feed_id": feed})
    path = f"/accounts/{opened['account_id']}"
    wait_for("the account", lambda: owner.api.get(path), lambda found: found["status"] == "active")
    return feed


def test_a_template_is_taken_trades_on_paper_and_says_why(open_page: OpenPage, owner: Person) -> None:
    feed = bring_account(owner)
    watched = open_page("/strategies", width=1600)
    page = watched.page
    page.get_by_role("listitem", name=NAME, exact=True).get_by_role("button", name="Open as mine").click()
    expect(page.get_by_role("heading", level=1, name=NAME)).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Strategies").click()

    page.get_by_role("button", name=f"What to do with {NAME}").first.click()
    page.get_by_role("menuitem", name="Start on paper").click()
    dialog = page.get_by_role("dialog", name=re.compile("on paper"))
    dialog.get_by_role("combobox", name="Paper account").click()
    page.locator("[data-combobox-option]").filter(has_text=ACCOUNT).click()
    expect(dialog.get_by_role("button", name="Start on paper")).to_be_disabled()
    dialog.get_by_role("combobox", name="Symbols").click()
    page.get_by_role("option", name=SYMBOL).click()
    dialog.get_by_label("Capital").fill("10000")
    dialog.get_by_role("button", name="Start on paper").click()
    expect(dialog).to_have_count(0)

    row = page.get_by_role("row").filter(has_text=re.compile(rf"{NAME}.* v1")).filter(has_text="active").first
    expect(row).to_be_visible()
    owner.api.post(f"/feeds/{feed}/resume", {"interval_ms": 0, "pause_at": BARS})
    row.click()
    page.get_by_text("With an order").click()
    why = page.get_by_role("button", name=re.compile("Why at")).first
    expect(why).to_be_visible(timeout=30_000)
    why.click()
    expect(page.get_by_role("region", name="Why")).to_contain_text("An order was asked for")
    watched.shoot("strategies-why")
    assert watched.barriers() == []

    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("row").filter(has_text=NAME).filter(has_text="stopped").first).to_be_visible()
    assert watched.complaints() == []
