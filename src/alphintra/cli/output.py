"""What commands print: JSON for programs, tables for people, progress on standard error."""

# ruff: noqa: PLC0415 - rich takes its time to load, and half of the commands print no table

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from alphintra.kernel.money import plain

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "AS_JSON",
    "WIDTH_MAX",
    "amount",
    "console",
    "moment",
    "print_answer",
    "print_fields",
    "print_json",
    "print_rich",
    "print_table",
    "progress_bar",
]

WIDTH_MAX = 100
_WHOLE = re.compile(r"[0-9a-f-]{36}|\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")  # ids and times are read or copied whole

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_answer(found: object, sentence: str, *, as_json: bool) -> None:
    """Print what the platform answered as JSON for programs, as one sentence for people."""
    if as_json:
        print_json(found)
    else:
        click.echo(sentence)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print rows under their columns; numbers (Decimal, int) to the right, nothing cut off, and nothing as ``-``."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0))
    for index, column in enumerate(columns):
        is_number = any(isinstance(row[index], Decimal | int) for row in rows)
        is_whole = any(_WHOLE.fullmatch(str(row[index])) for row in rows)
        table.add_column(
            column, justify="right" if is_number else "left", overflow="fold", no_wrap=is_whole or is_number
        )
    for row in rows:
        table.add_row(*(Text(_shown(value)) for value in row))
    print_rich(table, *([] if rows else [Text("(none)")]))


def print_rich(*shown: object) -> None:
    """Print tables and styled texts on standard output, without the blanks they are padded with."""
    painter = console()
    with painter.capture() as painted:
        painter.print(*shown, sep="\n")
    click.echo("\n".join(line.rstrip() for line in painted.get().strip("\n").splitlines()))


def print_fields(fields: Mapping[str, object]) -> None:
    """Print one thing's fields, a line each."""
    width = max(map(len, fields)) + 2
    for name, value in fields.items():
        click.echo(f"{name:<{width}}{_shown(value)}")


def amount(text: str | None) -> Decimal | None:
    """Return an amount as the API writes it, to be shown without exponent or trailing zeros."""
    return None if text is None else plain(Decimal(text))


def moment(at: str | datetime | None) -> str:
    """Return a time, or one as the API writes it, in UTC to the second; nothing for none."""
    if at is None:
        return ""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def console(*, is_error: bool = False) -> Console:
    """Return a console of at most 100 columns, of exactly as many where the output is no terminal."""
    from rich.console import Console

    found = Console(highlight=False, markup=False, stderr=is_error)
    found.width = min(found.width, WIDTH_MAX) if found.is_terminal else WIDTH_MAX
    return found


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float], None]]:
    """Show on standard error how far something is, from 0 to 1; where that is no terminal, only that it began."""
    shown = console(is_error=True)
    if not shown.is_terminal:
        click.echo(what, err=True)
        yield lambda _share: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True) as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda share: progress.update(task, completed=share)


def _shown(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
