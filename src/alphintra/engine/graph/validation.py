"""Validation of graphs: every problem at once, each with its place and its remedy."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from alphintra.engine.graph.catalogue import CATALOGUE, latest_version, node_type
from alphintra.engine.graph.definition import NodeType, Port
from alphintra.engine.graph.exposure import exposure_problems
from alphintra.engine.graph.expression import NAMES, names_in, parse_formula
from alphintra.engine.graph.nodes.timeframes import BASE
from alphintra.engine.graph.params import is_text_clean, normalise
from alphintra.engine.graph.parsing import closest
from alphintra.engine.graph.pricing import acting_problems, pricing_problems
from alphintra.engine.graph.problems import GraphProblem
from alphintra.engine.graph.timeframes import timeframe_problems
from alphintra.engine.graph.topology import ancestors, cycles, depth, parents_of
from alphintra.engine.graph.wire import SCHEMA, TIMEFRAMES, Edge, Graph, Node, ParamValue
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DEPTH_MAX", "EDGES_MAX", "NODES_MAX", "GraphProblem", "faults", "validate"]

NODES_MAX = 200
EDGES_MAX = 1000
DEPTH_MAX = 64
NAME_CHARS_MAX = 120
_ONCE = {
    "StopLoss": ("stop",),
    "TrailingStop": ("stop",),
    "TakeProfit": ("target",),
    "TimeStop": ("time",),
    "Bracket": ("stop", "target"),
}
_RISING = (
    ("fast", "slow"),
    ("fast", "middle"),
    ("middle", "slow"),
    ("low", "high"),
    ("conversion", "base"),
    ("base", "span"),
)
_NODE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def validate(graph: Graph) -> list[GraphProblem]:
    """Return every problem of a graph; an empty list means that it compiles.

    A graph beyond the size limits gets that one problem only, so that checking stays cheap.
    """
    oversize = list(_oversize(graph))
    if oversize:
        return oversize
    problems = _of_nodes(graph)
    if not cycles(parents_of(graph)):
        problems += _purpose(graph)
        problems += timeframe_problems(graph)
    return problems


def faults(graph: Graph) -> list[GraphProblem]:
    """Return what keeps single nodes from being computed, whatever the graph is for; see ``validate``."""
    problems = list(_oversize(graph)) or _of_nodes(graph)
    if not problems:
        problems += timeframe_problems(graph)
    return problems


def _of_nodes(graph: Graph) -> list[GraphProblem]:
    problems = [*_frame(graph), *_identities(graph)]
    for index, node in enumerate(graph.nodes):
        problems += _node(index, node)
    problems += _edges(graph)
    problems += _inputs(graph)
    problems += _conditions(graph)
    problems += _formulas(graph)
    problems += exposure_problems(graph)
    problems += _protection(graph)
    problems += _algorithms(graph)
    problems += pricing_problems(graph)
    problems += acting_problems(graph)
    for loop in cycles(parents_of(graph)):
        path = " → ".join([*loop, loop[0]])
        fix = "remove one of these wires; a value can come back only through the position or the account"
        problems.append(GraphProblem(code="GRAPH_CYCLE", node=loop[0], message=f"{path} is a cycle", fix=fix))
    return problems


def _oversize(graph: Graph) -> Iterator[GraphProblem]:
    for what, count, limit in (("nodes", len(graph.nodes), NODES_MAX), ("wires", len(graph.edges), EDGES_MAX)):
        if count > limit:
            message = f"the graph has {count} {what}, more than {limit}"
            yield GraphProblem(code="GRAPH_TOO_LARGE", message=message, fix="split it into several strategies")


def _frame(graph: Graph) -> Iterator[GraphProblem]:
    if graph.schema != SCHEMA:
        message = f"schema {graph.schema} is not known"
        yield GraphProblem(code="GRAPH_SCHEMA", message=message, fix=f"write schema {SCHEMA}", pointer="/schema")
    if graph.timeframe not in TIMEFRAMES:
        message, fix = f"timeframe {graph.timeframe[:60]!r} is not known", f"use one of {', '.join(TIMEFRAMES)}"
        yield GraphProblem(code="FIELD_CHOICE", message=message, fix=fix, pointer="/timeframe")
    if not 1 <= len(graph.name.strip()) <= NAME_CHARS_MAX:
        message, fix = "the name is empty or too long", f"give 1 to {NAME_CHARS_MAX} characters"
        yield GraphProblem(code="FIELD_RANGE", message=message, fix=fix, pointer="/name")
    if not is_text_clean(graph.name):
        message = "the name holds control or invisible characters"
        yield GraphProblem(code="FIELD_CHARS", message=message, fix="remove them", pointer="/name")
    known = {node.id for node in graph.nodes}
    for place, point in graph.layout.items():
        if place not in known or not all(math.isfinite(coordinate) for coordinate in point):
            message = f"layout of {place[:64]!r} names no node or no finite place"
            yield GraphProblem(code="FIELD_UNKNOWN", message=message, fix="remove it", pointer=f"/layout/{place[:64]}")


def _identities(graph: Graph) -> Iterator[GraphProblem]:
    seen: set[str] = set()
    for index, node in enumerate(graph.nodes):
        pointer = f"/nodes/{index}/id"
        if not _NODE_ID.fullmatch(node.id):
            message = f"node id {node.id[:64]!r} is not allowed"
            fix = "use a letter, then up to 63 letters, digits, _ or -"
            yield GraphProblem(code="FIELD_CHARS", node=node.id[:64], message=message, fix=fix, pointer=pointer)
        if node.id in seen:
            message = f"node id {node.id[:64]!r} is used twice"
            yield GraphProblem(
                code="GRAPH_DUP_ID", node=node.id[:64], message=message, fix="rename one", pointer=pointer
            )
        seen.add(node.id)


def _node(index: int, node: Node) -> Iterator[GraphProblem]:
    pointer = f"/nodes/{index}"
    latest = latest_version(node.type)
    if latest is None:
        message = f"node type {node.type[:60]!r} is unknown"
        fix = closest(node.type, [name for name, _ in CATALOGUE])
        yield GraphProblem(code="NODE_UNKNOWN", node=node.id, message=message, fix=fix, pointer=f"{pointer}/type")
        return
    definition = node_type(node.type, node.version)
    if definition is None:
        message = f"{node.type} has no version {node.version}"
        fix = f"use version {latest}, or a newer Alphintra if the graph came from one"
        yield GraphProblem(code="NODE_VERSION", node=node.id, message=message, fix=fix, pointer=f"{pointer}/version")
        return
    specs = definition.specs(node.params)
    names = [spec.name for spec in specs]
    for name in sorted(set(node.params) - set(names)):
        message = f"{node.type} has no parameter {name[:60]!r}"
        fix = closest(name, names) if names else "remove it: this node takes no parameters"
        place = f"{pointer}/params/{name[:60]}"
        yield GraphProblem(code="FIELD_UNKNOWN", node=node.id, port=name[:60], message=message, fix=fix, pointer=place)
    values: dict[str, ParamValue] = {}
    for spec in specs:
        try:
            values[spec.name] = normalise(spec, node.params)
        except AlphintraError as error:
            place = f"{pointer}/params/{spec.name}"
            yield GraphProblem(
                code=error.code,
                node=node.id,
                port=spec.name,
                message=error.detail,
                fix=f"{spec.name}: {spec.allowed}",
                pointer=place,
            )
    if not definition.is_open:  # what the names of others mean is not known here
        yield from _rising(index, node, values)
    try:
        objection = definition.objection(values) if len(values) == len(specs) else ""
    except AlphintraError as error:
        fix, place = "correct the formula", f"{pointer}/params/formula"
        yield GraphProblem(code=error.code, node=node.id, port="formula", message=error.detail, fix=fix, pointer=place)
        return
    if objection:
        fix = "change one of its parameters"
        place = f"{pointer}/params"
        yield GraphProblem(code="FIELD_RANGE", node=node.id, message=objection, fix=fix, pointer=place)


def _rising(index: int, node: Node, values: dict[str, ParamValue]) -> Iterator[GraphProblem]:
    """Check that of two periods or levels which belong together the lesser is less."""
    for lesser, greater in _RISING:
        if lesser in values and greater in values and not float(values[lesser]) < float(values[greater]):
            message = f"{lesser} ({values[lesser]}) must be less than {greater} ({values[greater]})"
            fix = f"lower {lesser} or raise {greater}"
            place = f"/nodes/{index}/params/{lesser}"
            yield GraphProblem(code="FIELD_RANGE", node=node.id, port=lesser, message=message, fix=fix, pointer=place)


def _edges(graph: Graph) -> Iterator[GraphProblem]:
    nodes = {node.id: node for node in graph.nodes}
    seen: set[tuple[str, str]] = set()
    for index, edge in enumerate(graph.edges):
        if (edge.source, edge.target) in seen:
            yield _edge_problem(index, edge, "is drawn twice", "remove one of the two")
        seen.add((edge.source, edge.target))
        source = _port(nodes, edge.source, is_output=True)
        target = _port(nodes, edge.target, is_output=False)
        for end in (source, target):
            if isinstance(end, tuple):
                yield _edge_problem(index, edge, *end)
        if isinstance(source, Port) and isinstance(target, Port) and not target.accepts(source.kind):
            node, _, port = edge.target.partition(".")
            message = f"{edge.source} carries {source.kind}, but {edge.target} takes {target.kind}"
            fix = f"wire an output of kind {target.kind} here, or put a converting node between"
            place = f"/edges/{index}"
            yield GraphProblem(code="GRAPH_TYPE", node=node, port=port, message=message, fix=fix, pointer=place)


def _port(nodes: dict[str, Node], end: str, *, is_output: bool) -> Port | tuple[str, str] | None:
    """Return the port a wire's end names, or (what is wrong, fix); None where the node itself is at fault."""
    node_id, dot, name = end.partition(".")
    if not dot or node_id not in nodes:
        return (f"ends at {end[:130]!r}, which is no node.port of this graph", "remove the wire or add the node")
    definition = node_type(nodes[node_id].type, nodes[node_id].version)
    if definition is None:
        return None
    ports = definition.outputs if is_output else definition.inputs
    for port in ports:
        if port.name == name:
            return port
    direction = "output" if is_output else "input"
    known = [port.name for port in ports]
    fix = closest(name, known) if known else f"{definition.type} has no {direction}s"
    return (f"names {direction} {name[:60]!r}, which {definition.type} does not have", fix)


def _edge_problem(index: int, edge: Edge, what: str, fix: str) -> GraphProblem:
    message = f"wire {edge.source[:130]} → {edge.target[:130]} {what}"
    node, _, port = edge.target.partition(".")
    return GraphProblem(
        code="GRAPH_EDGE", node=node[:64], port=port[:60], message=message, fix=fix, pointer=f"/edges/{index}"
    )


def _inputs(graph: Graph) -> Iterator[GraphProblem]:
    wired: dict[str, int] = {}
    for edge in graph.edges:
        wired[edge.target] = wired.get(edge.target, 0) + 1
    for node in graph.nodes:
        definition = node_type(node.type, node.version)
        for port in definition.inputs if definition else ():
            count = wired.get(f"{node.id}.{port.name}", 0)
            if count == 0 and port.is_required:
                message = f"input {port.name} of {node.id} is not connected"
                fix = f"wire an output of kind {port.kind} to it"
                yield GraphProblem(code="GRAPH_INCOMPLETE", node=node.id, port=port.name, message=message, fix=fix)
            if count > 1 and not port.is_many:
                message = f"input {port.name} of {node.id} has {count} wires, it takes one"
                fix = "keep one wire, or join the values with a node first"
                yield GraphProblem(code="GRAPH_EDGE", node=node.id, port=port.name, message=message, fix=fix)


def _formulas(graph: Graph) -> Iterator[GraphProblem]:
    """Check that what a formula reads is wired, and what is wired is read."""
    wired = {edge.target for edge in graph.edges}
    for node in graph.nodes:
        formula = node.params.get("formula")
        if node.type != "Expression" or not isinstance(formula, str):
            continue
        try:
            read = names_in(parse_formula(formula))
        except AlphintraError:
            continue  # said of the node itself
        for name in NAMES:
            is_wired = f"{node.id}.{name}" in wired
            if is_wired != (name in read):
                message = f"the formula of {node.id} " + (
                    f"reads {name}, which is not connected" if name in read else f"does not read {name}"
                )
                fix = "connect it, or change the formula" if name in read else "take the wire away, or use it"
                yield GraphProblem(code="GRAPH_INCOMPLETE", node=node.id, port=name, message=message, fix=fix)


def _conditions(graph: Graph) -> Iterator[GraphProblem]:
    """Check that every entry rule has a condition, for a long position or a short one."""
    wired = {edge.target.partition(".")[0] for edge in graph.edges}
    for node in graph.nodes:
        if node.type == "Entry" and node.id not in wired:
            message = f"neither when nor short of {node.id} is connected"
            fix = "wire a condition to when for a long position, to short for a short one"
            yield GraphProblem(code="GRAPH_INCOMPLETE", node=node.id, port="when", message=message, fix=fix)


def _protection(graph: Graph) -> Iterator[GraphProblem]:
    """Check the exits that come with an entry: one of a kind for an order, each placed by one thing."""
    kinds = {node.id: node.type for node in graph.nodes}
    seen: dict[tuple[str, str], str] = {}
    for edge in graph.edges:
        source, target = edge.source.partition(".")[0], edge.target.partition(".")[0]
        kind = kinds.get(source, "")
        if edge.target != f"{target}.exit" or kind not in _ONCE:
            continue
        for place in _ONCE[kind]:
            other = seen.setdefault((target, place), source)
            if other != source:
                message = f"{target} has two exits that are a {place}: {other} and {source}"
                fix = "keep one: an entry brings one stop, one target and one time limit with it"
                yield GraphProblem(code="GRAPH_EDGE", node=target, port="exit", message=message, fix=fix)
    wired = {edge.target for edge in graph.edges}
    for node in graph.nodes:
        if {f"{node.id}.distance", f"{node.id}.price"} <= wired:
            message = f"{node.id} is given both a distance and a price"
            fix = "keep one of the two wires"
            yield GraphProblem(code="GRAPH_EDGE", node=node.id, port="price", message=message, fix=fix)


def _algorithms(graph: Graph) -> Iterator[GraphProblem]:
    """Check that an algorithm decides alone: what else a graph computes, it would not see."""
    algorithms = [node.id for node in graph.nodes if node.type == "Algorithm"]
    if not algorithms:
        return
    for node in graph.nodes:
        if node.id == algorithms[0] or (node.type == "Bars" and node.params.get("timeframe", BASE) == BASE):
            continue
        message = f"{node.id} ({node.type}) stands beside the algorithm {algorithms[0]}, which decides alone"
        fix = "keep the Bars of the graph's own timeframe and one Algorithm"
        yield GraphProblem(code="GRAPH_EDGE", node=node.id, message=message, fix=fix)


def _purpose(graph: Graph) -> Iterator[GraphProblem]:
    """Check sources, sinks, exits and depth of an acyclic graph."""
    found = {node.id: definition for node in graph.nodes if (definition := node_type(node.type, node.version))}
    sinks = [node for node, definition in found.items() if definition.is_sink]
    parents = parents_of(graph)
    if not sinks:
        fix = "add an Order or a Plot"
        yield GraphProblem(code="GRAPH_INCOMPLETE", message="nothing in the graph orders or plots", fix=fix)
    if not any(definition.type == "Bars" for definition in found.values()):
        message = "nothing in the graph reads market data"
        yield GraphProblem(code="GRAPH_INCOMPLETE", message=message, fix="add a Bars node")
    useful = ancestors(parents, sinks)
    for node in graph.nodes:
        if sinks and node.id in found and node.id not in useful:
            message = f"{node.id} leads to no order and no plot"
            yield GraphProblem(
                code="GRAPH_INCOMPLETE", node=node.id, message=message, fix="wire its output or remove it"
            )
    yield from _exits(graph, found, parents)
    if depth(parents) > DEPTH_MAX:
        message = f"the longest chain has {depth(parents)} nodes, more than {DEPTH_MAX}"
        yield GraphProblem(code="GRAPH_TOO_LARGE", message=message, fix="shorten the chain")


def _exits(graph: Graph, found: dict[str, NodeType], parents: dict[str, frozenset[str]]) -> Iterator[GraphProblem]:
    """Check that every order can be left again, or says that it is meant to be held."""
    nodes = {node.id: node for node in graph.nodes}
    if any(definition.type == "Close" for definition in found.values()):
        return
    for node_id, definition in found.items():
        if definition.type != "Order" or any(edge.target == f"{node_id}.exit" for edge in graph.edges):
            continue
        entries = [name for name in ancestors(parents, [node_id]) if name in found and found[name].type == "Entry"]
        if entries and not all(nodes[name].params.get("hold") is True for name in entries):
            message = f"the position opened by {node_id} is never closed"
            fix = "wire an ExitWhen to its exit input, add a Close, or set hold to true on its Entry"
            yield GraphProblem(code="GRAPH_INCOMPLETE", node=node_id, port="exit", message=message, fix=fix)
