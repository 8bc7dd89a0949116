"""Which service has which database, role and schema on a server somebody else set up, as a person says it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Mapped", "Target", "parse_map", "targets_of"]

_ENTRY: Final = re.compile(
    r"(?P<service>[^\s=:,]+)=(?P<database>[^\s=:,]+):(?P<role>[^\s=:,]+)(:(?P<schema>[^\s=:,]+))?"
)
_FORM: Final = (
    "write service=database:role or service=database:role:schema, such as risk=alphintra_risk:risk_service_user"
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mapped:
    """One service as the caller maps it; an empty schema means what `targets_of` says."""

    service: str
    database: str
    role: str
    schema: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Target:
    """One service as it is found on the server: its role, and the schemas that hold its data."""

    service: str
    database: str
    role: str
    schemas: tuple[str, ...]


def parse_map(texts: Iterable[str]) -> tuple[Mapped, ...]:
    """Read entries ``service=database:role[:schema]``, several in one text divided by commas.

    Raises AUDIT_MAP for an entry of another form and for none at all, TOPOLOGY_CLASH for a service mapped twice and
    for two services that are given one schema.
    """
    entries = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    if not entries:
        message = f"the map is empty: {_FORM}, once per service"
        raise AlphintraError("AUDIT_MAP", message, pointer="--map")
    mapped = []
    for entry in entries:
        found = _ENTRY.fullmatch(entry)
        if found is None:
            message = f"{entry[:80]!r} cannot be understood: {_FORM}"
            raise AlphintraError("AUDIT_MAP", message, pointer="--map")
        mapped.append(Mapped(**{key: value or "" for key, value in found.groupdict().items()}))
    _require_once((item.service for item in mapped), "service {} is mapped twice: give each service one entry")
    _require_once(
        (f"{item.database}:{item.schema}" for item in mapped if item.schema),
        "schema {} is given to two services: name the schema of each, since data in one schema has one owner",
    )
    return tuple(mapped)


def targets_of(mapped: Sequence[Mapped], schemas: Mapping[str, Sequence[str]]) -> tuple[Target, ...]:
    """Return what each mapped service owns.

    Without a schema in the map that is ``<service>_schema`` where several services share the database, and every
    schema of the database where it is the service's alone.

    Args:
        mapped: as `parse_map` returns it.
        schemas: names of the schemas that are not PostgreSQL's own, by database.

    Raises TOPOLOGY_UNKNOWN for a schema that is not there, AUDIT_MAP where the schema has to be named.
    """
    targets = []
    sharing = Counter(item.database for item in mapped)
    for item in mapped:
        present = tuple(schemas[item.database])
        chosen: tuple[str, ...] = present
        if item.schema:
            chosen = (item.schema,)
            if item.schema not in present:
                known = ", ".join(present) or "none"
                message = f"{item.service}: database {item.database} has no schema {item.schema}; there are: {known}"
                raise AlphintraError("TOPOLOGY_UNKNOWN", message, pointer="--map")
        elif sharing[item.database] > 1:
            chosen = (f"{item.service}_schema",)
            if chosen[0] not in present:
                message = (
                    f"{item.service} shares database {item.database}, so its schema has to be named: "
                    f"write {item.service}={item.database}:{item.role}:SCHEMA, of {', '.join(present) or 'none'}"
                )
                raise AlphintraError("AUDIT_MAP", message, pointer="--map")
        targets.append(Target(service=item.service, database=item.database, role=item.role, schemas=chosen))
    return tuple(targets)


def _require_once(names: Iterable[str], message: str) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise AlphintraError("TOPOLOGY_CLASH", message.format(name), pointer="--map")
