"""The Operator page: the access map, a border that was broken by hand, its other tabs, and who may see it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import asyncpg
import pytest
from playwright.sync_api import Page, expect

from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from browser.conftest import OpenPage
from fixtures.platform import Platform

pytestmark = pytest.mark.browser

ROLE: Final = "notification_service_user"
GRANTS: Final = (
    "alphintra_risk",  # membership in the role named as the database lets a role in at the door
    "connect on database alphintra_risk",
    "usage on schema risk_schema",
    "select on risk_schema.limit_sets",
)
TABS: Final = {
    "services": ("Processes", "inspector"),
    "databases": ("Databases", "alphintra_trading"),
    "layouts": ("Layouts", "No assessment is kept in this home"),
    "queues": ("Consumers", "trading"),
    "audit": ("Audit logs", "trading"),
    "migrations": ("Moves", "No service is being moved"),
    "backups": ("Backups", "No place for backups is set"),
    "retention": ("Rules", "event_log"),
    "windows": ("Maintenance windows", "sun 09:00-11:00"),
}


@contextmanager
def broken_border(platform: Platform) -> Iterator[None]:
    """Let notification at the limits of risk, for as long as the block lasts."""

    async def execute(*statements: str) -> None:
        (server,) = provisioned_order(Home.existing(platform.home)).instances
        connection = await asyncpg.connect(server.admin_url, database="alphintra_risk")
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(max_workers=1) as other:  # this thread's loop is the browser's

        def run(*statements: str) -> None:
            other.submit(lambda: asyncio.run(execute(*statements))).result()

        run(*(f"grant {grant} to {ROLE}" for grant in GRANTS))
        try:
            yield
        finally:
            run(*(f"revoke {grant} from {ROLE}" for grant in reversed(GRANTS)))


def probe(page: Page) -> None:
    """Press the button until a probe was let through, and wait for what it finds."""

    def is_found() -> bool:
        with page.expect_response("**/operator/access/probe") as answer:
            page.get_by_role("button", name="Probe now").click()
        return answer.value.ok

    while not is_found():
        page.wait_for_timeout(1000)  # at most one probe in five seconds


def cell(page: Page, user: str, target: str) -> str:
    button = page.get_by_role("button", name=re.compile(f"^{user} at the data of {target}:"))
    return button.inner_text()


def test_a_border_broken_by_hand_is_red_on_every_tab_with_the_servers_own_words(
    open_page: OpenPage, platform: Platform
) -> None:
    opened = open_page("/operator", width=1600)
    page = opened.page
    probe(page)
    expect(page.get_by_text(re.compile("^probed .* ago"))).to_be_visible()
    assert (cell(page, "risk", "risk"), cell(page, "notification", "risk")) == ("●", "○")
    page.get_by_role("button", name="notification at the data of risk: denied").click()
    attempt = page.get_by_role("region", name="notification at the data of risk")
    expect(attempt).to_contain_text("SQLSTATE 28000")
    expect(attempt).to_contain_text(f'no pg_hba.conf entry for host "127.0.0.1", user "{ROLE}"')
    expect(attempt).to_contain_text("None.")
    opened.shoot("operator-sound")
    expect(page.get_by_text("A border between services is broken")).to_have_count(0)
    with broken_border(platform):
        probe(page)
        expect(page.get_by_role("alert")).to_contain_text("notification reaches risk")
        assert cell(page, "notification", "risk") == "!"
        expect(attempt).to_contain_text("read risk_schema")
        expect(attempt).to_contain_text("SELECT on limit_sets")
        opened.shoot("operator-broken")
        assert opened.barriers() == []
        page.get_by_text("Graph", exact=True).click()
        expect(page.get_by_role("group", name="Access graph")).to_be_visible()
        opened.shoot("operator-graph")
        assert opened.barriers() == []
        for name in ("Services", "Backups", "Maintenance"):
            page.get_by_role("tab", name=name, exact=True).click()
            expect(page.get_by_role("alert")).to_contain_text("notification reaches risk")
        page.get_by_role("tab", name="Access map").click()
    probe(page)
    expect(page.get_by_text("A border between services is broken")).to_have_count(0)


def test_each_tab_shows_what_there_is_is_in_the_address_and_accessible(open_page: OpenPage) -> None:
    for tab, (title, text) in TABS.items():
        opened = open_page(f"/operator?tab={tab}")
        region = opened.page.get_by_role("region", name=re.compile(f"^{title}"))
        expect(region.first).to_contain_text(text)
        expect(opened.page.locator("[aria-busy=true]")).to_have_count(0)
        opened.shoot(f"operator-{tab}")
        assert opened.barriers() == [], tab
        assert opened.complaints() == [], tab
        opened.page.context.close()


def test_a_trader_is_told_whose_page_it_is(open_page: OpenPage, platform: Platform) -> None:
    page = open_page("/operator", person=platform.person("trader")).page
    expect(page.get_by_text("for the role owner or operator; yours is trader")).to_be_visible()
    expect(page.get_by_role("tab")).to_have_count(0)
