"""Faults planted in the pre-trade controls one at a time, and the unit tests run against each until one notices.

    PYTHONPATH=src:tests python -m unit.engine.mutants

prints how many of the faults no test notices, and which. Planted are: each comparison turned, weakened or sharpened,
each condition negated or its parts exchanged between "and" and "or", each number moved by one, sums and differences,
least and most exchanged, and each function made to answer that nothing was found.
"""

from __future__ import annotations

import ast
import copy
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Final

import pytest
from _pytest.runner import runtestprotocol

from alphintra.engine.pretrade import access, claims, conduct, prices, sizes, standing, totals

__all__ = ["MODULES", "TESTS", "Mutant", "mutants_of"]

MODULES: Final[tuple[ModuleType, ...]] = (access, claims, conduct, prices, sizes, standing, totals)
TESTS: Final = (
    "tests/unit/engine/test_pretrade.py",
    "tests/unit/engine/test_pretrade_branches.py",
    "tests/unit/engine/test_claims.py",
    "tests/unit/risk/test_controls.py",
)

_TURNED: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_EXCHANGED: Final = {"add": "subtract", "subtract": "add", "max": "min", "min": "max", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted fault: what it is, and the function with it."""

    name: str
    target: FunctionType
    code: CodeType

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Have every reference to the function run the fault."""
        sound = self.target.__code__
        self.target.__code__ = self.code
        try:
            yield
        finally:
            self.target.__code__ = sound


def mutants_of(module: ModuleType) -> Iterator[Mutant]:
    """Return every fault planted in a module's functions."""
    path = str(module.__file__)
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        target = getattr(module, function.name)
        where = f"{module.__name__.rpartition('.')[2]}.{function.name}"
        for what, changed in _changes(function):
            compiled = compile(ast.fix_missing_locations(ast.Module([_FUTURE, changed], [])), path, "exec")
            space: dict[str, object] = dict(vars(module))
            exec(compiled, space)  # noqa: S102 - our own source with one word changed
            made = space[function.name]
            assert isinstance(made, FunctionType)
            if made.__code__.co_freevars == target.__code__.co_freevars:
                yield Mutant(f"{where}: {what}", target, made.__code__)


_FUTURE: Final = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)


def _changes(function: ast.FunctionDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    if function.returns is not None and ast.unparse(function.returns) == "Findings":
        silent = copy.deepcopy(function)
        silent.body = [ast.Return(ast.Tuple([], ast.Load()))]
        yield "finds nothing", silent
    for index, node in enumerate(ast.walk(function)):
        for changed in () if _is_about_words(node) else _changed(node):
            whole = copy.deepcopy(function)
            _put(whole, index, changed)
            yield f"{ast.unparse(node)}  ->  {ast.unparse(changed)}", whole


def _changed(node: ast.AST) -> Iterator[ast.expr]:  # noqa: C901 - one case for each kind of fault
    match node:
        case ast.Compare(left, ops, comparators):
            for place, op in enumerate(ops):
                for other in _TURNED[type(op)]:
                    yield ast.Compare(left, [*ops[:place], other(), *ops[place + 1 :]], comparators)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
            for place in range(len(values)):
                rest = [*values[:place], *values[place + 1 :]]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.Constant(int() as number) if not isinstance(number, bool):
            yield ast.Constant(number + 1)
        case ast.Call(ast.Name(name), args, keywords) if name in _EXCHANGED:
            yield ast.Call(ast.Name(_EXCHANGED[name], ast.Load()), args, keywords)
        case ast.Call(ast.Attribute(value, name), args, keywords) if name in _EXCHANGED:
            yield ast.Call(ast.Attribute(value, _EXCHANGED[name], ast.Load()), args, keywords)
        case ast.Attribute(ast.Name("Side"), "BUY" | "SELL" as side):
            yield ast.Attribute(ast.Name("Side", ast.Load()), "SELL" if side == "BUY" else "BUY", ast.Load())
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), body, orelse)
        case _:
            pass


def _is_about_words(node: ast.AST) -> bool:
    """Tell whether a choice is only of what a message says."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    return any(isinstance(part, ast.JoinedStr) or isinstance(getattr(part, "value", None), str) for part in parts)


def _put(tree: ast.AST, index: int, new: ast.expr) -> None:
    """Replace the expression that a walk meets at an index."""
    old = next(node for place, node in enumerate(ast.walk(tree)) if place == index)
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return
            if isinstance(value, list) and any(item is old for item in value):
                setattr(parent, name, [new if item is old else item for item in value])
                return


class Killer:
    """Runs the collected tests against each mutant instead of once."""

    def __init__(self) -> None:
        self.survivors: list[str] = []
        self.count = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Look which mutants live; the tests must pass without any first."""
        # Examples alone: drawn ones would take minutes for what lives, and what they alone notice is worth an example.
        session.items[:] = [item for item in session.items if not _is_drawn(item)]
        broken = [item.nodeid for item in session.items if _is_noticed_by(item)]
        assert not broken, broken
        for module in MODULES:
            for mutant in mutants_of(module):
                self.count += 1
                with mutant.planted():
                    killer = next((place for place, item in enumerate(session.items) if _is_noticed_by(item)), None)
                if killer is None:
                    self.survivors.append(mutant.name)
                else:  # what noticed one fault is likely to notice the next
                    session.items.insert(0, session.items.pop(killer))
        return True


def _is_drawn(item: pytest.Item) -> bool:
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


def _is_noticed_by(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False))


def main() -> int:
    """Print the score as JSON."""
    killer = Killer()
    options = [
        "-q",
        "-p",
        "no:randomly",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:logging",
        "-o",
        "addopts=",
    ]
    with redirect_stdout(io.StringIO()):
        pytest.main([*options, *TESTS], plugins=[killer])
    print(json.dumps({"planted": killer.count, "survivors": killer.survivors}, indent=1))  # noqa: T201 - a script
    return 0


if __name__ == "__main__":
    sys.exit(main())
