"""Graph bytes from outside: read strictly, every fault with a code, a pointer and a remedy."""

from __future__ import annotations

import difflib
import json
import re

import msgspec

from alphintra.engine.graph.wire import Edge, Exposure, Graph, Node
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["GRAPH_BYTES_MAX", "closest", "load_json", "parse_graph"]

GRAPH_BYTES_MAX = 1_048_576
_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<name>.*?)`(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_MISSING_FIELD = re.compile(r"missing required field `(?P<name>.*?)`(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_ANY_PATH = re.compile(r"^(?P<reason>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_FIELDS: dict[str, type[msgspec.Struct]] = {"nodes": Node, "edges": Edge, "exposed": Exposure, "": Graph}


def parse_graph(raw: bytes) -> Graph:
    """Read a graph from JSON; it is well formed afterwards, but not yet validated.

    Raises:
        AlphintraError: BODY_EMPTY, GRAPH_TOO_LARGE (over 1 MiB), ENCODING, JSON_SYNTAX, JSON_DUPLICATE_KEY,
            JSON_TOO_DEEP, NUMBER_NOT_FINITE, FIELD_UNKNOWN (with the closest known name), FIELD_REQUIRED, FIELD_TYPE.
    """
    if not raw.strip():
        raise AlphintraError("BODY_EMPTY", "the graph is empty: send a JSON object with nodes and edges")
    if len(raw) > GRAPH_BYTES_MAX:
        message = f"the graph has {len(raw)} bytes, more than {GRAPH_BYTES_MAX}: split the strategy"
        raise AlphintraError("GRAPH_TOO_LARGE", message, kind=Kind.LIMITED)
    document = load_json(raw)
    try:
        return msgspec.convert(document, Graph)
    except msgspec.ValidationError as error:
        raise _field_error(_located(str(error), document)) from error


def closest(word: str, known: list[str]) -> str:
    """Return ``did you mean "x"?`` for the nearest known word, else the list of known words."""
    match = difflib.get_close_matches(word, known, n=1)
    return f'did you mean "{match[0]}"?' if match else f"known: {', '.join(sorted(known))}"


def load_json(raw: bytes) -> object:
    """Read JSON strictly. Raises ENCODING, JSON_SYNTAX, JSON_DUPLICATE_KEY, JSON_TOO_DEEP or NUMBER_NOT_FINITE."""
    try:
        text = raw.decode("utf-8")
        document: object = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
        json.dumps(document, ensure_ascii=False).encode("utf-8")  # an escaped lone surrogate only shows here
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise AlphintraError("ENCODING", f"the graph is not valid UTF-8: {error.reason}") from error
    except json.JSONDecodeError as error:
        message = f"JSON breaks at line {error.lineno}, column {error.colno}: {error.msg}"
        raise AlphintraError("JSON_SYNTAX", message) from error
    except RecursionError as error:
        raise AlphintraError("JSON_TOO_DEEP", "the JSON is nested too deeply for a graph") from error
    except ValueError as error:  # an integer of more than 4300 digits
        raise AlphintraError("JSON_SYNTAX", "a number of the graph has too many digits") from error
    return document


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            message = f"key {key[:60]!r} appears twice in one object: remove one"
            raise AlphintraError("JSON_DUPLICATE_KEY", message)
        found[key] = value
    return found


def _no_constant(word: str) -> object:
    raise AlphintraError("NUMBER_NOT_FINITE", f"{word} is not a finite number")


def _located(text: str, document: object) -> str:
    """Return the message with the name of the exposed parameter in its path, where msgspec writes three dots."""
    exposed = document.get("exposed") if isinstance(document, dict) else None
    if "`$.exposed[...]" not in text or not isinstance(exposed, dict):
        return text
    for name, entry in exposed.items():
        try:
            msgspec.convert(entry, Exposure)
        except msgspec.ValidationError:
            return text.replace("[...]", f"[{name[:130]}]", 1)
    return text


def _field_error(text: str) -> AlphintraError:
    if match := _UNKNOWN_FIELD.search(text):
        path, name = match["path"] or "", match["name"]
        owner = _FIELDS.get(path.strip(".").split("[")[0], Graph)
        known = [field.encode_name for field in msgspec.structs.fields(owner)]
        message = f"field {name[:60]!r} is unknown: {closest(name, known)}"
        return AlphintraError("FIELD_UNKNOWN", message, pointer=f"{_pointer(path)}/{name}")
    if match := _MISSING_FIELD.search(text):
        path, name = match["path"] or "", match["name"]
        return AlphintraError(
            "FIELD_REQUIRED", f"field {name!r} is missing: add it", pointer=f"{_pointer(path)}/{name}"
        )
    any_match = _ANY_PATH.match(text)
    path = (any_match["path"] or "") if any_match else ""
    reason = any_match["reason"] if any_match else text
    return AlphintraError("FIELD_TYPE", f"{reason} at {_pointer(path) or '/'}", pointer=_pointer(path))


def _pointer(path: str) -> str:
    """Turn msgspec's ``.nodes[0].id`` into the JSON pointer ``/nodes/0/id``."""
    return re.sub(r"\[(.*?)\]|\.", lambda part: "/" + (part[1] or ""), path)
