"""A session that ends under work not yet saved, and a server that answers late: nothing is lost, nothing sent twice."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.sync_api import Route, expect

from browser.bench import inspector, opened, saved_hash, state, strategy
from browser.conftest import OpenPage
from browser.test_orders import fill_ticket, is_live, open_market
from browser.test_sessions import sign_in
from fixtures.platform import Person

pytestmark = pytest.mark.browser

NAME: Final = "Drawn before the session ended"
LATE_MS: Final = 1_500


def test_a_drawing_outlives_the_session_it_was_drawn_in(open_page: OpenPage, owner: Person) -> None:
    workflow_id = strategy(owner, "outlives")
    before = saved_hash(owner, workflow_id)
    watched = opened(open_page, workflow_id)
    page = watched.page
    page.keyboard.press("F2")
    name = inspector(page).get_by_label("Name in the graph")
    expect(name).to_be_focused()
    page.context.clear_cookies()
    name.fill(NAME)
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog).to_be_visible()
    watched.shoot("builder-session-ended")
    assert saved_hash(owner, workflow_id) == before
    sign_in(page, owner.email, owner.password)
    expect(dialog).to_have_count(0)
    expect(name).to_have_value(NAME)
    page.get_by_role("button", name="Save version").click()
    expect(state(page)).to_have_text("Saved")
    version, graph_hash = saved_hash(owner, workflow_id)
    assert (version, graph_hash != before[1]) == (before[0] + 1, True)
    assert page.evaluate("window.__violations") == []


def test_a_slow_server_shows_that_something_is_awaited_and_an_order_is_sent_once(
    open_page: OpenPage, owner: Person
) -> None:
    market = open_market(owner)
    watched = open_page(market.path)
    page = watched.page
    is_live(page)
    expect(page.get_by_text("No order is working.")).to_be_visible()
    held: list[Route] = []
    page.route(
        "**/api/v1/orders", lambda route: held.append(route) if route.request.method == "POST" else route.continue_()
    )
    drawer = fill_ticket(page, market, qty="3", kind="market")
    send = drawer.get_by_role("button", name="Send order")
    expect(send).to_be_enabled()
    send.dblclick()
    expect(send).to_be_disabled()
    drawer.get_by_label("Quantity").press("Enter")
    page.wait_for_timeout(LATE_MS)
    expect(send).to_be_disabled()
    watched.shoot("orders-ticket-awaited")
    assert owner.api.get("/orders", account_id=market.account_id)["orders"] == []
    (only,) = held
    only.continue_()
    expect(drawer).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text=market.symbol)).to_contain_text("Acknowledged")
    assert len(held) == len(owner.api.get("/orders", account_id=market.account_id)["orders"]) == 1
    assert watched.complaints() == []


def test_a_page_whose_figures_come_late_says_so_and_shows_none(open_page: OpenPage, owner: Person) -> None:
    market = open_market(owner)
    watched = open_page("/about")
    page = watched.page
    is_live(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**/api/v1/accounts/{market.account_id}**", hold)
    page.route("**/api/v1/positions**", hold)
    page.goto(f"/portfolio?account={market.account_id}")
    expect(page.locator("[aria-busy=true]").first).to_be_visible()
    page.wait_for_timeout(LATE_MS)
    expect(page.get_by_role("main")).not_to_contain_text("10,000")
    expect(page.get_by_text("Nothing is held.")).to_have_count(0)
    watched.shoot("portfolio-awaited")
    assert held
    while held:
        held.pop().continue_()
    page.unroute_all(behavior="ignoreErrors")
    expect(page.get_by_role("main")).to_contain_text("10,000")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert watched.complaints() == []
