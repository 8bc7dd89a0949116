"""What `alphintra up` tells and brings once the platform is ready; runs in a child process, as it needs HTTP."""

from __future__ import annotations

import sys
from importlib import resources

import click

from alphintra.cli.client import ApiClient, wait_for
from alphintra.cli.installation import existing_home
from alphintra.contracts.samples import SAMPLE_SOURCE
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.credentials import operator_token

__all__ = ["SAMPLE_FEED", "bring_sample", "main"]

SAMPLE_FILE = "us-stocks-daily-2000-2013.csv.gz"
SAMPLE_FEED = "Sample: replayed history 2000-2013, no live market"
SAMPLE_INTERVAL_MS = 1000
_ENDED = {"finished", "failed", "canceled"}


def main(arguments: list[str]) -> int:
    """Tell the owner's setup link if there is no owner yet, and bring the sample data if asked to; 1 if that failed."""
    port, with_sample = arguments[0], "--sample" in arguments[1:]
    base_url = f"http://127.0.0.1:{port}"
    try:
        with ApiClient(base_url, operator_token(existing_home())) as api:
            wait_for("a healthy platform", lambda: api.get("/health")["status"], lambda found: found == "ok")
            token = api.post("/setup/token")["token"]
            if token is not None:
                click.echo(f"Become its owner (link works once): {base_url}/setup?token={token}")
            if with_sample:
                bring_sample(api)
    except AlphintraError as error:
        click.echo(f"error {error.code}: {error.detail}", err=True)
        return 1
    return 0


def bring_sample(api: ApiClient) -> None:
    """Import the shipped prices if the catalogue is empty, and start replaying them if there is no feed."""
    datasets = api.get("/datasets")["datasets"]
    if not datasets:
        click.echo("importing sample data: real daily prices of five stocks, 2000-2013", err=True)
        data = (resources.files("alphintra") / "data" / SAMPLE_FILE).read_bytes()
        path = f"/imports/{api.upload('/datasets', data, filename=SAMPLE_FILE, source=SAMPLE_SOURCE)['import_id']}"
        ended = wait_for("the import", lambda: api.get(path), lambda found: found["status"] in _ENDED)
        if ended["status"] != "finished":
            raise AlphintraError(ended["error_code"] or "IMPORT_FAILED", ended["error"] or "the import was stopped")
        datasets = api.get("/datasets")["datasets"]
        api.post("/templates/backtests")
        click.echo("the templates are tried on them: `alphintra strategy templates` shows how they went", err=True)
    if not api.get("/feeds")["feeds"]:
        symbols = sorted(item["symbol"] for item in datasets)
        feed = api.post("/feeds", {"name": SAMPLE_FEED, "symbols": symbols, "interval_ms": SAMPLE_INTERVAL_MS})
        path = f"/feeds/{feed['feed_id']}"
        wait_for("the sample feed", lambda: api.get(path), lambda found: found["status"] != "preparing")
        click.echo(f"made the feed {SAMPLE_FEED!r}; start it with `alphintra feed resume {feed['feed_id']}`", err=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
