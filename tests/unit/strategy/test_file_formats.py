"""Files as other programs write them are recognised, and read to the same bars as if they were written plainly."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.market_files import ImportOptions, require_options
from unit.strategy.market_csv import GOOD, file_of, read_lines, refusal

OPENED = datetime(2024, 1, 2, 15, 0, tzinfo=UTC)
MS = int(OPENED.timestamp()) * 1000
HOUR_MS = 3_600_000
OHLCV = "10,11,9,10.5,1000"

FILES = {
    "yahoo": [
        "Date,Open,High,Low,Close,Adj Close,Volume",
        "2024-01-02,10,11,9,10.5,10.4,1000",
        "2024-01-03,10,11,9,10.5,10.4,1000",
    ],
    "alpaca": ["t,o,h,l,c,v,n,vw", f"2024-01-02T05:00:00Z,{OHLCV},7,10.1", f"2024-01-03T05:00:00Z,{OHLCV},7,10.1"],
    "ccxt": [f"{MS},{OHLCV}", f"{MS + HOUR_MS},{OHLCV}"],
    "kraken": [f"{MS // 1000},{OHLCV},12", f"{MS // 1000 + 3600},{OHLCV},12"],
    "stooq": [
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        f"AAPL.US,D,20240102,000000,{OHLCV},0",
        f"AAPL.US,D,20240103,000000,{OHLCV},0",
    ],
    "binance": [f"{at},{OHLCV},{at + HOUR_MS - 1},1,2,3,4,0" for at in (MS, MS + HOUR_MS)],
}
DAY_CLOSE = datetime(2024, 1, 2, 21, tzinfo=UTC)
HOUR_CLOSE = OPENED + timedelta(hours=1)
WANTED = {
    "yahoo": ("1d", DAY_CLOSE, "split_adjusted"),
    "alpaca": ("1d", DAY_CLOSE, "raw"),
    "ccxt": ("1h", HOUR_CLOSE, "raw"),
    "kraken": ("1h", HOUR_CLOSE, "raw"),
    "stooq": ("1d", DAY_CLOSE, "adjusted"),
    "binance": ("1h", HOUR_CLOSE, "raw"),
}


def lines(name: str) -> list[str]:
    return [f"{line}\n" for line in FILES[name]]


@pytest.mark.parametrize("said", ["auto", "named"])
@pytest.mark.parametrize("name", FILES)
def test_a_format_is_read_whether_it_is_named_or_not(name: str, said: str) -> None:
    (found,) = read_lines(lines(name), format=name if said == "named" else "auto")
    table = found.table
    timeframe, close, basis = WANTED[name]
    assert (table.format, table.timeframe, table.price_basis, table.symbol) == (name, timeframe, basis, "AAPL")
    assert found.bars[0].ts == close
    assert [found.bars[0].open, found.bars[0].close, found.bars[0].volume] == [10, Decimal("10.5"), 1000]
    assert len(found.bars) == 2


def test_alpaca_files_of_several_symbols_and_binance_files_with_a_header_are_known() -> None:
    alpaca = "symbol,timestamp,open,high,low,close,volume,trade_count,vwap"
    rows = [f"{name},2024-07-0{day}T04:00:00+00:00,{OHLCV},1,1" for name in ("MSFT", "IBM") for day in (1, 2)]
    found = read_lines([f"{line}\n" for line in (alpaca, *rows)])
    assert [(each.symbol, each.table.format, each.bars[0].ts.hour) for each in found] == [
        ("IBM", "alpaca", 20),
        ("MSFT", "alpaca", 20),
    ]
    binance = "open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore"
    (klines,) = read_lines([f"{binance}\n", *lines("binance")])
    assert (klines.table.format, klines.timeframe) == ("binance", "1h")


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9], ids=["s", "ms", "us", "ns"])
def test_the_unit_of_epoch_numbers_is_seen_by_their_size(unit: int) -> None:
    rows = [f"{at * unit},{GOOD}" for at in (MS // 1000, MS // 1000 + 60)]
    (found,) = read_lines(file_of(*rows))
    assert (found.bars[0].ts, found.timeframe) == (OPENED + timedelta(minutes=1), "1m")


def test_epoch_numbers_of_two_units_are_refused_with_the_line_where_it_changes() -> None:
    error = refusal(file_of(f"{MS // 1000},{GOOD}", f"{MS // 1000 + 60},{GOOD}", f"{MS + 120_000},{GOOD}"))
    assert (error.code, "line 4" in error.detail) == ("TIME_UNIT", True)


def test_dates_without_dashes_are_dates() -> None:
    (found,) = read_lines(file_of(f"20240102,{GOOD}", f"20240103,{GOOD}"))
    assert (found.bars[0].ts, found.timeframe) == (DAY_CLOSE, "1d")


def test_columns_can_be_named_by_title_and_by_place() -> None:
    titled = [
        "when;clock;first;top;bottom;last;shares;x",
        *(f"2024-01-02;{at};10;11;9;10;5;0" for at in ("15:00", "15:05")),
    ]
    columns = {"ts": "When+clock", "open": "first", "high": "top", "low": "bottom", "close": "last", "volume": "shares"}
    (found,) = read_lines([f"{line}\n" for line in titled], columns=columns, zone="UTC")
    assert (found.bars[0].ts, found.timeframe) == (OPENED + timedelta(minutes=5), "5m")
    places = {"ts": "2", "open": "3", "high": "3", "low": "3", "close": "3", "volume": "1"}
    (bare,) = read_lines(["7,2024-01-02,10\n", "8,2024-01-03,10\n"], columns=places)
    assert [bar.volume for bar in bare.bars] == [7, 8]
    assert refusal(file_of(f"2024-01-02,{GOOD}"), columns={"open": "start"}).code == "CSV_COLUMN"
    assert refusal(["1,2,3\n"]).code == "CSV_COLUMN"
    assert refusal(lines("ccxt"), format="kraken").code == "CSV_COLUMN"


def stamped(*clocks: str, **said: Any) -> list[datetime]:  # noqa: ANN401 - options by name
    (found,) = read_lines(file_of(*(f"{clock},{GOOD}" for clock in clocks)), **said)
    return [bar.ts for bar in found.bars]


def test_times_without_a_zone_are_those_of_the_zone_that_is_said_in_summer_and_winter() -> None:
    winter = stamped("2024-01-02 09:30:00", "2024-01-02 09:35:00", zone="America/New_York")
    summer = stamped("2024-07-02 09:30", "2024-07-02 09:35", zone="America/New_York", stamps="close")
    assert winter[0] == datetime(2024, 1, 2, 14, 35, tzinfo=UTC)
    assert summer[0] == datetime(2024, 7, 2, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize("clock", ["2024-03-10 02:30:00", "2024-11-03 01:30:00"], ids=["skipped", "twice"])
def test_a_time_that_does_not_exist_or_comes_twice_in_its_zone_is_refused(clock: str) -> None:
    rows = file_of(f"2024-01-02 10:00:00,{GOOD}", f"{clock},{GOOD}")
    error = refusal(rows, zone="America/New_York")
    assert (error.code, "line 3" in error.detail) == ("TIME_ZONE", True)
    assert refusal(rows).code == "TIME_ZONE"


def test_one_offset_is_a_zone_and_offsets_that_change_need_one() -> None:
    assert stamped("2024-01-02T09:30:00-05:00", "2024-01-02T09:35:00-0500")[0].hour == 14
    mixed = [f"{clock},{GOOD}" for clock in ("2024-03-08T15:00:00-05:00", "2024-03-11T15:00:00-04:00")]
    error = refusal(file_of(*mixed))
    assert (error.code, "line 3" in error.detail) == ("TIME_ZONE", True)
    (found,) = read_lines(file_of(*mixed), zone="America/New_York", timeframe="1h")
    assert [bar.ts.hour for bar in found.bars] == [21, 20]
    assert found.table.zone == "America/New_York"
    assert refusal(file_of(*mixed), zone="Europe/Berlin", timeframe="1h").code == "TIME_ZONE"


def test_midnights_at_the_exchange_are_dates_of_sessions() -> None:
    for clocks in (
        ("2024-03-08 00:00:00-05:00", "2024-03-11 00:00:00-04:00"),
        ("2024-03-08 00:00:00", "2024-03-11 00:00:00"),
        ("2024-03-08T05:00:00Z", "2024-03-11T04:00:00Z"),
    ):
        assert stamped(*clocks) == [datetime(2024, 3, 8, 21, tzinfo=UTC), datetime(2024, 3, 11, 20, tzinfo=UTC)]


def test_a_date_of_a_pair_is_a_day_of_utc_and_closes_at_its_end() -> None:
    assert stamped("2024-01-02", "2024-01-03", symbol="BTC/USD")[0] == datetime(2024, 1, 3, tzinfo=UTC)


def test_weeks_and_months_close_when_they_are_over() -> None:
    weeks = stamped("2024-01-01", "2024-01-08", "2024-01-15")
    assert weeks[0] == datetime(2024, 1, 8, 5, tzinfo=UTC)
    months = stamped("2024-01-01", "2024-02-01", "2024-03-01")
    assert months[:2] == [datetime(2024, 2, 1, 5, tzinfo=UTC), datetime(2024, 3, 1, 5, tzinfo=UTC)]
    assert refusal(file_of(f"2024-01-01,{GOOD}", f"2024-01-13,{GOOD}")).code == "BAR_GAP"


def test_sorting_and_dropping_equal_rows_is_done_only_where_it_is_allowed_and_told() -> None:
    rows = [f"2024-01-0{day},{GOOD}" for day in (4, 3, 3, 2)]
    assert refusal(file_of(*rows)).code == "TIME_ORDER"
    assert refusal(file_of(*rows), allow=("sort",)).code == "TIME_ORDER"
    (found,) = read_lines(file_of(*rows), allow=("sort", "duplicates"))
    assert [bar.ts.day for bar in found.bars] == [2, 3, 4]
    assert found.findings == ("rows were sorted by time", "1 rows that repeat the row before were left out")
    other = [*rows, "2024-01-03,10,11,9,10,7"]
    assert refusal(file_of(*other), allow=("sort", "duplicates")).code == "TIME_ORDER"


def test_bars_that_have_not_closed_are_left_out_and_many_of_them_are_refused() -> None:
    days = [f"{date(2026, 2, 2) - timedelta(days=back)},{GOOD}" for back in range(40, -1, -1)]
    (found,) = read_lines(file_of(*days))
    assert len(found.bars) == 40
    assert found.codes["TIME_FUTURE"] == ("dropped", 1)
    assert refusal(file_of(*(day.replace("2026", "2126") for day in days))).code == "TIME_FUTURE"


def test_a_split_somebody_names_is_kept_beside_the_raw_bars() -> None:
    rows = [f"2024-01-0{day},{price},{price},{price},{price},1" for day, price in ((2, 100), (3, 100), (4, 50))]
    (found,) = read_lines(file_of(*rows))
    assert found.codes == {"SPLIT_SUSPECTED": ("kept", 1)}
    (named,) = read_lines(file_of(*rows), splits=("2024-01-04=2/1",))
    assert [(split.index, split.ratio) for split in named.splits] == [(2, Fraction(2))]
    assert (named.codes, named.bars) == ({}, found.bars)
    assert refusal(file_of(*rows), splits=("2024-02-04=2/1",)).code == "SPLIT_FORMAT"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"symbol": "aapl"}, "SYMBOL_FORMAT"),
        ({"format": "excel"}, "FORMAT_UNKNOWN"),
        ({"columns": {"price": "x"}}, "CSV_COLUMN"),
        ({"zone": "Mars/Base"}, "TIME_ZONE"),
        ({"zone": "../etc/passwd"}, "TIME_ZONE"),
        ({"stamps": "middle"}, "TIME_STAMPS"),
        ({"timeframe": "0m"}, "TIMEFRAME_INVALID"),
        ({"allow": ("gaps",)}, "REPAIR_UNKNOWN"),
        ({"splits": ("2024-02-30=2/1",)}, "SPLIT_FORMAT"),
        ({"splits": ("2024-02-03=2/0",)}, "SPLIT_FORMAT"),
        ({"splits": ("2024-02-03=2:1",)}, "SPLIT_FORMAT"),
    ],
)
def test_what_is_said_of_a_file_is_checked_before_it_is_read(said: dict[str, Any], code: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        require_options(ImportOptions(**said))
    assert caught.value.code == code
    assert caught.value.pointer
