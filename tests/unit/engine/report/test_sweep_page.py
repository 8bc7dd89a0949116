"""The report of a sweep shows every score in its cell, marks the best, and escapes what people wrote."""

from __future__ import annotations

import re
from typing import Any

from alphintra.engine.report.sweep_page import sweep_page
from unit.engine.report.test_page import EVIL, read, verdict


def sweep(**result: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    surface = {
        "values": {"fast.period": ["2", "4"], "slow.period": ["8", "12", "16"], "size.qty": ["5"]},
        "rows": [[0, 0, 0, 1.25], [1, 0, 0, -0.5], [0, 2, 0, 2.5], [1, 1, 0, None]],
        "plateau": {
            "neighbours": 2,
            "median": 0.375,
            "share": 0.15,
            "positive": 0.5,
            "steadiest": {"number": 0, "parameters": {"fast.period": "2"}, "score": 1.25},
            "steadiest_median": 1.2,
        },
    }
    told = {
        "best": {"parameters": {"fast.period": "2", "slow.period": "16"}, "score": 2.5},
        "failed": 1,
        "refused": 7,
        "objective": "sharpe",
        "surface": surface,
        **verdict()["evidence"]["sweep"],
    }
    return {
        "sweep_id": "s",
        "symbol": "AAPL",
        "trials": 4,
        "unlocks": 0,
        "holdout_ts": "2012-01-03T21:00:00Z",
        "result": told | result,
    }


def trial(number: int, score: float | None) -> dict[str, Any]:
    return {
        "segment": 0,
        "number": number,
        "role": "sweep",
        "parameters": {"fast.period": "2"},
        "score": score,
        "metrics": {"sharpe": score, "total_return": 0.1},
        "result_hash": "abcdef0123456789",
        "error_code": "",
    }


def test_every_score_stands_in_its_cell_and_the_best_is_marked() -> None:
    page = sweep_page(sweep(), [trial(1, 2.5), trial(0, None)], title=EVIL)
    found = read(page)
    assert found.tags["script"] == found.tags["img"] == 0
    (body,) = re.findall(r'<table class="heat">.*?<tbody>(.*?)</tbody>', page)
    cells = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in body.split("</tr>")[:-1]]
    assert cells == [["1.25", "", "2.50"], ["-0.50", "", ""]]
    assert re.findall(r'<td class="best"[^>]*>([^<]*)<', page) == ["2.50"]
    for words in ("7 points were never tried", "15% of the best", "The best 2 of 4", "abcdef012345", "Ruin"):
        assert words in page


def test_one_parameter_is_a_line_and_none_is_nothing() -> None:
    surface = {"values": {"a.b": ["1", "2", "3"]}, "rows": [[0, 1.0], [2, 3.0]], "plateau": None}
    page = sweep_page(sweep(surface=surface, refused=None, best=None), [], title="t")
    assert "sharpe by a.b" in page
    assert '<table class="heat">' not in page
    assert "not counted" in page
    assert "no trial has a score" in page
    assert "Scores over" not in sweep_page(sweep(surface={}), [], title="t")


def test_a_walk_forward_tells_its_windows_and_how_steady_the_choices_were() -> None:
    told = verdict()["evidence"]["walk_forward"] | {"stability": {"fast.period": 0.75}, "best": None}
    page = sweep_page(sweep() | {"result": told, "holdout_ts": None}, [], title="t")
    assert "<h1>Walk-forward: t</h1>" in page
    assert "75%" in page
    assert "Walk-forward tests, joined" in page
    assert "nothing" in page
