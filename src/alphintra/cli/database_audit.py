"""``alphintra db verify --url``: the audit of a PostgreSQL that somebody else set up."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that look

from __future__ import annotations

import os
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.output import print_json, print_rich, progress_bar
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.dataplane.audit.finding import Finding
    from alphintra.dataplane.audit.pgpass import PassLine
    from alphintra.dataplane.audit.run import Audit
    from alphintra.dataplane.matrix import Cell
    from alphintra.dataplane.server import Server

__all__ = ["AUDIT_URL_VARIABLE", "audit", "is_audit"]

AUDIT_URL_VARIABLE = "ALPHINTRA_AUDIT_URL"
_PGPASS = "~/.pgpass"
_OTHERS = 0o077
_SHOWN_PER_CODE = 3
_STATEMENTS_SHOWN = 2


def is_audit(url: str | None, entries: Sequence[str]) -> bool:
    """Tell whether the command is about a foreign server. Raises USAGE where a map has no server."""
    if entries and not (url or os.environ.get(AUDIT_URL_VARIABLE)):
        message = f"--map needs the server: add --url postgresql://admin@host/postgres, or set {AUDIT_URL_VARIABLE}"
        raise AlphintraError("AUDIT_URL", message, pointer="--url")
    return bool(url or entries)


def audit(
    url: str | None, entries: Sequence[str], *, password_file: Path | None, as_json: bool, as_sql: bool, is_quick: bool
) -> int:
    """Audit the server and print what was found; 1 with findings, 0 without. Nothing is changed there."""
    import asyncio

    from alphintra.dataplane.audit.mapping import parse_map
    from alphintra.dataplane.audit.run import audit_server, server_of

    server = server_of(url or os.environ.get(AUDIT_URL_VARIABLE, ""))
    mapped = parse_map(entries)
    credentials = _credentials(server, password_file)
    with progress_bar(f"auditing {server.host}:{server.port}") as progress:
        found = asyncio.run(
            audit_server(server, mapped, credentials=credentials, with_probes=not is_quick, progress=progress)
        )
    if as_json:
        print_json(_document(found))
    elif as_sql:
        _print_script(found)
    else:
        _print(found, server)
    return 0 if found.is_clean else 1


def _credentials(server: Server, password_file: Path | None) -> Any:  # noqa: ANN401 - dataplane.audit_trial.Credentials
    from alphintra.dataplane.audit.pgpass import find_password, parse_pgpass, password_variable

    lines: tuple[PassLine, ...] = ()
    if password_file is not None:
        lines = parse_pgpass(_read_private(password_file), name=password_file.name)
    else:
        usual = Path(os.environ.get("PGPASSFILE") or _PGPASS).expanduser()
        # As libpq: without a word where it is absent, or open to others.
        if usual.is_file() and not usual.stat().st_mode & _OTHERS:
            lines = parse_pgpass(usual.read_text(encoding="utf-8"), name=usual.name)

    def password(role: str, database: str) -> str | None:
        return password_variable(role, os.environ) or find_password(
            lines, host=server.host, port=server.port, database=database, user=role
        )

    return password


def _read_private(path: Path) -> str:
    from alphintra.cli.parameters import read_text

    text = read_text(path)
    if path.stat().st_mode & _OTHERS:
        message = f"{path} can be read by others: run 'chmod 600 {path}', and change the passwords if they were seen"
        raise AlphintraError("SECRET_MODE", message, kind=Kind.FORBIDDEN, pointer="--password-file")
    return text


def _document(found: Audit) -> dict[str, Any]:
    manners = {item.service: item.word for item in found.manners}
    return {
        "is_clean": found.is_clean,
        "version": found.version,
        "services": [
            {
                "service": item.service,
                "database": item.database,
                "role": item.role,
                "schemas": list(item.schemas),
                "tried_by": manners[item.service],
            }
            for item in found.targets
        ],
        "allowed": found.matrix.allowed_count,
        "denied": found.matrix.denied_count,
        "cells": [
            {
                "user": cell.user,
                "target": cell.target,
                "is_allowed": cell.is_allowed,
                "probes": [
                    {"name": probe.name, "outcome": probe.outcome.value, "code": probe.code, "answer": probe.answer}
                    for probe in cell.probes
                ],
            }
            for cell in found.matrix.cells
        ],
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "services": list(finding.services),
                "detail": finding.detail,
                "close": [{"database": item.database, "sql": item.sql} for item in finding.close],
            }
            for finding in found.findings
        ],
    }


def _print(found: Audit, server: Server) -> None:
    from rich.text import Text

    print_rich(_matrix(found), Text(""))
    styles = {"breach": "bold red", "weakness": "yellow", "remark": "dim"}
    ordered = sorted(found.findings, key=lambda item: (list(styles).index(item.severity.value), item.code))
    for (severity, code), group in groupby(ordered, key=lambda item: (item.severity.value, item.code)):
        items = list(group)
        lines = [Text(f"{severity} {code}" + (f" ({len(items)})" if len(items) > 1 else ""), style=styles[severity])]
        for item in items[:_SHOWN_PER_CODE]:
            lines += _lines(item)
        if len(items) > _SHOWN_PER_CODE:
            lines.append(Text(f"  and {len(items) - _SHOWN_PER_CODE} more of the kind: see --json"))
        print_rich(*lines)
    counts = {word: sum(item.severity.value == word for item in found.findings) for word in styles}
    verdict = "clean" if found.is_clean else "NOT clean"
    matrix = found.matrix
    click.echo(
        f"\n{verdict}: {matrix.allowed_count} allow, {matrix.denied_count} deny; "
        f"{counts['breach']} breaches, {counts['weakness']} weaknesses, {counts['remark']} remarks; "
        f"PostgreSQL {found.version} at {server.host}:{server.port}, where nothing was changed"
    )
    if not found.is_clean:
        click.echo("the statements that close them all: repeat with --sql", err=True)


def _lines(item: Finding) -> list[Any]:
    from rich.text import Text

    lines = [Text(f"  {item.detail}")]
    lines += [Text(f"    {statement.sql};", style="cyan") for statement in item.close[:_STATEMENTS_SHOWN]]
    if len(item.close) > _STATEMENTS_SHOWN:
        lines.append(Text(f"    and {len(item.close) - _STATEMENTS_SHOWN} more statements"))
    return lines


def _matrix(found: Audit) -> Any:  # noqa: ANN401 - rich.table.Table, which is not imported up here
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = "rows tried as that service's role, columns are whose data it is"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    table.add_column("")
    cells = {(cell.user, cell.target): cell for cell in found.matrix.cells}
    services = [item.service for item in found.targets]
    for service in services:
        table.add_column(service, justify="center")
    table.add_column("tried by")
    manners = {item.service: item.word for item in found.manners}
    for user in services:
        row = [_word(cells[user, target]) for target in services]
        table.add_row(user, *row, Text(manners[user], style="dim"))
    return table


def _word(cell: Cell) -> Any:  # noqa: ANN401 - rich.text.Text
    from rich.text import Text

    is_own = cell.user == cell.target
    if any(probe.outcome.value == "error" for probe in cell.probes):
        return Text("?", style="bold yellow")
    if is_own:
        return Text("own" if cell.is_as_declared else "own!", style="green" if cell.is_as_declared else "bold red")
    return Text("OPEN", style="bold red") if cell.is_allowed else Text("deny", style="dim")


def _print_script(found: Audit) -> None:
    """Print what closes the findings as a script for psql, each statement once."""
    click.echo("-- Closes what `alphintra db verify` found. Read it before you run it with psql.")
    shown: set[tuple[str, str]] = set()
    database = ""
    for finding in found.findings:
        new = [item for item in finding.close if (item.database, item.sql) not in shown]
        if new:
            click.echo(f"\n-- {finding.severity.value} {finding.code}: {finding.detail}")
        for item in new:
            shown.add((item.database, item.sql))
            if item.database and item.database != database:
                database = item.database
                click.echo(f"\\connect {_connect_name(database)}")
            click.echo(item.sql if item.sql.startswith("--") else f"{item.sql};")


def _connect_name(database: str) -> str:
    from alphintra.dataplane.quoting import identifier

    return identifier(database)
