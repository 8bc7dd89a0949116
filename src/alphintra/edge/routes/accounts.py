"""Accounts and all that is kept for one: positions, executions, ledger, risk, limits, venue."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from fastapi import Depends, Query
from starlette.requests import Request

from alphintra.contracts.books import ExecutionsView, LedgerView, PositionsView
from alphintra.contracts.broker import (
    ConnectionView,
    GetConnection,
    ListVenueOrders,
    PaperSettingsView,
    SetPaperSettings,
    VenueOrdersView,
)
from alphintra.contracts.orders import AccountsView, AccountView
from alphintra.contracts.oversight import GetLimitUse, LimitUsesView
from alphintra.contracts.risk import (
    AssessmentsView,
    GetLimits,
    GetRiskState,
    LimitsView,
    ListAssessments,
    ProposeLimits,
    RiskStateView,
    SetLimits,
)
from alphintra.contracts.trading import GetAccount, ListAccounts, ListExecutions, ListLedger, ListPositions, OpenAccount
from alphintra.edge.decoding import Amount, Label, plain_amount
from alphintra.edge.routing import Admin, Body, PageLimit, Reader, Routes, Trader
from alphintra.edge.step_up import require_recent_unless_paper
from alphintra.edge.versions import stated_version
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import AccountMode

__all__ = ["ControlsBody", "LimitsBody", "limits_command", "routes"]

C = TypeVar("C", SetLimits, ProposeLimits)

routes = Routes("accounts")


class AccountBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An account: paper with its price feed, or live, confirmed by its name written once more."""

    name: Label
    starting_cash: Amount
    feed_id: UUID | None = None
    currency: str = "USD"
    mode: AccountMode = AccountMode.PAPER
    confirm: str = ""
    key: str | None = None


class ControlsBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Limits beyond those every account has; null is not limited. docs/risk-controls.md says what each does."""

    price_collar_pct: Amount | None = None
    price_collar_abs: Amount | None = None
    price_drift_pct: Amount | None = None
    price_drift_window_s: int = 60
    price_age_max_s: int | None = None
    message_burst: int | None = None
    messages_per_s: Amount | None = None
    cancel_reserve: int = 0
    open_orders_max: int | None = None
    repeat_max: int | None = None
    repeat_window_s: int = 60
    duplicate_window_s: int | None = None
    credit_max: Amount | None = None
    gross_exposure_max: Amount | None = None
    net_exposure_max: Amount | None = None
    bucket_exposure_max: Amount | None = None
    daily_loss_max: Amount | None = None
    daily_loss_halt: Amount | None = None
    drawdown_max_pct: Amount | None = None
    drawdown_halt_pct: Amount | None = None
    fee_bps: Amount | None = None
    fee_per_unit: Amount | None = None
    fee_minimum: Amount | None = None
    symbols_allowed: tuple[str, ...] | None = None
    strategies_allowed: dict[str, str] | None = None
    is_self_match_refused: bool = False
    order_to_trade_max: Amount | None = None
    order_to_trade_window_s: int = 3600
    is_session_enforced: bool = False
    exposure_warn_pct: Amount | None = None
    message_warn_pct: Amount | None = None
    loss_warn_pct: Amount | None = None
    drawdown_warn_pct: Amount | None = None


class LimitsBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A whole limit set; it holds from the next order on. ``base_version`` is the version it builds on."""

    order_qty_max: Amount
    order_notional_max: Amount
    position_qty_max: Amount
    may_short: bool = False
    controls: ControlsBody = msgspec.field(default_factory=ControlsBody)
    base_version: int | None = None
    reason: str = ""


class PaperSettingsBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a paper account is traded; what is left out stays, or is the preset's: frictionless, realistic or harsh."""

    preset: Label | None = None
    slippage_bps: Amount | None = None
    commission_bps: Amount | None = None
    fee_per_share: Amount | None = None
    fee_minimum: Amount | None = None
    participation: Amount | None = None
    reject_bps: Amount | None = None
    latency_bars: int | None = None


@routes.get("/accounts")
async def list_accounts(caller: Reader) -> AccountsView:
    """List one's accounts with their cash."""
    return await caller.ask(ListAccounts())


@routes.post("/accounts", status=201)
async def open_account(caller: Trader, body: Annotated[AccountBody, Depends(Body(AccountBody))]) -> AccountView:
    """Open an account; it is active once risk has taken it up and broker has its feed or its connection."""
    if body.mode != AccountMode.PAPER:
        caller.require_recent()
    command = OpenAccount(
        name=str(body.name),
        starting_cash=Decimal(body.starting_cash),
        feed_id=body.feed_id,
        currency=body.currency,
        mode=body.mode,
        confirm=body.confirm,
        key=body.key,
    )
    return await caller.ask(command)


@routes.get("/accounts/{account_id}")
async def get_account(caller: Reader, account_id: UUID) -> AccountView:
    """Fetch an account."""
    return await caller.ask(GetAccount(account_id=account_id))


@routes.get("/accounts/{account_id}/positions")
async def list_positions(caller: Reader, account_id: UUID) -> PositionsView:
    """List net positions, flat ones included once they were traded."""
    return await caller.ask(ListPositions(account_id=account_id))


@routes.get("/accounts/{account_id}/executions")
async def list_executions(
    caller: Reader, account_id: UUID, book_id: UUID | None = None, limit: PageLimit = 1000
) -> ExecutionsView:
    """List executions, oldest first; of one deployment's book where given."""
    return await caller.ask(ListExecutions(account_id=account_id, book_id=book_id, limit=limit))


@routes.get("/accounts/{account_id}/ledger")
async def list_ledger(caller: Reader, account_id: UUID, limit: PageLimit = 1000) -> LedgerView:
    """List the double entries; their total is zero."""
    return await caller.ask(ListLedger(account_id=account_id, limit=limit))


@routes.get("/accounts/{account_id}/risk")
async def get_risk_state(caller: Reader, account_id: UUID) -> RiskStateView:
    """Fetch exposure, free cash and kill states as risk sees them."""
    return await caller.ask(GetRiskState(account_id=account_id))


@routes.get("/accounts/{account_id}/limits")
async def get_limits(caller: Reader, account_id: UUID) -> LimitsView:
    """Fetch the limit set in force; the ETag is its version."""
    found = await caller.ask(GetLimits(account_id=account_id))
    caller.headers["ETag"] = f'"{found.version}"'
    return found


@routes.put("/accounts/{account_id}/limits")
async def set_limits(
    caller: Admin, request: Request, account_id: UUID, body: Annotated[LimitsBody, Depends(Body(LimitsBody))]
) -> LimitsView:
    """Put a new limit set into force; with base_version or If-Match 412 where others are in force meanwhile."""
    await require_recent_unless_paper(caller, account_id)
    return await caller.ask(limits_command(SetLimits, account_id, body, request=request))


@routes.get("/accounts/{account_id}/assessments")
async def list_assessments(
    caller: Reader, account_id: UUID, limit: PageLimit = 100, *, refused_only: bool = False
) -> AssessmentsView:
    """List risk's decisions on the account's orders, newest first."""
    return await caller.ask(ListAssessments(account_id=account_id, limit=limit, refused_only=refused_only))


@routes.get("/accounts/{account_id}/limit-use")
async def get_limit_use(caller: Reader, account_id: UUID) -> LimitUsesView:
    """Tell how much of each limit is used, all working orders counted as filled."""
    return await caller.ask(GetLimitUse(account_id=account_id))


@routes.get("/accounts/{account_id}/connection")
async def get_connection(caller: Reader, account_id: UUID) -> ConnectionView:
    """Fetch how the account reaches its venue."""
    return await caller.ask(GetConnection(account_id=account_id))


@routes.put("/accounts/{account_id}/paper-settings")
async def set_paper_settings(
    caller: Trader, account_id: UUID, body: Annotated[PaperSettingsBody, Depends(Body(PaperSettingsBody))]
) -> PaperSettingsView:
    """Change costs, share of the volume, refusals and delays of a paper account, from its next step on."""
    command = SetPaperSettings(
        account_id=account_id,
        preset=None if body.preset is None else str(body.preset),
        slippage_bps=plain_amount(body.slippage_bps),
        commission_bps=plain_amount(body.commission_bps),
        fee_per_share=plain_amount(body.fee_per_share),
        fee_minimum=plain_amount(body.fee_minimum),
        participation=plain_amount(body.participation),
        reject_bps=plain_amount(body.reject_bps),
        latency_bars=body.latency_bars,
    )
    return await caller.ask(command)


@routes.get("/accounts/{account_id}/venue-orders")
async def list_venue_orders(
    caller: Reader,
    account_id: UUID,
    order_id: Annotated[UUID | None, Query(description="Only this order.")] = None,
    limit: PageLimit = 100,
) -> VenueOrdersView:
    """List what was sent to the venue, as the venue side knows it."""
    return await caller.ask(ListVenueOrders(account_id=account_id, limit=limit, order_id=order_id))


def limits_command(kind: type[C], account_id: UUID, body: LimitsBody, *, request: Request) -> C:
    """Return the command that sets or proposes the limits of a body."""
    return kind(
        account_id=account_id,
        order_qty_max=Decimal(body.order_qty_max),
        order_notional_max=Decimal(body.order_notional_max),
        position_qty_max=Decimal(body.position_qty_max),
        may_short=body.may_short,
        controls=_controls_of(body.controls),
        base_version=stated_version(request, body.base_version, pointer="/base_version"),
        reason=body.reason,
    )


def _controls_of(body: ControlsBody) -> LimitControls:
    """Return further limits as they travel: amounts plain, what is null as it is by default."""
    told: dict[str, Any] = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not None}
    plain: dict[str, Any] = {name: Decimal(v) if isinstance(v, Amount) else v for name, v in told.items()}
    return LimitControls(**plain)
