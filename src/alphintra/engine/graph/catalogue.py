"""The node catalogue: every node type has exactly one definition, which all modes and all front ends share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.engine.graph.nodes import (
    across,
    arithmetic,
    averages,
    conditions,
    day,
    exits,
    logic,
    memory,
    momentum,
    orders,
    oscillators,
    pairs,
    patterns,
    portfolio,
    signals,
    sizes,
    sources,
    statistics,
    timeframes,
    transforms,
    trend,
    volatility,
    volume,
)
from alphintra.engine.graph.params import normalise
from alphintra.engine.graph.values import PortKind

if TYPE_CHECKING:
    from alphintra.engine.graph.definition import NodeType, Port
    from alphintra.engine.graph.params import ParamSpec

__all__ = ["CATALOGUE", "catalogue_document", "latest_version", "node_type", "nodes_page", "param_document"]

_DEFINITIONS = (
    *sources.NODES,
    *averages.NODES,
    *trend.NODES,
    *momentum.NODES,
    *oscillators.NODES,
    *volatility.NODES,
    *volume.NODES,
    *statistics.NODES,
    *pairs.NODES,
    *day.NODES,
    *patterns.NODES,
    *transforms.NODES,
    *arithmetic.NODES,
    *across.NODES,
    *timeframes.NODES,
    *logic.NODES,
    *conditions.NODES,
    *memory.NODES,
    *signals.NODES,
    *sizes.NODES,
    *exits.NODES,
    *portfolio.NODES,
    *orders.NODES,
)

CATALOGUE: dict[tuple[str, int], NodeType] = {(entry.type, entry.version): entry for entry in _DEFINITIONS}


def node_type(name: str, version: int) -> NodeType | None:
    """Return the definition of a node type at a version, None if there is none."""
    return CATALOGUE.get((name, version))


def latest_version(name: str) -> int | None:
    """Return the newest version of a node type, None if the type is unknown."""
    return max((version for known, version in CATALOGUE if known == name), default=None)


def catalogue_document() -> list[dict[str, object]]:
    """Return the catalogue as JSON-able data, for the API, the editor and the reference documentation."""
    return [_document(entry) for entry in _DEFINITIONS]


def nodes_page() -> str:
    """Return the reference of all nodes as Markdown, a shelf after the other."""
    shelves: dict[str, list[NodeType]] = {}
    for entry in _DEFINITIONS:
        shelves.setdefault(entry.group, []).append(entry)
    lines = [
        "# Nodes",
        "",
        f"The {len(_DEFINITIONS)} nodes a strategy is drawn from, written from the code (its test rewrites this page).",
        "An input in brackets may stay unwired, one with a star takes several wires. *First value* is how many earlier",
        "bars a node needs for its first value with default parameters, *stable* how many until it no longer matters",
        "where the data began.",
    ]
    for shelf, entries in shelves.items():
        lines += ["", f"## {shelf.replace('_', ' ').capitalize()}", ""]
        lines += ["| node | what it tells | inputs | outputs | parameters (default) | first value | stable |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [_row(entry) for entry in entries]
    return "\n".join(lines) + "\n"


def _row(entry: NodeType) -> str:
    ins = ", ".join(_socket(port) for port in entry.inputs)
    outs = ", ".join(f"`{port.name}` {port.kind}" for port in entry.outputs)
    params = ", ".join(
        f"`{spec.name}`" if spec.default in {None, ""} else f"`{spec.name}` ({str(spec.default).lower()})"
        for spec in entry.params
    )
    first = stable = ""
    if entry.kernel is not None and all(spec.default is not None for spec in entry.params):
        defaults = {spec.name: normalise(spec, {}) for spec in entry.params}
        first, stable = str(entry.lookback(defaults)), str(entry.warm_up(defaults))
    return f"| **{entry.type}** | {entry.summary} | {ins} | {outs} | {params} | {first} | {stable} |"


def _socket(port: Port) -> str:
    text = f"`{port.name}`{'*' if port.is_many else ''} {port.kind}"
    return text if port.is_required else f"[{text}]"


def _document(entry: NodeType) -> dict[str, object]:
    document: dict[str, object] = {
        "type": entry.type,
        "version": entry.version,
        "group": entry.group,
        "summary": entry.summary,
        "inputs": [_port_document(port) for port in entry.inputs],
        "outputs": [{"name": port.name, "kind": port.kind.value} for port in entry.outputs],
        "params": [param_document(spec) for spec in entry.params],
        "is_source": entry.is_source,
        "is_sink": entry.is_sink,
    }
    if all(spec.default is not None for spec in entry.params):
        defaults = {spec.name: normalise(spec, {}) for spec in entry.params}
        document["lookback_bars_by_default"] = entry.lookback(defaults)
        document["warm_up_bars_by_default"] = entry.warm_up(defaults)
    return document


def _port_document(port: Port) -> dict[str, object]:
    return {
        "name": port.name,
        "kind": port.kind.value,
        "accepts": [kind.value for kind in PortKind if port.accepts(kind)],
        "is_required": port.is_required,
        "is_many": port.is_many,
    }


def param_document(spec: ParamSpec) -> dict[str, object]:
    """Return a parameter as JSON-able data."""
    document: dict[str, object] = {"name": spec.name, "kind": spec.kind.value, "summary": spec.summary}
    document["default"] = spec.default
    document["is_required"] = spec.default is None
    document["allowed"] = spec.allowed
    document["choices"] = list(spec.choices)
    document["minimum"] = None if spec.minimum is None else str(spec.minimum)
    document["maximum"] = None if spec.maximum is None else str(spec.maximum)
    document["is_minimum_open"] = spec.is_minimum_open
    return document
