"""Nodes of arithmetic."""

from __future__ import annotations

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.expression import FORMULA_CHARS_MAX, FUNCTIONS, NAMES, parse_formula
from alphintra.engine.graph.nodes.shared import Shelf, choice, decimal, period, series
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import transforms

__all__ = ["NODES"]

_SHELF = Shelf("transform")


def _any_number(name: str, default: str, summary: str) -> ParamSpec:
    return decimal(name, default, summary, least="-1000000000000", most="1000000000000")


NODES = (
    _SHELF.node(
        "Change",
        "How much a number has changed over the last bars.",
        transforms.change,
        params=(
            period(1, name="bars", summary="Bars back."),
            choice("as", "Difference, percent, or difference of logarithms.", "difference", "percent", "log"),
        ),
        state=lambda n, _how: 2 + n,
        lookback=lambda n, _how: n,
    ),
    _SHELF.node(
        "Math",
        "Two numbers joined: sum, difference, product, quotient, lesser or greater.",
        transforms.arithmetic,
        inputs=series("a", "b"),
        params=(choice("op", "What is done with a and b.", "add", "subtract", "multiply", "divide", "min", "max"),),
    ),
    _SHELF.node(
        "Function",
        "A function of one number: its size, negative, sign, square root, logarithm or e to its power.",
        transforms.unary,
        params=(choice("of", "Which function.", "abs", "negate", "sign", "sqrt", "log", "exp"),),
    ),
    _SHELF.node(
        "Linear",
        "A number times a factor plus an offset.",
        transforms.linear,
        params=(_any_number("factor", "1", "Factor."), _any_number("offset", "0", "Added to the product.")),
    ),
    _SHELF.node(
        "Clip",
        "A number, held between two others.",
        transforms.clip,
        params=(_any_number("low", "0", "Least value."), _any_number("high", "100", "Greatest value.")),
    ),
    _SHELF.node(
        "Cumulate",
        "Sum since the session or week began.",
        transforms.cumulate,
        clock=("session", "week"),
        inputs=series(),
        params=(choice("since", "Where it begins anew.", "session", "week"),),
        state=lambda _: 3,
    ),
    _SHELF.node(
        "FillForward",
        "The last known value where there is none, for so many bars; never a later one.",
        transforms.fill,
        params=(period(1, name="bars", summary="Bars for which a value is carried on."),),
        state=lambda _: 3,
    ),
    _SHELF.node(
        "Choose",
        "One of two numbers, by a condition.",
        transforms.choose,
        inputs=(Port("condition", PortKind.BOOL), *series("a", "b")),
    ),
    _SHELF.node(
        "PriceOf",
        "One price of a bar: median, typical, weighted or mean.",
        transforms.price_of,
        inputs=series("open", "high", "low", "close"),
        params=(choice("which", "Which price.", "median", "typical", "weighted", "mean"),),
    ),
    NodeType(
        type="Expression",
        group="transform",
        summary="A formula over up to four numbers, such as (a - sma(a, 20)) / stdev(a, 20).",
        inputs=tuple(Port(name, PortKind.NUM, is_required=False) for name in NAMES),
        outputs=outputs(PortKind.NUM),
        params=(
            ParamSpec(
                name="formula",
                kind=ParamKind.TEXT,
                summary=f"Arithmetic with + - * /, the inputs, and {', '.join(FUNCTIONS)}.",
                default="a",
                chars_max=FORMULA_CHARS_MAX,
            ),
        ),
        objection=lambda params: "" if parse_formula(str(params["formula"])) else "the formula says nothing",
    ),
)
