"""Ready strategies: what each does, what a search may turn in it, and how its own backtest went."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.backtests import written
from alphintra.cli.output import AS_JSON, print_fields, print_json, print_table
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.cli.client import ApiClient

__all__ = ["COMMANDS", "backtest_of"]

_ENDED = {"finished", "failed", "canceled", "missing"}
_TIMEOUT_S = 600.0
_CHIEF = (
    ("total_return", "return", "fraction"),
    ("max_drawdown", "deepest fall", "fraction"),
    ("sharpe", "Sharpe", ""),
    ("trade_count", "trades", "trades"),
)


@click.command("templates")
@click.argument("template", required=False)
@click.option("--make", is_flag=True, help="Make the backtests that are missing or out of date, and wait for them.")
@AS_JSON
def list_templates(*, template: str | None, make: bool, as_json: bool) -> int:
    """List ready strategies to begin with, each with its backtest; or tell all of one TEMPLATE."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/templates")["templates"]
        runs = _made(api) if make else _runs(api)
    if template is not None:
        found = [each for each in found if each["name"] == template]
        if not found:
            detail = f"there is no template {template!r}: `alphintra strategy templates` lists them"
            raise AlphintraError("TEMPLATE_UNKNOWN", detail, kind=Kind.NOT_FOUND, pointer="TEMPLATE")
    told = [{**each, "backtest": runs[each["name"]]} for each in found]
    if as_json:
        print_json({"templates": told})
    elif template is not None:
        _print_template(told[0])
    else:
        print_table(
            ("template", "title", "what it does"), [(each["name"], each["title"], each["description"]) for each in told]
        )
        _print_backtests(told)
    return 0


def backtest_of(api: ApiClient, template: str) -> Any:  # noqa: ANN401 - JSON
    """Return the backtest of a template as the API tells it; what is missing is asked for, and not waited for."""
    found = _runs(api)[template]
    return found if found["is_current"] else _by_name(api.post("/templates/backtests"))[template]


def _made(api: ApiClient) -> dict[str, Any]:
    from alphintra.cli.client import wait_for

    api.post("/templates/backtests")
    found: dict[str, Any] = wait_for(
        "the backtests of the templates",
        lambda: _runs(api),
        lambda runs: all(run["status"] in _ENDED for run in runs.values()),
        timeout_s=_TIMEOUT_S,
    )
    return found


def _runs(api: ApiClient) -> dict[str, Any]:
    return _by_name(api.get("/templates/backtests"))


def _by_name(found: Mapping[str, Any]) -> dict[str, Any]:
    return {each["template"]: each for each in found["backtests"]}


def _print_backtests(told: list[dict[str, Any]]) -> None:
    rows = [
        (
            each["name"],
            ",".join(each["backtest"]["symbols"]),
            *(written(each["backtest"]["figures"].get(name), unit) for name, _, unit in _CHIEF),
            each["backtest"]["status"],
        )
        for each in told
    ]
    print_table(("template", "tried on", *(label for _, label, _ in _CHIEF), "backtest"), rows)
    reasons = {each["backtest"]["missing"] for each in told if each["backtest"]["missing"]}
    for reason in sorted(reasons):
        click.echo(f"missing: {reason}")
    click.echo("one of them with its numbers and its backtest: alphintra strategy templates TEMPLATE")


def _print_template(told: Mapping[str, Any]) -> None:
    run = told["backtest"]
    print_fields(
        {
            "template": told["name"],
            "title": told["title"],
            "what it does": told["description"],
            "rules between its numbers": ", ".join(told["constraints"]),
            "backtest": run["backtest_id"] or run["missing"],
            "over": f"{', '.join(run['symbols'])} ({run['timeframe']})",
            **{label: written(run["figures"].get(name), unit) for name, label, unit in _CHIEF},
        }
    )
    rows = [(each["name"], each["value"], each["min"], each["max"], each["step"]) for each in told["parameters"]]
    print_table(("number a search may turn", "is", "from", "to", "step"), rows)


COMMANDS: tuple[click.Command, ...] = (list_templates,)
