"""Rows of market-data files as tables of text, piece by piece: what stands where, before anything is believed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.market_files import ImportOptions, Layout, layout_of

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

__all__ = ["ROWS_MAX", "Piece", "parquet_pieces", "text_pieces"]

ROWS_MAX = 5_000_000
PIECE_ROWS = 50_000
_SEPARATORS: Final = ("\t", ";", "|")
_DECIMALS_MAX: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some rows of a file.

    Attributes:
        layout: how the file is laid out.
        frame: ``line`` (number in the file) and as trimmed text ts, open … volume, and where the file has them symbol
            and adjusted.
        zone: time zone the file itself says its times are in; empty else.
    """

    layout: Layout
    frame: pl.DataFrame
    zone: str = ""


def text_pieces(
    lines: Iterable[str], options: ImportOptions, *, progress: Callable[[int], None] | None = None
) -> Iterator[Piece]:
    """Yield the rows of separated text; the separator (comma, tab, semicolon, bar) is that of the first line.

    Raises FILE_EMPTY, ENCODING, CSV_DIALECT, CSV_COLUMN or FILE_TOO_LARGE, naming the line.
    """
    reader: Any = None
    try:
        reader, skipped = _reader(lines)
        first = next((row for row in reader if row), None)
        layout = layout_of(first, options)
        line, count = reader.line_num + skipped, 0
        waiting = [] if layout.has_header or first is None else [first]
        while rows := waiting + list(islice(reader, PIECE_ROWS)):
            before = line - len(waiting)
            numbers = _numbers(rows, before, reader.line_num + skipped)
            line, waiting = reader.line_num + skipped, []
            count += len(rows)
            if count > ROWS_MAX:
                raise AlphintraError("FILE_TOO_LARGE", f"more than {ROWS_MAX} rows: split the file")
            if not all(rows):
                kept = [(row, number) for row, number in zip(rows, numbers, strict=True) if row]
                rows, numbers = [row for row, _ in kept], [number for _, number in kept]
            if rows:
                _check_widths(rows, numbers, layout.width)
                yield Piece(layout=layout, frame=_frame(rows, numbers, layout))
            if progress is not None:
                progress(count)
    except csv.Error as error:
        message = f"line {reader.line_num + skipped}: the file is no well-formed CSV: {error}"
        raise AlphintraError("CSV_DIALECT", message) from error


def parquet_pieces(
    path: Path, options: ImportOptions, *, progress: Callable[[int], None] | None = None
) -> Iterator[Piece]:
    """Yield the rows of a Parquet file; its columns are found by name.

    Raises FILE_TRUNCATED, SCHEMA_MISMATCH for a column of another kind or of more than nine decimals, CSV_COLUMN, or
    FILE_TOO_LARGE.
    """
    import polars as pl  # noqa: PLC0415 - heavy, and only workers need it

    try:
        scan = pl.scan_parquet(path)
        schema = scan.collect_schema()
        total = scan.select(pl.len()).collect().item()
        if total > ROWS_MAX:
            raise AlphintraError("FILE_TOO_LARGE", f"{total} rows are more than {ROWS_MAX}: split the file")
        titles = list(schema)
        layout = layout_of(titles, options)
        texts, zone = [], ""
        for name, places in layout.columns.items():
            columns = [(titles[place], schema[titles[place]]) for place in places]
            zone = zone or next((getattr(kind, "time_zone", None) or "" for _title, kind in columns), "")
            texts.append(pl.concat_str([_as_text(*each) for each in columns], separator=" ").alias(name))
        for first in range(0, total, PIECE_ROWS):
            part = scan.slice(first, PIECE_ROWS).select(texts).collect()
            numbers = pl.int_range(first + 1, first + 1 + len(part), dtype=pl.UInt32, eager=True).alias("line")
            yield Piece(layout=layout, frame=part.insert_column(0, numbers), zone=zone)
            if progress is not None:
                progress(first + len(part))
    except (pl.exceptions.PolarsError, OSError) as error:
        message = f"the Parquet file is cut off or damaged ({str(error).splitlines()[0][:80]}): fetch it again"
        raise AlphintraError("FILE_TRUNCATED", message) from error


def _reader(lines: Iterable[str]) -> tuple[Any, int]:
    """Return a reader at the first line that is not blank, and how many lines were skipped."""
    source = _without_nul(lines)
    for skipped, line in enumerate(source):
        if line.strip("\ufeff \r\n\t"):
            separator = "," if "," in line else max(_SEPARATORS, key=line.count)
            delimiter = separator if separator in line else ","
            reader = csv.reader(chain([line], source), delimiter=delimiter, skipinitialspace=True, strict=True)
            return reader, skipped
    raise AlphintraError("FILE_EMPTY", "the file is empty: a header line is expected")


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            message = f"line {number} holds NUL: the file is no plain text; save it as UTF-8"
            raise AlphintraError("ENCODING", message)
        yield line


def _numbers(rows: Sequence[Sequence[str]], before: int, last: int) -> Sequence[int]:
    """Return the line each row ends on; fields in quotes may hold line breaks."""
    if last - before == len(rows):
        return range(before + 1, last + 1)
    numbers, line = [], before
    for row in rows:
        line += 1 + sum(cell.count("\n") for cell in row)
        numbers.append(line)
    return numbers


def _check_widths(rows: Sequence[Sequence[str]], numbers: Sequence[int], width: int) -> None:
    if set(map(len, rows)) == {width}:
        return
    for row, line in zip(rows, numbers, strict=True):
        if len(row) < width:
            message = f"line {line} has {len(row)} fields, the header {width}: is the file cut off?"
            raise AlphintraError("CSV_COLUMN", message)
        if any(cell.strip() for cell in row[width:]):
            reason = "write numbers without thousands separators"
            raise AlphintraError("CSV_COLUMN", f"line {line} has {len(row)} fields, the header {width}: {reason}")


def _frame(rows: Sequence[Sequence[str]], numbers: Sequence[int], layout: Layout) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415 - as above

    # Rows are as wide as the header, or wider by blank fields.
    fields = list(zip(*rows, strict=len({len(row) for row in rows}) == 1))
    columns: dict[str, pl.Series] = {"line": pl.Series(numbers, dtype=pl.UInt32)}
    for name, places in layout.columns.items():
        text = pl.Series(name, fields[places[0]], dtype=pl.String).str.strip_chars()
        for place in places[1:]:
            text = text + " " + pl.Series(fields[place], dtype=pl.String).str.strip_chars()
        columns[name] = text
    return pl.DataFrame(columns)


def _as_text(title: str, kind: pl.DataType) -> pl.Expr:
    """Return a Parquet column as the text a CSV would hold. Raises SCHEMA_MISMATCH."""
    import polars as pl  # noqa: PLC0415 - as above

    column = pl.col(title)
    if isinstance(kind, pl.Decimal) and kind.scale > _DECIMALS_MAX:
        message = f"column {title!r} has {kind.scale} decimals: amounts have at most {_DECIMALS_MAX}"
        raise AlphintraError("SCHEMA_MISMATCH", message)
    if isinstance(kind, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f" + ("%z" if kind.time_zone else "")).fill_null("")
    if kind.is_numeric() or isinstance(kind, (pl.String, pl.Date, pl.Categorical, pl.Enum, pl.Null)):
        return column.cast(pl.String).fill_null("").str.strip_chars()
    raise AlphintraError("SCHEMA_MISMATCH", f"column {title!r} holds {kind}: numbers, text or times are needed")
