"""Which parts of a service run in a process."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Which parts of a service run in this process.

    Attributes:
        commands: answering other services and the edge.
        background: relaying and hearing events, timers, feeds.
        work: heavy jobs.
    """

    commands: bool = True
    background: bool = True
    work: bool = True
