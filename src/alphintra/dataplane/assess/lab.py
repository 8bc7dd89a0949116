"""Where an assessment is made: scratch PostgreSQL instances that may be stopped, crashed, copied and thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from alphintra.dataplane.layouts import LayoutChoice, Placement
    from alphintra.dataplane.server import Passwords, Server
    from alphintra.dataplane.streams import BusLogin
    from alphintra.infrastructure.postgres import Database, Queries

__all__ = ["Instance", "Lab", "Moved", "Mover"]


class Instance(Protocol):
    """One scratch instance."""

    @property
    def server(self) -> Server:
        """How the administrator gets in, and where roles log in."""
        ...

    @property
    def folder(self) -> Path:
        """Its data folder."""
        ...

    async def start(self) -> None:
        """Start it and wait until it answers, recovery included."""
        ...

    async def stop(self) -> None:
        """Stop it in good order."""
        ...

    async def crash(self) -> None:
        """End it at once, as a machine that loses power would: the next start recovers from the log."""
        ...

    def processes(self) -> Sequence[int]:
        """Return the process numbers of the server and of all its sessions."""
        ...

    def configuration(self) -> Sequence[str]:
        """Return the lines in force of its configuration files."""
        ...


class Moved(Protocol):
    """What one change-over of a service came to."""

    @property
    def pause_ms(self) -> float:
        """For how long its requests waited."""
        ...

    @property
    def rows(self) -> int:
        """Rows compared."""
        ...

    @property
    def differences(self) -> int:
        """Tables that were not the same on both sides."""
        ...

    @property
    def versions(self) -> tuple[int, int]:
        """Major versions of PostgreSQL where it was and where it is."""
        ...


class Mover(Protocol):
    """Moves the services of a layout that stands in a lab."""

    async def open(self, service: str, queries: Queries) -> Database:
        """Open a service's database as its process does, wherever it is, and follow it."""
        ...

    async def go(self, target: Placement) -> Moved:
        """Move a service and compare every row. Raises what the mover raises, MIGRATE_LAYOUT where none can move."""
        ...

    async def back(self) -> Moved:
        """Take the last move back."""
        ...

    async def reshape(self, targets: Sequence[Placement]) -> float:
        """Bring all services into one schema, or out of it, in one pause; return that in ms. Raises MIGRATE_*."""
        ...

    async def unshape(self) -> float:
        """Take that back; return the pause in ms."""
        ...

    async def make_instance(self, name: str) -> str:
        """Start one more instance and return its name."""
        ...


class Lab(Protocol):
    """The scratch installation as a whole; nothing of it is left once it is closed."""

    @property
    def passwords(self) -> Passwords:
        """Gives a role's secret."""
        ...

    @property
    def programs(self) -> Path:
        """Folder of ``pg_dump``, ``pg_restore`` and ``pg_basebackup``."""
        ...

    @property
    def scratch(self) -> Path:
        """Folder for dumps and backups."""
        ...

    async def open_instances(self, names: Sequence[str]) -> tuple[Instance, ...]:
        """Create and start instances, in the order asked; those of an earlier layout are thrown away before."""
        ...

    async def open_copy(self, backup: Path) -> Instance:
        """Start a physical backup as an instance of its own; the backup becomes its data."""
        ...

    def moving(self, layout: Sequence[Placement]) -> AbstractAsyncContextManager[Mover]:
        """Lend who moves the services of the layout that is open."""
        ...

    def manifests(self, choice: LayoutChoice) -> Sequence[Mapping[str, Any]]:
        """Return the Kubernetes objects that are rendered for a layout."""
        ...

    async def open_bus(self) -> Callable[[str], BusLogin]:
        """Start a message bus with its streams; returns the login of each of its users."""
        ...
