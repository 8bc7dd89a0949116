"""What is wrong with a graph, and what to do about it."""

from __future__ import annotations

import msgspec

__all__ = ["GraphProblem"]


class GraphProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that keeps a graph from running.

    Args:
        code: stable, upper case.
        node: id of the node, empty where the problem belongs to the whole graph.
        port: port or parameter, empty where there is none.
        message: what is wrong, one sentence.
        fix: what to do about it.
        pointer: JSON pointer into the graph.
    """

    code: str
    node: str = ""
    port: str = ""
    message: str
    fix: str
    pointer: str = ""
