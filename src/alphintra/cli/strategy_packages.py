"""Algorithms that installed Python packages bring, and strategies made of them."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import click

from alphintra.cli.output import AS_JSON, print_json, print_table
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]

_TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")


@click.command("packages")
@AS_JSON
def list_packages(*, as_json: bool) -> int:
    """List the algorithms of installed Python packages.

    Only packages the operator names in ALPHINTRA_STRATEGY_PACKAGES may run.
    """
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/algorithms")
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["algorithm"],
            f"{each['package']} {each['release']}",
            each["content_hash"][:12],
            each["problem"] or _signature(each),
            each["summary"],
        )
        for each in found["algorithms"]
    ]
    print_table(("algorithm", "package", "hash", "parameters, or why not", "what it does"), rows)
    return 0


@click.command("adopt")
@click.argument("algorithm")
@click.option("--package", help="Its package, where several bring an algorithm of that name.")
@click.option("--name", help="Name of the strategy; that of the algorithm unless it is said.")
@click.option("--timeframe", type=click.Choice(_TIMEFRAMES), default="1d", show_default=True)
@click.option("--warm-up", type=click.IntRange(0, 50_000), help="Bars before it may order; what it asks for by itself.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Value of one of its parameters.")
@AS_JSON
def adopt(  # noqa: PLR0913 - its options
    *,
    algorithm: str,
    package: str | None,
    name: str | None,
    timeframe: str,
    warm_up: int | None,
    settings: Sequence[str],
    as_json: bool,
) -> int:
    """Store a strategy that is an ALGORITHM of an installed package, bound to the files that are installed now."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/algorithms")["algorithms"]
        chosen = _chosen(found, algorithm, package)
        graph = _graph(chosen, _values(chosen["parameters"], settings), timeframe, warm_up)
        stored = name or algorithm
        made = api.post_document("/workflows", "graph", json.dumps(graph | {"name": stored}), {"name": stored})
    if as_json:
        print_json(made)
    else:
        told = f"{chosen['package']} {chosen['release']} ({chosen['content_hash'][:12]})"
        click.echo(f"stored {made['name']!r} ({made['workflow_id']}), version {made['version']}, bound to {told}")
    return 0


def _chosen(found: Sequence[Mapping[str, Any]], algorithm: str, package: str | None) -> Mapping[str, Any]:
    named = [each for each in found if each["algorithm"] == algorithm and package in {None, each["package"]}]
    if len(named) != 1:
        known = ", ".join(sorted({each["algorithm"] for each in found})) or "none"
        message = f"{len(named)} installed packages bring {algorithm!r}; there are: {known}; --package says which"
        raise AlphintraError("ALGORITHM_NOT_INSTALLED", message, pointer="ALGORITHM")
    if named[0]["problem"]:
        raise AlphintraError("ALGORITHM_NOT_ALLOWED", named[0]["problem"], pointer="ALGORITHM")
    return named[0]


def _values(parameters: Sequence[Mapping[str, Any]], settings: Sequence[str]) -> dict[str, Any]:
    """Return a value for each parameter, written as its kind is."""
    values = {each["name"]: each["default"] for each in parameters}
    kinds = {each["name"]: each["kind"] for each in parameters}
    for text in settings:
        name, found, value = (part.strip() for part in text.partition("="))
        if not found or name not in kinds:
            message = f"--set: {text[:60]!r} is not like NAME=VALUE with one of {', '.join(sorted(kinds)) or 'no name'}"
            raise AlphintraError("PARAM_FORMAT", message, pointer="--set")
        values[name] = _written(kinds[name], name, value)
    return values


def _written(kind: str, name: str, value: str) -> int | float | bool | str:
    is_number = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is not None
    if kind == "int" and re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    if kind == "number" and is_number:
        return float(value)
    if kind == "flag" and value in {"true", "false"}:
        return value == "true"
    if kind in {"choice", "text", "symbol"} or (kind == "decimal" and is_number):
        return value
    raise AlphintraError("PARAM_FORMAT", f"--set: {name} takes a {kind}, not {value[:60]!r}", pointer="--set")


def _graph(chosen: Mapping[str, Any], values: Mapping[str, Any], timeframe: str, warm_up: int | None) -> dict[str, Any]:
    bound = {name: chosen[name] for name in ("algorithm", "package", "release", "content_hash")}
    params = {**values, **bound, "warm_up": chosen["warm_up"] if warm_up is None else warm_up, "seed": 0}
    return {
        "schema": 1,
        "timeframe": timeframe,
        "nodes": [
            {"id": "bars", "type": "Bars"},
            {"id": "algorithm", "type": "Algorithm", "params": params},
        ],
        "edges": [{"from": "bars.close", "to": "algorithm.close"}],
        "layout": {"bars": [0.0, 0.0], "algorithm": [220.0, 0.0]},
    }


def _signature(algorithm: Mapping[str, Any]) -> str:
    told = [f"{each['name']}={each['default']}" for each in algorithm["parameters"]]
    return ", ".join([*told, f"warm_up={algorithm['warm_up']}"])


COMMANDS: tuple[click.Command, ...] = (list_packages, adopt)
