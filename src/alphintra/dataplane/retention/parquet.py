"""Rows of PostgreSQL in Parquet and back, exactly: amounts with their scale, instants to the microsecond, JSON as text.

What Parquet readers have no exact type for is text: uuid, json, amounts of more than 38 digits. The PostgreSQL type of
each column stands in its metadata.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from alphintra.dataplane.quoting import identifier
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["ROW_HASH", "Digest", "ParquetFile", "column_list", "read_batches"]

ROW_HASH: Final = "_row_hash"
"""Column with PostgreSQL's own hash of the row: a row that has changed since it was archived is not taken away."""

_BATCH: Final = 5_000
_NUMERIC: Final = re.compile(r"numeric\((\d+),(\d+)\)")
_DIGITS_MAX: Final = 38
_PLAIN: Final[Mapping[str, pa.DataType]] = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "smallint": pa.int16(),
    "boolean": pa.bool_(),
    "double precision": pa.float64(),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "bytea": pa.binary(),
    "text": pa.string(),
}
_LISTS: Final = frozenset({"text[]", "uuid[]"})
_NO_TIME: Final = frozenset({datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), date.max, date.min})


def _type_of(kind: str) -> pa.DataType:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _LISTS:
        return pa.list_(pa.string())
    amount = _NUMERIC.fullmatch(kind)
    if amount is not None and int(amount[1]) <= _DIGITS_MAX:
        return pa.decimal128(int(amount[1]), int(amount[2]))
    return pa.string()


def column_list(columns: Mapping[str, str]) -> str:
    """Return the select list that reads columns of ``t``, given with their PostgreSQL types, as they are archived."""
    shown = []
    for name, kind in columns.items():
        column = f"t.{identifier(name)}"
        cast = "" if kind in _PLAIN or pa.types.is_decimal(_type_of(kind)) else "::text"
        shown.append(column + (f"{cast}[]" if kind in _LISTS else cast))
    return ", ".join((*shown, "hash_record_extended(t, 0)"))


class Digest:
    """The values of rows added up, whatever their order."""

    def __init__(self) -> None:
        self.rows = 0
        self.checksum = 0  # of PostgreSQL's hashes
        self._sum = 0

    def add(self, row: Sequence[Any]) -> None:
        """Add a row: its values, then PostgreSQL's hash of it."""
        self.rows += 1
        self.checksum += row[-1]
        text = json.dumps([_shown(value) for value in row], separators=(",", ":"))
        self._sum += int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")

    @property
    def text(self) -> str:
        """The sum of the SHA-256 of all rows, modulo 2^256, in hex."""
        return f"{self._sum % (1 << 256):064x}"


def _shown(value: Any) -> Any:  # noqa: ANN401, PLR0911 - any value of a row, one line a kind
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case bytes():
            return value.hex()
        case float():
            return repr(value)
        case list():
            return [_shown(each) for each in value]
        case _:
            return value


class ParquetFile:
    """A file being written, batch by batch."""

    def __init__(self, path: Path, columns: Mapping[str, str], *, about: Mapping[str, str]) -> None:
        fields = [pa.field(name, _type_of(kind), metadata={"postgresql": kind}) for name, kind in columns.items()]
        fields.append(pa.field(ROW_HASH, pa.int64(), metadata={"postgresql": "hash_record_extended(row, 0)"}))
        self._schema = pa.schema(fields, metadata={f"alphintra.{key}": text for key, text in about.items()})
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", write_page_checksum=True)

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows. Raises ARCHIVE_VALUE for one that no Parquet reader could give back."""
        for row in rows:
            for value in row:
                if (isinstance(value, date) and value in _NO_TIME) or (
                    isinstance(value, Decimal) and not value.is_finite()
                ):
                    raise _unfit("a value that is no number or no time")
        try:
            arrays = [
                pa.array(values, type=field.type)
                for values, field in zip(zip(*rows, strict=True), self._schema, strict=True)
            ]
        except (pa.ArrowException, OverflowError) as error:
            raise _unfit(str(error).splitlines()[0]) from error
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        """End the file."""
        self._writer.close()


def read_batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a file, some thousand at once, in the order of its columns or of those named.

    Raises ARCHIVE_CORRUPT.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=None if columns is None else list(columns)):
                named = batch.schema.names if columns is None else columns
                yield list(zip(*(batch.column(name).to_pylist() for name in named), strict=True))
    except (pa.ArrowException, OSError) as error:
        message = f"the archive {path} cannot be read back: {str(error).splitlines()[0]}; restore it from a backup"
        raise AlphintraError("ARCHIVE_CORRUPT", message, kind=Kind.CONFLICT) from error


def _unfit(reason: str) -> AlphintraError:
    message = f"a row cannot be archived ({reason}): correct it, nothing was taken away"
    return AlphintraError("ARCHIVE_VALUE", message, kind=Kind.CONFLICT)
