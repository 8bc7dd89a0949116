"""Whole ways of people through the interface, on a platform of their own that has the sample prices."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from alphintra.cli.client import wait_for
from browser.conftest import OpenPage
from browser.test_orders import open_market
from fixtures.platform import Person, Platform

pytestmark = pytest.mark.browser

EMAIL: Final = "first@alphintra.example"
PASSWORD: Final = "four unrelated made-up words"
COMING_MS: Final = 60_000


def become_owner(page: Page) -> None:
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label(re.compile("^Password (?!again)")).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create owner").click()


def stop_all(page: Page) -> None:
    page.keyboard.press("Control+Shift+Period")
    dialog = page.get_by_role("dialog", name="Stop all trading")
    button = dialog.get_by_role("button", name="Stop all trading")
    expect(button).to_be_disabled()
    dialog.get_by_label("Type STOP").fill("stop")
    expect(button).to_be_disabled()
    dialog.get_by_label("Type STOP").fill("STOP")
    dialog.get_by_label("Reason").fill("a journey ends")
    button.click()


def change_and_run(page: Page) -> None:
    """Change one parameter of the sample strategy and run it again; both runs have their own result."""
    page.get_by_role("link", name="Change one parameter and run again").click()
    page.locator(".react-flow__node").filter(has_text="EMA").filter(has_text="fast").click()
    page.get_by_label("period", exact=True).fill("12")
    page.get_by_role("button", name="Run", exact=True).click()
    dialog = page.get_by_role("dialog", name="Backtest a new version")
    if "AAPL" not in dialog.inner_text():
        dialog.get_by_label("Symbols").click()
        page.get_by_role("option", name="AAPL").click()
    dialog.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(re.compile("Version 2 over AAPL: net"))).to_be_visible(timeout=COMING_MS)


def trade_on_paper(page: Page) -> None:
    page.get_by_role("link", name="Open", exact=True).first.click()
    expect(page.get_by_role("list", name="Warnings")).to_contain_text("Verdict")
    expect(page.get_by_role("img", name=re.compile("price, equity and drawdown"))).to_be_visible()
    page.get_by_role("button", name="Trade this on paper").click()
    dialog = page.get_by_role("dialog", name="Trade this on paper")
    dialog.get_by_label("Capital").fill("20000")
    dialog.get_by_role("button", name="Start on paper").click()
    expect(dialog.get_by_role("status")).to_contain_text("from the next bar on")
    dialog.get_by_role("button", name="Close").last.click()


def see_an_order_fill(page: Page) -> None:
    """Place an order by hand, and see it fill without asking again."""
    page.get_by_role("navigation").get_by_role("link", name="Orders").click()
    page.get_by_role("button", name="New order").click()
    ticket = page.get_by_role("dialog")
    ticket.get_by_label("Symbol").select_option("MSFT")
    ticket.get_by_label("Type").select_option("market")
    ticket.get_by_label("Quantity").fill("3")
    ticket.get_by_role("button", name="Send order").click()
    expect(page.get_by_label("Order timeline")).to_contain_text("Filled", timeout=COMING_MS)


def test_the_first_minutes_lead_from_the_link_to_trading_and_to_its_end(
    private_platform: Callable[..., Platform], open_page: OpenPage
) -> None:
    platform = private_platform("--sample")
    with platform.operator() as api:
        token = api.post("/setup/token")["token"]
    opened = open_page(f"/setup?token={token}", base_url=platform.base_url, is_in=False)
    page = opened.page
    become_owner(page)
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(page.get_by_role("button", name="Remove sample")).to_be_visible(timeout=COMING_MS)
    expect(page.get_by_text("PAPER", exact=True)).to_be_visible()

    running = page.get_by_role("region", name="Running strategies")
    expect(running).to_contain_text("EMA crossover")
    expect(page.get_by_role("region", name="Last runs")).to_contain_text(re.compile(r"\d %"))
    expect(page.get_by_role("region", name="First steps")).to_contain_text("1 of 4 done")
    expect(page.get_by_role("region", name="Positions").get_by_role("row", name="AAPL")).to_be_visible(
        timeout=COMING_MS
    )
    pnl = page.get_by_text("P&L in all").locator("..").locator(".kpi-value")
    before = pnl.inner_text()
    expect(pnl).not_to_have_text(before)
    opened.shoot("first-minute")
    assert opened.barriers() == []

    change_and_run(page)
    trade_on_paper(page)
    see_an_order_fill(page)

    stop_all(page)
    outcome = page.get_by_role("dialog", name="Trading is stopped")
    expect(outcome).to_contain_text("a journey ends")
    expect(outcome).to_contain_text("None of your orders is at work any more")
    opened.shoot("stopped")
    assert opened.barriers() == []
    outcome.get_by_role("button", name="Close").first.click()
    page.get_by_role("button", name=re.compile("Messages, [1-9]")).click()
    expect(page.get_by_role("menu")).to_contain_text(re.compile("stopped|halted|kill", re.IGNORECASE))
    page.keyboard.press("Escape")

    page.get_by_role("navigation").get_by_role("link", name="Overview").click()
    expect(page.get_by_role("region", name="First steps")).to_have_count(0)
    page.get_by_role("button", name="Remove sample").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove sample").click()
    expect(page.get_by_role("button", name="Remove sample")).to_have_count(0)
    expect(running).to_contain_text("No strategy trades")
    expect(page.get_by_text("PAPER", exact=True)).to_have_count(0)
    assert page.evaluate("window.__violations") == []


def test_the_palette_and_the_keys_lead_everywhere(open_page: OpenPage) -> None:
    opened = open_page("/about")
    page = opened.page
    expect(page.get_by_role("heading", level=1, name="About")).to_be_visible()
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    box.press_sequentially("overv")
    expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_contain_text("Overview")
    assert opened.barriers() == []
    opened.shoot("palette")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(box).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Ctrl Shift .")
    assert opened.barriers() == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    box.press_sequentially("stop")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Stop all trading")).to_be_visible()
    assert opened.barriers() == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert opened.complaints() == []


def test_letters_that_are_written_are_no_keys(open_page: OpenPage) -> None:
    page = open_page("/about").page
    expect(page.get_by_role("heading", level=1, name="About")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search").press_sequentially("go?")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    expect(page.get_by_role("heading", level=1, name="About")).to_be_visible()


def test_whoever_may_only_look_cannot_stop_trading_and_is_told_why(open_page: OpenPage, platform: Platform) -> None:
    page = open_page("/", person=platform.person("viewer")).page
    button = page.get_by_role("button", name="Stop all trading")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", re.compile("viewer"))


def test_a_platform_that_goes_away_is_told_of_and_comes_back(open_page: OpenPage) -> None:
    opened = open_page("/")
    page, context = opened.page, opened.page.context
    expect(page.get_by_role("contentinfo")).to_contain_text("8 services well")
    context.set_offline(True)
    bar = page.get_by_role("status").filter(has_text="nothing can be sent")
    expect(bar).to_be_visible()
    stop = page.get_by_role("button", name="Stop all trading")
    expect(stop).to_be_disabled()
    expect(stop).to_have_attribute("title", "This device is offline")
    opened.shoot("offline")
    context.set_offline(False)
    expect(bar).to_have_count(0)
    expect(stop).to_be_enabled()

    away(context)
    expect(bar).to_contain_text("The platform does not answer", timeout=COMING_MS)
    expect(stop).to_be_disabled()
    context.unroute("**/api/**")
    page.get_by_role("button", name="Try again").click()
    expect(stop).to_be_enabled()
    assert page.evaluate("window.__violations") == []


def away(context: BrowserContext) -> None:
    """Make the platform unreachable for a window: what is asked is cut off, as by a server that is gone."""

    def cut(route: Route) -> None:
        route.abort("connectionrefused")

    context.route("**/api/**", cut)


_BEYOND_THE_SCREEN: Final = """
() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML.slice(0, 120))
"""


def test_a_phone_shows_what_is_looked_at_and_the_stop_button(open_page: OpenPage, owner: Person) -> None:
    open_market(owner)
    opened = open_page("/", width=390)
    page = opened.page
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(page.get_by_role("button", name="Stop all trading")).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link", name="Overview")).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link", name="About")).to_be_hidden()
    expect(page.get_by_role("button", name="Look")).to_be_hidden()
    assert page.evaluate(_BEYOND_THE_SCREEN) == []
    opened.shoot("phone")
    assert opened.barriers() == []
    assert opened.complaints() == []


def test_a_session_outlives_a_restart_of_the_platform(
    private_platform: Callable[..., Platform], open_page: OpenPage
) -> None:
    platform = private_platform()
    owner = platform.person("owner")
    opened = open_page("/", base_url=platform.base_url, person=owner)
    page = opened.page
    expect(page.get_by_role("contentinfo")).to_contain_text("8 services well")
    page.evaluate("document.querySelector('h1').dataset.kept = 'yes'")
    assert platform.run("down").returncode == 0
    page.get_by_role("button", name="Look").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("status").filter(has_text="nothing can be sent")).to_be_visible(timeout=COMING_MS)
    assert platform.run("up", "--detach", "--port", platform.base_url.rpartition(":")[2]).returncode == 0
    with platform.operator() as api:
        wait_for("a healthy platform", lambda: api.get("/health")["status"], lambda found: found == "ok")
    expect(page.get_by_role("contentinfo")).to_contain_text("8 services well", timeout=COMING_MS)
    expect(page.get_by_role("button", name="Stop all trading")).to_be_enabled()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("h1[data-kept=yes]")).to_have_text("Overview")
