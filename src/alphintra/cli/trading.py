"""Accounts."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, print_answer, print_fields, print_json, print_table
from alphintra.cli.parameters import AMOUNT, POSITIVE

__all__ = ["COMMANDS"]


@click.group()
def account() -> None:
    """Accounts: paper ones, and live ones that reach a venue."""


@account.command("open")
@click.option("--name", required=True)
@click.option("--cash", type=POSITIVE, default="100000", show_default=True, help="Starting cash.")
@click.option("--feed", help="Feed it trades against, or by whose prices a live one's orders are judged.")
@click.option("--mode", type=click.Choice(["paper", "live"]), default="paper", show_default=True, help="For good.")
@click.option("--confirm", default="", help="The name once more, for a live account.")
@AS_JSON
def open_account(*, name: str, cash: str, feed: str | None, mode: str, confirm: str, as_json: bool) -> int:
    """Open an account; a paper one can trade at once, a live one needs a connection (alphintra connections add)."""
    from alphintra.cli import naming, session
    from alphintra.cli.client import wait_for

    with session.person() as api:
        feed_id = None if feed is None else naming.feed_id(api, feed)
        body = {"name": name, "starting_cash": cash, "feed_id": feed_id, "mode": mode, "confirm": confirm}
        opened = api.post("/accounts", body)
        if mode == "paper":
            path = f"/accounts/{opened['account_id']}"
            opened = wait_for("the account", lambda: api.get(path), lambda found: found["status"] == "active")
    print_answer(
        opened,
        f"opened {opened['name']!r} ({opened['account_id']}) with {amount(opened['cash']):f} {opened['currency']}",
        as_json=as_json,
    )
    return 0


@account.command("list")
@AS_JSON
def list_accounts(*, as_json: bool) -> int:
    """List your accounts."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/accounts")
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["account_id"],
            each["name"],
            each["mode"],
            each["status"],
            amount(each["cash"]),
            each["currency"],
            amount(each["realized_pnl"]),
        )
        for each in found["accounts"]
    ]
    print_table(("account", "name", "mode", "status", "cash", "in", "realised"), rows)
    return 0


@account.command("paper-settings")
@click.argument("account")
@click.option("--preset", type=click.Choice(["frictionless", "realistic", "harsh"]), help="Where to begin.")
@click.option("--slippage-bps", type=AMOUNT, help="Of market orders and stops, 0 to 1000.")
@click.option("--commission-bps", type=AMOUNT, help="Of the amount traded.")
@click.option("--fee-per-share", type=AMOUNT, help="For each unit.")
@click.option("--fee-minimum", type=AMOUNT, help="Least fee of an execution.")
@click.option("--participation", type=POSITIVE, help="Largest share of a bar's volume, at most 1.")
@click.option("--reject-bps", type=AMOUNT, help="How many of ten thousand orders are refused.")
@click.option("--latency-bars", type=click.IntRange(0, 100), help="Bars an order is on its way.")
@AS_JSON
def paper_settings(*, account: str, as_json: bool, **wanted: Any) -> int:  # noqa: ANN401 - click gives what was asked for
    """Show how a paper ACCOUNT is traded and what is not modelled; change what is given."""
    from alphintra.cli import naming, session

    given = {
        name: value if name == "latency_bars" else str(value) for name, value in wanted.items() if value is not None
    }
    with session.person() as api:
        path = f"/accounts/{naming.account_id(api, account)}"
        found = api.put(f"{path}/paper-settings", given) if given else api.get(f"{path}/connection")["paper"]
    if as_json:
        print_json(found)
        return 0
    limits = found["not_modelled"]
    print_fields({name.replace("_", " "): value for name, value in found.items() if name != "not_modelled"})
    click.echo("not modelled:")
    for sentence in limits:
        click.echo(f"  {sentence}")
    return 0


@account.command("show")
@click.argument("account")
@AS_JSON
def show_account(*, account: str, as_json: bool) -> int:
    """Show an ACCOUNT, by id or name.

    Cash, positions, and whether its double entries add up.
    """
    from alphintra.cli import naming, session

    with session.person() as api:
        path = f"/accounts/{naming.account_id(api, account)}"
        found = api.get(path)
        positions = api.get(f"{path}/positions")["positions"]
        ledger_total = api.get(f"{path}/ledger", limit=1)["total"]
    if as_json:
        print_json({"account": found, "positions": positions, "ledger_total": ledger_total})
        return 0
    print_fields(
        {
            "account": found["account_id"],
            "name": found["name"],
            "mode": found["mode"],
            "status": found["status"],
            "feed": found["feed_id"],
            "cash": f"{amount(found['cash']):f} {found['currency']}",
            "started with": amount(found["starting_cash"]),
            "realised profit": amount(found["realized_pnl"]),
            "fees": amount(found["fees"]),
            "sum of ledger": f"{amount(ledger_total):f} (double entry: must be 0)",
        }
    )
    rows = [
        (
            each["symbol"],
            "deployment" if each["book_id"] else "manual",
            amount(each["qty"]),
            amount(each["avg_price"]),
            amount(each["realized_pnl"]),
        )
        for each in positions
    ]
    print_table(("symbol", "book", "quantity", "average price", "realised"), rows)
    return 0


COMMANDS: tuple[click.Command, ...] = (account,)
