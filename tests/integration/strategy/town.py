"""The services strategy asks, played by the test: a paper venue, a trading book, a risk desk, a shelf of graphs.

``Town`` is faithful where order matters: an order works at the venue only once it was acknowledged, a step is done
once and answered the same ever after, an execution shows at trading and at risk after as many questions as ``lag``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec

from alphintra.broker.domain.floor import Activated, Canceled, Execution, Expired, run_step
from alphintra.broker.domain.market import step_of
from alphintra.broker.domain.orders import Order, VenueOrderStatus
from alphintra.broker.domain.paper import PaperOrder, PaperSettings, given_up
from alphintra.contracts.books import (
    BooksView,
    ExecutionsView,
    ExecutionView,
    PositionsView,
    PositionView,
    PricesMarkedView,
)
from alphintra.contracts.broker import AdvanceMarket, ConnectionView, GetConnection, MarketAdvanced, VenueExecution
from alphintra.contracts.controls import InstrumentView
from alphintra.contracts.nocode import UseWorkflowVersion, WorkflowVersionView
from alphintra.contracts.orders import AccountView, LegView, OrderView
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
    CancelOrder,
    ClaimCapital,
    GetAccount,
    GetOrder,
    ListExecutions,
    ListPositions,
    MarkPortfolios,
    ReleaseBook,
    SubmitOrder,
)
from alphintra.engine.bars import Bar
from alphintra.engine.graph import Graph, canonical_json, graph_hash
from alphintra.engine.portfolio import FLAT, FeeModel, Position, apply_fill, cash_delta
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, FeedId, OrderId
from alphintra.kernel.messages import Command, Context
from alphintra.kernel.vocabulary import TERMINAL, AccountMode, Leg, OrderStatus, Side
from alphintra.trading.domain.orders import NewOrder
from alphintra.trading.service.submission import read_order
from fixtures.single_service import NOON
from integration.strategy.town_views import paper_connection, require_order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
FEES = FeeModel(commission_bps=Decimal(2))


@dataclass(slots=True)
class PlacedOrder:
    """An order as trading and the venue know it."""

    view: OrderView
    paper: PaperOrder | None = None
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
    positions: dict[tuple[UUID, UUID | None, str], Position] = field(default_factory=dict)
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
            (CancelOrder, self._cancel),
            (ListPositions, self._positions),
            (GetAccount, self._account),
            (ListExecutions, self._executions),
            (GetConnection, self._connection),
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
        made = self._matched(command)
        done.append((command.bars[0].ts, MarketAdvanced(seq=command.seq, executions=tuple(made))))
        return done[-1][1]

    def _matched(self, command: AdvanceMarket) -> list[VenueExecution]:
        """Let the real floor of the paper venue match a step."""
        at_venue = {
            order_id: order.paper
            for order_id, order in self.orders.items()
            if order.paper is not None and self.accounts[order.view.account_id].feed_id == command.feed_id
        }
        if self.is_venue_idle:
            return []
        bars = [
            (bar.symbol, Bar(bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume), None) for bar in command.bars
        ]
        held: dict[tuple[AccountId, str], Decimal] = {}
        for (account_id, _book, symbol), position in self.positions.items():
            key = (AccountId(account_id), symbol)
            held[key] = held.get(key, Decimal(0)) + position.qty
        outcome = run_step(at_venue.values(), step_of(FeedId(command.feed_id), command.seq, bars), positions=held)
        for changed in outcome.changed:
            self.orders[changed.order.order_id].paper = changed
        made = []
        for happening in outcome.happenings:
            match happening:
                case Execution():
                    made.append(self._fill(happening))
                case Activated(order_id):
                    self._now(order_id, OrderStatus.NEW)
                case Canceled(order_id):
                    self._now(order_id, OrderStatus.CANCELED)
                case Expired(order_id):
                    self._now(order_id, OrderStatus.EXPIRED)
                case _:
                    pass
        return made

    def _now(self, order_id: UUID, status: OrderStatus) -> None:
        order = self.orders[order_id]
        order.view = msgspec.structs.replace(order.view, status=status)

    def _fill(self, done: Execution) -> VenueExecution:
        order = self.orders[done.order_id]
        view = order.view
        book = (view.account_id, view.book_id, view.symbol)
        self.positions[book], realized = apply_fill(
            self.positions.get(book, FLAT), view.side, qty=done.qty, price=done.price
        )
        self.executions.append(
            ExecutionView(
                execution_id=done.execution_id,
                order_id=view.order_id,
                account_id=view.account_id,
                book_id=view.book_id,
                symbol=view.symbol,
                side=view.side,
                qty=done.qty,
                price=done.price,
                fee=done.fee,
                realized_pnl=realized,
                executed_at=done.executed_at,
                booked_at=done.executed_at,
            )
        )
        account, paid = self.accounts[view.account_id], cash_delta(view.side, done.qty, price=done.price, fee=done.fee)
        self.accounts[view.account_id] = msgspec.structs.replace(account, cash=account.cash + paid)
        filled = view.filled_qty + done.qty
        status = OrderStatus.FILLED if filled == view.qty else OrderStatus.PARTIALLY_FILLED
        order.view = msgspec.structs.replace(view, status=status, filled_qty=filled, filled_avg_price=done.price)
        return VenueExecution(execution_id=done.execution_id, order_id=view.order_id, account_id=view.account_id)

    def _is_late(self, what: str) -> bool:
        self._patience[what] = self._patience.get(what, self.lag) - 1
        return self._patience[what] >= 0

    def _mark(self, command: MarkPrices, context: Context) -> MarkedView:
        assert context.actor.id == "service:strategy"
        self.marks.setdefault(command.feed_id, []).append(command.seq)
        awaited = (*command.await_executions, *map(str, command.await_closed))
        missing = [name for name in awaited if self._is_late(f"risk {name}")]
        return MarkedView(seq=command.seq, missing=tuple(missing))

    def _submit(self, command: SubmitOrder, context: Context) -> OrderView:
        account = self._account(GetAccount(account_id=command.account_id), context)
        order_id = uuid5(command.account_id, command.client_order_id)
        if order_id in self.orders:
            return self._shown(order_id)
        self._require_market_settled(account.feed_id)
        self._require_exits_gone(command)
        code = self.denies(command)
        at = self._last_ts(account.feed_id) or NOON
        asked = read_order(command, context).orders
        for order in asked:
            self._take(order, code, at)
            if code:
                break
        return self._shown(order_id)

    def _take(self, order: NewOrder, code: str, at: datetime) -> None:
        order_id = uuid5(order.account_id, order.client_order_id)
        names = ("client_order_id", "account_id", "book_id", "symbol", "side", "type", "time_in_force", "qty")
        prices = ("limit_price", "stop_price", "trail_price", "trail_percent")
        status = OrderStatus.PENDING_NEW if order.leg is Leg.ENTRY else OrderStatus.HELD
        view = OrderView(
            order_id=order_id,
            status=OrderStatus.DENIED if code else status,
            filled_qty=Decimal(0),
            filled_avg_price=None,
            reason_code=code,
            reason=code,
            decision_id=None,
            version=1,
            created_at=at,
            updated_at=at,
            reduce_only=order.reduce_only,
            order_class=order.order_class,
            leg=order.leg,
            group_id=order.group_id
            and uuid5(order.account_id, order.client_order_id.removesuffix("-tp").removesuffix("-sl")),
            **{name: getattr(order, name) for name in (*names, *prices)},
        )
        self.orders[order_id] = PlacedOrder(view)

    def _shown(self, order_id: UUID) -> OrderView:
        """Return an order with its legs."""
        legs = [order.view for order in self.orders.values() if order.view.group_id == order_id != order.view.order_id]
        shown = tuple(msgspec.convert(leg, LegView, from_attributes=True) for leg in legs)
        return msgspec.structs.replace(self.orders[order_id].view, legs=shown)

    def _require_exits_gone(self, command: SubmitOrder) -> None:
        """What leaves may only come when risk knows that no exit of the book works any more."""
        held = self.positions.get((command.account_id, command.book_id, command.symbol), FLAT).qty
        if held * (1 if command.side is Side.BUY else -1) >= 0:
            return
        assert command.qty is not None
        assert command.qty <= abs(held), "it would go through zero"
        for order in self.orders.values():
            if order.view.book_id == command.book_id and order.view.leg is not Leg.ENTRY:
                assert order.view.status in TERMINAL
                assert (
                    self._group_is_settled(order.view)
                    or self._patience.get(f"risk {order.view.order_id}", self.lag) < 0
                )

    def _group_is_settled(self, leg: OrderView) -> bool:
        """Tell whether a group closed what it had opened by itself, so that nobody waited for it."""
        legs = [order.view for order in self.orders.values() if order.view.group_id == leg.group_id]
        return any(each.filled_qty for each in legs if each.leg is not Leg.ENTRY)

    def _require_market_settled(self, feed_id: UUID | None) -> None:
        """An order may only come when risk has the closes and every execution of the steps before it."""
        if feed_id is None:
            return
        assert max(self.marks[feed_id]) == len(self.steps[feed_id])
        for fill in self.executions:
            assert self._patience.get(f"risk {fill.execution_id}", self.lag) < 0

    def _order(self, command: GetOrder, context: Context) -> OrderView:
        order = require_order(self.orders, command.order_id)
        assert self.accounts[order.view.account_id].owner_id == context.actor.user_id
        order.questions += 1
        if order.view.status is OrderStatus.PENDING_NEW and order.questions > self.lag:
            self._answer(order)
        for leg in [each for each in self.orders.values() if each is order or each.view.group_id == command.order_id]:
            is_leaving = leg.view.status is OrderStatus.PENDING_CANCEL
            if is_leaving and not self._is_late(f"cancel {leg.view.order_id}"):
                self._withdraw(leg)
        return self._shown(command.order_id)

    def _answer(self, order: PlacedOrder) -> None:
        """Let the venue take an order with its legs, or refuse it."""
        code = self.refuses(order.view)
        order.view = msgspec.structs.replace(
            order.view, status=OrderStatus.REJECTED if code else OrderStatus.NEW, reason_code=code
        )
        if code:
            return
        feed_id = self.accounts[order.view.account_id].feed_id
        members = [each for each in self.orders.values() if each.view.group_id == order.view.order_id]
        for member in {order.view.order_id: order, **{each.view.order_id: each for each in members}}.values():
            is_head = member is order
            member.paper = PaperOrder(
                order=_at_venue(member.view),
                settings=PaperSettings(fees=FEES),
                status=VenueOrderStatus.WORKING if is_head else VenueOrderStatus.HELD,
                accepted_seq=len(self.steps.get(feed_id, ())) if is_head and feed_id else None,
                known_ts=self._last_ts(feed_id) if is_head else None,
            )

    def _cancel(self, command: CancelOrder, context: Context) -> OrderView:
        order = self.orders[command.order_id]
        assert self.accounts[order.view.account_id].owner_id == context.actor.user_id
        if order.view.status not in TERMINAL:
            self._now(command.order_id, OrderStatus.PENDING_CANCEL)
        return order.view

    def cancel_at_venue(self, order_id: UUID) -> None:
        """Take an order off, as its owner may by hand."""
        self._withdraw(self.orders[order_id])

    def _withdraw(self, order: PlacedOrder) -> None:
        name = order.view.group_id
        group = [one.paper for one in self.orders.values() if one is order or (name and one.view.group_id == name)]
        for gone in given_up([each for each in group if each is not None], OrderId(order.view.order_id)):
            leaving = self.orders[gone]
            assert leaving.paper is not None
            leaving.paper = replace(leaving.paper, status=VenueOrderStatus.CANCELED)
            self._now(gone, OrderStatus.CANCELED)

    def _positions(self, command: ListPositions, context: Context) -> PositionsView:
        self._account(GetAccount(account_id=command.account_id), context)
        found = [
            PositionView(
                account_id=account_id,
                book_id=book_id,
                symbol=symbol,
                qty=position.qty,
                avg_price=position.avg_price,
                realized_pnl=position.realized,
                fees=Decimal(0),
            )
            for (account_id, book_id, symbol), position in self.positions.items()
            if account_id == command.account_id
        ]
        return PositionsView(positions=tuple(found))

    def _last_ts(self, feed_id: UUID | None) -> datetime | None:
        return done[-1][0] if feed_id is not None and (done := self.steps.get(feed_id)) else None

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
        cash = self._account(GetAccount(account_id=command.account_id), context).cash
        if command.capital > cash - sum(each for book, each in self.claims.items() if book != command.book_id):
            raise AlphintraError("CAPITAL_EXCEEDS_CASH", "other books have it", kind=Kind.CONFLICT, pointer="/capital")
        self.claims[command.book_id] = command.capital
        return BooksView(books=())

    def _release(self, command: ReleaseBook, _context: Context) -> BooksView:
        self.claims.pop(command.book_id, None)
        return BooksView(books=())

    def _account(self, command: GetAccount | GetConnection, context: Context) -> AccountView:
        account = self.accounts.get(command.account_id)
        if account is None or account.owner_id != context.actor.user_id:
            raise AlphintraError("ACCOUNT_NOT_FOUND", "no such account", kind=Kind.NOT_FOUND)
        return account

    def _connection(self, command: GetConnection, context: Context) -> ConnectionView:
        return paper_connection(self._account(command, context), FEES)

    def _executions(self, command: ListExecutions, _context: Context) -> ExecutionsView:
        found = [
            fill
            for fill in self.executions
            if fill.account_id == command.account_id
            and (command.execution_ids is None or fill.execution_id in command.execution_ids)
            and command.book_id in {None, fill.book_id}
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


def _at_venue(view: OrderView) -> Order:
    """Return the terms of an order as the venue has them."""
    names = ("client_order_id", "symbol", "side", "type", "time_in_force", "qty", "limit_price", "stop_price")
    further = ("trail_price", "trail_percent", "reduce_only", "order_class", "leg")
    return Order(
        order_id=OrderId(view.order_id),
        account_id=AccountId(view.account_id),
        group_id=None if view.group_id is None else OrderId(view.group_id),
        **{name: getattr(view, name) for name in (*names, *further)},
    )
