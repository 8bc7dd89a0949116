"""What is typed is refused with its code before anything is sent, or handed on as it was."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from alphintra.cli.parameters import AMOUNT, DAY, POSITIVE, SYMBOL, check_range, read_text, readable_bytes
from alphintra.kernel.errors import AlphintraError


def refused(kind: click.ParamType[str], text: str) -> str:
    with pytest.raises(AlphintraError) as caught:
        kind.convert(text, None, None)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nan", "NUMBER_NOT_FINITE"),
        ("Infinity", "NUMBER_NOT_FINITE"),
        ("1e5", "NUMBER_FORMAT"),
        ("1_000", "NUMBER_FORMAT"),
        ("1,5", "NUMBER_FORMAT"),
        (" 12 ", "NUMBER_FORMAT"),
        ("١٢٣", "NUMBER_FORMAT"),
        ("", "NUMBER_FORMAT"),
        ("0.0000000001", "NUMBER_SCALE"),
        ("1000000000000000000", "NUMBER_RANGE"),
        ("0", "QTY_NOT_POSITIVE"),
        ("-0", "QTY_NOT_POSITIVE"),
        ("-5", "QTY_NOT_POSITIVE"),
    ],
)
def test_what_is_no_positive_amount_is_refused_with_its_code(text: str, code: str) -> None:
    assert refused(POSITIVE, text) == code


def test_an_amount_is_handed_on_as_it_was_typed() -> None:
    assert POSITIVE.convert("10.50", None, None) == "10.50"
    assert AMOUNT.convert("0", None, None) == "0"


def test_a_refusal_names_the_option_it_is_about() -> None:
    with pytest.raises(AlphintraError) as caught:
        POSITIVE.convert("x", click.Option(["-l", "--limit"]), None)
    assert caught.value.pointer == "--limit"
    assert caught.value.detail.startswith("--limit: ")


@pytest.mark.parametrize(
    ("text", "handed_on"),
    [
        ("2010-01-31", "2010-01-31T00:00:00Z"),
        ("2010-01-31T16:00:00+02:00", "2010-01-31T14:00:00Z"),
        ("2010-01-31T16:00:00Z", "2010-01-31T16:00:00Z"),
    ],
)
def test_a_day_begins_at_midnight_utc_and_a_moment_keeps_its_time(text: str, handed_on: str) -> None:
    assert DAY.convert(text, None, None) == handed_on


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2010-02-30", "TIME_FORMAT"),
        ("yesterday", "TIME_FORMAT"),
        ("31.01.2010", "TIME_FORMAT"),
        ("2010-01-31T16:00:00", "TIME_NO_ZONE"),
    ],
)
def test_what_is_no_day_is_refused(text: str, code: str) -> None:
    assert refused(DAY, text) == code


def test_a_symbol_is_written_in_capitals_and_nothing_else_is_one() -> None:
    assert SYMBOL.convert("aapl", None, None) == "AAPL"
    assert refused(SYMBOL, "../etc") == "SYMBOL_FORMAT"
    assert refused(SYMBOL, "") == "SYMBOL_FORMAT"


@pytest.mark.parametrize(
    ("start", "end"),
    [("2011-01-01T00:00:00Z", "2010-01-01T00:00:00Z"), ("2010-01-01T00:00:00Z", "2010-01-01T00:00:00Z")],
)
def test_a_range_that_holds_nothing_is_refused(start: str, end: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        check_range(start, end)
    assert caught.value.code == "RANGE"


def code_of_file(path: Path) -> str:
    with pytest.raises(AlphintraError) as caught:
        readable_bytes(path)
    assert str(path) in caught.value.detail
    return caught.value.code


def test_files_that_cannot_be_read_are_told_apart(tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    os.mkfifo(tmp_path / "pipe")
    assert code_of_file(tmp_path / "absent.csv") == "FILE_NOT_FOUND"
    assert code_of_file(empty / "below") == "FILE_NOT_FOUND"
    assert code_of_file(tmp_path) == "FILE_NOT_A_FILE"
    assert code_of_file(tmp_path / "pipe") == "FILE_NOT_A_FILE"
    assert code_of_file(empty) == "FILE_EMPTY"
    assert code_of_file(tmp_path / ("x" * 300)) == "FILE_UNREADABLE"


def test_text_is_utf_8_with_or_without_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_bytes(b"\xef\xbb\xbf{}")
    assert read_text(path) == "{}"
    path.write_bytes(b"{\xff}")
    with pytest.raises(AlphintraError) as caught:
        read_text(path)
    assert caught.value.code == "ENCODING"
