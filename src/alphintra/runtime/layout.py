"""Where services run, by process, and where their data is, by the record that the first start keeps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from alphintra.dataplane.layouts import Placement
from alphintra.infrastructure.parts import Parts
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import SERVICES
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.settings import ProcessLayout, RuntimeSettings

__all__ = [
    "ProcessPlan",
    "carry_reporting",
    "credentials_path",
    "instances_in_moves",
    "moves_file",
    "process_plans",
    "record_layout",
    "recorded_layout",
    "records_of_moves",
    "restore_file",
    "settled_layout",
]

_LAYOUT_FILE = "layout.json"

_COMMANDS = Parts(commands=True, background=False, work=False)
_BACKGROUND = Parts(commands=False, background=True, work=False)
_WORK = Parts(commands=False, background=False, work=True)
_SERVING = Parts(commands=True, background=True, work=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPlan:
    """One process: a name, the services with the parts of them it runs, and whether the edge lives in it.

    Attributes:
        name: of the process, its log and its credentials file.
        services: services in it.
        parts: which parts of them.
        has_edge: whether it serves HTTP.
        connections_max: database connections of each service in it.
    """

    name: str
    services: tuple[str, ...]
    parts: Parts
    has_edge: bool = False
    connections_max: int = 6


def process_plans(layout: ProcessLayout) -> tuple[ProcessPlan, ...]:
    """Return the processes of a layout.

    Default: one for the edge and all commands, one for relays, consumers and feeds, one for heavy work. Risk apart: the
    same, but that risk has a process of its own, so that whoever takes over another cannot sign. Per
    service: one for each, with that service's credentials alone, one for strategy's heavy work, one for the edge.
    """
    worker = ProcessPlan(name="worker", services=("strategy",), parts=_WORK, connections_max=2)
    if layout is ProcessLayout.DEFAULT:
        return (
            ProcessPlan(name="core", services=tuple(SERVICES), parts=_COMMANDS, has_edge=True),
            ProcessPlan(name="relay", services=tuple(SERVICES), parts=_BACKGROUND, connections_max=4),
            worker,
        )
    if layout is ProcessLayout.RISK_APART:
        others = tuple(service for service in SERVICES if service != "risk")
        return (
            ProcessPlan(name="core", services=others, parts=_COMMANDS, has_edge=True),
            ProcessPlan(name="risk", services=("risk",), parts=_SERVING, connections_max=8),
            ProcessPlan(name="relay", services=others, parts=_BACKGROUND, connections_max=4),
            worker,
        )
    each = tuple(
        ProcessPlan(name=service, services=(service,), parts=_SERVING, connections_max=8) for service in SERVICES
    )
    return (*each, worker, ProcessPlan(name="edge", services=(), parts=_COMMANDS, has_edge=True))


def credentials_path(home: Home, process: str) -> Path:
    """Return where a process's credentials are, written by provisioning."""
    return home.run / f"credentials-{process}.json"


def record_layout(home: Home, layout: Sequence[Placement]) -> None:
    """Keep, durably, where the home's data is."""
    write_atomically(home.path / _LAYOUT_FILE, json.dumps([asdict(placement) for placement in layout]).encode())


def recorded_layout(home: Home) -> tuple[Placement, ...]:
    """Return where the home's data is; nothing where no start has succeeded yet."""
    try:
        kept = json.loads((home.path / _LAYOUT_FILE).read_bytes())
    except FileNotFoundError:
        return ()
    return tuple(Placement(**item) for item in kept)


def moves_file(home: Home) -> Path:
    """Return where a home notes the moves of services that are under way; see `moving.journal`."""
    return home.path / "moves.json"


def restore_file(home: Home) -> Path:
    """Return where a home notes the restore of a service that is not ended yet; see `backups.restoring`."""
    return home.path / "restore.json"


def instances_in_moves(home: Home) -> frozenset[str]:
    """Return the instances that services are being moved to or from."""
    return frozenset(record[side]["instance"] for record in records_of_moves(home) for side in ("source", "target"))


def records_of_moves(home: Home) -> list[dict[str, Any]]:
    """Return what the journal of moves notes of each; read without what the journal itself needs to be read."""
    try:
        found: list[dict[str, Any]] = json.loads(moves_file(home).read_bytes())["records"]
    except (FileNotFoundError, ValueError):
        return []
    return found


def carry_reporting(home: Home, layout: Sequence[Placement]) -> tuple[Placement, ...]:
    """Return a layout from the settings with cross-service reporting on if the home's record says so."""
    is_on = any(placement.is_reported for placement in recorded_layout(home))
    return tuple(replace(placement, is_reported=is_on) for placement in layout)


def settled_layout(home: Home | None, settings: RuntimeSettings) -> tuple[Placement, ...]:
    """Return where each service lives: as the settings say, or where they say nothing as the home is.

    Raises LAYOUT_CHANGED if the home's data lies elsewhere than the settings say: it would seem to be gone.
    """
    recorded = () if home is None else recorded_layout(home)
    if recorded and not settings.names_a_layout:
        return recorded
    layout = settings.placements()
    for before, placement in zip(recorded, layout, strict=False):
        if placement != before:
            detail = (
                f"the data of {placement.service} lies in {_place(before)}, the settings say {_place(placement)}: "
                "set the layout back, or set ALPHINTRA_HOME to a new folder"
            )
            raise AlphintraError("LAYOUT_CHANGED", detail, kind=Kind.CONFLICT, pointer="layout")
    return layout


def _place(placement: Placement) -> str:
    schema = placement.merged_schema or placement.schema
    return f"{placement.database}.{schema} on {placement.instance}, as {placement.service_role}"
