"""A small plan around any node of the catalogue: market data, numbers, conditions and a signal feed its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alphintra.engine.graph.catalogue import CATALOGUE
from alphintra.engine.graph.params import ParamKind, normalise
from alphintra.engine.graph.plan import Plan, Step
from alphintra.engine.graph.tape import Tape
from alphintra.engine.graph.values import PortKind
from alphintra.engine.sessions import calendar_of

if TYPE_CHECKING:
    from alphintra.engine.graph.definition import NodeType
    from alphintra.engine.graph.params import ParamSpec
    from alphintra.engine.graph.wire import ParamValue

__all__ = ["EVERY_NODE", "NAMES", "plan_around", "random_tape"]

EVERY_NODE = sorted(CATALOGUE)
NAMES = ("A", "B", "C")
_NUMBERS = ("close", "high", "low", "open", "volume")
_FEEDS = {
    PortKind.BOOL: ("compare", "out"),
    PortKind.EVENT: ("cross", "out"),
    PortKind.SIGNAL: ("entry", "signal"),
    PortKind.EXIT: ("leave", "exit"),
    PortKind.SIZE: ("size", "size"),
    PortKind.WEIGHTS: ("weights", "weights"),
}


def plan_around(name: tuple[str, int], **params: ParamValue) -> Plan:
    """Return a plan that ends in one node, with short periods; all its inputs are wired."""
    definition = CATALOGUE[name]
    numbers = iter(_NUMBERS * 3)
    inputs = {}
    for port in definition.inputs:
        end = ("bars", next(numbers)) if port.kind is PortKind.NUM else _FEEDS[port.kind]
        inputs[port.name] = [end, end] if port.is_many else [end]
    node = _step("node", name[0], inputs, version=name[1], **(_short(definition) | params))
    steps = [*_feeders(node), node]
    return Plan(graph_hash="0" * 64, name=name[0], timeframe="1d", steps=tuple(steps), warm_up_bars=0)


def _feeders(node: Step) -> list[Step]:
    """Return the steps a node's inputs come from, and theirs, in order; nothing else is computed with it."""
    every = [
        _step("bars", "Bars"),
        _step("level", "Const", value=100.0),
        _step("compare", "Compare", {"a": [("bars", "close")], "b": [("level", "out")]}, op="gt"),
        _step("cross", "CrossAbove", {"a": [("bars", "close")], "b": [("bars", "open")]}),
        _step("entry", "Entry", {"when": [("cross", "out")], "short": []}),
        _step("leave", "ExitWhen", {"when": [("compare", "out")]}),
        _step("size", "FixedQty", {"signal": [("entry", "signal")]}, quantity=10),
        _step("weights", "EqualWeights", {"chosen": [("compare", "out")]}),
    ]
    needed: list[Step] = []
    read = {source for ends in node.inputs.values() for source, _ in ends}
    for step in reversed(every):
        if step.node in read:
            needed.insert(0, step)
            read |= {source for ends in step.inputs.values() for source, _ in ends}
    return needed


def random_tape(seed: int, closes: int, *, symbols: int = 1, gaps: float = 0.0) -> Tape:
    """Return bars around 100 with prices in hundredths; a share of the bars of each symbol is missing."""
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.01, (symbols, closes)), axis=1)), 2)
    opened = np.round(close * np.exp(random.normal(0, 0.005, close.shape)), 2)
    above, below = np.exp(np.abs(random.normal(0, 0.003, (2, *close.shape))))
    top, bottom = np.maximum(close, opened), np.minimum(close, opened)
    high, low = np.maximum(np.round(top * above, 2), top), np.minimum(np.round(bottom / below, 2), bottom)
    volume = np.asarray(random.integers(0, 10_000, (symbols, closes)), dtype=np.float64)
    missing = random.random(close.shape) < gaps
    close, opened, high, low, volume = (
        np.where(missing, np.nan, panel) for panel in (close, opened, high, low, volume)
    )
    hour = 3_600_000_000_000
    ts = np.arange(1, closes + 1, dtype=np.int64) * hour + 1_704_067_200_000_000_000
    held = np.zeros((symbols, closes))
    held[:, np.arange(closes) // 7 % 3 == 1] = 10.0
    book = {"qty": held, "avg_price": 10.0 * held, "cash": 1e5 - 10 * held, "equity": 1e5 + held}
    book |= {"entries": np.abs(held), "last_entry": 10.0 * np.abs(held)}
    return Tape(ts, opened, high, low, close, volume, (calendar_of("AAPL"),) * symbols, book)


def _short(definition: NodeType) -> dict[str, ParamValue]:
    """Return parameters for a node: defaults, the least allowed where there is none, windows of at most 7 bars."""
    return {spec.name: _value(spec) for spec in definition.params}


def _value(spec: ParamSpec) -> ParamValue:
    if spec.name == "minutes":
        return 180  # the bars are an hour long
    if spec.kind is ParamKind.INT and isinstance(spec.default, int) and not isinstance(spec.default, bool):
        least = int(spec.minimum or 0)
        return min(spec.default, max(7, least))
    if spec.default is not None:
        return normalise(spec, {})
    if spec.kind is ParamKind.CHOICE:
        return spec.choices[0]
    if spec.kind in {ParamKind.SYMBOL, ParamKind.TEXT}:
        return NAMES[0]
    least = 1 if spec.minimum is None or spec.minimum < 0 else int(spec.minimum) + spec.is_minimum_open
    return str(least) if spec.kind is ParamKind.DECIMAL else least


def _step(
    node: str,
    kind: str,
    inputs: dict[str, list[tuple[str, str]]] | None = None,
    *,
    version: int = 1,
    **params: ParamValue,
) -> Step:
    definition = CATALOGUE[kind, version]
    complete = {spec.name: normalise(spec, params) for spec in definition.params}
    wired = {port: tuple(ends) for port, ends in (inputs or {}).items()}
    return Step(node=node, type=kind, version=version, params=complete, inputs=wired, warm_up_bars=0)
