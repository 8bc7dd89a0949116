"""What a server or a connection says in the midst of a move, as one error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncpg

from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["explained"]


@contextmanager
def explained(service: str) -> Iterator[None]:
    """Raise MIGRATE_FAILED for what the driver raises, and the first error of several for those of several workers."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ExceptionGroup) as error:
        cause: BaseException = error
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        if isinstance(cause, AlphintraError):
            raise cause from error
        reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        message = f"moving {service} broke off ({reason}): use --resume, or --rollback"
        raise AlphintraError("MIGRATE_FAILED", message, kind=Kind.UNAVAILABLE) from error
