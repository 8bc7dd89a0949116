"""A trading service wired as in production on a database of its own, with a risk service the test speaks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from alphintra.contracts.approval import Approval, ApprovalSeal
from alphintra.contracts.broker import ConnectionOpened, ExecutionReported
from alphintra.contracts.orders import AccountView, OrderView
from alphintra.contracts.risk import (
    Assessment,
    AssessOrder,
    Finding,
    KillStateChanged,
    KillStateView,
    LimitsChanged,
    ReleasedView,
    ReleaseOrder,
)
from alphintra.contracts.trading import OpenAccount, SubmitOrder
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.host import Parts, ServiceCredentials, ServiceHost
from alphintra.infrastructure.nats_link import NatsCredentials
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Command, Context, Event, tag_of
from alphintra.kernel.vocabulary import OrderType, Side
from alphintra.manifest import EDGE_ASKS
from alphintra.trading.app import wire
from fixtures.services import person_context
from fixtures.single_service import SettableClock, delivery_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from alphintra.infrastructure.events import Delivery
    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase

R = TypeVar("R")
Answer = AlphintraError | Assessment
FIRM = None


def new_id() -> UUID:
    """Return a fresh id."""
    return SystemIds().new()


def approved(command: AssessOrder) -> Assessment:
    """Return risk's yes to an order."""
    decision_id = new_id()
    seal = ApprovalSeal(root=b"\x01" * 32, size=1, kill_epoch=1, expires_at=SettableClock().now())
    approval = Approval(decision_id=decision_id, limit_version=1, seal=seal, signature=b"\x02" * 64, index=0, path=())
    return Assessment(
        decision_id=decision_id,
        order_id=command.terms.order_id,
        findings=(),
        limit_version=1,
        kill_epoch=1,
        approval=approval,
    )


def refused(command: AssessOrder) -> Assessment:
    """Return risk's no to an order, for two reasons."""
    findings = tuple(
        Finding(code=code, rule="R02", field="qty", limit="5", observed="10", detail=f"{code}: at most 5")
        for code in ("RISK_QTY_MAX", "RISK_CREDIT")
    )
    return Assessment(
        decision_id=new_id(),
        order_id=command.terms.order_id,
        findings=findings,
        limit_version=1,
        kill_epoch=1,
        approval=None,
    )


@dataclass(slots=True)
class Risk:
    """The risk service as the test plays it: approves, unless the test says otherwise."""

    decide: Callable[[AssessOrder], Answer] = approved
    before: Callable[[], Awaitable[None]] | None = None
    batches: list[list[UUID]] = field(default_factory=list)
    released: list[UUID] = field(default_factory=list)

    async def assess(self, requests: Sequence[tuple[AssessOrder, Context]]) -> Sequence[Answer]:
        """Answer a batch."""
        self.batches.append([command.terms.order_id for command, _context in requests])
        if self.before is not None:
            await self.before()
        return [self.decide(command) for command, _context in requests]

    async def release(self, command: ReleaseOrder, _context: Context) -> ReleasedView:
        """Take a reservation back."""
        self.released.append(command.order_id)
        return ReleasedView(released=True)


@dataclass(slots=True)
class Desk:
    """Trading, asked as the edge asks it, and what surrounds it."""

    database: ServiceDatabase
    host: ServiceHost
    edge: Bus
    local: LocalDirectory
    risk: Risk
    clock: SettableClock
    owner_id: UUID = field(default_factory=new_id)
    account_id: UUID = field(default_factory=new_id)

    @property
    def owner(self) -> Context:
        """The account's owner."""
        return person_context("trader", user_id=self.owner_id)

    async def ask(self, command: Command[R], context: Context | None = None) -> R:
        """Ask trading, as the owner unless another is given."""
        return await self.edge.ask(command, context or self.owner, timeout_s=30)

    async def refusal(self, command: Command[Any], context: Context | None = None) -> str:
        """Ask trading and return the code it refuses with."""
        try:
            answer = await self.ask(command, context)
        except AlphintraError as error:
            return error.code
        return f"answered {type(answer).__name__}"

    async def hear(self, *deliveries: Delivery[Any]) -> None:
        """Deliver events to the handlers that are wired for them."""
        for delivery in deliveries:
            await self.host._consumer._ears[tag_of(type(delivery.event))].handle([delivery])

    async def hear_together(self, *deliveries: Delivery[Any]) -> None:
        """Deliver events to the one handler that is wired for all of them, as a run."""
        (handler,) = {self.host._consumer._ears[tag_of(type(each.event))].handle for each in deliveries}
        await handler(deliveries)

    async def tell(self, event: Event) -> None:
        """Deliver an event nobody has heard before."""
        await self.hear(delivery_of(event, aggregate_id=self.account_id))

    async def open_account(self, name: str = "Savings", *, cash: str = "1000000") -> AccountView:
        """Open an account that risk and broker have taken up."""
        opened = await self.ask(OpenAccount(name=name, starting_cash=Decimal(cash), feed_id=new_id()))
        await self.tell(LimitsChanged(account_id=opened.account_id, version=1))
        await self.tell(ConnectionOpened(account_id=opened.account_id, adapter="paper"))
        return opened

    def order(self, client_order_id: str = "c-1", **wishes: Any) -> SubmitOrder:  # noqa: ANN401 - those of SubmitOrder
        """Return a command to buy ten shares at the market, unless said otherwise."""
        fields: dict[str, Any] = {
            "account_id": self.account_id,
            "client_order_id": client_order_id,
            "symbol": "AAPL",
            "side": Side.BUY,
            "qty": Decimal(10),
            "type": OrderType.MARKET,
        }
        return SubmitOrder(**{**fields, **wishes})

    async def place(self, client_order_id: str = "c-1", **wishes: Any) -> OrderView:  # noqa: ANN401 - those of SubmitOrder
        """Have an order accepted."""
        return await self.ask(self.order(client_order_id, **wishes))

    def filled(self, order: OrderView, qty: str, price: str = "100", **other: Any) -> Delivery[ExecutionReported]:  # noqa: ANN401
        """Return the report of an execution of an order."""
        fields: dict[str, Any] = {
            "execution_id": f"x-{new_id().hex}",
            "order_id": order.order_id,
            "account_id": order.account_id,
            "symbol": order.symbol,
            "side": order.side,
            "qty": Decimal(qty),
            "price": Decimal(price),
            "fee": Decimal(0),
            "executed_at": self.clock.now(),
        }
        return delivery_of(ExecutionReported(**{**fields, **other}), aggregate_id=order.order_id)

    def kill(self, state: str, *, account_id: UUID | None = FIRM) -> Delivery[KillStateChanged]:
        """Return the event of a kill state, of the firm unless an account is given."""
        kill = KillStateView(
            scope="firm" if account_id is None else "account",
            account_id=account_id,
            state=state,
            epoch=2,
            reason="drill",
            set_by="operator",
            set_at=self.clock.now(),
        )
        return delivery_of(KillStateChanged(kill=kill), aggregate_id=account_id or new_id())

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Look into the database as its administrator."""
        connection = await asyncpg.connect(self.database.admin_dsn)
        try:
            await connection.execute("set search_path to trading_schema")
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def value(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - a column may be of any type
        """Return the first column of the first row."""
        return (await self.rows(statement, *values))[0][0]

    async def told(self) -> list[str]:
        """Return the names of the events told since the accounts were opened, in the order they were written."""
        rows = await self.rows("select subject from event_log where subject not like '%account_opened' order by seq")
        return [row["subject"].rpartition(".")[2] for row in rows]

    async def statuses(self) -> dict[str, str]:
        """Return the status of each order by its client order id."""
        rows = await self.rows("select client_order_id, status from orders")
        return {row["client_order_id"]: row["status"] for row in rows}


@asynccontextmanager
async def trading_desk(
    database: ServiceDatabase, nats_server: NatsServer, *, connections_max: int = 8, risk: Risk | None = None
) -> AsyncIterator[Desk]:
    """Run trading without its background part: the test delivers the events, nothing is published."""
    local, risk, clock = LocalDirectory(), risk or Risk(), SettableClock()
    login = nats_server.login("trading")
    credentials = ServiceCredentials(
        service="trading",
        database_url=database.dsn(),
        nats=NatsCredentials(url=login.url, user=login.user, seed=login.seed),
    )
    host = await ServiceHost.open(credentials, local=local, connections_max=connections_max)
    host.clock = clock
    speaker = Bus(name="risk", asks=frozenset(), local=local, nats=None)
    speaker.answer_many(AssessOrder, risk.assess)
    speaker.answer(ReleaseOrder, risk.release)
    await speaker.start()
    asks = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in EDGE_ASKS)
    edge = Bus(name="edge", asks=asks, local=local, nats=None)
    parts = Parts(background=False)
    wire(host, parts)
    await host.start(parts)
    try:
        yield Desk(database=database, host=host, edge=edge, local=local, risk=risk, clock=clock)
    finally:
        await host.close()


async def together(*asks: Awaitable[Any]) -> list[Any]:
    """Await everything side by side; failures come back as values."""
    return await asyncio.gather(*asks, return_exceptions=True)
