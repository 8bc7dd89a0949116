"""A formula computes what the drawn nodes would, and knows nothing but arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.graph import compile_plan, graph_hash, validate
from alphintra.engine.graph.evaluation import Evaluation, shown_end
from alphintra.engine.graph.expression import FORMULA_CHARS_MAX, FUNCTIONS, parse_formula
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.templates.drawing import Drawing
from alphintra.kernel.errors import AlphintraError
from unit.engine.builders import flat_bars

PRICES = [100 + (index * 37 % 50) / 10 for index in range(80)]


def formula_plan(formula: str, **wires: str) -> Drawing:
    drawing = Drawing("formula", timeframe="1d")
    drawing.add("bars", "Bars")
    drawing.add("value", "Expression", wires or {"a": "bars.close"}, formula=formula)
    drawing.add("plot", "Plot", {"value": "value.out"})
    return drawing


def computed(drawing: Drawing, end: tuple[str, str] = ("value", "out")) -> list[float]:
    plan = compile_plan(drawing.graph())
    return [
        float(value) for value in Evaluation(plan).advance(tape_of(flat_bars([f"{p:.1f}" for p in PRICES])))[end][0]
    ]


def refused(formula: str) -> str:
    with pytest.raises(AlphintraError) as caught:
        parse_formula(formula)
    return caught.value.code


def test_a_formula_gives_what_drawn_nodes_give() -> None:
    drawing = formula_plan("(a - sma(a, 20)) / stdev(a, 20)")
    drawing.add("mean", "SMA", {"in": "bars.close"}, period=20)
    drawing.add("off", "Math", {"a": "bars.close", "b": "mean.out"}, op="subtract")
    drawing.add("swing", "StdDev", {"in": "bars.close"}, period=20)
    drawing.add("drawn", "Math", {"a": "off.out", "b": "swing.out"}, op="divide")
    drawing.add("plot_drawn", "Plot", {"value": "drawn.out"})
    np.testing.assert_array_equal(computed(drawing), computed(drawing, ("drawn", "out")))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a", lambda x: x),
        ("-a + 2 * 3", lambda x: -x + 6),
        ("max(min(a, 102), 101)", lambda x: max(min(x, 102), 101)),
        ("sqrt(abs(-a)) - exp(log(a) / 2)", lambda x: math.sqrt(x) - math.exp(math.log(x) / 2)),
        ("a / (a - a)", lambda _x: math.nan),
    ],
)
def test_arithmetic_is_as_it_is_written(formula: str, expected: object) -> None:
    assert callable(expected)
    np.testing.assert_allclose(computed(formula_plan(formula)), [expected(price) for price in PRICES], rtol=1e-12)


def test_windows_look_back_and_warm_up_is_counted() -> None:
    plan = compile_plan(formula_plan("shift(highest(a, 10), 5)").graph())
    warm_ups = {step.node: step.warm_up_bars for step in plan.steps}
    assert warm_ups["value"] == 9 + 5
    found = computed(formula_plan("shift(highest(a, 10), 5)"))
    assert found[40] == max(PRICES[26:36])


def test_parts_of_a_formula_show_only_their_value() -> None:
    plan = compile_plan(formula_plan("sma(a, 3) + ema(a, 4)").graph())
    assert [step.node for step in plan.steps if step.node.startswith("value")] == ["value~0", "value~1", "value"]
    assert [step.node for step in plan.steps if shown_end(step) and step.node.startswith("value")] == ["value"]


def test_the_formula_is_part_of_the_hash() -> None:
    assert graph_hash(formula_plan("a + 1").graph()) != graph_hash(formula_plan("a + 2").graph())


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("__import__('os').system('true')", "FORMULA_SYNTAX"),
        ("a.__class__", "FORMULA_SYNTAX"),
        ("[a for a in (1, 2)]", "FORMULA_SYNTAX"),
        ("(lambda: a)()", "FORMULA_SYNTAX"),
        ("a if a else a", "FORMULA_SYNTAX"),
        ("a ** 9 ** 9", "FORMULA_SYNTAX"),
        ("a % 2", "FORMULA_SYNTAX"),
        ("a[0]", "FORMULA_SYNTAX"),
        ("sma(a, period=3)", "FORMULA_SYNTAX"),
        ("a +", "FORMULA_SYNTAX"),
        ("close", "FORMULA_NAME"),
        ("open('x')", "FORMULA_NAME"),
        ("sma(a)", "FORMULA_ARGUMENT"),
        ("sma(a, 0)", "FORMULA_ARGUMENT"),
        ("shift(a, -1)", "FORMULA_ARGUMENT"),
        ("sma(a, 2.5)", "FORMULA_ARGUMENT"),
        ("sma(a, a)", "FORMULA_ARGUMENT"),
        ("a + 1e999", "FORMULA_ARGUMENT"),
        ("a + True", "FORMULA_ARGUMENT"),
        ("a + 'x'", "FORMULA_ARGUMENT"),
        ("", "FORMULA_TOO_LARGE"),
        ("-" * (FORMULA_CHARS_MAX - 1) + "a", "FORMULA_TOO_LARGE"),
        ("a + " * FORMULA_CHARS_MAX + "a", "FORMULA_TOO_LARGE"),
        ("+".join(f"shift(a,{bars})" for bars in range(1, 36)), "FORMULA_TOO_LARGE"),
    ],
)
def test_nothing_but_arithmetic_is_read(formula: str, code: str) -> None:
    assert refused(formula) == code
    problems = validate(formula_plan(formula).graph())
    assert problems
    assert {problem.node for problem in problems} == {"value"}


@given(st.text(max_size=60))
def test_any_text_is_parts_or_one_clear_error(text: str) -> None:
    codes = []
    try:
        parse_formula(text)
    except AlphintraError as error:
        codes.append(error.code)
    assert all(code.startswith("FORMULA_") for code in codes)


def test_what_is_read_is_wired_and_what_is_wired_is_read() -> None:
    missing = validate(formula_plan("a + b").graph())
    assert [(problem.code, problem.node, problem.port) for problem in missing] == [("GRAPH_INCOMPLETE", "value", "b")]
    spare = validate(formula_plan("a + 1", a="bars.close", c="bars.open").graph())
    assert [(problem.code, problem.port) for problem in spare] == [("GRAPH_INCOMPLETE", "c")]


def test_every_function_computes() -> None:
    of_one, of_two = {"abs", "sign", "sqrt", "log", "exp"}, {"min", "max"}
    for name in FUNCTIONS:
        call = f"{name}(a)" if name in of_one else f"{name}(a, 50)" if name in of_two else f"{name}(a, 5)"
        assert any(math.isfinite(value) for value in computed(formula_plan(f"{call} / 1e3"))), name
