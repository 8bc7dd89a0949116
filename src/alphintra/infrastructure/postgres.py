"""PostgreSQL for services: named statements, transactions, and driver errors turned into ours."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import asyncpg

from alphintra.infrastructure.gate import Gate
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["ConstraintError", "Database", "Queries", "Record", "Session"]

Record = Mapping[str, Any]
_HEADER = re.compile(r"^-- ([a-z0-9_]+(?:\.[a-z0-9_]+)+): (\S.*)$", re.MULTILINE)  # a dot: no remark is a name
# The driver has one class for a connection that is gone and for wrong use of one that is there.
_CLOSED = re.compile("closed|closing|released back")
_ACQUIRE_TIMEOUT_S = 10.0
_STATEMENT_TIMEOUT_S = 30.0
_IDLE_CONNECTION_S = 60.0
# The server keeps the plan of a prepared statement. One made while a table was new and small reads all of it, until the
# server happens to count its rows; a young installation under load would pay for that with each batch of orders.
_PLANS_S = 10
_URL_READS = 3  # a rotation that ends while we ask is seen at the next reading; so many in a row do not happen


class ConstraintError(AlphintraError):
    """A constraint of the schema refused a change; ``constraint`` names it."""

    def __init__(self, constraint: str, detail: str) -> None:
        super().__init__("CONSTRAINT", detail, kind=Kind.CONFLICT)
        self.constraint = constraint


@dataclass(frozen=True, slots=True)
class Queries:
    """The named statements of one service.

    Each statement in ``sql/queries.sql`` follows a header line ``-- noun.verb: what it is for``.
    """

    statements: Mapping[str, str]

    @classmethod
    def load(cls, package: str) -> Queries:
        """Read the common statements and those of the given package, e.g. ``alphintra.trading``."""
        statements: dict[str, str] = {}
        for source in ("alphintra.infrastructure", package):
            text = (resources.files(source) / "sql" / "queries.sql").read_text(encoding="utf-8")
            found = cls.parse(text)
            for name in statements.keys() & found.keys():
                raise AlphintraError("QUERY_DUPLICATE", f"{package} rewrites the common {name}", kind=Kind.BUG)
            statements |= found
        return cls(statements)

    @staticmethod
    def parse(text: str) -> dict[str, str]:
        """Split a statement file into name and text. Raises QUERY_DUPLICATE for a name given twice."""
        parts = _HEADER.split(text)[1:]
        found: dict[str, str] = {}
        for name, _purpose, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            if name in found:
                raise AlphintraError("QUERY_DUPLICATE", f"statement {name} is written twice", kind=Kind.BUG)
            found[name] = body.strip().rstrip(";")
        return found


class Session:
    """One connection, for the length of a transaction or of a read."""

    def __init__(self, connection: Any, queries: Queries) -> None:  # noqa: ANN401 - asyncpg ships no types
        self._connection = connection
        self._statements = queries.statements
        self.is_wake_due = False  # set where a relay or worker gets something to do once the transaction is durable

    async def rows(self, name: str, *values: object) -> Sequence[Record]:
        """Run the named statement and return its rows."""
        with _translated():
            found: Sequence[Record] = await self._connection.fetch(self._statements[name], *values)
            return found

    async def row(self, name: str, *values: object) -> Record | None:
        """Run the named statement and return its first row, None if there is none."""
        with _translated():
            found: Record | None = await self._connection.fetchrow(self._statements[name], *values)
            return found

    async def value(self, name: str, *values: object) -> Any:  # noqa: ANN401 - a column may be of any type
        """Run the named statement and return the first column of its first row."""
        with _translated():
            return await self._connection.fetchval(self._statements[name], *values)

    async def execute(self, name: str, *values: object) -> int:
        """Run the named statement and return how many rows it touched."""
        with _translated():
            status: str = await self._connection.execute(self._statements[name], *values)
        return int(status.rsplit(" ", 1)[-1]) if status[-1:].isdigit() else 0

    async def execute_many(self, name: str, batch: Iterable[Sequence[object]]) -> None:
        """Run the named statement once for each row of values."""
        with _translated():
            await self._connection.executemany(self._statements[name], batch)

    async def keep_plans(self) -> None:
        """Run the statements of this transaction by the plans that fit any values.

        For statements that read by key and are short: planning them for one value after the other takes the server
        several times as long as running them.
        """
        await self.execute("plans.keep")


class Database:
    """A service's own database, reached with the service's own role."""

    def __init__(self, pool: Any, queries: Queries) -> None:  # noqa: ANN401 - asyncpg ships no types
        self._pool = pool
        self._queries = queries
        self._wake_relay: Callable[[], None] = _no_relay
        self._gate: Gate | None = None

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        queries: Queries,
        application: str,
        connections_max: int,
        renewed: Callable[[], Sequence[str]] | None = None,
        gate: Path | None = None,
    ) -> Database:
        """Open a pool that connects on demand and lets idle connections go.

        Args:
            url: of the database, with the role's password.
            queries: the service's statements.
            application: name of the sessions on the server.
            connections_max: sessions at once.
            renewed: gives the URLs to try where the server refuses the password, newest knowledge first: passwords
                are replaced while the service runs, and sessions that are open stay so.
            gate: passed with each use, so that the service can move while it runs; see `Gate`.

        Raises STORE_UNAVAILABLE later, at the first use, if the server cannot be reached.
        """
        connector = _Connector(url, renewed or (lambda: ()))
        pool = asyncpg.create_pool(
            url,
            connect=connector,
            min_size=0,
            max_size=connections_max,
            max_inactive_connection_lifetime=_IDLE_CONNECTION_S,
            command_timeout=_STATEMENT_TIMEOUT_S,
            reset=_nothing_to_reset,
            max_cached_statement_lifetime=_PLANS_S,
            server_settings={"application_name": application},
        )
        database = cls(await pool, queries)
        if gate is not None:

            async def look_again() -> None:
                connector.look_again()
                await pool.expire_connections()

            database._gate = Gate(gate, on_epoch=look_again)
        return database

    def wake_with(self, wake_relay: Callable[[], None]) -> None:
        """Call this after each commit that queued an event; must not block."""
        self._wake_relay = wake_relay

    async def close(self) -> None:
        """Close every connection, waiting for those in use."""
        await self._pool.close()
        if self._gate is not None:
            self._gate.close()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Lend a connection for reads, and for changes that are one statement: each commits by itself."""
        async with self._acquired() as connection:
            session = Session(connection, self._queries)
            yield session
            if session.is_wake_due:
                self._wake_relay()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """Lend a connection with one transaction open: committed at the end, rolled back on any exception."""
        async with self._acquired() as connection:
            transaction = connection.transaction()
            with _translated():
                await transaction.start()
            session = Session(connection, self._queries)
            try:
                yield session
            except BaseException:
                await _roll_back(connection, transaction)
                raise
            with _translated():
                await transaction.commit()
            if session.is_wake_due:
                self._wake_relay()

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Any]:
        if self._gate is None:
            async with self._lent() as connection:
                yield connection
        else:
            async with self._gate.passing(), self._lent() as connection:
                yield connection

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Any]:
        with _translated():
            connection = await self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S)
        try:
            yield connection
        finally:
            with _translated():
                await self._pool.release(connection)


async def _roll_back(connection: Any, transaction: Any) -> None:  # noqa: ANN401 - asyncpg ships no types
    """Roll back; where that fails the server has done it, and what led here matters more to the caller."""
    with suppress(AlphintraError), _translated():
        if not connection.is_closed():
            await transaction.rollback()


def _no_relay() -> None:
    """Stand for the relay where none was given: it looks by itself every second."""


async def _nothing_to_reset(_connection: object) -> None:
    """Skip the reset query: services set no session state, and it costs a round trip per use."""


class _Connector:
    """Opens connections with the password that was last accepted, and looks for a new one where that is refused."""

    def __init__(self, url: str, renewed: Callable[[], Sequence[str]]) -> None:
        self._url = url
        self._renewed = renewed

    def look_again(self) -> None:
        """Go on with the URL that is newest by now."""
        self._url = next(iter(self._renewed()), self._url)

    async def __call__(self, _url: str, **options: Any) -> Any:  # noqa: ANN401 - asyncpg ships no types
        refused: Exception
        try:
            return await asyncpg.connect(self._url, **options)
        except asyncpg.InvalidPasswordError as error:
            refused = error
        tried = {self._url}
        for _ in range(_URL_READS):
            for url in self._renewed():
                if url in tried:
                    continue
                tried.add(url)
                try:
                    connection = await asyncpg.connect(url, **options)
                except asyncpg.InvalidPasswordError as error:
                    refused = error
                else:
                    self._url = url
                    return connection
        raise refused


class _translated:  # noqa: N801 - used as a statement
    """Turn a driver's exception into one of ours, with the cause chained."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, AlphintraError) or not isinstance(error, Exception):
            return
        ours = _translate(error)
        if ours is not None:
            raise ours from error


def _translate(error: Exception) -> AlphintraError | None:
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return ConstraintError(error.constraint_name or "", str(error))
    if isinstance(error, (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)):
        return AlphintraError("STORE_BUSY", "the database is busy: try again", kind=Kind.UNAVAILABLE)
    if isinstance(error, asyncpg.DiskFullError):
        return AlphintraError("STORE_FULL", "the database's disk is full", kind=Kind.UNAVAILABLE)
    if isinstance(
        error,
        (
            asyncpg.PostgresConnectionError,
            asyncpg.InvalidAuthorizationSpecificationError,
            asyncpg.OperatorInterventionError,
            asyncpg.TooManyConnectionsError,
            asyncpg.InternalClientError,
            OSError,
            TimeoutError,
        ),
    ) or (isinstance(error, asyncpg.InterfaceError) and _CLOSED.search(str(error))):
        return AlphintraError("STORE_UNAVAILABLE", "the database cannot be reached", kind=Kind.UNAVAILABLE)
    return None
