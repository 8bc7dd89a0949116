"""Attacks on cross-service reporting: every service's credential on its roles, theirs on all the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.matrix import Cell, Outcome, Probe
from alphintra.dataplane.quoting import identifier, literal, qualified
from alphintra.dataplane.reporting_grants import reported, reporter_role
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import service_tables
from alphintra.manifest.reporting import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["probe_reporting"]

# No right; no way in by pg_hba; not this password; no such role on that instance, which answers as to a wrong password.
_REFUSALS: Final = frozenset({"42501", "28000", "28P01"})
_TIMEOUT_S: Final = 5.0
# A role's own settings are the first thing an attacker takes back.
_SESSION: Final = {"default_transaction_read_only": "off", "statement_timeout": "3s", "lock_timeout": "500ms"}
_GUESS: Final = "guessed by an access probe"
_FAILURES: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Access:
    """A way into a database that an attacker tries."""

    server: Server
    user: str
    password: str
    database: str

    async def connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=self.server.host,
            port=self.server.port,
            user=self.user,
            password=self.password,
            database=self.database,
            timeout=_TIMEOUT_S,
            command_timeout=_TIMEOUT_S,
            server_settings=_SESSION,
        )


async def probe_reporting(
    servers: Sequence[Server], *, layout: Sequence[Placement], passwords: Passwords
) -> tuple[Cell, ...]:
    """Try what the reporting roles must withstand; one cell per attacker and reporting role.

    Everything tried is rolled back. Raises REPORTING_OFF where there is nothing to attack.
    """
    roles = {reporter_role(placement): placement for placement in reported(layout) if placement.is_reported}
    if not roles:
        message = "cross-service reporting is off, nothing of it exists: turn it on to have it probed"
        raise AlphintraError("REPORTING_OFF", message, kind=Kind.FORBIDDEN)
    by_name = {server.instance: server for server in servers}
    cells = []
    for role, target in roles.items():
        for attacker in _one_per_role(layout):
            probes = await _as_service(by_name, attacker, target, passwords=passwords)
            cells.append(Cell(user=attacker.service, target=role, probes=probes))
        cells.append(
            Cell(
                user=role,
                target="what it may not",
                probes=await _as_reporter(by_name, target, layout=layout, password=passwords(role)),
            )
        )
    return tuple(cells)


def _one_per_role(layout: Sequence[Placement]) -> list[Placement]:
    return list({(item.instance, item.database, item.service_role): item for item in layout}.values())


async def _as_service(
    servers: Mapping[str, Server], attacker: Placement, target: Placement, *, passwords: Passwords
) -> tuple[Probe, ...]:
    """Log in as the reporting role with what a service knows, then try to become it from a session of one's own."""
    role = reporter_role(target)
    password = passwords(attacker.service_role)
    server = servers[target.instance]
    probes = [
        await _login(_Access(server=server, user=role, password=guess, database=target.database), name)
        for name, guess in (("log in with the service's password", password), ("log in with a guess", _GUESS))
    ]
    if attacker.instance != target.instance:
        return tuple(probes)  # its own sessions are on another server, where the role does not exist
    own = _Access(server=server, user=attacker.service_role, password=password, database=attacker.database)
    tries = {
        "become the role": f"set role {identifier(role)}",
        "take over the session": f"set session authorization {identifier(role)}",
        "join the role": f"grant {identifier(role)} to current_user",
        "set its password": f"alter role {identifier(role)} password {literal(_GUESS)}",
        "set its defaults": f"alter role {identifier(role)} set statement_timeout = 0",
        "read its verifier": "select rolpassword from pg_catalog.pg_authid",
    }
    return (*probes, *await _statements(own, tries))


async def _as_reporter(
    servers: Mapping[str, Server], target: Placement, *, layout: Sequence[Placement], password: str
) -> tuple[Probe, ...]:
    """Try all that the declaration does not give the reporting role, and that it does give what reports need."""
    role = reporter_role(target)
    databases = {(item.instance, item.database) for item in layout} - {(target.instance, target.database)}
    probes = [
        await _login(
            _Access(server=servers[instance], user=role, password=password, database=database), f"connect {database}"
        )
        for instance, database in sorted(databases)
    ]
    here = [item for item in layout if (item.instance, item.database) == (target.instance, target.database)]
    own = _Access(server=servers[target.instance], user=role, password=password, database=target.database)
    probes += await _statements(own, dict(_allowed(here)), may=True)
    probes += await _statements(own, dict(_forbidden(here)))
    return tuple(probes)


def _allowed(here: Sequence[Placement]) -> Iterator[tuple[str, str]]:
    for placement in reported(here):
        for table, columns in REPORTED[placement.service].items():
            shown = ", ".join(identifier(column) for column in columns)
            place = qualified(*placement.visible(table))
            yield f"read the columns {placement.service} shows of {table}", f"select {shown} from {place} limit 1"  # noqa: S608 - quoted


def _forbidden(here: Sequence[Placement]) -> Iterator[tuple[str, str]]:
    for placement in here:
        shown = REPORTED.get(placement.service, {})
        for table in service_tables(placement.spec):
            place = qualified(*placement.visible(table.name))
            where = f"{placement.service}.{table.name}"
            yield f"read all of {where}", f"select * from {place} limit 1"  # noqa: S608 - quoted
            if table.name in shown:
                column = identifier(shown[table.name][0])
                yield f"write {where}", f"update {place} set {column} = {column} where false"  # noqa: S608 - quoted
                yield f"lock {where}", f"lock table {place} in share mode"
            else:
                yield f"count {where}", f"select count(*) from {place}"  # noqa: S608 - quoted
            yield f"add to {where}", f"insert into {place} default values"
            yield f"delete from {where}", f"delete from {place} where false"  # noqa: S608 - quoted
            yield f"empty {where}", f"truncate {qualified(*placement.location(table.name))}"
        for other in (placement.service_role, placement.owner_role, placement.migrator_role, placement.reader_role):
            yield f"become {other}", f"set role {identifier(other)}"
        yield f"create in {placement.schema}", f"create table {qualified(placement.schema, 'access_probe')} ()"
    yield "create a schema", "create schema access_probe"
    yield "create a temporary table", "create temporary table access_probe ()"
    yield "create in public", "create table public.access_probe ()"
    yield "create a foreign data wrapper", "create foreign data wrapper access_probe"
    yield "run a program", "copy (select 1) to program 'true'"
    yield "read a file", "select pg_catalog.pg_read_file('PG_VERSION')"


async def _login(access: _Access, name: str) -> Probe:
    try:
        connection = await access.connect()
    except _FAILURES as error:
        return _answered(name, error, may=False)
    await connection.close(timeout=_TIMEOUT_S)
    return Probe(name=name, may=False, outcome=Outcome.ALLOWED, answer="connected")


async def _statements(access: _Access, tries: Mapping[str, str], *, may: bool = False) -> list[Probe]:
    try:
        connection = await access.connect()
    except _FAILURES as error:
        return [Probe(name=name, may=may, outcome=Outcome.ERROR, answer=f"no session: {error}") for name in tries]
    probes = []
    try:
        for name, sql in tries.items():
            transaction = connection.transaction()
            await transaction.start()
            try:
                done = await connection.execute(sql)
                probes.append(Probe(name=name, may=may, outcome=Outcome.ALLOWED, answer=done))
            except (TimeoutError, asyncpg.PostgresError) as error:
                probes.append(_answered(name, error, may=may))
            finally:
                await transaction.rollback()
    finally:
        await connection.close(timeout=_TIMEOUT_S)
    return probes


def _answered(name: str, error: Exception, *, may: bool) -> Probe:
    code = getattr(error, "sqlstate", None) or ""
    outcome = Outcome.DENIED if code in _REFUSALS else Outcome.ERROR
    answer = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Probe(name=name, may=may, outcome=outcome, code=code, answer=answer)
