"""Tables of the settings whose names are fixed, and those of schedules by service: read and checked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from alphintra.dataplane.schedule import Schedule
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICES

__all__ = ["require_known", "service_schedules"]


def service_schedules(said: Mapping[str, str], table: str) -> dict[str, Schedule]:
    """Return the schedules of a table of the settings, by service. Raises CONFIG_UNKNOWN, SCHEDULE."""
    require_known(said, SERVICES, table)
    return {service: Schedule.parse(text, pointer=f"{table}.{service}") for service, text in said.items()}


def require_known(said: Mapping[str, str], known: Iterable[str], table: str) -> None:
    """Raise CONFIG_UNKNOWN for a name that a table of the settings does not have."""
    names = list(known)
    for name in said:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
            raise AlphintraError("CONFIG_UNKNOWN", f"there is no {table}.{name}: {hint}", pointer=f"{table}.{name}")
