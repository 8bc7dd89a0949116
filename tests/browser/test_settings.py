"""Settings in a browser: profile, look, and a second factor that is then asked for at the door."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Page, expect

from alphintra.infrastructure.system import SystemClock
from browser.conftest import enter

if TYPE_CHECKING:
    from browser.conftest import OpenPage
    from fixtures.platform import Person, Platform

pytestmark = pytest.mark.browser


def app_code(key: str, *, ahead_s: int = 0) -> str:
    """Return what an authenticator app shows, or will."""
    seed = base64.b32decode(key + "=" * (-len(key) % 8))
    app = TOTP(seed, 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303 - RFC 6238's
    return app.generate(int(SystemClock().now().timestamp()) + ahead_s).decode()


def sign_in(page: Page, person: Person, code: str) -> None:
    """Go through the door with a code."""
    page.goto("/login")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label(re.compile("^Password")).fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label(re.compile("^Code of your authenticator app")).fill(code)
    page.get_by_role("button", name="Sign in").click()


def test_profile_and_look_are_kept(open_page: OpenPage) -> None:
    page = open_page("/settings").page
    expect(page.get_by_role("button", name="Save profile")).to_be_disabled()
    page.get_by_label("Name", exact=True).fill("Ada Lovelace")
    page.get_by_label("Time zone").select_option("Europe/London")
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_role("button", name="Save profile")).to_be_disabled()
    page.get_by_label("Theme").select_option("light")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
    page.get_by_label("Colours of direction").select_option("red-up")
    page.get_by_label("Tables").select_option("comfortable")
    expect(page.locator("html")).to_have_attribute("data-density", "comfortable")
    page.reload()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada Lovelace")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/London")
    expect(page.get_by_label("Colours of direction")).to_have_value("red-up")


def test_a_second_factor_is_set_up_and_asked_for_at_the_door(open_page: OpenPage, platform: Platform) -> None:
    person = platform.person("trader")
    opened = open_page("/about", is_in=False)
    page = opened.page
    enter(page.context, platform.base_url, person)
    page.goto("/settings")
    page.get_by_role("button", name="Set up an authenticator app").click()
    key = page.get_by_label("Key of the authenticator app").inner_text()
    page.get_by_label("Code of the app").fill("000000" if app_code(key) != "000000" else "000001")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("alert").filter(has_text="OTP_INVALID")).to_be_visible()
    page.get_by_label("Code of the app").fill(app_code(key))
    page.get_by_role("button", name="Turn on").click()
    shown = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    assert len(set(codes)) == 10
    opened.shoot("settings-recovery-codes")
    assert opened.barriers() == []
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()

    page.get_by_role("button", name="Trader").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    sign_in(page, person, codes[0])
    expect(page.get_by_role("button", name="Trader")).to_be_visible()
    page.goto("/settings")
    expect(page.get_by_text("9 recovery codes are left")).to_be_visible()

    page.get_by_role("button", name="Trader").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    sign_in(page, person, codes[0])  # used up
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.get_by_label(re.compile("^Code of your authenticator app")).fill(app_code(key, ahead_s=30))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Trader")).to_be_visible()

    page.goto("/settings")
    page.get_by_label("Code of the app, or a recovery code").fill(codes[1])
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_role("button", name="Set up an authenticator app")).to_be_visible()
