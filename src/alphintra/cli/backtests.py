"""Backtests: a strategy over history, with its figures in plain words."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.explanations import why_backtest
from alphintra.cli.output import AS_JSON, WIDTH_MAX, moment, print_fields, print_json, print_table, progress_bar
from alphintra.cli.parameters import AMOUNT, DAY, POSITIVE, TRADED, check_range, traded
from alphintra.cli.reports import report, require_kind, write_report
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Intrabar

if TYPE_CHECKING:
    from alphintra.cli.client import ApiClient

__all__ = ["COMMANDS", "await_backtest", "backtest", "version_id", "written"]

RUN_TIMEOUT_S = 24 * 3600.0
_ENDED = {"finished", "failed", "canceled"}


_CHIEF = (
    "final_equity",
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "psr",
    "max_drawdown",
    "benchmark_return",
    "exposure",
    "trade_count",
    "win_rate",
    "profit_factor",
    "cost_total",
)
"""Figures that are shown unless all are asked for."""


_INTRABAR = "What a bar does to stops and targets: our rule or another engine's."


@click.group()
def backtest() -> None:
    """Try a strategy on history."""


@backtest.command("run")
@click.option("--workflow", "--strategy", "workflow", help="Strategy, by id or name.")
@click.option("--template", help="One of `alphintra strategy templates`, as it comes.")
@click.option("--timeframe", help="Bars the template is to run on, such as 5m, 1h or 1d, instead of its own.")
@TRADED
@click.option("--start", type=DAY, help="First day (UTC).")
@click.option("--end", type=DAY, help="Day before which it ends (UTC).")
@click.option("--cash", type=POSITIVE, default="100000", show_default=True, help="Starting cash.")
@click.option("--fee-bps", type=AMOUNT, default="0", show_default=True, help="Fee in 1/100 percent of each fill.")
@click.option("--slippage-bps", type=AMOUNT, default="0", show_default=True, help="How much worse each fill is.")
@click.option("--account", help="Account whose limits hold, by id or name; else those of a new one.")
@click.option(
    "--intrabar",
    type=click.Choice([each.value for each in Intrabar]),
    default="chronological",
    show_default=True,
    help=_INTRABAR,
)
@click.option("--set", "settings", multiple=True, help="NODE.PARAM=VALUE instead of the strategy's own.")
@click.option(
    "--out", "--report", "out", type=click.Path(path_type=Path), help="Also write report.html, .csv or .json."
)
@AS_JSON
def run(
    *,
    as_json: bool,
    settings: tuple[str, ...],
    out: Path | None,
    symbols: tuple[tuple[str, ...], ...],
    **chosen: str | None,
) -> int:
    """Run a backtest and print its figures; Ctrl-C cancels it."""
    from alphintra.cli import naming, session

    if (chosen["workflow"] is None) == (chosen["template"] is None):
        raise AlphintraError("STRATEGY_SOURCE", "say --workflow or --template, one of them", pointer="--workflow")
    check_range(chosen["start"], chosen["end"])
    if out is not None:
        require_kind(out)
    with session.person() as api:
        body = {
            "version_id": version_id(api, chosen["workflow"], chosen["template"], chosen["timeframe"]),
            **traded(symbols),
            "start": chosen["start"],
            "end": chosen["end"],
            "initial_cash": chosen["cash"],
            "fee_bps": chosen["fee_bps"],
            "slippage_bps": chosen["slippage_bps"],
            "intrabar": chosen["intrabar"],
            "account_id": naming.account_id(api, chosen["account"]) if chosen["account"] else None,
            "parameters": dict(_setting(text) for text in settings),
        }
        started = api.post("/backtests", body)
        ended = await_backtest(api, started["backtest_id"], f"backtesting {started['symbol']}")
        if out is not None and ended["status"] == "finished":
            write_report(api, ended, out)
    if ended["status"] == "failed":
        raise AlphintraError(ended["error_code"] or "BACKTEST_FAILED", ended["error"])
    _print_backtest(ended, as_json=as_json)
    return 0 if ended["status"] == "finished" else 1


@backtest.command("list")
@click.option("--lines", "-n", type=click.IntRange(1, 1000), default=50, show_default=True)
@AS_JSON
def list_backtests(*, lines: int, as_json: bool) -> int:
    """List your backtests, newest first."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/backtests", limit=lines)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["backtest_id"],
            each["symbol"],
            each["status"],
            written(each["metrics"].get("total_return"), "fraction"),
            written(each["metrics"].get("max_drawdown"), "fraction"),
            moment(each["created_at"]),
        )
        for each in found["backtests"]
    ]
    print_table(("backtest", "symbol", "status", "return", "deepest fall", "started (UTC)"), rows)
    return 0


@backtest.command("show")
@click.argument("backtest")
@click.option("--all", "with_all", is_flag=True, help="All figures, not the chief ones alone.")
@AS_JSON
def show_backtest(*, backtest: str, with_all: bool, as_json: bool) -> int:
    """Show a BACKTEST's figures; its trades and equity with --json."""
    from alphintra.cli import naming, session

    ident = naming.as_uuid(backtest, pointer="BACKTEST")
    with session.person() as api:
        found = api.get(f"/backtests/{ident}")
    _print_backtest(found, as_json=as_json, with_all=with_all)
    return 0


def _setting(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name.strip():
        raise AlphintraError("PARAM_FORMAT", f"--set: {text[:60]!r} is not like fast.period=10", pointer="--set")
    return name.strip(), value.strip()


def version_id(api: ApiClient, workflow: str | None, template: str | None, timeframe: str | None = None) -> str:
    """Return the version to run.

    Runs refer to stored versions: a template is stored under its own name, and brought up to what it is today where
    what is stored under that name differs.
    """
    from alphintra.cli import naming

    if workflow is not None:
        if timeframe is not None:
            detail = "a strategy names its own timeframe: change it there, or take a template"
            raise AlphintraError("FIELD_FORBIDDEN", detail, pointer="--timeframe")
        return str(naming.workflow(api, workflow)["version_id"])
    name = f"template {template}" + ("" if timeframe is None else f" on {timeframe}")
    found = [each for each in api.get("/workflows")["workflows"] if each["name"] == name]
    if not found:
        made = api.post("/workflows", {"name": name, "template": template, "timeframe": timeframe})
        return str(made["version_id"])
    graph = next(each["graph"] for each in api.get("/templates")["templates"] if each["name"] == template)
    if timeframe is not None:
        graph = {**graph, "timeframe": timeframe}
    path = f"/workflows/{found[0]['workflow_id']}/versions"
    saved = api.post_document(path, "graph", json.dumps(graph), {"base_version": found[0]["version"]})
    return str(saved["version_id"])


def await_backtest(api: ApiClient, backtest_id: str, what: str) -> Any:  # noqa: ANN401 - JSON
    """Return a backtest once it has ended, showing how far it is; Ctrl-C cancels it."""
    from alphintra.cli.client import wait_for

    path = f"/backtests/{backtest_id}"
    try:
        with progress_bar(what) as tell:

            def fetch() -> Any:  # noqa: ANN401 - JSON
                found = api.get(path)
                tell(found["progress"])
                return found

            return wait_for("the backtest", fetch, lambda found: found["status"] in _ENDED, timeout_s=RUN_TIMEOUT_S)
    except KeyboardInterrupt:
        api.post(f"{path}/cancel")
        click.echo("canceled the backtest", err=True)
        raise


def _print_backtest(found: Mapping[str, Any], *, as_json: bool, with_all: bool = False) -> None:
    if as_json:
        print_json(found)
        return
    result = found["result"] or {}
    print_fields(
        {
            "backtest": found["backtest_id"],
            "symbol": found["symbol"],
            "status": found["status"],
            "error": f"{found['error_code']}: {found['error']}" if found["error_code"] else "",
            "fills": len(result.get("fills", ())) + result.get("left_out", {}).get("fills", 0),
            "run hash": found["run_hash"],
            "result hash": found["result_hash"],
        }
    )
    if result.get("contributions"):
        rows = [
            (each["symbol"], each["fills"], each["trades"], _money(each["net"]), _money(each["fees"]))
            for each in result["contributions"]
        ]
        print_table(("symbol", "fills", "trades", "contributed", "fees"), rows)
    metrics = found["metrics"]
    if metrics:
        shown = metrics if with_all else {name: metrics[name] for name in _CHIEF if name in metrics}
        print_table(("figure", "value", "in plain words"), _figures(shown))
        _print_cautions(found)
        if not with_all:
            click.echo(f"all {len(metrics)} figures: alphintra backtest show {found['backtest_id']} --all")


def _print_cautions(found: Mapping[str, Any]) -> None:
    """Name what to know before trusting the run."""
    told = [
        f"{each['code']}: {each['message']}; {each['fix']}"
        for each in (found["result"] or {}).get("honesty", {}).get("cautions", ())
    ]
    if found["metrics"].get("trade_count") and not found["metrics"].get("cost_total"):
        told.append("COSTS_NONE: no fee and no slippage was assumed, real fills cost; say --fee-bps and --slippage-bps")
    for line in told:
        click.echo(fill(line, WIDTH_MAX, subsequent_indent="  "))


def _money(text: str) -> str:
    return f"{Decimal(text):,.2f}"


def _figures(metrics: Mapping[str, float | None]) -> list[tuple[str, str, str]]:
    from alphintra.engine.metrics.documents import metric_documents

    return [
        (document.label, written(metrics.get(document.name), document.unit), document.meaning)
        for document in metric_documents()
        if document.name in metrics
    ]


def written(value: float | None, unit: str) -> str:
    """Return a figure as people read it, ``-`` where it is not defined."""
    if value is None:
        return "-"
    if unit.startswith(("fraction", "probability")):
        return f"{value:.2%}"
    if unit in {"bars", "trades", "days"}:
        return f"{value:,.0f}"
    return f"{value:,.2f}"


backtest.add_command(report)
backtest.add_command(why_backtest)

COMMANDS: tuple[click.Command, ...] = (backtest,)
