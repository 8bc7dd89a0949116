"""Why a bar of a backtest or a deployment brought an order, or none."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from alphintra.cli.output import AS_JSON, moment, print_json
from alphintra.cli.parameters import DAY

__all__ = ["why_backtest", "why_deployment"]

_AT = click.option("--at", type=DAY, required=True, help="The first bar that closed then (UTC) or later.")


@click.command("why")
@click.argument("backtest")
@_AT
@AS_JSON
def why_backtest(*, backtest: str, at: str, as_json: bool) -> int:
    """Say why a BACKTEST traded, or did not, on a bar."""
    return _explain("backtests", backtest, "BACKTEST", at=at, as_json=as_json)


@click.command("why")
@click.argument("deployment")
@_AT
@AS_JSON
def why_deployment(*, deployment: str, at: str, as_json: bool) -> int:
    """Say why a DEPLOYMENT traded, or did not, on a bar."""
    return _explain("deployments", deployment, "DEPLOYMENT", at=at, as_json=as_json)


def _explain(kind: str, text: str, pointer: str, *, at: str, as_json: bool) -> int:
    from alphintra.cli import naming, session

    ident = naming.as_uuid(text, pointer=pointer)
    with session.person() as api:
        found: Mapping[str, Any] = api.get(f"/{kind}/{ident}/why", at=at)
    if as_json:
        print_json(found)
        return 0
    click.echo(f"{found['symbol']}, bar of {moment(found['bar_ts'])} UTC")
    for sentence in found["sentences"]:
        click.echo(f"{'  ' * sentence['depth']}{sentence['text']}")
    return 0
