"""Imports, catalogue, backtests, feeds and deployments in the strategy database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from alphintra.engine.bars import Bar
from alphintra.engine.intents import Outcome
from alphintra.engine.portfolio import Position
from alphintra.kernel.ids import DatasetId
from alphintra.kernel.vocabulary import AccountMode, OrderType, Side, TimeInForce
from alphintra.strategy.domain.across import AcrossEvaluation
from alphintra.strategy.domain.deployments import Deployment, Evaluation, Exits, OpenIntent, StoredIntent
from alphintra.strategy.domain.holdings import Holding
from alphintra.strategy.domain.replay import FeedSplit

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database, Record, Session
    from alphintra.kernel.ids import DeploymentId, FeedId, UserId
    from alphintra.kernel.messages import Utc

__all__ = ["Dataset", "Desk", "DeskTransaction", "Feed", "recorded_bar"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Description of one symbol's bars in the catalogue; without an owner it is the operator's, and everybody's."""

    dataset_id: DatasetId
    symbol: str
    timeframe: str
    source: str
    row_count: int
    first_ts: Utc
    last_ts: Utc
    splits: tuple[str, ...]
    findings: tuple[str, ...]
    data_hash: str
    imported_at: Utc
    owner_id: UUID | None = None
    dividends: tuple[str, ...] = ()
    licence: str = ""
    file_format: str = ""
    file_hash: str = ""
    zone: str = ""
    stamps: str = "open"
    price_basis: str = "raw"
    issues: str = "[]"  # findings by code, as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A replay of catalogue bars, or live bars of a source, and how far it is.

    A replay has no ``source`` and the datasets it plays. A live feed has steps as far as bars were recorded; those of
    its ``history`` closed until ``start_ts``. ``connection_id`` is the account whose connection lends its keys, and
    ``is_expected`` whether it was last told that prices are due.
    """

    feed_id: FeedId
    owner_id: UserId | None
    name: str
    symbols: tuple[str, ...]
    dataset_ids: tuple[DatasetId, ...]
    start_ts: datetime | None
    end_ts: datetime | None
    status: str
    seq: int
    steps: int
    interval_ms: int
    pause_at: int | None
    last_ts: datetime | None
    error: str
    source: str = ""
    timeframe: str = ""
    connection_id: UUID | None = None
    history: int = 0
    is_extended: bool = False
    is_expected: bool = False

    @property
    def is_live(self) -> bool:
        """Tell whether its bars are those of the market as they come."""
        return bool(self.source)


class DeskTransaction:
    """Changes to strategy's tables inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def put_dataset(self, dataset: Dataset) -> DatasetId:
        """Enter a dataset; the same content again keeps its id and becomes the newest of its symbol."""
        values = (dataset.splits, dataset.findings, dataset.data_hash, dataset.imported_at, dataset.owner_id)
        told = (dataset.licence, dataset.file_format, dataset.file_hash, dataset.zone, dataset.stamps)
        found: DatasetId = await self.session.value(
            "datasets.put",
            dataset.dataset_id,
            dataset.symbol,
            dataset.timeframe,
            dataset.source,
            dataset.row_count,
            dataset.first_ts,
            dataset.last_ts,
            *values,
            dataset.dividends,
            *told,
            dataset.price_basis,
            dataset.issues,
        )
        return found

    async def lock_feed(self, feed_id: FeedId) -> Feed | None:
        """Read a feed and hold it until the transaction ends."""
        row = await self.session.row("feeds.lock", feed_id)
        return None if row is None else _feed(row)

    async def add_feed(self, feed: Feed, *, at: datetime) -> None:
        """Store a new feed, to be prepared by the runner."""
        await self.session.execute(
            "feeds.insert",
            feed.feed_id,
            feed.owner_id,
            feed.name,
            feed.symbols,
            feed.dataset_ids,
            feed.start_ts,
            feed.end_ts,
            feed.interval_ms,
            at,
            feed.source,
            feed.timeframe,
            feed.connection_id,
            feed.history,
            feed.is_extended,
        )

    async def advance_feed(self, feed_id: FeedId, *, seq: int, ts: datetime) -> str | None:
        """Store that a step is done; return the feed's status, None if another runner did it first."""
        status: str | None = await self.session.value("feeds.advance", feed_id, seq, ts)
        return status

    async def splits(self, feed_id: FeedId) -> tuple[FeedSplit, ...]:
        """Read the splits that were applied while a feed ran, in their order."""
        return tuple(FeedSplit(**row) for row in await self.session.rows("feeds.splits", feed_id))

    async def deployments_behind(self, feed_id: FeedId, seq: int) -> tuple[Deployment, ...]:
        """Read the active deployments of a feed that have not seen the step, and hold them."""
        found = [_deployment(row) for row in await self.session.rows("deployments.behind", feed_id, seq)]
        return _with_holdings(found, await self.session.rows("holdings.of", _of_several(found)))

    async def add_deployment(self, deployment: Deployment) -> None:
        """Store a new deployment."""
        await self.session.execute(
            "deployments.insert",
            deployment.deployment_id,
            deployment.owner_id,
            deployment.version_id,
            deployment.graph_hash,
            deployment.graph,
            deployment.account_id,
            deployment.feed_id,
            deployment.symbol,
            deployment.capital,
            deployment.last_seq,
            deployment.executor_state,
            deployment.cash,
            deployment.last_price,
            deployment.created_at,
            deployment.symbols,
        )
        for place, holding in enumerate(deployment.holdings):
            await self.session.execute("holdings.insert", deployment.deployment_id, holding.symbol, place)

    async def graphs_beside(self, deployment: Deployment) -> dict[UUID, str]:
        """Read the graphs of deployments of the same account that trade the same symbol, or hold it still."""
        rows = await self.session.rows("deployments.beside", deployment.account_id, deployment.symbol)
        return {row["deployment_id"]: row["graph"] for row in rows}

    async def save_deployment(self, deployment: Deployment) -> None:
        """Store a deployment's book and executor as of its last step."""
        await self.session.execute(
            "deployments.advance",
            deployment.deployment_id,
            deployment.last_seq,
            deployment.executor_state,
            deployment.cash,
            deployment.position.qty,
            deployment.position.cost,
            deployment.position.realized,
            deployment.fees,
            deployment.last_price,
            deployment.intent_count,
            deployment.bars_held,
            deployment.exit_owed,
            deployment.entries,
            deployment.last_entry,
            deployment.last_entry_order,
        )
        for holding in deployment.holdings:
            position = holding.position
            await self.session.execute(
                "holdings.advance",
                deployment.deployment_id,
                holding.symbol,
                *(position.qty, position.cost, position.realized),
                holding.last_price,
                holding.bars_held,
                holding.exit_owed,
                holding.entries,
                holding.last_entry,
                holding.last_entry_order,
            )

    async def held_deployments(self, deployment_ids: Sequence[UUID]) -> tuple[Deployment, ...]:
        """Read deployments, and hold them."""
        found = [_deployment(row) for row in await self.session.rows("deployments.held", deployment_ids)]
        return _with_holdings(found, await self.session.rows("holdings.of", _of_several(found)))

    async def save_book(self, deployment: Deployment) -> None:
        """Store what executions made of a deployment's books; how far it has seen its feed stays."""
        await self.session.execute(
            "deployments.book",
            deployment.deployment_id,
            deployment.cash,
            *_booked(deployment.position),
            deployment.fees,
            *(deployment.bars_held, deployment.exit_owed, deployment.entries),
            *(deployment.last_entry, deployment.last_entry_order),
        )
        for holding in deployment.holdings:
            await self.session.execute(
                "holdings.book",
                deployment.deployment_id,
                holding.symbol,
                *_booked(holding.position),
                *(holding.bars_held, holding.exit_owed, holding.entries),
                *(holding.last_entry, holding.last_entry_order),
            )

    async def add_failure(self, deployment: Deployment, *, ts: datetime) -> None:
        """Store that a deployment ended on the bar that closed at ``ts``; why is kept with the deployment."""
        values = (deployment.deployment_id, deployment.last_seq, ts, Outcome.FAILED, "{}")
        await self.session.execute("decisions.insert", *values)

    async def add_decision(self, evaluation: Evaluation | AcrossEvaluation, *, values: str) -> None:
        """Store what was decided on a bar, or on the bars of several symbols, and what is asked for."""
        deployment, ts = evaluation.deployment, evaluation.decision.ts
        outcome = evaluation.outcome if isinstance(evaluation, AcrossEvaluation) else evaluation.decision.outcome
        await self.session.execute(
            "decisions.insert", deployment.deployment_id, deployment.last_seq, ts, outcome, values
        )
        for intent in evaluation.intents:
            await self.session.execute(
                "intents.insert",
                intent.client_order_id,
                intent.deployment_id,
                intent.seq,
                intent.intent_index,
                intent.side,
                intent.qty,
                intent.type,
                intent.time_in_force,
                intent.reason,
                intent.tag,
                intent.exits.take_profit,
                intent.exits.stop_price,
                intent.exits.trail_price,
                intent.exits.trail_percent,
                intent.created_at,
                intent.limit_price,
                intent.trigger_price,
                intent.bars_max,
                intent.works_until,
                intent.entry_number,
                intent.symbol,
            )

    async def settle_intent(
        self, client_order_id: str, *, status: str, order_id: UUID | None, code: str, exit_leg: str = ""
    ) -> None:
        """Store what became of an intent, and which exit closed what it opened."""
        await self.session.execute("intents.settle", client_order_id, status, order_id, code, exit_leg)

    async def owe_exit(self, deployment_id: DeploymentId, symbol: str, tag: str) -> Record | None:
        """Note that a deployment has to leave its position in a symbol; None if that is no news.

        Returns whose it is and what it holds.
        """
        row = await self.session.row("deployments.owe_exit", deployment_id, tag, symbol)
        return row or await self.session.row("holdings.owe_exit", deployment_id, tag, symbol)

    async def execute(self, name: str, *values: object) -> int:
        """Run one of this service's named statements; returns how many rows it touched."""
        return await self.session.execute(name, *values)

    def wake_service(self) -> None:
        """Let workers and runners look for what this transaction gave them, once it is durable."""
        self.session.is_wake_due = True


class Desk:
    """Reads of strategy's tables, and the door to change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[DeskTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield DeskTransaction(session)

    async def row(self, name: str, *values: object) -> Record | None:
        """Run a named statement that reads one row."""
        async with self._database.session() as session:
            return await session.row(name, *values)

    async def rows(self, name: str, *values: object) -> Sequence[Record]:
        """Run a named statement that reads rows."""
        async with self._database.session() as session:
            return await session.rows(name, *values)

    async def newest_datasets(self, reader_id: UUID | None) -> tuple[Dataset, ...]:
        """Read the newest dataset of each symbol: a person's own before the operator's, nobody else's."""
        return tuple(_dataset(row) for row in await self.rows("datasets.newest", reader_id))

    async def datasets(self, dataset_ids: Sequence[DatasetId]) -> tuple[Dataset, ...]:
        """Read datasets by id."""
        return tuple(_dataset(row) for row in await self.rows("datasets.by_ids", dataset_ids))

    async def feed(self, feed_id: FeedId) -> Feed | None:
        """Read a feed."""
        row = await self.row("feeds.get", feed_id)
        return None if row is None else _feed(row)

    async def feeds(self) -> tuple[Feed, ...]:
        """Read all feeds, oldest first."""
        return tuple(_feed(row) for row in await self.rows("feeds.list"))

    async def busy_feeds(self) -> tuple[FeedId, ...]:
        """Read the ids of the feeds that run or are to be prepared."""
        return tuple(row["feed_id"] for row in await self.rows("feeds.busy"))

    async def deployment(self, deployment_id: DeploymentId) -> Deployment | None:
        """Read a deployment."""
        row = await self.row("deployments.get", deployment_id)
        if row is None:
            return None
        (found,) = await self._with_holdings([_deployment(row)])
        return found

    async def running_deployments(self) -> dict[UUID, str]:
        """Read the active deployments of feeds that run, each with the hash of the version it runs."""
        return {row["deployment_id"]: row["graph_hash"] for row in await self.rows("deployments.running")}

    async def deployments_of(self, owner_id: UserId, *, limit: int) -> tuple[Deployment, ...]:
        """Read a person's deployments, newest first."""
        return await self._with_holdings(
            [_deployment(row) for row in await self.rows("deployments.list", owner_id, limit)]
        )

    async def _with_holdings(self, deployments: Sequence[Deployment]) -> tuple[Deployment, ...]:
        wanted = _of_several(deployments)
        return _with_holdings(deployments, await self.rows("holdings.of", wanted) if wanted else ())

    async def guarded_entries(self, deployment_id: DeploymentId, symbol: str) -> tuple[UUID, ...]:
        """Read the orders of the entries of a deployment's last position that brought exits or may still fill."""
        return tuple(row["order_id"] for row in await self.rows("intents.guarded_entries", deployment_id, symbol))

    async def open_intents(self, feed_id: FeedId) -> tuple[OpenIntent, ...]:
        """Read the intents of a feed that are not closed, oldest first."""
        return tuple(_open_intent(row) for row in await self.rows("intents.open", feed_id))


def recorded_bar(row: Record) -> Bar:
    """Return a bar of a live feed as it was recorded, or as it came later."""
    return Bar(row["closed_at"], row["open"], row["high"], row["low"], row["close"], row["volume"])


def _dataset(row: Record) -> Dataset:
    return Dataset(
        **{
            **row,
            "splits": tuple(row["splits"]),
            "findings": tuple(row["findings"]),
            "dividends": tuple(row["dividends"]),
        }
    )


def _feed(row: Record) -> Feed:
    return Feed(**{**row, "symbols": tuple(row["symbols"]), "dataset_ids": tuple(row["dataset_ids"])})


def _deployment(row: Record) -> Deployment:
    values: dict[str, Any] = dict(row)
    position = Position(values.pop("qty"), values.pop("cost"), values.pop("realized_pnl"))
    return Deployment(**{**values, "symbols": tuple(values["symbols"])}, position=position)


def _booked(position: Position) -> tuple[Decimal, Decimal, Decimal]:
    return position.qty, position.cost, position.realized


def _of_several(deployments: Sequence[Deployment]) -> list[DeploymentId]:
    return [deployment.deployment_id for deployment in deployments if deployment.symbols]


def _with_holdings(deployments: Sequence[Deployment], rows: Sequence[Record]) -> tuple[Deployment, ...]:
    """Return deployments with what those over several symbols hold of each."""
    held: dict[UUID, list[Holding]] = {}
    for row in rows:
        values: dict[str, Any] = dict(row)
        position = Position(values.pop("qty"), values.pop("cost"), values.pop("realized_pnl"))
        held.setdefault(values.pop("deployment_id"), []).append(Holding(**values, position=position))
    return tuple(replace(one, holdings=tuple(held.get(one.deployment_id, ()))) for one in deployments)


def _open_intent(row: Record) -> OpenIntent:
    values: dict[str, Any] = dict(row)
    owner_id, account_id, symbol, graph_hash, mode = (
        values.pop(name) for name in ("owner_id", "account_id", "symbol", "graph_hash", "mode")
    )
    qty: Decimal = values.pop("qty")
    exits = Exits(**{name: values.pop(name) for name in ("take_profit", "stop_price", "trail_price", "trail_percent")})
    intent = StoredIntent(
        **{
            **values,
            "qty": qty,
            "exits": exits,
            "side": Side(values["side"]),
            "type": OrderType(values["type"]),
            "time_in_force": TimeInForce(values["time_in_force"]),
        }
    )
    return OpenIntent(intent, owner_id, account_id, symbol, graph_hash, is_live=mode != AccountMode.PAPER)
