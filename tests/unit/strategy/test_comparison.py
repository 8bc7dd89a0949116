"""Two runs are compared by what was run, what came out, and where they part."""

from __future__ import annotations

import json
from dataclasses import replace

from alphintra.strategy.domain.comparison import Ran, differences

ONE = Ran(
    run_hash="a",
    result_hash="r",
    metrics={"sharpe": 1.0, "cagr": None},
    report=json.dumps({"fills": [{"qty": "1"}, {"qty": "2"}], "equity": [1, 2, 3]}),
)


def test_runs_of_one_result_differ_in_nothing_but_what_was_run() -> None:
    assert differences(ONE, ONE) == ()
    (told,) = differences(ONE, replace(ONE, run_hash="b"))
    assert "what was run differs" in told


def test_the_first_place_where_two_results_part_is_told() -> None:
    report = json.dumps({"fills": [{"qty": "1"}, {"qty": "3"}], "equity": [1, 2]})
    other = replace(ONE, result_hash="s", metrics={"sharpe": 2.0, "cagr": None}, report=report)
    assert differences(ONE, other) == (
        "figures differ: sharpe 1.0 and 2.0",
        'fills part at number 2: {"qty": "2"} and {"qty": "3"}',
        "equity: 3 and 2",
    )


def test_results_that_differ_where_no_figure_shows_it_say_so() -> None:
    assert differences(ONE, replace(ONE, result_hash="s")) == ("every figure is the same",)
