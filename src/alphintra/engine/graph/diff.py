"""What differs between two graphs: nodes, parameters and wires, as data and as sentences.

Nodes are the same if they share id and type. Of the rest those are taken for renamed that are alike in type,
parameters and wires, or failing that in type and wires, or in type and parameters, and that only one to one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING

import msgspec

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.exposure import canonical_constraints, canonical_exposed
from alphintra.engine.graph.params import normalise
from alphintra.engine.graph.wire import Edge, Graph, Node, ParamValue
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GraphDiff", "NodeChange", "ValueChange", "compare_graphs"]


class ValueChange(msgspec.Struct, frozen=True, kw_only=True):
    """One value before and after; None where there was or is none."""

    name: str
    before: object
    after: object


class NodeChange(msgspec.Struct, frozen=True, kw_only=True):
    """A node that is in both graphs and not the same in them.

    Args:
        node: id in the later graph.
        type: name in the catalogue.
        former_node: id in the earlier graph.
        version_before: version of the node's meaning in the earlier graph.
        version_after: the same in the later graph.
        params: parameters that differ, by name, complete with the defaults.
    """

    node: str
    type: str
    former_node: str
    version_before: int
    version_after: int
    params: tuple[ValueChange, ...]


class GraphDiff(msgspec.Struct, frozen=True, kw_only=True):
    """How a later graph differs from an earlier one; everything in one stable order, layout left out.

    Args:
        frame: name, timeframe and schema, where they differ.
        added: nodes only the later one has, with complete parameters.
        removed: nodes only the earlier one has.
        changed: nodes that were renamed or have other parameters.
        wires_added: wires only the later one has.
        wires_removed: wires only the earlier one has, in its own ids; a renamed node's wires stay the same.
        exposed: exposed parameters that differ, by ``node.param`` of the later graph where the node is in both.
        constraints_added: constraints only the later one has.
        constraints_removed: constraints only the earlier one has.
        sentences: the same for people.
    """

    frame: tuple[ValueChange, ...] = ()
    added: tuple[Node, ...] = ()
    removed: tuple[Node, ...] = ()
    changed: tuple[NodeChange, ...] = ()
    wires_added: tuple[Edge, ...] = ()
    wires_removed: tuple[Edge, ...] = ()
    exposed: tuple[ValueChange, ...] = ()
    constraints_added: tuple[str, ...] = ()
    constraints_removed: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether the two are the same strategy."""
        return self == GraphDiff()


def compare_graphs(before: Graph, after: Graph) -> GraphDiff:
    """Return what differs; nothing if two valid graphs have one hash. Neither needs to be valid."""
    old, new = _by_id(before), _by_id(after)
    names = _matches(before, after, old, new)
    back = {later: former for former, later in names.items()}
    frame = tuple(
        ValueChange(name=name, before=getattr(before, name), after=getattr(after, name))
        for name in ("name", "timeframe", "schema")
        if getattr(before, name) != getattr(after, name)
    )
    wires_before = {_renamed_wire(edge, names): edge for edge in before.edges}
    wires_after = {(edge.source, edge.target): edge for edge in after.edges}
    constraints_before = {_renamed_words(text, names): text for text in canonical_constraints(before)}
    constraints_after = canonical_constraints(after)
    diff = GraphDiff(
        frame=frame,
        added=tuple(new[node_id] for node_id in sorted(new) if node_id not in back),
        removed=tuple(old[node_id] for node_id in sorted(old) if node_id not in names),
        changed=tuple(
            change for later in sorted(back) if (change := _node_change(old[back[later]], new[later])) is not None
        ),
        wires_added=_sorted(wires_after[key] for key in wires_after.keys() - wires_before.keys()),
        wires_removed=_sorted(wires_before[key] for key in wires_before.keys() - wires_after.keys()),
        exposed=_exposed_changes(before, after, names),
        constraints_added=tuple(text for text in constraints_after if text not in constraints_before),
        constraints_removed=tuple(
            text for key, text in constraints_before.items() if key not in set(constraints_after)
        ),
    )
    return msgspec.structs.replace(diff, sentences=tuple(_sentences(diff)))


def _by_id(graph: Graph) -> dict[str, Node]:
    """Return the nodes with complete parameters; of several with one id the last one."""
    return {node.id: msgspec.structs.replace(node, params=_complete(node)) for node in graph.nodes}


def _complete(node: Node) -> dict[str, ParamValue]:
    definition = node_type(node.type, node.version)
    params = dict(node.params)
    for spec in definition.specs(params) if definition else ():
        try:
            params[spec.name] = normalise(spec, node.params)
        except AlphintraError:
            continue  # an invalid parameter keeps its written form: drafts are compared too
    return dict(sorted(params.items()))


def _matches(before: Graph, after: Graph, old: Mapping[str, Node], new: Mapping[str, Node]) -> dict[str, str]:
    """Return which node of the later graph each node of the earlier one is."""
    names = {node_id: node_id for node_id in old if node_id in new and old[node_id].type == new[node_id].type}
    while True:
        back = {later: former for former, later in names.items()}
        left = [node for node_id, node in old.items() if node_id not in names]
        right = [node for node_id, node in new.items() if node_id not in back]
        if not left or not right:
            return names
        old_types = {node_id: node.type for node_id, node in old.items()}
        new_types = {node_id: node.type for node_id, node in new.items()}
        old_wires = _neighbours(before, names, old_types)
        new_wires = _neighbours(after, {later: later for later in back}, new_types)
        found = _pairs(left, right, old_wires, new_wires)
        if not found:
            return names
        names |= found


def _pairs(
    left: list[Node],
    right: list[Node],
    old_wires: Mapping[str, frozenset[Hashable]],
    new_wires: Mapping[str, frozenset[Hashable]],
) -> dict[str, str]:
    """Return pairs that are alike one to one, by the strongest likeness that finds any."""

    def params(node: Node) -> Hashable:
        return (node.version, tuple(node.params.items()))

    likeness: tuple[Callable[[Node, frozenset[Hashable]], Hashable], ...] = (
        lambda node, wires: (node.type, params(node), wires),
        lambda node, wires: (node.type, wires),
        lambda node, _wires: (node.type, params(node)),
    )
    for key in likeness:
        olds, news = defaultdict(list), defaultdict(list)
        for node in left:
            olds[key(node, old_wires[node.id])].append(node.id)
        for node in right:
            news[key(node, new_wires[node.id])].append(node.id)
        found = {ids[0]: news[like][0] for like, ids in olds.items() if len(ids) == 1 and len(news.get(like, [])) == 1}
        if found:
            return found
    return {}


def _neighbours(graph: Graph, names: Mapping[str, str], types: Mapping[str, str]) -> dict[str, frozenset[Hashable]]:
    """Return each node's wires as (own port, direction, the other end), the other end by name where that is known."""

    def other(end: str) -> Hashable:
        node, _, port = end.partition(".")
        return (names[node], port) if node in names else ("?", types.get(node, ""), port)

    found: dict[str, set[Hashable]] = {node_id: set() for node_id in types}
    for edge in graph.edges:
        source, _, source_port = edge.source.partition(".")
        target, _, target_port = edge.target.partition(".")
        if source in found:
            found[source].add((source_port, "to", other(edge.target)))
        if target in found:
            found[target].add((target_port, "from", other(edge.source)))
    return {node_id: frozenset(ends) for node_id, ends in found.items()}


def _node_change(before: Node, after: Node) -> NodeChange | None:
    params = tuple(
        ValueChange(name=name, before=before.params.get(name), after=after.params.get(name))
        for name in sorted({**before.params, **after.params})
        if not _is_equal(before.params.get(name), after.params.get(name))
    )
    if before.id == after.id and before.version == after.version and not params:
        return None
    return NodeChange(
        node=after.id,
        type=after.type,
        former_node=before.id,
        version_before=before.version,
        version_after=after.version,
        params=params,
    )


def _is_equal(before: object, after: object) -> bool:
    """Tell whether two values are written alike: in a draft 1, 1.0 and true are three things."""
    return type(before) is type(after) and before == after


def _exposed_changes(before: Graph, after: Graph, names: Mapping[str, str]) -> tuple[ValueChange, ...]:
    was = {_renamed(name, names): value for name, value in canonical_exposed(before).items()}
    now = canonical_exposed(after)
    return tuple(
        ValueChange(name=name, before=was.get(name), after=now.get(name))
        for name in sorted({**was, **now})
        if msgspec.json.encode(was.get(name)) != msgspec.json.encode(now.get(name))
    )


def _renamed(end: str, names: Mapping[str, str]) -> str:
    node, dot, port = end.partition(".")
    return f"{names.get(node, node)}{dot}{port}"


def _renamed_words(text: str, names: Mapping[str, str]) -> str:
    return " ".join(_renamed(word, names) for word in text.split(" "))


def _renamed_wire(edge: Edge, names: Mapping[str, str]) -> tuple[str, str]:
    """Return a wire's ends in the ids of the later graph; an end at a node that is gone fits no wire there."""

    def end(text: str) -> str:
        node, dot, port = text.partition(".")
        return f"{names[node]}{dot}{port}" if node in names else f"-{text}"

    return end(edge.source), end(edge.target)


def _sorted(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(edges, key=lambda edge: (edge.source, edge.target)))


def _sentences(diff: GraphDiff) -> list[str]:
    said = [f"The {item.name} was {_shown(item.before)} and is {_shown(item.after)}." for item in diff.frame]
    said += [f"{node.id} ({node.type}) is new{_with(node.params)}." for node in diff.added]
    said += [f"{node.id} ({node.type}) is gone{_with(node.params)}." for node in diff.removed]
    for change in diff.changed:
        if change.node != change.former_node:
            said.append(f"{change.former_node} ({change.type}) is called {change.node} now.")
        if change.version_before != change.version_after:
            said.append(f"{change.node} ({change.type}) is of version {change.version_after} now.")
        said += [
            f"{change.node} ({change.type}): {item.name} was {_shown(item.before)} and is {_shown(item.after)}."
            for item in change.params
        ]
    said += [f"The wire {edge.source} → {edge.target} is new." for edge in diff.wires_added]
    said += [f"The wire {edge.source} → {edge.target} is gone." for edge in diff.wires_removed]
    for item in diff.exposed:
        if item.after is None:
            said.append(f"{item.name} is no longer exposed.")
        else:
            said.append(f"{item.name} is exposed {_turned(item.after)}{_before(item.before)}.")
    said += [f"The constraint {text} is new." for text in diff.constraints_added]
    said += [f"The constraint {text} is gone." for text in diff.constraints_removed]
    return said


def _turned(exposure: object) -> str:
    found = exposure if isinstance(exposure, dict) else {}
    return f"from {found.get('min')} to {found.get('max')} by {found.get('step')}"


def _before(exposure: object) -> str:
    return "" if exposure is None else f"; before {_turned(exposure)}"


def _with(params: Mapping[str, ParamValue]) -> str:
    return f" with {', '.join(f'{name} {_shown(value)}' for name, value in params.items())}" if params else ""


def _shown(value: object) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
