"""Market-data files are read exactly, or refused with a code, the line and the remedy."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.market_files import require_symbol
from alphintra.strategy.gateways import market_rows
from unit.strategy.market_csv import GOOD, HEADER, csv_text, days, file_of, read, read_lines, read_one, refusal

SPLIT_HEADER = "date,open,high,low,close,volume,Adj Close"


def minutes(*clock: str) -> list[str]:
    return [f"2024-01-02T{at}:00Z,{GOOD}" for at in clock]


@pytest.mark.parametrize("lines", [[], ["\n", "\n"], [f"{HEADER}\n"], [f"{HEADER}\n", "\n", "\r\n"]], ids=str)
def test_a_file_without_rows_is_refused_as_empty(lines: list[str]) -> None:
    assert refusal(lines).code == "FILE_EMPTY"


def test_prices_are_read_to_the_digit_in_any_order_of_columns() -> None:
    found = read_one("7,0.00000001,2024-01-02,3.000000009,1,2.5", header="Volume,L,Timestamp,High,o,CLOSE")
    (bar,) = found.bars
    wanted = (Decimal(1), Decimal("3.000000009"), Decimal("0.00000001"), Decimal("2.5"), Decimal(7))
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == wanted
    assert (found.symbol, found.timeframe, found.splits, found.findings) == ("AAPL", "1d", (), ())


def test_a_byte_order_mark_and_blank_lines_before_the_header_are_no_part_of_it() -> None:
    lines = ["\n", f"\ufeff{HEADER}\n", "\n", f"{days(1)[0]}\n"]
    (found,) = read_lines(lines)
    assert len(found.bars) == 1


@pytest.mark.parametrize(
    "lines",
    [
        [f"{HEADER}\n", "2024-01-02,1\x000,11,9,10,1000\n"],
        ["d\0a\0t\0e\0,\0o\0p\0e\0n\0\n"],
        ["PK\x03\x04\x00\x00\x00\x00\n"],
    ],
    ids=["inside", "utf-16", "zip"],
)
def test_nul_is_no_text(lines: list[str]) -> None:
    assert refusal(lines).code == "ENCODING"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_than_the_comma_is_that_of_the_first_line(separator: str) -> None:
    lines = [line.replace(",", separator) for line in file_of(*days(2))]
    (found,) = read_lines(lines)
    assert found.bars == read_one(*days(2)).bars
    assert refusal([*lines[:2], file_of(*days(2))[2]]).code == "CSV_COLUMN"


def test_a_separator_that_is_none_is_named() -> None:
    error = refusal([line.replace(",", "~") for line in file_of(*days(2))])
    assert error.code == "CSV_DIALECT"
    assert "comma" in error.detail


@pytest.mark.parametrize(
    ("row", "line"), [('2024-01-03,"10,11,9,10,1000', "line 3"), ('2024-01-03,"10"x,11,9,10,1', "line 3")]
)
def test_broken_quotes_are_refused_with_their_line(row: str, line: str) -> None:
    error = refusal(file_of(*days(1), row))
    assert error.code == "CSV_DIALECT"
    assert line in error.detail


def test_quoted_fields_with_quotes_commas_and_newlines_are_read_and_lines_counted_as_in_the_file() -> None:
    rows = [
        [*HEADER.split(","), "note"],
        ["2024-01-02", *GOOD.split(","), 'said "a,\nb"'],
        ["2024-01-02", *"11110", ""],
    ]
    lines = csv_text(rows).splitlines(keepends=True)
    assert "line 4" in refusal(lines).detail
    (found,) = read_lines(lines[:3])
    assert len(found.bars) == 1


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("date,open,high,low,close", "volume"),
        ("open,high,low,close,volume,note", "ts"),
        ("date,open,high,low,close,volume,Open", "'Open'"),
        ("date,time,open,high,low,close,volume", "'time'"),
    ],
)
def test_a_missing_or_doubled_column_is_named(header: str, named: str) -> None:
    error = refusal(file_of(*days(2), header=header))
    assert error.code == "CSV_COLUMN"
    assert named in error.detail


@pytest.mark.parametrize("row", ["2024-01-03,10,11", "2024-01-03,10,11,9,10,1,000"])
def test_a_row_with_other_fields_than_the_header_is_refused_with_its_line(row: str) -> None:
    error = refusal(file_of(*days(1), row))
    assert error.code == "CSV_COLUMN"
    assert "line 3" in error.detail


def test_blank_fields_behind_the_last_column_are_no_data() -> None:
    assert len(read_one(*[f"{row},, " for row in days(3)]).bars) == 3


@pytest.mark.parametrize(
    "dates",
    [("2024-01-03", "2024-01-02"), ("2024-01-03", "2024-01-03")],
    ids=["unsorted", "duplicate"],
)
def test_a_row_that_is_not_after_the_one_before_is_refused_with_its_line(dates: tuple[str, str]) -> None:
    error = refusal(file_of("2024-01-02,1,1,1,1,1".replace("02", "01", 1), *(f"{day},{GOOD}" for day in dates)))
    assert error.code == "TIME_ORDER"
    assert "line 4" in error.detail


def test_symbols_may_be_mixed_as_long_as_each_is_in_order() -> None:
    header = f"ticker,{HEADER}"
    rows = ["B", "A", "B", "A"]
    found = read(*(f"{name},2024-01-0{index // 2 + 2},{GOOD}" for index, name in enumerate(rows)), header=header)
    assert [(item.symbol, len(item.bars)) for item in found] == [("A", 2), ("B", 2)]


@pytest.mark.parametrize(
    ("time", "code"),
    [
        ("1.362096e9", "TIME_UNIT"),
        ("1362096", "TIME_UNIT"),
        ("99999999999999999999", "TIME_UNIT"),
        ("01/03/2013", "TIME_UNIT"),
        ("2013-02-30", "TIME_UNIT"),
        ("2013-02-30T00:00:00Z", "TIME_UNIT"),
        ("9999-12-31T23:59:00Z", "TIME_UNIT"),
        ("0001-01-01", "TIME_UNIT"),
        ("", "TIME_UNIT"),
        ("2013-03-01T14:30:00", "TIME_ZONE"),
    ],
)
def test_a_time_that_is_not_plainly_a_date_or_utc_is_refused_with_its_line(time: str, code: str) -> None:
    error = refusal(file_of(f"{time},{GOOD}"))
    assert error.code == code
    assert "line 2" in error.detail


@pytest.mark.parametrize("rows", [("2024-01-02", "2024-01-03T00:00:00Z"), ("2024-01-02T00:00:00Z", "2024-01-03")])
def test_dates_and_times_do_not_mix(rows: tuple[str, str]) -> None:
    error = refusal(file_of(*(f"{row},{GOOD}" for row in rows)))
    assert error.code == "TIME_ZONE"
    assert "line 3" in error.detail


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        ("2024-03-08", 21),  # Friday before the clocks go forward in New York
        ("2024-03-11", 20),
        ("2024-11-01", 20),
        ("2024-11-04", 21),
        ("2006-04-03", 20),  # the rule before 2007
        ("1972-01-03", 21),
    ],
)
def test_a_session_closes_at_sixteen_hours_in_new_york_in_summer_and_winter(day: str, hour: int) -> None:
    (bar,) = read_one(f"{day},{GOOD}").bars
    assert bar.ts == datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)


def test_times_are_starts_of_intervals_and_bars_are_stamped_with_their_end() -> None:
    found = read_one(*minutes("14:30", "14:35", "14:40"))
    assert found.timeframe == "5m"
    assert found.bars[0].ts == datetime(2024, 1, 2, 14, 35, tzinfo=UTC)
    assert found.bars[-1].ts == datetime(2024, 1, 2, 14, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "timeframe"),
    [
        (("2024-01-02T10:00:00Z", "2024-01-02T11:00:00+00:00"), "1h"),
        (("2024-01-02T00:00:00Z", "2024-01-02T04:00:00Z"), "4h"),
        (("2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"), "1d"),
        (("2024-01-02T00:00:00Z", "2024-01-02T00:07:00Z"), "7m"),
    ],
)
def test_intervals_have_the_names_graphs_use(times: tuple[str, str], timeframe: str) -> None:
    assert read_one(*(f"{time},{GOOD}" for time in times)).timeframe == timeframe


def test_one_intraday_bar_alone_and_bars_seconds_apart_have_no_interval() -> None:
    assert refusal(file_of(*minutes("10:00"))).code == "BAR_GAP"
    assert refusal(file_of(f"2024-01-02T10:00:00Z,{GOOD}", f"2024-01-02T10:00:30Z,{GOOD}")).code == "TIME_UNIT"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ("10,9,9,10,1", "BAR_INVALID"),
        ("10,11,9,12,1", "BAR_INVALID"),
        ("10,11,9,8,1", "BAR_INVALID"),
        ("10,11,9,10,-1", "BAR_INVALID"),
        ("-10,11,-11,10,1", "BAR_INVALID"),
        ("0,0,0,0,1", "BAR_INVALID"),
        ("1e400,1e400,9,10,1", "BAR_INVALID"),
        ("1e30,1e30,9,10,1", "BAR_INVALID"),
        ("10,1e18,9,10,1", "BAR_INVALID"),
        ("10,11,9,10,1.5e18", "BAR_INVALID"),
        ("1_0,11,9,10,1", "BAR_INVALID"),
        ("\u0661\u0660,11,9,10,1", "BAR_INVALID"),
        ("ten,11,9,10,1", "BAR_INVALID"),
        ("Infinity,11,9,10,1", "BAR_INVALID"),
        ("10,11,9,,1", "PRICE_MISSING"),
        ("10,11,9, ,1", "PRICE_MISSING"),
        ("10,NaN,9,10,1", "PRICE_MISSING"),
        ("10,11,9,10,null", "PRICE_MISSING"),
    ],
)
def test_a_bad_bar_is_left_out_and_named_while_they_are_few(values: str, code: str) -> None:
    good, bad = days(200), f"2025-01-01,{values}"
    found = read_one(*good[:100], *good[100:], bad)
    assert len(found.bars) == 200
    assert [text for text in found.findings if text.startswith("left out line 202")]
    assert refusal(file_of(bad)).code == code
    error = refusal(file_of(*good[:20], bad, bad.replace("2025-01-01", "2025-01-02")))
    assert error.code == code
    assert "line 22" in error.detail


@pytest.mark.parametrize(("bad", "is_read"), [(2, True), (3, False)])
def test_one_row_in_a_hundred_may_be_bad_and_not_one_more(bad: int, *, is_read: bool) -> None:
    rows = days(200)
    for index in range(bad):
        rows[50 + index] = rows[50 + index].replace(GOOD, "10,9,9,10,1")
    if is_read:
        assert len(read_one(*rows).bars) == 200 - bad
    else:
        assert f"{bad} of 200 rows are bad" in refusal(file_of(*rows)).detail


@pytest.mark.parametrize("text", ["1.5E+05", "1.5e5", "150000", "150000.000"])
def test_volumes_may_carry_an_exponent(text: str) -> None:
    (bar,) = read_one(f"2024-01-02,10,11,9,10,{text}").bars
    assert bar.volume == Decimal(150000)


def test_a_jump_of_a_hundred_times_is_named() -> None:
    found = read_one(*days(3), *days(3, first="2024-01-08", values="1000,1100,900,1000,1"))
    assert found.findings == ("close jumps from 10 to 1000 on 2024-01-08",)


@pytest.mark.parametrize(
    "values", ["1000,1000,1000,1000,1", "10,125,9,10,1", "10,11,0.1,10,1"], ids=["all", "high", "low"]
)
def test_a_price_ten_times_off_both_neighbours_is_left_out_and_named(values: str) -> None:
    rows = days(200)
    rows[100] = f"{rows[100].partition(',')[0]},{values}"
    found = read_one(*rows, symbol="BTC/USD")
    assert (len(found.bars), found.codes) == (199, {"PRICE_OUTLIER": ("dropped", 1)})
    assert found.findings[0].startswith("left out line 102")
    (*_, last) = read_one(*rows[:101], symbol="BTC/USD").bars
    assert last.ts == datetime(2024, 4, 12, tzinfo=UTC)
    for place in (103, 105, 107):
        rows[place] = f"{rows[place].partition(',')[0]},{values}"
    assert refusal(file_of(*rows), symbol="BTC/USD").code == "PRICE_OUTLIER"


def test_a_split_explains_a_jump_and_a_dividend_is_no_split() -> None:
    before = [f"{row},5" for row in days(3, values="100,100,100,100,1")]
    split = [f"{row},5" for row in days(3, first="2024-01-08", values="20,20,20,20,1")]
    dividend = [f"{row},5.1" for row in days(1, first="2024-01-11", values="20,20,20,20,1")]
    found = read_one(*before, *split, *dividend, header=SPLIT_HEADER)
    ((index, place, ratio),) = [(item.index, item.ts, item.ratio) for item in found.splits]
    assert (index, place, ratio) == (3, datetime(2024, 1, 8, 21, tzinfo=UTC), Fraction(5))
    assert found.table.adjusted.dividends == ("2024-01-11T21:00:00+00:00 0.400000 1.02",)
    assert found.findings == ()


def test_a_step_of_the_adjusted_close_that_is_no_split_is_named() -> None:
    rows = [f"{row},{10 if index < 2 else 14.2}" for index, row in enumerate(days(4))]
    found = read_one(*rows, header=SPLIT_HEADER)
    assert found.splits == ()
    assert found.findings == ("unexplained step of the adjusted close by 1.420 on 2024-01-04",)


@pytest.mark.parametrize("adjusted", ["0", "-1", "", "NaN", "0.0000000001"])
def test_a_bad_adjusted_close_costs_its_row_alone(adjusted: str) -> None:
    rows = [f"{row},10" for row in days(150)]
    rows[70] = rows[70].rpartition(",")[0] + f",{adjusted}"
    found = read_one(*rows, header=SPLIT_HEADER)
    assert len(found.bars) == 149
    assert found.findings[0].startswith("left out line 72: adjusted close")


def test_gaps_and_silent_bars_are_named() -> None:
    found = read_one(*days(2), *days(2, first="2024-01-22", values="10,11,9,10,0"))
    assert found.findings == ("gap of 19 days before 2024-01-22", "2 bars without volume")
    named = read_one(*minutes("10:00", "10:05", "10:10", "10:25", "10:30", "10:40")).findings
    assert named == ("2 gaps in a series of 0:05:00 bars, the longest of 0:15:00 after 2024-01-02T10:15Z",)


def test_findings_are_bounded() -> None:
    prices = [str((10, 40, 160, 40)[index % 4]) for index in range(80)]
    rows = [row.replace(GOOD, ",".join([price] * 5)) for row, price in zip(days(80), prices, strict=True)]
    findings = read_one(*rows, symbol="BTC/USD").findings
    assert (len(findings), findings[-1]) == (51, "… and 29 more")


@pytest.mark.parametrize("name", ["aapl", "", "A B", "=1+1", "A" * 33, "Ä", "../X"])
def test_what_is_no_symbol_is_refused(name: str) -> None:
    error = refusal(file_of(f"{name},2024-01-02,{GOOD}", header=f"symbol,{HEADER}"))
    assert (error.code, "line 2" in error.detail) == ("SYMBOL_FORMAT", True)
    with pytest.raises(AlphintraError, match="SYMBOL_FORMAT") as caught:
        require_symbol(name)
    assert caught.value.pointer == "/symbol"


def test_a_file_without_symbols_needs_one() -> None:
    assert refusal(file_of(*days(2)), symbol=None).code == "SYMBOL_REQUIRED"


def test_the_number_of_rows_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_rows, "ROWS_MAX", 10)
    assert len(read_one(*days(10)).bars) == 10
    assert refusal(file_of(*days(11))).code == "FILE_TOO_LARGE"


def test_progress_is_told_in_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_rows, "PIECE_ROWS", 4)
    told: list[int] = []
    read_lines(file_of(*days(9)), progress=told.append)
    assert told == [4, 8, 9]


@given(st.lists(st.text(alphabet='0123456789-,.:TZe+"\n ;NaN\x00A\u0661', max_size=40), max_size=8))
def test_no_text_whatever_breaks_the_reader(lines: list[str]) -> None:
    with suppress(AlphintraError):
        assert read_lines([f"{HEADER}\n", *lines])
