"""Moves between the home's own servers and others: who follows whom by which way, and the rights that takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from alphintra.dataplane.move.sides import connection_words
from alphintra.dataplane.move.visitors import admit, dismiss, probe
from alphintra.dataplane.server import admin_connection

if TYPE_CHECKING:
    from alphintra.dataplane.move.sides import Move, Reach, Side
    from alphintra.dataplane.server import Server

__all__ = ["dismiss_visitors", "let_in", "require_reach"]

_NOBODY: Final = "alphintra_probe"


async def let_in(move: Move, followed: Side, *, by: Side, reach: Reach) -> str:
    """Return the words by which one side finds the other, having made who may come in where that needs somebody."""
    if not _needs_visitor(followed.server, by.server):
        return connection_words(followed.server, followed.database, host=reach(followed.server, by.server))
    async with admin_connection(followed.server) as connection:
        password = await admit(connection, move.forward, followed.database)
    return connection_words(_by_network(followed.server, move.forward, password), followed.database)


async def dismiss_visitors(move: Move) -> None:
    """Remove whom the move let in."""
    for side in (move.source, move.target):
        if side.server.exclusive:
            async with admin_connection(side.server) as connection:
                await dismiss(connection, move.forward, side.database)


async def require_reach(move: Move, reach: Reach, *, is_new: bool = False) -> None:
    """Raise MIGRATE_REACH where one of two servers cannot log in to the other; changes nothing.

    Those of the home find each other. With ``is_new`` there is no target yet that could try, or be tried.
    """
    if is_new or move.source.server.instance == move.target.server.instance:
        return
    for followed, by in ((move.source, move.target), (move.target, move.source)):
        if followed.server.exclusive and by.server.exclusive:
            continue
        server = followed.server
        host = reach(server, by.server)
        if _needs_visitor(server, by.server):
            server, host = _by_network(server, _NOBODY, _NOBODY), ""
        words = connection_words(server, urlsplit(server.admin_url).path.strip("/") or "postgres", host=host)
        async with admin_connection(by.server) as connection:
            await probe(connection, server, words, seen_from=by.server.instance)


def _needs_visitor(followed: Server, by: Server) -> bool:
    return followed.exclusive and not by.exclusive


def _by_network(server: Server, role: str, password: str) -> Server:
    return replace(server, admin_url=f"postgresql://{role}:{password}@{server.host}:{server.port}/postgres")
