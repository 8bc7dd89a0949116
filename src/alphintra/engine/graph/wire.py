"""Wire form of a strategy graph: what is stored, exchanged and hashed."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

__all__ = ["MINUTES", "SCHEMA", "TIMEFRAMES", "Edge", "Exposure", "Graph", "Node", "ParamValue"]

SCHEMA = 1
MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440}
TIMEFRAMES = tuple(MINUTES)

ParamValue: TypeAlias = "bool | int | float | str"


class Node(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One node: a type of the catalogue, its version and its parameters.

    Args:
        id: letters, digits, ``_`` and ``-``, starting with a letter, at most 64.
        type: name in the catalogue.
        version: version of that node's meaning; a stored graph keeps the meaning it was saved with.
        params: by name; decimals (percent, quantity) as text. Missing ones take the catalogue's default.
    """

    id: str
    type: str
    version: int = 1
    params: dict[str, ParamValue] = {}


class Edge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wire, written ``{"from": "node.port", "to": "node.port"}``."""

    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")


class Exposure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a search may turn a parameter: from ``min`` to ``max``, both included, by ``step``.

    The three are written as the parameter itself is: whole numbers, numbers, or decimals as text.
    """

    min: ParamValue
    max: ParamValue
    step: ParamValue


class Graph(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A strategy as nodes and wires.

    Args:
        schema: version of this wire form, 1.
        name: for people, 1 to 120 characters.
        timeframe: base interval of its bars, one of TIMEFRAMES.
        nodes: in any order; the order carries no meaning.
        edges: in any order.
        layout: place of each node on the canvas, (x, y) by node id; never part of the hash.
        exposed: parameters that a search may turn, by ``node.param``.
        constraints: what holds between parameters, e.g. ``fast.period < slow.period``.
    """

    schema: int = SCHEMA
    name: str
    timeframe: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    layout: dict[str, tuple[float, float]] = {}
    exposed: dict[str, Exposure] = {}
    constraints: tuple[str, ...] = ()
