"""A schema as text that two equal schemas share, whatever database, layout or major version they live in. Pure.

The text is SQL that makes the schema anew, object by object under a heading each, and it is what ``sql/schema.sql`` of
a service holds: the sum of its migrations.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alphintra.manifest import COMMON_TABLES, service_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alphintra.dataplane.layouts import Placement

__all__ = ["Part", "differences", "objects_of", "read_schema_file", "schema_file"]

_HEAD: Final = """\
-- What the migrations of {service} add up to. Generated from PostgreSQL's catalogue and compared with the database
-- at each start; written anew by ALPHINTRA_REWRITE_GOLDEN=1 python -m pytest tests/integration/dataplane/test_schema.py
"""
_HEADING: Final = re.compile(r"^-- (?=(?:function|type|sequence|table|foreign key|index|trigger|view) )", re.MULTILINE)
_ORDER: Final = ("type", "function", "sequence", "table", "foreign key", "index", "trigger", "view")
_INSIDE_TABLE: Final = frozenset({"column", "constraint", "option"})
_WORDS: Final = re.compile(r"(?:'[^']*'|[^'\s])+")
_WIDTH_MAX: Final = 116
_PATH: Final = re.compile(r"^ SET search_path TO (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One row the catalogue gives about a schema.

    Attributes:
        kind: type, function, sequence, table, column, constraint, option, foreign key, index, trigger or view.
        schema: where it lies.
        relation: table or view it belongs to, itself where it is one; empty for functions and types.
        name: its own.
        position: of a column in its table; 0 elsewhere.
        text: its definition.
    """

    kind: str
    schema: str
    relation: str
    name: str
    position: int
    text: str


def objects_of(parts: Iterable[Part], placement: Placement) -> dict[str, str]:
    """Return the objects of one service by heading, such as ``table orders``, in the order that makes them.

    Where rows of all services share a schema, only the service's own tables count, under the names it knows them by.
    """
    own = [(part, name) for part in parts if (name := _own_name(part, placement)) is not None]
    inside: dict[str, list[Part]] = defaultdict(list)
    for part, name in own:
        if part.kind in _INSIDE_TABLE:
            inside[name].append(part)
    found: dict[str, str] = {}
    for part, name in sorted(
        own, key=lambda pair: (_ORDER.index(pair[0].kind) if pair[0].kind in _ORDER else 0, pair[1])
    ):
        if part.kind in _INSIDE_TABLE:
            continue
        label = _plain(part.name, placement)
        heading = f"{part.kind} {label if name in {'', label} else f'{name}.{label}'}"
        text = _table(name, part, inside[name], placement) if part.kind == "table" else part.text
        plain = _plain(text, placement)
        found[heading] = plain if part.kind == "function" else "\n".join(map(_wrapped, plain.splitlines()))
    return dict(sorted(found.items(), key=lambda item: (_rank(item[0]), item[0])))


def schema_file(service: str, objects: Mapping[str, str]) -> str:
    """Return the text of a service's ``sql/schema.sql``."""
    return _HEAD.format(service=service) + "".join(f"\n-- {heading}\n{text}\n" for heading, text in objects.items())


def read_schema_file(text: str) -> dict[str, str]:
    """Return the objects of a ``sql/schema.sql`` by heading."""
    found = {}
    for block in _HEADING.split(text)[1:]:
        heading, _, body = block.partition("\n")
        found[heading] = body.strip()
    return found


def differences(declared: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """Return, in words, what a schema has otherwise than declared; an object each.

    A table, view, type or function beside the declared ones changes none of them: `plan.unexpected` tells of those.
    """
    notes = [f"{heading} is missing" for heading in declared if heading not in found]
    notes += [
        f"{heading} is not declared" for heading in found if heading not in declared and _owner(heading) in declared
    ]
    for heading in declared:
        if heading in found and declared[heading] != found[heading]:
            want, have = (_lines(side[heading]) for side in (declared, found))
            here = [line for line in have if line not in want]
            there = [line for line in want if line not in have]
            said = f"has {here[0]!r}" if here else "lacks a line"
            notes.append(f"{heading} {said}" + (f", declared is {there[0]!r}" if there else ""))
    return tuple(notes)


def _owner(heading: str) -> str:
    """Return the heading of the table that an index, a trigger or a foreign key belongs to."""
    return f"table {heading.rpartition(' ')[2].partition('.')[0]}"


def _lines(text: str) -> list[str]:
    return [line.strip().rstrip(",") for line in text.splitlines()]


def _rank(heading: str) -> int:
    return next(rank for rank, kind in enumerate(_ORDER) if heading.startswith(f"{kind} "))


def _own_name(part: Part, placement: Placement) -> str | None:
    """Return the service's own name for the table a part belongs to, None if that is not the service's."""
    if part.schema == placement.schema:
        is_window = bool(placement.merged_schema) and any(
            part.relation == table.name and placement.location(table.name)[1] != table.name
            for table in service_tables(placement.spec)
        )
        return None if is_window else part.relation
    for table in service_tables(placement.spec):
        if placement.location(table.name) == (part.schema, part.relation):
            return table.name
    return None


def _table(name: str, part: Part, inside: list[Part], placement: Placement) -> str:
    def plain(item: Part) -> str:
        return _plain(item.name, placement)  # in one order wherever it lies, keys of merged tables being renamed

    columns = sorted((item for item in inside if item.kind == "column"), key=lambda item: item.position)
    constraints = sorted((item for item in inside if item.kind == "constraint"), key=plain)
    lines = [f"    {item.text}" for item in (*columns, *constraints)]
    options = "".join(f" {item.text}" for item in inside if item.kind == "option")
    return f"CREATE TABLE {name} (\n" + ",\n".join(lines) + f"\n){options}{part.text};"


def _wrapped(line: str) -> str:
    """Break a line that is too long between words; what is quoted stays whole."""
    if len(line) <= _WIDTH_MAX:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    lines = [indent]
    for word in _WORDS.findall(line):
        if len(lines[-1]) + len(word) >= _WIDTH_MAX:
            lines.append(f"{indent}    ")
        lines[-1] += word if lines[-1].isspace() or not lines[-1] else f" {word}"
    return "\n".join(lines)


def _plain(text: str, placement: Placement) -> str:
    """Take out of a definition what differs from place to place: schemas, prefixes of merged tables, search paths."""

    def path(found: re.Match[str]) -> str:
        names = tuple(name.strip().strip("'\"") for name in found[1].split(","))
        return " SET search_path FROM CURRENT" if names == placement.search_path else found[0]

    text = _PATH.sub(path, text)
    for schema in placement.search_path[:-1]:
        text = re.sub(rf'(?<![\w"]){re.escape(schema)}\.', "", text)
    if placement.merged_schema:
        for table in COMMON_TABLES:
            text = re.sub(rf"\b{placement.service}_{table.name}", table.name, text)
    return text
