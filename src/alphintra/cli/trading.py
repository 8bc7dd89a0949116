"""Accounts and orders."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_fields, print_json, print_table
from alphintra.cli.parameters import AMOUNT, POSITIVE, SYMBOL
from alphintra.kernel.vocabulary import OrderStatus

__all__ = ["COMMANDS"]


@click.group()
def account() -> None:
    """Accounts: paper ones, and live ones that reach a venue."""


@account.command("open")
@click.option("--name", required=True)
@click.option("--cash", type=POSITIVE, default="100000", show_default=True, help="Starting cash.")
@click.option("--feed", help="Feed a paper account trades against, by id or name.")
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
def paper_settings(*, account: str, as_json: bool, **wanted: Any) -> int:  # noqa: ANN401 - click passes each option
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


@click.group()
def order() -> None:
    """Orders by hand."""


def _placing(command: Any) -> Any:  # noqa: ANN401 - a click decorator
    for decorate in (
        AS_JSON,
        click.option("--key", default="", help="Idempotency key: repeated with the same one, it stays one order."),
        click.option("--tif", type=click.Choice(["day", "gtc"]), default="day", show_default=True, help="How long."),
        click.option("--limit", type=POSITIVE, help="Worst price; without it, at the market."),
        click.option("--account", required=True, help="Account, by id or name."),
        click.argument("qty", type=POSITIVE),
        click.argument("symbol", type=SYMBOL),
    ):
        command = decorate(command)
    return command


@order.command("buy")
@_placing
def buy(**chosen: Any) -> int:  # noqa: ANN401 - click passes each option by name
    """Buy QTY of SYMBOL."""
    return _place("buy", chosen)


@order.command("sell")
@_placing
def sell(**chosen: Any) -> int:  # noqa: ANN401 - click passes each option by name
    """Sell QTY of SYMBOL."""
    return _place("sell", chosen)


@order.command("list")
@click.option("--account", required=True, help="Account, by id or name.")
@click.option("--status", type=click.Choice([each.value for each in OrderStatus]), help="Only those.")
@click.option("--lines", "-n", type=click.IntRange(1, 1000), default=50, show_default=True)
@AS_JSON
def list_orders(*, account: str, status: str | None, lines: int, as_json: bool) -> int:
    """List an account's orders, newest first."""
    from alphintra.cli import naming, session

    with session.person() as api:
        found = api.get("/orders", account_id=naming.account_id(api, account), status=status, limit=lines)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["order_id"],
            f"{each['side']} {each['symbol']}",
            amount(each["qty"]),
            amount(each["limit_price"]),
            each["status"],
            amount(each["filled_qty"]),
            amount(each["filled_avg_price"]),
        )
        for each in found["orders"]
    ]
    print_table(("order", "what", "quantity", "limit", "status", "filled", "at"), rows)
    return 0


@order.command("show")
@click.argument("order")
@AS_JSON
def show_order(*, order: str, as_json: bool) -> int:
    """Show an ORDER as it stands now."""
    from alphintra.cli import naming, session

    ident = naming.as_uuid(order, pointer="ORDER")
    with session.person() as api:
        found = api.get(f"/orders/{ident}")
    _print_order(found, as_json=as_json)
    return 0


@order.command("cancel")
@click.argument("order")
@AS_JSON
def cancel_order(*, order: str, as_json: bool) -> int:
    """Cancel an ORDER.

    One that is closed stays as it is.
    """
    from alphintra.cli import naming, session

    ident = naming.as_uuid(order, pointer="ORDER")
    with session.person() as api:
        found = api.delete(f"/orders/{ident}")
    _print_order(found, as_json=as_json)
    return 0


def _place(side: str, chosen: Mapping[str, Any]) -> int:
    """Place an order; one that risk refused is shown with its reason, and is exit status 1."""
    from alphintra.cli import naming, session
    from alphintra.cli.client import ApiError

    with session.person() as api:
        terms = {
            "account_id": naming.account_id(api, chosen["account"]),
            "symbol": chosen["symbol"],
            "side": side,
            "qty": chosen["qty"],
            "type": "market" if chosen["limit"] is None else "limit",
            "limit_price": chosen["limit"],
            "time_in_force": chosen["tif"],
        }
        try:
            found = api.place(terms, key=chosen["key"])
        except ApiError as error:
            if "order" not in error.members:
                raise
            found = error.members["order"]
            click.echo(f"error {error.code}: {error.detail}", err=True)
    _print_order(found, as_json=chosen["as_json"])
    return 1 if found["status"] == "denied" else 0


def _print_order(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    price = "at the market" if found["limit_price"] is None else f"limit {amount(found['limit_price']):f}"
    print_fields(
        {
            "order": found["order_id"],
            "what": f"{found['side']} {amount(found['qty']):f} {found['symbol']} {price}, {found['time_in_force']}",
            "status": found["status"],
            "reason": f"{found['reason_code']}: {found['reason']}" if found["reason_code"] else "",
            "filled": amount(found["filled_qty"]),
            "average price": amount(found["filled_avg_price"]),
            "placed (UTC)": moment(found["created_at"]),
            "changed (UTC)": moment(found["updated_at"]),
        }
    )


COMMANDS: tuple[click.Command, ...] = (account, order)
