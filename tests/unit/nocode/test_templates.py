"""What the list of templates says of each: its graph, and the numbers a search may turn."""

from __future__ import annotations

from decimal import Decimal

from alphintra.nocode.service.workflows import list_templates


def test_each_template_tells_what_a_search_may_turn_and_what_must_hold() -> None:
    found = {each.name: each for each in list_templates().templates}
    crossover = found["sma_crossover"]
    told = [(each.name, each.value, each.min, each.max, each.step) for each in crossover.parameters]
    assert told == [
        ("fast.period", Decimal(20), Decimal(5), Decimal(40), Decimal(5)),
        ("slow.period", Decimal(50), Decimal(20), Decimal(120), Decimal(10)),
    ]
    assert crossover.constraints == ("fast.period < slow.period",)
    assert all(each.parameters for each in found.values())
