"""Why risk decided so, and what people set beside limits: blocks lifted, leave for one order, restrictions."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import json
from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_answer, print_fields, print_json, print_table
from alphintra.cli.parameters import SYMBOL

__all__ = ["ACCOUNT", "COMMANDS", "account_id"]

ACCOUNT = click.option("--account", required=True, help="Account, by id or, of the person logged in, by name.")
_LIMIT = click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
_REASON = click.option("--reason", required=True, help="Stays on record.")
_OPEN = click.option("--open", "open_only", is_flag=True, help="Only what waits for a second person.")


def account_id(text: str) -> str:
    """Return an account's id; only names need a person, whose accounts they are among."""
    from uuid import UUID

    from alphintra.cli import naming, session

    try:
        return str(UUID(text))
    except ValueError:
        with session.person() as api:
            return naming.account_id(api, text)


@click.command("why")
@click.argument("order_id", type=click.UUID)
@AS_JSON
def why(*, order_id: Any, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Show every decision on an order: what refused it, and what it was judged by."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get(f"/orders/{order_id}/decisions")
    if as_json:
        print_json(found)
        return 0
    for one in found["decisions"]:
        print_fields(
            {
                "decision": one["decision_id"],
                "decided (UTC)": moment(one["decided_at"]),
                "outcome": "approved" if one["approved"] else "refused",
                "limits": f"version {one['limit_version']}",
                "kill epoch": one["kill_epoch"],
                "record": "as it was stored" if one["is_intact"] else "NOT as it was stored",
            }
        )
        rows = [(each["rule"], each["code"], each["limit"], each["observed"]) for each in one["findings"]]
        if rows:
            print_table(("rule", "code", "limit", "observed"), rows)
            for each in one["findings"]:
                click.echo(f"  {each['detail']}")
        looked_at = json.loads(one["inputs"])
        print_table(("looked at", "value"), [(name, _short(value)) for name, value in sorted(looked_at.items())])
    return 0


@click.command("exposure")
@ACCOUNT
@AS_JSON
def exposure(*, account: str, as_json: bool) -> int:
    """Show what an account holds and may still do, its free cash, and what blocks it."""
    from alphintra.cli import session

    ident = account_id(account)
    with session.anyone() as api:
        found = api.get(f"/accounts/{ident}/risk")
    if as_json:
        print_json(found)
        return 0
    print_fields({"cash": amount(found["cash"]), "reserved": amount(found["reserved_cash"])})
    columns = ("symbol", "position", "open buys", "open sells", "last price")
    names = ("position_qty", "reserved_buy_qty", "reserved_sell_qty", "last_price")
    print_table(columns, [(one["symbol"], *(amount(one[name]) for name in names)) for one in found["exposures"]])
    columns = ("scope", "state", "epoch", "reason", "set by")
    print_table(columns, [tuple(one[name.replace(" ", "_")] for name in columns) for one in found["kill_states"]])
    return 0


@click.group("latches")
def latches() -> None:
    """Blocks that outlive restarts until a named person lifts them."""


@latches.command("list")
@ACCOUNT
@AS_JSON
def list_latches(*, account: str, as_json: bool) -> int:
    """List the blocks in force for an account."""
    from alphintra.cli import session

    ident = account_id(account)
    with session.anyone() as api:
        found = api.get(f"/accounts/{ident}/latches")
    if as_json:
        print_json(found)
        return 0
    rows = [
        (one["latch_id"], one["code"], one["symbol"], moment(one["set_at"]), one["reason"]) for one in found["latches"]
    ]
    print_table(("id", "code", "symbol", "set (UTC)", "reason"), rows)
    return 0


@latches.command("lift")
@click.argument("latch_id", type=click.UUID)
@_REASON
@AS_JSON
def lift_latch(*, latch_id: Any, reason: str, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Lift a block in one's own name."""
    return _post(f"/risk/latches/{latch_id}/lift", {"reason": reason}, as_json=as_json, told="code", word="lifted")


@click.group("overrides")
def overrides() -> None:
    """Leave for one order to pass soft controls, asked for by one person and given by another."""


@overrides.command("list")
@ACCOUNT
@_OPEN
@_LIMIT
@AS_JSON
def list_overrides(*, account: str, open_only: bool, limit: int, as_json: bool) -> int:
    """List leave asked for and given, newest first."""
    from alphintra.cli import session

    ident = account_id(account)
    with session.anyone() as api:
        found = api.get(f"/accounts/{ident}/overrides", open_only=str(open_only).lower(), limit=limit)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (one["override_id"], one["codes"], one["requested_by"], one["approved_by"], moment(one["expires_at"]))
        for one in found["overrides"]
    ]
    print_table(("id", "codes", "asked by", "given by", "until (UTC)"), rows)
    return 0


@overrides.command("request")
@click.argument("order_id", type=click.UUID)
@_REASON
@AS_JSON
def request_override(*, order_id: Any, reason: str, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Ask that an order like a refused one may pass, once."""
    body = {"order_id": str(order_id), "reason": reason}
    return _post("/risk/overrides", body, as_json=as_json, told="override_id", word="asked for")


@overrides.command("approve")
@click.argument("override_id", type=click.UUID)
@AS_JSON
def approve_override(*, override_id: Any, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Give leave another person asked for."""
    return _post(f"/risk/overrides/{override_id}/approve", {}, as_json=as_json, told="override_id", word="given")


@click.group("restrictions")
def restrictions() -> None:
    """Symbols that may not be traded, by the firm or by one account."""


@restrictions.command("list")
@AS_JSON
def list_restrictions(*, as_json: bool) -> int:
    """List the restrictions in force."""
    from alphintra.cli import session

    with session.operator() as api:
        found = api.get("/risk/restrictions")
    if as_json:
        print_json(found)
        return 0
    rows = [
        (one["restriction_id"], one["symbol"], one["account_id"] or "all", moment(one["set_at"]), one["reason"])
        for one in found["restrictions"]
    ]
    print_table(("id", "symbol", "account", "set (UTC)", "reason"), rows)
    return 0


@restrictions.command("add")
@click.argument("symbol", type=SYMBOL)
@click.option("--account", help="Only for this account, by id or name.")
@_REASON
@AS_JSON
def add_restriction(*, symbol: str, account: str | None, reason: str, as_json: bool) -> int:
    """Refuse orders for a symbol from the next one on; the reason is not told to traders."""
    body = {"symbol": symbol, "reason": reason, "account_id": None if account is None else account_id(account)}
    return _post("/risk/restrictions", body, as_json=as_json, told="restriction_id", word="in force", as_operator=True)


@restrictions.command("lift")
@click.argument("restriction_id", type=click.UUID)
@AS_JSON
def lift_restriction(*, restriction_id: Any, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Take a restriction off the list."""
    path = f"/risk/restrictions/{restriction_id}/lift"
    return _post(path, {}, as_json=as_json, told="symbol", word="free again", as_operator=True)


def _post(path: str, body: dict[str, Any], *, as_json: bool, told: str, word: str, as_operator: bool = False) -> int:
    from alphintra.cli import session

    with session.operator() if as_operator else session.anyone() as api:
        found = api.post(path, body) if body else api.post(path)
    print_answer(found, f"{found[told]}: {word}", as_json=as_json)
    return 0


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


COMMANDS: tuple[click.Command, ...] = (why, exposure, latches, overrides, restrictions)
