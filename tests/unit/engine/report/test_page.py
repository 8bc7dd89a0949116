"""A report stands alone, says every figure with its formula, lets nothing of people's texts act, and adds up."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.graph import compile_plan
from alphintra.engine.metrics.documents import metric_documents
from alphintra.engine.metrics.results import measure
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.report.course import Course, course_of, histogram, monthly, rolling, ticks_of, yearly
from alphintra.engine.report.exports import course_csv, trades_csv
from alphintra.engine.report.page import report_page
from alphintra.engine.report.plots import Line, Plot, line_plot, nice_ticks
from alphintra.engine.templates import crossover
from alphintra.strategy.domain.reports import course_beside, write_report
from unit.engine.builders import flat_bars

EVIL = '</title><script>alert(1)</script><img src=x onerror="x">'
BARS = flat_bars([round(Decimal(100 + 15 * math.sin(i / 7) + i / 20), 2) for i in range(500)])


def told(bars: int = 500, title: str = "My strategy") -> tuple[dict[str, Any], str]:
    """Return a backtest as the API answers it, and its report."""
    terms = BacktestSettings(fees=FeeModel(commission_bps=Decimal(5)), slippage_bps=Decimal(2))
    plan = compile_plan(crossover(3, 9, average="sma"))
    result = run_backtest(plan, "AAPL", bars=BARS[:bars], settings=terms)
    text = write_report(result, beside=course_beside(result, BARS[:bars]))
    backtest = {
        "backtest_id": "b",
        "symbol": "AAPL",
        "metrics": measure(result, BARS[:bars]),
        "result": json.loads(text),
        "run_hash": "r",
        "result_hash": result.digest,
    }
    return backtest, report_page(backtest, verdict(), title=title)


def verdict(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a verdict as the API answers it, with everything a sweep and a walk-forward leave behind."""
    fan = {
        "days": [0, 50, 100],
        "bands": [[1.0, 0.9, 0.8], [1.0, 0.95, 0.9], [1.0, 1.0, 1.0], [1, 1.1, 1.2], [1, 1.3, 1.5]],
    }
    window = {
        "number": 0,
        "test": ["2024-05-01T21:00:00Z", None],
        "parameters": {"fast.period": "3"},
        "in_sample": {"sharpe": 1.0},
        "out_of_sample": {"sharpe": None},
    }
    evidence = {
        "sweep": {
            "monte_carlo": fan | {"ruin": 0.01, "drawdown_5": 0.3, "paths": 1000},
            "stress": {"outcomes": {"costs twice as high": 0.1, "other": None}, "left_out": {"late": "not yet"}},
        },
        "walk_forward": {
            "windows": [window],
            "course": [1.01, 1.02],
            "stitched": {"sharpe": 0.5, "t": 1.0, "profitable": 1.0},
        },
    }
    reasons = [{"code": "DSR", "colour": "amber", "text": "why & how"}]
    return {"colour": "amber", "reasons": reasons, "trials": 7, "unlocks": 1, "evidence": evidence} | changed


class _Reader(HTMLParser):
    """Collects what a page consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids.update(value for name, value in attrs if name == "id" and value)
        if tag not in {"meta", "input", "path", "rect", "circle", "polygon", "polyline", "br", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"path", "rect", "circle", "polygon", "polyline"}:
            assert self.open.pop() == tag


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_a_report_asks_nobody_for_anything_and_runs_nothing() -> None:
    page = told()[1]
    found = read(page)
    assert found.tags["script"] == found.tags["img"] == found.tags["link"] == found.tags["iframe"] == 0
    assert not [name for _, name, _ in found.attributes if name.startswith("on") or name in {"src", "href", "srcset"}]
    assert "url(" not in page
    assert "//" not in page.replace("/ ", "")
    assert (
        "meta",
        "content",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    ) in (found.attributes)


def test_texts_of_people_are_texts() -> None:
    backtest, _ = told()
    backtest["symbol"] = backtest["result"]["trades"][0]["entry_tag"] = EVIL
    backtest["result"]["blocked"] = {EVIL: 1}
    reasons = [{"code": "DSR", "colour": "red", "text": EVIL}]
    page = report_page(backtest, verdict(colour="red", reasons=reasons), title=EVIL)
    found = read(page)
    assert found.tags["script"] == found.tags["img"] == 0
    assert page.count("&lt;script&gt;") >= 5


def test_every_figure_is_there_with_its_formula_and_every_plot_with_its_description() -> None:
    page = told()[1]
    for document in metric_documents():
        assert document.label in page
        assert document.formula.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in page.replace(
            "&#x27;", "'"
        )
    found = read(page)
    assert found.tags["desc"] == sum(name == "role" for tag, name, _ in found.attributes if tag == "svg") == 17
    assert max(found.ids.values()) == 1
    named = [value for tag, name, value in found.attributes if (tag, name) == ("svg", "aria-labelledby")]
    assert all(set((value or "").split()) <= set(found.ids) for value in named)
    assert "nan" not in re.sub(r"[a-z]+nan|nan[a-z]+", "", page.lower())
    for words in ("why &amp; how", "7 different runs", "1 time(s)", "not yet", "Ruin"):
        assert words in page


def test_a_run_without_trades_verdict_or_days_has_a_report_too() -> None:
    backtest, _ = told(bars=12)
    assert backtest["result"]["trades"] == []
    page = report_page(backtest, None, title="t")
    assert "No trade was closed" in page
    assert "Verdict" not in page
    backtest["result"] |= {"course": {}, "excursions": []}
    assert read(report_page(backtest, None, title="t")).tags["svg"] == 0


def test_months_and_years_compound_to_the_whole() -> None:
    backtest, _ = told()
    course = course_of(backtest["result"]["course"])
    whole = backtest["metrics"]["total_return"]
    for parts in (monthly(course).values(), yearly(course).values()):
        assert math.prod(1 + part for part in parts) - 1 == pytest.approx(whole, rel=1e-4)
    assert sum(count for _, count in histogram(course.returns)) == len(course.returns) == 499
    assert min(course.falls) == pytest.approx(-backtest["metrics"]["max_drawdown"], rel=1e-4)


def test_rolling_figures_are_those_of_the_last_days() -> None:
    backtest, _ = told()
    course = course_of(backtest["result"]["course"])
    ratios, spreads = rolling(course, 365, window=100)
    assert (len(ratios), ratios[:100]) == (len(course.days), [None] * 100)
    last = course.returns[-100:]
    mean = sum(last) / 100
    spread = math.sqrt(sum((value - mean) ** 2 for value in last) / 99)
    assert spreads[-1] == pytest.approx(spread * math.sqrt(365))
    assert ratios[-1] == pytest.approx(mean / spread * math.sqrt(365))


@pytest.mark.parametrize("span", [(0.0, 1.0), (-0.31, 0.12), (99_000.0, 250_000.0), (5.0, 5.0), (0.0, 3e-7)])
def test_ticks_are_few_round_and_span_the_values(span: tuple[float, float]) -> None:
    ticks = nice_ticks(*span)
    assert 2 <= len(ticks) <= 8
    assert ticks[0] <= span[0] <= span[1] <= ticks[-1]
    steps = {round(later - earlier, 12) for earlier, later in pairwise(ticks)}
    assert len(steps) == 1


def test_a_long_course_is_thinned_to_its_extremes() -> None:
    values: list[float | None] = [float(n % 10) for n in range(20_000)]
    values[12_345], values[15_000], values[777] = 99.0, -50.0, None
    svg = line_plot(Plot(name="x", title="t", text="d", written=str), [Line("l", values)])
    (path,) = re.findall(r'class="line a" d="([^"]+)"', svg)
    drawn = re.findall(r"[ML]([\d.]+) ([\d.]+)", path)
    assert len(drawn) < 2000
    by_height = sorted((float(y), float(x)) for x, y in drawn)
    width = float(drawn[-1][0]) - float(drawn[0][0])
    for (_, x), place in ((by_height[0], 12_345), (by_height[-1], 15_000)):
        assert (x - float(drawn[0][0])) / width == pytest.approx(place / 19_999, abs=1e-3)


def test_dates_below_a_plot_are_round() -> None:
    days = [date(2020, 1, 1) + timedelta(days=n) for n in range(1500)]
    assert [label for _, label in ticks_of(days)] == ["2021", "2022", "2023", "2024"]
    assert [label for _, label in ticks_of(days[:70])] == ["Feb 20", "Mar 20"]
    assert ticks_of([]) == []


def test_exports_hold_the_same_numbers_and_no_formula() -> None:
    backtest, _ = told()
    result = backtest["result"]
    result["trades"][0]["entry_tag"] = "=1+1"
    rows = list(csv.DictReader(io.StringIO(trades_csv(result))))
    assert len(rows) == len(result["trades"]) == backtest["metrics"]["trade_count"]
    assert sum(Decimal(row["net"]) for row in rows) == sum(Decimal(t["net"]) for t in result["trades"])
    assert rows[0]["entry_tag"] == "'=1+1"
    assert sum(float(row["mae"]) for row in rows) / len(rows) == pytest.approx(
        backtest["metrics"]["mae_mean"], abs=1e-5
    )
    daily = list(csv.DictReader(io.StringIO(course_csv(result))))
    assert (len(daily), daily[0]["day"], daily[0]["equity"]) == (500, "2024-01-01", "100000.0")


def test_a_course_is_left_out_before_the_frame_of_a_result_is() -> None:
    terms = BacktestSettings()
    result = run_backtest(compile_plan(crossover(3, 9)), "AAPL", bars=BARS, settings=terms)
    beside = course_beside(result, BARS)
    bare = len(write_report(result, bytes_max=1))
    small = msgspec.json.decode(write_report(result, beside=beside, bytes_max=bare + 3000))
    assert small["course"] == {}
    whole = msgspec.json.decode(write_report(result, beside=beside))
    assert len(whole["course"]["equity"]) == len(whole["course"]["benchmark"]) == len(whole["course"]["days"]) == 500
    assert len(whole["excursions"]) == len(whole["trades"])


def test_an_empty_course_shows_nothing() -> None:
    empty = Course([], [], [], [])
    assert (empty.returns, empty.falls, monthly(empty), rolling(empty, 252)) == ([], [], {}, ([], []))
