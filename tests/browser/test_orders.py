"""Orders and Portfolio in a real browser: an order fills before one's eyes, and nothing is shown early."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from alphintra.cli.client import ApiError, wait_for
from alphintra.kernel.errors import AlphintraError
from browser.conftest import WAIT_MS, OpenPage, enter
from fixtures.platform import Person, Platform

pytestmark = pytest.mark.browser

_ON_THE_WAY: Final = {"pending_new", "unknown"}
PRICES: Final = ("10", "10.5", "11", "10.8", "11.2", "11.5", "11.1", "12", "12.4", "12.2")
_ENDED: Final = {"finished", "failed", "canceled"}


@dataclass(slots=True)
class Market:
    """A paper account over a replay that goes on when the test says so."""

    person: Person
    symbol: str
    account_id: str
    feed_id: str

    def step(self) -> None:
        """Let the next bar come once the venue has every order; returns once it is there."""
        wait_for(
            "the orders",
            lambda: self.person.api.get("/orders", account_id=self.account_id)["orders"],
            lambda found: not any(order["status"] in _ON_THE_WAY for order in found),
        )
        now = self.person.api.get(f"/feeds/{self.feed_id}")["seq"]
        self.person.api.post(f"/feeds/{self.feed_id}/resume", {"pause_at": now + 1})
        wait_for(
            "the bar",
            lambda: self.person.api.get(f"/feeds/{self.feed_id}"),
            lambda found: found["seq"] > now and found["status"] != "running",
        )

    def place(self, *, qty: str = "1", limit: str = "5") -> str:
        """Place a limit order that rests; returns its id."""
        body = {
            "account_id": self.account_id,
            "symbol": self.symbol,
            "side": "buy",
            "type": "limit",
            "qty": qty,
            "limit_price": limit,
            "time_in_force": "gtc",
            "client_order_id": f"test-{token_hex(6)}",
        }
        return str(self.person.api.post("/orders", body)["order_id"])

    @property
    def path(self) -> str:
        return f"/orders?account={self.account_id}"


def open_market(person: Person) -> Market:
    """Open an account of 10000 over ten daily bars, of which the first has come."""
    symbol = f"T{token_hex(3).upper()}"
    lines = "".join(f"{symbol},2024-01-{day + 10},{p},{p},{p},{p},1000\n" for day, p in enumerate(PRICES))
    content = f"symbol,date,open,high,low,close,volume\n{lines}".encode()
    started = person.api.upload("/datasets", content, filename="prices.csv", source="made up for a test")
    path = f"/imports/{started['import_id']}"
    wait_for("the import", lambda: person.api.get(path), lambda found: found["status"] in _ENDED)
    feed = person.api.post("/feeds", {"name": f"replay {symbol}", "symbols": [symbol], "interval_ms": 0})
    body = {"name": f"Paper {symbol}", "starting_cash": "10000", "feed_id": feed["feed_id"]}
    account_id = person.api.post("/accounts", body)["account_id"]
    wait_for(
        "the account", lambda: person.api.get(f"/accounts/{account_id}"), lambda found: found["status"] == "active"
    )
    path = f"/feeds/{feed['feed_id']}"
    wait_for("the feed", lambda: person.api.get(path), lambda found: found["status"] == "paused")
    market = Market(person, symbol, str(account_id), str(feed["feed_id"]))
    market.step()
    return market


@pytest.fixture
def market(owner: Person) -> Market:
    return open_market(owner)


def row(page: Page, text: str) -> Locator:
    return page.get_by_role("row").filter(has_text=text)


def fill_ticket(page: Page, market: Market, *, qty: str, kind: str) -> Locator:
    page.get_by_role("button", name="New order").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Symbol").select_option(market.symbol)
    drawer.get_by_label("Type").select_option(kind)
    drawer.get_by_label("Quantity").fill(qty)
    return drawer


def is_live(page: Page) -> None:
    expect(page.get_by_role("contentinfo")).to_contain_text("Live", timeout=WAIT_MS)  # it waits before it comes back


def test_an_order_is_checked_placed_acknowledged_and_fills_without_a_reload(
    open_page: OpenPage, market: Market
) -> None:
    opened = open_page(market.path)
    page = opened.page
    is_live(page)
    expect(page.get_by_text("No order is working.")).to_be_visible()
    page.evaluate("window.__kept = true")
    drawer = fill_ticket(page, market, qty="2000", kind="market")
    expect(drawer.get_by_label("Check by risk")).to_contain_text("RISK_BUYING_POWER")
    expect(drawer.get_by_role("button", name="Send order")).to_be_disabled()
    opened.shoot("orders-ticket-refused")
    drawer.get_by_label("Quantity").fill("20")
    expect(drawer.get_by_label("Check by risk")).to_contain_text("All controls agree")
    opened.shoot("orders-ticket")
    assert opened.barriers() == []
    drawer.get_by_role("button", name="Send order").click()
    expect(drawer).to_have_count(0)
    order = row(page, market.symbol)
    expect(order).to_contain_text("Acknowledged")
    timeline = page.get_by_label("Order timeline")
    for station in ("Ordered by hand", "Approved by risk", "Sent to the venue", "Acknowledged by the venue"):
        expect(timeline).to_contain_text(station)
    expect(timeline).not_to_contain_text("Filled")
    opened.shoot("orders-working")
    assert opened.barriers() == []
    market.step()
    expect(timeline.get_by_role("listitem").filter(has_text="20 at 10.50")).to_be_visible()
    expect(page.get_by_role("tab", name="Working (0)")).to_be_visible()
    page.get_by_role("tab", name="All").click()
    expect(order).to_contain_text("Filled")
    opened.shoot("orders-all")
    page.get_by_role("tab", name="Fills").click()
    expect(order).to_contain_text("10.50")
    assert page.evaluate("window.__kept") is True
    assert opened.complaints() == []


def test_two_tabs_see_each_others_orders_changes_and_cancels(open_page: OpenPage, market: Market) -> None:
    first, second = open_page(market.path).page, open_page(market.path).page
    for page in (first, second):
        is_live(page)
        expect(page.get_by_text("No order is working.")).to_be_visible()
    for _ in range(3):
        market.place()
    for page in (first, second):
        expect(page.get_by_role("tab", name="Working (3)")).to_be_visible()
        expect(row(page, "Acknowledged")).to_have_count(3)
    row(first, market.symbol).first.get_by_role("button", name="Change").click()
    dialog = first.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Change order")).to_be_disabled()
    dialog.get_by_label("Limit price").fill("5.25")
    dialog.get_by_role("button", name="Change order").click()
    expect(dialog).to_have_count(0)
    for page in (first, second):
        expect(row(page, "5.25")).to_contain_text("Acknowledged")
        expect(page.get_by_role("tab", name="Working (3)")).to_be_visible()
    second.get_by_role("button", name="Cancel all (3)").click()
    dialog = second.get_by_role("dialog")
    expect(dialog).to_contain_text("Cancel all 3 working orders")
    dialog.get_by_role("button", name="Cancel orders").click()
    for page in (first, second):
        expect(page.get_by_role("tab", name="Working (0)")).to_be_visible()


def test_a_refused_order_names_the_rule_and_selected_orders_are_canceled(open_page: OpenPage, market: Market) -> None:
    kept, gone = market.place(limit="4"), market.place(limit="3")
    body = {"account_id": market.account_id, "symbol": market.symbol, "side": "buy", "type": "market", "qty": "90000"}
    page = open_page(f"{market.path}&tab=all").page
    is_live(page)
    with pytest.raises(ApiError, match="RISK_BUYING_POWER"):
        market.person.api.post("/orders", {**body, "client_order_id": f"test-{token_hex(6)}"})
    refused = row(page, "Denied by risk")
    expect(refused).to_be_visible()
    expect(refused.locator("code")).to_have_text("RISK_BUYING_POWER")
    refused.click()
    expect(page.get_by_label("Order timeline")).to_contain_text("Refused by risk")
    page.get_by_role("tab", name="Working").click()
    row(page, "3.00").get_by_role("checkbox").check()
    page.get_by_role("button", name="Cancel selected (1)").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel orders").click()
    expect(page.get_by_role("tab", name="Working (1)")).to_be_visible()
    orders = {one: market.person.api.get(f"/orders/{one}")["status"] for one in (kept, gone)}
    assert (orders[kept], orders[gone]) == ("new", "canceled")


def test_what_is_held_moves_with_the_price_is_reduced_and_closed(open_page: OpenPage, market: Market) -> None:
    market.place(qty="100", limit="10.5")
    market.step()
    opened = open_page(f"/portfolio?account={market.account_id}", width=1600)
    page = opened.page
    positions = page.get_by_role("table", name="Positions")
    expect(positions).to_contain_text("1,050.00")
    opened.shoot("portfolio")
    assert opened.barriers() == []
    market.step()
    expect(positions).to_contain_text("1,100.00")
    expect(positions).to_contain_text("+50.00")
    expect(page.get_by_role("table", name="Exposure by asset")).to_contain_text("10.95 %")
    reconcile = page.get_by_role("button", name="Reconcile now")
    expect(reconcile).to_be_disabled()
    expect(reconcile).to_have_attribute(
        "title", "A paper account trades at the platform's own venue: there is nothing to compare."
    )
    positions.get_by_role("button", name="Reduce").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("How many").fill("101")
    expect(dialog.get_by_role("button", name="Reduce position")).to_be_disabled()
    dialog.get_by_label("How many").fill("40")
    dialog.get_by_role("button", name="Reduce position").click()
    expect(dialog).to_have_count(0)
    market.step()
    expect(row(page, market.symbol).first).to_contain_text("60")
    positions.get_by_role("button", name="Close").click()
    page.get_by_role("dialog").get_by_role("button", name="Close position").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    market.step()
    expect(page.get_by_text("Nothing is held.").first).to_be_visible()
    assert opened.complaints() == []


def answers(person: Person) -> bool:
    try:
        person.api.get("/accounts")
    except AlphintraError:
        return False
    return True


def edge_of(platform: Platform) -> int:
    """Return the process that serves the platform's edge, by what listens on its port."""
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        if line.split()[1].endswith(f":{platform.port:04X}") and line.split()[3] == "0A"
    }
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            links = {str(one.readlink()) for one in (folder / "fd").iterdir()}
        except OSError:
            continue
        if links & {f"socket:[{inode}]" for inode in inodes}:
            return int(folder.name)
    pytest.fail("nothing listens on the platform's port")


def test_pages_go_on_by_themselves_after_the_edge_was_killed(
    private_platform: Callable[..., Platform], open_page: OpenPage
) -> None:
    platform = private_platform()
    market = open_market(platform.person("owner"))
    page = open_page("/login", base_url=platform.base_url, is_in=False).page
    enter(page.context, platform.base_url, market.person)
    page.goto(market.path)
    is_live(page)
    expect(page.get_by_text("No order is working.")).to_be_visible()
    page.evaluate("window.__kept = true")
    os.kill(edge_of(platform), signal.SIGKILL)
    expect(page.get_by_role("contentinfo")).to_contain_text("Not live")
    wait_for("the edge", lambda: answers(market.person), bool)
    market.place()
    is_live(page)
    expect(page.get_by_role("tab", name="Working (1)")).to_be_visible()
    market.place()
    expect(page.get_by_role("tab", name="Working (2)")).to_be_visible()
    assert page.evaluate("window.__kept") is True
