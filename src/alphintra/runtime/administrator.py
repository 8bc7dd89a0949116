"""Whether a server that already runs lets its administrator in, asked before anything is written."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from alphintra.kernel.errors import AlphintraError

__all__ = ["require_administrator"]


def require_administrator(url: str, *, setting: str) -> None:
    """Raise unless the URL's role may log in and make roles and databases.

    Raises:
        AlphintraError: TOPOLOGY_CONNECT, TOPOLOGY_RIGHTS or PG_VERSION, pointing to the setting; never with the URL,
            which may hold a password.
    """
    with ThreadPoolExecutor(max_workers=1) as other:  # the caller may be inside an event loop
        other.submit(asyncio.run, _ask(url, pointer=f"ALPHINTRA_{setting.upper()}")).result()


async def _ask(url: str, *, pointer: str) -> None:
    # Loaded where a server is given alone: with the embedded one the supervisor needs no driver.
    from alphintra.dataplane.server import Server, require_rights  # noqa: PLC0415

    try:
        await require_rights(Server(admin_url=url, host="", port=0))
    except AlphintraError as error:
        raise AlphintraError(error.code, f"{error.detail}; see {pointer}", pointer=pointer) from error
