"""What a server or a connection says in the midst of a restore, as one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["explained"]


@contextmanager
def explained(code: str, what: str) -> Iterator[None]:
    """Raise ``code`` for what the driver raises, and the first error of several for those of several workers."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ExceptionGroup) as error:
        cause: BaseException = error
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        if isinstance(cause, AlphintraError):
            raise cause from error
        reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        raise AlphintraError(code, f"{what}: {reason}", kind=Kind.UNAVAILABLE) from error
