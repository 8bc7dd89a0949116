"""The catalogue's files: raw bars as Parquet, one file per dataset, and the pieces of uploads before import."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import Split, adjust_for_splits
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import plain
from alphintra.strategy.gateways.columns import BarColumns, Factors, read_columns

if TYPE_CHECKING:
    from alphintra.kernel.ids import DatasetId

__all__ = ["Catalogue", "data_hash", "read_split", "write_split"]

UPLOAD_BYTES_MAX = 64 * 1024 * 1024
PIECE_BYTES_MAX = 512 * 1024
TEXT_BYTES_MAX = 1024 * 1024 * 1024
LINE_CHARS_MAX = 64 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_COLUMNS = ("open", "high", "low", "close", "volume")


class Catalogue:
    """Reads and writes files under one folder; polars is loaded when first needed, because it is heavy.

    Args:
        folder: where the files lie; made if it is missing.
        text_bytes_max: how far one upload may unpack.
    """

    def __init__(self, folder: Path, *, text_bytes_max: int = TEXT_BYTES_MAX) -> None:
        self.folder = folder
        self._text_bytes_max = text_bytes_max
        self._uploads = folder / "uploads"
        self._uploads.mkdir(mode=0o700, parents=True, exist_ok=True)

    def stage(self, upload_id: UUID, offset: int, data: bytes) -> int:
        """Write a piece of an upload at its offset; return how many bytes have arrived. Raises UPLOAD_*."""
        if len(data) > PIECE_BYTES_MAX or offset < 0 or offset + len(data) > UPLOAD_BYTES_MAX:
            message = f"pieces hold up to {PIECE_BYTES_MAX} bytes, files up to {UPLOAD_BYTES_MAX}"
            raise AlphintraError("UPLOAD_TOO_LARGE", message, pointer="/data")
        path = self._upload_path(upload_id)
        if offset > (path.stat().st_size if path.exists() else 0):
            raise AlphintraError("UPLOAD_GAP", f"bytes before {offset} are missing", kind=Kind.CONFLICT)
        # Opened without truncating: a repeated first piece may arrive beside the one it repeats.
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            file.seek(offset)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return path.stat().st_size

    def require_upload(self, upload_id: UUID) -> None:
        """Check that an upload has arrived. Raises UPLOAD_NOT_FOUND."""
        if not self._upload_path(upload_id).exists():
            raise AlphintraError("UPLOAD_NOT_FOUND", f"there is no upload {upload_id}", kind=Kind.NOT_FOUND)

    def upload_lines(self, upload_id: UUID) -> Iterator[str]:
        """Yield the text lines of an upload, plain or gzip.

        Raises UPLOAD_NOT_FOUND, ENCODING, FILE_TRUNCATED, ARCHIVE_UNSAFE for a file that unpacks too far, and
        CSV_DIALECT for a line of more than 64 Ki characters.
        """
        self.require_upload(upload_id)
        number = 0
        try:
            with self._upload_path(upload_id).open("rb") as file:
                is_gzip = file.peek(2)[:2] == _GZIP_MAGIC
                unpacked = gzip.GzipFile(fileobj=file) if is_gzip else file
                bounded = io.BufferedReader(_Bounded(unpacked, self._text_bytes_max))
                text = io.TextIOWrapper(bounded, encoding="utf-8-sig", newline="")
                while line := text.readline(LINE_CHARS_MAX):
                    number += 1
                    if len(line) == LINE_CHARS_MAX:
                        message = f"line {number} has {LINE_CHARS_MAX} characters or more: write one bar per line"
                        raise AlphintraError("CSV_DIALECT", message)
                    yield line
        except UnicodeDecodeError as error:
            message = f"the file is not UTF-8 text (soon after line {number}): save it as UTF-8"
            raise AlphintraError("ENCODING", message) from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise AlphintraError("FILE_TRUNCATED", "the gzip file is cut off or damaged: fetch it again") from error

    def drop_upload(self, upload_id: UUID) -> None:
        """Delete an upload; nothing happens if it is gone."""
        self._upload_path(upload_id).unlink(missing_ok=True)

    def write(self, dataset_id: DatasetId, bars: Sequence[Bar]) -> None:
        """Store raw bars durably; a crash leaves the old file or the new one, never half of it."""
        import polars as pl  # noqa: PLC0415 - heavy, and only workers need it

        frame = pl.DataFrame(
            {"ts": [bar.ts for bar in bars]} | {name: [getattr(bar, name) for bar in bars] for name in _COLUMNS},
            schema={"ts": pl.Datetime("us", "UTC")} | {name: pl.Decimal(28, 9) for name in _COLUMNS},
        )
        path = self.path_of(dataset_id)
        half = path.with_suffix(".part")
        frame.write_parquet(half, compression="zstd")
        with half.open("rb") as file:
            os.fsync(file.fileno())
        half.replace(path)
        self._sync_folder()

    def rename(self, dataset_id: DatasetId, known_as: DatasetId) -> None:
        """Give bars just written to the dataset that has the same content already; its file may have been lost."""
        if dataset_id != known_as:
            self.path_of(dataset_id).replace(self.path_of(known_as))
            self._sync_folder()

    def read(self, dataset_id: DatasetId, splits: Sequence[str]) -> tuple[Bar, ...]:
        """Return a dataset's bars adjusted for splits, oldest first. Raises DATASET_MISSING."""
        import polars as pl  # noqa: PLC0415 - as in write

        path = self.path_of(dataset_id)
        if not path.exists():
            message = f"the catalogue file of dataset {dataset_id} is gone: import the data again"
            raise AlphintraError("DATASET_MISSING", message, kind=Kind.NOT_FOUND)
        rows = pl.read_parquet(path).select("ts", *_COLUMNS).iter_rows()
        bars = [Bar(ts, *prices) for ts, *prices in rows]
        return adjust_for_splits(bars, [read_split(text, bars) for text in splits])

    def columns(
        self, dataset_id: DatasetId, factors: Factors, *, start: datetime | None = None, end: datetime | None = None
    ) -> BarColumns:
        """Return the bars that closed in ``[start, end)`` as arrays for compiled code, adjusted by the factors.

        Raises DATASET_MISSING or RANGE.
        """
        return read_columns(self.path_of(dataset_id), factors, start=start, end=end)

    def _sync_folder(self) -> None:
        """Make a rename survive a power cut."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _upload_path(self, upload_id: UUID) -> Path:
        return self._uploads / upload_id.hex

    def path_of(self, dataset_id: DatasetId) -> Path:
        """Return where a dataset's raw bars lie."""
        return self.folder / f"{dataset_id.hex}.parquet"


class _Bounded(io.RawIOBase):
    """Reads on until too much has come: a small archive may unpack to more than the disk or memory holds."""

    def __init__(self, source: IO[bytes] | gzip.GzipFile, bytes_max: int) -> None:
        self._source = source
        self._bytes_max = bytes_max
        self._read = 0

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer has no type before Python 3.12
        """Fill the buffer; return how many bytes came. Raises ARCHIVE_UNSAFE."""
        data = self._source.read(len(buffer))
        self._read += len(data)
        if self._read > self._bytes_max:
            message = f"the file unpacks to more than {self._bytes_max} bytes: split it"
            raise AlphintraError("ARCHIVE_UNSAFE", message)
        buffer[: len(data)] = data
        return len(data)


def write_split(split: Split) -> str:
    """Return a split as text, e.g. ``2005-02-28T21:00:00+00:00 2/1``."""
    return f"{split.ts.isoformat()} {split.ratio.numerator}/{split.ratio.denominator}"


def read_split(text: str, bars: Sequence[Bar]) -> Split:
    """Read a split as written by ``write_split``."""
    when, ratio = text.split(" ")
    ts = datetime.fromisoformat(when)
    index = next((place for place, bar in enumerate(bars) if bar.ts >= ts), len(bars))
    return Split(index, ts, Fraction(ratio))


def data_hash(bars: Sequence[Bar], splits: Sequence[str]) -> str:
    """Return the identity of bars and splits as 64 hexadecimal digits; Decimals count by value."""
    digest = hashlib.sha256()
    for bar in bars:
        prices = (_plain(getattr(bar, name)) for name in _COLUMNS)
        digest.update(f"{bar.ts.isoformat()},{','.join(prices)}\n".encode())
    for split in splits:
        digest.update(f"split {split}\n".encode())
    return digest.hexdigest()


def _plain(value: Decimal) -> str:
    return f"{plain(value):f}"
