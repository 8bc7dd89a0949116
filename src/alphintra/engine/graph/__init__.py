"""Typed no-code strategy graphs: wire form, catalogue of nodes, validation, hash and compiled plan."""

from __future__ import annotations

from alphintra.engine.graph.catalogue import catalogue_document
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import Plan, Step, canonical_json, compile_plan, graph_hash
from alphintra.engine.graph.problems import GraphProblem
from alphintra.engine.graph.validation import validate
from alphintra.engine.graph.values import StateView
from alphintra.engine.graph.wire import SCHEMA, TIMEFRAMES, Edge, Graph, Node

__all__ = [
    "SCHEMA",
    "TIMEFRAMES",
    "Edge",
    "Graph",
    "GraphProblem",
    "Node",
    "Plan",
    "StateView",
    "Step",
    "canonical_json",
    "catalogue_document",
    "compile_plan",
    "graph_hash",
    "parse_graph",
    "validate",
]
