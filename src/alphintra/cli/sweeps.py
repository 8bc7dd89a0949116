"""Sweeps and walk-forwards: which parameters a strategy takes, and what that choice is worth afterwards."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.backtests import backtest, version_id
from alphintra.cli.output import AS_JSON, moment, print_fields, print_json, print_table, progress_bar
from alphintra.cli.parameters import AMOUNT, DAY, POSITIVE, TRADED, check_range, traded
from alphintra.cli.reports import SWEEP_KINDS, require_kind, write_sweep
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.cli.client import ApiClient

__all__ = ["COMMANDS"]

RUN_TIMEOUT_S = 7 * 24 * 3600.0
_ENDED = {"finished", "failed", "canceled"}
_SHARE = click.FloatRange(0, 1)
_EXAMPLE = "--param fast.period=5:20:5"


def _terms(command: Callable[..., int]) -> Callable[..., int]:
    """Add what a sweep and a walk-forward are both told."""
    options = (
        click.option("--workflow", "--strategy", "workflow", help="Strategy, by id or name."),
        click.option("--template", help="One of `alphintra strategy templates`, as it comes."),
        click.option("--timeframe", help="Bars the template is to run on, such as 5m, 1h or 1d, instead of its own."),
        click.option("--account", help="Account whose limits hold, by id or name; else those of a new one."),
        TRADED,
        click.option(
            "--param",
            "params",
            multiple=True,
            help="NODE.PARAM=MIN:MAX:STEP, once for each; without, those the strategy exposes.",
        ),
        click.option("--constraint", "constraints", multiple=True, help="E.g. 'fast.period < slow.period'."),
        click.option("--method", type=click.Choice(["grid", "random", "tpe"]), default="grid", show_default=True),
        click.option("--trials", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Not for grid."),
        click.option("--objective", default="sharpe", show_default=True, help="Figure to be made as large as it can."),
        click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True),
        click.option("--holdout", type=AMOUNT, default="0.2", show_default=True, help="Share of the bars locked away."),
        click.option("--start", type=DAY, help="First day (UTC)."),
        click.option("--end", type=DAY, help="Day before which it ends (UTC)."),
        click.option("--cash", type=POSITIVE, default="100000", show_default=True, help="Starting cash."),
        click.option("--fee-bps", type=AMOUNT, default="0", show_default=True, help="Fee in 1/100 percent of a fill."),
        click.option(
            "--slippage-bps", type=AMOUNT, default="0", show_default=True, help="How much worse each fill is."
        ),
        click.option("--out", type=click.Path(path_type=Path), help="Also write the report: sweep.html or .json."),
        AS_JSON,
    )
    for option in reversed(options):
        command = option(command)
    return command


@backtest.command("sweep")
@_terms
def sweep(*, as_json: bool, **chosen: Any) -> int:  # noqa: ANN401 - the options above
    """Try a strategy with many parameters and tell the best; Ctrl-C cancels, trials are kept.

    The newest fifth of the bars is locked away: `backtest unlock` tries the best on them, once, and says so for good.
    """
    return _search(chosen, None, as_json=as_json)


@backtest.command("walk-forward")
@_terms
@click.option("--train", type=click.IntRange(1), required=True, help="Bars to choose on.")
@click.option("--test", type=click.IntRange(1), required=True, help="Bars after them to try the choice on.")
@click.option("--step", type=click.IntRange(1), help="Bars from one test to the next; as --test unless given.")
@click.option("--anchored", is_flag=True, help="Every training begins at the first bar.")
def walk_forward(
    *,
    as_json: bool,
    train: int,
    test: int,
    step: int | None,
    anchored: bool,
    **chosen: Any,  # noqa: ANN401 - as sweep
) -> int:
    """Choose parameters in windows of history and try each choice on what followed."""
    terms = {"train": train, "test": test, "step": step, "is_anchored": anchored}
    return _search(chosen, terms, as_json=as_json)


@backtest.command("sweeps")
@click.option("--lines", "-n", type=click.IntRange(1, 200), default=50, show_default=True)
@AS_JSON
def list_sweeps(*, lines: int, as_json: bool) -> int:
    """List your sweeps and walk-forwards, newest first."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/sweeps", limit=lines)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (s["sweep_id"], s["kind"], s["symbol"], s["status"], s["trials"], s["unlocks"], moment(s["created_at"]))
        for s in found["sweeps"]
    ]
    print_table(("sweep", "kind", "symbol", "status", "trials", "holdout opened", "started (UTC)"), rows)
    return 0


@backtest.command("trials")
@click.argument("sweep")
@click.option("--lines", "-n", type=click.IntRange(1, 200), default=20, show_default=True)
@AS_JSON
def list_trials(*, sweep: str, lines: int, as_json: bool) -> int:
    """List the trials of a SWEEP, the best first; --json tells how to repeat each as a backtest."""
    from alphintra.cli import naming, session

    ident = naming.as_uuid(sweep, pointer="SWEEP")
    with session.person() as api:
        found = api.get(f"/sweeps/{ident}/trials", limit=lines)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            t["role"],
            t["segment"],
            t["number"],
            _point(t["parameters"]),
            _number(t["score"]),
            t["error_code"],
            t["result_hash"][:12],
        )
        for t in found["trials"]
    ]
    print_table(("role", "window", "trial", "parameters", "score", "error", "result hash"), rows)
    return 0


@backtest.command("sweep-report")
@click.argument("sweep")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="sweep.html or sweep.json.")
def sweep_report(*, sweep: str, out: Path) -> int:
    """Write a finished SWEEP or walk-forward to a file: a page with its heat map and its trials, or JSON."""
    from alphintra.cli import naming, session

    require_kind(out, SWEEP_KINDS)
    ident = naming.as_uuid(sweep, pointer="SWEEP")
    with session.person() as api:
        write_sweep(api, api.get(f"/sweeps/{ident}"), out)
    click.echo(str(out), err=True)
    return 0


@backtest.command("unlock")
@click.argument("sweep")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def unlock(*, sweep: str, yes: bool, as_json: bool) -> int:
    """Try the best of a SWEEP on all bars, the locked ones too; the look is noted for good."""
    from alphintra.cli import naming, session
    from alphintra.cli.parameters import require_confirmed

    ident = naming.as_uuid(sweep, pointer="SWEEP")
    require_confirmed("A holdout proves something once: open it now?", is_confirmed=yes)
    with session.person() as api:
        started = api.post(f"/sweeps/{ident}/unlock")
    if as_json:
        print_json(started)
    else:
        print_fields({"backtest": started["backtest_id"], "status": started["status"]})
    return 0


@backtest.command("thresholds")
@click.option("--dsr-green", type=_SHARE, help="Deflated Sharpe ratio from which on it is green.")
@click.option("--dsr-red", type=_SHARE, help="Below which it is red.")
@click.option("--pbo-green", type=_SHARE, help="Probability of overfitting up to which it is green.")
@click.option("--pbo-red", type=_SHARE, help="Above which it is red.")
@click.option("--oos-t-green", type=click.FloatRange(0), help="t-statistic of the walk-forward from which on.")
@click.option("--trades-green", type=click.IntRange(0), help="Closed trades from which on it is green.")
@click.option("--trades-red", type=click.IntRange(0), help="Below which it is red.")
@click.option("--stress-green", type=_SHARE, help="Share of the stress variants that gain, from which on.")
@click.option("--stress-red", type=_SHARE, help="Below which it is red.")
@click.option("--default", "is_default", is_flag=True, help="First put all back to those everybody begins with.")
@AS_JSON
def thresholds(*, as_json: bool, is_default: bool, **given: float | None) -> int:
    """Show, or change, where the colours of your verdicts begin; each backtest keeps those it was asked for with."""
    from alphintra.cli import session

    changes = {name: value for name, value in given.items() if value is not None}
    with session.person() as api:
        if changes or is_default:
            found = api.patch("/verdict-thresholds", {**changes, "is_default": is_default})
        else:
            found = api.get("/verdict-thresholds")
    if as_json:
        print_json(found)
        return 0
    changed = found.pop("changed_at")
    print_fields({**found, "changed": moment(changed) if changed else "never: those everybody begins with"})
    return 0


def _search(chosen: Mapping[str, Any], windows: Mapping[str, Any] | None, *, as_json: bool) -> int:
    from alphintra.cli import naming, session

    if (chosen["workflow"] is None) == (chosen["template"] is None):
        raise AlphintraError("STRATEGY_SOURCE", "say --workflow or --template, one of them", pointer="--workflow")
    check_range(chosen["start"], chosen["end"])
    out: Path | None = chosen["out"]
    if out is not None:
        require_kind(out, SWEEP_KINDS)
    body = {
        **traded(chosen["symbols"]),
        "parameters": [_range(text) for text in chosen["params"]],
        "constraints": list(chosen["constraints"]),
        **{name: chosen[name] for name in ("method", "trials", "objective", "seed", "holdout", "start", "end")},
        "initial_cash": chosen["cash"],
        "fee_bps": chosen["fee_bps"],
        "slippage_bps": chosen["slippage_bps"],
        "walk_forward": windows,
    }
    with session.person() as api:
        body["version_id"] = version_id(api, chosen["workflow"], chosen["template"], chosen["timeframe"])
        body["account_id"] = naming.account_id(api, chosen["account"]) if chosen["account"] else None
        started = api.post("/sweeps", body)
        ended = _await_end(api, started["sweep_id"], f"trying {started['symbol']}")
        if out is not None and ended["status"] == "finished":
            write_sweep(api, ended, out)
    if ended["status"] == "failed":
        raise AlphintraError(ended["error_code"] or "SWEEP_FAILED", ended["error"])
    _print(ended, as_json=as_json)
    return 0 if ended["status"] == "finished" else 1


def _range(text: str) -> dict[str, str]:
    name, _, values = text.partition("=")
    parts = values.split(":")
    if not name or len(parts) != 3:  # noqa: PLR2004 - min, max and step
        raise AlphintraError("PARAM_FORMAT", f"--param: {text[:60]!r} is not like {_EXAMPLE}", pointer="--param")
    low, high, step = parts
    return {"name": name.strip(), "min": low, "max": high, "step": step}


def _await_end(api: ApiClient, sweep_id: str, what: str) -> Any:  # noqa: ANN401 - JSON
    from alphintra.cli.client import wait_for

    path = f"/sweeps/{sweep_id}"
    try:
        with progress_bar(what) as tell:

            def fetch() -> Any:  # noqa: ANN401 - JSON
                found = api.get(path)
                tell(found["progress"])
                return found

            return wait_for("the sweep", fetch, lambda found: found["status"] in _ENDED, timeout_s=RUN_TIMEOUT_S)
    except KeyboardInterrupt:
        api.post(f"{path}/cancel")
        click.echo("canceled the sweep; its trials are kept", err=True)
        raise


def _print(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    result = found["result"] if isinstance(found["result"], dict) else json.loads(found["result"] or "{}")
    best, pbo = result.get("best") or {}, result.get("pbo") or {}
    plateau = (result.get("surface") or {}).get("plateau") or {}
    stress, entries, joined = (result.get(name) or {} for name in ("stress", "entries", "stitched"))
    print_fields(
        {
            "sweep": found["sweep_id"],
            "status": found["status"],
            "trials": found["trials"],
            "failed": result.get("failed", "-"),
            "refused by constraints": "-" if result.get("refused") is None else result["refused"],
            "locked from": moment(found["holdout_ts"]) if found["holdout_ts"] else "nothing is locked",
            "best parameters": _point(best.get("parameters") or {}),
            "best score": _number(best.get("score")),
            "plateau (neighbours' median of best)": _number(plateau.get("share")),
            "probability of overfitting": _number(pbo.get("pbo")),
            "stress variants that gained": _number(stress.get("share")),
            "p-value of the entries": _number(entries.get("p_value")),
            "above candles in other orders": _share(result.get("candles")),
            "out-of-sample Sharpe ratio": _number(joined.get("sharpe")),
            "its t-statistic": _number(joined.get("t")),
        }
    )
    if result.get("windows"):
        rows = [
            (
                w["number"],
                w["test"][0][:10],
                _point(w["parameters"]),
                _number(w["in_sample"].get("sharpe")),
                _number(w["out_of_sample"].get("sharpe")),
            )
            for w in result["windows"]
        ]
        print_table(("window", "tested from", "parameters", "in-sample Sharpe", "out-of-sample Sharpe"), rows)


def _share(candles: Mapping[str, Any] | None) -> str:
    if not candles:
        return "-"
    return f"{candles['share_below']:.0%} of {candles['count']} runs{' (suspect)' if candles['is_suspect'] else ''}"


def _point(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3f}"


COMMANDS: tuple[click.Command, ...] = (backtest,)  # the same group, with what this module adds to it
