"""The data that comes with Alphintra and the intraday files beside it are read whole."""

from __future__ import annotations

from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from alphintra.strategy.gateways.catalogue import Catalogue
from unit.strategy.market_csv import read_lines

if TYPE_CHECKING:
    from unit.strategy.market_csv import SymbolBars

SHARED = Path(__file__).parents[4] / "shared" / "data"
INTRADAY = {
    "crypto-ETHBTC-5m.csv.gz": (5760, "5m", ()),
    "crypto-LTCBTC-5m.csv.gz": (5760, "5m", ()),
    "crypto-XMRBTC-5m.csv.gz": (
        5758,
        "5m",
        ("2 gaps in a series of 0:05:00 bars, the longest of 0:10:00 after 2018-01-27T22:50Z",),
    ),
    "crypto-XRPETH-1m.csv.gz": (
        2469,
        "1m",
        ("676 gaps in a series of 0:01:00 bars, the longest of 0:09:00 after 2019-10-11T19:21Z",),
    ),
}


def imported(folder: Path, data: bytes, *, symbol: str | None = None) -> tuple[SymbolBars, ...]:
    catalogue = Catalogue(folder)
    upload_id = UUID(int=1)
    catalogue.stage(upload_id, 0, data)
    return read_lines(catalogue.upload_lines(upload_id), symbol=symbol)


def test_the_shipped_prices_are_complete_with_their_splits(tmp_path: Path) -> None:
    data = (resources.files("alphintra") / "data" / "us-stocks-daily-2000-2013.csv.gz").read_bytes()
    found = {item.symbol: item for item in imported(tmp_path, data)}
    rows = {symbol: len(item.bars) for symbol, item in found.items()}
    assert rows == {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}
    splits = {name: [(f"{split.ts:%Y-%m-%d}", split.ratio) for split in item.splits] for name, item in found.items()}
    assert splits["AAPL"] == [("2000-06-21", Fraction(2)), ("2005-02-28", Fraction(2))]
    assert splits["MSFT"] == [("2003-02-18", Fraction(2))]
    assert [splits[name] for name in ("FB", "GOOG", "IBM")] == [[], [], []]
    assert {item.timeframe for item in found.values()} == {"1d"}
    assert all(item.findings == () for item in found.values())


@pytest.mark.parametrize("name", INTRADAY)
def test_intraday_prices_are_read_with_their_gaps(tmp_path: Path, name: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip("the intraday sample is not beside the repository")
    (found,) = imported(tmp_path, (SHARED / name).read_bytes(), symbol="COIN/ETH")
    assert (len(found.bars), found.timeframe, found.findings) == INTRADAY[name]
