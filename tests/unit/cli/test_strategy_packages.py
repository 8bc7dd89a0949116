"""What `alphintra strategy adopt` stores: a graph that compiles and names what is installed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from alphintra.cli import strategy_packages
from alphintra.engine.algorithm_runs import algorithm_of
from alphintra.engine.graph import compile_plan, parse_graph
from alphintra.kernel.errors import AlphintraError

PARAMETERS: list[dict[str, Any]] = [
    {"name": "bars", "kind": "int", "default": 20},
    {"name": "share", "kind": "decimal", "default": "0.5"},
    {"name": "is_short", "kind": "flag", "default": False},
    {"name": "weight", "kind": "number", "default": 1.0},
    {"name": "mode", "kind": "choice", "default": "calm"},
]
FOUND: dict[str, Any] = {
    "algorithm": "breakout",
    "package": "breakouts",
    "release": "1.0",
    "content_hash": "ab" * 32,
    "problem": "",
    "warm_up": 20,
    "parameters": PARAMETERS,
}


def test_it_is_a_graph_bound_to_the_package() -> None:
    values = strategy_packages._values(PARAMETERS, ["bars=30", "share=0.25", "is_short=true", "weight=2", "mode=wild"])
    graph = strategy_packages._graph(FOUND, values, "1h", 60) | {"name": "Breakout"}
    plan = compile_plan(parse_graph(msgspec.json.encode(graph)))
    found = algorithm_of(plan)
    assert found is not None
    assert (plan.timeframe, plan.warm_up_bars, found.release, found.content_hash) == ("1h", 60, "1.0", "ab" * 32)
    assert found.params == {"bars": 30, "share": "0.25", "is_short": True, "weight": 2.0, "mode": "wild"}


@pytest.mark.parametrize("text", ["bars", "bars=x", "bars=1.5", "is_short=yes", "other=1", "share=a", "weight=nan"])
def test_a_setting_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(AlphintraError, match="PARAM_FORMAT"):
        strategy_packages._values(PARAMETERS, [text])


def test_what_is_not_there_or_may_not_run_is_not_adopted() -> None:
    for found, code in (
        ([], "ALGORITHM_NOT_INSTALLED"),
        ([FOUND, FOUND | {"package": "others"}], "ALGORITHM_NOT_INSTALLED"),
        ([FOUND | {"problem": "not allowed"}], "ALGORITHM_NOT_ALLOWED"),
    ):
        with pytest.raises(AlphintraError, match=code):
            strategy_packages._chosen(found, "breakout", None)
