"""Backtests, their reports and the bars they rest on, in a real browser on a platform that computes them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from alphintra.cli.client import wait_for
from alphintra.cli.reports import write_report
from browser.conftest import OpenPage
from fixtures.platform import Person

pytestmark = pytest.mark.browser

SYMBOL: Final = "WAVE/USD"
BARS: Final = 5000
GAP_AT: Final = 4000
FRAMES_S: Final = 2.0
COUNT_FRAMES: Final = """
window.__frames = 0;
const count = () => { window.__frames += 1; requestAnimationFrame(count); };
requestAnimationFrame(count);
"""


def prices(symbol: str, days: int) -> bytes:
    """Return a wave of daily bars that lacks three days in the middle."""
    lines = ["symbol,date,open,high,low,close,volume"]
    for number in range(days):
        if GAP_AT <= number < GAP_AT + 3:
            continue
        close = 100 + 30 * math.sin(number / 25) + 8 * math.sin(number / 3.7) + number / 100
        date = (datetime(2010, 1, 1, tzinfo=UTC) + timedelta(days=number)).date()
        lines.append(
            f"{symbol},{date},{close - 1:.2f},{close + 2:.2f},{close - 3:.2f},{close:.2f},{1000 + number % 90}"
        )
    return ("\n".join(lines) + "\n").encode()


def ended(person: Person, path: str) -> dict[str, Any]:
    """Wait for a job and return it."""
    wanted = {"finished", "failed", "canceled"}
    found = wait_for(path, lambda: person.api.get(path), lambda job: job["status"] in wanted, timeout_s=240)
    assert found["status"] == "finished", found
    return dict(found)


@pytest.fixture(scope="module")
def version_id(owner: Person) -> str:
    """Give a strategy of the owner over bars that are there."""
    started = owner.api.upload("/datasets", prices(SYMBOL, BARS), filename="wave.csv", source="made up for a test")
    ended(owner, f"/imports/{started['import_id']}")
    return str(owner.api.post("/workflows", {"name": "Wave rider", "template": "sma_crossover"})["version_id"])


def run(person: Person, version_id: str, **wishes: object) -> dict[str, Any]:
    """Run a backtest and return it finished."""
    started = person.api.post("/backtests", {"version_id": version_id, "symbol": SYMBOL, "fee_bps": "5", **wishes})
    return ended(person, f"/backtests/{started['backtest_id']}")


def settled(page: Page) -> None:
    """Wait until nothing is loading any more."""
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def test_a_template_is_run_read_repeated_and_taken_away(open_page: OpenPage, version_id: str) -> None:
    assert version_id
    opened = open_page("/backtests", width=1600)
    page = opened.page
    page.get_by_role("button", name="New backtest").click()
    drawer = page.get_by_role("dialog", name="New backtest")
    expect(drawer.get_by_role("button", name="Run backtest")).to_be_disabled()
    drawer.get_by_role("combobox", name="Strategy").or_(drawer.get_by_role("textbox", name="Strategy")).first.click()
    page.get_by_role("option", name="Wave rider").click()
    drawer.get_by_placeholder("Choose one or more").click()
    page.get_by_role("option", name=SYMBOL).click()
    page.keyboard.press("Escape")
    drawer.get_by_label("fast.period").fill("12")
    drawer.get_by_role("button", name="Run backtest").click()
    expect(page.get_by_role("heading", level=1, name="Wave rider")).to_be_visible()
    expect(page.get_by_role("tab", name="Assumptions")).to_be_visible()
    expect(page.get_by_role("list", name="Warnings")).to_contain_text("Verdict")
    expect(page.get_by_role("img", name=re.compile("price, equity and drawdown"))).to_be_visible()
    expect(page.get_by_role("table", name="Returns by month, in percent")).to_contain_text("2011")
    settled(page)
    opened.shoot("report")
    assert opened.barriers() == []

    with page.expect_download() as taken:
        page.get_by_role("button", name="Export report").click()
        page.get_by_role("menuitem", name="HTML").click()
    assert "Content-Security-Policy" in Path(taken.value.path()).read_text(encoding="utf-8")

    page.get_by_role("tab", name="Trades").click()
    page.get_by_role("table", name="Trades").get_by_role("row").nth(3).click()
    expect(page).to_have_url(re.compile("trade=[0-9]+"))
    expect(page.get_by_role("region", name="Price and fills")).to_contain_text(re.compile("Trade [0-9]+: "))
    assert opened.barriers() == []

    page.get_by_role("tab", name="Parameters").click()
    row = page.get_by_role("row").filter(has_text="fast").filter(has_text="period")
    expect(row).to_contain_text("12")

    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_role("list", name="Repetition")).to_contain_text("came to the same result")
    assert opened.complaints() == []


def test_runs_are_compared_by_equity_figures_and_what_differs(
    open_page: OpenPage, owner: Person, version_id: str, tmp_path: Path
) -> None:
    runs = [run(owner, version_id, parameters={"fast.period": period}) for period in ("8", "15")]
    for name in ("report.html", "trades.csv", "report.json"):
        write_report(owner.api, runs[0], tmp_path / name)
    assert runs[0]["result_hash"] in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len((tmp_path / "trades.csv").read_text().splitlines()) == 1 + len(runs[0]["result"]["trades"])
    opened = open_page("/backtests", width=1600)
    page = opened.page
    table = page.get_by_role("table", name="Backtests")
    for one in runs:
        total = f"{one['metrics']['total_return'] * 100:,.2f} %".replace("-", "\u2212")
        table.get_by_role("row").filter(has_text=total).get_by_role("checkbox").first.check()
    figures = page.get_by_role("table", name="Figures of the compared runs")
    expect(figures.get_by_role("row").filter(has_text="fast.period")).to_contain_text("8")
    expect(figures.get_by_role("row").filter(has_text="fast.period")).to_contain_text("15")
    expect(figures.get_by_role("row").filter(has_text="Slippage")).to_have_count(0)
    expect(page).to_have_url(re.compile("compare="))
    settled(page)
    opened.shoot("compared")
    assert opened.barriers() == []
    assert opened.complaints() == []


def test_a_cell_of_a_search_opens_the_run_it_stands_for(open_page: OpenPage, owner: Person, version_id: str) -> None:
    ranges = [("fast.period", "5", "15"), ("slow.period", "30", "50")]
    body = {
        "version_id": version_id,
        "symbol": SYMBOL,
        "start": "2022-06-01T00:00:00Z",
        "parameters": [{"name": name, "min": least, "max": most, "step": "10"} for name, least, most in ranges],
    }
    sweep_id = owner.api.post("/sweeps", body)["sweep_id"]
    ended(owner, f"/sweeps/{sweep_id}")
    trials = owner.api.get(f"/sweeps/{sweep_id}/trials")["trials"]
    best = trials[0]
    opened = open_page(f"/backtests?tab=sweeps&sweep={sweep_id}", width=1600)
    page = opened.page
    scores = page.get_by_role("table", name="Scores by fast.period and slow.period")
    expect(scores.get_by_role("button")).to_have_count(6)
    settled(page)
    opened.shoot("sweep")
    assert opened.barriers() == []
    scores.get_by_role("button", name=f"{best['score']:.2f}".replace("-", "\u2212")).first.click()
    expect(page.get_by_role("tab", name="Assumptions")).to_be_visible()
    page.get_by_role("tab", name="Assumptions").click()
    expect(page.get_by_role("region", name="What to know before trusting this")).to_contain_text(best["result_hash"])
    assert opened.complaints() == []


def test_bars_are_drawn_checked_and_a_gap_is_shown(open_page: OpenPage, version_id: str) -> None:
    assert version_id
    opened = open_page(f"/markets?symbol={SYMBOL}", scheme="light")
    page = opened.page
    coverage = page.get_by_role("region", name="Coverage")
    expect(coverage).to_contain_text("Gaps")
    coverage.get_by_role("button", name="Show the gap after").click()
    expect(page).to_have_url(re.compile("gap="))
    coverage.get_by_role("button", name="Check content").click()
    expect(coverage).to_contain_text("as it was imported")
    page.get_by_role("button", name="View as table").click()
    expect(page.get_by_role("table", name=re.compile("price and volume"))).to_contain_text("Close")
    opened.shoot("markets-table")
    assert opened.barriers() == []
    assert opened.complaints() == []


def test_a_file_is_imported_and_stands_in_the_watch_list(open_page: OpenPage, tmp_path: Path) -> None:
    file = tmp_path / "two.csv"
    file.write_bytes(prices("TWO/USD", 30))
    opened = open_page("/markets")
    page = opened.page
    page.get_by_role("button", name="Add bars").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("dialog").get_by_role("button", name=re.compile("^File|Choose a file")).first.click()
    chooser.value.set_files(file)
    opened.shoot("add-bars")
    assert opened.barriers() == []
    page.get_by_role("button", name="Import file").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("Imported: 1 symbol")
    page.keyboard.press("Escape")
    expect(page.get_by_role("table", name="Symbols")).to_contain_text("TWO/USD")
    assert opened.complaints() == []


def test_five_thousand_bars_are_drawn_while_they_are_dragged(
    open_page: OpenPage, version_id: str, record_property: Callable[[str, object], None]
) -> None:
    assert version_id
    page = open_page(f"/markets?symbol={SYMBOL}", width=1600).page
    box = page.get_by_role("img", name=re.compile("price and volume"))
    expect(box.locator("canvas").first).to_be_visible()
    settled(page)
    place = box.bounding_box()
    assert place is not None
    middle = place["y"] + place["height"] / 3
    page.mouse.move(place["x"] + 300, middle)
    page.mouse.down()
    page.evaluate(COUNT_FRAMES)
    began, moved = time.perf_counter(), 0
    while time.perf_counter() - began < FRAMES_S:
        moved += 1
        page.mouse.move(place["x"] + 300 + moved % 200, middle)
    rate = page.evaluate("window.__frames") / (time.perf_counter() - began)
    page.mouse.up()
    record_property("frames_per_second", round(rate, 1))
    print(f"{BARS - 3} bars dragged: {rate:.1f} frames per second")  # noqa: T201 - what is measured is told
    assert moved > 1
