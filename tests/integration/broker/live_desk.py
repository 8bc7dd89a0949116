"""A live account on a broker of its own, connected to a venue on this machine."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest
from httpx import Timeout

from alphintra.broker.endpoints import Endpoints, LinkEndpoints
from alphintra.broker.gateways.adapters import Adapters
from alphintra.broker.gateways.alpaca import AlpacaVenue
from alphintra.broker.gateways.approvals import Approvals
from alphintra.broker.gateways.marks import Marks
from alphintra.broker.repository.live import Live
from alphintra.broker.repository.records import Records
from alphintra.broker.service.link_worker import Keeping, LinkKeeper, LinkWorker
from alphintra.broker.service.live_reconciling import reconcile
from alphintra.broker.service.pricing import PriceKeeping
from alphintra.broker.service.telling import Desk, worker_context
from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.assessments import MarkedView
from alphintra.contracts.books import PricesMarkedView
from alphintra.contracts.broker import AddConnection
from alphintra.contracts.risk import MarkPrices
from alphintra.contracts.trading import AccountOpened, ApprovedLeg, CancelRequested, MarkPortfolios, OrderSubmitted
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.system import SystemClock, SystemIds
from alphintra.kernel.vocabulary import AccountMode, OrderClass, OrderType, Side, TimeInForce
from fixtures.services import person_context
from fixtures.single_service import PowerCutError, delivery_of, local_bus, stop_at
from fixtures.venue.server import KEY_ID, SECRET, SimulatedVenue
from fixtures.waiting import until
from integration.broker.desk import RISK_KEY, approve, new_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import ModuleType

    import asyncpg

    from alphintra.broker.domain.links import Link
    from alphintra.broker.gateways.vault import Credentials
    from alphintra.broker.gateways.venue import RemoteVenue
    from alphintra.infrastructure.postgres import Database
    from alphintra.kernel.messages import Context
    from fixtures.postgres import ServiceDatabase

KEYS = "1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
POLL_EVERY = timedelta(milliseconds=50)
PATIENCE_S = 300.0  # a busy machine is no venue that is silent
CLOSED = {"filled", "canceled", "expired", "rejected", "replaced"}


class QuickAdapters(Adapters):
    """The adapters, with a venue that may be called often and hides orders for a short while only.

    Args:
        keys: as for the adapters.
        changes: what else the venue can do otherwise.
    """

    def __init__(self, keys: Callable[[], str], changes: dict[str, Any]) -> None:
        super().__init__(keys)
        self._changes = changes

    def connect(self, link: Link, credentials: Credentials) -> RemoteVenue:
        """Return the venue, whose limits are those of a test."""
        venue = super().connect(link, credentials)
        quick: dict[str, Any] = {"requests_per_minute": 600_000, "visibility_delay": timedelta(milliseconds=200)}
        quick["poll_every"] = POLL_EVERY
        venue.capabilities = replace(venue.capabilities, **{**quick, **self._changes})
        if isinstance(venue, AlpacaVenue):
            venue._http.timeout = Timeout(PATIENCE_S)
        return venue


@dataclass(slots=True)
class LiveDesk:
    """The broker under test with one live account."""

    database: ServiceDatabase
    connected: Database
    venue: SimulatedVenue
    keys: list[str] = field(default_factory=lambda: [KEYS])
    owner_id: UUID = field(default_factory=new_id)
    account_id: UUID = field(default_factory=new_id)
    reconcile: timedelta = timedelta(seconds=30)
    offers: dict[str, Any] = field(default_factory=dict)
    price_silence: timedelta = timedelta(minutes=2)
    marked: list[MarkPrices] = field(default_factory=list)
    valued: list[MarkPortfolios] = field(default_factory=list)
    ways: tuple[Bus, LocalDirectory] = field(default_factory=lambda: local_bus("broker"))

    @property
    def live(self) -> Live:
        """What is kept about live accounts."""
        return Live(self.connected)

    @property
    def venues(self) -> Adapters:
        """The adapters, under the keys as they are now."""
        return QuickAdapters(lambda: self.keys[0], self.offers)

    @property
    def approvals(self) -> Approvals:
        """Approvals of a risk service that answers what a test has it answer."""
        return Approvals(self.ways[0], verify_key=RISK_KEY.verify_key, clock=SystemClock())

    async def start(self) -> None:
        """Let a risk and a trading service take every price, and remember it."""

        async def take(command: MarkPrices, _context: Context) -> MarkedView:
            self.marked.append(command)
            return MarkedView(seq=command.seq)

        async def value(command: MarkPortfolios, _context: Context) -> PricesMarkedView:
            self.valued.append(command)
            return PricesMarkedView(marked=len(command.prices), accounts=1)

        risk = Bus(name="risk", asks=frozenset(), local=self.ways[1], nats=None)
        risk.answer(MarkPrices, take)
        await risk.start()
        trading = Bus(name="trading", asks=frozenset(), local=self.ways[1], nats=None)
        trading.answer(MarkPortfolios, value)
        await trading.start()

    @property
    def endpoints(self) -> Endpoints:
        """The ways in of orders."""
        return Endpoints(
            records=Records(self.connected),
            live=self.live,
            venues=self.venues,
            approvals=self.approvals,
            clock=SystemClock(),
            ids=SystemIds(),
        )

    @property
    def links(self) -> LinkEndpoints:
        """The ways in of connections."""
        return LinkEndpoints(live=self.live, venues=self.venues, clock=SystemClock(), ids=SystemIds())

    @property
    def owner(self) -> Any:  # noqa: ANN401 - a context
        """The account's owner."""
        return person_context("trader", user_id=self.owner_id)

    async def open_account(self, *, starting_cash: Decimal | None = None) -> None:
        """Open the account, without a connection yet."""
        event = AccountOpened(
            account_id=self.account_id,
            owner_id=self.owner_id,
            mode=AccountMode.LIVE,
            currency="USD",
            starting_cash=self.venue.market.cash if starting_cash is None else starting_cash,
            feed_id=None,
        )
        await self.endpoints.on_account_opened(delivery_of(event, aggregate_id=self.account_id))

    def wanted(self, **changes: Any) -> AddConnection:  # noqa: ANN401 - those of the command
        """Return the command that connects the account to the venue."""
        fields: dict[str, Any] = {
            "account_id": self.account_id,
            "adapter": "alpaca",
            "environment": "paper",
            "credentials": {"key_id": KEY_ID, "secret_key": SECRET},
            "base_url": self.venue.url,
        }
        return AddConnection(**{**fields, **changes})

    async def connect(self) -> None:
        """Open the account and its connection."""
        await self.open_account()
        await self.links.add_connection(self.wanted(), self.owner)

    def keeping(self) -> Keeping:
        """Return what a keeper stands on; impatient, so that tests are quick."""
        return Keeping(
            live=self.live,
            venues=self.venues,
            approvals=self.approvals,
            prices=PriceKeeping(
                live=self.live,
                marks=Marks(self.ways[0]),
                clock=SystemClock(),
                ids=SystemIds(),
                every=timedelta(seconds=0.1),
                silence=self.price_silence,
            ),
            clock=SystemClock(),
            ids=SystemIds(),
            chance=lambda: 0.0,
            look=timedelta(seconds=0.05),
            reconcile=self.reconcile,
            cancel_again=timedelta(seconds=0.5),
        )

    @asynccontextmanager
    async def keeper(self) -> AsyncIterator[LinkKeeper]:
        """Keep connections meanwhile."""
        keeper = LinkKeeper(self.keeping())
        task = asyncio.create_task(keeper.run())
        try:
            yield keeper
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def terms(self, **changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
        """Return a limit order for ten shares."""
        order_id = new_id()
        fields: dict[str, Any] = {
            "order_id": order_id,
            "client_order_id": f"c-{order_id.hex}",
            "account_id": self.account_id,
            "symbol": "AAPL",
            "side": Side.BUY,
            "type": OrderType.LIMIT,
            "time_in_force": TimeInForce.DAY,
            "qty": Decimal(10),
            "limit_price": Decimal(100),
        }
        return OrderTerms(**{**fields, **changes})

    async def submit(
        self,
        terms: OrderTerms,
        *,
        epoch: int = 1,
        ttl: timedelta = timedelta(minutes=5),
        book_id: UUID | None = None,
    ) -> None:
        """Let the broker hear of an approved order."""
        approval = approve(terms, SystemClock(), epoch=epoch, ttl=ttl)  # type: ignore[arg-type] # has the same now
        event = OrderSubmitted(owner_id=self.owner_id, book_id=book_id, terms=terms, approval=approval)
        await self.endpoints.on_order_submitted(delivery_of(event, aggregate_id=terms.order_id))

    async def place_group(self, order_class: OrderClass, *orders: dict[str, Any]) -> list[OrderTerms]:
        """Let the broker hear of a group, of its orders as they differ from others; returns their terms."""
        drafts = [self.terms(order_class=order_class, **wishes) for wishes in orders]
        group = [msgspec.structs.replace(draft, group_id=drafts[0].order_id) for draft in drafts]
        clock, ttl = SystemClock(), timedelta(minutes=5)
        approved = [(terms, approve(terms, clock, ttl=ttl)) for terms in group]  # type: ignore[arg-type] # same now
        first, *legs = approved
        event = OrderSubmitted(
            owner_id=self.owner_id,
            book_id=None,
            terms=first[0],
            approval=first[1],
            legs=tuple(ApprovedLeg(terms=terms, approval=approval) for terms, approval in legs),
        )
        await self.endpoints.on_order_submitted(delivery_of(event, aggregate_id=first[0].order_id))
        return group

    async def place(self, **changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
        """Let the broker hear of an approved order; returns its terms."""
        terms = self.terms(**changes)
        await self.submit(terms)
        return terms

    async def cancel(self, order_id: UUID) -> None:
        """Let the broker hear of a cancellation."""
        event = CancelRequested(order_id=order_id, account_id=self.account_id)
        await self.endpoints.on_cancel_requested(delivery_of(event, aggregate_id=order_id))

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Look into the database as its administrator."""
        import asyncpg  # noqa: PLC0415 - for its own connection

        connection = await asyncpg.connect(self.database.admin_dsn)
        try:
            await connection.execute("set search_path to broker_schema")
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def link_status(self) -> str:
        """Return the connection's state."""
        async with self.live.reading() as rows:
            link = await rows.links.get(self.account_id)  # type: ignore[arg-type] # an account id
        assert link is not None
        return link.status

    async def status(self, order_id: UUID) -> str:
        """Return an order's state."""
        async with self.live.transaction() as tx:
            order = await tx.lock(order_id)  # type: ignore[arg-type] # an order id
        return "" if order is None else order.status

    async def one_worker(self) -> None:
        """Keep the connection by hand, until it fails."""
        async with self.live.reading() as rows:
            link = await rows.links.get(self.account_id)  # type: ignore[arg-type] # an account id
        assert link is not None
        await LinkWorker(link, self.keeping()).run()

    async def loses_power_at(self, module: ModuleType, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Keep the connection by hand until the power is cut at a fault point of a module."""
        with monkeypatch.context() as crashing:
            stop_at(crashing, module, point)
            with pytest.raises(BaseExceptionGroup) as ended:
                await self.one_worker()
            assert ended.group_contains(PowerCutError)

    async def reaches(self, order_id: UUID, *statuses: str, seconds: float = 60.0) -> None:
        """Wait until an order is in one of the states."""

        async def is_so() -> bool:
            return await self.status(order_id) in statuses

        await until(is_so, seconds=seconds)

    async def acknowledged(self, *order_ids: UUID) -> bool:
        """Tell whether each of the orders was acknowledged last."""
        last = [(await self.told(order_id))[-1:] for order_id in order_ids]
        return last == [["order_acknowledged"]] * len(order_ids)

    async def link_reaches(self, status: str) -> None:
        """Wait until the connection is in a state."""

        async def is_so() -> bool:
            return await self.link_status() == status

        await until(is_so)

    async def has_breaks(self, count: int) -> bool:
        """Tell whether so many breaks were found."""
        return len(await self.codes()) == count

    async def settles(self) -> None:
        """Wait until the venue was asked for everything twice more."""
        asked = ("GET", "/v2/account")
        wanted = self.venue.calls.count(asked) + 2
        await until(lambda: self.venue.calls.count(asked) >= wanted)

    async def reconciled(self) -> bool:
        """Reconcile once, by hand."""
        async with self.live.reading() as rows:
            link = await rows.links.get(self.account_id)  # type: ignore[arg-type] # an account id
            assert link is not None
            sealed = await rows.links.credentials(link.account_id)
        assert sealed is not None
        venue = self.venues.connect(link, self.venues.vault().open(sealed, link.account_id))
        desk = Desk(SystemIds(), worker_context())
        try:
            return await reconcile(venue, link.account_id, live=self.live, desk=desk, clock=SystemClock())
        finally:
            await venue.close()

    async def fingerprint(self, *tables: str) -> list[str]:
        """Return everything in some tables as text."""
        return [str(dict(row)) for table in tables for row in await self.rows(f"select * from {table} order by 1")]  # noqa: S608 - names given by tests

    async def codes(self) -> list[str]:
        """Return the codes of all breaks, in order."""
        return [row["code"] for row in await self.rows("select code from breaks order by found_at, code")]

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return every event told but those of the connection: its name and fields, oldest first."""
        rows = await self.rows("select subject, payload from event_log order by seq")
        told = [(row["subject"].rpartition(".")[2], json.loads(row["payload"])["event"]) for row in rows]
        return [(name, event) for name, event in told if not name.startswith("connection_")]

    async def told(self, order_id: UUID) -> list[str]:
        """Return the names of the events of one order."""
        return [name for name, event in await self.events() if event.get("order_id") == str(order_id)]
