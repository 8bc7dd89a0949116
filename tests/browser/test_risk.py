"""Limits, the kill switch and what they refuse, changed by people in a real browser."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from alphintra.cli.client import ApiClient, wait_for
from alphintra.kernel.errors import AlphintraError
from browser.conftest import OpenPage
from fixtures.paper import open_paper_account
from fixtures.platform import Person, Platform

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def boss(platform: Platform) -> Person:
    """Give an owner with an account of their own."""
    return platform.person("owner")


SYMBOL = f"R{secrets.token_hex(3).upper()}"


@pytest.fixture(scope="module")
def account(boss: Person) -> str:
    return open_paper_account(boss, symbol=SYMBOL)


def order(api: ApiClient, account: str, qty: str) -> str:
    """Place an order; return the code it was refused with, empty where it was not."""
    body = {"account_id": account, "symbol": SYMBOL, "side": "buy", "qty": qty, "type": "market"}
    try:
        api.post("/orders", {**body, "client_order_id": secrets.token_hex(8)})
    except AlphintraError as error:
        return error.code
    return ""


def limits_of(api: ApiClient, account: str) -> tuple[int, str, str]:
    found = api.get(f"/accounts/{account}/limits")
    return found["version"], found["order_qty_max"].rstrip("0").rstrip("."), found["reason"]


def say_why(page: Page, reason: str, verb: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=verb, exact=True).click()
    expect(dialog).to_have_count(0)


def test_a_limit_is_changed_with_a_reason_and_refuses_the_next_order(
    open_page: OpenPage, boss: Person, account: str
) -> None:
    opened = open_page(f"/risk?account={account}", person=boss)
    page = opened.page
    expect(page.get_by_role("meter").first).to_be_visible()
    page.get_by_role("button", name="Edit limits").click()
    version, _, _ = limits_of(boss.api, account)
    editor = page.get_by_role("dialog", name=f"Edit limits, version {version}")
    editor.get_by_label("order qty max (R02)").fill("5")
    send = editor.get_by_role("button", name="Set limits")
    expect(send).to_be_disabled()
    expect(send).to_have_attribute("title", "Say why first")
    editor.get_by_label("Reason").fill("smaller while we look")
    opened.shoot("risk-edit-limits")
    assert opened.barriers() == []
    send.click()
    expect(editor).to_have_count(0)
    assert limits_of(boss.api, account) == (version + 1, "5", "smaller while we look")
    assert order(boss.api, account, "6") == "RISK_QTY_MAX"
    page.get_by_role("tab", name="Refused orders").click()
    expect(page.get_by_text("R02 RISK_QTY_MAX")).to_be_visible()
    opened.shoot("risk-refused")

    page.get_by_role("tab", name="Limits", exact=True).click()
    page.get_by_role("button", name="Edit limits").click()
    editor = page.get_by_role("dialog", name=f"Edit limits, version {version + 1}")
    editor.get_by_label("order qty max (R02)").fill("50")
    editor.get_by_label("Reason").fill("looked")
    loosen = editor.get_by_role("button", name="Loosen limits")
    expect(loosen).to_be_disabled()
    editor.get_by_label("Let more pass than before, as marked").check()
    loosen.click()
    expect(editor).to_have_count(0)
    page.get_by_role("tab", name="Proposals and versions").click()
    expect(page.get_by_text("order qty max 5 → 50")).to_be_visible()
    opened.shoot("risk-versions")
    assert opened.complaints() == []


@pytest.fixture
def four_eyes(platform: Platform) -> Iterator[None]:
    """Have limits of orders above two million take two people; undone afterwards."""
    with platform.operator() as api:
        api.put("/risk/shared-limits", {"scope": "firm", "credit_max": None, "four_eyes_above": "2000000"})
        yield
        api.put("/risk/shared-limits", {"scope": "firm", "credit_max": None, "four_eyes_above": None})


@pytest.mark.usefixtures("four_eyes")
def test_wide_limits_take_two_people_who_are_not_the_same(
    open_page: OpenPage, platform: Platform, boss: Person, account: str
) -> None:
    version, _, _ = limits_of(boss.api, account)
    page = open_page(f"/risk?account={account}", person=boss).page
    page.get_by_role("button", name="Edit limits").click()
    editor = page.get_by_role("dialog", name="Edit limits")
    editor.get_by_label("order notional max (R03)").fill("3000000")
    editor.get_by_label("Reason").fill("a larger desk")
    editor.get_by_label("Let more pass than before, as marked").check()
    editor.get_by_role("button", name="Loosen limits").click()
    expect(editor.get_by_role("alert")).to_contain_text("LIMITS_TWO_PEOPLE")
    editor.get_by_role("button", name="Propose to a second person").click()
    expect(editor).to_have_count(0)

    page.get_by_role("tab", name="Proposals and versions").click()
    page.get_by_role("button", name="Approve").click()
    dialog = page.get_by_role("dialog", name="Approve limits")
    expect(dialog.get_by_role("cell", name="order notional max")).to_be_visible()
    dialog.get_by_role("button", name="Approve").click()
    expect(dialog.get_by_role("alert")).to_contain_text("SOD_VIOLATION")
    assert limits_of(boss.api, account)[0] == version

    second = platform.person("owner")
    (waiting,) = boss.api.get(f"/accounts/{account}/limit-proposals", open_only="true")["proposals"]
    second.api.post(f"/risk/limit-proposals/{waiting['proposal_id']}/decision", {"is_approved": True})
    dialog.get_by_role("button", name="Back").click()
    page.reload()
    expect(page.get_by_text("approved by user")).to_be_visible()
    assert limits_of(boss.api, account)[::2] == (version + 1, "a larger desk")


def test_the_kill_switch_engages_refuses_and_releases(open_page: OpenPage, boss: Person, account: str) -> None:
    opened = open_page(f"/risk?tab=kill&account={account}", person=boss)
    page = opened.page
    engage = page.get_by_role("button", name="Engage kill switch")
    expect(engage).to_be_disabled()
    page.get_by_label("Reason").fill("a drill")
    engage.click()
    page.get_by_role("dialog", name="Halted: account Paper").get_by_role("button", name="Engage").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    row = page.get_by_role("row", name="Account Paper")
    halted = row.get_by_role("img", name="State: Halted")
    expect(halted).to_be_visible()
    opened.shoot("risk-kill")
    assert opened.barriers() == []
    assert order(boss.api, account, "1") == "KILL_ACTIVE"
    row.get_by_role("button", name="Release").click()
    say_why(page, "the drill is over", "Release")
    expect(halted).to_have_count(0)
    assert order(boss.api, account, "1") == ""
    expect(page.get_by_role("cell", name="the drill is over")).to_be_visible()
    assert opened.complaints() == []


def test_a_symbol_is_restricted_and_freed(open_page: OpenPage, boss: Person, account: str) -> None:
    opened = open_page(f"/risk?tab=blocks&account={account}", person=boss)
    page, symbol = opened.page, f"Z{secrets.token_hex(3).upper()}"
    page.get_by_role("button", name="Restrict a symbol").click()
    page.get_by_role("textbox", name="Symbol").fill(symbol)
    say_why(page, "news to come", "Restrict")
    expect(page.get_by_role("cell", name=symbol, exact=True)).to_be_visible()
    opened.shoot("risk-blocks")
    assert opened.barriers() == []
    page.get_by_role("row", name=symbol).get_by_role("button", name="Lift").click()
    page.get_by_role("dialog").get_by_role("button", name="Lift").click()
    expect(page.get_by_role("cell", name=symbol, exact=True)).to_have_count(0)


def test_an_alert_is_acknowledged_in_ones_own_name(open_page: OpenPage, boss: Person, account: str) -> None:
    boss.api.post("/risk/kill", {"scope": "account", "account_id": account, "state": "halted", "reason": "to be told"})
    boss.api.post("/risk/release", {"scope": "account", "account_id": account, "reason": "told"})
    wait_for("the alert", lambda: boss.api.get("/risk/alerts"), lambda found: bool(mine(found["alerts"], account)))
    opened = open_page("/risk?tab=alerts", person=boss)
    page = opened.page
    page.get_by_role("button", name="Acknowledge", exact=True).first.click()
    dialog = page.get_by_role("dialog", name="Acknowledge alert")
    dialog.get_by_label("Note").fill("seen")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("cell", name="you, 20").first).to_be_visible()
    opened.shoot("risk-alerts")
    assert opened.barriers() == []


def mine(alerts: list[dict[str, str]], account: str) -> list[dict[str, str]]:
    return [one for one in alerts if one["account_id"] == account]


@pytest.mark.parametrize("tab", ["report", "surveillance"])
def test_the_report_and_surveillance_are_shown_to_an_owner(
    open_page: OpenPage, boss: Person, account: str, tab: str
) -> None:
    opened = open_page(f"/risk?tab={tab}&account={account}", person=boss)
    expect(opened.page.get_by_text("Value at risk" if tab == "report" else "Detectors").first).to_be_visible()
    expect(opened.page.locator("[aria-busy=true]")).to_have_count(0)
    opened.shoot(f"risk-{tab}")
    assert opened.barriers() == []
    assert opened.complaints() == []


def test_whoever_may_not_is_told_which_role_it_takes(open_page: OpenPage, platform: Platform) -> None:
    trader = platform.person("trader")
    account = open_paper_account(trader, symbol=f"T{secrets.token_hex(3).upper()}")
    page = open_page(f"/risk?account={account}", person=trader).page
    edit = page.get_by_role("button", name="Edit limits")
    expect(edit).to_be_disabled()
    expect(edit).to_have_attribute("title", "This needs the role owner or operator; yours is trader")
    viewer = platform.person("viewer")
    opened = open_page("/risk?tab=surveillance", person=viewer)
    expect(opened.page.get_by_text("Cases of surveillance are not shown.")).to_be_visible()
    expect(opened.page.get_by_text("needs the role owner or operator; yours is viewer")).to_be_visible()
    assert opened.complaints() == []
