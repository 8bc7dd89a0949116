"""The builder: wrong wires are refused, and nothing anybody draws is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.bench import RSI, SYMBOL, bring_prices, draw, inspector, node, opened, saved_hash, search, state, strategy
from browser.conftest import OpenPage
from fixtures.platform import Person

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def prices(owner: Person) -> None:
    """Give the owner bars to preview and to run over."""
    bring_prices(owner)


def test_a_wrong_wire_is_refused_and_the_reason_told(open_page: OpenPage, owner: Person) -> None:
    watched = opened(open_page, strategy(owner, "wires"))
    page = watched.page
    wires = page.locator(".react-flow__edge")
    expect(wires).to_have_count(len(RSI.edges))
    draw(page, "trend.out", "both.in")
    told = page.get_by_role("status").filter(has_text="carries Num")
    expect(told).to_contain_text("trend.out carries Num, both.in takes Bool or Event. Between them fits")
    watched.shoot("builder-refused")
    draw(page, "falls_below.out", "falls_below.a")
    expect(page.locator(".refusal")).to_contain_text("cannot feed itself")
    expect(wires).to_have_count(len(RSI.edges))
    expect(state(page)).to_have_text("Saved")
    node(page, "falls_below").click()
    inspector(page).get_by_role("combobox", name="a", exact=True).click()
    refused = page.get_by_role("option", name=re.compile(r"^above_trend\.out: carries Bool"))
    expect(refused).to_have_attribute("data-combobox-disabled", "true")


def period(page: Page) -> Locator:
    return inspector(page).get_by_role("textbox", name="period", exact=True)


def test_steps_are_taken_back_and_done_again(open_page: OpenPage, owner: Person) -> None:
    page = opened(open_page, strategy(owner, "steps")).page
    node(page, "rsi").click()
    period(page).fill("21")
    period(page).press("Escape")
    node(page, "atr").click()
    page.keyboard.press("Delete")
    expect(node(page, "atr")).to_have_count(0)
    expect(page.get_by_role("tab", name=re.compile("Problems"))).to_contain_text(re.compile(r"[1-9]"))
    page.keyboard.press("Control+z")
    expect(node(page, "atr")).to_be_visible()
    expect(page.locator(".react-flow__edge")).to_have_count(len(RSI.edges))
    page.keyboard.press("Control+z")
    expect(state(page)).to_have_text("Saved")
    page.keyboard.press("Control+Shift+z")
    node(page, "rsi").click()
    expect(period(page)).to_have_value("21")
    page.keyboard.press("Control+y")
    expect(node(page, "atr")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(node(page, "atr")).to_be_visible()


def test_nodes_are_copied_pasted_and_put_into_a_wire(open_page: OpenPage, owner: Person) -> None:
    page = opened(open_page, strategy(owner, "copies")).page
    node(page, "rsi").click()
    node(page, "oversold").click(modifiers=["Control"])
    expect(inspector(page)).to_contain_text("2 nodes")
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    expect(node(page, "rsi_2")).to_be_visible()
    expect(node(page, "oversold_2")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(node(page, "rsi_2")).to_have_count(0)
    page.get_by_role("img", name="bars.close to rsi.in").or_(
        page.locator('[aria-label="bars.close to rsi.in"]')
    ).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Inspector")).to_contain_text("bars.close \u2192 rsi.in")
    search(page).fill("EMA")
    search(page).press("Enter")
    wires = page.locator(".react-flow__edge")
    expect(wires).to_have_count(len(RSI.edges) + 1)
    expect(page.locator('[aria-label="bars.close to ema.in"]')).to_have_count(1)
    expect(page.locator('[aria-label="ema.out to rsi.in"]')).to_have_count(1)


def test_a_problem_leads_to_its_node(open_page: OpenPage, owner: Person) -> None:
    page = opened(open_page, strategy(owner, "problems")).page
    page.locator('[aria-label="atr.out to stop.distance"]').first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    node(page, "rsi").click()
    inspector(page).get_by_role("combobox", name="in", exact=True).click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    inspector(page).locator("button.mantine-InputClearButton-root").first.click()
    problem = page.get_by_role("button", name="rsi.in", exact=True)
    expect(problem).to_be_visible()
    page.locator(".react-flow__pane").click(position={"x": 5, "y": 5})
    problem.click()
    expect(inspector(page).get_by_label("Name of the node")).to_have_value("rsi")
    expect(page.get_by_role("button", name="Save version")).to_have_attribute("aria-disabled", "true")


def test_a_draft_is_kept_opens_again_and_is_asked_about(open_page: OpenPage, owner: Person) -> None:
    workflow_id = strategy(owner, "draft")
    page = opened(open_page, workflow_id).page
    node(page, "rsi").click()
    period(page).fill("9")
    expect(state(page)).to_contain_text("draft kept")
    page.evaluate("window.dispatchEvent(new Event('focus')); document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_load_state("networkidle")
    expect(period(page)).to_have_value("9")
    page.reload()
    expect(state(page)).to_contain_text("Unsaved")
    node(page, "rsi").click()
    expect(period(page)).to_have_value("9")
    page.get_by_role("navigation").get_by_role("link", name="Strategies").click()
    asked = page.get_by_role("dialog", name="Leave without saving a version?")
    expect(asked).to_be_visible()
    asked.get_by_role("button", name="Stay").click()
    expect(asked).to_have_count(0)
    page.get_by_role("navigation").get_by_role("link", name="Strategies").click()
    asked.get_by_role("button", name="Save version and leave").click()
    expect(page.get_by_role("heading", level=1, name="Strategies")).to_be_visible()
    assert saved_hash(owner, workflow_id)[0] == 2


def test_two_windows_on_one_strategy_choose_between_their_drawings(open_page: OpenPage, owner: Person) -> None:
    workflow_id = strategy(owner, "two windows")
    first, second = opened(open_page, workflow_id).page, opened(open_page, workflow_id)
    node(first, "rsi").click()
    period(first).fill("9")
    expect(state(first)).to_contain_text("draft kept")
    node(second.page, "rsi").click()
    period(second.page).fill("20")
    asked = second.page.get_by_role("dialog", name="This strategy was changed in another window")
    expect(asked).to_contain_text("rsi.period is 20, it was 9.")
    second.shoot("builder-conflict")
    assert second.barriers() == []
    asked.get_by_role("button", name="Go on with mine").click()
    expect(state(second.page)).to_contain_text("draft kept")
    expect(period(second.page)).to_have_value("20")

    period(first).fill("10")
    asked = first.get_by_role("dialog", name="This strategy was changed in another window")
    asked.get_by_role("button", name="Take the other window's draft").click()
    expect(period(first)).to_have_value("20")
    second.page.get_by_role("button", name="Save version").click()
    expect(state(second.page)).to_have_text("Saved")
    period(first).fill("11")
    expect(first.get_by_role("dialog")).to_be_visible()
    first.get_by_role("dialog").get_by_role("button", name="Go on with mine").click()
    first.get_by_role("button", name="Save version").click()
    expect(state(first)).to_have_text("Saved")
    assert saved_hash(owner, workflow_id)[0] == 3


def test_a_run_saves_first_and_tells_which_version_ran(open_page: OpenPage, owner: Person) -> None:
    workflow_id = strategy(owner, "runs")
    watched = opened(open_page, workflow_id)
    page = watched.page
    node(page, "rsi").click()
    period(page).fill("8")
    page.get_by_role("button", name="Run", exact=True).click()
    dialog = page.get_by_role("dialog", name="Backtest a new version (2)")
    dialog.get_by_role("button", name="Run", exact=True).click()
    log = page.get_by_role("list", name="Log")
    expect(log).to_contain_text("Saved as version 2.")
    expect(log).to_contain_text(f"Version 2 runs over {SYMBOL}.")
    expect(log).to_contain_text(re.compile(rf"Version 2 over {SYMBOL}: net .*Sharpe .* trades"))
    watched.shoot("builder-run")
    newest = owner.api.get("/backtests")["backtests"][0]
    saved = owner.api.get(f"/workflows/{workflow_id}")
    assert (newest["version_id"], saved["version"]) == (saved["version_id"], 2)
    expect(state(page)).to_have_text("Saved")


@pytest.mark.parametrize("width", [1280, 1600])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_builder_is_quiet_keeps_the_policy_and_is_accessible(
    open_page: OpenPage, owner: Person, scheme: str, width: int
) -> None:
    watched = open_page(f"/strategies/{strategy(owner, 'look')}?symbol={SYMBOL}", scheme=scheme, width=width)
    page = watched.page
    expect(node(page, "rsi")).to_be_visible()
    expect(page.locator(".block-foot .num").first).not_to_be_empty()
    page.get_by_role("tab", name="Preview").click()
    node(page, "rsi").click()
    expect(page.locator(".course-value")).not_to_be_empty()
    watched.shoot(f"builder-{scheme}-{width}")
    assert watched.barriers() == []
    assert watched.complaints() == []
