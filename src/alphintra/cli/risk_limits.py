"""Limits that take two people, and the versions an account's limits had."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import click

from alphintra.cli.output import AS_JSON, moment, print_answer, print_json, print_table
from alphintra.cli.parameters import POSITIVE
from alphintra.cli.risk_controls import ACCOUNT, account_id
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS", "Changes", "limit_options", "named_limits", "warned_from"]

_LIMITS = ("order_qty_max", "order_notional_max", "position_qty_max", "may_short")
# Which share each limit is warned at by.
_WARNED: Final[Mapping[str, frozenset[str]]] = {
    "exposure_warn_pct": frozenset(
        {
            "position_qty_max",
            "gross_exposure_max",
            "net_exposure_max",
            "bucket_exposure_max",
            "credit_max",
            "open_orders_max",
        }
    ),
    "message_warn_pct": frozenset({"message_burst", "order_to_trade_max"}),
    "loss_warn_pct": frozenset({"daily_loss_max", "daily_loss_halt"}),
    "drawdown_warn_pct": frozenset({"drawdown_max_pct", "drawdown_halt_pct"}),
}
_UNCOMPARED = {"account_id", "version", "set_by", "set_at", "controls"}


def limit_options(command: Any) -> Any:  # noqa: ANN401 - a click decorator
    """Add the options that name limits."""
    for decorate in (
        click.option(
            "--control",
            "further",
            multiple=True,
            metavar="NAME=VALUE",
            help="Another limit, such as price_collar_pct=5 or price_collar_pct=null; docs/risk-controls.md has all.",
        ),
        click.option("--may-short/--may-not-short", default=None, help="Whether positions may be negative."),
        click.option("--position-qty-max", type=POSITIVE, help="Quantity held of one symbol."),
        click.option("--order-notional-max", type=POSITIVE, help="Amount of one order, in the account's currency."),
        click.option("--order-qty-max", type=POSITIVE, help="Quantity of one order."),
    ):
        command = decorate(command)
    return command


@dataclass(frozen=True, slots=True)
class Changes:
    """Limits that were named, by name."""

    limits: Mapping[str, Any]
    controls: Mapping[str, Any]

    def on(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """Return a whole limit set: what is in force with what was named, to be set on nothing else than that."""
        wanted = {name: self.limits.get(name, kept[name]) for name in _LIMITS}
        controls = {**kept["controls"], **self.controls}
        return {**wanted, "controls": controls, "base_version": kept["version"]}


def warned_from(limits: Mapping[str, Any], name: str) -> str:
    """Return from which amount on a limit raises a warning, to stand behind it; nothing where it raises none."""
    share = next((share for share, names in _WARNED.items() if name in names), None)
    most = limits["controls"].get(name, limits.get(name))
    if share is None or most is None or share not in limits["controls"]:
        return ""
    amount_of = Decimal(str(most)) * Decimal(str(limits["controls"][share])) / 100
    return f" (warned of from {amount_of.normalize():f})"


def named_limits(chosen: Mapping[str, Any], further: tuple[str, ...]) -> Changes:
    """Return the limits that were named. Raises LIMITS_NONE and LIMIT_FORMAT."""
    changes = Changes(
        {name: value for name, value in chosen.items() if value is not None}, dict(map(_control, further))
    )
    if not changes.limits and not changes.controls:
        raise AlphintraError("LIMITS_NONE", "name at least one limit, such as --order-qty-max 100")
    return changes


@click.command("propose")
@ACCOUNT
@limit_options
@AS_JSON
def propose(*, account: str, as_json: bool, further: tuple[str, ...], **chosen: str | bool | None) -> int:
    """Propose limits for another person to approve; what is not named stays."""
    from alphintra.cli import session

    ident, changes = account_id(account), named_limits(chosen, further)
    with session.anyone() as api:
        found = api.post(f"/accounts/{ident}/limit-proposals", changes.on(api.get(f"/accounts/{ident}/limits")))
    print_answer(
        found,
        f"{found['proposal_id']}: proposed, waits for another person than {found['proposed_by']}",
        as_json=as_json,
    )
    return 0


@click.command("proposals")
@ACCOUNT
@click.option("--open", "open_only", is_flag=True, help="Only those nobody has decided on.")
@AS_JSON
def list_proposals(*, account: str, open_only: bool, as_json: bool) -> int:
    """List proposed limits, newest first."""
    from alphintra.cli import session

    ident = account_id(account)
    with session.anyone() as api:
        found = api.get(f"/accounts/{ident}/limit-proposals", open_only=str(open_only).lower())
    if as_json:
        print_json(found)
        return 0
    words = {None: "open", True: "approved", False: "declined"}
    rows = [
        (
            one["proposal_id"],
            moment(one["proposed_at"]),
            one["proposed_by"],
            words[one["is_approved"]],
            one["decided_by"],
        )
        for one in found["proposals"]
    ]
    print_table(("id", "proposed (UTC)", "by", "state", "decided by"), rows)
    return 0


@click.command("approve")
@click.argument("proposal_id", type=click.UUID)
@AS_JSON
def approve(*, proposal_id: Any, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Put limits another person proposed into force."""
    return _decide(proposal_id, is_approved=True, as_json=as_json)


@click.command("decline")
@click.argument("proposal_id", type=click.UUID)
@AS_JSON
def decline(*, proposal_id: Any, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Decline proposed limits."""
    return _decide(proposal_id, is_approved=False, as_json=as_json)


@click.command("history")
@ACCOUNT
@AS_JSON
def history(*, account: str, as_json: bool) -> int:
    """List the limit sets an account had, newest first, with what each changed."""
    from alphintra.cli import session

    ident = account_id(account)
    with session.anyone() as api:
        found = api.get(f"/accounts/{ident}/limit-versions")
    if as_json:
        print_json(found)
        return 0
    versions = found["versions"]
    earlier = [*versions[1:], None]
    for one, before in zip(versions, earlier, strict=True):
        click.echo(f"version {one['version']}, {moment(one['set_at'])} UTC, {one['set_by']}")
        for name, old, new in [] if before is None else differing(before, one):
            click.echo(f"  {name}: {old} -> {new}")
    return 0


@click.command("diff")
@ACCOUNT
@click.argument("old", type=click.IntRange(1))
@click.argument("new", type=click.IntRange(1))
@AS_JSON
def diff(*, account: str, old: int, new: int, as_json: bool) -> int:
    """Show what differs between two versions of an account's limits."""
    from alphintra.cli import session

    ident = account_id(account)
    with session.anyone() as api:
        found = api.get(f"/accounts/{ident}/limit-versions", limit=1000)
    by_version = {one["version"]: one for one in found["versions"]}
    missing = [number for number in (old, new) if number not in by_version]
    if missing:
        detail = f"the account has no version {missing[0]} of its limits: see `risk limits history`"
        raise AlphintraError("LIMITS_VERSION", detail)
    rows = differing(by_version[old], by_version[new])
    if as_json:
        print_json({"changed": {name: {"old": before, "new": after} for name, before, after in rows}})
    else:
        print_table(("limit", f"version {old}", f"version {new}"), rows)
    return 0


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, object, object]]:
    """Return the limits that differ between two sets, each with both values."""
    flat = [
        {**{name: value for name, value in one.items() if name not in _UNCOMPARED}, **one["controls"]}
        for one in (old, new)
    ]
    names = sorted(flat[0].keys() | flat[1].keys())
    return [(name, flat[0].get(name), flat[1].get(name)) for name in names if flat[0].get(name) != flat[1].get(name)]


def _decide(proposal_id: Any, *, is_approved: bool, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.post(f"/risk/limit-proposals/{proposal_id}/decision", {"is_approved": is_approved})
    print_answer(
        found,
        f"{found['proposal_id']}: {'approved' if is_approved else 'declined'} by {found['decided_by']}",
        as_json=as_json,
    )
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


COMMANDS: tuple[click.Command, ...] = (propose, list_proposals, approve, decline, history, diff)
