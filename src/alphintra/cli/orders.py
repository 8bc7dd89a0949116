"""Orders by hand."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_fields, print_json, print_table
from alphintra.cli.parameters import POSITIVE, SYMBOL
from alphintra.kernel.vocabulary import OrderStatus, TimeInForce

__all__ = ["COMMANDS"]

F = TypeVar("F", bound=Callable[..., Any])
_ACCOUNT = click.option("--account", required=True, help="Account, by id or name.")
_KEY = click.option("--key", default="", help="Idempotency key: repeated with the same one, it stays one order.")
_TIF = click.Choice([each.value for each in TimeInForce])
_SCOPES = ("open", "closed", "all", *(each.value for each in OrderStatus))
_PRICES = (
    click.option("--limit", type=POSITIVE, help="Worst price; without it, at the market."),
    click.option("--stop", type=POSITIVE, help="Price that sets it off."),
    click.option("--trail", type=POSITIVE, help="Stop that follows the best price at this distance."),
    click.option("--trail-percent", type=POSITIVE, help="The same in percent of the best price."),
    click.option("--expire-at", help="End of a gtd order, with its zone, e.g. 2026-03-02T21:00:00Z."),
)


@click.group()
def order() -> None:
    """Orders by hand."""


def _with(command: F, options: tuple[Any, ...]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def _placing(command: F) -> F:
    return _with(
        command,
        (
            click.argument("symbol", type=SYMBOL),
            click.argument("qty", type=POSITIVE),
            _ACCOUNT,
            *_PRICES,
            click.option("--tif", type=_TIF, default="day", show_default=True, help="How long."),
            click.option("--notional", is_flag=True, help="QTY is an amount of money."),
            click.option("--reduce-only", is_flag=True, help="Only bring the position closer to zero."),
            click.option("--extended-hours", is_flag=True, help="Also outside of the regular session."),
            click.option("--take-profit", type=POSITIVE, help="Price of an exit with a profit."),
            click.option("--stop-loss", type=POSITIVE, help="Price of an exit with a loss."),
            click.option("--oco", is_flag=True, help="The order itself takes the profit; beside it a stop loss."),
            _KEY,
            AS_JSON,
        ),
    )


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
@_ACCOUNT
@click.option("--status", type=click.Choice(_SCOPES), help="Only those.")
@click.option("--symbols", help="Only those, with commas between.")
@click.option("--side", type=click.Choice(["buy", "sell"]), help="Only that side.")
@click.option("--after", help="Placed after that time, with its zone.")
@click.option("--until", help="Placed before that time, with its zone.")
@click.option("--cursor", help="next_cursor of the page before.")
@click.option("--lines", "-n", type=click.IntRange(1, 1000), default=50, show_default=True)
@AS_JSON
def list_orders(*, account: str, lines: int, as_json: bool, **filters: str | None) -> int:
    """List an account's orders, newest first."""
    from alphintra.cli import naming, session

    with session.person() as api:
        found = api.get("/orders", account_id=naming.account_id(api, account), limit=lines, **filters)
    return _print_orders(found, as_json=as_json)


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


@order.command("history")
@click.argument("order")
@AS_JSON
def show_history(*, order: str, as_json: bool) -> int:
    """Show what happened to an ORDER, and why."""
    from alphintra.cli import naming, session

    ident = naming.as_uuid(order, pointer="ORDER")
    with session.person() as api:
        found = api.get(f"/orders/{ident}/events")
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            moment(each["occurred_at"]),
            each["kind"],
            each["status"],
            amount(each["qty"]),
            amount(each["price"]),
            f"{each['code']} {each['reason']}".strip(),
        )
        for each in found["events"]
    ]
    print_table(("when (UTC)", "what", "status", "quantity", "price", "why"), rows)
    return 0


def _replacing(command: F) -> F:
    tif = click.option("--tif", type=_TIF, help="How long.")
    qty = click.option("--qty", type=POSITIVE, help="Of the whole, what is filled already included.")
    return _with(command, (click.argument("order"), qty, *_PRICES, tif, _KEY, AS_JSON))


@order.command("replace")
@_replacing
def replace_order(*, order: str, key: str, as_json: bool, **wish: str | None) -> int:
    """Put a new order in the place of a working ORDER; what is left out stays."""
    from alphintra.cli import naming, session

    ident = naming.as_uuid(order, pointer="ORDER")
    with session.person() as api:
        body = {
            "qty": wish["qty"],
            "limit_price": wish["limit"],
            "stop_price": wish["stop"],
            "trail_price": wish["trail"],
            "trail_percent": wish["trail_percent"],
            "time_in_force": wish["tif"],
            "expire_at": wish["expire_at"],
        }
        return _answered(lambda: api.replace_order(str(ident), body, key=key), as_json=as_json)


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


@order.command("cancel-all")
@_ACCOUNT
@click.option("--symbols", help="Only those, with commas between.")
@AS_JSON
def cancel_orders(*, account: str, symbols: str | None, as_json: bool) -> int:
    """Cancel all open orders of an account."""
    from alphintra.cli import naming, session

    with session.person() as api:
        found = api.delete("/orders", account_id=naming.account_id(api, account), symbols=symbols)
    return _print_orders(found, as_json=as_json)


@order.command("close")
@_ACCOUNT
@click.option("--symbol", type=SYMBOL, help="That position alone.")
@click.option("--qty", type=POSITIVE, help="A part of it.")
@click.option("--key", help="What the orders' ids begin with: repeated with the same one, nothing is closed twice.")
@AS_JSON
def close_positions(*, account: str, symbol: str | None, qty: str | None, key: str | None, as_json: bool) -> int:
    """Bring positions of an account to zero, at the market."""
    from alphintra.cli import naming, session

    with session.person() as api:
        path = f"/accounts/{naming.account_id(api, account)}/positions"
        found = api.delete(path, symbol=symbol, qty=qty, client_order_id=key)
    return _print_orders(found, as_json=as_json)


def _place(side: str, chosen: Mapping[str, Any]) -> int:
    """Place an order; one that risk refused is shown with its reason, and is exit status 1."""
    from alphintra.cli import naming, session

    with session.person() as api:
        profit, loss = chosen["take_profit"], chosen["stop_loss"]
        terms = {
            "account_id": naming.account_id(api, chosen["account"]),
            "symbol": chosen["symbol"],
            "side": side,
            "notional" if chosen["notional"] else "qty": chosen["qty"],
            "type": _type_of(chosen),
            "limit_price": chosen["limit"],
            "stop_price": chosen["stop"],
            "trail_price": chosen["trail"],
            "trail_percent": chosen["trail_percent"],
            "time_in_force": chosen["tif"],
            "expire_at": chosen["expire_at"],
            "reduce_only": chosen["reduce_only"] or None,
            "extended_hours": chosen["extended_hours"] or None,
            "order_class": _class_of(chosen),
            "take_profit": None if profit is None else {"limit_price": profit},
            "stop_loss": None if loss is None else {"stop_price": loss},
        }
        return _answered(lambda: api.place(terms, key=chosen["key"]), as_json=chosen["as_json"])


def _type_of(chosen: Mapping[str, Any]) -> str:
    """Return the type that the given prices make of an order."""
    if chosen["trail"] is not None or chosen["trail_percent"] is not None:
        return "trailing_stop"
    if chosen["stop"] is not None:
        return "stop" if chosen["limit"] is None else "stop_limit"
    return "limit" if chosen["limit"] is not None or chosen["oco"] else "market"


def _class_of(chosen: Mapping[str, Any]) -> str | None:
    exits = [name for name in ("take_profit", "stop_loss") if chosen[name] is not None]
    if chosen["oco"]:
        return "oco"
    return {0: None, 1: "oto", 2: "bracket"}[len(exits)]


def _answered(ask: Callable[[], Mapping[str, Any]], *, as_json: bool) -> int:
    """Show the order that is answered; one that risk refused with its reason, as exit status 1."""
    from alphintra.cli.client import ApiError

    try:
        found = ask()
    except ApiError as error:
        if "order" not in error.members:
            raise
        found = error.members["order"]
        click.echo(f"error {error.code}: {error.detail}", err=True)
    _print_order(found, as_json=as_json)
    return 1 if found["status"] == "denied" else 0


def _print_orders(found: Mapping[str, Any], *, as_json: bool) -> int:
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["order_id"],
            f"{each['side']} {each['symbol']}",
            _how_much(each),
            _price(each),
            each["status"],
            amount(each["filled_qty"]),
            amount(each["filled_avg_price"]),
        )
        for each in found["orders"]
    ]
    print_table(("order", "what", "quantity", "price", "status", "filled", "at"), rows)
    if found["next_cursor"]:
        click.echo(f"more: --cursor {found['next_cursor']}")
    return 0


def _how_much(found: Mapping[str, Any]) -> str:
    if found["qty"] is None:
        return f"worth {amount(found['notional']):f}"
    return f"{amount(found['qty']):f}"


def _price(found: Mapping[str, Any]) -> str:
    names = {
        "stop_price": "stop",
        "trail_price": "trail",
        "trail_percent": "trail %",
        "limit_price": "limit",
    }
    parts = [f"{word} {amount(found[name]):f}" for name, word in names.items() if found[name] is not None]
    return ", ".join(parts) or "at the market"


def _print_order(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_fields(
        {
            "order": found["order_id"],
            "what": f"{found['side']} {_how_much(found)} {found['symbol']} {_price(found)}, {found['time_in_force']}",
            "status": found["status"],
            "reason": f"{found['reason_code']}: {found['reason']}" if found["reason_code"] else "",
            "filled": amount(found["filled_qty"]),
            "average price": amount(found["filled_avg_price"]),
            "replaces": found["replaces"] or "",
            "placed (UTC)": moment(found["created_at"]),
            "changed (UTC)": moment(found["updated_at"]),
        }
    )
    if found["legs"]:
        rows = [(each["order_id"], each["leg"], _price(each), each["status"]) for each in found["legs"]]
        print_table(("leg", "what", "price", "status"), rows)


COMMANDS: tuple[click.Command, ...] = (order,)
