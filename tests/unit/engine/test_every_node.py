"""What holds for every node of the catalogue, whoever adds it: one meaning in every mode, and no look ahead."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alphintra.engine.graph.catalogue import CATALOGUE
from alphintra.engine.graph.evaluation import Evaluation
from alphintra.engine.graph.tape import FIELDS, Tape
from unit.engine.every_node import EVERY_NODE, NAMES, plan_around, random_tape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.engine.graph.evaluation import Columns
    from alphintra.engine.graph.plan import Plan

CLOSES = 90
pytestmark = pytest.mark.parametrize("name", EVERY_NODE, ids=str)


def computed(plan: Plan, tape: Tape, cuts: Sequence[int] = ()) -> Columns:
    """Return all columns, computed in portions by one evaluation."""
    evaluation = Evaluation(plan, symbols=NAMES[: tape.symbols])
    edges = [0, *cuts, tape.closes]
    parts = [evaluation.advance(tape.part(start, end), is_compiled=False) for start, end in pairwise(edges)]
    return {end: np.concatenate([found[end] for found in parts], axis=1) for end in parts[0]}


def assert_same(found: Columns, expected: Columns) -> None:
    assert set(found) == set(expected)
    for end, column in expected.items():
        np.testing.assert_array_equal(found[end], column, err_msg=str(end))


def test_bar_by_bar_gives_what_all_bars_at_once_give(name: tuple[str, int]) -> None:
    plan, tape = plan_around(name), random_tape(1, CLOSES, symbols=2, gaps=0.1)
    whole = computed(plan, tape)
    assert_same(computed(plan, tape, range(1, CLOSES)), whole)
    assert_same(computed(plan, tape, [17, 18, 60]), whole)


def test_noise_in_the_future_changes_no_value_before_it(name: tuple[str, int]) -> None:
    plan, tape, noise = plan_around(name), random_tape(2, CLOSES), random_tape(3, CLOSES)
    cut = 50
    opened, high, low, close, volume = (
        np.concatenate([tape.field(field)[:, :cut], noise.field(field)[:, cut:] * 3], axis=1) for field in FIELDS
    )
    mixed = Tape(tape.ts, opened, high, low, close, volume, tape.calendars, tape.book)
    known = computed(plan, tape)
    found = computed(plan, mixed)
    assert_same({end: column[:, :cut] for end, column in found.items()}, {k: v[:, :cut] for k, v in known.items()})


def test_a_restored_evaluation_goes_on_bit_for_bit(name: tuple[str, int]) -> None:
    plan, tape = plan_around(name), random_tape(4, CLOSES, symbols=2)
    first, second = Evaluation(plan, symbols=NAMES[:2]), Evaluation(plan, symbols=NAMES[:2])
    first.advance(tape.part(0, 40), is_compiled=False)
    second.restore(first.snapshot())
    rest = tape.part(40, CLOSES)
    assert_same(second.advance(rest, is_compiled=False), first.advance(rest, is_compiled=False))
    assert second.snapshot() == first.snapshot()


def test_nothing_is_infinite_and_everything_is_known_in_the_end(name: tuple[str, int]) -> None:
    """A node that stays unknown over ninety bars with short windows computes nothing."""
    columns = computed(plan_around(name), random_tape(5, CLOSES))
    own = [column for (node, _), column in columns.items() if node == "node"]
    assert own or name[0] == "Order"
    for column in own:
        assert not np.isinf(column).any()
        assert np.isfinite(column).any()


def test_a_symbol_is_computed_as_if_it_were_alone(name: tuple[str, int]) -> None:
    """A close at which it has no bar is none to it; what reads all symbols at once is another matter."""
    plan, tape = plan_around(name), random_tape(7, CLOSES, symbols=3, gaps=0.3)
    if any(CATALOGUE[step.type, step.version].is_across for step in plan.steps):
        return
    together = computed(plan, tape)
    for row in range(3):
        own = ~np.isnan(tape.close[row])
        opened, high, low, close, volume = (np.ascontiguousarray(tape.field(field)[[row]][:, own]) for field in FIELDS)
        book = {field: np.ascontiguousarray(column[[row]][:, own]) for field, column in tape.book.items()}
        alone = computed(plan, Tape(tape.ts[own], opened, high, low, close, volume, tape.calendars[:1], book))
        assert_same({end: column[[row]][:, own] for end, column in together.items()}, alone)


@pytest.mark.slow
def test_machine_code_gives_the_same_bits(name: tuple[str, int]) -> None:
    plan, tape = plan_around(name), random_tape(6, CLOSES, symbols=2, gaps=0.1)
    compiled = Evaluation(plan, symbols=NAMES[:2]).advance(tape, is_compiled=True)
    assert_same(compiled, computed(plan, tape))
