"""Every page, in both themes and two widths: nothing in the console, nothing against the policy, nothing in the way."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.sync_api import expect

from browser.conftest import HEIGHT, OpenPage

pytestmark = pytest.mark.browser

PAGES: Final = {
    "/": "Overview",
    "/strategies": "Strategies",
    "/backtests": "Backtests",
    "/markets": "Markets",
    "/orders": "Orders",
    "/portfolio": "Portfolio",
    "/risk": "Risk",
    "/connections": "Connections",
    "/notifications": "Notifications",
    "/operator": "Operator",
    "/users": "Users",
    "/settings": "Settings",
    "/about": "About",
    "/no/such/page": "There is no such page",
}
SCHEMES: Final = ("dark", "light")
WIDTHS: Final = (1280, 1600)
STOPS_MAX: Final = 12


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_quiet_keeps_the_policy_and_is_accessible(open_page: OpenPage, path: str, scheme: str) -> None:
    opened = open_page(path, scheme=scheme, width=WIDTHS[0])
    expect(opened.page.get_by_role("heading", level=1, name=PAGES[path])).to_be_visible()
    expect(opened.page.get_by_role("contentinfo")).to_contain_text("8 services well")
    for width in WIDTHS:
        opened.page.set_viewport_size({"width": width, "height": HEIGHT})
        expect(opened.page.locator("[aria-busy=true]")).to_have_count(0)
        opened.shoot(f"{path.strip('/').replace('/', '-') or 'overview'}-{scheme}-{width}")
        assert opened.barriers() == []
    assert opened.complaints() == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", ["/login", "/setup", "/setup?token=made-up"])
def test_the_doors_are_quiet_and_accessible_too(open_page: OpenPage, path: str, scheme: str) -> None:
    opened = open_page(path, scheme=scheme, is_in=False)
    expect(opened.page.get_by_role("heading", level=1)).to_be_visible()
    opened.shoot(f"{path.strip('/').partition('?')[0]}-{'form-' if 'token' in path else ''}{scheme}")
    assert opened.barriers() == []
    assert opened.complaints() == []
    assert "made-up" not in opened.page.url


def test_a_planted_style_attribute_and_picture_are_each_found(open_page: OpenPage) -> None:
    """The harness itself: what it is to find, it finds."""
    opened = open_page("/about")
    expect(opened.page.get_by_role("heading", level=1, name="About")).to_be_visible()
    opened.page.evaluate(
        """async () => {
          const style = document.createElement("style");
          style.textContent = "h1 { color: lime }";
          document.head.append(style);
          document.querySelector("h1").innerHTML = '<img src="/favicon.svg"><b style="color: lime">About</b>';
          while (window.__violations.length < 2) await new Promise(requestAnimationFrame);
        }"""
    )
    kinds = {line.split()[0] for line in opened.page.evaluate("window.__violations")}
    assert kinds == {"style-src-elem", "style-src-attr"}
    assert len(opened.complaints()) > len(kinds)  # the console has them too
    assert any(line.startswith("image-alt") for line in opened.barriers())


def test_the_look_is_chosen_applies_at_once_and_is_kept(open_page: OpenPage) -> None:
    page = open_page("/about").page
    root = page.locator("html")
    page.get_by_role("button", name="Look").click()
    page.get_by_role("menuitemradio", name="Red up").click()
    expect(root).to_have_attribute("data-preset", "red-up")
    page.get_by_role("menuitemradio", name="Comfortable").click()
    expect(root).to_have_attribute("data-density", "comfortable")
    page.reload()
    expect(root).to_have_attribute("data-preset", "red-up")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("menuitemradio", name="Red up")).to_have_attribute("aria-checked", "true")


def test_pages_are_reached_by_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page("/no/such/page").page
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the page")).to_be_focused()
    first = page.get_by_role("navigation").get_by_role("link").first
    for _ in range(STOPS_MAX):
        page.keyboard.press("Tab")
        if first.evaluate("link => link === document.activeElement"):
            break
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
