"""Brings an instance to its declaration: one at a time, bounded in time, again and again without harm."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.declaration import declare_on
from alphintra.dataplane.inspect import inspect
from alphintra.dataplane.plan import VERIFIER, Action, plan
from alphintra.dataplane.quoting import literal
from alphintra.dataplane.scram import SALT_BYTES, verifier_of
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["apply", "plan_server"]

_LOCK_KEY: Final = 0x616C7068_696E7472  # "alphintr": one applying run per instance
_LOCK_WAIT: Final = "50s"
_LOCK_TIMEOUT: Final = "2s"
_STATEMENT_TIMEOUT: Final = "30s"
_DATABASES_AT_ONCE: Final = 4
_QUOTED_MAX: Final = 300  # of a statement, in a message
_REPEATED_MAX: Final = 2
_ROUNDS_MAX: Final = 50  # a plan from nothing converges in one; while another run migrates, each finds something else
_GONE: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError, asyncpg.UndefinedObjectError)


async def plan_server(
    server: Server, *, layout: Iterable[Placement], passwords: Passwords | None = None
) -> tuple[Action, ...]:
    """Return what ``apply`` would do now, without doing it. Raises TOPOLOGY_CONNECT, PG_VERSION."""
    declared = declare_on(server, layout)
    return plan(declared, await inspect(server, declared, passwords=passwords))


async def apply(
    server: Server,
    *,
    layout: Iterable[Placement],
    passwords: Passwords,
    approve: Callable[[Sequence[Action]], None] | None = None,
    on_action: Callable[[Action], None] | None = None,
) -> tuple[Action, ...]:
    """Create and correct roles, databases, schemas, settings and grants; return what was done.

    ``approve`` is shown each round's actions before the first of them runs, while nobody else may apply, and raises to
    refuse; ``on_action`` is told each action that has run.

    Safe to repeat, to run twice at once (the second waits up to 50 s) and to kill: each run starts from what it
    observes. Passwords travel as SCRAM verifiers only. Grants on tables need the tables: run again after migrating.

    Raises TOPOLOGY_CONNECT, PG_VERSION, APPLY_BUSY, APPLY_FAILED naming the statement, APPLY_NOT_CONVERGED.
    """
    declared = declare_on(server, layout)
    done: list[Action] = []
    async with _instance_lock(server) as connection:
        before: tuple[str, ...] = ()
        repeated = 0
        for number in range(_ROUNDS_MAX):
            # Stored verifiers are slow to check, and what the first round sets fits.
            checked = passwords if number == 0 else None
            actions = plan(declared, await inspect(server, declared, passwords=checked))
            if not actions:
                return tuple(done)
            wanted = tuple(action.sql for action in actions)
            repeated = repeated + 1 if wanted == before else 0
            if repeated == _REPEATED_MAX:
                break  # what has run takes no effect
            before = wanted
            if approve is not None:
                approve(actions)
            try:
                await _execute(server, connection, actions, passwords=passwords, on_action=on_action)
            except _GoneError:
                if number == _ROUNDS_MAX - 1:
                    raise
                before = ()
                continue  # another run migrates: what was observed is gone, and what was begun is looked at again
            done += actions
        left = plan(declared, await inspect(server, declared, passwords=passwords))
    if left:
        message = f"the instance still differs after {number + 1} rounds, first by: {left[0].sql}"
        raise AlphintraError("APPLY_NOT_CONVERGED", message, kind=Kind.CONFLICT)
    return tuple(done)


class _GoneError(AlphintraError):
    """What an action is about is not there any more."""


@asynccontextmanager
async def _instance_lock(server: Server) -> AsyncIterator[asyncpg.Connection]:
    """Hold the advisory lock for as long as this connection lives, so that a killed run leaves nothing locked."""
    async with admin_connection(server) as connection:
        await connection.execute(f"set lock_timeout = '{_LOCK_WAIT}'; set statement_timeout = 0")
        try:
            await connection.execute("select pg_advisory_lock($1)", _LOCK_KEY)
        except asyncpg.LockNotAvailableError as error:
            message = f"another run has been applying to this instance for {_LOCK_WAIT}: wait for it, or end it"
            raise AlphintraError("APPLY_BUSY", message, kind=Kind.CONFLICT) from error
        await _set_bounds(connection)
        yield connection


async def _set_bounds(connection: asyncpg.Connection) -> None:
    await connection.execute(
        f"set lock_timeout = '{_LOCK_TIMEOUT}'; set statement_timeout = '{_STATEMENT_TIMEOUT}'; "
        "set client_min_messages = error"
    )


async def _execute(
    server: Server,
    home: asyncpg.Connection,
    actions: Iterable[Action],
    *,
    passwords: Passwords,
    on_action: Callable[[Action], None] | None,
) -> None:
    """Run what concerns the instance in order, and what lies inside databases side by side, each in order."""
    gate = asyncio.Semaphore(_DATABASES_AT_ONCE)

    async def inside(database: str, batch: Sequence[Action]) -> None:
        async with gate, admin_connection(server, database=database) as connection:
            await _set_bounds(connection)
            await _run(connection, batch, passwords=passwords, on_action=on_action)

    for is_inside, stretch in groupby(actions, key=lambda action: bool(action.database)):
        if not is_inside:
            await _run(home, stretch, passwords=passwords, on_action=on_action)
            continue
        of_databases = groupby(stretch, key=lambda action: action.database)
        runs = [inside(database, tuple(batch)) for database, batch in of_databases]
        for outcome in await asyncio.gather(*runs, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome


async def _run(
    connection: asyncpg.Connection,
    actions: Iterable[Action],
    *,
    passwords: Passwords,
    on_action: Callable[[Action], None] | None,
) -> None:
    for is_transactional, batch in groupby(actions, key=lambda action: action.transactional):
        async with AsyncExitStack() as stack:
            if is_transactional:
                await stack.enter_async_context(connection.transaction())
            for action in batch:
                await _run_one(connection, action, passwords=passwords)
                if on_action is not None:
                    on_action(action)


async def _run_one(connection: asyncpg.Connection, action: Action, *, passwords: Passwords) -> None:
    sql = action.sql
    if action.password_of:
        verifier = verifier_of(passwords(action.password_of), salt=secrets.token_bytes(SALT_BYTES))
        sql = sql.replace(VERIFIER, literal(verifier))
    try:
        await connection.execute(sql)
    except asyncpg.DuplicateDatabaseError:
        return  # made by somebody else since it was observed; the next round looks at it again
    except asyncpg.PostgresError as error:
        reason = f"{error.sqlstate}: {str(error).splitlines()[0]}"
        statement = action.sql if len(action.sql) <= _QUOTED_MAX else action.sql[:_QUOTED_MAX] + "..."
        message = f"PostgreSQL refused {statement!r} ({reason})"
        failure = _GoneError if isinstance(error, _GONE) else AlphintraError
        raise failure("APPLY_FAILED", message, kind=Kind.UNAVAILABLE) from None
