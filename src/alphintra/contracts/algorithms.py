"""What strategy says of algorithms that installed Python packages bring."""

from __future__ import annotations

from alphintra.kernel.messages import Command, View

__all__ = ["AlgorithmView", "AlgorithmsView", "ListAlgorithms"]


class AlgorithmView(View, frozen=True):
    """An algorithm of an installed package, what it is bound to, and what it says of itself.

    ``problem`` says why it cannot run, empty where it can; ``parameters`` are JSON text, as those of nodes.
    """

    algorithm: str
    package: str
    release: str
    content_hash: str
    is_allowed: bool
    problem: str
    summary: str = ""
    warm_up: int = 0
    parameters: str = "[]"


class AlgorithmsView(View, frozen=True):
    """Algorithms by name."""

    algorithms: tuple[AlgorithmView, ...]


class ListAlgorithms(Command[AlgorithmsView], tag="strategy.list_algorithms.v1", frozen=True):
    """List the algorithms of installed packages; those that are allowed are loaded to say their parameters."""
