"""What a server or a connection says in the midst of long work, as one error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncpg

from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["explained"]


@contextmanager
def explained(code: str, tell: Callable[[str], str]) -> Iterator[None]:
    """Raise ``code`` for what the driver raises, and the first error of several for those of several workers.

    ``tell`` makes the sentence for people out of the driver's reason.
    """
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ExceptionGroup) as error:
        cause: BaseException = error
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        if isinstance(cause, AlphintraError):
            raise cause from error
        reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        raise AlphintraError(code, tell(reason), kind=Kind.UNAVAILABLE) from error
