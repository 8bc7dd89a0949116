"""The catalogue's files: raw bars as Parquet, one file per dataset, and the pieces of uploads before import."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import Split, adjust_for_splits
from alphintra.engine.graph.tape import Tape
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.domain.histories import History
from alphintra.strategy.domain.replay import within
from alphintra.strategy.gateways.columns import BarColumns, Factors, read_columns
from alphintra.strategy.gateways.machine_code import is_worth_compiling
from alphintra.strategy.gateways.uploads import text_lines

if TYPE_CHECKING:
    import polars as pl

    from alphintra.kernel.ids import DatasetId

__all__ = ["Catalogue", "data_hash", "frame_of", "read_split", "write_split"]

UPLOAD_BYTES_MAX = 64 * 1024 * 1024
PIECE_BYTES_MAX = 512 * 1024
TEXT_BYTES_MAX = 1024 * 1024 * 1024
HASHED_ROWS = 50_000
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
        """Yield the text lines of an upload; raises UPLOAD_NOT_FOUND and what `gateways.uploads.text_lines` does."""
        self.require_upload(upload_id)
        yield from text_lines(self._upload_path(upload_id), bytes_max=self._text_bytes_max)

    def upload_path(self, upload_id: UUID) -> Path:
        """Return where an upload lies. Raises UPLOAD_NOT_FOUND."""
        self.require_upload(upload_id)
        return self._upload_path(upload_id)

    def drop_upload(self, upload_id: UUID) -> None:
        """Delete an upload; nothing happens if it is gone."""
        self._upload_path(upload_id).unlink(missing_ok=True)

    def append_rows(self, download_id: UUID, offset: int, data: bytes) -> int:
        """Write rows of a download durably behind its first ``offset`` bytes; return how many bytes there are then."""
        path = self._rows_path(download_id)
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            file.truncate(offset)  # what a worker wrote that did not live to tell of it
            file.seek(offset)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return offset + len(data)

    def rows_of(self, download_id: UUID, size: int) -> Iterator[str]:
        """Yield the lines within the first ``size`` bytes that were stored for a download."""
        with self._rows_path(download_id).open("rb") as file:
            while size > 0 and (line := file.readline(size)):
                size -= len(line)
                yield line.decode()

    def drop_rows(self, download_id: UUID) -> None:
        """Delete what was stored for a download; nothing happens if it is gone."""
        self._rows_path(download_id).unlink(missing_ok=True)

    def write(self, dataset_id: DatasetId, bars: Sequence[Bar]) -> None:
        """Store raw bars durably, as `write_frame` does."""
        self.write_frame(dataset_id, frame_of(bars))

    def write_frame(self, dataset_id: DatasetId, frame: pl.DataFrame) -> None:
        """Store raw bars durably; a crash leaves the old file or the new one, never half of it."""
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

    def read_frame(self, dataset_id: DatasetId) -> pl.DataFrame:
        """Return a dataset's raw bars as they were written. Raises DATASET_MISSING."""
        import polars as pl  # noqa: PLC0415 - as in frame_of

        path = self.path_of(dataset_id)
        if not path.exists():
            message = f"the catalogue file of dataset {dataset_id} is gone: import the data again"
            raise AlphintraError("DATASET_MISSING", message, kind=Kind.NOT_FOUND)
        return pl.read_parquet(path).select("ts", *_COLUMNS)

    def read(self, dataset_id: DatasetId, splits: Sequence[str]) -> tuple[Bar, ...]:
        """Return a dataset's bars adjusted for splits, oldest first. Raises DATASET_MISSING."""
        bars = [Bar(ts, *prices) for ts, *prices in self.read_frame(dataset_id).iter_rows()]
        return adjust_for_splits(bars, [read_split(text, bars) for text in splits])

    def columns(
        self, dataset_id: DatasetId, factors: Factors, *, start: datetime | None = None, end: datetime | None = None
    ) -> BarColumns:
        """Return the bars that closed in ``[start, end)`` as arrays for compiled code, adjusted by the factors.

        Raises DATASET_MISSING or RANGE.
        """
        return read_columns(self.path_of(dataset_id), factors, start=start, end=end)

    def history(
        self,
        dataset_id: DatasetId,
        splits: Sequence[str],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> History:
        """Return the bars that closed in ``[start, end)``, adjusted for splits, for runs over them.

        Raises DATASET_MISSING, RANGE, also where no bar lies in the range.
        """
        columns = self.columns(dataset_id, Factors(splits=splits), start=start, end=end)

        def read() -> tuple[Bar, ...]:
            return within(self.read(dataset_id, splits), start, end)

        if not len(columns):
            read()
        opened, high, low, close, volume = (getattr(columns, name).reshape(1, -1) for name in _COLUMNS)
        tape = Tape(columns.ts, opened, high, low, close, volume)
        return History(tape, columns.has_millionths, read, is_worth_compiling)

    def _sync_folder(self) -> None:
        """Make a rename survive a power cut."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _rows_path(self, download_id: UUID) -> Path:
        return self._uploads / f"{download_id.hex}.rows"

    def _upload_path(self, upload_id: UUID) -> Path:
        return self._uploads / upload_id.hex

    def path_of(self, dataset_id: DatasetId) -> Path:
        """Return where a dataset's raw bars lie."""
        return self.folder / f"{dataset_id.hex}.parquet"


def frame_of(bars: Sequence[Bar]) -> pl.DataFrame:
    """Return bars as a table of ``ts`` and the five amounts, as the catalogue stores them."""
    import polars as pl  # noqa: PLC0415 - heavy, and only workers need it

    return pl.DataFrame(
        {"ts": [bar.ts for bar in bars]} | {name: [getattr(bar, name) for bar in bars] for name in _COLUMNS},
        schema={"ts": pl.Datetime("us", "UTC")} | {name: pl.Decimal(28, 9) for name in _COLUMNS},
    )


def write_split(split: Split) -> str:
    """Return a split as text, e.g. ``2005-02-28T21:00:00+00:00 2/1``."""
    return f"{split.ts.isoformat()} {split.ratio.numerator}/{split.ratio.denominator}"


def read_split(text: str, bars: Sequence[Bar]) -> Split:
    """Read a split as written by ``write_split``."""
    when, ratio = text.split(" ")
    ts = datetime.fromisoformat(when)
    index = next((place for place, bar in enumerate(bars) if bar.ts >= ts), len(bars))
    return Split(index, ts, Fraction(ratio))


def data_hash(bars: Sequence[Bar] | pl.DataFrame, splits: Sequence[str], dividends: Sequence[str] = ()) -> str:
    """Return the identity of bars, splits and dividends as 64 hexadecimal digits; Decimals count by value."""
    import polars as pl  # noqa: PLC0415 - as in write

    frame = bars if isinstance(bars, pl.DataFrame) else frame_of(bars)
    digest = hashlib.sha256()
    for piece in frame.iter_slices(HASHED_ROWS):
        amounts = (pl.col(name).cast(pl.String).str.replace(r"\.?0+$", "").alias(name) for name in _COLUMNS)
        moments = pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%S%.f+00:00")
        lines = piece.select(pl.concat_str(moments, *amounts, separator=",") + "\n").to_series()
        digest.update(lines.str.join("").item().encode())
    for split in splits:
        digest.update(f"split {split}\n".encode())
    for dividend in dividends:
        digest.update(f"dividend {dividend}\n".encode())
    return digest.hexdigest()
