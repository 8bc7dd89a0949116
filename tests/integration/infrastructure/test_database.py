"""A service's database: errors named, transactions whole or not at all, also when connections die under them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from alphintra.infrastructure.events import append_audit
from alphintra.infrastructure.postgres import ConstraintError, Database, Queries
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context
from fixtures.single_service import NOON

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Session
    from fixtures.postgres import ServiceDatabase

IDS = SystemIds()
STATEMENTS = {
    "inbox.add": "INSERT INTO inbox (consumer, event_id) VALUES ($1, $2)",
    "inbox.count": "SELECT count(*) FROM inbox",
    "inbox.names": "SELECT consumer FROM inbox ORDER BY consumer",
    "inbox.none": "SELECT consumer FROM inbox WHERE consumer = 'nobody'",
    "inbox.add_two": "INSERT INTO inbox (consumer, event_id) VALUES ('c', $1), ('c', $2)",
    "outbox.clear": "DELETE FROM outbox",
    "outbox.null": "INSERT INTO outbox (event_id) VALUES (NULL)",
    "audit.null": "INSERT INTO audit_events (audit_id, actor) VALUES ($1, 'x')",
    "sleep": "SELECT pg_sleep($1)",
    "me": "SELECT pg_backend_pid()",
    "serializable": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "lock": "SELECT pg_advisory_xact_lock($1)",
    "impatient": "SET LOCAL lock_timeout = '50ms'",
    "bounded": "SET LOCAL statement_timeout = '50ms'",
    "odd": "SELECT 1 / 0",
    "plans": "SHOW plan_cache_mode",
}


@dataclass(slots=True)
class Store:
    """A database under the service's role, with statements of the test's own."""

    database: Database
    source: ServiceDatabase
    wakes: list[int]

    async def names(self) -> list[str]:
        """Return what is stored."""
        async with self.database.session() as session:
            return [row["consumer"] for row in await session.rows("inbox.names")]

    async def admin(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - a column may be of any type
        """Run a statement as superuser and return its first value."""
        connection = await asyncpg.connect(self.source.admin_dsn)
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()


@asynccontextmanager
async def opened(source: ServiceDatabase, *, connections_max: int = 3) -> AsyncIterator[Store]:
    """Open a database; what it wakes is counted."""
    queries = Queries({**Queries.load("alphintra.risk").statements, **STATEMENTS})
    database = await Database.open(source.dsn(), queries=queries, application="test", connections_max=connections_max)
    store = Store(database=database, source=source, wakes=[])
    database.wake_with(lambda: store.wakes.append(1))
    try:
        yield store
    finally:
        await database.close()


@pytest_asyncio.fixture
async def store(service_database: Callable[[str], Awaitable[ServiceDatabase]]) -> AsyncIterator[Store]:
    # Risk is one of the services that may take advisory locks.
    async with opened(await service_database("risk")) as made:
        yield made


async def add(session: Session, name: str) -> None:
    """Store a row."""
    await session.execute("inbox.add", name, IDS.new())


async def attempt(database: Database, work: Callable[[Session], Awaitable[object]]) -> BaseException | None:
    """Do some work in a transaction and return how it failed."""
    try:
        async with database.transaction() as tx:
            await work(tx)
    except BaseException as error:  # noqa: BLE001 - the test judges it
        return error
    return None


def code_of(error: BaseException | None) -> tuple[str, Kind]:
    """Return code and kind of one of our errors."""
    assert isinstance(error, AlphintraError), error
    return error.code, error.kind


UNAVAILABLE = ("STORE_UNAVAILABLE", Kind.UNAVAILABLE)
BUSY = ("STORE_BUSY", Kind.UNAVAILABLE)


async def test_statements_return_rows_values_and_counts(store: Store) -> None:
    async with store.database.transaction() as tx:
        await tx.execute_many("inbox.add", [("b", IDS.new()), ("a", IDS.new())])
        assert await tx.value("inbox.count") == 2
        assert [dict(row) for row in await tx.rows("inbox.names")] == [{"consumer": "a"}, {"consumer": "b"}]
        row = await tx.row("inbox.names")
        assert row is not None
        assert row["consumer"] == "a"
        assert (await tx.row("inbox.none"), await tx.value("inbox.none"), list(await tx.rows("inbox.none"))) == (
            None,
            None,
            [],
        )
        assert await tx.execute("inbox.add_two", IDS.new(), IDS.new()) == 2
        assert await tx.execute("outbox.clear") == 0
        assert await tx.execute("lock", 1) == 1
        assert await tx.execute("impatient") == 0
    assert await store.names() == ["a", "b", "c", "c"]


async def test_plans_are_kept_to_the_end_of_the_transaction_that_asked_for_it(store: Store) -> None:
    async with store.database.transaction() as tx:
        await tx.keep_plans()
        assert await tx.value("plans") == "force_generic_plan"
        await add(tx, "a")
    async with store.database.session() as session:
        assert await session.value("plans") == "auto"
    assert await store.names() == ["a"]


async def test_a_violated_constraint_is_named(store: Store) -> None:
    twice = IDS.new()
    for statement, values, constraint in (
        ("inbox.add", ("a", twice), "inbox_pkey"),
        ("outbox.null", (), ""),
        ("audit.null", (IDS.new(),), ""),
    ):

        async def violate(tx: Session, statement: str = statement, values: tuple[object, ...] = values) -> None:
            await tx.execute("inbox.add", "a", twice)
            await tx.execute(statement, *values)

        error = await attempt(store.database, violate)
        assert code_of(error) == ("CONSTRAINT", Kind.CONFLICT)
        assert isinstance(error, ConstraintError)
        assert error.constraint == constraint
        assert isinstance(error.__cause__, asyncpg.IntegrityConstraintViolationError)
    assert await store.names() == []


async def test_an_exception_of_any_kind_rolls_back_and_comes_out_unchanged(store: Store) -> None:
    class OddError(BaseException):
        """Not even an Exception."""

    for error in (RuntimeError("x"), AlphintraError("NO", "no"), OddError()):

        async def fail(tx: Session, error: BaseException = error) -> None:
            await add(tx, "a")
            tx.is_wake_due = True
            raise error

        assert await attempt(store.database, fail) is error
    assert (await store.names(), store.wakes) == ([], [])


async def test_the_relay_is_woken_after_the_commit_and_only_where_there_is_something_to_relay(store: Store) -> None:
    seen: list[int] = []
    async with opened(store.source) as other:
        store.database.wake_with(lambda: seen.append(len(store.wakes)))
        async with store.database.transaction() as tx:
            await add(tx, "a")
        assert seen == []
        async with store.database.transaction() as tx:
            await add(tx, "b")
            tx.is_wake_due = True
            assert (seen, await other.names()) == ([], ["a"])
        assert (seen, await other.names()) == ([0], ["a", "b"])


async def test_an_audit_row_is_stored_with_its_change_or_not_at_all(store: Store) -> None:
    context = Context(trace_id="t" * 32, actor=Actor(id="user:1", user_id=UUID(int=1)))
    for error in (RuntimeError("late"), None):
        try:
            async with store.database.transaction() as tx:
                await append_audit(tx, "user.change", "user:1", {"b": 1, "a": "é"}, ids=IDS, context=context, at=NOON)
                if error is not None:
                    raise error
        except RuntimeError:
            assert await store.admin("select count(*) from risk_schema.audit_events") == 0
    row = "select row(actor, action, object, detail, trace_id, occurred_at) from risk_schema.audit_events"
    assert tuple(await store.admin(row)) == ("user:1", "user.change", "user:1", '{"a":"é","b":1}', "t" * 32, NOON)


@pytest.mark.parametrize("during", ["a statement", "the body"])
async def test_a_cancelled_transaction_is_rolled_back_and_its_connection_used_again(store: Store, during: str) -> None:
    async with opened(store.source, connections_max=1) as narrow:
        entered = asyncio.Event()

        async def work() -> None:
            async with narrow.database.transaction() as tx:
                await add(tx, "a")
                entered.set()
                if during == "a statement":
                    await tx.value("sleep", 30.0)
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await entered.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await narrow.names() == []
        async with narrow.database.transaction() as tx:
            await add(tx, "b")
        assert await narrow.names() == ["b"]


async def test_cancelled_at_any_moment_no_connection_is_lost_and_nothing_half_stored(store: Store) -> None:
    async with opened(store.source, connections_max=2) as narrow:
        finished: list[str] = []

        async def work(name: str) -> None:
            async with narrow.database.transaction() as tx:
                await add(tx, name)
                await add(tx, name)
            finished.append(name)

        for steps in range(60):
            task = asyncio.create_task(work(f"n{steps:02}"))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        stored = await narrow.names()
        assert all(stored.count(name) == 2 for name in stored)
        assert set(finished) <= set(stored)
        open_ = "select count(*) from pg_stat_activity where datname = $1 and state like 'idle in transaction%'"
        assert await store.admin(open_, store.source.name) == 0
        await asyncio.gather(work("x"), work("y"))


async def test_a_conflict_of_serializable_transactions_and_a_lock_not_gotten_mean_try_again(store: Store) -> None:
    met = asyncio.Barrier(2)

    async def read_then_write(tx: Session) -> None:
        await tx.execute("serializable")
        await tx.value("inbox.count")
        await met.wait()
        await add(tx, "a")

    async def wait_for_the_lock(tx: Session) -> None:
        await tx.execute("impatient")
        await tx.execute("lock", 1)

    outcomes = await asyncio.gather(*(attempt(store.database, read_then_write) for _ in range(2)))
    assert [code_of(error) for error in outcomes if error is not None] == [BUSY]
    assert await store.names() == ["a"]
    async with store.database.transaction() as holder:
        await holder.execute("lock", 1)
        assert code_of(await attempt(store.database, wait_for_the_lock)) == BUSY


async def test_a_deadlock_ends_one_of_the_two_and_means_try_again(store: Store) -> None:
    met = asyncio.Barrier(2)

    async def both(tx: Session, first: int, second: int) -> None:
        await tx.execute("lock", first)
        await met.wait()
        await tx.execute("lock", second)

    outcomes = await asyncio.gather(
        attempt(store.database, lambda tx: both(tx, 1, 2)), attempt(store.database, lambda tx: both(tx, 2, 1))
    )
    assert [code_of(error) for error in outcomes if error is not None] == [BUSY]


async def test_a_statement_that_takes_too_long_and_a_pool_without_connections_are_unavailable(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(tx: Session) -> None:
        await tx.execute("bounded")
        await tx.value("sleep", 5.0)

    assert code_of(await attempt(store.database, sleep)) == UNAVAILABLE
    monkeypatch.setattr("alphintra.infrastructure.postgres._ACQUIRE_TIMEOUT_S", 0.05)
    async with opened(store.source, connections_max=1) as narrow, narrow.database.session():
        assert code_of(await attempt(narrow.database, lambda tx: add(tx, "a"))) == UNAVAILABLE
    assert await store.names() == []


async def test_wrong_use_of_a_statement_is_a_bug_and_no_outage(store: Store) -> None:
    async with store.database.session() as session:
        for name, values, error in (
            ("inbox.add", ("a",), asyncpg.InterfaceError),
            ("sleep", ("long",), asyncpg.DataError),
            ("odd", (), asyncpg.DivisionByZeroError),
            ("no.such.statement", (), KeyError),
        ):
            with pytest.raises(error):
                await session.execute(name, *values)


@pytest.mark.parametrize("moment", ["between statements", "during a statement", "before the commit"])
async def test_a_killed_connection_is_unavailable_rolls_back_and_is_replaced(store: Store, moment: str) -> None:
    async with opened(store.source, connections_max=1) as narrow:

        async def die(tx: Session) -> None:
            await add(tx, "a")
            tx.is_wake_due = True
            backend = await tx.value("me")
            if moment == "during a statement":
                sleeping = asyncio.create_task(tx.value("sleep", 30.0))
                await asyncio.sleep(0)
                await kill(narrow, backend)
                await sleeping
            await kill(narrow, backend)
            if moment == "between statements":
                await add(tx, "b")

        assert code_of(await attempt(narrow.database, die)) == UNAVAILABLE
        assert (await narrow.names(), narrow.wakes) == ([], [])
        async with narrow.database.transaction() as tx:
            await add(tx, "c")
        assert await narrow.names() == ["c"]


async def test_a_failure_of_the_caller_outlives_the_death_of_its_connection(store: Store) -> None:
    cause = RuntimeError("what led here")

    async def die(tx: Session) -> None:
        await add(tx, "a")
        await kill(store, await tx.value("me"))
        raise cause

    assert await attempt(store.database, die) is cause
    assert await store.names() == []


async def test_a_reader_whose_connection_was_killed_gets_another_at_its_next_try(store: Store) -> None:
    async with opened(store.source, connections_max=1) as narrow:
        async with narrow.database.session() as session:
            backend = await session.value("me")
        await kill(narrow, backend)
        async with narrow.database.session() as session:
            assert await session.value("inbox.count") == 0
            assert await session.value("me") != backend


async def test_a_commit_whose_answer_is_lost_is_reported_as_unknown_and_wakes_nobody(store: Store) -> None:
    async with cut_after_commit(store.source) as url:
        queries = Queries({**Queries.load("alphintra.risk").statements, **STATEMENTS})
        database = await Database.open(url, queries=queries, application="test", connections_max=1)
        wakes: list[int] = []
        database.wake_with(lambda: wakes.append(1))

        async def change(tx: Session) -> None:
            await add(tx, "a")
            tx.is_wake_due = True

        assert code_of(await attempt(database, change)) == UNAVAILABLE
        assert wakes == []
        await database.close()
    assert await store.names() == ["a"]


async def test_a_closed_or_unreachable_database_is_unavailable(store: Store) -> None:
    await store.database.close()
    unreachable = store.source.dsn().replace(f":{store.source.server.port}/", ":1/")
    wrong = store.source.dsn().replace("@", "x@")
    databases = [store.database]
    for url in (unreachable, wrong):
        queries = Queries(STATEMENTS)
        databases.append(await Database.open(url, queries=queries, application="test", connections_max=1))
    for database in databases:
        assert code_of(await attempt(database, lambda tx: tx.value("inbox.count"))) == UNAVAILABLE
        await database.close()


async def kill(store: Store, backend: int) -> None:
    """End a server process, and wait until it is gone."""
    await store.admin("select pg_terminate_backend($1, 5000)", backend)


@asynccontextmanager
async def cut_after_commit(source: ServiceDatabase) -> AsyncIterator[str]:
    """Give the address of a proxy that passes everything on but the answer to a commit, and hangs up instead."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, last_word: bytes | None) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(65536):
                if last_word is not None and last_word in chunk:
                    break
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        above = await asyncio.open_connection(source.server.host, source.server.port)
        await asyncio.gather(pump(reader, above[1], None), pump(above[0], writer, b"COMMIT\x00"))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield source.dsn().replace(f":{source.server.port}/", f":{port}/")
