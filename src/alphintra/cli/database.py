"""The databases from outside: who gets at what, and what differs from the manifest."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that look

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.assessment import advise, assess
from alphintra.cli.database_audit import audit, is_audit
from alphintra.cli.database_plan import apply, plan
from alphintra.cli.database_rotate import rotate
from alphintra.cli.installation import servers_home
from alphintra.cli.output import AS_JSON, print_json, print_rich
from alphintra.cli.reporting import report, reporting

if TYPE_CHECKING:
    from alphintra.dataplane.matrix import AccessMatrix, Cell

__all__ = ["COMMANDS"]


@click.group("db")
def database() -> None:
    """The eight databases and their borders."""


@database.command("verify")
@click.option("--url", help="Audit this PostgreSQL instead, as postgresql://admin@host/db (or ALPHINTRA_AUDIT_URL).")
@click.option("--map", "entries", multiple=True, help="With --url: SERVICE=DATABASE:ROLE[:SCHEMA]; once per service.")
@click.option(
    "--password-file", type=click.Path(path_type=Path), help="With --url: the roles' passwords, in a file like .pgpass."
)
@click.option("--sql", "as_sql", is_flag=True, help="With --url: print the statements that close what is found.")
@AS_JSON
def verify(
    *, url: str | None, entries: tuple[str, ...], password_file: Path | None, as_sql: bool, as_json: bool
) -> int:
    """Attack every border and show the matrix.

    Tries every service's credential on every database and subject. Exit status 1 unless all ends as declared. With
    --url and --map it audits a PostgreSQL that Alphintra did not build, and changes nothing there.
    """
    import asyncio

    if is_audit(url, entries):
        return audit(url, entries, password_file=password_file, as_json=as_json, as_sql=as_sql)

    from alphintra.runtime.inspection import probe_access

    matrices = asyncio.run(probe_access(servers_home()))
    is_isolated = all(matrix.is_isolated for matrix in matrices)
    if as_json:
        print_json({"is_isolated": is_isolated, "matrices": [_document(matrix) for matrix in matrices]})
    else:
        for matrix in matrices:
            _print_matrix(matrix)
        click.echo("isolated" if is_isolated else "NOT isolated")
    return 0 if is_isolated else 1


def _document(matrix: AccessMatrix) -> dict[str, Any]:
    return {
        "kind": matrix.kind,
        "is_isolated": matrix.is_isolated,
        "allowed": matrix.allowed_count,
        "denied": matrix.denied_count,
        "cells": [_cell(cell) for cell in matrix.cells],
        "outsiders": [_cell(cell) for cell in matrix.outsiders],
        "faults": list(matrix.faults),
        "drift": list(matrix.drift),
        "limits": list(matrix.limits),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "user": cell.user,
        "target": cell.target,
        "is_allowed": cell.is_allowed,
        "is_as_declared": cell.is_as_declared,
        "declared": list(cell.declared),
        "probes": [
            {"name": probe.name, "may": probe.may, "outcome": probe.outcome.value, "answer": probe.answer}
            for probe in cell.probes
        ],
    }


def _print_matrix(matrix: AccessMatrix) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    targets = list(dict.fromkeys(cell.target for cell in matrix.cells))
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"{matrix.kind}: rows tried with their own credential, columns are whose {matrix.kind} it is",
        title_justify="left",
        pad_edge=False,
    )
    table.add_column("")
    for target in targets:
        table.add_column(target, justify="center")
    cells = {(cell.user, cell.target): cell for cell in matrix.cells}
    for user in dict.fromkeys(cell.user for cell in matrix.cells):
        row = (cells.get((user, target)) for target in targets)
        table.add_row(user, *(Text("-") if cell is None else _word(cell) for cell in row))
    verdict = "every try ended as declared" if matrix.is_isolated else "NOT as declared"
    print_rich(
        table,
        Text(f"{matrix.allowed_count} allow, {matrix.denied_count} deny; {verdict}"),
        *(Text(f"  fault: {fault}", style="red") for fault in matrix.faults),
        *(Text(f"  not provable: {limit}") for limit in matrix.limits),
        Text(""),
    )


def _word(cell: Cell) -> Any:  # noqa: ANN401 - rich.text.Text, which is not imported up here
    from rich.text import Text

    word = "allow" if cell.is_allowed else "deny"
    if not cell.is_as_declared:
        return Text(f"{word}!", style="bold red")
    return Text(word, style="green" if cell.is_allowed else "dim")


database.add_command(assess)
database.add_command(advise)
database.add_command(report)
database.add_command(reporting)
database.add_command(rotate)
database.add_command(plan)
database.add_command(apply)

COMMANDS: tuple[click.Command, ...] = (database,)
