"""Measurements that other parts of the data plane make: cross-service reports, optimised tables, manifests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from alphintra.dataplane.optimisation.measure import measure_optimisations
from alphintra.dataplane.reporting.switch import disable_reporting, enable_reporting
from alphintra.dataplane.reporting.timing import time_report
from alphintra.manifest import SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from alphintra.dataplane.assess.bench import Bench, Notes
    from alphintra.dataplane.assess.figures import Findings
    from alphintra.dataplane.optimisation.measure import OptimisationResult, QueryResult, VariantTiming
    from alphintra.dataplane.server import Server

__all__ = ["measure_tables", "note_manifests", "note_report", "note_tables", "take_tables"]

_OURS: Final = "ours"
_MS: Final = 1000.0
_OF_TABLES: Final = re.compile(r"claim1[789]_|optimised_rows$")
_HOST: Final = re.compile(r"@([a-z0-9.-]+):(\d+)/")
_PASSWORD: Final = re.compile(r"://[^/:@\s]+:[^@/\s]+@")


async def note_report(bench: Bench, notes: Notes, *, rounds: int) -> None:
    """Switch reporting on, time the report both ways where a plain join is possible, and switch it off again."""
    servers = [instance.server for instance in bench.instances.values()]
    passwords = bench.lab.passwords
    layout = await enable_reporting(servers, layout=bench.layout, passwords=passwords)
    try:
        timing = await time_report(servers, layout=layout, passwords=passwords, rounds=rounds)
    finally:
        await disable_reporting(servers, layout=layout, passwords=passwords)
    notes.put("report_ms", timing.newest_s * _MS, "ms")
    notes.put("report_whole_ms", timing.whole_s * _MS, "ms")
    notes.put("report_orders", timing.orders, "orders")
    notes.put("report_databases", timing.databases, "databases")
    if timing.joined_newest_s is not None and timing.joined_whole_s is not None:
        notes.put("report_join_ms", timing.joined_newest_s * _MS, "ms")
        notes.put("report_join_whole_ms", timing.joined_whole_s * _MS, "ms")
        notes.put("report_equal", float(bool(timing.is_equal)), "yes or no")
    notes.facts["report_spread"] = tuple(f"{name} x{spread:.1f}" for name, spread in timing.spread.items())


async def measure_tables(
    server: Server, *, rows: int, rounds: int, progress: Callable[[float], None]
) -> OptimisationResult:
    """Measure the tables of claims 17 to 19 on one instance: they are the same in every layout."""
    return await measure_optimisations(server.admin_url, rows=rows, rounds=rounds, progress=progress)


def note_tables(result: OptimisationResult, notes: Notes) -> None:
    """Write down how many times faster our tables answer the standing queries than plain ones, and the look-ups."""
    notes.put("optimised_rows", result.rows, "rows")
    for claim in (17, 19):
        queries = [query for query in result.queries if query.claim == claim]
        notes.spread(f"claim{claim}_faster", [_ours(query).ratio for query in queries], "x")
        notes.facts[f"claim{claim}_queries"] = tuple(_said(query) for query in queries)
    lookups = [_ours(query) for query in result.queries if query.claim == 18 and query.is_lookup]  # noqa: PLR2004 - the claim
    if lookups:
        slowest = max(lookups, key=lambda timing: timing.p99_ms or timing.high_ms)
        notes.put("claim18_p50_ms", slowest.median_ms, "ms")
        notes.put("claim18_p99_ms", slowest.p99_ms or slowest.high_ms, "ms")
        notes.put("claim18_index_only", float(slowest.plan.is_index_only), "yes or no")


def take_tables(found: Findings, notes: Notes) -> None:
    """Write down what an earlier assessment found about the tables; they are the same in every layout and run."""
    notes.figures |= {key: value for key, value in found.figures.items() if _OF_TABLES.match(key)}
    notes.facts |= {key: value for key, value in found.facts.items() if _OF_TABLES.match(key)}


def _ours(query: QueryResult) -> VariantTiming:
    return next(timing for timing in query.timings if timing.variant == _OURS)


def _said(query: QueryResult) -> str:
    timing = _ours(query)
    return f"{query.query.replace('_', ' ')} {timing.median_ms:.1f} ms (x{timing.ratio:.1f})"


def note_manifests(objects: Sequence[Mapping[str, Any]], notes: Notes) -> None:
    """Look into rendered Kubernetes objects: what can be sized for each service, and where its URL leads."""
    services = [item["metadata"]["name"] for item in objects if item["kind"] == "Service"]
    sized = {
        service: item
        for item in objects
        if item["kind"] == "Deployment"
        for service in SERVICES
        if _serves(item, service)
    }
    pools = [item for item in sized.values() if any(name.endswith("_POOL") for name, _ in _variables(item))]
    urls = {
        service: value for service, item in sized.items() for name, value in _variables(item) if name == "DATABASE_URL"
    }
    hosts = {match[1] for url in urls.values() if (match := _HOST.search(url))}
    known = [url for url in urls.values() if (match := _HOST.search(url)) and match[1].split(".")[0] in services]
    stateful = [item for item in objects if item["kind"] == "StatefulSet" and "postgresql" in item["metadata"]["name"]]
    leaked = sum(len(_PASSWORD.findall(text)) for item in objects for text in _texts(item))
    notes.put("manifest_objects", len(objects), "objects")
    notes.put("manifest_deployments", sum("replicas" in item["spec"] for item in sized.values()), "deployments")
    notes.put("manifest_pools", len(pools), "deployments")
    notes.put("manifest_instances", len(stateful), "instances")
    notes.put("manifest_urls", len(urls), "URLs")
    notes.put("manifest_urls_known", len(known), "URLs")
    notes.put("manifest_secrets", leaked, "passwords")
    notes.facts["manifest_hosts"] = tuple(sorted(hosts))


def _serves(item: Mapping[str, Any], service: str) -> bool:
    name = str(item["metadata"]["name"])
    return name.replace("-", "").startswith(f"{service}service")


def _variables(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    pod = item["spec"]["template"]["spec"]
    for container in pod["containers"]:
        for variable in container.get("env", ()):
            yield variable["name"], str(variable.get("value", ""))


def _texts(item: object) -> Iterator[str]:
    if isinstance(item, str):
        yield item
    elif isinstance(item, dict):
        for value in item.values():
            yield from _texts(value)
    elif isinstance(item, list | tuple):
        for value in item:
            yield from _texts(value)
