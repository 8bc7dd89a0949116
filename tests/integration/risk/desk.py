"""Risk on a real database, with a clock and a key of the test's own, and short words for what tests do with it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from alphintra.contracts import risk as messages
from alphintra.contracts.approval import Approval, OrderTerms, is_covered, seal_bytes
from alphintra.contracts.books import ExecutionView
from alphintra.contracts.orders import OrderView
from alphintra.contracts.trading import AccountOpened, FillBooked, OrderClosed, OrderSubmitted
from alphintra.engine.portfolio import cash_delta
from alphintra.infrastructure.postgres import Database
from alphintra.infrastructure.signing import SigningKey
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Context
from alphintra.kernel.vocabulary import AccountMode, OrderStatus, OrderType, Side, TimeInForce
from alphintra.risk.endpoints import AlertEndpoints, ControlEndpoints, Endpoints
from alphintra.risk.repository import AlertRecords, RiskRecords
from fixtures.single_service import SettableClock, acting, delivery_of

KEY = SigningKey(base64.b64encode(bytes(range(32))).decode())
Outcome = messages.Assessment | AlphintraError


@dataclass(slots=True)
class Desk:
    """One risk service; ``restarted`` gives another on the same database."""

    database: Database
    clock: SettableClock = field(default_factory=SettableClock)
    ids: SystemIds = field(default_factory=SystemIds)
    feed_id: UUID = field(default_factory=SystemIds().new)
    owner_id: UUID = field(default_factory=SystemIds().new)
    cash: dict[UUID, Decimal] = field(default_factory=dict)
    endpoints: Endpoints = field(init=False)
    alerts: AlertEndpoints = field(init=False)

    def __post_init__(self) -> None:
        records = RiskRecords(self.database)
        self.alerts = AlertEndpoints(records=AlertRecords(self.database), clock=self.clock, ids=self.ids)
        self.endpoints = Endpoints(records=records, clock=self.clock, ids=self.ids, key=KEY, touch=self.alerts.touch)

    def restarted(self) -> Desk:
        """Return a service that has just started on the same database."""
        return Desk(self.database, clock=self.clock, feed_id=self.feed_id, owner_id=self.owner_id, cash=self.cash)

    @property
    def owner(self) -> Context:
        """The person whose accounts these are."""
        return acting(self.owner_id)

    async def open_account(self, *, cash: str = "100000") -> UUID:
        """Open an account of the owner on the desk's feed."""
        account_id = self.ids.new()
        event = AccountOpened(
            account_id=account_id,
            owner_id=self.owner_id,
            mode=AccountMode.PAPER,
            currency="USD",
            starting_cash=Decimal(cash),
            feed_id=self.feed_id,
        )
        self.cash[account_id] = Decimal(cash)
        await self.endpoints.on_account_opened(delivery_of(event, aggregate_id=account_id))
        return account_id

    async def mark(self, seq: int = 1, **prices: str) -> messages.MarkedView:
        """Mark the feed's prices."""
        marks = tuple(messages.MarkPrice(symbol=symbol, price=Decimal(price)) for symbol, price in prices.items())
        command = messages.MarkPrices(feed_id=self.feed_id, seq=seq, at=self.clock.now(), prices=marks)
        return await self.endpoints.mark_prices(command, self.owner)

    def order(self, account_id: UUID, side: Side, qty: str, limit: str | None = None, **more: Any) -> OrderTerms:  # noqa: ANN401 - any field of the terms
        """Return terms of an order for AAPL: a limit order where a limit is given, else a market order."""
        order_id = self.ids.new()
        fields = {
            "order_id": order_id,
            "client_order_id": f"c-{order_id}",
            "account_id": account_id,
            "symbol": "AAPL",
            "side": side,
            "type": OrderType.MARKET if limit is None else OrderType.LIMIT,
            "time_in_force": TimeInForce.DAY,
            "qty": Decimal(qty),
            "limit_price": None if limit is None else Decimal(limit),
        }
        return OrderTerms(**{**fields, **more})

    async def assess(self, *orders: OrderTerms) -> list[Outcome]:
        """Have a batch of orders assessed."""
        return list(await self.endpoints.assess_orders([(messages.AssessOrder(terms=o), self.owner) for o in orders]))

    async def decided(self, order: OrderTerms) -> Outcome:
        """Have an order assessed, asking again where the database was too busy: it decides once, whoever repeats."""
        while True:
            try:
                (outcome,) = await self.assess(order)
            except AlphintraError as error:
                if error.code != "STORE_BUSY":
                    raise
            else:
                if not (isinstance(outcome, AlphintraError) and outcome.code == "STORE_BUSY"):
                    return outcome

    async def renew(self, terms: OrderTerms) -> Outcome:
        """Have one approval renewed."""
        (outcome,) = await self.endpoints.renew_approvals([(messages.RenewApproval(terms=terms), self.owner)])
        return outcome

    async def approved(self, terms: OrderTerms) -> Approval:
        """Have an order assessed that must be approved."""
        (outcome,) = await self.assess(terms)
        return approval_of(outcome)

    async def kill(self, state: str, account_id: UUID | None = None) -> messages.KillStateView:
        """Set a kill state as the operator."""
        scope = "firm" if account_id is None else "account"
        command = messages.SetKillState(scope=scope, state=state, reason="drill", account_id=account_id)
        return await self.endpoints.set_kill_state(command, operator())

    async def limit(self, account_id: UUID, **limits: Any) -> messages.LimitsView:  # noqa: ANN401 - any limit
        """Set limits; those not given are wide."""
        wide = Decimal(10_000_000)
        fields = {"order_qty_max": wide, "order_notional_max": wide, "position_qty_max": wide, **limits}
        return await self.endpoints.set_limits(messages.SetLimits(account_id=account_id, **fields), self.owner)

    async def confirm(self, terms: OrderTerms, approval: Approval) -> None:
        """Tell that trading accepted an order."""
        event = OrderSubmitted(owner_id=self.owner_id, book_id=None, terms=terms, approval=approval)
        await self.endpoints.on_order_submitted(delivery_of(event, aggregate_id=terms.order_id))

    def fill_event(self, terms: OrderTerms, qty: str, price: str, *, fee: str = "0", fee_qty: str = "0") -> FillBooked:
        """Return the event of an execution of an order."""
        change = cash_delta(terms.side, Decimal(qty), price=Decimal(price), fee=Decimal(fee))
        self.cash[terms.account_id] += change
        execution = ExecutionView(
            execution_id=f"x-{self.ids.new()}",
            order_id=terms.order_id,
            account_id=terms.account_id,
            book_id=None,
            symbol=terms.symbol,
            side=terms.side,
            qty=Decimal(qty),
            price=Decimal(price),
            fee=Decimal(fee),
            realized_pnl=Decimal(0),
            executed_at=self.clock.now(),
            booked_at=self.clock.now(),
            fee_qty=Decimal(fee_qty),
        )
        return FillBooked(
            owner_id=self.owner_id,
            execution=execution,
            order_status=OrderStatus.PARTIALLY_FILLED,
            account_qty=Decimal(0),
            cash=self.cash[terms.account_id],
        )

    async def fill(self, terms: OrderTerms, qty: str, price: str, *, fee: str = "0", fee_qty: str = "0") -> str:
        """Tell that trading booked an execution; returns its id."""
        event = self.fill_event(terms, qty, price, fee=fee, fee_qty=fee_qty)
        await self.endpoints.on_fill_booked(delivery_of(event, aggregate_id=terms.order_id))
        return event.execution.execution_id

    async def close(self, terms: OrderTerms, *, filled: str = "0") -> None:
        """Tell that an order closed."""
        view = OrderView(
            order_id=terms.order_id,
            client_order_id=terms.client_order_id,
            account_id=terms.account_id,
            book_id=None,
            symbol=terms.symbol,
            side=terms.side,
            type=terms.type,
            time_in_force=terms.time_in_force,
            qty=terms.qty,
            limit_price=terms.limit_price,
            status=OrderStatus.CANCELED,
            filled_qty=Decimal(filled),
            filled_avg_price=None,
            reason_code="",
            reason="",
            decision_id=None,
            version=3,
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )
        event = OrderClosed(owner_id=self.owner_id, order=view)
        await self.endpoints.on_order_closed(delivery_of(event, aggregate_id=terms.order_id))

    async def state(self, account_id: UUID) -> messages.RiskStateView:
        """Return what risk holds for an account."""
        return await self.endpoints.get_risk_state(messages.GetRiskState(account_id=account_id), self.owner)

    async def events(self, name: str) -> list[str]:
        """Return the payloads of the events told under a name, oldest first."""
        return [row["payload"] for row in await self.stored("event_log", "payload", f"subject = 'risk.evt.{name}'")]

    async def stored(self, table: str, columns: str, condition: str = "true") -> list[Any]:
        """Look into a table behind the service's back."""
        async with self.database._acquired() as connection:
            rows: list[Any] = await connection.fetch(f"select {columns} from {table} where {condition}")  # noqa: S608
            return rows


def amounts(*values: str) -> tuple[Decimal, ...]:
    """Return amounts to compare with."""
    return tuple(Decimal(value) for value in values)


def operator() -> Context:
    """Return the local operator."""
    return acting(None, roles=("operator",))


def approval_of(outcome: Outcome) -> Approval:
    """Return the approval of an order that must have been approved."""
    assert isinstance(outcome, messages.Assessment), outcome
    assert outcome.findings == ()
    assert outcome.approval is not None
    return outcome.approval


def codes_of(outcome: Outcome) -> list[str]:
    """Return the codes an order was refused with."""
    assert isinstance(outcome, messages.Assessment), outcome
    assert (outcome.approval is None) == bool(outcome.findings)
    return [finding.code for finding in outcome.findings]


def is_valid(terms: OrderTerms, approval: Approval) -> bool:
    """Tell what the broker would: signed by risk, and over these terms."""
    signed = KEY.verify_key.is_signed(seal_bytes(approval.seal), approval.signature)
    return signed and is_covered(terms, approval)


async def report(desk: Desk, instance: str, *deployments: UUID) -> messages.ReportedView:
    """Let an instance of strategy tell which deployments it runs."""
    endpoints = ControlEndpoints(records=RiskRecords(desk.database), clock=desk.clock, ids=desk.ids)
    command = messages.ReportInstance(
        service="strategy", instance=instance, build="1", config_hash="c", deployments=deployments
    )
    return await endpoints.report_instance(command, operator())
