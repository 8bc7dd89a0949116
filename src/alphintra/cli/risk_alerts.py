"""Alerts on a terminal: what calls for a look, who has taken it up, and the rules they are raised by."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_answer, print_json, print_table
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]

_RULE_FIELDS = ("is_enabled", "severity", "threshold", "repeat_after_s", "escalate_after_s")


@click.command("alerts")
@click.option("--open", "open_only", is_flag=True, help="Only those nobody has acknowledged.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@AS_JSON
def list_alerts(*, open_only: bool, limit: int, as_json: bool) -> int:
    """List alerts, newest first."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/risk/alerts", open_only=str(open_only).lower(), limit=limit)
    if as_json:
        print_json(found)
        return 0
    for one in found["alerts"]:
        taken = "" if one["acknowledged_by"] is None else f", taken up by {one['acknowledged_by']}"
        escalated = "" if one["escalated_at"] is None else ", escalated"
        click.echo(f"{moment(one['raised_at'])} {one['severity'].upper()} {one['title']}{escalated}{taken}")
        click.echo(f"  {one['detail']}\n  {one['alert_id']}")
    if not found["alerts"]:
        click.echo("no alerts")
    return 0


@click.command("acknowledge")
@click.argument("alert_id", type=click.UUID)
@click.option("--note", default="", help="What is done about it.")
@AS_JSON
def acknowledge(*, alert_id: Any, note: str, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Take an alert up in one's own name."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.post(f"/risk/alerts/{alert_id}/acknowledge", {"note": note})
    print_answer(
        found,
        f"{found['title']}: taken up by {found['acknowledged_by']} at {moment(found['acknowledged_at'])} UTC",
        as_json=as_json,
    )
    return 0


@click.group("alert-rules")
def alert_rules() -> None:
    """What alerts are raised about."""


@alert_rules.command("list")
@AS_JSON
def list_rules(*, as_json: bool) -> int:
    """List the rules in force."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/risk/alert-rules")
    if as_json:
        print_json(found)
        return 0
    columns = ("rule", "version", "on", "severity", "threshold", "again after s", "escalates after s")
    print_table(
        columns,
        [
            (
                one["rule"],
                one["version"],
                one["is_enabled"],
                one["severity"],
                amount(one["threshold"]),
                one["repeat_after_s"],
                one["escalate_after_s"],
            )
            for one in found["rules"]
        ],
    )
    return 0


@alert_rules.command("set")
@click.argument("rule")
@click.option("--on/--off", "is_enabled", default=None, help="Whether it raises alerts.")
@click.option("--severity", type=click.Choice(["info", "warning", "critical"]), help="Of its alerts.")
@click.option("--threshold", help="Share, ratio or seconds, by rule.")
@click.option("--repeat-after-s", type=int, help="The same again after so many seconds.")
@click.option("--escalate-after-s", type=int, help="To risk again after so many seconds, 0 for never.")
@AS_JSON
def set_rule(*, rule: str, as_json: bool, **chosen: object) -> int:
    """Put a new version of a rule into force; what is not named stays."""
    from alphintra.cli import session

    changes = {name: value for name, value in chosen.items() if value is not None}
    if not changes:
        raise AlphintraError("RULE_UNCHANGED", "name what to change, such as --threshold 0.9")
    with session.operator() as api:
        kept = next((one for one in api.get("/risk/alert-rules")["rules"] if one["rule"] == rule), None)
        if kept is None:
            raise AlphintraError("ALERT_RULE", f"there is no rule {rule!r}: list them with `risk alert-rules list`")
        found = api.put(f"/risk/alert-rules/{rule}", {name: changes.get(name, kept[name]) for name in _RULE_FIELDS})
    print_answer(found, f"{found['rule']}: version {found['version']} holds", as_json=as_json)
    return 0


COMMANDS: tuple[click.Command, ...] = (list_alerts, acknowledge, alert_rules)
