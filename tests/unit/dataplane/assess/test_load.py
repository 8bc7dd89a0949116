"""The load of the assessment runs trading's own statement: what it hands over is what that takes."""

from __future__ import annotations

import re
from pathlib import Path

import alphintra.trading
from alphintra.dataplane.assess.load import _order


def test_an_order_of_the_load_has_a_value_for_each_parameter_of_the_statement() -> None:
    (folder,) = alphintra.trading.__path__
    text = (Path(folder) / "sql" / "queries.sql").read_text(encoding="utf-8")
    statement = text.partition("-- orders.accept_batch:")[2].partition("\n-- ")[0]
    parameters = {int(number) for number in re.findall(r"\$(\d+)", statement)}
    assert parameters == set(range(1, len(_order()) + 1))
