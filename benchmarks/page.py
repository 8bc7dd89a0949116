"""The table of ``docs/benchmarks.md``: rows that were measured replace those of the page, the others stay."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from benchmarks.children import ROOT
from benchmarks.measures import MEASURES
from benchmarks.recorder import HEADINGS, cells_of

__all__ = ["PAGE", "page_with", "write_page"]

PAGE: Final = ROOT / "docs" / "benchmarks.md"
_BEGIN: Final = "<!-- begin: written by make bench ARGS=--write-docs -->"
_END: Final = "<!-- end: written by make bench ARGS=--write-docs -->"


def write_page(rows: Sequence[Mapping[str, object]], *, at: datetime) -> None:
    """Write the rows into the page, each with the day and the machine it was measured on."""
    where = f"{at.date().isoformat()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), rows, where=where), encoding="utf-8")


def page_with(page: str, rows: Sequence[Mapping[str, object]], *, where: str) -> str:
    """Return the page with the rows in the place of those of the same measures; in the order of the measures.

    Raises ValueError if the page has no place for them.
    """
    before, begin, rest = page.partition(_BEGIN)
    old, end, after = rest.partition(_END)
    if not begin or not end:
        message = f"{PAGE.name} has no place for the table: it stands between {_BEGIN} and {_END}"
        raise ValueError(message)
    lines = {line.split("`")[1]: line for line in old.splitlines() if line.startswith("| `")}
    lines |= {str(row["key"]): _line(row, where) for row in rows}
    known = [measure.key for measure in MEASURES if measure.key in lines]
    head = ["| " + " | ".join((*HEADINGS, "measured")) + " |", "|" + " --- |" * (len(HEADINGS) + 1)]
    return "\n".join([before + begin, *head, *(lines[key] for key in known), end + after])


def _line(row: Mapping[str, object], where: str) -> str:
    key, *cells = cells_of(row)
    return "| " + " | ".join((f"`{key}`", *cells, where)) + " |"
