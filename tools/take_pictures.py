"""Takes the pictures of the README: `python tools/take_pictures.py URL E-MAIL PASSWORD`.

The platform at that address was started with `alphintra up --sample`, and the person's sample is there: what the
pictures show is what anybody sees who starts it. They go to docs/pictures.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WIDTH: Final = 1280
HEIGHT: Final = 800
SETTLE_MS: Final = 3000
BYTES_MAX: Final = 150_000


def overview(page: Page) -> None:
    """Show how it stands."""
    page.goto("/")
    page.get_by_role("region", name="Positions").get_by_role("row").nth(1).wait_for()


def builder(page: Page) -> None:
    """Show a strategy as blocks."""
    page.goto("/strategies")
    page.get_by_role("link", name="Sample: EMA crossover").first.click()
    page.locator(".react-flow__node").first.wait_for()


def report(page: Page) -> None:
    """Show what a backtest came to."""
    page.goto("/")
    page.get_by_role("region", name="Last runs").get_by_role("link").last.click()
    page.get_by_role("list", name="Warnings").wait_for()


def operator(page: Page) -> None:
    """Show which service reaches which database."""
    page.goto("/operator")
    page.get_by_role("table").first.wait_for()


PICTURES: Final = (overview, builder, report, operator)


def main(arguments: list[str] | None = None) -> int:
    """Take them all; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("url", "email", "password"):
        parser.add_argument(name)
    given = parser.parse_args(arguments)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("There is no Chromium.", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(
            base_url=given.url, viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        entered = context.request.post(
            f"{given.url}/api/v1/session",
            data={"email": given.email, "password": given.password},
            headers={"Origin": given.url, "Sec-Fetch-Site": "same-origin"},
        )
        if not entered.ok:
            print(f"Signing in failed: {entered.text()}", file=sys.stderr)
            return 1
        page = context.new_page()
        for show in PICTURES:
            show(page)
            page.wait_for_timeout(SETTLE_MS)  # charts and prices settle; a picture has no condition to wait for
            path = FOLDER / f"{show.__name__}.png"
            page.screenshot(path=path)
            print(f"{path.name}: {path.stat().st_size:,} of {BYTES_MAX:,} bytes", file=sys.stderr)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
