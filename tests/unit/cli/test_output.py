"""What is printed: whole, plain and at most 100 columns wide."""

from __future__ import annotations

from decimal import Decimal

import pytest

from alphintra.cli.output import amount, moment, print_fields, print_table

IDENT = "01a2050a-1c50-72ce-a20b-ed5b75921c9e"


@pytest.mark.parametrize(
    ("written", "shown"),
    [("1E+5", "100000"), ("0E-9", "0"), ("10.500000000", "10.5"), ("0.000000001", "0.000000001"), ("-3.10", "-3.1")],
)
def test_amounts_are_shown_without_exponent_or_trailing_zeros(
    capsys: pytest.CaptureFixture[str], written: str, shown: str
) -> None:
    print_fields({"cash": amount(written)})
    assert capsys.readouterr().out == f"cash  {shown}\n"


def test_times_are_shown_in_utc() -> None:
    assert moment("2026-01-31T23:30:15.123456-02:00") == "2026-02-01 01:30:15"
    assert moment(None) == ""


def test_a_table_keeps_ids_whole_and_stays_within_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    text = "words that go on " * 20
    print_table(("order", "account", "text", "qty"), [(IDENT, IDENT, text, Decimal("12.5"))])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert sum(line.count(IDENT) for line in lines) == 2
    assert " ".join(lines).count("words") == 20


def test_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("order",), [])
    assert "(none)" in capsys.readouterr().out


def test_what_others_wrote_is_shown_as_text_and_never_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name",), [("[red]x[/red] \x1b[31m",)])
    shown = capsys.readouterr().out
    assert "[red]x[/red]" in shown
    assert "\x1b" not in shown


def test_what_is_absent_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields({"limit": None, "reason": "", "splits": [], "may be short": False})
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["-", "-", "-", "no"]
