"""What commands print: JSON for programs, tables for people."""

from __future__ import annotations

import json

import click

__all__ = ["AS_JSON", "print_json"]

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
