"""A fault in any comparison, condition or number of a control is noticed by a unit test, unless it changes nothing."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]

# What is the same with the fault, and why.
EQUIVALENT: Final = {
    "access._permitted: 20  ->  21",  # how many symbols a message names
    "conduct._rated: 9  ->  10",  # tokens are stored to nine places
    # Nothing is in a set of texts.
    (
        "access._strategy: wanted is not None and wanted in {'', order.strategy_hash}  ->  "
        "wanted in {'', order.strategy_hash}"
    ),
    # Its only caller has returned by then.
    "access._off_tick: instrument is None or instrument.tick is None  ->  instrument.tick is None",
    # The greater of a limit and nothing is the limit, and the branch is taken with a price alone.
    "claims._worst_price: order.side is Side.SELL and last_price is not None  ->  order.side is Side.SELL",
    "claims._worst_price: last_price or _ZERO  ->  last_price",
    # Stop and trailing stop orders have no limit price.
    (
        "conduct._uncrossed: price is None and order.type in {OrderType.STOP, OrderType.TRAILING_STOP}  ->  "
        "order.type in {OrderType.STOP, OrderType.TRAILING_STOP}"
    ),
    # Nothing is over a limit where there is no quantity.
    (
        "sizes._quantity: case.limits is None or qty is None or (not over(qty, case.limits.order_qty_max))  ->  "
        "case.limits is None or not over(qty, case.limits.order_qty_max)"
    ),
    # Without a claim there is no price, without a price nothing is at stake, and what reduces adds nothing.
    *(
        "totals._before_and_after: case.claim is None or case.order.is_reducing or case.exposure.last_price is None"
        f"  ->  {left}"
        for left in (
            "case.order.is_reducing or case.exposure.last_price is None",
            "case.claim is None or case.exposure.last_price is None",
            "case.claim is None or case.order.is_reducing",
        )
    ),
    "totals._credited: case.claim is None or order.is_reducing  ->  order.is_reducing",
    (
        "totals._credited: most is not None and both is not None and (most < both[1].gross > both[0].gross)  ->  "
        "both is not None and most < both[1].gross > both[0].gross"
    ),
}


def plainly(name: str) -> str:
    """Return the name of a fault in a form that no version of Python writes otherwise."""
    where, _, what = name.partition(": ")
    parts = what.split("  ->  ")
    return f"{where}: {'  ->  '.join(map(_tree, parts))}"


def _tree(text: str) -> str:
    try:
        return ast.dump(ast.parse(text, mode="eval"))
    except SyntaxError:  # words, not an expression
        return text


@pytest.mark.slow
@pytest.mark.timeout(3600)  # seconds of a machine as slow as it may be: how long it takes says nothing
def test_no_fault_in_a_control_goes_unnoticed() -> None:
    # Nothing of this machine, or of whoever runs the tests, decides: no options, plugins, time zone or hash seed.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ALPHINTRA_"))}
    environ = {
        **kept,
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}",
        "PYTHONHASHSEED": "0",
        "TZ": "UTC",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "unit.engine.mutants"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["planted"] > 500
    excused = {plainly(name) for name in EQUIVALENT}
    assert [name for name in found["survivors"] if plainly(name) not in excused] == []
