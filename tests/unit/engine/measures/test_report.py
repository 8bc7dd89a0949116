"""A book's report: exact exposures, and a named reason in the place of every number that would mean nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.measures.report import Holding, Inputs, RiskReport, measure_book

START = date(2024, 1, 1)


def closes(count: int, *, seed: int, price: float = 100.0, sd: float = 0.01) -> list[tuple[date, Decimal]]:
    """Return a random walk of closes, one a day."""
    moves = np.random.default_rng(seed).standard_normal(count) * sd
    prices = price * np.cumprod(1 + moves)
    return [(START + timedelta(days=day), Decimal(repr(round(float(one), 6)))) for day, one in enumerate(prices)]


def holding(symbol: str, qty: str, price: str | None) -> Holding:
    return Holding(symbol=symbol, qty=Decimal(qty), price=None if price is None else Decimal(price))


def book(count: int = 300, **more: object) -> Inputs:
    inputs = Inputs(
        cash=Decimal(1000),
        holdings=(holding("AAPL", "10", "100"), holding("BTC/USD", "-0.5", "400")),
        closes={"AAPL": closes(count, seed=1), "BTC/USD": closes(count, seed=2), "SPY": closes(count, seed=3)},
        equity=(Decimal(2000), Decimal(2200), Decimal(1980)),
        benchmark="SPY",
    )
    return replace(inputs, **more)  # type: ignore[arg-type] # any field of the inputs


def amounts(*values: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, values))


def codes(report: RiskReport) -> list[str]:
    return [one.code for one in report.missing]


def test_exposure_is_exact() -> None:
    report = measure_book(book())
    assert (report.gross, report.net, report.equity) == amounts("1200", "800", "1800")
    assert report.leverage == Decimal("0.666667")
    assert [(one.name, one.gross, one.net) for one in report.classes] == [
        ("crypto", *amounts("200", "-200")),
        ("equity", *amounts("1000", "1000")),
    ]
    assert [(one.symbol, one.value, one.share) for one in report.symbols] == [
        ("AAPL", *amounts("1000", "0.833333")),
        ("BTC/USD", *amounts("-200", "0.166667")),
    ]
    assert report.concentration == Decimal("0.722222")  # (25 + 1) / 36
    assert report.drawdown is not None
    assert (report.drawdown.deepest, report.drawdown.current) == (Decimal("0.100000"), Decimal("0.100000"))


def test_books_add_up_to_the_account() -> None:
    report = measure_book(
        book(books={("b1", "AAPL"): Decimal(4), (None, "AAPL"): Decimal(6), ("b1", "BTC/USD"): Decimal("-0.5")})
    )
    assert [(one.name, one.net) for one in report.books] == [("b1", Decimal(200)), ("unassigned", Decimal(600))]
    assert sum(one.net for one in report.books) == report.net


def test_every_method_gives_both_levels_and_they_lie_close_for_returns_that_are_normal() -> None:
    report = measure_book(book(500))
    figures = {(one.method, one.confidence): one for one in report.tails}
    assert len(figures) == 8
    reference = figures["parametric", Decimal("0.99")].var
    for figure in report.tails:
        assert figure.es >= figure.var > 0
        if figure.confidence == Decimal("0.99"):
            assert figure.var == pytest.approx(reference, rel=Decimal("0.25"))
    assert report.missing == (report.missing[0],)
    assert codes(report) == ["BACKTEST_TOO_SHORT"]


def test_stress_moves_each_class_by_its_scenario() -> None:
    pnl = {one.name: one.pnl for one in measure_book(book()).stress}
    assert pnl["fall_10_percent"] == -80
    assert pnl["covid_2020"] == Decimal("-119.8") + 74


def test_too_little_history_is_named_and_no_number_stands_in() -> None:
    report = measure_book(book(40))
    assert (report.tails, report.backtest, report.history_days) == ((), None, 0)
    assert codes(report) == ["HISTORY_TOO_SHORT", "BENCHMARK_MISSING", "BACKTEST_TOO_SHORT"]
    assert "39 daily returns" in report.missing[0].detail


def test_eighty_days_have_no_hundredth_and_say_so() -> None:
    report = measure_book(book(81))
    assert ("historical", Decimal("0.99")) not in {(one.method, one.confidence) for one in report.tails}
    assert ("historical", Decimal("0.95")) in {(one.method, one.confidence) for one in report.tails}
    assert "HISTORY_TOO_SHORT" in codes(report)


def test_a_position_without_a_price_leaves_equity_and_risk_unknown() -> None:
    report = measure_book(book(holdings=(holding("AAPL", "10", "100"), holding("NEW", "1", None))))
    assert (report.equity, report.tails, report.stress, report.concentration) == (None, (), (), None)
    assert report.gross == 1000
    assert "PRICE_MISSING" in codes(report)


def test_an_empty_account_has_no_risk_of_prices_and_says_so() -> None:
    report = measure_book(book(holdings=()))
    assert (report.gross, report.equity, report.tails) == (*amounts("0", "1000"), ())
    assert codes(report) == ["NO_POSITION"]


def test_a_move_that_may_be_a_split_is_named() -> None:
    split = closes(200, seed=1)
    split[150:] = [(day, price / 7) for day, price in split[150:]]
    assert "PRICE_JUMP" in codes(measure_book(book(200, closes={**book(200).closes, "AAPL": split})))


def test_prices_that_never_moved_are_no_reason_to_fail() -> None:
    flat = [(START + timedelta(days=day), Decimal(100)) for day in range(100)]
    report = measure_book(book(holdings=(holding("AAPL", "10", "100"),), closes={"AAPL": flat}, benchmark="AAPL"))
    assert "PRICES_CONSTANT" in codes(report)
    assert report.beta is None


def test_days_that_only_one_symbol_has_are_left_out() -> None:
    sparse = closes(300, seed=2)[::3]
    report = measure_book(book(closes={**book().closes, "BTC/USD": sparse}))
    assert report.history_days == 99


def test_the_backtest_needs_two_windows_and_passes_for_steady_returns() -> None:
    report = measure_book(book(700))
    assert report.backtest is not None
    assert (report.backtest.days, report.backtest.is_rejected) == (449, False)
    assert report.missing == ()


@given(st.integers(2, 50))
def test_twice_the_position_is_twice_the_risk(factor: int) -> None:
    small = measure_book(book(100, holdings=(holding("AAPL", "1", "100"),)))
    large = measure_book(book(100, holdings=(holding("AAPL", str(factor), "100"),)))
    for one, many in zip(small.tails, large.tails, strict=True):
        assert many.var == pytest.approx(factor * one.var, abs=Decimal("0.0001") * factor)
        assert many.es == pytest.approx(factor * one.es, abs=Decimal("0.0001") * factor)
    assert large.leverage is not None
    assert (large.concentration, large.beta) == (small.concentration, small.beta)
