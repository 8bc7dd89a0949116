"""Use cases of the stream: orders and trades are copied as they are heard, and examined for what calls for a case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.contracts.risk import CaseOpened
from alphintra.contracts.trading import FillBooked, OrderClosed, OrderSubmitted
from alphintra.infrastructure.events import append_audit, append_event, receive_many
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.vocabulary import OrderStatus, OrderType
from alphintra.risk.domain import alerts as alert_domain
from alphintra.risk.domain.alerts import Raised, RuleName
from alphintra.risk.domain.surveillance.cases import Case, CaseState
from alphintra.risk.domain.surveillance.detectors import DETECTORS, detect
from alphintra.risk.domain.surveillance.parameters import BUILT_IN, LOOKBACK, REVIEWED_EVERY, Parameters
from alphintra.risk.domain.surveillance.stream import Action, ActionKind, Finding
from alphintra.risk.repository import AlertTransaction
from alphintra.risk.service.alerts import raise_alerts, service_context

if TYPE_CHECKING:
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.risk.repository import SurveillanceRecords, SurveillanceTransaction, Taken

__all__ = ["copy_actions", "ensure_parameters", "examine"]

TAKEN_MAX = 2_000
EXAMINED_MAX = 1_000  # actions of a person in a symbol that new ones are looked at together with
RATIO_OVER = timedelta(days=1)
_CONSUMER = "risk.surveillance"
_ENDED = {
    OrderStatus.CANCELED: ActionKind.CANCEL,
    OrderStatus.EXPIRED: ActionKind.EXPIRE,
    OrderStatus.REJECTED: ActionKind.REJECT,
}
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


async def copy_actions(deliveries: Sequence[Delivery[Any]], *, records: SurveillanceRecords, at: datetime) -> None:
    """Copy what trading tells of orders and trades, each event once, in one transaction."""
    async with records.transaction() as tx:
        fresh = await receive_many(tx.session, _CONSUMER, deliveries)
        actions = [action for action in map(_action, fresh) if action is not None]
        if actions:
            await tx.copy(actions, at=at)
        fault_point("risk.before_stream_commit")


async def ensure_parameters(*, records: SurveillanceRecords, at: datetime) -> None:
    """Store the built-in parameters as version 1 of each detector that has none; their review is due in a year."""
    async with records.transaction() as tx:
        known = await tx.parameters()
        for detector in DETECTORS:
            if detector not in known:
                await tx.add_parameters(_built_in(detector, at=at))


async def examine(*, records: SurveillanceRecords, ids: IdSource, at: datetime) -> int:
    """Take up the actions not seen yet, open the cases they call for and raise their alerts; returns how many cases.

    Seen and opened are one transaction: what fails is taken up again.
    """
    async with records.transaction() as tx:
        taken = await tx.take(count_max=TAKEN_MAX)
        raised = await _reviews_due(tx, at=at)
        opened = 0
        if taken:
            context = service_context(ids)
            parameters = await tx.parameters()
            fresh = Counter((one.owner_id, one.symbol) for one in taken)
            pairs = sorted(fresh)
            until = max(one.happened_at for one in taken)
            since = min(one.happened_at for one in taken) - LOOKBACK
            for pair in pairs:
                actions = await tx.of_person(pair, since=since, until=until, count_max=EXAMINED_MAX + fresh[pair])
                for detector in DETECTORS:
                    found = detect(detector, actions, parameters[detector].values)
                    for finding in found:
                        version = parameters[detector].version
                        opened += await _open(tx, finding, version=version, ids=ids, context=context, at=at)
            raised += await _ratios_and_lags(tx, taken, pairs, at=at)
        await raise_alerts(AlertTransaction(tx.session), raised, ids=ids, context=service_context(ids), at=at)
    return opened


async def _open(
    tx: SurveillanceTransaction, finding: Finding, *, version: int, ids: IdSource, context: Context, at: datetime
) -> bool:
    first, last = finding.evidence[0], finding.evidence[-1]
    case = Case(
        case_id=ids.new(),
        detector=finding.detector,
        parameter_version=version,
        owner_id=first.owner_id,
        symbol=first.symbol,
        summary=finding.summary,
        first_at=min(action.happened_at for action in finding.evidence),
        last_at=max(last.happened_at, first.happened_at),
        state=CaseState.OPEN,
        opened_at=at,
    )
    evidence = _encode(finding.evidence)
    is_new = await tx.open_case(
        case, anchor=finding.anchor, evidence=evidence.decode(), digest=sha256(evidence).digest()
    )
    if is_new:
        told = CaseOpened(case_id=case.case_id, detector=case.detector, owner_id=case.owner_id, symbol=case.symbol)
        await append_event(tx.session, told, ids=ids, aggregate_id=case.case_id, context=context, at=at)
        subject = f"case:{case.case_id}"
        await append_audit(tx.session, "case.open", subject, told, ids=ids, context=context, at=at)
    return is_new


async def _ratios_and_lags(
    tx: SurveillanceTransaction, taken: Sequence[Taken], pairs: Sequence[tuple[UUID, str]], *, at: datetime
) -> list[Raised | None]:
    rules = await AlertTransaction(tx.session).rules()
    raised = [
        alert_domain.many_messages(
            rules[RuleName.ORDER_TO_TRADE],
            account_id=one.account_id,
            symbol=one.symbol,
            messages=one.messages,
            trades=one.trades,
            at=at,
        )
        for one in await tx.ratios(pairs, since=at - RATIO_OVER)
    ]
    trades = [one for one in taken if one.kind == ActionKind.TRADE]
    if trades:
        latest = max(trades, key=lambda one: one.stored_at - one.happened_at)
        lag = latest.stored_at - latest.happened_at
        rule = rules[RuleName.COPY_LAG]
        raised.append(
            alert_domain.copy_lagged(
                rule, account_id=latest.account_id, execution_id=latest.execution_id, lag=lag, at=latest.stored_at
            )
        )
    return raised


async def _reviews_due(tx: SurveillanceTransaction, *, at: datetime) -> list[Raised | None]:
    overdue = [one for one in (await tx.parameters()).values() if one.review_due < at.date()]
    if not overdue:
        return []
    rule = (await AlertTransaction(tx.session).rules())[RuleName.REVIEW_DUE]
    return [
        alert_domain.review_due(rule, detector=one.detector, due=one.review_due.isoformat(), at=at) for one in overdue
    ]


def _built_in(detector: str, *, at: datetime) -> Parameters:
    return Parameters(
        detector=detector,
        version=1,
        values=BUILT_IN[detector],
        reason="built in",
        set_by="default",
        set_at=at,
        review_due=(at + REVIEWED_EVERY).date(),
    )


def _action(delivery: Delivery[Any]) -> Action | None:
    """Return what an event says, None for one that surveillance does not look at."""
    match delivery.event:
        case OrderSubmitted(owner_id=owner_id, terms=terms):
            kind = ActionKind.NEW if terms.replaces is None else ActionKind.AMEND
            return Action(
                event_id=delivery.event_id,
                happened_at=delivery.occurred_at,
                kind=kind,
                owner_id=owner_id,
                account_id=terms.account_id,
                order_id=terms.order_id,
                symbol=terms.symbol,
                side=terms.side,
                type=terms.type,
                qty=terms.qty or Decimal(0),
                price=terms.limit_price,
            )
        case OrderClosed(owner_id=owner_id, order=order):
            return Action(
                event_id=delivery.event_id,
                happened_at=delivery.occurred_at,
                kind=_ENDED.get(order.status, ActionKind.DONE),
                owner_id=owner_id,
                account_id=order.account_id,
                order_id=order.order_id,
                symbol=order.symbol,
                side=order.side,
                type=order.type,
                qty=order.qty or order.filled_qty,
                price=order.limit_price,
            )
        case FillBooked(owner_id=owner_id, execution=execution):
            return Action(
                event_id=delivery.event_id,
                happened_at=delivery.occurred_at,
                kind=ActionKind.TRADE,
                owner_id=owner_id,
                account_id=execution.account_id,
                order_id=execution.order_id,
                symbol=execution.symbol,
                side=execution.side,
                type=OrderType.MARKET,
                qty=execution.qty,
                price=execution.price,
                execution_id=execution.execution_id,
                venue_at=execution.executed_at,
            )
        case _:
            return None
