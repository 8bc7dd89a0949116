"""Tries a foreign server's borders: each service's role against each service's data, where nothing can be written.

With a role's password the audit logs in with it. Without, a superuser acts as the role inside transactions that are
rolled back, and anybody else asks PostgreSQL what it would allow; the result says which of the three it was.
Writing is tried by ``EXPLAIN``: PostgreSQL checks the rights of a statement it plans and does not run.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.audit.reading import reading
from alphintra.dataplane.matrix import Cell, Outcome, Probe
from alphintra.dataplane.quoting import identifier, qualified
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from alphintra.dataplane.audit.facts import Facts
    from alphintra.dataplane.audit.mapping import Target
    from alphintra.dataplane.server import Server

    Credentials = Callable[[str, str], str | None]
    """Gives the password of a role for a database, None where there is none."""

__all__ = ["Manner", "Trials", "run_trials"]

_CONNECT_TIMEOUT_S: Final = 5.0
_AT_ONCE: Final = 4
_TABLES_MAX: Final = 200  # tries per pair; what lies beyond is judged by its grants alone
_REFUSALS: Final = frozenset({"42501", "28000"})
_WRONG_PASSWORD: Final = "28P01"  # noqa: S105 - an SQLSTATE
_BOUNDS: Final = {"statement_timeout": "5s", "lock_timeout": "500ms", "default_transaction_read_only": "on"}

_TABLES: Final = """
    select n.nspname as schema, c.relname as name, c.relkind in ('r', 'p') as is_table
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    order by 1, 2 limit $2
"""

_MAKERS: Final = """
    select distinct r.rolname as role
    from pg_roles r cross join pg_namespace n
    where r.rolname = any($1::text[]) and n.nspname = any($2::text[]) and has_schema_privilege(r.oid, n.oid, 'CREATE')
"""

_ASKED: Final = """
    select count(*) filter (where has_schema_privilege($1, n.oid, 'USAGE')
            and has_any_column_privilege($1, c.oid, 'SELECT')) as readable,
        count(*) filter (where c.relkind in ('r', 'p') and has_schema_privilege($1, n.oid, 'USAGE')
            and (has_any_column_privilege($1, c.oid, 'INSERT') or has_any_column_privilege($1, c.oid, 'UPDATE')
                or has_table_privilege($1, c.oid, 'DELETE') or has_table_privilege($1, c.oid, 'TRUNCATE'))) as writable,
        count(*) as tables
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any($2::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a service's tries were made: ``credential``, ``acting`` (superuser as the role) or ``asked`` (catalogue)."""

    service: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """The cells of the matrix, and how each service's row came about."""

    cells: tuple[Cell, ...]
    manners: tuple[Manner, ...]


async def run_trials(
    server: Server, facts: Facts, *, credentials: Credentials, progress: Callable[[float], None] | None = None
) -> Trials:
    """Try every mapped role against every mapped service's data.

    Args:
        server: the audited server.
        facts: as `read_facts` returns them.
        credentials: passwords, where the caller holds them.
        progress: told the share that is done, from 0 to 1.

    Raises TOPOLOGY_CONNECT for a password that the server refuses for the role's own database.
    """
    tables, makers = await _grounds(server, facts)
    pairs = [(user, target) for user in facts.targets for target in facts.targets]
    passwords = {item.service: credentials(item.role, item.database) for item in facts.targets}
    for user in facts.targets:
        if (password := passwords[user.service]) is not None:
            await _require_right(server, user, password)
    gate = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def cell(user: Target, target: Target) -> Cell:
        nonlocal done
        async with gate:
            trial = _Trial(server, facts, user, target, tables[target.service])
            trial.may_make = user.role in makers[target.service]
            found = await trial.run(passwords[user.service])
        done += 1
        if progress is not None:
            progress(done / len(pairs))
        return found

    cells = await asyncio.gather(*(cell(user, target) for user, target in pairs))
    without = "acting" if facts.server.is_superuser else "asked"
    manners = tuple(
        Manner(service=service, word=without if password is None else "credential")
        for service, password in passwords.items()
    )
    return Trials(cells=tuple(cells), manners=manners)


async def _grounds(
    server: Server, facts: Facts
) -> tuple[Mapping[str, tuple[asyncpg.Record, ...]], Mapping[str, frozenset[str]]]:
    """Return each service's tables, and the roles that may make objects beside them.

    Asked as administrator: a role may not be allowed to ask even about itself.
    """
    tables: dict[str, tuple[asyncpg.Record, ...]] = {}
    makers: dict[str, frozenset[str]] = {}
    roles = list(dict.fromkeys(target.role for target in facts.targets))
    for target in facts.targets:
        async with reading(server, database=target.database) as connection:
            tables[target.service] = tuple(await connection.fetch(_TABLES, list(target.schemas), _TABLES_MAX))
            rows = await connection.fetch(_MAKERS, roles, list(target.schemas))
            makers[target.service] = frozenset(row["role"] for row in rows)
    return tables, makers


async def _require_right(server: Server, user: Target, password: str) -> None:
    """Raise TOPOLOGY_CONNECT if the password is not the role's: no refusal after that would mean anything."""
    try:
        connection = await _log_in(server, user.role, password, user.database)
    except asyncpg.InvalidPasswordError as error:
        message = f"the password given for role {user.role} on {server.host}:{server.port} is wrong: correct it"
        raise AlphintraError("TOPOLOGY_CONNECT", message, pointer="--password-file") from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return  # refused for another reason: the matrix shows it
    await connection.close(timeout=_CONNECT_TIMEOUT_S)


async def _log_in(server: Server, role: str, password: str, database: str) -> asyncpg.Connection:
    # By the administrator's own URL, so that what it says of TLS holds for the roles too.
    return await asyncpg.connect(
        dsn=server.admin_url,
        host=server.host,
        port=server.port,
        user=role,
        password=password,
        database=database,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=_CONNECT_TIMEOUT_S,
        server_settings=_BOUNDS,
    )


class _Trial:
    """One role against one service."""

    def __init__(
        self, server: Server, facts: Facts, user: Target, target: Target, tables: tuple[asyncpg.Record, ...]
    ) -> None:
        self._server = server
        self._facts = facts
        self._user = user
        self._target = target
        self._tables = tables
        self._is_own = user.service == target.service
        self._shares = user.database == target.database
        self.may_make = False

    async def run(self, password: str | None) -> Cell:
        """Enter, then read, write, make and become."""
        probes: list[Probe] = []
        entered = self._probe("connect", is_allowed=True, answer=f"connected to {self._target.database}")
        try:
            if password is None and not self._facts.server.is_superuser:
                return self._cell(await self._ask())
            async with self._entered(password) as connection:
                if self._is_own or not self._shares:
                    probes.append(entered)
                probes.append(await self._read(connection))
                probes.append(await self._write(connection))
                probes.append(self._make())
                if not self._is_own and self._user.role != self._target.role:
                    probes.append(await self._become(connection))
        except _RefusedError as refusal:
            probes.append(refusal.probe)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            probes.append(self._answered("connect", error))
        return self._cell(probes)

    def _cell(self, probes: list[Probe]) -> Cell:
        return Cell(user=self._user.service, target=self._target.service, probes=tuple(probes))

    @asynccontextmanager
    async def _entered(self, password: str | None) -> AsyncIterator[asyncpg.Connection]:
        """Yield a connection on which everything happens as the role, in one transaction that is rolled back."""
        async with AsyncExitStack() as stack:
            if password is not None:
                connection = await _log_in(self._server, self._user.role, password, self._target.database)
                stack.push_async_callback(connection.close, timeout=_CONNECT_TIMEOUT_S)
            else:
                if (self._user.role, self._target.database) not in self._facts.connects:
                    answer = f"{self._user.role} has no CONNECT on {self._target.database}"
                    raise _RefusedError(self._probe("connect", is_allowed=False, answer=answer))
                connection = await stack.enter_async_context(reading(self._server, database=self._target.database))
            transaction = connection.transaction(readonly=True)
            await transaction.start()
            stack.push_async_callback(transaction.rollback)
            if password is None:
                await connection.execute(f"set local session authorization {identifier(self._user.role)}")
            yield connection

    async def _read(self, connection: asyncpg.Connection) -> Probe:
        readable, refusal = 0, None
        for table in self._tables:
            error = await _tried(connection, f"select from {qualified(table['schema'], table['name'])} limit 1")
            readable += error is None
            refusal = error or refusal
        answer = f"read {readable} of {len(self._tables)} tables"
        if readable or refusal is None:
            return self._probe("read", is_allowed=readable > 0, answer=answer)
        return self._answered("read", refusal)

    async def _write(self, connection: asyncpg.Connection) -> Probe:
        writable, refusal = 0, None
        tables = [table for table in self._tables if table["is_table"]]
        for table in tables:
            name = qualified(table["schema"], table["name"])
            for statement in (f"explain insert into {name} default values", f"explain delete from {name}"):  # noqa: S608 - quoted
                error = await _tried(connection, statement)
                refusal = error or refusal
                if error is None:
                    writable += 1
                    break
        answer = f"may write {writable} of {len(tables)} tables"
        if writable or refusal is None:
            return self._probe("write", is_allowed=writable > 0, answer=answer)
        return self._answered("write", refusal)

    def _make(self) -> Probe:
        words = "may" if self.may_make else "may not"
        answer = f"{words} make objects in {', '.join(self._target.schemas)}"
        return self._probe("create", is_allowed=self.may_make, answer=answer)

    async def _become(self, connection: asyncpg.Connection) -> Probe:
        error = await _tried(connection, f"set local role {identifier(self._target.role)}")
        if error is None:
            return self._probe("set role", is_allowed=True, answer=f"became {self._target.role}")
        return self._answered("set role", error)

    async def _ask(self) -> list[Probe]:
        may_connect = (self._user.role, self._target.database) in self._facts.connects
        probes = []
        if self._is_own or not self._shares or not may_connect:
            answer = f"has {'' if may_connect else 'no '}CONNECT on {self._target.database}"
            probes.append(self._probe("connect", is_allowed=may_connect, answer=answer))
        if may_connect:
            async with reading(self._server, database=self._target.database) as connection:
                row = await connection.fetchrow(_ASKED, self._user.role, list(self._target.schemas))
            for name, word in (("read", "readable"), ("write", "writable")):
                answer = f"{row[word]} of {row['tables']} tables are {word}"
                probes.append(self._probe(name, is_allowed=row[word] > 0, answer=answer))
        return probes

    def _probe(self, name: str, *, is_allowed: bool, answer: str) -> Probe:
        outcome = Outcome.ALLOWED if is_allowed else Outcome.DENIED
        # What a service makes of its own data is its own affair here; owners are judged by the rules.
        may = self._is_own and (name in {"connect", "read"} or is_allowed)
        return Probe(name=name, may=may, outcome=outcome, answer=answer)

    def _answered(self, name: str, error: Exception) -> Probe:
        code = getattr(error, "sqlstate", None) or ""
        is_refusal = code in _REFUSALS or (code == _WRONG_PASSWORD and not self._is_own)
        answer = str(error).splitlines()[0] if str(error) else type(error).__name__
        may = self._is_own and name in {"connect", "read"}
        return Probe(
            name=name, may=may, outcome=Outcome.DENIED if is_refusal else Outcome.ERROR, code=code, answer=answer
        )


class _RefusedError(Exception):
    """The role cannot come in, by what the catalogue says."""

    def __init__(self, probe: Probe) -> None:
        super().__init__(probe.answer)
        self.probe = probe


async def _tried(connection: asyncpg.Connection, statement: str) -> Exception | None:
    """Run a statement and undo it; return what the server refused it with, None if it did not."""
    try:
        await connection.execute(f"savepoint trial; {statement}; rollback to savepoint trial")
    except asyncpg.PostgresError as refusal:
        await connection.execute("rollback to savepoint trial")
        error: Exception = refusal
        return error
    return None
