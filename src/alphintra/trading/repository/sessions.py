"""What the parts of the repository share: the session they change things in, and what a conflict stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alphintra.infrastructure.postgres import ConstraintError
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database, Record, Session

__all__ = ["Changes", "Reads", "conflicts"]


class Changes:
    """Changes inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session


class Reads:
    """Reads outside of any transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, name: str, *values: object) -> Sequence[Record]:
        """Return the rows of a named statement."""
        async with self._database.session() as session:
            return await session.rows(name, *values)


@contextmanager
def conflicts(*constraints: str, as_code: str, pointer: str = "") -> Iterator[None]:
    """Turn the violation of a constraint into the conflict it stands for."""
    try:
        yield
    except ConstraintError as error:
        if error.constraint not in constraints:
            raise
        message = "something of the same name is stored already"
        raise AlphintraError(as_code, message, kind=Kind.CONFLICT, pointer=pointer) from error
