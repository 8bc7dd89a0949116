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
    from alphintra.cli import naming, session

    ident = naming.as_uuid(backtest, pointer="BACKTEST")
    with session.person() as api:
        found = api.get(f"/backtests/{ident}/why", at=at)
    _print(found, as_json=as_json)
    return 0


@click.command("why")
@click.argument("deployment")
@_AT
@AS_JSON
def why_deployment(*, deployment: str, at: str, as_json: bool) -> int:
    """Say why a DEPLOYMENT traded, or did not, on a bar."""
    from alphintra.cli import naming, session

    ident = naming.as_uuid(deployment, pointer="DEPLOYMENT")
    with session.person() as api:
        found = api.get(f"/deployments/{ident}/why", at=at)
    _print(found, as_json=as_json)
    return 0


def _print(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['symbol']}, bar of {moment(found['bar_ts'])} UTC")
    for sentence in found["sentences"]:
        click.echo(f"{'  ' * sentence['depth']}{sentence['text']}")
