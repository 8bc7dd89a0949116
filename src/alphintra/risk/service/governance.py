"""Use cases of what people set: limits by two, shared limits, instruments, restrictions, blocks lifted, leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.contracts.controls import (
    InstrumentView,
    LatchesView,
    LatchView,
    LimitProposalView,
    OverrideView,
    RestrictionsView,
    RestrictionView,
    SharedLimitView,
)
from alphintra.contracts.risk import ControlChanged, OrdersBarred
from alphintra.engine.pretrade.assessment import SOFT_CODES
from alphintra.engine.pretrade.values import plain
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.kernel.authority import require_all_accounts, require_for_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.messages import View
from alphintra.kernel.money import require_positive
from alphintra.risk.domain.books import LimitSet
from alphintra.risk.domain.controls import SYMBOL
from alphintra.risk.domain.rules import check_reason, next_limits, require_base
from alphintra.risk.repository import Governance
from alphintra.risk.service.kills import FIRM
from alphintra.risk.service.rules import put_in_force
from alphintra.risk.service.views import limits_view, require_visible

if TYPE_CHECKING:
    from alphintra.contracts import risk as messages
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.risk.repository import RiskRecords, RiskTransaction

__all__ = [
    "approve_override",
    "decide_limits",
    "get_instrument",
    "get_shared_limit",
    "lift_latch",
    "lift_restriction",
    "list_latches",
    "list_restrictions",
    "propose_limits",
    "request_override",
    "restrict_symbol",
    "set_instrument",
    "set_shared_limit",
]

OVERRIDE_LIFE = timedelta(hours=1)
PERCENT_MAX = 100
_GOVERNS = {"owner", "operator"}
_SHARED = ("credit_max", "four_eyes_above", "credit_warn_pct")


async def propose_limits(
    command: messages.ProposeLimits, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> LimitProposalView:
    """Keep limits that wait for a second person.

    Raises ACCOUNT_NOT_FOUND, VERSION_CONFLICT, LIMIT_* and NUMBER_*.
    """
    account_id = AccountId(command.account_id)
    require_visible(await records.account(account_id), account_id, context)
    proposal_id = ids.new()
    async with records.transaction() as tx:
        current = await tx.limits(account_id)
        if current is None:
            raise _missing("RISK_LIMITS_MISSING", f"account {account_id} has no limit set")
        require_base(current.version, command.base_version)
        wanted = replace(
            current,
            order_qty_max=command.order_qty_max,
            order_notional_max=command.order_notional_max,
            position_qty_max=command.position_qty_max,
            may_short=command.may_short,
            controls=command.controls,
            reason=check_reason(command.reason) if command.reason else "",
        )
        next_limits(current, wanted)  # refuses limits that are none
        wanted = replace(wanted, set_by=context.actor.id, set_at=at)
        await Governance(tx.session).propose(proposal_id, wanted, at=at)
        view = LimitProposalView(
            proposal_id=proposal_id,
            account_id=account_id,
            proposed_by=context.actor.id,
            proposed_at=at,
            reason=wanted.reason,
            wanted=limits_view(wanted),
        )
        told = ControlChanged(kind="limits", key=str(proposal_id), change="proposed", account_id=account_id)
        await _tell(tx, told, context, ids=ids, at=at)
    return view


async def decide_limits(
    command: messages.DecideLimits, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> LimitProposalView:
    """Approve or decline proposed limits. Raises PROPOSAL_NOT_FOUND, PROPOSAL_DECIDED, RISK_ROLE, SOD_VIOLATION."""
    _require_governing(context)
    async with records.transaction() as tx:
        governance = Governance(tx.session)
        found = await governance.proposal(command.proposal_id)
        if found is None:
            raise _missing("PROPOSAL_NOT_FOUND", f"there is no proposal {command.proposal_id}")
        row, wanted = found
        await _require_reach(tx, wanted.account_id, context)
        if row["is_approved"] is not None:
            raise AlphintraError("PROPOSAL_DECIDED", "the proposal was decided before", kind=Kind.CONFLICT)
        by = context.actor.id
        if command.is_approved and by == row["proposed_by"]:
            raise _same_person("the person who proposed limits cannot approve them")
        await governance.decide_proposal(command.proposal_id, by=by, at=at, is_approved=command.is_approved)
        if command.is_approved:
            await tx.lock_accounts([wanted.account_id])
            current = await tx.limits(wanted.account_id)
            if current is None:
                raise _missing("RISK_LIMITS_MISSING", f"account {wanted.account_id} has no limit set")
            await put_in_force(tx, current, _following(current, wanted, at=at), context, ids=ids)
        change = "approved" if command.is_approved else "declined"
        told = ControlChanged(kind="limits", key=str(command.proposal_id), change=change, account_id=wanted.account_id)
        await _tell(tx, told, context, ids=ids, at=at)
    return LimitProposalView(
        proposal_id=command.proposal_id,
        account_id=wanted.account_id,
        proposed_by=row["proposed_by"],
        proposed_at=row["proposed_at"],
        decided_by=by,
        is_approved=command.is_approved,
        reason=wanted.reason,
        wanted=limits_view(wanted),
    )


def _following(current: LimitSet, wanted: LimitSet, *, at: datetime) -> LimitSet:
    return replace(wanted, version=current.version + 1, set_at=at)


async def set_shared_limit(
    command: messages.SetSharedLimit, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> SharedLimitView:
    """Set the credit of a user or of the firm, and from which order value on limits take two people.

    The same again changes nothing. Raises RISK_ROLE, LIMIT_SCOPE, VERSION_CONFLICT, LIMIT_RANGE, QTY_NOT_POSITIVE and
    NUMBER_*.
    """
    owner_id, by = _sharing(command, context), context.actor.id
    for name, amount in (("credit_max", command.credit_max), ("four_eyes_above", command.four_eyes_above)):
        if amount is not None:
            require_positive(amount, pointer=f"/{name}")
    if require_positive(command.credit_warn_pct, pointer="/credit_warn_pct") > PERCENT_MAX:
        message = f"credit_warn_pct is {plain(command.credit_warn_pct)}: warn at up to 100 percent of a limit"
        raise AlphintraError("LIMIT_RANGE", message, pointer="/credit_warn_pct")
    async with records.transaction() as tx:
        await tx.close_gate()
        governance = Governance(tx.session)
        current = await governance.shared(command.scope, owner_id)
        amounts = (command.credit_max, command.four_eyes_above, command.credit_warn_pct)
        if current is not None and tuple(current[name] for name in _SHARED) == amounts:
            return SharedLimitView(**{**current, "owner_id": command.owner_id})
        last = 0 if current is None else current["version"]
        require_base(last, command.base_version)
        version = last + 1
        await governance.add_shared(command.scope, owner_id, version, *amounts, by, at)
        told = ControlChanged(kind="shared_limit", key=f"{command.scope}:{owner_id}", change=f"version {version}")
        await _tell(tx, told, context, ids=ids, at=at)
    return SharedLimitView(
        scope=command.scope,
        owner_id=command.owner_id,
        version=version,
        credit_max=command.credit_max,
        four_eyes_above=command.four_eyes_above,
        credit_warn_pct=command.credit_warn_pct,
        set_by=by,
        set_at=at,
    )


async def get_shared_limit(
    command: messages.GetSharedLimit, context: Context, *, records: RiskRecords
) -> SharedLimitView:
    """Return the shared limits of a user or of the firm in force.

    Raises RISK_ROLE, LIMIT_SCOPE, and SHARED_LIMIT_NOT_FOUND where none were ever set.
    """
    owner_id = _sharing(command, context)
    async with records.transaction() as tx:
        row = await Governance(tx.session).shared(command.scope, owner_id)
    if row is None:
        whose = "the firm" if command.owner_id is None else f"user {command.owner_id}"
        raise _missing("SHARED_LIMIT_NOT_FOUND", f"no shared limits were ever set for {whose}: nothing is limited")
    return SharedLimitView(**{**row, "owner_id": command.owner_id})


def _sharing(command: messages.GetSharedLimit | messages.SetSharedLimit, context: Context) -> UUID:
    """Return whom the shared limits of a question are kept under. Raises RISK_ROLE, LIMIT_SCOPE and AUTH_SCOPE."""
    _require_governing(context)
    if command.scope not in {"firm", "user"} or (command.scope == "user") != (command.owner_id is not None):
        message = "the scope is firm without owner_id, or user with owner_id"
        raise AlphintraError("LIMIT_SCOPE", message, pointer="/scope")
    require_all_accounts(context.actor, f"the credit of the {command.scope} reaches further", pointer="/scope")
    return command.owner_id or FIRM


async def set_instrument(
    command: messages.SetInstrument, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> InstrumentView:
    """Store a new version of a symbol's specification.

    Raises RISK_ROLE, INSTRUMENT_SYMBOL, INSTRUMENT_CONFLICT, QTY_NOT_POSITIVE and NUMBER_*.
    """
    _require_governing(context)
    require_all_accounts(context.actor, "a specification holds for all")
    _require_symbol(command.symbol)
    for name in ("tick", "lot", "qty_min", "qty_max", "multiplier", "collar_pct", "collar_abs"):
        amount: Decimal | None = getattr(command, name)
        if amount is not None:
            require_positive(amount, pointer=f"/{name}")
    terms = msgspec.structs.asdict(command)
    terms.pop("symbol")
    async with records.transaction() as tx:
        governance = Governance(tx.session)
        current = await governance.instrument(command.symbol)
        version = 1 if current is None else current["version"] + 1
        if not await governance.add_instrument(command.symbol, version, terms=terms, by=context.actor.id, at=at):
            message = f"the specification of {command.symbol} was changed meanwhile: read it and set it again"
            raise AlphintraError("INSTRUMENT_CONFLICT", message, kind=Kind.CONFLICT)
        told = ControlChanged(kind="instrument", key=command.symbol, change=f"version {version}")
        await _tell(tx, told, context, ids=ids, at=at)
    return InstrumentView(symbol=command.symbol, version=version, **terms)


async def get_instrument(command: messages.GetInstrument, *, records: RiskRecords) -> InstrumentView:
    """Return the specification of a symbol in force. Raises INSTRUMENT_NOT_FOUND."""
    async with records.transaction() as tx:
        row = await Governance(tx.session).instrument(command.symbol)
    if row is None:
        raise _missing("INSTRUMENT_NOT_FOUND", f"{command.symbol[:40]} has no specification")
    terms = {**msgspec.json.decode(row["terms"]), "symbol": row["symbol"], "version": row["version"]}
    return msgspec.convert(terms, InstrumentView, strict=False)


async def restrict_symbol(
    command: messages.RestrictSymbol, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> RestrictionView:
    """Put a symbol on the restricted list, from the next order on, and have the open orders in it canceled.

    Raises RISK_ROLE, INSTRUMENT_SYMBOL, KILL_REASON, ACCOUNT_NOT_FOUND or AUTH_SCOPE.
    """
    _require_governing(context)
    _require_symbol(command.symbol)
    if command.account_id is not None:
        account_id = AccountId(command.account_id)
        require_visible(await records.account(account_id), account_id, context)
    else:
        require_all_accounts(context.actor, "a restriction for all reaches further", pointer="/account_id")
    view = RestrictionView(
        restriction_id=ids.new(),
        symbol=command.symbol,
        account_id=command.account_id,
        reason=check_reason(command.reason),
        set_by=context.actor.id,
        set_at=at,
    )
    async with records.transaction() as tx:
        await tx.close_gate()  # what is being judged under the former list is judged before
        await Governance(tx.session).restrict(
            view.restriction_id, view.symbol, view.account_id, view.reason, view.set_by, at
        )
        told = ControlChanged(kind="restriction", key=view.symbol, change="set", account_id=view.account_id)
        await _tell(tx, told, context, ids=ids, at=at, detail=view)
        barred = OrdersBarred(code="RISK_RESTRICTED", account_id=view.account_id, symbols=(view.symbol,))
        aggregate_id = view.account_id or FIRM
        await append_event(tx.session, barred, ids=ids, aggregate_id=aggregate_id, context=context, at=at)
    return view


async def lift_restriction(
    command: messages.LiftRestriction, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> RestrictionView:
    """Take a restriction off the list. Raises RISK_ROLE, RESTRICTION_NOT_FOUND and AUTH_SCOPE."""
    _require_governing(context)
    async with records.transaction() as tx:
        row = await Governance(tx.session).lift_restriction(command.restriction_id, by=context.actor.id, at=at)
        if row is None:
            raise _missing("RESTRICTION_NOT_FOUND", f"no restriction {command.restriction_id} is in force")
        view = RestrictionView(**row)
        await _require_reach(tx, view.account_id, context)
        told = ControlChanged(kind="restriction", key=view.symbol, change="lifted", account_id=view.account_id)
        await _tell(tx, told, context, ids=ids, at=at, detail=view)
    return view


async def list_restrictions(context: Context, *, records: RiskRecords) -> RestrictionsView:
    """Return the restrictions in force; their reasons are not for traders. Raises RISK_ROLE."""
    _require_governing(context)
    async with records.transaction() as tx:
        rows = await Governance(tx.session).restrictions()
    return RestrictionsView(restrictions=tuple(RestrictionView(**row) for row in rows))


async def list_latches(command: messages.ListLatches, context: Context, *, records: RiskRecords) -> LatchesView:
    """Return the blocks in force for an account. Raises ACCOUNT_NOT_FOUND."""
    account_id = AccountId(command.account_id)
    require_visible(await records.account(account_id), account_id, context)
    async with records.transaction() as tx:
        rows = await Governance(tx.session).latches(account_id)
    return LatchesView(latches=tuple(LatchView(**row) for row in rows))


async def lift_latch(
    command: messages.LiftLatch, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> LatchView:
    """Lift a block; lifting it again changes nothing. Raises RISK_ROLE, LATCH_NOT_FOUND, KILL_REASON, AUTH_SCOPE."""
    _require_governing(context)
    reason, by = check_reason(command.reason), context.actor.id
    async with records.transaction() as tx:
        governance = Governance(tx.session)
        row = await governance.lift_latch(command.latch_id, by=by, reason=reason, at=at)
        if row is None:
            row = await governance.find_latch(command.latch_id)
            if row is None:
                raise _missing("LATCH_NOT_FOUND", f"there is no block {command.latch_id}")
            await _require_reach(tx, row["account_id"], context)
            return LatchView(**row)
        await _require_reach(tx, row["account_id"], context)
        told = ControlChanged(kind="latch", key=row["code"], change="lifted", account_id=row["account_id"])
        await _tell(tx, told, context, ids=ids, at=at, detail={"latch_id": row["latch_id"], "reason": reason})
    return LatchView(**row)


async def request_override(
    command: messages.RequestOverride, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> OverrideView:
    """Ask for leave to place an order of a refused one's content, once.

    Raises ORDER_NOT_FOUND, OVERRIDE_HARD where a hard control refused it, KILL_REASON.
    """
    reason = check_reason(command.reason)
    async with records.transaction() as tx:
        governance = Governance(tx.session)
        row = await governance.refused(OrderId(command.order_id))
        if row is None:
            raise _missing("ORDER_NOT_FOUND", f"risk never decided on order {command.order_id}")
        account_id = AccountId(row["account_id"])
        require_visible(await records.account(account_id), account_id, context)
        codes = tuple(item["code"] for item in msgspec.json.decode(row["findings"]))
        hard = [code for code in codes if code not in SOFT_CODES]
        if row["approved"] or hard or not row["content"]:
            what = f"by {', '.join(hard)}, which nobody can let pass" if hard else "by no control"
            raise AlphintraError("OVERRIDE_HARD", f"the order was refused {what}", kind=Kind.CONFLICT)
        view = OverrideView(
            override_id=ids.new(),
            account_id=account_id,
            order_id=command.order_id,
            codes=codes,
            reason=reason,
            requested_by=context.actor.id,
            expires_at=at + OVERRIDE_LIFE,
        )
        await governance.add_override(
            view.override_id,
            account_id,
            view.order_id,
            row["content"],
            list(codes),
            reason,
            view.requested_by,
            at,
            view.expires_at,
        )
        told = ControlChanged(kind="override", key=str(view.override_id), change="requested", account_id=account_id)
        await _tell(tx, told, context, ids=ids, at=at, detail=view)
    return view


async def approve_override(
    command: messages.ApproveOverride, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> OverrideView:
    """Give leave another person asked for. Raises RISK_ROLE, OVERRIDE_NOT_FOUND, OVERRIDE_EXPIRED, SOD_VIOLATION."""
    _require_governing(context)
    async with records.transaction() as tx:
        governance = Governance(tx.session)
        row = await governance.override(command.override_id)
        if row is None:
            raise _missing("OVERRIDE_NOT_FOUND", f"there is no request {command.override_id}")
        await _require_reach(tx, row["account_id"], context)
        if row["requested_by"] == context.actor.id:
            raise _same_person("the person who asked for leave cannot give it")
        if row["expires_at"] <= at:
            raise AlphintraError("OVERRIDE_EXPIRED", "the request expired: ask again", kind=Kind.CONFLICT)
        if row["approved_by"] is None:
            await governance.approve_override(command.override_id, by=context.actor.id, at=at)
            told = ControlChanged(
                kind="override", key=str(command.override_id), change="approved", account_id=row["account_id"]
            )
            await _tell(tx, told, context, ids=ids, at=at)
    facts = {**row, "codes": tuple(row["codes"]), "approved_by": row["approved_by"] or context.actor.id}
    return OverrideView(**facts)


async def _tell(
    tx: RiskTransaction,
    told: ControlChanged,
    context: Context,
    *,
    ids: IdSource,
    at: datetime,
    detail: View | dict[str, object] | None = None,
) -> None:
    aggregate_id: UUID = told.account_id or FIRM
    await append_event(tx.session, told, ids=ids, aggregate_id=aggregate_id, context=context, at=at)
    subject = f"{told.kind}:{told.key}"
    await append_audit(
        tx.session, f"{told.kind}.{told.change.split()[0]}", subject, detail or told, ids=ids, context=context, at=at
    )


async def _require_reach(tx: RiskTransaction, account_id: UUID | None, context: Context) -> None:
    """Refuse a key on an account it is not for, or on what holds for all. Raises AUTH_SCOPE."""
    if account_id is None:
        require_all_accounts(context.actor, "this holds for all accounts")
        return
    account = await tx.account(AccountId(account_id))
    if account is not None:
        require_for_account(context.actor, account.account_id, account.mode)


def _require_governing(context: Context) -> None:
    if not _GOVERNS & set(context.actor.roles):
        raise AlphintraError("RISK_ROLE", "only an owner or operator may do this", kind=Kind.FORBIDDEN)


def _require_symbol(symbol: str) -> None:
    if not SYMBOL.fullmatch(symbol):
        message = f"{symbol[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
        raise AlphintraError("INSTRUMENT_SYMBOL", message, pointer="/symbol")


def _missing(code: str, message: str) -> AlphintraError:
    return AlphintraError(code, message, kind=Kind.NOT_FOUND)


def _same_person(message: str) -> AlphintraError:
    return AlphintraError("SOD_VIOLATION", message, kind=Kind.FORBIDDEN)
