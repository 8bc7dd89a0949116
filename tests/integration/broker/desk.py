"""A broker on a database of its own, with a risk service the test speaks for and a market it drives."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from alphintra.broker.endpoints import Endpoints
from alphintra.broker.gateways.adapters import Adapters
from alphintra.broker.gateways.approvals import Approvals
from alphintra.broker.repository.live import Live
from alphintra.broker.repository.records import Records
from alphintra.contracts.approval import Approval, ApprovalSeal, OrderTerms, approval_leaf, proofs, seal_bytes
from alphintra.contracts.broker import AdvanceMarket, BarView, MarketAdvanced
from alphintra.contracts.risk import Assessment, KillStateChanged, KillStateView, RenewApproval
from alphintra.contracts.trading import AccountOpened, CancelRequested, OrderSubmitted
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.signing import SigningKey
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import AccountMode, OrderType, Side, TimeInForce
from fixtures.single_service import SettableClock, delivery_of, local_bus
from unit.engine.builders import day

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from alphintra.infrastructure.events import Delivery
    from alphintra.infrastructure.postgres import Database
    from fixtures.postgres import ServiceDatabase

RISK_KEY = SigningKey("cmlzayBzaWducyB3aXRoIHRoaXMga2V5IGluIHRlc3Q=")
OTHER_KEY = SigningKey("c29tZWJvZHkgZWxzZSBzaWducyB3aXRoIHRoaXMgISE=")
STRATEGY = Context(trace_id="0" * 32, actor=Actor(id="service:strategy"))
TTL = timedelta(seconds=5)


def new_id() -> UUID:
    """Return a fresh id."""
    return SystemIds().new()


def approve(
    terms: OrderTerms, clock: SettableClock, *, epoch: int = 1, ttl: timedelta = TTL, key: SigningKey = RISK_KEY
) -> Approval:
    """Return risk's approval of an order, in a batch with two others."""
    decision_id = new_id()
    leaves = (b"\x01" * 32, approval_leaf(terms, decision_id=decision_id, limit_version=1), b"\x02" * 32)
    root, paths = proofs(leaves)
    seal = ApprovalSeal(root=root, size=3, kill_epoch=epoch, expires_at=clock.now() + ttl)
    return Approval(
        decision_id=decision_id,
        limit_version=1,
        seal=seal,
        signature=key.sign(seal_bytes(seal)),
        index=1,
        path=paths[1],
    )


def bar(index: int, prices: str, *, symbol: str = "AAPL") -> BarView:
    """Return the bar of a day from "open high low close"."""
    opened, high, low, close = (Decimal(price) for price in prices.split())
    return BarView(symbol=symbol, ts=day(index), open=opened, high=high, low=low, close=close, volume=Decimal(1000))


@dataclass(slots=True)
class Desk:
    """The broker under test and what surrounds it."""

    database: ServiceDatabase
    endpoints: Endpoints
    clock: SettableClock
    local: LocalDirectory
    owner_id: UUID = field(default_factory=new_id)
    account_id: UUID = field(default_factory=new_id)
    feed_id: UUID = field(default_factory=new_id)
    renewals: list[Context] = field(default_factory=list)

    @classmethod
    async def over(cls, database: ServiceDatabase, connected: Database) -> Desk:
        """Set up a broker with one paper account."""
        bus, local = local_bus("broker")
        clock = SettableClock()
        approvals = Approvals(bus, verify_key=RISK_KEY.verify_key, clock=clock)
        endpoints = Endpoints(
            records=Records(connected),
            live=Live(connected),
            venues=Adapters(lambda: ""),
            approvals=approvals,
            clock=clock,
            ids=SystemIds(),
        )
        desk = cls(database=database, endpoints=endpoints, clock=clock, local=local)
        await endpoints.on_account_opened(desk.account_opened())
        return desk

    def account_opened(
        self, *, account_id: UUID | None = None, mode: AccountMode = AccountMode.PAPER
    ) -> Delivery[AccountOpened]:
        """Return the event of an account opened by the owner on the feed."""
        account_id = account_id or self.account_id
        event = AccountOpened(
            account_id=account_id,
            owner_id=self.owner_id,
            mode=mode,
            currency="USD",
            starting_cash=Decimal(1000),
            feed_id=self.feed_id,
        )
        return delivery_of(event, aggregate_id=account_id)

    def terms(
        self,
        *,
        limit: str | None = None,
        side: Side = Side.BUY,
        tif: TimeInForce = TimeInForce.DAY,
        symbol: str = "AAPL",
    ) -> OrderTerms:
        """Return an order for ten shares; at the market if no limit is given."""
        order_id = new_id()
        return OrderTerms(
            order_id=order_id,
            client_order_id=f"c-{order_id.hex}",
            account_id=self.account_id,
            symbol=symbol,
            side=side,
            type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            time_in_force=tif,
            qty=Decimal(10),
            limit_price=None if limit is None else Decimal(limit),
        )

    def submitted(
        self, terms: OrderTerms, approval: Approval | None = None, *, book_id: UUID | None = None
    ) -> Delivery[OrderSubmitted]:
        """Return the event of an order, approved by risk unless another approval is given."""
        approval = approval or approve(terms, self.clock)
        event = OrderSubmitted(owner_id=self.owner_id, book_id=book_id, terms=terms, approval=approval)
        return delivery_of(event, aggregate_id=terms.order_id)

    async def place(self, **wishes: Any) -> OrderTerms:  # noqa: ANN401 - those of ``terms``
        """Have an approved order work; returns its terms."""
        terms = self.terms(**wishes)
        await self.endpoints.on_order_submitted(self.submitted(terms))
        return terms

    def cancel_requested(self, order_id: UUID) -> Delivery[CancelRequested]:
        """Return the event that asks for an order's cancellation."""
        return delivery_of(CancelRequested(order_id=order_id, account_id=self.account_id), aggregate_id=order_id)

    def kill_changed(
        self, epoch: int, *, state: str = "halted", account_id: UUID | None = None
    ) -> Delivery[KillStateChanged]:
        """Return the event of a kill state, of the firm unless an account is given."""
        kill = KillStateView(
            scope="firm" if account_id is None else "account",
            account_id=account_id,
            state=state,
            epoch=epoch,
            reason="test",
            set_by="operator",
            set_at=self.clock.now(),
        )
        return delivery_of(KillStateChanged(kill=kill), aggregate_id=account_id or UUID(int=0))

    async def risk_answers(self, answer: Callable[[RenewApproval], Awaitable[Assessment]]) -> None:
        """Speak for risk when the broker asks it to renew an approval."""

        async def renew(command: RenewApproval, context: Context) -> Assessment:
            self.renewals.append(context)
            return await answer(command)

        risk = Bus(name="risk", asks=frozenset(), local=self.local, nats=None)
        risk.answer(RenewApproval, renew)
        await risk.start()

    async def risk_answers_many(
        self, answer: Callable[[Sequence[tuple[RenewApproval, Context]]], Awaitable[Sequence[Assessment]]]
    ) -> None:
        """Speak for risk, a batch at a time."""
        risk = Bus(name="risk", asks=frozenset(), local=self.local, nats=None)
        risk.answer_many(RenewApproval, answer)
        await risk.start()

    async def step(self, seq: int, *bars: BarView) -> MarketAdvanced:
        """Drive the feed by one step."""
        return await self.endpoints.advance_market(AdvanceMarket(feed_id=self.feed_id, seq=seq, bars=bars), STRATEGY)

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Look into the database as its administrator."""
        connection = await asyncpg.connect(self.database.admin_dsn)
        try:
            await connection.execute("set search_path to broker_schema")
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return every event told since the account was opened: its name and its fields, oldest first."""
        rows = await self.rows("select subject, payload from event_log order by seq")
        told = [(row["subject"].rpartition(".")[2], json.loads(row["payload"])["event"]) for row in rows]
        return [(name, event) for name, event in told if name != "connection_opened"]

    async def told(self) -> list[str]:
        """Return the names of these events."""
        return [name for name, _ in await self.events()]

    async def statuses(self) -> dict[UUID, str]:
        """Return what became of each order that was sent."""
        rows = await self.rows("select order_id, status from venue_orders")
        return {UUID(str(row["order_id"])): row["status"] for row in rows}

    async def counted_as_working(self) -> int:
        """Return how many working orders the feed's market counts, after checking it against the orders."""
        (row,) = await self.rows(
            "select m.working, (select count(*) from venue_orders where status = 'working') as orders from markets m"
        )
        assert row["working"] == row["orders"]
        return int(row["working"])
