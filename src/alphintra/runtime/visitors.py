"""The rights of servers from outside that follow ours for a move, given again after a server was provisioned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.dataplane.move.sides import stream_name
from alphintra.dataplane.move.visitors import readmit
from alphintra.dataplane.server import admin_connection
from alphintra.runtime.layout import records_of_moves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alphintra.dataplane.server import Server
    from alphintra.runtime.home import Home

__all__ = ["readmit_visitors"]


async def readmit_visitors(home: Home, servers: Iterable[Server]) -> None:
    """Give those whom moves under way let in their rights again: bringing a server to what is declared takes them."""
    known = {server.instance: server for server in servers if server.exclusive}
    for record in records_of_moves(home):
        name = stream_name(record["service"], record["ident"])
        for place in (record["source"], record["target"]):
            if place["instance"] in known:
                async with admin_connection(known[place["instance"]]) as connection:
                    await readmit(connection, name, place["database"])
