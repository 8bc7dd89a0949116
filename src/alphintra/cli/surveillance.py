"""Market surveillance on a terminal: cases, the detectors that open them, and detectors run over the past."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_answer, print_fields, print_json, print_table
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]

_WHEN = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def surveillance() -> None:
    """Cases of market surveillance and the detectors that open them."""


@surveillance.command("cases")
@click.option("--state", type=click.Choice(["open", "under_review", "escalated", "closed"]), help="Only those.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@AS_JSON
def list_cases(*, state: str | None, limit: int, as_json: bool) -> int:
    """List cases, newest first; never those about oneself."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/surveillance/cases", state=state, limit=limit)
    if as_json:
        print_json(found)
        return 0
    for one in found["cases"]:
        proposed = "" if one["proposed_by"] is None or one["state"] == "closed" else ", closure proposed"
        click.echo(f"{moment(one['opened_at'])} {one['detector']} {one['symbol']} {one['state']}{proposed}")
        click.echo(f"  {one['summary']}\n  {one['case_id']}")
    if not found["cases"]:
        click.echo("no cases")
    return 0


@surveillance.command("show")
@click.argument("case_id", type=click.UUID)
@AS_JSON
def show_case(*, case_id: Any, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Show a case with its evidence and what was done to it."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get(f"/surveillance/cases/{case_id}")
    if as_json:
        print_json(found)
        return 0
    _print_case(found)
    columns = ("time (UTC)", "what", "side", "quantity", "price", "account")
    rows = [
        (one["happened_at"], one["kind"], one["side"], amount(one["qty"]), amount(one["price"]), one["account_id"])
        for one in found["evidence"]
    ]
    print_table(columns, rows, title="Evidence")
    for step in found["steps"]:
        click.echo(f"{moment(step['at'])} {step['actor']}: {step['action']}, {step['state']}. {step['reason']}")
    return 0


@surveillance.command("step")
@click.argument("case_id", type=click.UUID)
@click.argument(
    "action", type=click.Choice(["review", "escalate", "propose_closure", "confirm_closure", "reject_closure"])
)
@click.option("--reason", required=True, help="Stays with the case.")
@click.option("--outcome", type=click.Choice(["false_positive", "explained", "reported"]), help="For propose_closure.")
@AS_JSON
def move_case(*, case_id: Any, action: str, reason: str, outcome: str | None, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Act on a case; whoever proposed to close it cannot confirm that."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.post(
            f"/surveillance/cases/{case_id}/steps", {"action": action, "reason": reason, "outcome": outcome}
        )
    if as_json:
        print_json(found)
    else:
        _print_case(found)
    return 0


@surveillance.command("detectors")
@AS_JSON
def list_detectors(*, as_json: bool) -> int:
    """List the detectors with their parameters in force."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/surveillance/detectors")
    if as_json:
        print_json(found)
        return 0
    for one in found["detectors"]:
        overdue = ", overdue" if one["is_overdue"] else ""
        click.echo(f"{one['detector']}, version {one['version']}, review by {one['review_due']}{overdue}")
        click.echo("  " + ", ".join(f"{name} {amount(value):f}" for name, value in one["values"].items()))
    return 0


@surveillance.command("set")
@click.argument("detector")
@click.option("--value", "values", multiple=True, help="NAME=NUMBER, as often as needed; what is not named stays.")
@click.option("--reason", required=True, help="Stays with the version.")
@AS_JSON
def set_detector(*, detector: str, values: tuple[str, ...], reason: str, as_json: bool) -> int:
    """Store a new version of a detector's parameters; without values it is a review that changes nothing."""
    from alphintra.cli import session

    wanted = dict(_pair(value) for value in values)
    with session.operator() as api:
        found = api.put(f"/surveillance/detectors/{detector}", {"values": wanted, "reason": reason})
    print_answer(
        found,
        f"{found['detector']}: version {found['version']} holds, review by {found['review_due']}",
        as_json=as_json,
    )
    return 0


@surveillance.command("replay")
@click.option("--detector", required=True, help="Which one, as `surveillance detectors` names it.")
@click.option("--from", "since", type=_WHEN, required=True, help="Day or time of the platform, UTC.")
@click.option("--to", "until", type=_WHEN, required=True, help="Day or time of the platform, UTC, not included.")
@AS_JSON
def replay(*, detector: str, since: datetime, until: datetime, as_json: bool) -> int:
    """Run a detector over stored history; no case is opened."""
    from alphintra.cli import session

    body = {"since": since.replace(tzinfo=UTC).isoformat(), "until": until.replace(tzinfo=UTC).isoformat()}
    with session.anyone() as api:
        found = api.post(f"/surveillance/detectors/{detector}/replay", body)
    if as_json:
        print_json(found)
        return 0
    cut = ", the first of more" if found["is_cut"] else ""
    seen = f"{found['actions']} orders and trades{cut}"
    click.echo(f"{detector}, version {found['parameter_version']}: {len(found['findings'])} findings in {seen}")
    for one in found["findings"]:
        known = "no case" if one["case_id"] is None else f"case {one['case_id']}"
        click.echo(f"{moment(one['first_at'])} {one['symbol']}: {one['summary']} ({known})")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise AlphintraError("PARAMETER_FORMAT", f"{text!r} is not NAME=NUMBER", pointer="--value")
    return name, value


def _print_case(found: Mapping[str, Any]) -> None:
    print_fields(
        {
            "case": found["case_id"],
            "detector": f"{found['detector']}, parameters of version {found['parameter_version']}",
            "person": found["owner_id"],
            "symbol": found["symbol"],
            "what": found["summary"],
            "state": found["state"],
            "reviewer": found["reviewer"],
            "closure proposed by": found["proposed_by"],
            "outcome": found["outcome"],
            "closed by": found["closed_by"],
            "evidence (SHA-256)": found["evidence_sha256"],
        }
    )


COMMANDS: tuple[click.Command, ...] = (surveillance,)
