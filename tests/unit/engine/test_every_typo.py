"""No slip in a graph goes unnoticed: each single wrong field of each template and node is named with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from alphintra.engine.graph import parse_graph, validate
from alphintra.engine.graph.catalogue import CATALOGUE
from alphintra.engine.graph.params import ParamKind
from alphintra.engine.templates import GALLERY
from alphintra.kernel.errors import AlphintraError
from unit.engine.every_node import EVERY_NODE, plan_around

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alphintra.engine.graph.params import ParamSpec

Document = dict[str, Any]


def around(name: tuple[str, int]) -> Document:
    """Return a graph that leads to one node."""
    steps = plan_around(name).steps
    edges = [
        {"from": f"{node}.{port}", "to": f"{step.node}.{place}"}
        for step in steps
        for place, ends in step.inputs.items()
        for node, port in dict.fromkeys(ends)
    ]
    nodes: list[Document] = [
        {"id": step.node, "type": step.type, "version": step.version, "params": {**step.params}} for step in steps
    ]
    usual: Document = {spec.name: spec.default for spec in CATALOGUE[name].params if spec.default is not None}
    nodes[-1]["params"] = nodes[-1]["params"] | usual  # the plan's are short, and may contradict each other
    return {"schema": 1, "name": name[0], "timeframe": "1m", "nodes": nodes, "edges": edges, "layout": {}}


def wrong_values(spec: ParamSpec) -> list[object]:
    """Return values a parameter must not take."""
    values: list[object] = [None, ["1"], {"value": 1}]
    match spec.kind:
        case ParamKind.CHOICE:
            values += [f"{spec.choices[0]}x", spec.choices[0].upper() + " ", 1, "", *spec.unsupported]
        case ParamKind.FLAG:
            values += ["true", 1, "yes"]
        case ParamKind.TEXT:
            values += ["x" * 65, "a\u202eb", 7, True]
        case ParamKind.SYMBOL:
            values += ["aapl", "", "A B", 7, True]
        case ParamKind.INT | ParamKind.NUMBER | ParamKind.DECIMAL:
            values += [True, "ten", "", "1,5", "NaN"]
            values += [int(spec.minimum) - 1] if spec.minimum is not None else []
            values += [int(spec.maximum) + 1] if spec.maximum is not None else []
            values += [2.5] if spec.kind is not ParamKind.NUMBER else []
            values += ["5"] if spec.kind is ParamKind.INT else []
    return values


def renamed(holder: Document, name: str) -> Document:
    """Return the object with one key misspelt."""
    return {f"{key}e" if key == name else key: value for key, value in holder.items()}


def changed(document: Document, kind: str, index: int, value: Document) -> Document:
    """Return the graph with another node or wire at a place."""
    return document | {kind: [value if place == index else each for place, each in enumerate(document[kind])]}


def slips(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Return (where it is, what is wrong, the graph) for each graph with one field wrong."""
    for field in ("schema", "name", "timeframe", "nodes", "edges", "layout"):
        yield "", field, renamed(document, field)
    for field, value in (("schema", 2), ("schema", "1"), ("name", " "), ("timeframe", "1D"), ("layout", [])):
        yield "", field, document | {field: value}
    for index, node in enumerate(document["nodes"]):
        for field, slip in slips_of_node(node, is_thorough=len(document["nodes"]) == 1):
            yield f"/nodes/{index}", field, changed(document, "nodes", index, slip)
    for index, edge in enumerate(document["edges"]):
        for field in edge:
            yield f"/edges/{index}", field, changed(document, "edges", index, renamed(edge, field))
            node, port = edge[field].split(".")
            for end in (f"{node}x.{port}", f"{node}.{port}x", node, f"{node}:{port}", ""):
                yield f"/edges/{index}", field, changed(document, "edges", index, edge | {field: end})


def slips_of_node(node: Document, *, is_thorough: bool) -> Iterator[tuple[str, Document]]:
    """Return (what is wrong, the node) for each node with one field wrong."""
    wrong: tuple[tuple[str, object], ...] = (
        ("type", f"{node['type']}x"),
        ("version", 99),
        ("version", "1"),
        ("id", "1x"),
        ("params", 1),
    )
    for field, value in wrong:
        yield field, node | {field: value}
    for field in node:
        yield field, renamed(node, field)
    for spec in CATALOGUE[node["type"], node["version"]].params:
        if spec.name in node["params"]:
            yield spec.name, node | {"params": renamed(node["params"], spec.name)}
        for value in wrong_values(spec) if is_thorough else ():
            yield spec.name, node | {"params": node["params"] | {spec.name: value}}
        if spec.default is None:
            kept = {key: value for key, value in node["params"].items() if key != spec.name}
            yield spec.name, node | {"params": kept}


def named(document: Document) -> set[tuple[str, str, str]]:
    """Return (pointer, node, port) of all that is wrong with a graph."""
    try:
        graph = parse_graph(msgspec.json.encode(document))
    except AlphintraError as error:
        return {(error.pointer or "", "", "")}
    return {(problem.pointer, problem.node, problem.port) for problem in validate(graph)}


def unnoticed(document: Document) -> list[tuple[str, str, object]]:
    """Return the slips that no problem of their own names with node and field."""
    before = named(document)
    found: list[tuple[str, str, object]] = []
    for place, field, slip in slips(document):
        told = named(slip) - before
        if place.startswith("/edges"):
            is_named = any(pointer.startswith(place) for pointer, _, _ in told)
        else:
            is_named = any(pointer.startswith(place) and field in pointer for pointer, _, _ in told)
        if not is_named:
            found.append((place, field, told))
    return found


@pytest.mark.parametrize("name", sorted(GALLERY))
def test_each_slip_in_a_template_is_named(name: str) -> None:
    document = msgspec.to_builtins(GALLERY[name].graph)
    assert named(document) == set()
    assert unnoticed(document) == []


@pytest.mark.parametrize("name", EVERY_NODE, ids=str)
def test_each_slip_in_a_node_is_named(name: tuple[str, int]) -> None:
    document = around(name)
    only = document | {"nodes": document["nodes"][-1:], "edges": []}
    assert unnoticed(only) == []
