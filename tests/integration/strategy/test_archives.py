"""Archives, JSON and Parquet are opened only as far as they are safe, and read to the same bars as plain text."""

from __future__ import annotations

import io
import stat
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.market_files import ImportOptions
from alphintra.strategy.gateways.market_rows import parquet_pieces
from alphintra.strategy.gateways.market_tables import SymbolTable, tables_of
from alphintra.strategy.gateways.uploads import is_parquet, text_lines
from unit.strategy.market_csv import NOW, days, file_of, read_lines, read_one

if TYPE_CHECKING:
    from unit.strategy.market_csv import SymbolBars

TEXT = "".join(file_of(*days(30))).encode()
AMOUNTS = ("open", "high", "low", "close", "volume")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def text_of(file: Path, data: bytes, bytes_max: int = 100_000) -> list[str]:
    file.write_bytes(data)
    return list(text_lines(file, bytes_max=bytes_max))


def refusal(file: Path, data: bytes) -> str:
    with pytest.raises(AlphintraError) as caught:
        text_of(file, data)
    return caught.value.code


def zipped(members: dict[str, bytes], *, mode: int = stat.S_IFREG | 0o600) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def test_a_zip_of_one_file_is_that_file(file: Path) -> None:
    packed = zipped({"prices/": b"", "prices/aapl.csv": TEXT, "__MACOSX/._aapl.csv": b"\0"})
    assert text_of(file, packed) == TEXT.decode().splitlines(keepends=True)


@pytest.mark.parametrize(
    "data",
    [
        zipped({"../prices.csv": TEXT}),
        zipped({"/etc/prices.csv": TEXT}),
        zipped({"..\\prices.csv": TEXT}),
        zipped({"prices.csv": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777),
        zipped({"a.csv": TEXT, "b.csv": TEXT}),
        zipped({"bomb.csv": b"0\n" * 100_000}),
    ],
    ids=["parent", "absolute", "backslash", "link", "several", "bomb"],
)
def test_a_zip_that_leads_elsewhere_holds_several_or_unpacks_too_far_is_unsafe(file: Path, data: bytes) -> None:
    assert refusal(file, data) == "ARCHIVE_UNSAFE"


def test_a_locked_zip_is_unsafe_and_a_cut_one_truncated(file: Path) -> None:
    locked = bytearray(zipped({"a.csv": TEXT}))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.index(signature) + offset] |= 1
    assert refusal(file, bytes(locked)) == "ARCHIVE_UNSAFE"
    assert refusal(file, zipped({"a.csv": TEXT})[:-40]) == "FILE_TRUNCATED"


def test_a_file_that_changes_while_it_is_read_is_refused(file: Path) -> None:
    file.write_bytes(TEXT)
    lines = text_lines(file, bytes_max=100_000)
    next(lines)
    file.write_bytes(TEXT + b"2025-01-01,1,1,1,1,1\n")
    with pytest.raises(AlphintraError, match="FILE_CHANGED"):
        list(lines)


@pytest.mark.parametrize("quote", ["", '"'])
def test_arrays_of_json_are_rows(file: Path, quote: str) -> None:
    at = int(datetime(2024, 1, 2, 15, tzinfo=UTC).timestamp()) * 1000
    rows = ",\n ".join(f"[{at + step * 60_000}, {quote}10.10{quote}, 11,9,\n10,5e-7]" for step in range(3))
    (found,) = read_lines(text_of(file, f"[{rows}]\n".encode()), symbol="BTC/USD")
    assert (found.table.format, found.timeframe) == ("ccxt", "1m")
    assert (found.bars[0].open, found.bars[0].volume) == (Decimal("10.1"), Decimal("0.0000005"))


@pytest.mark.parametrize(
    ("text", "code"),
    [('[{"t":1}]', "CSV_DIALECT"), ("[[1,2,3],[4,5", "FILE_TRUNCATED"), ("[1," + "2," * 90_000, "CSV_DIALECT")],
    ids=["objects", "cut", "endless"],
)
def test_other_json_is_refused(file: Path, text: str, code: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        text_of(file, text.encode(), bytes_max=300_000)
    assert caught.value.code == code


def parquet(file: Path, frame: pl.DataFrame, **said: Any) -> SymbolTable:  # noqa: ANN401 - options by name
    frame.write_parquet(file)
    assert is_parquet(file)
    options = ImportOptions(**{"symbol": "AAPL", **said})
    (found,) = tables_of(parquet_pieces(file, options), options, at=NOW)
    return found


def plain(found: SymbolBars) -> pl.DataFrame:
    """Return the rows of a file as a table of the kinds Parquet has."""
    return found.table.frame.with_columns(pl.col(*AMOUNTS).cast(pl.Float64))


def test_parquet_of_dates_times_numbers_and_text_is_read_like_the_same_csv(file: Path) -> None:
    wanted = read_one(*days(30)).table.frame
    frame = plain(read_one(*days(30)))
    dates = frame.with_columns(pl.col("ts").dt.date())
    for each in (
        dates,
        dates.with_columns(pl.col("ts").cast(pl.String)),
        dates.with_columns(pl.col("ts").cast(pl.Datetime("ns"))),
        dates.with_columns(pl.col("ts").cast(pl.Datetime("us")).dt.replace_time_zone("America/New_York")),
        dates.with_columns(pl.col("volume").cast(pl.Int64), pl.col("close").cast(pl.Float32)),
        dates.with_columns(pl.col("open").cast(pl.Decimal(20, 4)), pl.lit("AAPL").cast(pl.Categorical).alias("Symbol")),
    ):
        assert parquet(file, each.rename({"ts": "Date"})).frame.equals(wanted)


def test_a_missing_price_in_parquet_is_one(file: Path) -> None:
    frame = plain(read_one(*days(150))).with_columns(pl.col("ts").dt.date())
    holes = frame.with_columns(open=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise("open"))
    found = parquet(file, holes)
    assert (len(found.frame), found.findings[0].code) == (149, "PRICE_MISSING")
    assert found.findings[0].details == ("left out line 8: open is blank",)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"open": pl.col("open").cast(pl.Decimal(30, 12))}, "SCHEMA_MISMATCH"),
        ({"open": pl.col("open") > 1}, "SCHEMA_MISMATCH"),
        ({"open": pl.concat_list("open")}, "SCHEMA_MISMATCH"),
        ({"o": pl.col("open")}, "CSV_COLUMN"),
    ],
    ids=["places", "booleans", "lists", "twice"],
)
def test_parquet_of_other_columns_is_refused_and_names_them(file: Path, change: dict[str, pl.Expr], code: str) -> None:
    frame = plain(read_one(*days(3))).with_columns(pl.col("ts").dt.date()).with_columns(**change)
    with pytest.raises(AlphintraError) as caught:
        parquet(file, frame)
    assert caught.value.code == code
    assert "'o" in caught.value.detail


def test_damaged_parquet_is_named(file: Path) -> None:
    plain(read_one(*days(30))).write_parquet(file)
    file.write_bytes(file.read_bytes()[:-20])
    options = ImportOptions(symbol="AAPL")
    with pytest.raises(AlphintraError, match="FILE_TRUNCATED"):
        list(parquet_pieces(file, options))
