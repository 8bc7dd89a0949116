"""Use cases of Python algorithms: what is installed, and whether a strategy that is one can run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alphintra.contracts.algorithms import AlgorithmsView, AlgorithmView
from alphintra.engine.algorithm_runs import AlgorithmId, algorithm_of
from alphintra.engine.graph.plan import compile_plan
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.graph.wire import Graph
    from alphintra.strategy.gateways.algorithm_process import ProcessHost
    from alphintra.strategy.gateways.packages import Installed, Packages

__all__ = ["algorithm_facts", "list_algorithms", "require_algorithm"]

TRIAL_S: Final = 2.5
"""Seconds a command waits to hear that its algorithm starts; it must be answered in five."""


async def list_algorithms(*, packages: Packages, host: ProcessHost) -> AlgorithmsView:
    """Return the algorithms of installed packages; those that may run say their parameters."""
    installed = await asyncio.to_thread(packages.installed)
    return AlgorithmsView(algorithms=tuple(await asyncio.gather(*(_described(each, host) for each in installed))))


async def require_algorithm(graph: Graph, *, host: Host) -> None:
    """Check that a strategy's algorithm, if it is one, is installed, allowed, unchanged and takes its parameters.

    It is started for that; where this takes longer than a person waits for, the run will tell. Raises ALGORITHM_*.
    """
    algorithm = _algorithm(graph)
    if algorithm is None:
        return
    trial = asyncio.create_task(asyncio.to_thread(_tried, host, algorithm))
    await asyncio.wait({trial}, timeout=TRIAL_S)
    if trial.done():
        trial.result()
    else:
        trial.add_done_callback(asyncio.Task.exception)  # nobody asks it any more


def algorithm_facts(graph: Graph) -> dict[str, Any]:
    """Return what an audit record says of a strategy's code; nothing for one without."""
    algorithm = _algorithm(graph)
    if algorithm is None:
        return {}
    told = {name: getattr(algorithm, name) for name in ("algorithm", "package", "release", "content_hash")}
    return {"algorithm": told}


def _tried(host: Host, algorithm: AlgorithmId) -> None:
    host(algorithm).close()


def _algorithm(graph: Graph) -> AlgorithmId | None:
    if all(node.type != "Algorithm" for node in graph.nodes):
        return None
    return algorithm_of(compile_plan(graph))


async def _described(installed: Installed, host: ProcessHost) -> AlgorithmView:
    told = {name: getattr(installed, name) for name in ("algorithm", "package", "release", "content_hash")}
    view = AlgorithmView(**told, is_allowed=installed.is_allowed, problem=installed.problem)
    if installed.problem:
        return view
    try:
        said = await asyncio.to_thread(host.describe, installed)
    except AlphintraError as error:
        return msgspec.structs.replace(view, problem=error.detail)
    parameters = msgspec.json.encode(said.parameters).decode()
    return msgspec.structs.replace(view, summary=said.summary, warm_up=said.warm_up, parameters=parameters)
