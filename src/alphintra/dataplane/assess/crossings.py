"""Whether the services' own code crosses a border: their imports and their SQL, read where they are installed."""

from __future__ import annotations

import ast
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.migrations import migrations_of
from alphintra.infrastructure.postgres import Queries
from alphintra.manifest import SERVICES, service_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from alphintra.dataplane.assess.bench import Notes

__all__ = ["crossing_imports", "crossing_tables", "note_crossings"]

_PACKAGE: Final = "alphintra"
_NAMED: Final = re.compile(
    r"\b(?:from|join|into|update|table|references)\s+(?:only\s+)?(?:if\s+(?:not\s+)?exists\s+)?(\w+)(?:\.(\w+))?",
    re.IGNORECASE,
)


def note_crossings(notes: Notes) -> None:
    """Read all modules and statements of the eight services, and count what names another service's."""
    imports: list[str] = []
    tables: list[str] = []
    modules = statements = 0
    for service in SERVICES:
        for name, text in _modules(files(_PACKAGE).joinpath(service), service):
            modules += 1
            imports += [f"{name} imports {other}" for other in crossing_imports(text, service=service)]
        own = Queries.load(f"{_PACKAGE}.{service}").statements
        sources = {**own, **{item.name: item.sql for item in migrations_of(service)}}
        statements += len(sources)
        for name, sql in sources.items():
            tables += [f"{service} {name} names {table}" for table in crossing_tables(sql, service=service)]
    notes.put("modules", modules, "modules")
    notes.put("cross_imports", len(imports), "imports")
    notes.put("statements_read", statements, "statements")
    notes.put("cross_statements", len(tables), "statements")
    notes.facts["crossings"] = (*imports, *tables)


def crossing_imports(text: str, *, service: str) -> list[str]:
    """Return the modules of other services that a module's text imports."""
    others = {f"{_PACKAGE}.{name}" for name in SERVICES if name != service}
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names = [base, *(f"{base}.{alias.name}" for alias in node.names if base == _PACKAGE)]
        else:
            continue
        found += [name for name in names if any(name == other or name.startswith(f"{other}.") for other in others)]
    return found


def crossing_tables(sql: str, *, service: str) -> list[str]:
    """Return the tables of other services that a statement names, by schema or by a name only they have."""
    own = {table.name for table in service_tables(SERVICES[service])}
    foreign = {t.name for name, spec in SERVICES.items() if name != service for t in spec.tables} - own
    schemas = {spec.schema for name, spec in SERVICES.items() if name != service}
    text = re.sub(r"--[^\n]*|'(?:[^']|'')*'", " ", sql)
    local = {
        name.lower()
        for name in re.findall(r"\b(\w+)\s*(?:\([^()]*\)\s*)?as\s*(?:materialized\s*)?\(", text, re.IGNORECASE)
    }
    found = []
    for first, second in _NAMED.findall(text):
        if first in schemas:
            found.append(f"{first}.{second}")
        elif not second and first.lower() in foreign - local:
            found.append(first)
    return found


def _modules(folder: Traversable, name: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _modules(entry, f"{name}.{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{name}.{entry.name.removesuffix('.py')}", entry.read_text(encoding="utf-8")
