"""The services strategy asks, played by the test: a paper venue, a trading book, a risk desk, a shelf of graphs.

``Town`` is faithful where order matters: an order works at the venue only once it was acknowledged, a step is done
once and answered the same ever after, an execution shows at trading and at risk after as many questions as ``lag``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec

from alphintra.contracts.books import BooksView, ExecutionsView, ExecutionView, PricesMarkedView
from alphintra.contracts.broker import AdvanceMarket, BarView, MarketAdvanced, VenueExecution
from alphintra.contracts.controls import InstrumentView
from alphintra.contracts.nocode import UseWorkflowVersion, WorkflowVersionView
from alphintra.contracts.orders import AccountView, OrderView
from alphintra.contracts.risk import (
    GetInstrument,
    GetLimits,
    LimitsView,
    MarkedView,
    MarkPrices,
    ReportedView,
    ReportInstance,
)
from alphintra.contracts.trading import (
    ClaimCapital,
    GetAccount,
    GetOrder,
    ListExecutions,
    MarkPortfolios,
    ReleaseBook,
    SubmitOrder,
)
from alphintra.engine.bars import Bar
from alphintra.engine.graph import Graph, canonical_json, graph_hash
from alphintra.engine.matching import OrderTerms, match_bar
from alphintra.engine.portfolio import FLAT, FeeModel, Position, apply_fill, cash_delta
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Command, Context
from alphintra.kernel.vocabulary import AccountMode, OrderStatus
from fixtures.single_service import NOON

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
FEES = FeeModel(commission_bps=Decimal(2))


@dataclass(slots=True)
class PlacedOrder:
    """An order as trading and the venue know it."""

    view: OrderView
    known_ts: datetime | None = None
    questions: int = 0


@dataclass(slots=True)
class Town:
    """What the other services hold, and how they behave."""

    lag: int = 0
    is_venue_idle: bool = False
    accounts: dict[UUID, AccountView] = field(default_factory=dict)
    versions: dict[UUID, tuple[UUID, Graph]] = field(default_factory=dict)
    orders: dict[UUID, PlacedOrder] = field(default_factory=dict)
    executions: list[ExecutionView] = field(default_factory=list)
    steps: dict[UUID, list[tuple[datetime, MarketAdvanced]]] = field(default_factory=dict)
    marks: dict[UUID, list[int]] = field(default_factory=dict)
    positions: dict[tuple[UUID, UUID | None], Position] = field(default_factory=dict)
    asked: list[Command[Any]] = field(default_factory=list)
    outages: dict[type[Command[Any]], list[AlphintraError]] = field(default_factory=dict)
    denies: Callable[[SubmitOrder], str] = lambda _command: ""
    refuses: Callable[[OrderView], str] = lambda _order: ""
    claims: dict[UUID, Decimal] = field(default_factory=dict)
    instances: dict[str, set[UUID]] = field(default_factory=dict)
    limits: dict[UUID, LimitsView] = field(default_factory=dict)
    instruments: dict[str, InstrumentView] = field(default_factory=dict)
    hears: Callable[[Command[Any]], Awaitable[None]] | None = None
    _patience: dict[str, int] = field(default_factory=dict)

    async def start(self, local: LocalDirectory) -> None:
        """Answer in the directory of the service under test."""
        bus = Bus(name="town", asks=frozenset(), local=local, nats=None)
        handlers: tuple[tuple[type[Command[Any]], Callable[[Any, Context], object]], ...] = (
            (AdvanceMarket, self._advance),
            (MarkPrices, self._mark),
            (MarkPortfolios, self._worth),
            (ReportInstance, self._report),
            (GetLimits, self._limits),
            (GetInstrument, self._instrument),
            (ClaimCapital, self._claim),
            (ReleaseBook, self._release),
            (SubmitOrder, self._submit),
            (GetOrder, self._order),
            (GetAccount, self._account),
            (ListExecutions, self._executions),
            (UseWorkflowVersion, self._version),
        )
        for command, handler in handlers:
            bus.answer(command, self._heard(command, handler))
        await bus.start()

    def open_account(self, owner_id: UUID, feed_id: UUID, *, cash: str = "100000") -> UUID:
        """Open a paper account."""
        account_id = uuid5(NAMESPACE, f"account {len(self.accounts)} {feed_id}")
        self.accounts[account_id] = AccountView(
            account_id=account_id,
            owner_id=owner_id,
            name="paper",
            mode=AccountMode.PAPER,
            currency="USD",
            status="active",
            feed_id=feed_id,
            starting_cash=Decimal(cash),
            cash=Decimal(cash),
            realized_pnl=Decimal(0),
            fees=Decimal(0),
            created_at=NOON,
        )
        return account_id

    def write_workflow(self, owner_id: UUID, graph: Graph) -> UUID:
        """Store a version of a workflow."""
        version_id = uuid5(NAMESPACE, f"version {len(self.versions)}")
        self.versions[version_id] = (owner_id, graph)
        return version_id

    def fail(self, command: type[Command[Any]], *, times: int, code: str = "", kind: Kind = Kind.UNAVAILABLE) -> None:
        """Fail the next questions of a kind."""
        error = AlphintraError(code or "SERVICE_UNAVAILABLE", "out to lunch", kind=kind)
        self.outages[command] = [error] * times

    def books(self, deployment_id: UUID) -> list[tuple[str, str, Decimal, Decimal]]:
        """Return the fills of a book as (time, side, quantity, price), in the order they were booked."""
        return [
            (fill.executed_at.isoformat(), fill.side.value, fill.qty, fill.price)
            for fill in self.executions
            if fill.book_id == deployment_id
        ]

    def placed(self, deployment_id: UUID) -> list[OrderView]:
        """Return the orders of a book, oldest first."""
        return [order.view for order in self.orders.values() if order.view.book_id == deployment_id]

    def asked_for(self, command: type[Command[Any]]) -> int:
        """Return how often a kind of question was asked."""
        return sum(type(asked) is command for asked in self.asked)

    def _heard(
        self, kind: type[Command[Any]], handler: Callable[[Any, Context], object]
    ) -> Callable[[Any, Context], Awaitable[object]]:
        async def heard(command: Command[Any], context: Context) -> object:
            self.asked.append(command)
            if self.hears is not None:
                await self.hears(command)
            if self.outages.get(kind):
                raise self.outages[kind].pop()
            return handler(command, context)

        return heard

    def _advance(self, command: AdvanceMarket, context: Context) -> MarketAdvanced:
        assert context.actor.id == "service:strategy"
        done = self.steps.setdefault(command.feed_id, [])
        if command.seq <= len(done):
            return done[command.seq - 1][1]
        if command.seq != len(done) + 1:
            raise AlphintraError("MARKET_SEQ", f"step {command.seq} after {len(done)}")
        made = [
            self._fill(order, bar, command)
            for bar in command.bars
            for order in self.orders.values()
            if order.view.status is OrderStatus.NEW and self._meets(order, bar, command.feed_id)
        ]
        done.append((command.bars[0].ts, MarketAdvanced(seq=command.seq, executions=tuple(made))))
        return done[-1][1]

    def _meets(self, order: PlacedOrder, bar: BarView, feed_id: UUID) -> bool:
        return (
            not self.is_venue_idle
            and order.view.symbol == bar.symbol
            and self.accounts[order.view.account_id].feed_id == feed_id
        )

    def _fill(self, order: PlacedOrder, bar: BarView, command: AdvanceMarket) -> VenueExecution:
        view = order.view
        assert view.qty is not None
        terms = OrderTerms(view.side, view.type, order.known_ts or NOON.replace(year=1900))
        met = Bar(bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume)
        price = match_bar(terms, met, slippage_bps=Decimal(0))
        assert price is not None, "an order met the bar it was born on"
        fee = FEES.fee(view.qty, price)
        book = (view.account_id, view.book_id)
        self.positions[book], realized = apply_fill(
            self.positions.get(book, FLAT), view.side, qty=view.qty, price=price
        )
        execution_id = f"paper-{command.feed_id.hex[:8]}-{command.seq}-{view.order_id.hex}"
        self.executions.append(
            ExecutionView(
                execution_id=execution_id,
                order_id=view.order_id,
                account_id=view.account_id,
                book_id=view.book_id,
                symbol=view.symbol,
                side=view.side,
                qty=view.qty,
                price=price,
                fee=fee,
                realized_pnl=realized,
                executed_at=bar.ts,
                booked_at=bar.ts,
            )
        )
        self._pay(view, cash_delta(view.side, view.qty, price=price, fee=fee))
        order.view = msgspec.structs.replace(
            view, status=OrderStatus.FILLED, filled_qty=view.qty, filled_avg_price=price
        )
        return VenueExecution(execution_id=execution_id, order_id=view.order_id, account_id=view.account_id)

    def _pay(self, view: OrderView, amount: Decimal) -> None:
        account = self.accounts[view.account_id]
        self.accounts[view.account_id] = msgspec.structs.replace(account, cash=account.cash + amount)

    def _is_late(self, what: str) -> bool:
        self._patience[what] = self._patience.get(what, self.lag) - 1
        return self._patience[what] >= 0

    def _mark(self, command: MarkPrices, context: Context) -> MarkedView:
        assert context.actor.id == "service:strategy"
        self.marks.setdefault(command.feed_id, []).append(command.seq)
        missing = [name for name in command.await_executions if self._is_late(f"risk {name}")]
        return MarkedView(seq=command.seq, missing=tuple(missing))

    def _submit(self, command: SubmitOrder, context: Context) -> OrderView:
        account = self._account(GetAccount(account_id=command.account_id), context)
        order_id = uuid5(command.account_id, command.client_order_id)
        if order_id in self.orders:
            return self.orders[order_id].view
        self._require_market_settled(account.feed_id)
        code = self.denies(command)
        at = self._last_ts(account.feed_id) or NOON
        view = OrderView(
            order_id=order_id,
            client_order_id=command.client_order_id,
            account_id=command.account_id,
            book_id=command.book_id,
            symbol=command.symbol,
            side=command.side,
            type=command.type,
            time_in_force=command.time_in_force,
            qty=command.qty,
            limit_price=command.limit_price,
            status=OrderStatus.DENIED if code else OrderStatus.PENDING_NEW,
            filled_qty=Decimal(0),
            filled_avg_price=None,
            reason_code=code,
            reason=code,
            decision_id=None,
            version=1,
            created_at=at,
            updated_at=at,
        )
        self.orders[order_id] = PlacedOrder(view)
        return view

    def _require_market_settled(self, feed_id: UUID | None) -> None:
        """An order may only come when risk has the closes and every execution of the steps before it."""
        if feed_id is None:
            return
        assert max(self.marks[feed_id]) == len(self.steps[feed_id])
        for fill in self.executions:
            assert self._patience.get(f"risk {fill.execution_id}", self.lag) < 0

    def _order(self, command: GetOrder, context: Context) -> OrderView:
        order = self.orders[command.order_id]
        assert self.accounts[order.view.account_id].owner_id == context.actor.user_id
        order.questions += 1
        if order.view.status is OrderStatus.PENDING_NEW and order.questions > self.lag:
            code = self.refuses(order.view)
            status = OrderStatus.REJECTED if code else OrderStatus.NEW
            order.known_ts = self._last_ts(self.accounts[order.view.account_id].feed_id)
            order.view = msgspec.structs.replace(order.view, status=status, reason_code=code)
        return order.view

    def _last_ts(self, feed_id: UUID | None) -> datetime | None:
        done = self.steps.get(feed_id, []) if feed_id is not None else []
        return done[-1][0] if done else None

    def _worth(self, command: MarkPortfolios, _context: Context) -> PricesMarkedView:
        return PricesMarkedView(marked=len(command.prices), accounts=1)

    def _report(self, command: ReportInstance, _context: Context) -> ReportedView:
        self.instances.setdefault(command.instance, set()).update(command.deployments)
        return ReportedView(differing=())

    def _limits(self, command: GetLimits, _context: Context) -> LimitsView:
        if command.account_id not in self.limits:
            raise AlphintraError("ACCOUNT_NOT_FOUND", "there is no such account", kind=Kind.NOT_FOUND)
        return self.limits[command.account_id]

    def _instrument(self, command: GetInstrument, _context: Context) -> InstrumentView:
        if command.symbol not in self.instruments:
            raise AlphintraError("INSTRUMENT_NOT_FOUND", "it has no specification", kind=Kind.NOT_FOUND)
        return self.instruments[command.symbol]

    def _claim(self, command: ClaimCapital, context: Context) -> BooksView:
        account = self._account(GetAccount(account_id=command.account_id), context)
        taken = sum((each for book, each in self.claims.items() if book != command.book_id), Decimal(0))
        if command.capital > account.cash - taken:
            raise AlphintraError("CAPITAL_EXCEEDS_CASH", "other books have it", kind=Kind.CONFLICT, pointer="/capital")
        self.claims[command.book_id] = command.capital
        return BooksView(books=())

    def _release(self, command: ReleaseBook, _context: Context) -> BooksView:
        self.claims.pop(command.book_id, None)
        return BooksView(books=())

    def _account(self, command: GetAccount, context: Context) -> AccountView:
        account = self.accounts.get(command.account_id)
        if account is None or account.owner_id != context.actor.user_id:
            raise AlphintraError("ACCOUNT_NOT_FOUND", "no such account", kind=Kind.NOT_FOUND)
        return account

    def _executions(self, command: ListExecutions, _context: Context) -> ExecutionsView:
        wanted = command.execution_ids or ()
        found = [
            fill
            for fill in self.executions
            if fill.account_id == command.account_id
            and fill.execution_id in wanted
            and not self._is_late(f"trading {fill.execution_id}")
        ]
        return ExecutionsView(executions=tuple(found))

    def _version(self, command: UseWorkflowVersion, context: Context) -> WorkflowVersionView:
        owner_id, graph = self.versions.get(command.version_id, (None, None))
        if graph is None or owner_id != context.actor.user_id:
            raise AlphintraError("WORKFLOW_NOT_FOUND", "no such workflow", kind=Kind.NOT_FOUND)
        return WorkflowVersionView(
            workflow_id=command.version_id,
            version_id=command.version_id,
            version=1,
            name=graph.name,
            graph=canonical_json(graph).decode(),
            graph_hash=graph_hash(graph),
            warmup_bars=0,
            created_at=NOON,
        )
