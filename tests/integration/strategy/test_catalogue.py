"""The catalogue keeps bars to the digit and uploads to the byte, whatever arrives twice, too early or cut off."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import Split, adjust_for_splits
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import DatasetId
from alphintra.strategy.gateways.catalogue import (
    PIECE_BYTES_MAX,
    UPLOAD_BYTES_MAX,
    Catalogue,
    data_hash,
    read_split,
    write_split,
)
from unit.engine.builders import day, flat_bar, flat_bars
from unit.strategy.market_csv import HEADER, days, file_of

FIRST, SECOND = UUID(int=1), UUID(int=2)
DATASET = DatasetId(UUID(int=3))
TEXT = "".join(file_of(*days(50))).encode()
TEXT_MAX = 100_000


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalogue", text_bytes_max=TEXT_MAX)


def lines(catalogue: Catalogue, data: bytes) -> list[str]:
    catalogue.drop_upload(FIRST)
    catalogue.stage(FIRST, 0, data)
    return list(catalogue.upload_lines(FIRST))


def refusal(catalogue: Catalogue, data: bytes) -> AlphintraError:
    with pytest.raises(AlphintraError) as caught:
        lines(catalogue, data)
    return caught.value


amounts = st.decimals("0.000000001", "999999999999999999", places=9)
volumes = st.decimals("0", "999999999999999999.999999999", places=9)


@st.composite
def bar_lists(draw: st.DrawFn) -> list[Bar]:
    found, ts = [], day(0)
    for _ in range(draw(st.integers(1, 12))):
        ts += timedelta(microseconds=draw(st.integers(1, 10**13)))
        low, inner, outer, high = sorted(draw(st.lists(amounts, min_size=4, max_size=4)))
        found.append(Bar(ts, inner, high, low, outer, draw(volumes)))
    return found


@given(bars=bar_lists())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bars_come_back_to_the_digit(catalogue: Catalogue, bars: list[Bar]) -> None:
    catalogue.write(DATASET, bars)
    back = catalogue.read(DATASET, ())
    assert list(back) == bars
    assert data_hash(back, ()) == data_hash(bars, ())
    assert [bar.ts.isoformat() for bar in back] == [bar.ts.isoformat() for bar in bars]


def test_bars_come_back_adjusted_for_the_splits_between(catalogue: Catalogue) -> None:
    bars = [*flat_bars(["100.000001"] * 3), *[flat_bar(index, "25") for index in (3, 4)], flat_bar(5, "250")]
    splits = [Split(3, day(3), Fraction(4)), Split(5, day(5), Fraction(1, 10))]
    catalogue.write(DATASET, bars)
    back = catalogue.read(DATASET, [write_split(split) for split in splits])
    assert back == adjust_for_splits(bars, splits)
    closes = [str(bar.close.normalize()) for bar in back]
    assert closes == ["250.000002", "250.000002", "250.000002", "2.5E+2", "2.5E+2", "2.5E+2"]
    assert [bar.volume for bar in back] == [400, 400, 400, 100, 100, 1000]


@given(st.fractions("1/200", "50"), st.integers(0, 9))
def test_a_split_comes_back_as_written(ratio: Fraction, place: int) -> None:
    bars = flat_bars([10] * 10)
    split = Split(place, day(place), ratio)
    assert read_split(write_split(split), bars) == split


def test_the_identity_of_data_is_its_values() -> None:
    bars = flat_bars(["10"])
    same = [replace(bars[0], open=Decimal("10.000"), volume=Decimal("1E+3"))]
    assert data_hash(bars, ()) == data_hash(same, ())
    silent = replace(bars[0], volume=Decimal(0))
    assert data_hash([silent], ()) == data_hash([replace(bars[0], volume=Decimal("-0.0"))], ())
    others = [
        data_hash([replace(bars[0], volume=Decimal(999))], ()),
        data_hash([replace(bars[0], ts=day(1))], ()),
        data_hash(bars, ("2024-01-01T21:00:00+00:00 2/1",)),
        data_hash(flat_bars(["10", "10"]), ()),
    ]
    assert len({data_hash(bars, ()), *others}) == 5


@pytest.mark.parametrize("is_first", [True, False])
def test_a_crash_before_the_rename_leaves_what_was_there(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, *, is_first: bool
) -> None:
    old, new = flat_bars([1, 2]), flat_bars([3, 4, 5])
    if not is_first:
        catalogue.write(DATASET, old)

    def crash(_self: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as crashing:
        crashing.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            catalogue.write(DATASET, new)
    if is_first:
        with pytest.raises(AlphintraError, match="DATASET_MISSING"):
            catalogue.read(DATASET, ())
    else:
        assert list(catalogue.read(DATASET, ())) == old
    catalogue.write(DATASET, new)
    assert list(catalogue.read(DATASET, ())) == new


def test_a_crash_while_writing_leaves_what_was_there(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    old = flat_bars([1, 2])
    catalogue.write(DATASET, old)

    def half(_self: pl.DataFrame, path: Path, **_options: object) -> None:
        path.write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as crashing:
        crashing.setattr(pl.DataFrame, "write_parquet", half)
        with pytest.raises(OSError, match="No space"):
            catalogue.write(DATASET, flat_bars([3]))
    assert list(catalogue.read(DATASET, ())) == old


def test_bars_are_on_disk_before_and_after_they_get_their_name(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().is_dir())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    catalogue.write(DATASET, flat_bars([1]))
    assert synced == [False, True]


# --- uploads ---------------------------------------------------------------------------------------------------------


def test_pieces_may_come_again_and_overlap(catalogue: Catalogue) -> None:
    assert catalogue.stage(FIRST, 0, TEXT[:100]) == 100
    assert catalogue.stage(FIRST, 0, TEXT[:100]) == 100
    assert catalogue.stage(FIRST, 100, TEXT[100:300]) == 300
    assert catalogue.stage(FIRST, 50, TEXT[50:200]) == 300
    assert catalogue.stage(FIRST, 250, TEXT[250:]) == len(TEXT)
    assert "".join(catalogue.upload_lines(FIRST)).encode() == TEXT


def test_a_gap_between_pieces_is_refused(catalogue: Catalogue) -> None:
    catalogue.stage(FIRST, 0, b"abc")
    for upload_id, offset in ((FIRST, 4), (SECOND, 1)):
        with pytest.raises(AlphintraError, match="UPLOAD_GAP"):
            catalogue.stage(upload_id, offset, b"x")
    assert list(catalogue.upload_lines(FIRST)) == ["abc"]


@pytest.mark.parametrize(
    ("offset", "size"), [(0, PIECE_BYTES_MAX + 1), (-1, 1), (UPLOAD_BYTES_MAX, 1), (2**70, 1)], ids=str
)
def test_a_piece_or_a_file_that_is_too_large_is_refused(catalogue: Catalogue, offset: int, size: int) -> None:
    with pytest.raises(AlphintraError, match="UPLOAD_TOO_LARGE"):
        catalogue.stage(FIRST, offset, b"x" * size)


def test_two_uploads_at_once_do_not_mix(catalogue: Catalogue) -> None:
    for offset in range(0, 1000, 100):
        catalogue.stage(FIRST, offset, b"a" * 100)
        catalogue.stage(SECOND, offset, b"b" * 100)
    assert list(catalogue.upload_lines(FIRST)) == ["a" * 1000]
    assert list(catalogue.upload_lines(SECOND)) == ["b" * 1000]


def test_pieces_of_one_upload_repeated_at_once_lose_nothing(catalogue: Catalogue) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            catalogue.drop_upload(FIRST)
            received = list(pool.map(lambda _index: catalogue.stage(FIRST, 0, TEXT), range(8)))
            assert set(received) == {len(TEXT)}
            assert "".join(catalogue.upload_lines(FIRST)).encode() == TEXT


def test_an_upload_that_is_gone_is_not_found(catalogue: Catalogue) -> None:
    catalogue.drop_upload(FIRST)
    for ask in (catalogue.require_upload, lambda upload_id: list(catalogue.upload_lines(upload_id))):
        with pytest.raises(AlphintraError, match="UPLOAD_NOT_FOUND"):
            ask(FIRST)


# --- reading uploads -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [TEXT, b"\xef\xbb\xbf" + TEXT, gzip.compress(TEXT), gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])],
    ids=["plain", "marked", "packed", "packed in two"],
)
def test_text_is_read_plain_marked_and_packed(catalogue: Catalogue, data: bytes) -> None:
    assert lines(catalogue, data) == TEXT.decode().splitlines(keepends=True)


@pytest.mark.parametrize("data", [b"", gzip.compress(b"")], ids=["plain", "packed"])
def test_an_empty_upload_has_no_lines(catalogue: Catalogue, data: bytes) -> None:
    assert lines(catalogue, data) == []


def test_all_ends_of_lines_count(catalogue: Catalogue) -> None:
    assert lines(catalogue, b"a\r\nb\rc\nd") == ["a\r\n", "b\r", "c\n", "d"]


def test_text_that_is_not_utf_8_is_refused(catalogue: Catalogue) -> None:
    assert refusal(catalogue, f"{HEADER},näme\n".encode("latin-1")).code == "ENCODING"


def test_utf_16_is_read_by_its_mark(catalogue: Catalogue) -> None:
    assert lines(catalogue, f"{HEADER},näme\n".encode("utf-16")) == [f"{HEADER},näme\n"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_cut_off_archive_is_refused(catalogue: Catalogue, share: float) -> None:
    packed = gzip.compress(os.urandom(5000).hex().encode())
    assert refusal(catalogue, packed[: int(len(packed) * share)]).code == "FILE_TRUNCATED"


def test_a_damaged_archive_is_refused(catalogue: Catalogue) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 0xFF
    assert refusal(catalogue, bytes(packed)).code == "FILE_TRUNCATED"


@pytest.mark.parametrize("line", [b"x" * 99 + b"\n", b"\n"])
def test_an_archive_that_unpacks_too_far_is_refused(catalogue: Catalogue, line: bytes) -> None:
    fits = line * (TEXT_MAX // len(line))
    assert len(lines(catalogue, gzip.compress(fits))) == TEXT_MAX // len(line)
    assert refusal(catalogue, gzip.compress(fits + line)).code == "ARCHIVE_UNSAFE"


def test_bytes_are_bounded_not_characters(catalogue: Catalogue) -> None:
    wide = ("ä" * 50 + "\n").encode()
    assert refusal(catalogue, wide * (TEXT_MAX // 101 + 1)).code == "ARCHIVE_UNSAFE"


def test_an_archive_of_one_endless_line_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "wide")
    bomb = gzip.compress(b"0" * 50_000_000)
    tracemalloc.start()
    try:
        assert refusal(catalogue, bomb).code == "CSV_DIALECT"
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
