"""Formulas: a line of arithmetic over named inputs, turned into nodes of the catalogue. Nothing is ever executed.

The text is read as a Python expression and every part that is not on the list below is refused, so that a formula can
name four inputs, numbers and the functions of ``FUNCTIONS``, and nothing else. A plan holds its parts as steps of their
own, computed by the same kernels as drawn nodes, with their warm-up.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.engine.graph.wire import ParamValue

__all__ = ["FORMULA_CHARS_MAX", "FUNCTIONS", "NAMES", "PARTS_MAX", "PART_MARK", "Part", "names_in", "parse_formula"]

NAMES: Final = ("a", "b", "c", "d")
FORMULA_CHARS_MAX: Final = 400
PARTS_MAX: Final = 64
PART_MARK: Final = "~"  # in the ids of steps that are part of a formula; no node of a graph may be called so
BARS_MAX: Final = 5000
NUMBER_MAX: Final = 1e15
_OPERATORS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
}
_OF_ONE: Final = ("abs", "sign", "sqrt", "log", "exp")
_OF_TWO: Final = ("min", "max")
# Functions of a series and a number of bars: the node that computes them, and its parameter.
_OF_BARS: Final[dict[str, tuple[str, str]]] = {
    "sma": ("SMA", "period"),
    "ema": ("EMA", "period"),
    "wma": ("WMA", "period"),
    "rsi": ("RSI", "period"),
    "sum": ("RollingSum", "period"),
    "highest": ("RollingMax", "period"),
    "lowest": ("RollingMin", "period"),
    "stdev": ("StdDev", "period"),
    "zscore": ("ZScore", "period"),
    "rank": ("RollingRank", "period"),
    "shift": ("Shift", "bars"),
    "change": ("Change", "bars"),
}
FUNCTIONS: Final = tuple(sorted((*_OF_ONE, *_OF_TWO, *_OF_BARS)))


@dataclass(frozen=True, slots=True)
class Part:
    """One node of a formula: its type, its parameters, and for each port an input's name or the place of a part."""

    kind: str
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    inputs: tuple[tuple[str, str | int], ...] = ()


def parse_formula(text: str) -> tuple[Part, ...]:
    """Return the parts of a formula, each after those it reads; the last one is its value.

    Raises:
        AlphintraError: FORMULA_SYNTAX, FORMULA_NAME, FORMULA_ARGUMENT or FORMULA_TOO_LARGE, with what is allowed.
    """
    if not 0 < len(text) <= FORMULA_CHARS_MAX:
        raise AlphintraError("FORMULA_TOO_LARGE", f"a formula has 1 to {FORMULA_CHARS_MAX} characters, not {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        message = f"the formula cannot be read ({reason}): write e.g. (a - sma(a, 20)) / stdev(a, 20)"
        raise AlphintraError("FORMULA_SYNTAX", message) from error
    reader = _Reader()
    value = reader.read(tree.body)
    if isinstance(value, str):
        reader.add("Linear", {}, ("in", value))
    return tuple(reader.parts)


def names_in(parts: Sequence[Part]) -> tuple[str, ...]:
    """Return the inputs a formula reads, in order of the alphabet."""
    return tuple(sorted({source for part in parts for _, source in part.inputs if isinstance(source, str)}))


class _Reader:
    """Turns a syntax tree into parts, one at a time."""

    def __init__(self) -> None:
        self.parts: list[Part] = []

    def add(self, kind: str, params: dict[str, ParamValue], *inputs: tuple[str, str | int]) -> int:
        """Append a part and return its place; equal parts are one."""
        part = Part(kind, params, inputs)
        if part in self.parts:
            return self.parts.index(part)
        if len(self.parts) == PARTS_MAX:
            message = f"the formula has more than {PARTS_MAX} parts: split it into several nodes"
            raise AlphintraError("FORMULA_TOO_LARGE", message)
        self.parts.append(part)
        return len(self.parts) - 1

    def read(self, tree: ast.expr) -> str | int:
        """Return where the value of a piece of the formula comes from."""
        match tree:
            case ast.Name(id=name) if name in NAMES:
                return name
            case ast.Name(id=name):
                raise AlphintraError("FORMULA_NAME", f"{name[:40]!r} is no input: use {', '.join(NAMES)}")
            case ast.Constant():
                return self.add("Const", {"value": _number(tree)})
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as operand):
                return self.add("Const", {"value": -_number(operand)})
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.add("Function", {"of": "negate"}, ("in", self.read(operand)))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                ends = ("a", self.read(left)), ("b", self.read(right))
                return self.add("Math", {"op": _OPERATORS[type(op)]}, *ends)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, args)
            case _:
                message = f"a formula knows + - * /, numbers, {', '.join(NAMES)} and {', '.join(FUNCTIONS)}: no more"
                raise AlphintraError("FORMULA_SYNTAX", message)

    def _call(self, name: str, args: list[ast.expr]) -> int:
        wanted = 1 if name in _OF_ONE else 2
        if name not in FUNCTIONS:
            raise AlphintraError("FORMULA_NAME", f"{name[:40]!r} is no function: use {', '.join(FUNCTIONS)}")
        if len(args) != wanted:
            raise AlphintraError("FORMULA_ARGUMENT", f"{name} takes {wanted} arguments, not {len(args)}")
        first = self.read(args[0])
        if name in _OF_ONE:
            return self.add("Function", {"of": name}, ("in", first))
        if name in _OF_TWO:
            return self.add("Math", {"op": name}, ("a", first), ("b", self.read(args[1])))
        kind, param = _OF_BARS[name]
        return self.add(kind, {param: _bars(name, args[1])}, ("in", first))


def _number(tree: ast.Constant) -> float:
    value = tree.value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= NUMBER_MAX:
        raise AlphintraError("FORMULA_ARGUMENT", f"{str(value)[:40]} is no number up to {NUMBER_MAX:.0e}")
    return float(value)


def _bars(name: str, tree: ast.expr) -> int:
    value = tree.value if isinstance(tree, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= BARS_MAX:
        message = f"the second argument of {name} is a number of bars, 1 to {BARS_MAX}: the future cannot be read"
        raise AlphintraError("FORMULA_ARGUMENT", message)
    return value
