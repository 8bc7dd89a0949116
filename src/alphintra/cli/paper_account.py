"""The paper account a new trading key begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from alphintra.cli import session
from alphintra.cli.client import ApiClient, wait_for
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["ensure_paper_account"]

_NAME = "Paper"
_STARTING_CASH = "100000"
_ENDED = {"finished", "failed"}


def ensure_paper_account(api: ApiClient, key: Mapping[str, Any]) -> str | None:
    """Return the person's oldest paper account, opened if there is none; None, with a word why, without any prices.

    Args:
        api: of whoever made the key; it looks for a feed, and makes one of the whole catalogue where there is none.
        key: the key just made, as the platform answered it; the account is opened with it, hence by its person.
    """
    with session.by_key(key["key_id"], key["secret"]) as person:
        for account in person.get("/accounts")["accounts"]:
            if account["mode"] == "paper":
                return str(account["account_id"])
        feed_id = _feed_id(api)
        if feed_id is None:
            click.echo("no account was opened: there are no prices yet, see `alphintra data import`", err=True)
            return None
        body = {"name": _NAME, "starting_cash": _STARTING_CASH, "feed_id": feed_id}
        path = f"/accounts/{person.post('/accounts', body)['account_id']}"
        opened = wait_for("the account", lambda: person.get(path), lambda found: found["status"] == "active")
    return str(opened["account_id"])


def _feed_id(api: ApiClient) -> str | None:
    feeds = [feed for feed in api.get("/feeds")["feeds"] if feed["status"] not in _ENDED]
    if feeds:
        return str(feeds[0]["feed_id"])
    symbols = sorted(item["symbol"] for item in api.get("/datasets")["datasets"])
    if not symbols:
        return None
    path = f"/feeds/{api.post('/feeds', {'name': 'Paper: replay of the catalogue', 'symbols': symbols})['feed_id']}"
    made = wait_for("the feed", lambda: api.get(path), lambda found: found["status"] != "preparing")
    if made["status"] == "failed":
        raise AlphintraError("FEED_FAILED", made["error"] or "the feed could not be made", kind=Kind.UNAVAILABLE)
    return str(made["feed_id"])
