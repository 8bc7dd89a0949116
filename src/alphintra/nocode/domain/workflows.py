"""Decisions about workflows: what a graph must be, what a save yields, and the ready strategies.

A version holds the canonical graph and never changes. Where its nodes stand on the canvas is no part of the
strategy: the layout of the newest version is kept beside the workflow, so that moving a node makes no new version.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from alphintra.engine.graph import (
    TIMEFRAMES,
    Graph,
    GraphProblem,
    canonical_json,
    compile_plan,
    graph_hash,
    parse_graph,
    validate,
)
from alphintra.engine.graph.parsing import closest
from alphintra.engine.graph.warnings import graph_warnings
from alphintra.engine.templates import GALLERY, Template
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId, WorkflowId, WorkflowVersionId

__all__ = [
    "Examination",
    "NamedVersion",
    "Stamp",
    "Version",
    "Workflow",
    "examine",
    "laid_out",
    "name_of",
    "new_workflow",
    "note_of",
    "on_timeframe",
    "read_graph",
    "refusal",
    "rename",
    "require_in_use",
    "require_room",
    "save",
    "set_archived",
    "template",
    "with_layout",
]

NAME_MAX = 120
NOTE_MAX = 1000
WORKFLOWS_MAX = 1000  # of one person: they are listed in one message of the bus, which holds at most 1 MB
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """How a version comes to be: its id, who makes it, when, why, and from which other version if from one."""

    version_id: WorkflowVersionId
    author_id: UserId
    at: datetime
    note: str = ""
    origin_version_id: WorkflowVersionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One immutable version of a workflow.

    Attributes:
        graph: canonical JSON with the layout it was first saved with.
        graph_hash: sha-256 of the canonical graph without its layout.
        warmup_bars: closed bars before the first decision may act.
        created_by: who saved it.
        note: what they said about it, at most 1000 characters.
        origin_version_id: the version it was restored or duplicated from.
    """

    version_id: WorkflowVersionId
    workflow_id: WorkflowId
    version: int
    graph: str
    graph_hash: str
    warmup_bars: int
    created_at: datetime
    created_by: UserId
    note: str
    origin_version_id: WorkflowVersionId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedVersion:
    """A version with the name of its workflow."""

    name: str
    version: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A person's workflow, what its newest version is, and where that version's nodes stand (``layout``, JSON text)."""

    workflow_id: WorkflowId
    owner_id: UserId
    name: str
    version_id: WorkflowVersionId
    version: int
    graph_hash: str
    warmup_bars: int
    layout: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All problems of a graph, its hash and warm-up where there are none, and what to mind though it is valid."""

    problems: tuple[GraphProblem, ...]
    graph_hash: str = ""
    warmup_bars: int = 0
    warnings: tuple[GraphProblem, ...] = ()


def on_timeframe(graph: Graph, timeframe: str | None) -> Graph:
    """Return the graph for bars of another interval, or as it is for None. Raises FIELD_CHOICE for an unknown one."""
    if timeframe is None:
        return graph
    if timeframe not in TIMEFRAMES:
        message = f"timeframe {timeframe[:60]!r} is not known: use one of {', '.join(TIMEFRAMES)}"
        raise AlphintraError("FIELD_CHOICE", message, pointer="/timeframe")
    return msgspec.structs.replace(graph, timeframe=timeframe)


def template(name: str) -> Template:
    """Return a ready strategy. Raises TEMPLATE_UNKNOWN with the nearest name."""
    found = GALLERY.get(name)
    if found is None:
        message = f"there is no template {name[:60]!r}: {closest(name[:60], list(GALLERY))}"
        raise AlphintraError("TEMPLATE_UNKNOWN", message, pointer="/template")
    return found


def name_of(text: str) -> str:
    """Return a workflow's name in its one normal form (NFC, no space around it).

    Raises FIELD_LENGTH unless it has 1 to 120 characters, FIELD_CHARS for invisible ones.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(character) in _INVISIBLE for character in name):
        raise AlphintraError("FIELD_CHARS", "the name holds control or invisible characters", pointer="/name")
    if not 1 <= len(name) <= NAME_MAX:
        raise AlphintraError("FIELD_LENGTH", f"the name must have 1 to {NAME_MAX} characters", pointer="/name")
    return name


def read_graph(text: str) -> Graph:
    """Read a graph from JSON text; well formed, not yet validated. Raises what ``parse_graph`` raises, below /graph."""
    try:
        # A lone surrogate is passed on, so that it is refused as ENCODING like every other broken character.
        return parse_graph(text.encode("utf-8", "surrogatepass"))
    except AlphintraError as error:
        raise AlphintraError(error.code, error.detail, kind=error.kind, pointer=f"/graph{error.pointer}") from error


def examine(graph: Graph) -> Examination:
    """Look for every problem of a graph; one without any is hashed and its warm-up counted."""
    problems = tuple(validate(graph))
    warnings = tuple(graph_warnings(graph))
    if problems:
        return Examination(problems=problems, warnings=warnings)
    return Examination(
        problems=(),
        graph_hash=graph_hash(graph),
        warmup_bars=compile_plan(graph).warm_up_bars,
        warnings=warnings,
    )


def note_of(text: str) -> str:
    """Return what is said about a version in its one normal form; lines may be broken.

    Raises FIELD_LENGTH beyond 1000 characters, FIELD_CHARS for invisible ones.
    """
    note = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(character) in _INVISIBLE for character in note if character != "\n"):
        raise AlphintraError("FIELD_CHARS", "the note holds control or invisible characters", pointer="/note")
    if len(note) > NOTE_MAX:
        raise AlphintraError("FIELD_LENGTH", f"the note must have at most {NOTE_MAX} characters", pointer="/note")
    return note


def new_workflow(workflow_id: WorkflowId, stamp: Stamp, *, name: str, graph: Graph) -> tuple[Workflow, Version]:
    """Return a workflow of whoever makes it, and its version 1.

    Raises FIELD_LENGTH or FIELD_CHARS for its name and note, and for an invalid graph the code of its first problem
    with a detail that names node, port and fix.
    """
    version = _version(workflow_id, 1, graph, stamp)
    workflow = Workflow(
        workflow_id=workflow_id,
        owner_id=stamp.author_id,
        name=name_of(name),
        version_id=stamp.version_id,
        version=version.version,
        graph_hash=version.graph_hash,
        warmup_bars=version.warmup_bars,
        layout=_layout(graph),
        created_at=stamp.at,
        updated_at=stamp.at,
    )
    return workflow, version


def save(workflow: Workflow, graph: Graph, stamp: Stamp, *, base_version: int) -> tuple[Workflow, Version | None]:
    """Return the workflow after a save, and its new version if there is one.

    An unchanged strategy keeps its version and takes the new layout. A save repeated after its answer was lost
    (base one behind, the very graph that is newest) changes nothing.

    Raises VERSION_CONFLICT if ``base_version`` is not the newest, WORKFLOW_ARCHIVED, else as ``new_workflow``.
    """
    require_in_use(workflow)
    version = _version(workflow.workflow_id, workflow.version + 1, graph, stamp)
    is_same = version.graph_hash == workflow.graph_hash
    if base_version != workflow.version:
        if is_same and base_version == workflow.version - 1:
            return workflow, None
        message = f"the workflow is at version {workflow.version}, not {base_version}: open it again, redo the change"
        raise AlphintraError("VERSION_CONFLICT", message, kind=Kind.CONFLICT, pointer="/base_version")
    layout = _layout(graph)
    if is_same and layout == workflow.layout:
        return workflow, None
    if is_same:
        return replace(workflow, layout=layout, updated_at=stamp.at), None
    changed = replace(
        workflow,
        version_id=stamp.version_id,
        version=version.version,
        graph_hash=version.graph_hash,
        warmup_bars=version.warmup_bars,
        layout=layout,
        updated_at=stamp.at,
    )
    return changed, version


def rename(workflow: Workflow, name: str, *, at: datetime) -> Workflow:
    """Return the workflow under another name; itself where it has that name. Raises FIELD_LENGTH or FIELD_CHARS."""
    wanted = name_of(name)
    return workflow if wanted == workflow.name else replace(workflow, name=wanted, updated_at=at)


def set_archived(workflow: Workflow, *, is_archived: bool, at: datetime) -> Workflow:
    """Return the workflow put away or taken out again; itself where it is so already."""
    if is_archived == (workflow.archived_at is not None):
        return workflow
    return replace(workflow, archived_at=at if is_archived else None, updated_at=at)


def require_in_use(workflow: Workflow) -> None:
    """Raise WORKFLOW_ARCHIVED for a workflow that was put away."""
    if workflow.archived_at is not None:
        message = f"the workflow {workflow.name!r} is archived: take it out of the archive first"
        raise AlphintraError("WORKFLOW_ARCHIVED", message, kind=Kind.CONFLICT)


def require_room(count: int) -> None:
    """Raise WORKFLOW_LIMIT if a person with so many workflows may not have another one."""
    if count >= WORKFLOWS_MAX:
        message = f"you have {count} workflows, and may have {WORKFLOWS_MAX}: save new versions of those you have"
        raise AlphintraError("WORKFLOW_LIMIT", message, kind=Kind.LIMITED)


def laid_out(graph: Graph) -> str:
    """Return the canonical JSON of a graph with its layout added: what is stored and handed out."""
    canonical = parse_graph(canonical_json(graph))
    return msgspec.json.encode(msgspec.structs.replace(canonical, layout=graph.layout), order="sorted").decode()


def with_layout(graph: str, layout: str) -> str:
    """Return a stored graph with another layout; both are JSON text."""
    places = msgspec.json.decode(layout, type=dict[str, tuple[float, float]])
    return laid_out(msgspec.structs.replace(parse_graph(graph.encode()), layout=places))


def _version(workflow_id: WorkflowId, number: int, graph: Graph, stamp: Stamp) -> Version:
    found = examine(graph)
    if found.problems:
        raise refusal(found.problems)
    return Version(
        version_id=stamp.version_id,
        workflow_id=workflow_id,
        version=number,
        graph=laid_out(graph),
        graph_hash=found.graph_hash,
        warmup_bars=found.warmup_bars,
        created_at=stamp.at,
        created_by=stamp.author_id,
        note=note_of(stamp.note),
        origin_version_id=stamp.origin_version_id,
    )


def refusal(problems: tuple[GraphProblem, ...]) -> AlphintraError:
    """Return the refusal of a graph for its first problem: node, port and fix are named, the others counted."""
    first, *others = problems
    place = f"node {first.node}" if first.node else "the graph"
    port = f", {first.port}" if first.port else ""
    more = f" (and {len(others)} more: validate the graph to see all)" if others else ""
    message = f"{place}{port}: {first.message}; {first.fix}{more}"
    return AlphintraError(first.code, message, pointer=f"/graph{first.pointer}")


def _layout(graph: Graph) -> str:
    return msgspec.json.encode(graph.layout, order="sorted").decode()
