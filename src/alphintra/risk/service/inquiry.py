"""Questions asked afterwards: why an order was decided so, which limits held when, what waits for a second person."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.contracts.assessments import Finding, LimitVersionsView, OrderDecisionsView, OrderDecisionView
from alphintra.contracts.controls import LimitProposalsView, LimitProposalView, OverridesView, OverrideView
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.risk.repository import Governance
from alphintra.risk.service.views import limits_view, require_visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.contracts.risk import GetDecisions, ListLimits, ListOverrides, ListProposals
    from alphintra.kernel.messages import Context
    from alphintra.risk.domain.books import LimitSet
    from alphintra.risk.repository import RiskRecords

__all__ = ["get_decisions", "list_limits", "list_overrides", "list_proposals"]

LISTED_MAX = 1000
_GOVERNS = {"owner", "operator"}
_OWN = {"inputs", "inputs_hash", "findings"}  # columns that are not shown as they are stored
_SECRET = {"restriction"}  # why a symbol is restricted is for compliance, not for the trader
_findings = msgspec.json.Decoder(tuple[Finding, ...]).decode
_encode = msgspec.json.Encoder(order="sorted").encode


async def get_decisions(command: GetDecisions, context: Context, *, records: RiskRecords) -> OrderDecisionsView:
    """Return every decision on an order, newest first. Raises ORDER_NOT_FOUND, also for another's, or AUTH_SCOPE."""
    async with records.transaction() as tx:
        rows = await Governance(tx.session).decisions(OrderId(command.order_id), count_max=LISTED_MAX)
    missing = AlphintraError("ORDER_NOT_FOUND", f"risk never decided on order {command.order_id}", kind=Kind.NOT_FOUND)
    if not rows:
        raise missing
    account_id = AccountId(rows[0]["account_id"])
    try:
        require_visible(await records.account(account_id), account_id, context)
    except AlphintraError as error:
        if error.code != "ACCOUNT_NOT_FOUND":
            raise
        raise missing from None
    decisions = []
    for row in rows:
        kept = {name: value for name, value in row.items() if name not in _OWN}
        is_intact = _is_as_stored(row["inputs"], row["inputs_hash"])
        inputs = _shown(row["inputs"], context)
        decisions.append(
            OrderDecisionView(**kept, findings=_findings(row["findings"]), inputs=inputs, is_intact=is_intact)
        )
    return OrderDecisionsView(decisions=tuple(decisions))


async def list_limits(command: ListLimits, context: Context, *, records: RiskRecords) -> LimitVersionsView:
    """Return the limit sets an account had, newest first. Raises ACCOUNT_NOT_FOUND and LIMIT_RANGE."""
    account_id = await _asked(command, context, records=records)
    async with records.transaction() as tx:
        versions = await Governance(tx.session).limit_versions(account_id, count_max=command.limit)
    return LimitVersionsView(versions=tuple(limits_view(limits) for limits in versions))


async def list_proposals(command: ListProposals, context: Context, *, records: RiskRecords) -> LimitProposalsView:
    """Return proposed limits of an account, newest first. Raises ACCOUNT_NOT_FOUND and LIMIT_RANGE."""
    account_id = await _asked(command, context, records=records)
    async with records.transaction() as tx:
        rows = await Governance(tx.session).proposals(account_id, open_only=command.open_only, count_max=command.limit)
    return LimitProposalsView(proposals=tuple(_proposal_view(row, wanted) for row, wanted in rows))


async def list_overrides(
    command: ListOverrides, context: Context, *, records: RiskRecords, at: datetime
) -> OverridesView:
    """Return leave asked for on an account, newest first. Raises ACCOUNT_NOT_FOUND and LIMIT_RANGE."""
    account_id = await _asked(command, context, records=records)
    async with records.transaction() as tx:
        rows = await Governance(tx.session).overrides(
            account_id, open_only=command.open_only, count_max=command.limit, at=at
        )
    return OverridesView(overrides=tuple(OverrideView(**{**row, "codes": tuple(row["codes"])}) for row in rows))


def _proposal_view(row: Mapping[str, Any], wanted: LimitSet) -> LimitProposalView:
    told = {name: value for name, value in row.items() if name != "wanted"}
    return LimitProposalView(**told, reason=wanted.reason, wanted=limits_view(wanted))


async def _asked(
    command: ListLimits | ListProposals | ListOverrides, context: Context, *, records: RiskRecords
) -> AccountId:
    if not 0 < command.limit <= LISTED_MAX:
        raise AlphintraError("LIMIT_RANGE", f"limit is 1 to {LISTED_MAX}", pointer="/limit")
    account_id = AccountId(command.account_id)
    require_visible(await records.account(account_id), account_id, context)
    return account_id


def _is_as_stored(inputs: str, digest: bytes | None) -> bool:
    """Tell whether inputs are what their hash was taken over; the database spells documents its own way."""
    return digest is None or sha256(_encode(msgspec.json.decode(inputs))).digest() == digest


def _shown(inputs: str, context: Context) -> str:
    if _GOVERNS & set(context.actor.roles):
        return inputs
    found = msgspec.json.decode(inputs)
    return _encode({name: value for name, value in found.items() if name not in _SECRET}).decode()
