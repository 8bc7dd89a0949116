"""Canonical form, hash and compiled plan of a graph."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.definition import NodeType
from alphintra.engine.graph.exposure import canonical_constraints, canonical_exposed
from alphintra.engine.graph.expression import PART_MARK, parse_formula
from alphintra.engine.graph.nodes.timeframes import BASE
from alphintra.engine.graph.params import normalise
from alphintra.engine.graph.timeframes import node_timeframes
from alphintra.engine.graph.topology import parents_of, topological_order
from alphintra.engine.graph.validation import validate
from alphintra.engine.graph.wire import MINUTES, Graph, Node, ParamValue
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "PLAN_SCHEMA",
    "Plan",
    "Step",
    "canonical_json",
    "compile_plan",
    "graph_hash",
    "plan_of",
    "require_single",
    "require_universe",
    "warm_ups",
]

PLAN_SCHEMA = 1
DAY_MINUTES = 1440
UNIVERSE_MAX = 1000
_ORDERS = frozenset({"Algorithm", "Order", "RebalanceTo", "Close", "CancelTagged"})
_OF_PAIRS = frozenset({"HedgeRatio", "Spread", "SpreadOLS"})


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One node, ready to run.

    Args:
        node: id in the graph.
        type: catalogue name.
        version: catalogue version.
        params: complete and in normal form.
        inputs: for each port the outputs feeding it as (node, port), wires sorted; empty for an open port.
        warm_up_bars: bars that must have been seen before this node counts as ready, inputs included; at most, for a
            market that always trades.
        timeframe: what it is computed in: ``base``, or a longer timeframe.
    """

    node: str
    type: str
    version: int
    params: dict[str, ParamValue]
    inputs: dict[str, tuple[tuple[str, str], ...]]
    warm_up_bars: int
    timeframe: str = BASE


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A validated graph in the order of evaluation; the form every executor runs.

    Args:
        schema: version of this form.
        graph_hash: sha-256 of the canonical graph, the identity of the strategy version.
        name: name of the graph.
        timeframe: base interval.
        steps: parents before children.
        warm_up_bars: bars before the first decision may act: the largest warm-up that leads to an order. At most,
            for a market that always trades: ``warm_up_in`` tells it for others.
    """

    schema: int = PLAN_SCHEMA
    graph_hash: str
    name: str
    timeframe: str
    steps: tuple[Step, ...]
    warm_up_bars: int

    def warm_up_in(self, session_minutes: int) -> int:
        """Return the bars before the first decision where a day has so many minutes of trading."""
        return _acting(self.steps, warm_ups(self.steps, self.timeframe, session_minutes=session_minutes))

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
    Exposed parameters and constraints are there only where the graph has any.
    """
    document: dict[str, object] = {
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
    if graph.exposed:
        document["exposed"] = canonical_exposed(graph)
    if graph.constraints:
        document["constraints"] = canonical_constraints(graph)
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
    return plan_of(graph)


def plan_of(graph: Graph) -> Plan:
    """Turn nodes without ``faults``, at least one, into their plan, whether or not they lead to an order."""
    nodes = {node.id: node for node in graph.nodes}
    timeframes = node_timeframes(graph)
    order = topological_order(parents_of(graph))
    drawn = (_step(graph, nodes[node_id], timeframes.get(node_id, BASE)) for node_id in order)
    steps = tuple(step for one in drawn for step in _spelled(one))
    found = warm_ups(steps, graph.timeframe, session_minutes=DAY_MINUTES)
    return Plan(
        graph_hash=graph_hash(graph),
        name=graph.name,
        timeframe=graph.timeframe,
        steps=tuple(msgspec.structs.replace(step, warm_up_bars=found[step.node]) for step in steps),
        warm_up_bars=_acting(steps, found),
    )


def warm_ups(steps: Sequence[Step], base: str, *, session_minutes: int) -> dict[str, int]:
    """Return for each node the base bars that must have been seen before it counts as ready, inputs included.

    Args:
        steps: parents before children.
        base: the graph's timeframe.
        session_minutes: what a day has of trading; a bar of a longer timeframe is counted as whole.
    """
    found: dict[str, int] = {}
    for step in steps:
        definition = _definition(step)
        own = (definition.instead(step.params) or definition).warm_up(step.params)
        minutes = MINUTES[base] if step.timeframe == BASE else min(MINUTES[step.timeframe], session_minutes)
        behind = max((found[source] for ends in step.inputs.values() for source, _ in ends), default=0)
        found[step.node] = behind + own * max(1, -(-minutes // MINUTES[base]))
    return found


def require_single(plan: Plan) -> None:
    """Check that a plan can run over one symbol. Raises GRAPH_UNIVERSE naming the node that needs several."""
    for step in plan.steps:
        definition = _definition(step)
        if definition.is_across:
            message = f"node {step.node} ({step.type}) works across several symbols: run the strategy over a universe"
            raise AlphintraError("GRAPH_UNIVERSE", message, pointer="/symbol")


def require_universe(plan: Plan, symbols: Sequence[str]) -> None:
    """Check that a plan can run over these symbols. Raises GRAPH_UNIVERSE.

    Where it compares symbols they are at least two, those it picks are among them, and of a pair there is no third.
    """
    if not 1 <= len(symbols) <= UNIVERSE_MAX or len(set(symbols)) != len(symbols):
        message = f"a universe has 1 to {UNIVERSE_MAX} different symbols, not {len(symbols)}"
        raise AlphintraError("GRAPH_UNIVERSE", message, pointer="/symbols")
    algorithm = next((step for step in plan.steps if step.type == "Algorithm"), None)
    if algorithm is not None and len(symbols) > 1:
        message = f"the algorithm {algorithm.params['algorithm']} is shown the bars of one symbol: run each by itself"
        raise AlphintraError("GRAPH_UNIVERSE", message, pointer="/symbols")
    across = next((step for step in plan.steps if _definition(step).is_across), None)
    if across is not None and len(symbols) == 1:
        message = f"node {across.node} ({across.type}) compares symbols: give at least two"
        raise AlphintraError("GRAPH_UNIVERSE", message, pointer="/symbols")
    for step in plan.steps:
        of_symbols = _definition(step).of_symbols
        if of_symbols is not None:
            of_symbols(step.params, symbols)
    _require_pair(plan, symbols)


def pair_of(plan: Plan) -> frozenset[str]:
    """Return the two symbols a plan trades the spread of; empty where it trades none."""
    return next((pair for _, pair in _pairs(plan)), frozenset())


def _require_pair(plan: Plan, symbols: Sequence[str]) -> None:
    """Check that a plan that trades the spread of two symbols runs over these two and no other."""
    for step, pair in _pairs(plan):
        if set(symbols) != pair:
            message = f"node {step.node} ({step.type}) is of the pair {' and '.join(sorted(pair))}: give exactly these"
            raise AlphintraError("GRAPH_UNIVERSE", message, pointer="/symbols")


def _pairs(plan: Plan) -> Iterator[tuple[Step, frozenset[str]]]:
    """Yield the nodes that compare two symbols picked, with these."""
    picked: dict[str, frozenset[str]] = {}
    for step in plan.steps:
        sides = {
            port: frozenset[str]().union(*(picked[node] for node, _ in ends)) for port, ends in step.inputs.items()
        }
        own = frozenset({str(step.params["symbol"])}) if step.type == "Pick" else frozenset[str]()
        picked[step.node] = own.union(*sides.values())
        if step.type in _OF_PAIRS and sides["a"] and sides["b"] and sides["a"] != sides["b"]:
            yield step, sides["a"] | sides["b"]


def _acting(steps: Sequence[Step], found: Mapping[str, int]) -> int:
    orders = [found[step.node] for step in steps if step.type in _ORDERS]
    return max(orders or found.values())


def _spelled(step: Step) -> tuple[Step, ...]:
    """Return an Expression as the steps its formula is made of, the last under its own name; others as they are."""
    if step.type != "Expression":
        return (step,)
    parts = parse_formula(str(step.params["formula"]))
    ids = [f"{step.node}{PART_MARK}{place}" for place in range(len(parts) - 1)] + [step.node]
    steps = []
    for node, part in zip(ids, parts, strict=True):
        definition = node_type(part.kind, 1)
        if definition is None:
            raise AlphintraError("NODE_UNKNOWN", f"a formula is made of {part.kind}, which is not in the catalogue")
        inputs = {
            port: step.inputs[source] if isinstance(source, str) else ((ids[source], "out"),)
            for port, source in part.inputs
        }
        params = {spec.name: normalise(spec, part.params) for spec in definition.params}
        spelled = Step(node=node, type=part.kind, version=1, params=params, inputs=inputs, warm_up_bars=0)
        steps.append(msgspec.structs.replace(spelled, timeframe=step.timeframe))
    return tuple(steps)


def _step(graph: Graph, node: Node, timeframe: str) -> Step:
    definition = _definition(node)
    inputs: dict[str, tuple[tuple[str, str], ...]] = {}
    for port in definition.inputs:
        sources = sorted(edge.source for edge in graph.edges if edge.target == f"{node.id}.{port.name}")
        inputs[port.name] = tuple(_split(source) for source in sources)
    params = {spec.name: normalise(spec, node.params) for spec in definition.specs(node.params)}
    if "timeframe" in params:
        params["timeframe"] = timeframe
    return Step(
        node=node.id,
        type=node.type,
        version=node.version,
        params=params,
        inputs=inputs,
        warm_up_bars=0,
        timeframe=timeframe,
    )


def _definition(node: Node | Step) -> NodeType:
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
    for spec in definition.specs(params) if definition else ():
        try:
            value = normalise(spec, node.params)
        except AlphintraError:
            continue  # an invalid parameter keeps its written form: drafts have hashes too
        if spec.is_later and value == spec.default:
            params.pop(spec.name, None)
        else:
            params[spec.name] = value
    return params
