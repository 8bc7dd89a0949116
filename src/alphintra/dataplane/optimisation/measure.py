"""Measures what the seed calls optimised: standing queries on our tables, on plain ones, and on partitioned ones.

*Plain* is the table with its primary key and nothing else; *ours* is what the service's migrations make;
*partitioned* is ours cut by month, with the same indexes (its primary key then holds the time as well, so PostgreSQL
no longer keeps the id unique: that is why ours is not). *Covering* is ours with an index that holds all a lookup reads.
"""

# ruff: noqa: S608 - statements are put together from constants and quoted names

from __future__ import annotations

import asyncio
import json
import secrets
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import msgspec

from alphintra.dataplane.migrations import migrations_of
from alphintra.dataplane.optimisation.cases import CASES, Case, Query, partition_sql
from alphintra.dataplane.quoting import identifier, qualified
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

__all__ = ["OptimisationResult", "PlanFacts", "QueryResult", "TableResult", "VariantTiming", "measure_optimisations"]

PLAIN: Final = "plain"
OURS: Final = "ours"
PARTITIONED: Final = "partitioned"
COVERING: Final = "covering"
_ROUNDS_MIN: Final = 5
_LOOKUPS: Final = 1_000  # per round: one round-trip each, so that p99 means something
_LOOKUPS_MIN: Final = 3  # where one takes long, as many as fit into this time
_LOOKUPS_NS: Final = 500_000_000
_LOADERS: Final = 2
_CHUNK_ROWS: Final = 25_000
_NS_PER_MS: Final = 1_000_000
_SESSION: Final = "set maintenance_work_mem = '256MB'; set timezone = 'UTC'"
_DEFINITIONS: Final = """
    select coalesce('alter table ' || i.indrelid::regclass || ' add ' || pg_get_constraintdef(c.oid),
        pg_get_indexdef(i.indexrelid)) as definition, i.indisprimary, c.oid is not null as is_constraint,
        i.indrelid::regclass::text as place, pg_get_constraintdef(c.oid) as body
    from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
    where i.indrelid = $1::regclass order by i.indisprimary desc, i.indexrelid
"""
_SIZES: Final = """
    select sum(pg_table_size(oid))::bigint as heap, sum(pg_indexes_size(oid))::bigint as indexes
    from (select $1::regclass as oid union select relid from pg_partition_tree($1::regclass)) as parts
"""


class PlanFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What EXPLAIN ANALYZE said: kinds of nodes, indexes used, tables really read, and pages touched."""

    nodes: tuple[str, ...]
    indexes: tuple[str, ...]
    tables_read: int
    is_index_only: bool
    pages: int


class VariantTiming(msgspec.Struct, frozen=True, kw_only=True):
    """One query on one variant of the table, in milliseconds: over rounds, or for lookups over single lookups."""

    variant: str
    median_ms: float
    low_ms: float
    high_ms: float
    p99_ms: float | None
    ratio: float
    plan: PlanFacts


class QueryResult(msgspec.Struct, frozen=True, kw_only=True):
    """One standing query over the variants; ``ratio`` is the plain table's median divided by the variant's."""

    claim: int
    service: str
    table: str
    query: str
    rows_returned: int
    is_lookup: bool
    timings: tuple[VariantTiming, ...]


class TableResult(msgspec.Struct, frozen=True, kw_only=True):
    """One table in one variant: rows, bytes of the heap and of its indexes, seconds to build it."""

    service: str
    table: str
    variant: str
    rows: int
    heap_bytes: int
    index_bytes: int
    indexes: tuple[str, ...]
    load_s: float


class OptimisationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The optimisation claims 17, 18 and 19, measured; every query gave the same rows on each variant."""

    rows: int
    rounds: int
    server_version: str
    settings: dict[str, str]
    queries: tuple[QueryResult, ...]
    tables: tuple[TableResult, ...]


async def measure_optimisations(
    dsn_admin: str,
    *,
    rows: int,
    rounds: int = _ROUNDS_MIN,
    progress: Callable[[float], None] = lambda _share: None,
    cases: Sequence[Case] = CASES,
) -> OptimisationResult:
    """Load and measure each table in a database of its own, which is dropped at the end, also when cancelled.

    Args:
        dsn_admin: a role that may create databases. Up to 1.5 kB of disk per row and table are used at once.
        rows: rows of the large tables.
        rounds: of each query, at least 5; variants take turns within a round.
        progress: told the share done, from 0 to 1.
        cases: what to measure.

    Raises OPTIMISATION_ROWS, OPTIMISATION_ROUNDS for too few; OPTIMISATION_DIFFERS where two variants answer
    differently; TOPOLOGY_CONNECT.
    """
    if rows < 1_000:  # noqa: PLR2004 - below it the year has empty days
        raise AlphintraError("OPTIMISATION_ROWS", f"{rows} rows measure nothing: take at least 1000", pointer="rows")
    if rounds < _ROUNDS_MIN:
        raise AlphintraError(
            "OPTIMISATION_ROUNDS", f"{rounds} rounds have no median worth telling: take {_ROUNDS_MIN}", pointer="rounds"
        )
    queries: list[QueryResult] = []
    tables: list[TableResult] = []
    async with _scratch_database(dsn_admin) as (connection, database):
        version = str(await connection.fetchval("show server_version"))
        names = ("shared_buffers", "work_mem", "max_parallel_workers_per_gather", "jit")
        settings = {name: str(await connection.fetchval("select current_setting($1)", name)) for name in names}
        for done, case in enumerate(cases):
            bench = _Bench(connection, dsn_admin, database, case, asked=rows)
            tables += await bench.build(_part(progress, done, len(cases)))
            queries += [await bench.measure(query, rounds=rounds) for query in case.queries]
            await bench.drop()
            progress((done + 1) / len(cases))
    return OptimisationResult(
        rows=rows,
        rounds=rounds,
        server_version=version,
        settings=settings,
        queries=tuple(queries),
        tables=tuple(tables),
    )


@asynccontextmanager
async def _scratch_database(dsn: str) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    name = f"alphintra_optimisation_{secrets.token_hex(4)}"
    admin = await _connect(dsn)
    try:
        await admin.execute(f"create database {identifier(name)} template template0 encoding 'UTF8'")
        try:
            connection = await _connect(dsn, database=name)
            try:
                yield connection, name
            finally:
                connection.terminate()
        finally:
            await admin.execute(f"drop database {identifier(name)} with (force)")
    finally:
        await admin.close()


async def _connect(dsn: str, **options: str) -> asyncpg.Connection:
    try:
        connection = await asyncpg.connect(dsn, **options)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = f"cannot connect to PostgreSQL as administrator: {reason}"
        raise AlphintraError("TOPOLOGY_CONNECT", message, kind=Kind.UNAVAILABLE) from error
    await connection.execute(_SESSION)
    return connection


class _Bench:
    """One table in its variants, in the scratch database."""

    def __init__(self, connection: asyncpg.Connection, dsn: str, database: str, case: Case, *, asked: int) -> None:
        self._connection = connection
        self._dsn = dsn
        self._database = database
        self._case = case
        self._asked = asked
        further = {PARTITIONED: case.time_column, COVERING: case.covering}
        self._variants = (PLAIN, OURS, *(variant for variant, is_asked in further.items() if is_asked))

    def _place(self, variant: str) -> str:
        return qualified(variant, self._case.table)

    async def build(self, progress: Callable[[float], None]) -> list[TableResult]:
        """Make, fill, index and analyse each variant; rows first, indexes after."""
        case, connection = self._case, self._connection
        definitions = await self._declare()
        seconds: dict[str, float] = {}
        seconds[PLAIN] = await self._timed(self._fill(progress))
        source = self._place(PLAIN)
        others = [variant for variant in self._variants if variant != PLAIN]

        async def copy(variant: str) -> None:
            async with self._session() as session:
                seconds[variant] = await self._timed(
                    session.execute(f"insert into {self._place(variant)} select * from {source}")
                )
            progress(0.5 + 0.2 * (len(seconds) - 1) / len(others))

        await asyncio.gather(*(copy(variant) for variant in others))
        results = []
        left = sum(map(len, definitions.values()))
        todo = left
        for variant in self._variants:
            for definition in definitions[variant]:
                seconds[variant] += await self._timed(connection.execute(definition))
                left -= 1
                progress(1 - 0.3 * left / todo)
            await connection.execute(f"vacuum (analyze) {self._place(variant)}")
            sizes = await connection.fetchrow(_SIZES, self._place(variant))
            results.append(
                TableResult(
                    service=case.service,
                    table=case.table,
                    variant=variant,
                    rows=case.rows(self._asked),
                    heap_bytes=sizes["heap"],
                    index_bytes=sizes["indexes"],
                    indexes=tuple(definitions[variant]),
                    load_s=round(seconds[variant], 3),
                )
            )
        return results

    async def measure(self, query: Query, *, rounds: int) -> QueryResult:
        """Run one query on all variants in turn. Raises OPTIMISATION_DIFFERS."""
        prepared = {
            variant: await self._connection.prepare(query.sql.format(table=self._place(variant)))
            for variant in self._variants
        }
        keys = {variant: await self._keys(query, statement) for variant, statement in prepared.items()}
        times: dict[str, list[int]] = {variant: [] for variant in self._variants}
        answers: dict[str, list[Any]] = {}
        for number in range(rounds + 1):
            for variant, statement in prepared.items():
                took, answers[variant] = await _run(statement, keys[variant])
                if number:  # the first warms up, and is not counted
                    times[variant] += took
        compared = min(len(each) for each in answers.values())
        if any(each[:compared] != answers[PLAIN][:compared] for each in answers.values()):
            message = f"{query.name} on {self._case.table} answers differently by variant: a fault in the measurement"
            raise AlphintraError("OPTIMISATION_DIFFERS", message, kind=Kind.BUG)
        return await self._result(query, times, rows=len(answers[PLAIN][0]), arguments=keys[PLAIN][0])

    async def drop(self) -> None:
        """Drop the variants and the service's tables, so that the next case has the disk."""
        for schema in (*self._variants, "declared"):
            await self._connection.execute(f"drop schema {identifier(schema)} cascade")

    async def _declare(self) -> Mapping[str, list[str]]:
        """Create the variants without indexes; return the definitions of those each gets."""
        case, connection = self._case, self._connection
        for schema in ("declared", *self._variants):
            await connection.execute(f"create schema {identifier(schema)}")
        await connection.execute("set search_path to declared, pg_temp")
        for migration in migrations_of(case.service):
            await connection.execute(migration.sql)
        await connection.execute("reset search_path")
        declared = qualified("declared", case.table)
        for variant in self._variants:
            columns = f"like {declared} including defaults including constraints"
            whole = (f"create table {self._place(variant)} ({columns})",)
            for statement in partition_sql(variant, case, like=declared) if variant == PARTITIONED else whole:
                await connection.execute(statement)
        rows = await connection.fetch(_DEFINITIONS, declared)
        found: dict[str, list[str]] = {variant: [] for variant in self._variants}
        for row in rows:
            for variant in self._variants:
                if variant == PLAIN and not row["indisprimary"]:
                    continue
                found[variant].append(self._definition(row, variant))
        if case.covering:
            found[COVERING].append(f"create unique index on {self._place(COVERING)} {case.covering}")
        return found

    def _definition(self, row: asyncpg.Record, variant: str) -> str:
        if not row["is_constraint"]:
            definition = str(row["definition"]).replace(" ON ONLY ", " ON ")  # as of a table that is cut by month
            return definition.replace(f" ON {row['place']} ", f" ON {self._place(variant)} ")
        body = str(row["body"])
        if variant == PARTITIONED and self._case.time_column not in body:
            body = body.replace(")", f", {identifier(self._case.time_column)})", 1)
        return f"alter table {self._place(variant)} add {body}"

    async def _fill(self, progress: Callable[[float], None]) -> None:
        """Make the rows on several sessions; chunks in order of time, as they would have been written."""
        case = self._case
        total = case.rows(self._asked)
        chunks = [(first, min(first + _CHUNK_ROWS, total) - 1) for first in range(0, total, _CHUNK_ROWS)]
        todo = iter(chunks)
        done = 0

        async def load() -> None:
            nonlocal done
            async with self._session() as session:
                for first, last in todo:
                    sql = f"insert into {self._place(PLAIN)} {case.fill}"
                    await session.execute(sql, first, last, case.step(self._asked))
                    done += 1
                    progress(0.5 * done / len(chunks))

        await asyncio.gather(*(load() for _ in range(_LOADERS)))

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await _connect(self._dsn, database=self._database)
        try:
            yield connection
        finally:
            connection.terminate()

    async def _timed(self, work: Any) -> float:  # noqa: ANN401 - any awaitable
        began = time.perf_counter_ns()
        await work
        return (time.perf_counter_ns() - began) / 1e9

    async def _keys(self, query: Query, statement: Any) -> Sequence[tuple[object, ...]]:  # noqa: ANN401 - asyncpg
        """Return the arguments to run a query with, one after another; fewer where each takes long."""
        if not query.lookup:
            return [query.arguments]
        total = self._case.rows(self._asked)
        sql = f"select {query.lookup} from (select (n * 7919) % $1::bigint as i from generate_series(1, $2::bigint) n)"
        keys = [(row[0],) for row in await self._connection.fetch(sql, total, min(_LOOKUPS, total))]
        took, _ = await _run(statement, keys[:_LOOKUPS_MIN])
        return keys[: max(_LOOKUPS_MIN, _LOOKUPS_NS // max(took))]

    async def _result(
        self, query: Query, times: Mapping[str, list[int]], *, rows: int, arguments: tuple[object, ...]
    ) -> QueryResult:
        medians = {variant: _percentile(each, 50) for variant, each in times.items()}
        timings = []
        for variant in self._variants:
            sql = query.sql.format(table=self._place(variant))
            text = await self._connection.fetchval(
                f"explain (analyze, buffers, timing off, format json) {sql}", *arguments
            )
            timings.append(
                VariantTiming(
                    variant=variant,
                    median_ms=round(medians[variant], 4),
                    low_ms=round(min(times[variant]) / _NS_PER_MS, 4),
                    high_ms=round(max(times[variant]) / _NS_PER_MS, 4),
                    p99_ms=round(_percentile(times[variant], 99), 4) if query.lookup else None,
                    ratio=round(medians[PLAIN] / medians[variant], 3),
                    plan=plan_facts(json.loads(text)[0]["Plan"]),
                )
            )
        return QueryResult(
            claim=self._case.claim,
            service=self._case.service,
            table=self._case.table,
            query=query.name,
            rows_returned=rows,
            is_lookup=bool(query.lookup),
            timings=tuple(timings),
        )


def _part(progress: Callable[[float], None], done: int, cases: int) -> Callable[[float], None]:
    """Return what tells the progress of building one case, which is seven tenths of it."""
    return lambda share: progress((done + share * 0.7) / cases)


async def _run(statement: Any, arguments: Sequence[tuple[object, ...]]) -> tuple[list[int], list[Any]]:  # noqa: ANN401 - asyncpg
    """Run once with each of the arguments; return the times in ns and the rows."""
    times, found = [], []
    for each in arguments:
        began = time.perf_counter_ns()
        rows = await statement.fetch(*each)
        times.append(time.perf_counter_ns() - began)
        found.append(rows)
    return times, found


def plan_facts(plan: Mapping[str, Any]) -> PlanFacts:
    """Return the facts of a plan as EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) writes it; what never ran is left out."""
    nodes: list[str] = []
    indexes: set[str] = set()
    tables: set[str] = set()

    def visit(node: Mapping[str, Any]) -> None:
        if node.get("Actual Loops", 0) == 0:
            return
        nodes.append(node["Node Type"])
        if "Index Name" in node:
            indexes.add(node["Index Name"])
        if "Relation Name" in node:
            tables.add(node["Relation Name"])
        for child in node.get("Plans", ()):
            visit(child)

    visit(plan)
    scans = [node for node in nodes if "Scan" in node and node != "Bitmap Index Scan"]
    return PlanFacts(
        nodes=tuple(dict.fromkeys(nodes)),
        indexes=tuple(sorted(indexes)),
        tables_read=len(tables),
        is_index_only=bool(scans) and all(node == "Index Only Scan" for node in scans),
        pages=int(plan.get("Shared Hit Blocks", 0)) + int(plan.get("Shared Read Blocks", 0)),
    )


def _percentile(times: Sequence[int], percent: int) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] / _NS_PER_MS
