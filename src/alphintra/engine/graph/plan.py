"""Canonical form, hash and compiled plan of a graph."""

from __future__ import annotations

import hashlib

import msgspec

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.definition import NodeType
from alphintra.engine.graph.params import normalise
from alphintra.engine.graph.topology import topological_order
from alphintra.engine.graph.validation import parents_of, validate
from alphintra.engine.graph.wire import Graph, Node, ParamValue
from alphintra.kernel.errors import AlphintraError

__all__ = ["PLAN_SCHEMA", "Plan", "Step", "canonical_json", "compile_plan", "graph_hash"]

PLAN_SCHEMA = 1


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One node, ready to run.

    Args:
        node: id in the graph.
        type: catalogue name.
        version: catalogue version.
        params: complete and in normal form.
        inputs: for each port the outputs feeding it as (node, port), wires sorted; empty for an open port.
        warm_up_bars: bars that must have been seen before this node counts as ready, inputs included.
    """

    node: str
    type: str
    version: int
    params: dict[str, ParamValue]
    inputs: dict[str, tuple[tuple[str, str], ...]]
    warm_up_bars: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A validated graph in the order of evaluation; the form every executor runs.

    Args:
        schema: version of this form.
        graph_hash: sha-256 of the canonical graph, the identity of the strategy version.
        name: name of the graph.
        timeframe: base interval.
        steps: parents before children.
        warm_up_bars: bars before the first decision may act: the largest warm-up that leads to an order.
    """

    schema: int = PLAN_SCHEMA
    graph_hash: str
    name: str
    timeframe: str
    steps: tuple[Step, ...]
    warm_up_bars: int

    def slowest(self) -> Step:
        """Return the step that itself adds most to the warm-up before a decision, for messages."""
        warm_ups = {step.node: step.warm_up_bars for step in self.steps}

        def own(step: Step) -> int:
            behind = [warm_ups[node] for ends in step.inputs.values() for node, _ in ends]
            return step.warm_up_bars - max(behind, default=0)

        return max((step for step in self.steps if step.warm_up_bars <= self.warm_up_bars), key=own)


def canonical_json(graph: Graph) -> bytes:
    """Return the graph as JSON that is equal for equal strategies.

    Layout is left out, nodes are sorted by id, wires by their ends, keys by name; parameters are complete and in
    normal form where the catalogue knows the node, so ``"95"``, ``"95.0"`` and the default 95 are the same.
    """
    document = {
        "schema": graph.schema,
        "name": graph.name,
        "timeframe": graph.timeframe,
        "nodes": [
            {"id": node.id, "type": node.type, "version": node.version, "params": _canonical_params(node)}
            for node in sorted(graph.nodes, key=lambda node: node.id)
        ],
        "edges": [
            {"from": source, "to": target}
            for source, target in sorted((edge.source, edge.target) for edge in graph.edges)
        ],
    }
    return msgspec.json.encode(document, order="sorted")


def graph_hash(graph: Graph) -> str:
    """Return the sha-256 of the canonical graph as 64 hexadecimal digits: the identity of a strategy version."""
    return hashlib.sha256(canonical_json(graph)).hexdigest()


def compile_plan(graph: Graph) -> Plan:
    """Turn a graph into its plan: steps in topological order (ties by id) with warm-up in bars.

    Raises:
        AlphintraError: the code of the first problem ``validate`` finds; the detail counts the others.
    """
    problems = validate(graph)
    if problems:
        first = problems[0]
        others = f" ({len(problems) - 1} more problems)" if len(problems) > 1 else ""
        raise AlphintraError(first.code, f"{first.message}: {first.fix}{others}", pointer=first.pointer)
    nodes = {node.id: node for node in graph.nodes}
    steps: dict[str, Step] = {}
    for node_id in topological_order(parents_of(graph)):
        steps[node_id] = _step(graph, nodes[node_id], steps)
    orders = [step.warm_up_bars for step in steps.values() if step.type == "Order"]
    return Plan(
        graph_hash=graph_hash(graph),
        name=graph.name,
        timeframe=graph.timeframe,
        steps=tuple(steps.values()),
        warm_up_bars=max(orders or [step.warm_up_bars for step in steps.values()]),
    )


def _step(graph: Graph, node: Node, before: dict[str, Step]) -> Step:
    definition = _definition(node)
    inputs: dict[str, tuple[tuple[str, str], ...]] = {}
    for port in definition.inputs:
        sources = sorted(edge.source for edge in graph.edges if edge.target == f"{node.id}.{port.name}")
        inputs[port.name] = tuple(_split(source) for source in sources)
    params = {spec.name: normalise(spec, node.params) for spec in definition.params}
    behind = max((before[source].warm_up_bars for ends in inputs.values() for source, _ in ends), default=0)
    return Step(
        node=node.id,
        type=node.type,
        version=node.version,
        params=params,
        inputs=inputs,
        warm_up_bars=behind + definition.warm_up(params),
    )


def _definition(node: Node) -> NodeType:
    definition = node_type(node.type, node.version)
    if definition is None:
        raise AlphintraError("NODE_VERSION", f"{node.type[:60]} version {node.version} is not in the catalogue")
    return definition


def _split(end: str) -> tuple[str, str]:
    node, _, port = end.partition(".")
    return node, port


def _canonical_params(node: Node) -> dict[str, ParamValue]:
    definition = node_type(node.type, node.version)
    params = dict(node.params)
    for spec in definition.params if definition else ():
        try:
            value = normalise(spec, node.params)
        except AlphintraError:
            continue  # an invalid parameter keeps its written form: drafts have hashes too
        if spec.is_later and value == spec.default:
            params.pop(spec.name, None)
        else:
            params[spec.name] = value
    return params
