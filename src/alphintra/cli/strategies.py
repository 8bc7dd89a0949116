"""Strategies: graphs, and deployments that let one trade an account."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from alphintra.cli.explanations import why_deployment
from alphintra.cli.output import AS_JSON, amount, moment, print_fields, print_json, print_table
from alphintra.cli.parameters import POSITIVE, TRADED, json_object_text, require_confirmed, traded
from alphintra.cli.strategy_drafts import COMMANDS as DRAFT_COMMANDS
from alphintra.cli.strategy_packages import COMMANDS as PACKAGE_COMMANDS
from alphintra.cli.strategy_sharing import COMMANDS as SHARING_COMMANDS
from alphintra.cli.strategy_templates import COMMANDS as TEMPLATE_COMMANDS
from alphintra.cli.strategy_templates import backtest_of
from alphintra.cli.strategy_versions import COMMANDS as VERSION_COMMANDS
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]


@click.group()
def strategy() -> None:
    """Strategies, and the deployments that trade them."""


@strategy.command("list")
@click.option("--shared", is_flag=True, help="Those others share with you.")
@click.option("--archived", is_flag=True, help="Archived ones too.")
@AS_JSON
def list_workflows(*, shared: bool, archived: bool, as_json: bool) -> int:
    """List your strategies."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/workflows", shared=shared or None, archived=archived or None)
    if as_json:
        print_json(found)
    else:
        rows = [
            (
                f"{each['name']}{' (archived)' if each['archived_at'] else ''}",
                each["workflow_id"],
                each["version"],
                moment(each["updated_at"]),
                "all" if "owner" in each["permissions"] else ", ".join(each["permissions"]),
            )
            for each in found["workflows"]
        ]
        print_table(("name", "strategy", "version", "changed (UTC)", "you may"), rows)
    return 0


@strategy.command("create")
@click.option("--name", required=True)
@click.option("--template", help="One of `alphintra strategy templates`.")
@click.option("--timeframe", help="Bars the template is to run on, such as 5m, 1h or 1d, instead of its own.")
@click.option("--file", type=click.Path(path_type=Path), help="A graph as JSON.")
@AS_JSON
def create_workflow(*, name: str, template: str | None, timeframe: str | None, file: Path | None, as_json: bool) -> int:
    """Store a strategy, from a template or from a file."""
    from alphintra.cli import session

    if (template is None) == (file is None):
        raise AlphintraError("STRATEGY_SOURCE", "say --template or --file, one of them", pointer="--template")
    if file is not None and timeframe is not None:
        detail = "a file names its own timeframe: write it there, or take a template"
        raise AlphintraError("FIELD_FORBIDDEN", detail, pointer="--timeframe")
    graph = None if file is None else json_object_text(file)
    with session.person() as api:
        if graph is None:
            made = api.post("/workflows", {"name": name, "template": template, "timeframe": timeframe})
            made = {**made, "template_backtest": backtest_of(api, str(template))}
        else:
            made = api.post_document("/workflows", "graph", graph, {"name": name})
    if as_json:
        print_json(made)
    else:
        click.echo(f"stored {made['name']!r} ({made['workflow_id']}), version {made['version']}")
        run = made.get("template_backtest")
        if run and run["backtest_id"]:
            click.echo(f"how the template went: alphintra backtest show {run['backtest_id']}")
    return 0


@strategy.command("show")
@click.argument("strategy")
@AS_JSON
def show_workflow(*, strategy: str, as_json: bool) -> int:
    """Show a STRATEGY (id or name) and its graph."""
    from alphintra.cli import naming, session

    with session.person() as api:
        version = api.get(f"/workflow-versions/{naming.workflow(api, strategy)['version_id']}")
    if as_json:
        print_json(version)
        return 0
    print_fields(
        {
            "strategy": version["workflow_id"],
            "name": version["name"],
            "version": f"{version['version']} ({version['version_id']})",
            "stored (UTC)": moment(version["created_at"]),
            "note": version["note"],
            "graph hash": version["graph_hash"],
            "warm-up bars": version["warmup_bars"],
        }
    )
    click.echo(json.dumps(version["graph"], indent=2, ensure_ascii=False))
    return 0


@strategy.command("validate")
@click.argument("file", type=click.Path(path_type=Path))
@AS_JSON
def validate_graph(*, file: Path, as_json: bool) -> int:
    """Check the graph in a JSON FILE.

    Nothing is stored. Exit status 1 if it has problems.
    """
    from alphintra.cli import session

    graph = json_object_text(file)
    with session.anyone() as api:
        found = api.post_document("/workflows/validate", "graph", graph)
    problems = found["problems"]
    if as_json:
        print_json(found)
    elif problems:
        rows = [(each["code"], each["node"], each["message"], each["fix"]) for each in problems]
        print_table(("code", "node", "what is wrong", "how to mend it"), rows)
    else:
        click.echo(f"valid; needs {found['warmup_bars']} bars to warm up; graph hash {found['graph_hash']}")
    for each in () if as_json else found["warnings"]:
        click.echo(f"warning {each['code']}: {each['message']}; {each['fix']}")
    return 1 if problems else 0


@strategy.command("deploy")
@click.option("--workflow", "--strategy", "workflow", required=True, help="Strategy, by id or name.")
@click.option("--account", required=True, help="Account, by id or name.")
@TRADED
@click.option("--capital", type=POSITIVE, required=True, help="How much of the account's cash it may use.")
@click.option("--feed", default=None, help="Feed of live bars of a live account's venue, by id or name.")
@click.option("--confirm", default="", help="The live account's name once more: its orders reach a venue.")
@AS_JSON
def deploy(  # noqa: PLR0913 - options
    *,
    workflow: str,
    account: str,
    symbols: tuple[tuple[str, ...], ...],
    capital: str,
    feed: str | None,
    confirm: str,
    as_json: bool,
) -> int:
    """Let a strategy trade an account from its feed's next bar on."""
    from alphintra.cli import naming, session

    with session.person() as api:
        body = {
            "version_id": naming.workflow(api, workflow)["version_id"],
            "account_id": naming.account_id(api, account),
            **traded(symbols),
            "capital": capital,
            "confirm": confirm,
        }
        if feed is not None:
            body["feed_id"] = naming.feed_id(api, feed)
        made = api.post("/deployments", body)
    _print_deployment(made, as_json=as_json)
    return 0


@strategy.command("deployments")
@AS_JSON
def list_deployments(*, as_json: bool) -> int:
    """List your deployments and how they stand."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/deployments")
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["deployment_id"],
            each["symbol"],
            each["status"],
            each["last_seq"],
            amount(each["position_qty"]),
            amount(each["equity"]),
            amount(each["realized_pnl"]),
        )
        for each in found["deployments"]
    ]
    print_table(("deployment", "symbol", "status", "step", "position", "equity", "realised"), rows)
    return 0


@strategy.command("stop")
@click.argument("deployment")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def stop_deployment(*, deployment: str, yes: bool, as_json: bool) -> int:
    """Stop a DEPLOYMENT for good.

    No new orders, and its entries that still work are canceled; what it holds stays, with the exits that protect it.
    """
    from alphintra.cli import naming, session

    ident = naming.as_uuid(deployment, pointer="DEPLOYMENT")
    require_confirmed(f"Stop the deployment {ident} for good?", is_confirmed=yes)
    with session.person() as api:
        stopped = api.post(f"/deployments/{ident}/stop")
    _print_deployment(stopped, as_json=as_json)
    return 0


@strategy.command("decisions")
@click.argument("deployment")
@click.option("--outcome", help="Only those with this outcome.")
@click.option("--lines", "-n", type=click.IntRange(1, 1000), default=20, show_default=True)
@AS_JSON
def list_decisions(*, deployment: str, outcome: str | None, lines: int, as_json: bool) -> int:
    """List what a DEPLOYMENT decided, and why.

    Newest first.
    """
    from alphintra.cli import naming, session

    ident = naming.as_uuid(deployment, pointer="DEPLOYMENT")
    with session.person() as api:
        found = api.get(f"/deployments/{ident}/decisions", outcome=outcome, limit=lines)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["seq"],
            moment(each["bar_ts"]),
            each["outcome"],
            each["order_code"],
            each["reason"] or _values(each["values"]),
        )
        for each in found["decisions"]
    ]
    print_table(("step", "bar (UTC)", "outcome", "order's code", "values or reason"), rows)
    return 0


@strategy.command("drift")
@click.argument("deployment")
@click.option("--kept", is_flag=True, help="Show the newest report that was kept, without measuring.")
@AS_JSON
def show_drift(*, deployment: str, kept: bool, as_json: bool) -> int:
    """Hold a DEPLOYMENT against the backtest of its bars.

    Compares decisions, orders, fills and worth, and says why they differ; status 1 where somebody has to look.
    """
    from alphintra.cli import naming, session

    path = f"/deployments/{naming.as_uuid(deployment, pointer='DEPLOYMENT')}/drift"
    with session.person() as api:
        found = api.get(path) if kept else api.post(path)
    if as_json:
        print_json(found)
        return 1 if found["is_over"] else 0
    print_fields(
        {
            "deployment": found["deployment_id"],
            "measured (UTC)": moment(found["made_at"]),
            "bars": f"{found['bars']}, {moment(found['first_ts'])} to {moment(found['last_ts'])}",
            "compared": f"{found['decisions']} decisions, {found['orders']} orders, {found['fills']} fills",
            "equity": f"{amount(found['equity'])}, {amount(found['replayed_equity'])} in the backtest",
            "apart": f"{found['equity_bps']} bps of the capital",
            "slippage": f"{found['slippage_bps']} bps worse than the backtest",
            "to be looked at": "yes" if found["is_over"] else "no",
        }
    )
    if found["differences"]:
        rows = [(moment(each["ts"]), each["kind"], each["reason"], each["detail"]) for each in found["differences"]]
        print_table(("bar (UTC)", "what", "reason", "detail"), rows)
    return 1 if found["is_over"] else 0


def _values(values: object) -> str:
    if not isinstance(values, Mapping):
        return "" if values is None else json.dumps(values)
    return ", ".join(f"{name} {_short(value)}" for name, value in values.items())


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _print_deployment(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_fields(
        {
            "deployment": found["deployment_id"],
            "symbol": found["symbol"],
            "account": found["account_id"],
            "feed": found["feed_id"],
            "status": found["status"],
            "step": found["last_seq"],
            "capital": amount(found["capital"]),
            "cash": amount(found["cash"]),
            "position": amount(found["position_qty"]),
            "equity": amount(found["equity"]),
            "error": found["error"],
        }
    )
    if found["positions"]:
        rows = [
            (
                each["symbol"],
                amount(each["qty"]),
                amount(each["avg_price"]),
                amount(each["last_price"]),
                amount(each["realized_pnl"]),
            )
            for each in found["positions"]
        ]
        print_table(("symbol", "position", "average", "last", "realised"), rows)


_OTHERS = (*TEMPLATE_COMMANDS, *VERSION_COMMANDS, *SHARING_COMMANDS, *DRAFT_COMMANDS, *PACKAGE_COMMANDS)
for _command in (*_OTHERS, why_deployment):
    strategy.add_command(_command)

COMMANDS: tuple[click.Command, ...] = (strategy,)
