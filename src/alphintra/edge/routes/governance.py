"""What people set beside limits: shared credit, instruments, restrictions, blocks lifted, leave, sessions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends
from starlette.requests import Request

from alphintra.contracts.assessments import LimitVersionsView, OrderDecisionsView
from alphintra.contracts.controls import (
    InstrumentView,
    LatchesView,
    LatchView,
    LimitProposalsView,
    LimitProposalView,
    OverridesView,
    OverrideView,
    RestrictionsView,
    RestrictionView,
    SessionView,
    SharedLimitView,
)
from alphintra.contracts.risk import (
    ApproveOverride,
    DecideLimits,
    GetDecisions,
    GetInstrument,
    GetSharedLimit,
    KeepSession,
    LiftLatch,
    LiftRestriction,
    ListLatches,
    ListLimits,
    ListOverrides,
    ListProposals,
    ListRestrictions,
    ProposeLimits,
    ReportedView,
    ReportInstance,
    RequestOverride,
    RestrictSymbol,
    SetInstrument,
    SetSharedLimit,
)
from alphintra.edge.decoding import Amount, Label, plain_amount
from alphintra.edge.routes.accounts import LimitsBody, limits_command
from alphintra.edge.routing import Admin, Body, PageLimit, Reader, Routes, Trader
from alphintra.edge.versions import stated_version

__all__ = ["routes"]

routes = Routes("risk")


class DecisionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether proposed limits come into force."""

    is_approved: bool


class SharedLimitBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All limits a user's accounts or the firm's share; null lifts one, and none can be left out by oversight.

    ``four_eyes_above`` is the order value above which limits take two people; ``base_version`` is the version the
    change builds on, 0 for none; ``credit_warn_pct`` the share of the credit that raises an alert when crossed.
    """

    scope: str
    credit_max: Amount | None
    four_eyes_above: Amount | None
    owner_id: UUID | None = None
    base_version: int | None = None
    credit_warn_pct: Amount = msgspec.field(default_factory=lambda: Amount("80"))


class InstrumentBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A whole specification; what is null is not restricted."""

    tick: Amount | None = None
    lot: Amount | None = None
    qty_min: Amount | None = None
    qty_max: Amount | None = None
    multiplier: Amount | None = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    sector: str = ""
    asset_class: str = ""
    collar_pct: Amount | None = None
    collar_abs: Amount | None = None
    is_shortable: bool = True
    is_halted: bool = False


class RestrictionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to restrict, for one account or for all, and why; the reason is not told to traders."""

    symbol: Label
    reason: Label
    account_id: UUID | None = None


class ReasonBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why; it stays on record."""

    reason: Label


class OverrideBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The refused order, and why one like it is to pass."""

    order_id: UUID
    reason: Label


class SessionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The session and when it is lost; 0 closes it."""

    session_id: Label
    timeout_s: int


class InstanceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an instance of a service runs."""

    service: Label
    instance: Label
    build: Label
    config_hash: Label


@routes.post("/accounts/{account_id}/limit-proposals", status=201)
async def propose_limits(
    caller: Admin, request: Request, account_id: UUID, body: Annotated[LimitsBody, Depends(Body(LimitsBody))]
) -> LimitProposalView:
    """Propose limits that take two people; with base_version or If-Match 412 where other limits are in force."""
    return await caller.ask(limits_command(ProposeLimits, account_id, body, request=request))


@routes.post("/risk/limit-proposals/{proposal_id}/decision")
async def decide_limits(
    caller: Admin, proposal_id: UUID, body: Annotated[DecisionBody, Depends(Body(DecisionBody))]
) -> LimitProposalView:
    """Approve or decline proposed limits; whoever proposed them may only decline."""
    if body.is_approved:
        caller.require_recent()
    return await caller.ask(DecideLimits(proposal_id=proposal_id, is_approved=body.is_approved))


@routes.put("/risk/shared-limits")
async def set_shared_limit(
    caller: Admin, request: Request, body: Annotated[SharedLimitBody, Depends(Body(SharedLimitBody))]
) -> SharedLimitView:
    """Replace the shared limits of a user or of the firm: both amounts are named, null for not limited.

    With base_version or If-Match it is answered 412 where another version is in force.
    """
    caller.require_recent()
    command = SetSharedLimit(
        scope=body.scope,
        owner_id=body.owner_id,
        credit_max=plain_amount(body.credit_max),
        four_eyes_above=plain_amount(body.four_eyes_above),
        base_version=stated_version(request, body.base_version, pointer="/base_version"),
        credit_warn_pct=Decimal(body.credit_warn_pct),
    )
    return await caller.ask(command)


@routes.get("/risk/shared-limits")
async def get_shared_limit(caller: Admin, owner_id: UUID | None = None) -> SharedLimitView:
    """Fetch the shared limits in force of a user, or of the firm where none is named; the ETag is their version."""
    found = await caller.ask(GetSharedLimit(scope="firm" if owner_id is None else "user", owner_id=owner_id))
    caller.headers["ETag"] = f'"{found.version}"'
    return found


@routes.put("/risk/instruments/{symbol}")
async def set_instrument(
    caller: Admin, symbol: str, body: Annotated[InstrumentBody, Depends(Body(InstrumentBody))]
) -> InstrumentView:
    """Put a specification of a symbol into force."""
    command = SetInstrument(
        symbol=symbol,
        tick=plain_amount(body.tick),
        lot=plain_amount(body.lot),
        qty_min=plain_amount(body.qty_min),
        qty_max=plain_amount(body.qty_max),
        multiplier=plain_amount(body.multiplier) or Decimal(1),
        expires_at=body.expires_at,
        sector=body.sector,
        asset_class=body.asset_class,
        collar_pct=plain_amount(body.collar_pct),
        collar_abs=plain_amount(body.collar_abs),
        is_shortable=body.is_shortable,
        is_halted=body.is_halted,
    )
    return await caller.ask(command)


@routes.get("/risk/instruments/{symbol}")
async def get_instrument(caller: Reader, symbol: str) -> InstrumentView:
    """Fetch the specification of a symbol in force."""
    return await caller.ask(GetInstrument(symbol=symbol))


@routes.post("/risk/restrictions", status=201)
async def restrict_symbol(
    caller: Admin, body: Annotated[RestrictionBody, Depends(Body(RestrictionBody))]
) -> RestrictionView:
    """Put a symbol on the restricted list, from the next order on."""
    command = RestrictSymbol(symbol=str(body.symbol), reason=str(body.reason), account_id=body.account_id)
    return await caller.ask(command)


@routes.post("/risk/restrictions/{restriction_id}/lift")
async def lift_restriction(caller: Admin, restriction_id: UUID) -> RestrictionView:
    """Take a restriction off the list."""
    return await caller.ask(LiftRestriction(restriction_id=restriction_id))


@routes.get("/risk/restrictions")
async def list_restrictions(caller: Admin) -> RestrictionsView:
    """List the restrictions in force."""
    return await caller.ask(ListRestrictions())


@routes.get("/accounts/{account_id}/latches")
async def list_latches(caller: Reader, account_id: UUID) -> LatchesView:
    """List the blocks a named person has to lift."""
    return await caller.ask(ListLatches(account_id=account_id))


@routes.get("/orders/{order_id}/decisions")
async def get_decisions(caller: Reader, order_id: UUID) -> OrderDecisionsView:
    """Fetch every decision of risk on an order, with what each was made from."""
    return await caller.ask(GetDecisions(order_id=order_id))


@routes.get("/accounts/{account_id}/limit-versions")
async def list_limits(caller: Reader, account_id: UUID, limit: PageLimit = 100) -> LimitVersionsView:
    """List the limit sets the account had, newest first."""
    return await caller.ask(ListLimits(account_id=account_id, limit=limit))


@routes.get("/accounts/{account_id}/limit-proposals")
async def list_proposals(
    caller: Reader,
    account_id: UUID,
    open_only: bool = False,  # noqa: FBT001, FBT002 - FastAPI passes it by name
    limit: PageLimit = 100,
) -> LimitProposalsView:
    """List proposed limits, newest first."""
    return await caller.ask(ListProposals(account_id=account_id, open_only=open_only, limit=limit))


@routes.get("/accounts/{account_id}/overrides")
async def list_overrides(
    caller: Reader,
    account_id: UUID,
    open_only: bool = False,  # noqa: FBT001, FBT002 - FastAPI passes it by name
    limit: PageLimit = 100,
) -> OverridesView:
    """List leave asked for and given, newest first."""
    return await caller.ask(ListOverrides(account_id=account_id, open_only=open_only, limit=limit))


@routes.post("/risk/latches/{latch_id}/lift")
async def lift_latch(
    caller: Admin, latch_id: UUID, body: Annotated[ReasonBody, Depends(Body(ReasonBody))]
) -> LatchView:
    """Lift a block."""
    caller.require_recent()
    return await caller.ask(LiftLatch(latch_id=latch_id, reason=str(body.reason)))


@routes.post("/risk/overrides", status=201)
async def request_override(caller: Trader, body: Annotated[OverrideBody, Depends(Body(OverrideBody))]) -> OverrideView:
    """Ask for leave to place an order like a refused one, once."""
    return await caller.ask(RequestOverride(order_id=body.order_id, reason=str(body.reason)))


@routes.post("/risk/overrides/{override_id}/approve")
async def approve_override(caller: Admin, override_id: UUID) -> OverrideView:
    """Give leave another person asked for."""
    caller.require_recent()
    return await caller.ask(ApproveOverride(override_id=override_id))


@routes.put("/accounts/{account_id}/session")
async def keep_session(
    caller: Trader, account_id: UUID, body: Annotated[SessionBody, Depends(Body(SessionBody))]
) -> SessionView:
    """Be heard of; unless it is sent again in time, the account's orders are cancelled."""
    command = KeepSession(account_id=account_id, session_id=str(body.session_id), timeout_s=body.timeout_s)
    return await caller.ask(command)


@routes.put("/risk/fleet")
async def report_instance(caller: Admin, body: Annotated[InstanceBody, Depends(Body(InstanceBody))]) -> ReportedView:
    """Tell which build and configuration an instance runs; where instances differ nothing trades."""
    command = ReportInstance(
        service=str(body.service),
        instance=str(body.instance),
        build=str(body.build),
        config_hash=str(body.config_hash),
    )
    return await caller.ask(command)
