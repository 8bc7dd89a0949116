"""What has not become a version yet, and what versions were run for."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from alphintra.cli.output import AS_JSON, moment, print_answer, print_json, print_table
from alphintra.cli.parameters import json_object_text, require_confirmed

__all__ = ["COMMANDS"]

_SHOWN = ("total_return", "sharpe", "max_drawdown")  # what a line has room for; --json has all, and the ids


@click.group("draft")
def draft() -> None:
    """Your own draft of a strategy: kept with its problems, without making a version."""


@draft.command("show")
@click.argument("strategy")
@AS_JSON
def show_draft(*, strategy: str, as_json: bool) -> int:
    """Show your draft of a STRATEGY and what keeps it from being saved."""
    from alphintra.cli import naming, session

    with session.person() as api:
        found = api.get(f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/draft")
    if as_json:
        print_json(found)
        return 0
    _tell(found)
    if found["revision"]:
        click.echo(json.dumps(found["graph"], indent=2, ensure_ascii=False))
    return 0


@draft.command("keep")
@click.argument("strategy")
@click.option("--file", type=click.Path(path_type=Path), required=True, help="The graph as JSON.")
@AS_JSON
def keep_draft(*, strategy: str, file: Path, as_json: bool) -> int:
    """Keep the graph in a file as your draft of a STRATEGY, in the place of the one before."""
    from alphintra.cli import naming, session

    text = json_object_text(file)
    with session.person() as api:
        path = f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/draft"
        before = api.get(path)
        body = {"base_version": before["base_version"], "revision": before["revision"], "graph": json.loads(text)}
        kept = api.put(path, body)
    if as_json:
        print_json(kept)
    else:
        _tell(kept)
    return 0


@draft.command("discard")
@click.argument("strategy")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def discard_draft(*, strategy: str, yes: bool, as_json: bool) -> int:
    """Forget your draft of a STRATEGY."""
    from alphintra.cli import naming, session

    require_confirmed(f"Forget your draft of {strategy}?", is_confirmed=yes)
    with session.person() as api:
        gone = api.delete(f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/draft")
    print_answer(gone, "the draft is gone; the versions are as they were", as_json=as_json)
    return 0


@click.command("executions")
@click.argument("strategy")
@click.option("--version", type=click.IntRange(min=1), help="Only those of this version.")
@click.option("--lines", "-n", type=click.IntRange(1, 1000), default=20, show_default=True)
@AS_JSON
def list_executions(*, strategy: str, version: int | None, lines: int, as_json: bool) -> int:
    """List the backtests and deployments of a STRATEGY, newest first.

    Its owner sees everybody's, others their own.
    """
    from alphintra.cli import naming, session

    with session.person() as api:
        path = f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/executions"
        found = api.get(path, version=version, limit=lines)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["kind"],
            each["version"],
            each["symbol"],
            each["executed_by_email"] or each["executed_by"],
            each["status"],
            moment(each["started_at"]),
            _figures(each["figures"]),
        )
        for each in found["executions"]
    ]
    columns = ("kind", "version", "symbol", "by", "status", "began (UTC)", "figures")
    print_table(columns, rows)
    return 0


def _tell(found: Mapping[str, Any]) -> None:
    if not found["revision"]:
        click.echo("there is no draft")
        return
    said = f"draft {found['revision']}, begun from version {found['base_version']}, kept {moment(found['updated_at'])}"
    newer = "" if found["newest_version"] == found["base_version"] else f"; version {found['newest_version']} is newer"
    click.echo(said + newer)
    rows = [
        (each["code"], each["node"], each["message"], each["fix"]) for each in (*found["problems"], *found["warnings"])
    ]
    if rows:
        print_table(("code", "node", "what is wrong", "how to mend it"), rows)


def _figures(figures: Mapping[str, float | None]) -> str:
    return ", ".join(f"{name} {figures[name]:.3g}" for name in _SHOWN if figures.get(name) is not None)


COMMANDS: tuple[click.Command, ...] = (draft, list_executions)
