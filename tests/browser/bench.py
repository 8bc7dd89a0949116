"""What tests of the builder share: a strategy that is open, its parts, and drawing a wire."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from playwright.sync_api import Locator, Page, expect

from alphintra.cli.client import wait_for
from alphintra.engine.templates import GALLERY
from browser.conftest import OpenPage, Watched
from fixtures.platform import Person

RSI: Final = GALLERY["rsi_reversion"].graph
SYMBOL: Final = "WAVE"
BARS: Final = 400


def bring_prices(owner: Person) -> None:
    """Give the owner bars to preview and to run over."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    rows = ["Date,Open,High,Low,Close,Volume"]
    for place in range(BARS):
        close = 100 + 20 * math.sin(place / 9) + place / 50
        day = f"{first + timedelta(days=place):%Y-%m-%d}"
        rows.append(f"{day},{close:.2f},{close + 1:.2f},{close - 1:.2f},{close:.2f},1000")
    upload = owner.api.upload(
        "/datasets", "\n".join(rows).encode(), filename="wave.csv", source="made up", symbol=SYMBOL
    )
    path = f"/imports/{upload['import_id']}"
    done = wait_for("the bars", lambda: owner.api.get(path), lambda found: found["status"] in {"finished", "failed"})
    assert done["status"] == "finished", done


def strategy(owner: Person, name: str, *, is_template: bool = True) -> str:
    """Store a strategy and return its id: the template's graph, or bars and a plot."""
    body: dict[str, Any] = {"name": f"{name} {len(owner.api.get('/workflows')['workflows'])}"}
    if is_template:
        body["template"] = "rsi_reversion"
    else:
        nodes = [{"id": "bars", "type": "Bars"}, {"id": "plot_close", "type": "Plot", "params": {"pane": "price"}}]
        edges = [{"from": "bars.close", "to": "plot_close.value"}]
        body["graph"] = {"schema": 1, "name": name, "timeframe": "1d", "nodes": nodes, "edges": edges}
    found: str = owner.api.post("/workflows", body)["workflow_id"]
    return found


def opened(open_page: OpenPage, workflow_id: str, **wishes: Any) -> Watched:  # noqa: ANN401 - of open_page
    watched = open_page(f"/strategies/{workflow_id}?symbol={SYMBOL}", width=1600, **wishes)
    expect(watched.page.get_by_role("status").filter(has_text=re.compile("Saved|Unsaved"))).to_be_visible()
    return watched


def state(page: Page) -> Locator:
    return page.locator(".builder-state")


def node(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=re.compile(rf"^{name}, "))


def inspector(page: Page) -> Locator:
    return page.get_by_role("region", name="Inspector")


def search(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Search nodes")


def clear(page: Page) -> None:
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(page.locator(".react-flow__node")).to_have_count(0)


def handle(page: Page, end: str) -> Locator:
    name, _, port = end.partition(".")
    return page.locator(f'.react-flow__handle[data-nodeid="{name}"][data-handleid="{port}"]')


def middle(of: Locator) -> tuple[float, float]:
    box = of.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def draw(page: Page, source: str, target: str) -> None:
    """Draw a wire by mouse."""
    page.mouse.move(*middle(handle(page, source)))
    page.mouse.down()
    page.mouse.move(*middle(handle(page, target)), steps=3)
    page.mouse.up()


def saved_hash(owner: Person, workflow_id: str) -> tuple[int, str]:
    found = owner.api.get(f"/workflows/{workflow_id}")
    return found["version"], found["graph_hash"]
