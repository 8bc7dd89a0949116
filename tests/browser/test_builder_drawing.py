"""A strategy is drawn from an empty canvas, by mouse and by keyboard: what is stored is the template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from alphintra.engine.graph import Graph, Node
from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.plan import graph_hash
from alphintra.engine.graph.wire import ParamValue
from browser.bench import RSI, bring_prices, clear, draw, inspector, node, opened, saved_hash, search, state, strategy
from browser.conftest import OpenPage
from fixtures.platform import Person

ZOOM_OUTS: Final = 4
SELECTED: Final = "data-combobox-selected"
ZOOM: Final = 1.2**-ZOOM_OUTS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def prices(owner: Person) -> None:
    """Give the owner bars to preview and to run over."""
    bring_prices(owner)


def own(one: Node) -> Iterator[tuple[str, str, ParamValue | None]]:
    """Yield a node's parameters in the order of the inspector: name, kind, and what is to be entered."""
    definition = node_type(one.type, one.version)
    assert definition is not None
    for spec in definition.params:
        given = one.params.get(spec.name)
        yield spec.name, spec.kind.value, None if given == spec.default else given


def set_by_mouse(page: Page, one: Node) -> None:
    side = inspector(page)
    side.get_by_label("Name of the node").fill(one.id)
    side.get_by_label("Name of the node").press("Enter")
    expect(node(page, one.id)).to_be_visible()
    for name, kind, value in own(one):
        if value is None:
            continue
        field = side.get_by_role("combobox" if kind in {"choice", "flag"} else "textbox", name=name, exact=True)
        if kind in {"choice", "flag"}:
            field.click()
            page.get_by_role("option", name=str(value).lower(), exact=True).click()
        else:
            field.fill(f"{value:g}" if isinstance(value, float) else str(value))


def expose_by_mouse(page: Page, graph: Graph) -> None:
    for name, range_ in graph.exposed.items():
        holder, _, param = name.partition(".")
        node(page, holder).click()
        side = inspector(page)
        side.get_by_role("checkbox", name=f"Search {param}").click()
        for end in ("min", "max", "step"):
            side.get_by_role("textbox", name=f"{end} of {param}").fill(f"{float(getattr(range_, end)):g}")


def name_and_constrain(page: Page, graph: Graph) -> None:
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    side = inspector(page)
    side.get_by_label("Name in the graph").fill(graph.name)
    for line in graph.constraints:
        side.get_by_role("textbox", name="New constraint").fill(line)
        side.get_by_role("textbox", name="New constraint").press("Enter")
    page.keyboard.press("Escape")


def test_the_rsi_template_is_drawn_by_mouse_from_an_empty_canvas(open_page: OpenPage, owner: Person) -> None:
    workflow_id = strategy(owner, "by mouse", is_template=False)
    watched = opened(open_page, workflow_id)
    page = watched.page
    clear(page)
    for _ in range(ZOOM_OUTS):
        page.get_by_role("button", name="Zoom Out").click()
    canvas = page.locator(".react-flow__pane")
    for one in RSI.nodes:
        search(page).fill(one.type)
        left, top = RSI.layout[one.id]
        place = {"x": 60 + (left + 96) * ZOOM, "y": 30 + top * ZOOM}
        button = page.get_by_role("region", name="Nodes to add").get_by_role("button").first
        button.drag_to(canvas, target_position={"x": place["x"], "y": place["y"]})
        set_by_mouse(page, one)
    for edge in RSI.edges:
        draw(page, edge.source, edge.target)
    expect(page.locator(".react-flow__edge")).to_have_count(len(RSI.edges))
    expose_by_mouse(page, RSI)
    name_and_constrain(page, RSI)
    watched.shoot("builder-by-mouse")
    expect(page.get_by_role("tab", name=re.compile("Problems 1 to know"))).to_be_visible()
    page.get_by_role("button", name="Save version").click()
    expect(state(page)).to_have_text("Saved")
    assert saved_hash(owner, workflow_id) == (2, graph_hash(RSI))
    assert watched.complaints() == []


def enter(page: Page, kind: str, value: ParamValue) -> None:
    """Enter a value into the field that has the focus."""
    keys = page.keyboard
    if kind not in {"choice", "flag"}:
        keys.type(f"{value:g}" if isinstance(value, float) else str(value))
        return
    keys.press("Enter")
    option = page.get_by_role("option", name=str(value).lower(), exact=True)
    expect(option).to_be_visible()
    for _ in range(page.get_by_role("option").count()):
        keys.press("ArrowDown")
        if option.get_attribute(SELECTED) == "true":
            break
    keys.press("Enter")


def set_by_keyboard(page: Page, one: Node) -> None:
    """Set name, parameters and inputs, going from one field to the next by Tab alone."""
    keys = page.keyboard
    keys.press("F2")
    expect(inspector(page).get_by_label("Name of the node")).to_be_focused()
    keys.press("Control+a")
    keys.type(one.id)
    keys.press("Enter")
    for _name, kind, value in own(one):
        keys.press("Tab")
        if value is not None:
            enter(page, kind, value)
    definition = node_type(one.type, one.version)
    assert definition is not None
    for port in definition.inputs:
        keys.press("Tab")
        for edge in RSI.edges:
            if edge.target == f"{one.id}.{port.name}":
                keys.type(edge.source)
                keys.press("Enter")
    for name, range_ in RSI.exposed.items():
        holder, _, param = name.partition(".")
        if holder == one.id:
            keys.press("Tab")
            expect(inspector(page).get_by_role("checkbox", name=f"Search {param}")).to_be_focused()
            keys.press("Space")
            for end in ("min", "max", "step"):
                keys.press("Tab")
                keys.press("Control+a")
                keys.type(f"{float(getattr(range_, end)):g}")


def test_the_rsi_template_is_drawn_by_keyboard_from_an_empty_canvas(open_page: OpenPage, owner: Person) -> None:
    workflow_id = strategy(owner, "by keyboard", is_template=False)
    watched = opened(open_page, workflow_id)
    page = watched.page
    clear(page)
    for one in RSI.nodes:
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        expect(search(page)).to_be_focused()
        page.keyboard.press("Control+a")
        page.keyboard.type(one.type)
        page.keyboard.press("Enter")
        set_by_keyboard(page, one)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("F2")
    page.keyboard.press("Control+a")
    page.keyboard.type(RSI.name)
    constraint = inspector(page).get_by_role("textbox", name="New constraint")
    for _ in range(12):
        page.keyboard.press("Tab")
        if constraint.evaluate("field => field === document.activeElement"):
            break
    page.keyboard.type(RSI.constraints[0])
    page.keyboard.press("Enter")
    watched.shoot("builder-by-keyboard")
    expect(page.get_by_role("tab", name=re.compile("Problems 1 to know"))).to_be_visible()
    page.keyboard.press("Control+s")
    expect(state(page)).to_have_text("Saved")
    assert saved_hash(owner, workflow_id) == (2, graph_hash(RSI))
    assert watched.complaints() == []
