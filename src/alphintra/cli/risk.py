"""The kill switch and the limits; whoever can read this home acts as its operator."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_fields, print_json
from alphintra.cli.parameters import POSITIVE, require_confirmed
from alphintra.cli.risk_alerts import COMMANDS as ALERT_COMMANDS
from alphintra.cli.risk_report import report
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]

_LIMITS = ("order_qty_max", "order_notional_max", "position_qty_max", "may_short")


@click.group()
def risk() -> None:
    """The kill switch, the limits, and what a book risks."""


def _scoped(command: Any) -> Any:  # noqa: ANN401 - a click decorator
    for decorate in (
        AS_JSON,
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--reason", required=True, help="Stays in the audit trail."),
        click.option("--account", help="Account, by id or, of the person logged in, by name."),
        click.option(
            "--scope", type=click.Choice(["firm", "account"]), help="All accounts, or one. Always to be said."
        ),
    ):
        command = decorate(command)
    return command


@risk.command("kill")
@_scoped
@click.option(
    "--state",
    type=click.Choice(["reduce_only", "cancel_only", "halted"]),
    default="halted",
    show_default=True,
    help="What is still allowed.",
)
def kill(**chosen: Any) -> int:  # noqa: ANN401 - click passes each option by name
    """Block trading from the next order on."""
    return _set_state("kill", chosen)


@risk.command("release")
@_scoped
def release(**chosen: Any) -> int:  # noqa: ANN401 - click passes each option by name
    """Allow trading again."""
    return _set_state("release", chosen)


@risk.group("limits")
def limits() -> None:
    """What orders may not exceed."""


@limits.command("show")
@click.option("--account", required=True, help="Account, by id or, of the person logged in, by name.")
@AS_JSON
def show_limits(*, account: str, as_json: bool) -> int:
    """Show the limits in force for an account."""
    from alphintra.cli import session

    ident = _account_id(account)
    with session.operator() as api:
        found = api.get(f"/accounts/{ident}/limits")
    _print_limits(found, as_json=as_json)
    return 0


@limits.command("set")
@click.option("--account", required=True, help="Account, by id or, of the person logged in, by name.")
@click.option("--order-qty-max", type=POSITIVE, help="Quantity of one order.")
@click.option("--order-notional-max", type=POSITIVE, help="Amount of one order, in the account's currency.")
@click.option("--position-qty-max", type=POSITIVE, help="Quantity held of one symbol.")
@click.option("--may-short/--may-not-short", default=None, help="Whether positions may be negative.")
@click.option(
    "--control",
    "further",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another limit, such as price_collar_pct=5 or price_collar_pct=null; docs/risk-controls.md has all.",
)
@AS_JSON
def set_limits(*, account: str, as_json: bool, further: tuple[str, ...], **chosen: str | bool | None) -> int:
    """Put new limits into force from the next order on; what is not named stays."""
    from alphintra.cli import session

    changes = {name: value for name, value in chosen.items() if value is not None}
    controls = dict(map(_control, further))
    if not changes and not controls:
        raise AlphintraError("LIMITS_NONE", "name at least one limit, such as --order-qty-max 100")
    ident = _account_id(account)
    with session.operator() as api:
        path = f"/accounts/{ident}/limits"
        kept = api.get(path)
        wanted = {name: changes.get(name, kept[name]) for name in _LIMITS}
        found = api.put(path, {**wanted, "controls": {**kept["controls"], **controls}})
    _print_limits(found, as_json=as_json)
    return 0


def _control(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE; the value is JSON, an amount or a list may stand bare. Raises LIMIT_FORMAT."""
    import json

    name, sign, value = text.partition("=")
    if not sign or not name:
        raise AlphintraError("LIMIT_FORMAT", f"write NAME=VALUE, not {text[:40]!r}", pointer="--control")
    try:
        return name, json.loads(value, parse_float=str)
    except ValueError:
        return name, value


def _set_state(verb: str, chosen: Mapping[str, Any]) -> int:
    from alphintra.cli import session

    scope, account = chosen["scope"], chosen["account"]
    if scope is None:
        raise AlphintraError(
            "KILL_SCOPE", "say --scope firm or --scope account: none never means all", pointer="--scope"
        )
    if (scope == "account") != (account is not None):
        detail = "--scope account needs --account" if scope == "account" else "--scope firm takes no --account"
        raise AlphintraError("KILL_SCOPE", detail, pointer="--account")
    what = "the whole firm" if scope == "firm" else f"account {account}"
    question = f"Block trading of {what}?" if verb == "kill" else f"Let {what} trade again?"
    require_confirmed(question, is_confirmed=chosen["yes"])
    body = {
        "scope": scope,
        "account_id": None if account is None else _account_id(account),
        "reason": chosen["reason"],
        "state": chosen.get("state"),
    }
    with session.operator() as api:
        found = api.post(f"/risk/{verb}", body)
    if chosen["as_json"]:
        print_json(found)
    else:
        click.echo(f"{what}: {found['state']} since {moment(found['set_at'])} UTC (epoch {found['epoch']})")
    return 0


def _account_id(text: str) -> str:
    """Return an account's id; only names need a person, whose accounts they are among."""
    from uuid import UUID

    from alphintra.cli import naming, session

    try:
        return str(UUID(text))
    except ValueError:
        with session.person() as api:
            return naming.account_id(api, text)


def _print_limits(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_fields(
        {
            "account": found["account_id"],
            "version": found["version"],
            "order quantity, most": amount(found["order_qty_max"]),
            "order amount, most": amount(found["order_notional_max"]),
            "position quantity, most": amount(found["position_qty_max"]),
            "may be short": found["may_short"],
            **{f"  {name}": value for name, value in found["controls"].items() if value not in (None, False)},
            "set by": found["set_by"],
            "set (UTC)": moment(found["set_at"]),
        }
    )


for _command in (report, *ALERT_COMMANDS):
    risk.add_command(_command)

COMMANDS: tuple[click.Command, ...] = (risk,)
