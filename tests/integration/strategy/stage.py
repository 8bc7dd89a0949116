"""Strategy on a database of its own, in a town the test speaks for: bars to trade, feeds, deployments, runs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from alphintra.contracts.strategy import (
    ControlFeed,
    CreateDeployment,
    CreateFeed,
    DecisionView,
    DeploymentView,
    FeedView,
    GetDeployment,
    GetFeed,
    GetImport,
    ImportDataset,
    ImportView,
    ListDecisions,
    StageUpload,
)
from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import Split
from alphintra.engine.templates import crossover
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.ids import DatasetId, FeedId
from alphintra.strategy.endpoints import Endpoints, Worker
from alphintra.strategy.gateways.algorithm_process import ProcessHost
from alphintra.strategy.gateways.bar_sources import KEY_VARIABLES, Sources
from alphintra.strategy.gateways.catalogue import Catalogue, data_hash, write_split
from alphintra.strategy.gateways.packages import PACKAGES_VARIABLE, PATH_VARIABLE, Packages
from alphintra.strategy.gateways.services import Fleet, Limits, Market, Orders, Workflows, service_context
from alphintra.strategy.gateways.venue_bars import Connections
from alphintra.strategy.gateways.yahoo_bars import YAHOO, open_yahoo
from alphintra.strategy.repository import Dataset, Desk
from alphintra.strategy.service import feeds
from alphintra.strategy.service.download_worker import DownloadWorker
from alphintra.strategy.service.feed_runner import FeedRunner
from alphintra.strategy.service.stepping import Stepper
from fixtures.single_service import SettableClock, acting, local_bus
from integration.strategy.told_town import ToldTown
from unit.engine.builders import flat_bars

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from alphintra.engine.graph import Graph
    from alphintra.infrastructure.bus import LocalDirectory
    from alphintra.infrastructure.postgres import Database
    from alphintra.kernel.messages import Context
    from fixtures.postgres import ServiceDatabase

TRACE = "0" * 32
WAVE = [10, 10, 10, 10, 12, 14, 16, 14, 11, 9, 8, 9, 12, 15, 17, 15, 12, 9, 8, 8, 10, 13, 16, 18]


class CountedIds:
    """Draws 1, 2, 3 …: the same run gives the same ids, also in another database."""

    def __init__(self) -> None:
        self._last = 0

    def new(self) -> UUID:
        """Return the next id."""
        self._last += 1
        return UUID(int=self._last)


@dataclass(slots=True, kw_only=True)
class Stage:
    """Strategy under test and what surrounds it."""

    database: ServiceDatabase
    connected: Database
    desk: Desk
    catalogue: Catalogue
    town: ToldTown
    local: LocalDirectory
    endpoints: Endpoints
    market: Market
    orders: Orders
    fleet: Fleet
    sources: Sources
    packages: Packages
    host: ProcessHost
    connections: Connections
    urls: dict[str, str]
    ids: CountedIds
    clock: SettableClock = field(default_factory=SettableClock)
    owner_id: UUID = field(default_factory=SystemIds().new)

    @classmethod
    async def over(cls, database: ServiceDatabase, connected: Database, folder: Path) -> Stage:
        """Set strategy up; its catalogue is empty."""
        bus, local = local_bus("strategy")
        town, clock, ids = ToldTown(), SettableClock(), CountedIds()
        await town.start(local)
        desk, catalogue = Desk(connected), Catalogue(folder / "catalogue", text_bytes_max=2 * 1024 * 1024)
        orders = Orders(bus)
        urls: dict[str, str] = {}
        others = {YAHOO: lambda url: open_yahoo(url, clock.now())}
        sources = Sources(dict.fromkeys(KEY_VARIABLES, "canary-source-key"), urls=urls, others=others)
        packages = Packages({PATH_VARIABLE: str(folder / "site"), PACKAGES_VARIABLE: "sample-strategies"}, sys.path)
        host = ProcessHost(packages)
        endpoints = Endpoints(
            desk=desk,
            catalogue=catalogue,
            workflows=Workflows(bus),
            orders=orders,
            limits=Limits(bus),
            packages=packages,
            host=host,
            sources=sources,
            clock=clock,
            ids=ids,
        )
        town.tells = endpoints.on_fills_booked
        return cls(
            database=database,
            connected=connected,
            desk=desk,
            catalogue=catalogue,
            town=town,
            local=local,
            endpoints=endpoints,
            market=Market(bus),
            orders=orders,
            fleet=Fleet(bus),
            sources=sources,
            packages=packages,
            host=host,
            connections=Connections(bus),
            urls=urls,
            ids=ids,
            clock=clock,
        )

    @property
    def owner(self) -> Context:
        """The person everything belongs to."""
        return acting(self.owner_id)

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Look into the database as its administrator."""
        connection = await asyncpg.connect(self.database.admin_dsn)
        try:
            await connection.execute("set search_path to strategy_schema")
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def told(self, name: str) -> list[dict[str, Any]]:
        """Return the events of a name told so far, oldest first."""
        rows = await self.rows("select payload from event_log where subject = $1 order by seq", f"strategy.evt.{name}")
        return [json.loads(row["payload"])["event"] for row in rows]

    async def audited(self, action: str) -> list[str]:
        """Return the objects an action was recorded for."""
        rows = await self.rows("select object from audit_events where action = $1 order by recorded_at", action)
        return [row["object"] for row in rows]

    # --- imports -----------------------------------------------------------------------------------------------------

    async def upload(self, data: bytes) -> UUID:
        """Stage a file in pieces of 512 KiB."""
        upload_id = SystemIds().new()
        for offset in range(0, max(len(data), 1), 512 * 1024):
            piece = data[offset : offset + 512 * 1024]
            await self.endpoints.stage_upload(StageUpload(upload_id=upload_id, offset=offset, data=piece), self.owner)
        return upload_id

    async def import_file(self, data: bytes, *, symbol: str | None = None) -> ImportView:
        """Queue the import of a file."""
        command = ImportDataset(upload_id=await self.upload(data), file_name="f.csv", source="test", symbol=symbol)
        return await self.endpoints.import_dataset(command, self.owner)

    async def imported(self, import_id: UUID) -> ImportView:
        """Return the state of an import."""
        return await self.endpoints.get_import(GetImport(import_id=import_id), self.owner)

    def worker(self) -> Worker:
        """Return a worker of jobs."""
        return Worker(desk=self.desk, catalogue=self.catalogue, host=self.host, clock=self.clock, ids=self.ids)

    def downloader(self) -> DownloadWorker:
        """Return a worker of downloads."""
        return DownloadWorker(
            desk=self.desk, catalogue=self.catalogue, sources=self.sources, clock=self.clock, ids=self.ids
        )

    async def work(self) -> None:
        """Carry out what is queued, one job after the other."""
        worker = self.worker()
        while await worker.do_next():
            pass

    async def shelve(
        self, symbol: str, bars: Sequence[Bar], *, timeframe: str = "1d", splits: tuple[Split, ...] = ()
    ) -> DatasetId:
        """Enter bars into the catalogue without an import."""
        told = tuple(write_split(split) for split in splits)
        dataset = Dataset(
            dataset_id=DatasetId(self.ids.new()),
            symbol=symbol,
            timeframe=timeframe,
            source="test",
            row_count=len(bars),
            first_ts=bars[0].ts,
            last_ts=bars[-1].ts,
            splits=told,
            findings=(),
            data_hash=data_hash(bars, told),
            imported_at=self.clock.now(),
        )
        self.catalogue.write(dataset.dataset_id, bars)
        async with self.desk.transaction() as tx:
            return await tx.put_dataset(dataset)

    # --- feeds and deployments ---------------------------------------------------------------------------------------

    async def make_feed(
        self, series: Mapping[str, Sequence[Bar]] | Sequence[int | Decimal] = WAVE, *, interval_ms: int = 0
    ) -> FeedId:
        """Make a prepared, paused feed over bars by symbol, or over flat daily bars of AAPL."""
        if not isinstance(series, Mapping):
            series = {"AAPL": flat_bars(series)}
        for symbol, bars in series.items():
            await self.shelve(symbol, bars)
        command = CreateFeed(name="replay", symbols=tuple(series), interval_ms=interval_ms)
        feed_id = FeedId((await self.endpoints.create_feed(command, self.owner)).feed_id)
        feed = await self.desk.feed(feed_id)
        assert feed is not None
        await feeds.prepare_feed(
            feed, service_context(TRACE), desk=self.desk, catalogue=self.catalogue, market=self.market
        )
        return feed_id

    async def deploy(
        self,
        feed_id: FeedId,
        graph: Graph | None = None,
        *,
        account_id: UUID | None = None,
        symbol: str = "AAPL",
        capital: str = "10000",
    ) -> DeploymentView:
        """Deploy a strategy into an account, a new one unless one is given."""
        command = CreateDeployment(
            version_id=self.town.write_workflow(self.owner_id, graph or crossover(2, 4, average="sma", percent="50")),
            account_id=account_id or self.town.open_account(self.owner_id, feed_id),
            symbol=symbol,
            capital=Decimal(capital),
        )
        return await self.endpoints.create_deployment(command, self.owner)

    async def deployment(self, deployment_id: UUID) -> DeploymentView:
        """Return a deployment as it stands."""
        return await self.endpoints.get_deployment(GetDeployment(deployment_id=deployment_id), self.owner)

    async def decisions(self, deployment_id: UUID, *, outcome: str | None = None) -> list[DecisionView]:
        """Return a deployment's decisions, oldest first."""
        command = ListDecisions(deployment_id=deployment_id, outcome=outcome, limit=5000)
        return list((await self.endpoints.list_decisions(command, self.owner)).decisions)[::-1]

    async def feed(self, feed_id: FeedId) -> FeedView:
        """Return a feed as it stands."""
        return await self.endpoints.get_feed(GetFeed(feed_id=feed_id), self.owner)

    async def control(self, feed_id: FeedId, action: str, **wishes: int) -> FeedView:
        """Resume or pause a feed."""
        return await self.endpoints.control_feed(ControlFeed(feed_id=feed_id, action=action, **wishes), self.owner)

    async def stepper(self, feed_id: FeedId) -> Stepper:
        """Return a runner's stepper that remembers nothing, as after a restart."""
        feed = await self.desk.feed(feed_id)
        assert feed is not None
        steps = await feeds.feed_steps(await feeds.feed_source(feed, desk=self.desk), catalogue=self.catalogue)
        return Stepper(
            feed_id,
            steps,
            desk=self.desk,
            market=self.market,
            orders=self.orders,
            host=self.host,
            clock=self.clock,
            ids=self.ids,
        )

    async def step(self, feed_id: FeedId, *, stepper: Stepper | None = None, times: int = 1) -> None:
        """Do the next steps of a feed."""
        stepper = stepper or await self.stepper(feed_id)
        for _ in range(times):
            feed = await self.desk.feed(feed_id)
            assert feed is not None
            await stepper.advance(stepper.steps[feed.seq], TRACE)

    async def run_out(self, feed_id: FeedId) -> None:
        """Do all steps that are left."""
        stepper = await self.stepper(feed_id)
        feed = await self.desk.feed(feed_id)
        assert feed is not None
        await self.step(feed_id, stepper=stepper, times=len(stepper.steps) - feed.seq)

    def runner(self) -> FeedRunner:
        """Return a runner of feeds."""
        runner = FeedRunner(
            desk=self.desk,
            catalogue=self.catalogue,
            market=self.market,
            orders=self.orders,
            fleet=self.fleet,
            host=self.host,
            sources=self.sources,
            connections=self.connections,
            chance=lambda: 0.0,
            clock=self.clock,
            ids=self.ids,
        )
        self.connected.wake_with(runner.wake)
        return runner

    @asynccontextmanager
    async def running(self, runner: FeedRunner | None = None) -> AsyncIterator[FeedRunner]:
        """Let a runner run."""
        runner = runner or self.runner()
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, feed_id: FeedId, is_so: Callable[[FeedView], bool], *, timeout_s: float = 60) -> FeedView:
        """Wait for a feed to come into a state."""

        async def holds() -> bool:
            return is_so(await self.feed(feed_id))

        await eventually(holds, timeout_s=timeout_s)
        return await self.feed(feed_id)

    async def state(self, deployment_id: UUID) -> dict[str, Any]:
        """Return everything that is stored about a deployment, and its orders and fills in town."""
        (book,) = await self.rows("select * from deployments where deployment_id = $1", deployment_id)
        decisions = await self.rows("select * from decisions where deployment_id = $1 order by seq", deployment_id)
        intents = await self.rows(
            "select * from intents where deployment_id = $1 order by seq, intent_index", deployment_id
        )
        return {
            "book": dict(book) | {"owner_id": None},
            "decisions": [dict(row) for row in decisions],
            "intents": [dict(row) for row in intents],
            "fills": self.town.books(deployment_id),
            "orders": [(order.client_order_id, order.qty, order.status) for order in self.town.placed(deployment_id)],
            "told": [event["client_order_id"] for event in await self.told("intent_submitted")],
        }


async def eventually(is_so: Callable[[], Awaitable[bool]], *, timeout_s: float = 60) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(timeout_s):
        while not await is_so():  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.01)
