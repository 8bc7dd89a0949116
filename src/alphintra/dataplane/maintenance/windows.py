"""When the upkeep of each service may be done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from alphintra.dataplane.schedule import Window
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import SERVICES

__all__ = ["DEFAULT_WINDOWS", "require_open", "windows_of"]

DEFAULT_WINDOWS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "auth": "sun 01:00-02:00",
        "user": "sun 02:00-03:00",
        "notification": "sun 03:00-04:00",
        "nocode": "sun 04:00-05:00",
        "broker": "sat 23:00-00:00",
        "strategy": "sun 05:00-07:00",
        "risk": "sun 07:00-09:00",
        "trading": "sun 09:00-11:00",
    }
)
"""Of the services whose window the operator did not choose: one after another, while most markets are closed. UTC."""


def windows_of(chosen: Mapping[str, str]) -> Mapping[str, Window]:
    """Return each service's window. Raises MAINTENANCE_SERVICE for what is no service, WINDOW."""
    for name in chosen:
        if name not in SERVICES:
            message = f"maintenance_windows names {name[:40]!r}, which is no service: known are {', '.join(SERVICES)}"
            raise AlphintraError("MAINTENANCE_SERVICE", message, pointer=f"maintenance_windows.{name}")
    return {
        service: Window.parse(chosen.get(service, DEFAULT_WINDOWS[service]), pointer=f"maintenance_windows.{service}")
        for service in SERVICES
    }


def require_open(service: str, window: Window, *, at: datetime) -> None:
    """Raise MAINTENANCE_WINDOW, with its next opening, if a service's window is not open."""
    if not window.contains(at):
        message = (
            f"the maintenance window of {service} ({window.text}) is closed, it opens "
            f"{window.opens_after(at):%Y-%m-%d %H:%M} UTC: wait for it, or force it with a reason"
        )
        raise AlphintraError("MAINTENANCE_WINDOW", message, kind=Kind.CONFLICT, pointer="--force")
