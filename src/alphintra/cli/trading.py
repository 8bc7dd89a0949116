"""Accounts."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import click

from alphintra.cli.output import AS_JSON, amount, print_fields, print_json, print_table
from alphintra.cli.parameters import POSITIVE

__all__ = ["COMMANDS"]


@click.group()
def account() -> None:
    """Paper accounts."""


@account.command("open")
@click.option("--name", required=True)
@click.option("--cash", type=POSITIVE, default="100000", show_default=True, help="Starting cash.")
@click.option("--feed", required=True, help="Feed it trades against, by id or name.")
@AS_JSON
def open_account(*, name: str, cash: str, feed: str, as_json: bool) -> int:
    """Open a paper account and wait until it can trade."""
    from alphintra.cli import naming, session
    from alphintra.cli.client import wait_for

    with session.person() as api:
        body = {"name": name, "starting_cash": cash, "feed_id": naming.feed_id(api, feed)}
        path = f"/accounts/{api.post('/accounts', body)['account_id']}"
        opened = wait_for("the account", lambda: api.get(path), lambda found: found["status"] == "active")
    if as_json:
        print_json(opened)
    else:
        click.echo(
            f"opened {opened['name']!r} ({opened['account_id']}) with {amount(opened['cash']):f} {opened['currency']}"
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
