"""``alphintra books check``: whether what the platform keeps of accounts adds up."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from alphintra.cli.bookkeeping import Books, Rule, rules
from alphintra.cli.output import AS_JSON, moment, print_json, print_table
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.cli.client import ApiClient

__all__ = ["COMMANDS"]

_PAGE: Final = 1000
_PAUSE_S: Final = 0.5


@click.group()
def books() -> None:
    """The books of accounts."""


@books.command("check")
@click.option("--account", help="Account, by id or name; without it all of yours.")
@click.option("--wait", type=click.IntRange(0, 300), default=10, show_default=True, help="Seconds to let it settle.")
@AS_JSON
def check(*, account: str | None, wait: int, as_json: bool) -> int:
    """Work out anew what accounts must hold.

    From what the API shows: cash from the start and every activity, positions from fills, splits and lots, ledger,
    books, risk's positions and reservations. What differs is read again until --wait seconds have passed, since
    services hear of one another a moment later. Exit status 1 if anything does not add up.
    """
    from alphintra.cli import naming, session

    with session.person() as api:
        names = [naming.account_id(api, account)] if account else _own(api)
        found = {name: _settled(api, name, wait_s=wait) for name in names}
    is_exact = not any(rule.broken for each in found.values() for rule in each)
    if as_json:
        accounts = [
            {
                "account_id": name,
                "rules": [
                    {"rule": rule.name, "holds": not rule.broken, "broken": list(rule.broken)} for rule in checked
                ],
            }
            for name, checked in found.items()
        ]
        print_json({"is_exact": is_exact, "accounts": accounts})
        return 0 if is_exact else 1
    for name, checked in found.items():
        click.echo(f"account {name}")
        for rule in checked:
            click.echo(f"  {'holds ' if not rule.broken else 'BROKEN'}  {rule.name}")
            for line in rule.broken:
                click.echo(f"          {line}")
    return 0 if is_exact else 1


@books.command("unclaimed")
@click.option("--all", "are_all", is_flag=True, help="Those that took effect since, too.")
@click.option("--replay", is_flag=True, help="Take up those whose orders are known meanwhile, before listing.")
@AS_JSON
def unclaimed(*, are_all: bool, replay: bool, as_json: bool) -> None:
    """List reports of venues on orders that are not in the books.

    They are kept, and take effect by themselves within ten seconds once their order is known.
    """
    from alphintra.cli import session

    with session.anyone() as api:
        replayed = api.post("/unclaimed-reports/replay")["replayed"] if replay else None
        found = api.get("/unclaimed-reports", status="all" if are_all else "waiting", limit=_PAGE)
    if as_json:
        print_json({**found, **({} if replayed is None else {"replayed": replayed})})
        return
    if replayed is not None:
        click.echo(f"{replayed} took effect")
    reports = found["reports"]
    click.echo(f"{found['waiting']} wait for their order")
    print_table(
        ("told", "kind", "order", "took effect"),
        [(moment(each["occurred_at"]), each["kind"], each["order_id"], moment(each["claimed_at"])) for each in reports],
    )


def _own(api: ApiClient) -> list[str]:
    return [each["account_id"] for each in api.get("/accounts")["accounts"]]


def _settled(api: ApiClient, account_id: str, *, wait_s: int) -> tuple[Rule, ...]:
    """Read an account until its rules hold, or the time is up."""
    deadline = time.monotonic() + wait_s
    while True:
        checked = rules(_read(api, account_id))
        if not any(rule.broken for rule in checked) or time.monotonic() > deadline:
            return checked
        time.sleep(_PAUSE_S)


def _read(api: ApiClient, account_id: str) -> Books:
    path = f"/accounts/{account_id}"
    return Books(
        account=api.get(path),
        activities=_pages(api, f"{path}/activities", "activities", "page_token", "next_page_token"),
        positions=api.get(f"{path}/positions")["positions"],
        lots=_lots(api, path),
        books=api.get(f"{path}/books")["books"],
        ledger_total=Decimal(api.get(f"{path}/ledger", limit=1)["total"]),
        open_orders=_pages(api, "/orders", "orders", "cursor", "next_cursor", account_id=account_id, status="open"),
        risk=api.get(f"{path}/risk"),
    )


def _lots(api: ApiClient, path: str) -> list[dict[str, Any]]:
    """Return the open lots, a symbol at a time. Raises BOOKS_TOO_LARGE where a list would be cut."""
    found: list[dict[str, Any]] = []
    for symbol in sorted({each["symbol"] for each in api.get(f"{path}/positions")["positions"]}):
        lots = api.get(f"{path}/lots", symbol=symbol, limit=_PAGE)["lots"]
        if len(lots) == _PAGE:
            detail = f"{symbol} has {_PAGE} open lots or more: they cannot all be read"
            raise AlphintraError("BOOKS_TOO_LARGE", detail, kind=Kind.CONFLICT)
        found += lots
    return found


def _pages(api: ApiClient, path: str, name: str, ask: str, told: str, **query: object) -> list[dict[str, Any]]:
    """Return what all pages of a list hold."""
    found: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        page = api.get(path, limit=_PAGE, **query, **{ask: token})
        found += page[name]
        token = page[told]
        if token is None:
            return found


COMMANDS: tuple[click.Command, ...] = (books,)
