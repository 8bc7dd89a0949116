"""The two sides of a move, what it is called there, and how one server reaches the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from alphintra.dataplane.server import admin_connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    import asyncpg

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

    Reach = Callable[[Server, Server], str]
    """Gives the host by which the second server finds the first one; empty for the one in the administrator's URL."""

__all__ = ["MARKER_SCHEMA", "Move", "Side", "connection_words", "stream_name"]

MARKER_SCHEMA: Final = "alphintra_move"
_PARAMETERS: Final = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey"})
_CONNECT_TIMEOUT_S: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A place where the service's data is or will be: a database of a server."""

    server: Server
    placement: Placement

    @property
    def database(self) -> str:
        """Name of the database."""
        return self.placement.database

    @property
    def schema(self) -> str:
        """Name of the schema, the same on both sides."""
        return self.placement.schema

    @property
    def label(self) -> str:
        """Where this is, for messages."""
        return f"{self.database} on {self.server.instance}"

    def administrator(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """Open the administrator's connection to the database. Raises TOPOLOGY_CONNECT, PG_VERSION."""
        return admin_connection(self.server, database=self.database)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One service on its way.

    Attributes:
        ident: tells this move from earlier ones; part of all names it makes in PostgreSQL.
        source: where the service was when the move began.
        target: where it goes.
    """

    ident: str
    source: Side
    target: Side

    @property
    def service(self) -> str:
        """Which of the eight."""
        return self.source.placement.service

    @property
    def forward(self) -> str:
        """Name of publication, slot and subscription from source to target."""
        return stream_name(self.service, self.ident)

    @property
    def back(self) -> str:
        """Name of publication, slot and subscription from target to source."""
        return f"{self.forward}_back"


def stream_name(service: str, ident: str) -> str:
    """Return the name of what a move makes in PostgreSQL on the way forth."""
    return f"am_{service}_{ident}"


def connection_words(server: Server, database: str, *, host: str = "") -> str:
    """Return a libpq connection string for the administrator, as a subscription keeps it.

    May hold a password where the administrator logs in with one; only superusers can read it in the catalogue.
    """
    parts = urlsplit(server.admin_url)
    query = dict(parse_qsl(parts.query))
    words = {
        "host": host or parts.hostname or query.get("host", ""),
        "port": str(parts.port or query.get("port", "5432")),
        "user": unquote(parts.username or query.get("user", "")),
        "password": unquote(parts.password or query.get("password", "")),
        "dbname": database,
        "connect_timeout": str(_CONNECT_TIMEOUT_S),
        **{name: value for name, value in query.items() if name in _PARAMETERS},
    }
    return " ".join(f"{name}={_quoted(value)}" for name, value in words.items() if value)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
