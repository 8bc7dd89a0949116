"""The sample of a new person: it comes by itself while it is asked for, trades, and goes away with one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alphintra.cli.client import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.cli.client import ApiClient
    from fixtures.platform import Platform

PARTS = ("feed_id", "account_id", "workflow_id", "version_id", "backtest_id", "deployment_id")


def brought(api: ApiClient) -> dict[str, Any]:
    found: dict[str, Any] = wait_for("the sample", lambda: api.post("/sample"), lambda one: one["state"] == "there")
    return found


def test_the_sample_trades_by_itself_comes_once_and_is_removed(private_platform: Callable[..., Platform]) -> None:
    platform = private_platform("--sample")
    person, other = platform.person("owner"), platform.person()
    api = person.api
    assert api.get("/sample") == {"state": "offered"} | dict.fromkeys(PARTS)
    sample = brought(api)
    assert all(sample[part] for part in PARTS)
    assert brought(api) == sample
    assert [len(api.get(f"/{kind}")[kind]) for kind in ("accounts", "workflows", "backtests", "deployments")] == [1] * 4

    account = f"/accounts/{sample['account_id']}"
    backtest = wait_for(
        "the backtest",
        lambda: api.get(f"/backtests/{sample['backtest_id']}"),
        lambda one: one["status"] in {"finished", "failed"},
    )
    assert backtest["metrics"]["total_return"] != 0
    orders = wait_for(
        "the purchase after the first bars",
        lambda: api.get("/orders", account_id=sample["account_id"])["orders"],
        lambda all_: [one["side"] for one in all_ if one["status"] == "filled"] == ["buy", "sell", "buy"],
    )
    assert {one["symbol"] for one in orders} == {"AAPL"}
    worth = api.get(f"{account}/summary")["equity"]
    wait_for("another worth", lambda: api.get(f"{account}/summary")["equity"], lambda found: found != worth)
    assert api.get(account)["mode"] == "paper"

    assert other.api.get("/sample")["state"] == "offered"
    assert other.api.get("/sample")["account_id"] is None

    removed = api.delete("/sample")
    assert removed == sample | {"state": "removed"}
    assert api.get(f"/deployments/{sample['deployment_id']}")["status"] == "stopped"
    assert api.get(f"/feeds/{sample['feed_id']}")["status"] == "paused"
    assert api.get("/workflows")["workflows"] == []
    assert api.post("/sample")["state"] == "removed"
    assert api.get(f"/feeds/{sample['feed_id']}")["status"] == "paused"


def test_without_sample_prices_there_is_no_sample(private_platform: Callable[..., Platform]) -> None:
    api = private_platform().person("owner").api
    assert api.post("/sample") == {"state": "absent"} | dict.fromkeys(PARTS)
    assert api.get("/accounts")["accounts"] == []
    assert api.get("/workflows")["workflows"] == []
