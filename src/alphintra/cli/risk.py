"""The kill switch and the limits; whoever can read this home acts as its operator."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_fields, print_json
from alphintra.cli.parameters import require_confirmed
from alphintra.cli.risk_alerts import COMMANDS as ALERT_COMMANDS
from alphintra.cli.risk_controls import ACCOUNT, account_id
from alphintra.cli.risk_controls import COMMANDS as CONTROL_COMMANDS
from alphintra.cli.risk_limits import COMMANDS as LIMIT_COMMANDS
from alphintra.cli.risk_limits import limit_options, named_limits, warned_from
from alphintra.cli.risk_report import report
from alphintra.cli.risk_shared import COMMANDS as SHARED_COMMANDS
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]

_SCOPES = ("firm", "account", "user", "strategy", "venue", "symbol")
_KEYS = {  # what a scope is for: its option, and what the API calls it
    "account": ("account", "account_id"),
    "user": ("user", "owner_id"),
    "strategy": ("deployment", "book_id"),
    "venue": ("venue", "venue"),
    "symbol": ("symbol", "symbol"),
}


@click.group()
def risk() -> None:
    """The kill switch, the limits, and what a book risks."""


def _scoped(command: Any) -> Any:  # noqa: ANN401 - a click decorator
    for decorate in (
        AS_JSON,
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--reason", required=True, help="Stays in the audit trail."),
        click.option("--symbol", help="Symbol, in capitals, of every account."),
        click.option("--venue", help="Venue, as accounts name it, such as paper or alpaca."),
        click.option("--deployment", type=click.UUID, help="Deployment of the strategy."),
        click.option("--user", type=click.UUID, help="Person whose accounts are meant, by id."),
        click.option("--account", help="Account, by id or, of the person logged in, by name."),
        click.option("--scope", type=click.Choice(_SCOPES), help="All, or the one named beside. Always to be said."),
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
@ACCOUNT
@AS_JSON
def show_limits(*, account: str, as_json: bool) -> int:
    """Show the limits in force for an account."""
    from alphintra.cli import session

    ident = account_id(account)
    with session.operator() as api:
        found = api.get(f"/accounts/{ident}/limits")
    _print_limits(found, as_json=as_json)
    return 0


@limits.command("set")
@ACCOUNT
@limit_options
@AS_JSON
def set_limits(*, account: str, as_json: bool, further: tuple[str, ...], **chosen: str | bool | None) -> int:
    """Put new limits into force from the next order on; what is not named stays."""
    from alphintra.cli import session

    ident, changes = account_id(account), named_limits(chosen, further)
    with session.operator() as api:
        path = f"/accounts/{ident}/limits"
        found = api.put(path, changes.on(api.get(path)))
    _print_limits(found, as_json=as_json)
    return 0


def _set_state(verb: str, chosen: Mapping[str, Any]) -> int:
    from alphintra.cli import session

    scope = chosen["scope"]
    if scope is None:
        detail = f"say --scope {', --scope '.join(_SCOPES[:-1])} or --scope {_SCOPES[-1]}: none never means all"
        raise AlphintraError("KILL_SCOPE", detail, pointer="--scope")
    named = {option: chosen[option] for option, _field in _KEYS.values() if chosen[option] is not None}
    option, field = _KEYS.get(scope, ("", ""))
    if set(named) != ({option} if option else set()):
        detail = f"--scope {scope} needs --{option} alone" if option else f"--scope {scope} takes no --{min(named)}"
        raise AlphintraError("KILL_SCOPE", detail, pointer=f"--{option or min(named)}")
    what = f"{scope} {named[option]}" if option else "the whole firm"
    question = f"Block trading of {what}?" if verb == "kill" else f"Let {what} trade again?"
    require_confirmed(question, is_confirmed=chosen["yes"])
    body = {"scope": scope, "reason": chosen["reason"], "state": chosen.get("state")}
    if option:
        body[field] = account_id(named[option]) if scope == "account" else str(named[option])
    with session.operator() as api:
        found = api.post(f"/risk/{verb}", body)
    if chosen["as_json"]:
        print_json(found)
    else:
        click.echo(f"{what}: {found['state']} since {moment(found['set_at'])} UTC (epoch {found['epoch']})")
    return 0


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
            "position quantity, most": f"{amount(found['position_qty_max'])}{warned_from(found, 'position_qty_max')}",
            "may be short": found["may_short"],
            **{
                f"  {name}": f"{value}{told}" if (told := warned_from(found, name)) else value
                for name, value in found["controls"].items()
                if value not in (None, False)
            },
            "set by": found["set_by"],
            "set (UTC)": moment(found["set_at"]),
        }
    )


for _command in (report, *ALERT_COMMANDS, *CONTROL_COMMANDS, *SHARED_COMMANDS):
    risk.add_command(_command)
for _command in LIMIT_COMMANDS:
    limits.add_command(_command)

COMMANDS: tuple[click.Command, ...] = (risk,)
