"""What an account is worth and why: summary, history, activities, books, splits."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import secrets

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_answer, print_fields, print_json, print_table
from alphintra.cli.parameters import POSITIVE, SYMBOL

__all__ = ["COMMANDS"]

_ACCOUNT = click.option("--account", required=True, help="Account, by id or name.")
_KEY = click.option("--key", default="", help="Reference: repeated with the same one, it happens once.")


@click.group()
def portfolio() -> None:
    """Worth of an account, and what changed it."""


@portfolio.command("show")
@_ACCOUNT
@AS_JSON
def show(*, account: str, as_json: bool) -> int:
    """Show what an account is worth at its newest prices, and its books."""
    from alphintra.cli import naming, session

    with session.person() as api:
        path = f"/accounts/{naming.account_id(api, account)}"
        found, books = api.get(f"{path}/summary"), api.get(f"{path}/books")["books"]
    if as_json:
        print_json({"summary": found, "books": books})
        return 0
    print_fields(
        {
            "equity": f"{amount(found['equity']):f} {found['currency']}",
            "cash": amount(found["cash"]),
            "long": amount(found["long_market_value"]),
            "short": amount(found["short_market_value"]),
            "profit": amount(found["profit"]),
            "realised": amount(found["realized_pnl"]),
            "unrealised": amount(found["unrealized_pnl"]),
            "fees": amount(found["fees"]),
            "prices of (UTC)": "" if found["marked_at"] is None else moment(found["marked_at"]),
        }
    )
    rows = [
        (
            each["book_id"] or "unassigned",
            each["status"],
            amount(each["capital"]),
            amount(each["cash"]),
            amount(each["equity"]),
            amount(each["profit"]),
        )
        for each in books
    ]
    print_table(("book", "status", "capital", "cash", "equity", "profit"), rows)
    return 0


@portfolio.command("history")
@_ACCOUNT
@click.option("--timeframe", type=click.Choice(["1Min", "5Min", "15Min", "1H", "1D"]), default="1D", show_default=True)
@click.option("--lines", "-n", type=click.IntRange(1, 1000), default=30, show_default=True)
@AS_JSON
def history(*, account: str, timeframe: str, lines: int, as_json: bool) -> int:
    """Show what an account was worth over time."""
    from alphintra.cli import naming, session

    with session.person() as api:
        path = f"/accounts/{naming.account_id(api, account)}/portfolio/history"
        found = api.get(path, timeframe=timeframe, limit=lines)
    if as_json:
        print_json(found)
        return 0
    columns = (found["timestamps"], found["equity"], found["profit_loss"])
    rows = [(moment(at), amount(equity), amount(profit)) for at, equity, profit in zip(*columns, strict=True)]
    print_table(("from (UTC)", "equity", "profit"), rows)
    return 0


@portfolio.command("activities")
@_ACCOUNT
@click.option("--lines", "-n", type=click.IntRange(1, 1000), default=50, show_default=True)
@AS_JSON
def activities(*, account: str, lines: int, as_json: bool) -> int:
    """List executions and all other movements of money and shares, newest first."""
    from alphintra.cli import naming, session

    with session.person() as api:
        found = api.get(f"/accounts/{naming.account_id(api, account)}/activities", limit=lines)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (moment(each["booked_at"]), each["kind"], each["symbol"], amount(each["qty"]), amount(each["net_amount"]))
        for each in found["activities"]
    ]
    print_table(("when (UTC)", "what", "symbol", "quantity", "cash"), rows)
    return 0


@portfolio.command("cash")
@_ACCOUNT
@_KEY
@click.argument("kind", type=click.Choice(["deposit", "withdrawal", "reset"]))
@click.argument("sum", type=POSITIVE)
@AS_JSON
def cash(*, account: str, key: str, kind: str, sum: str, as_json: bool) -> int:  # noqa: A002 - as it is written
    """Book a deposit or withdrawal of SUM, or reset a paper account that holds nothing to SUM."""
    from alphintra.cli import naming, session

    with session.person() as api:
        body = {"kind": kind, "amount": sum, "reference": key or secrets.token_hex(16)}
        found = api.post(f"/accounts/{naming.account_id(api, account)}/cash-flows", body)
    print_answer(found, f"booked: {amount(found['net_amount']):f}", as_json=as_json)
    return 0


@portfolio.command("split")
@click.option("--feed", required=True, help="Feed whose accounts it concerns, by id or name.")
@click.option("--key", required=True, help="Reference of the split: repeated with the same one, it happens once.")
@click.argument("symbol", type=SYMBOL)
@click.argument("new_shares", type=click.IntRange(1, 10_000))
@click.argument("old_shares", type=click.IntRange(1, 10_000))
@AS_JSON
def split(*, feed: str, key: str, symbol: str, new_shares: int, old_shares: int, as_json: bool) -> int:
    """Apply a split of SYMBOL: NEW_SHARES for OLD_SHARES, without any profit; its working orders are canceled."""
    from alphintra.cli import naming, session

    with session.person() as api:
        body = {
            "feed_id": naming.feed_id(api, feed),
            "symbol": symbol,
            "new_shares": new_shares,
            "old_shares": old_shares,
            "reference": key,
        }
        found = api.post("/splits", body)
    print_answer(found, f"applied to {len(found['accounts'])} accounts", as_json=as_json)
    return 0


COMMANDS: tuple[click.Command, ...] = (portfolio,)
