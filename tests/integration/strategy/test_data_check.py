"""Imported bars are checked as they are stored, and read adjusted as asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from alphintra.contracts.strategy import CheckDataset, DataCheckView, GetDataset, ImportDataset
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import DatasetId
from alphintra.strategy.service.market_data import read_columns

if TYPE_CHECKING:
    from integration.strategy.stage import Stage

HEADER = "Date,Open,High,Low,Close,Volume,Adj Close"
# Two for one on the 4th, 2 % of dividend on the 9th, and the 5th is missing.
ROWS = {2: (100, 49), 3: (100, 49), 4: (50, 49), 8: (50, 49), 9: (50, 50)}
FILE = "\n".join([HEADER, *(f"2024-01-{day:02},{c},{c},{c},{c},7,{adj}" for day, (c, adj) in ROWS.items())]).encode()


async def imported(stage: Stage, data: bytes = FILE, symbol: str = "AAPL") -> None:
    upload_id = await stage.upload(data)
    command = ImportDataset(
        upload_id=upload_id, file_name="f.csv", source="test", symbol=symbol, licence="CC0", allow=("sort",)
    )
    started = await stage.endpoints.import_dataset(command, stage.owner)
    await stage.work()
    assert (await stage.imported(started.import_id)).error == ""


async def checked(stage: Stage, symbol: str = "AAPL") -> DataCheckView:
    return await stage.endpoints.check_dataset(CheckDataset(symbol=symbol, has_hash=True), stage.owner)


async def test_a_check_names_what_lacks_and_that_nothing_was_changed(stage: Stage) -> None:
    await imported(stage)
    found = await checked(stage)
    coverage = found.coverage
    assert (coverage.calendar, coverage.sessions_expected, coverage.sessions_found) == ("XNYS", 6, 5)
    assert (coverage.share, coverage.gap_bars) == (5 / 6, 1)
    assert [(issue.code, issue.count) for issue in found.issues] == [("BAR_GAP", 1)]
    assert found.is_intact


async def test_bars_that_were_changed_since_their_import_are_not_intact(stage: Stage) -> None:
    await imported(stage)
    found = await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), stage.owner)
    path = stage.catalogue.path_of(DatasetId(found.dataset_id))
    pl.read_parquet(path).with_columns(volume=pl.col("volume") * 2).write_parquet(path)
    assert (await checked(stage)).is_intact is False


async def test_what_an_import_left_out_is_told_by_later_checks(stage: Stage) -> None:
    days = "\n".join(f"2024-01-{day:02},1,1,1,1,{'x' if day == 3 else 7}" for day in range(1, 32))
    await imported(stage, f"date,o,h,l,c,v\n{days}\n".encode(), symbol="ETH/BTC")
    assert [(issue.code, issue.action) for issue in (await checked(stage, "ETH/BTC")).issues] == [
        ("BAR_INVALID", "dropped"),
        ("BAR_GAP", "kept"),
        ("PRICE_FROZEN", "kept"),
    ]


async def test_a_dataset_keeps_where_it_is_from_and_what_it_is_adjusted_by(stage: Stage) -> None:
    await imported(stage)
    found = await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), stage.owner)
    assert (found.licence, found.file_format, found.stamps, found.price_basis) == ("CC0", "csv", "open", "raw")
    assert (len(found.splits), len(found.dividends), len(found.file_hash)) == (1, 1, 64)


async def test_columns_are_raw_split_adjusted_or_with_dividends_reinvested(stage: Stage) -> None:
    await imported(stage)
    found = await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), stage.owner)
    (dataset,) = await stage.desk.datasets([DatasetId(found.dataset_id)])
    closes = {
        adjust: read_columns(dataset, catalogue=stage.catalogue, adjust=adjust).close.tolist()
        for adjust in ("none", "split", "total")
    }
    assert closes["none"] == [100, 100, 50, 50, 50]
    assert closes["split"] == [50, 50, 50, 50, 50]
    assert closes["total"] == pytest.approx([49, 49, 49, 49, 50], rel=1e-12)
    assert read_columns(dataset, catalogue=stage.catalogue, start=dataset.last_ts).close.tolist() == [50]
    with pytest.raises(AlphintraError, match="ADJUST_UNKNOWN"):
        read_columns(replace(dataset), catalogue=stage.catalogue, adjust="both")
