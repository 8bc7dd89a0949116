"""A workflow version as a document that stands for itself: written, and read strictly.

``{"format", "format_version", "name", "graph", "layout", "graph_hash", "origin"}``; ``origin`` says where it came from
and binds nobody, ``graph_hash`` must be that of the graph.
"""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

import msgspec

from alphintra.engine.graph import Graph, canonical_json, parse_graph
from alphintra.engine.graph.parsing import GRAPH_BYTES_MAX, closest, load_json
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Utc
from alphintra.nocode.domain.workflows import NamedVersion, examine, read_graph, refusal

__all__ = ["FORMAT", "FORMAT_VERSION", "Imported", "read_document", "write_document"]

FORMAT: Final = "alphintra.workflow"
FORMAT_VERSION: Final = 1
_QUOTED: Final = re.compile(r"`(?P<name>.*?)`", re.DOTALL)
_PATH: Final = re.compile(r" - at `\$\.?(?P<path>.*)`$", re.DOTALL)


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version of which workflow a document was written from, and when that was saved."""

    workflow_id: UUID
    version_id: UUID
    version: int
    created_at: Utc


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    format_version: int
    name: str
    graph: dict[str, Any]
    layout: dict[str, Any] = {}
    graph_hash: str
    origin: Origin | None = None


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What a document holds once it was found whole: the graph with its layout, and the hash it has."""

    name: str
    graph: Graph
    graph_hash: str
    origin: Origin | None


def write_document(found: NamedVersion) -> str:
    """Return a version as a document, the same text each time."""
    version = found.version
    graph = parse_graph(version.graph.encode())
    document = _Document(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        name=found.name,
        graph=msgspec.json.decode(canonical_json(graph)),
        layout=msgspec.to_builtins(graph.layout),
        graph_hash=version.graph_hash,
        origin=Origin(
            workflow_id=version.workflow_id,
            version_id=version.version_id,
            version=version.version,
            created_at=version.created_at,
        ),
    )
    return msgspec.json.encode(document, order="sorted").decode()


def read_document(text: str) -> Imported:
    """Read a document; nothing of it is trusted.

    Raises:
        AlphintraError: BODY_EMPTY, DOCUMENT_TOO_LARGE (over 1 MiB), JSON_*, ENCODING, NUMBER_NOT_FINITE, FIELD_*,
            DOCUMENT_FORMAT, DOCUMENT_VERSION, HASH_MISMATCH, or the first problem of its graph with node, port and fix;
            the pointer is one into the document.
    """
    raw = text.encode("utf-8", "surrogatepass")
    if not raw.strip():
        raise AlphintraError("BODY_EMPTY", "the document is empty: send what an export gave")
    if len(raw) > GRAPH_BYTES_MAX:
        message = f"the document has {len(raw)} bytes, more than {GRAPH_BYTES_MAX}: it holds more than one strategy"
        raise AlphintraError("DOCUMENT_TOO_LARGE", message, kind=Kind.LIMITED)
    tree = load_json(raw)
    _require_format(tree)
    try:
        document = msgspec.convert(tree, _Document)
    except msgspec.ValidationError as error:
        raise _field_error(str(error)) from error
    graph = _graph(document)
    found = examine(graph)
    if found.problems:
        raise _moved(refusal(found.problems))
    if found.graph_hash != document.graph_hash:
        message = (
            f"the graph has the hash {found.graph_hash}, the document says {document.graph_hash[:64]!r}: it was "
            "changed since it was exported; export it again, or create a strategy from its graph alone"
        )
        raise AlphintraError("HASH_MISMATCH", message, pointer="/graph_hash")
    return Imported(name=document.name, graph=graph, graph_hash=found.graph_hash, origin=document.origin)


def _require_format(tree: object) -> None:
    """Refuse what is no document of a form that is known, before its fields are looked at."""
    if not isinstance(tree, dict):
        raise AlphintraError("FIELD_TYPE", "the document must be a JSON object")
    if tree.get("format") != FORMAT:
        message = f'this is no exported workflow: "format" must be "{FORMAT}"'
        raise AlphintraError("DOCUMENT_FORMAT", message, pointer="/format")
    version = tree.get("format_version")
    if isinstance(version, bool) or version != FORMAT_VERSION:
        message = f"the document is of format version {str(version)[:20]}, this installation reads {FORMAT_VERSION}"
        raise AlphintraError("DOCUMENT_VERSION", message, pointer="/format_version")


def _graph(document: _Document) -> Graph:
    if "layout" in document.graph:
        message = "the layout stands beside the graph in a document, not in it"
        raise AlphintraError("FIELD_UNKNOWN", message, pointer="/graph/layout")
    try:
        return read_graph(msgspec.json.encode({**document.graph, "layout": document.layout}).decode())
    except AlphintraError as error:
        raise _moved(error) from error


def _moved(error: AlphintraError) -> AlphintraError:
    """Return the error of a graph with its layout in it, where it is in the document."""
    pointer = error.pointer.removeprefix("/graph") if error.pointer.startswith("/graph/layout") else error.pointer
    return AlphintraError(error.code, error.detail, kind=error.kind, pointer=pointer)


def _field_error(text: str) -> AlphintraError:
    path = _PATH.search(text)
    place = "/" + path["path"].replace(".", "/") if path and path["path"] else ""
    message = _PATH.sub("", text)
    quoted = _QUOTED.search(message)
    name = quoted["name"][:60] if quoted else ""
    if message.startswith("Object contains unknown field"):
        owner = Origin if place else _Document
        hint = closest(name, list(owner.__struct_encode_fields__))
        return AlphintraError("FIELD_UNKNOWN", f"field {name!r} is unknown: {hint}", pointer=f"{place}/{name}")
    if message.startswith("Object missing required field"):
        return AlphintraError("FIELD_REQUIRED", f"field {name!r} is missing: add it", pointer=f"{place}/{name}")
    return AlphintraError("FIELD_TYPE", f"{message} at {place or '/'}", pointer=place)
