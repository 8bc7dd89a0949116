"""Connections of live accounts to their venues, and what differs there."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, print_answer, print_fields, print_json, print_table
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]

_PAPER = (  # settings of the paper venue: how they are told, and in which unit
    ("slippage_bps", "slippage", " bps"),
    ("commission_bps", "commission", " bps"),
    ("fee_per_share", "fee per share", ""),
    ("fee_minimum", "fee at least", ""),
    ("participation", "of volume at most", ""),
    ("reject_bps", "refuses", " bps of orders"),
    ("latency_bars", "latency", " bars"),
)
ACCOUNT = click.option("--account", required=True, help="Account, by id or name.")


@click.group()
def connections() -> None:
    """Connections of live accounts to their venues."""


@connections.command("add")
@ACCOUNT
@click.option("--adapter", type=click.Choice(["alpaca", "ccxt"]), required=True, help="Kind of venue.")
@click.option("--environment", type=click.Choice(["paper", "live"]), required=True, help="Test system, or money.")
@click.option(
    "--credentials",
    type=click.File("r"),
    required=True,
    help='JSON file with the venue\'s keys, - for standard input, e.g. {"key_id": "…", "secret_key": "…"}.',
)
@click.option("--exchange", default="", help="Which exchange, for ccxt: its id there, e.g. kraken.")
@click.option("--base-url", default="", help="Another address than the venue's own.")
@click.option("--confirm", default="", help="The word live, for the environment with money.")
@AS_JSON
def add(*, account: str, credentials: Any, as_json: bool, **chosen: str) -> int:  # noqa: ANN401 - an open file
    """Give a live account its venue, or new credentials. Keys are read from a file: arguments are seen by others."""
    from alphintra.cli import naming, session

    try:
        values = json.load(credentials)
    except ValueError as error:
        message = "the file holds no JSON object of the venue's keys"
        raise AlphintraError("CREDENTIALS_FORMAT", message, pointer="--credentials") from error
    with session.person() as api:
        path = f"/accounts/{naming.account_id(api, account)}/connection"
        _show(api.put(path, {**chosen, "credentials": values}), as_json=as_json)
    return 0


@connections.command("test")
@ACCOUNT
@AS_JSON
def check(*, account: str, as_json: bool) -> int:
    """Ask the venue a question that changes nothing; status 1 if it does not answer well."""
    from alphintra.cli import naming, session

    with session.person() as api:
        found = api.post(f"/accounts/{naming.account_id(api, account)}/connection/check", {})
    print_answer(
        found,
        f"the venue answers: cash {found['cash']}" if found["is_ok"] else f"{found['code']}: {found['detail']}",
        as_json=as_json,
    )
    return 0 if found["is_ok"] else 1


@connections.command("list")
@AS_JSON
def list_connections(*, as_json: bool) -> int:
    """List your connections."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/connections")
    if as_json:
        print_json(found)
        return 0
    print_table(
        ("account", "adapter", "exchange", "environment", "status", "traded with", "reason"),
        [
            (
                each["account_id"],
                each["adapter"],
                each["exchange"],
                each["environment"],
                each["status"],
                _traded_with(each["paper"]),
                each["reason"],
            )
            for each in found["connections"]
        ],
    )
    return 0


@connections.command("show")
@ACCOUNT
@AS_JSON
def show(*, account: str, as_json: bool) -> int:
    """Show a connection and what its venue can do."""
    from alphintra.cli import naming, session

    with session.person() as api:
        _show(api.get(f"/accounts/{naming.account_id(api, account)}/connection"), as_json=as_json)
    return 0


@connections.command("watch")
@ACCOUNT
@click.argument("symbols", nargs=-1)
@click.option("--none", "is_none", is_flag=True, help="Ask for no prices beside those of what is held or ordered.")
@AS_JSON
def watch(*, account: str, symbols: tuple[str, ...], is_none: bool, as_json: bool) -> int:
    """Say which prices the venue is asked for, e.g. AAPL BTC/USD; without symbols, list them with the newest."""
    from alphintra.cli import naming, session

    with session.person() as api:
        path = f"/accounts/{naming.account_id(api, account)}/connection/prices"
        is_said = bool(symbols) or is_none
        found = api.put(path, {"symbols": list(symbols)}) if is_said else api.get(path)
    if as_json:
        print_json(found)
        return 0
    print_table(
        ("symbol", "price", "bid", "ask", "priced at", "stalled"),
        [
            (each["symbol"], each["price"], each["bid"], each["ask"], each["priced_at"], each["is_stalled"])
            for each in found["prices"]
        ],
    )
    return 0


@connections.command("reconcile")
@ACCOUNT
@AS_JSON
def reconcile(*, account: str, as_json: bool) -> int:
    """Compare orders, executions, positions and cash with the venue now."""
    from alphintra.cli import naming, session

    with session.person() as api:
        found = api.post(f"/accounts/{naming.account_id(api, account)}/connection/reconcile", {})
    _show(found, as_json=as_json)
    return 0


@connections.command("close")
@ACCOUNT
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def close(*, account: str, yes: bool, as_json: bool) -> int:
    """End a connection for good and delete its credentials."""
    from alphintra.cli import naming, session
    from alphintra.cli.parameters import require_confirmed

    require_confirmed("Close the connection for good and delete its credentials?", is_confirmed=yes)
    with session.person() as api:
        found = api.delete(f"/accounts/{naming.account_id(api, account)}/connection")
    _show(found, as_json=as_json)
    return 0


@connections.command("breaks")
@ACCOUNT
@click.option("--all", "is_all", is_flag=True, help="Resolved ones too.")
@AS_JSON
def breaks(*, account: str, is_all: bool, as_json: bool) -> int:
    """List what differs between the venue and us."""
    from alphintra.cli import naming, session

    with session.person() as api:
        path = f"/accounts/{naming.account_id(api, account)}/breaks"
        found = api.get(path, resolved="true" if is_all else None)
    if as_json:
        print_json(found)
        return 0
    print_table(
        ("break", "code", "symbol", "status", "detail"),
        [(each["break_id"], each["code"], each["symbol"], each["status"], each["detail"]) for each in found["breaks"]],
    )
    return 0


@connections.command("resolve")
@click.argument("break_id")
@click.option("--resolution", required=True, help="What you found out; stays in the audit trail.")
@click.option("--drop-order", is_flag=True, help="The venue does not have the order, or is done with it: end it.")
@AS_JSON
def resolve(*, break_id: str, resolution: str, drop_order: bool, as_json: bool) -> int:
    """Close a break with what you found out about it."""
    from alphintra.cli import session

    with session.person() as api:
        body = {"resolution": resolution, "drop_order": drop_order}
        found = api.post(f"/breaks/{break_id}/resolve", body)
    print_answer(found, f"{found['code']} is {found['status']}", as_json=as_json)
    return 0


@connections.command("adopt")
@click.argument("break_id")
@click.option("--reason", required=True, help="Why it belongs into the books; stays in the audit trail.")
@AS_JSON
def adopt(*, break_id: str, reason: str, as_json: bool) -> int:
    """Take an execution that was not ordered here into the account's books: position and cash follow it."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.post(f"/breaks/{break_id}/adopt", {"reason": reason})
    print_answer(found, f"{found['code']} is {found['status']}: the execution is in the books", as_json=as_json)
    return 0


@connections.command("rotate-keys")
@AS_JSON
def rotate_keys(*, as_json: bool) -> int:
    """Draw a new key of this installation and wrap every connection's data key by it, without downtime."""
    from alphintra.cli import session
    from alphintra.cli.installation import servers_home
    from alphintra.runtime.credentials import wrapping_keys
    from alphintra.runtime.inspection import provisioned_order
    from alphintra.runtime.provision import write_all_credentials

    home = servers_home()
    order = provisioned_order(home)
    wrapping_keys(home, "broker", with_new=True)
    write_all_credentials(home, order)
    with session.operator() as api:
        found = api.post("/connections/rotate-keys", {})
    print_answer(
        found,
        f"key {found['version']} wraps every connection's data key; {found['rewrapped']} were wrapped anew",
        as_json=as_json,
    )
    return 0


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    offered = found.get("capabilities") or {}
    print_fields(
        {
            "account": found["account_id"],
            "venue": " ".join(filter(None, (found["adapter"], found["exchange"], found["environment"]))),
            "status": found["status"],
            "reason": found["reason"],
            **({"traded with": told} if (told := _traded_with(found.get("paper"))) else {}),
            "types": ", ".join(offered.get("types", ())),
            "times in force": ", ".join(offered.get("times_in_force", ())),
            "lost answers": _lost_answers(offered) if offered else "",
        }
    )


def _traded_with(paper: dict[str, Any] | None) -> str:
    """Say how the paper venue trades an account: its preset, and each setting that is not without effect."""
    if paper is None:
        return ""
    said = [
        f"{told} {amount(paper[name])}{unit}"
        for name, told, unit in _PAPER
        if paper[name] is not None and Decimal(paper[name]) != 0
    ]
    return ", ".join((paper["preset"], *said))


def _lost_answers(offered: dict[str, Any]) -> str:
    """Say what becomes of an order whose answer was lost."""
    if offered["finds_by_client_order_id"]:
        return "the venue is asked for the order by our id"
    return "the venue finds no order by our id: a person decides when it is not among recent ones"


COMMANDS = (connections,)
