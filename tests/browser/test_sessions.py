"""Becoming the owner, signing in, a session that ends under an open page, signing out: in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import OpenPage
from fixtures.platform import Person, Platform

pytestmark = pytest.mark.browser

PASSWORD = "four unrelated made-up words"


def fill_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label(re.compile("^Password (?!again)")).fill(password)


def sign_in(page: Page, email: str, password: str) -> None:
    fill_in(page, email, password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.slow
def test_the_one_time_link_makes_the_owner_once(private_platform: Callable[..., Platform], open_page: OpenPage) -> None:
    platform = private_platform()
    with platform.operator() as api:
        token = api.post("/setup/token")["token"]
    link, base_url = f"/setup?token={token}", platform.base_url
    page = open_page(link, base_url=base_url, is_in=False).page
    fill_in(page, "first@alphintra.example", PASSWORD)
    page.get_by_label("Password again").fill(f"{PASSWORD}!")
    expect(page.get_by_role("button", name="Create owner")).to_be_disabled()
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create owner").click()
    expect(page.get_by_role("button", name="Owner")).to_be_visible()
    assert token not in page.evaluate("JSON.stringify([document.cookie, localStorage, sessionStorage, location.href])")

    again = open_page(link, base_url=base_url, is_in=False).page
    fill_in(again, "second@alphintra.example", PASSWORD)
    again.get_by_label("Password again").fill(PASSWORD)
    again.get_by_role("button", name="Create owner").click()
    expect(again.get_by_role("alert")).not_to_be_empty()
    expect(again.get_by_role("heading", level=1, name="Create the owner")).to_be_visible()


def test_signing_in_leads_where_one_wanted_to_go_and_leaves_nothing_scripts_can_read(
    open_page: OpenPage, owner: Person
) -> None:
    page = open_page("/about?tab=1", is_in=False).page
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    sign_in(page, owner.email, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    sign_in(page, owner.email, owner.password)
    expect(page.get_by_role("heading", level=1, name="About")).to_be_visible()
    assert page.evaluate("[document.cookie, Object.keys(sessionStorage).join()]") == ["", ""]
    cookies = page.context.cookies()
    assert cookies
    assert all(one["httpOnly"] and one["sameSite"] == "Strict" for one in cookies)


@pytest.mark.parametrize("next_path", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(open_page: OpenPage, owner: Person, next_path: str) -> None:
    page = open_page(f"/login?next={next_path}", is_in=False).page
    sign_in(page, owner.email, owner.password)
    expect(page.get_by_role("button", name="Owner")).to_be_visible()
    assert "evil" not in page.url


def test_whoever_has_lost_their_session_can_leave_all_the_same(open_page: OpenPage) -> None:
    page = open_page("/about").page
    expect(page.get_by_role("table")).to_be_visible()
    page.context.clear_cookies()
    page.get_by_role("button", name="Owner").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()


def test_a_session_that_ends_asks_over_the_page_and_the_page_goes_on(open_page: OpenPage, owner: Person) -> None:
    opened = open_page("/about")
    page = opened.page
    expect(page.get_by_role("button", name="Owner")).to_be_visible()
    page.evaluate("document.querySelector('h1').dataset.kept = 'yes'")
    page.context.clear_cookies()
    page.evaluate("window.dispatchEvent(new Event('visibilitychange'))")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog).to_be_visible()
    opened.shoot("session-ended")
    assert opened.barriers() == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    sign_in(page, owner.email, owner.password)
    expect(dialog).to_have_count(0)
    expect(page.locator("h1[data-kept=yes]")).to_have_text("About")
    assert page.evaluate("window.__violations") == []


def test_signing_out_ends_the_session_for_a_copied_cookie_too(open_page: OpenPage, platform: Platform) -> None:
    opened = open_page("/about")
    page = opened.page
    expect(page.get_by_role("button", name="Owner")).to_be_visible()
    copied = page.context.cookies()
    page.get_by_role("button", name="Owner").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    assert page.context.cookies() == []
    page.context.add_cookies([{**one} for one in copied])  # type: ignore[typeddict-item] # what was read is written
    for path in ("/api/v1/session", "/api/v1/accounts"):
        assert page.context.request.get(f"{platform.base_url}{path}").status == 401
