"""Warnings tell what to mind in a graph, and never keep it from running."""

from __future__ import annotations

import msgspec
import pytest

from alphintra.engine.graph import Edge, Node, validate
from alphintra.engine.graph import warnings as warned
from alphintra.engine.graph.warnings import graph_warnings
from alphintra.engine.graph.wire import Exposure
from alphintra.engine.templates import GALLERY, crossover

BASE = crossover()


@pytest.mark.parametrize("name", sorted(GALLERY))
def test_a_template_has_nothing_to_mind_but_how_many_trades_its_search_needs(name: str) -> None:
    assert [warning.code for warning in graph_warnings(GALLERY[name].graph)] == ["FREE_PARAMETERS"]


def test_two_nodes_that_compute_the_same_are_told() -> None:
    twin = Node(id="again", type="EMA", params={"period": 20})
    edges = (
        Edge(source="bars.close", target="again.in"),
        *(Edge(source="again.out", target=e.target) if e.target == "cross_below.a" else e for e in BASE.edges),
    )
    graph = msgspec.structs.replace(BASE, nodes=(*BASE.nodes, twin), edges=edges)
    assert validate(graph) == []
    (warning,) = graph_warnings(graph)
    assert (warning.code, warning.node, warning.pointer) == ("NODE_TWIN", "again", f"/nodes/{len(BASE.nodes)}")
    assert "fast" in warning.fix
    other = msgspec.structs.replace(graph, nodes=(*BASE.nodes, msgspec.structs.replace(twin, params={"period": 21})))
    assert list(graph_warnings(other)) == []


def test_exposed_parameters_are_weighed_against_the_trades_they_need() -> None:
    exposed = {name: Exposure(min=5, max=60, step=5) for name in ("fast.period", "slow.period")}
    graph = msgspec.structs.replace(BASE, exposed=exposed)
    assert validate(graph) == []
    (warning,) = graph_warnings(graph)
    assert (warning.code, warning.pointer) == ("FREE_PARAMETERS", "/exposed")
    assert "60 trades" in warning.message


def test_a_node_of_an_older_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warned, "latest_version", lambda name: 2 if name == "Bars" else 1)
    (warning,) = graph_warnings(BASE)
    assert (warning.code, warning.node, warning.pointer) == ("NODE_OUTDATED", "bars", "/nodes/0/version")
