"""A trader at work on the platform under measurement: prices, accounts, a strategy, a replay."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from alphintra.cli.client import ApiClient, wait_for
from benchmarks.children import MeasureError

__all__ = ["Desk"]

_SAMPLE: Final = "us-stocks-daily-2000-2013.csv.gz"
_START: Final = "2010-01-01T00:00:00Z"
_ENDED: Final = frozenset({"finished", "failed", "canceled"})


class Desk:
    """What one person does over the API to get to what is measured."""

    def __init__(self, api: ApiClient) -> None:
        self.api = api

    def import_prices(self) -> None:
        """Import the shipped daily prices."""
        data = (resources.files("alphintra") / "data" / _SAMPLE).read_bytes()
        started = self.api.upload("/datasets", data, filename=_SAMPLE, source="sample")
        path = f"/imports/{started['import_id']}"
        ended = wait_for("the import", lambda: self.api.get(path), lambda found: found["status"] in _ENDED)
        if ended["status"] != "finished":
            raise MeasureError(f"the import of the sample ended as {ended['status']}")

    def make_workflow(self) -> str:
        """Make the crossover strategy; return its version."""
        body = {"name": f"bench {secrets.token_hex(6)}", "template": "ema_crossover"}
        return str(self.api.post("/workflows", body)["version_id"])

    def make_feed(self) -> Mapping[str, Any]:
        """Make a paused replay of two symbols as fast as it goes."""
        body = {"name": f"bench {secrets.token_hex(6)}", "symbols": ["AAPL", "MSFT"], "start": _START, "interval_ms": 0}
        path = f"/feeds/{self.api.post('/feeds', body)['feed_id']}"
        found: Mapping[str, Any] = wait_for(
            "the feed", lambda: self.api.get(path), lambda feed: feed["status"] != "preparing"
        )
        return found

    def open_account(self, feed_id: str) -> str:
        """Open a paper account and wait until it may trade; return its id."""
        body = {"name": f"bench {secrets.token_hex(6)}", "starting_cash": "1000000", "feed_id": feed_id}
        account_id = str(self.api.post("/accounts", body)["account_id"])
        path = f"/accounts/{account_id}"
        wait_for("the account", lambda: self.api.get(path), lambda found: found["status"] == "active")
        return account_id

    def wait_acknowledged(self, account_id: str, *, timeout_s: float) -> None:
        """Wait until the venue has answered the newest order of an account, and so all before it."""
        wait_for(
            "the acknowledgement of the last order",
            lambda: self.api.get("/orders", account_id=account_id, limit=1)["orders"][0],
            lambda order: order["status"] not in {"pending_new", "unknown"},
            timeout_s=timeout_s,
        )
