"""What risk watches by itself: losses at each mark, executions that repeat, sessions that fall silent, the fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alphintra.contracts.controls import SessionView
from alphintra.contracts.risk import ControlChanged, ReportedView
from alphintra.contracts.trading import CancelRequested
from alphintra.engine.pretrade.course import loss_of, marked
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId, BookId, FeedId, OrderId
from alphintra.kernel.vocabulary import OrderStatus
from alphintra.risk.domain.alerts import RuleName
from alphintra.risk.domain.books import KillState
from alphintra.risk.domain.warnings import MARKED, LimitUse, uses_of_loss
from alphintra.risk.repository import AlertTransaction, Governance, Warnings
from alphintra.risk.service.alerts import raise_alerts, service_context
from alphintra.risk.service.kills import SYSTEM, block
from alphintra.risk.service.views import require_visible
from alphintra.risk.service.warnings import warn

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.broker import BreakFound, ConnectionOpened
    from alphintra.contracts.risk import KeepSession, ReportInstance
    from alphintra.contracts.trading import OrderUpdated
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.risk.repository import RiskRecords, RiskTransaction

__all__ = [
    "count_repeats",
    "find_lost_sessions",
    "hear_break",
    "keep_session",
    "learn_venue",
    "note_orders",
    "report_instance",
    "watch_losses",
]

FLEET_SEEN = timedelta(seconds=60)
TIMEOUT_MAX_S = 3600
NAME_LENGTH_MAX = 200
DEPLOYMENTS_MAX = 500


async def watch_losses(
    feed_id: FeedId, *, marked_at: datetime, records: RiskRecords, ids: IdSource, at: datetime
) -> None:
    """Hold the equity of a feed's accounts against their limits of loss, and block those beyond.

    Args:
        feed_id: the feed that was marked.
        marked_at: by the feed's own time.
        records: of risk.
        ids: for events.
        at: now.
    """
    beyond, looked_at = [], []
    uses: list[LimitUse] = []
    async with records.transaction() as tx:
        governance = Governance(tx.session)
        for item in await governance.losing(feed_id):
            age_max = item.controls.price_age_max_s
            is_stale = (
                age_max is not None and item.oldest is not None and marked_at - item.oldest > timedelta(seconds=age_max)
            )
            if not item.is_priced or is_stale:  # what is not known freezes the state and never improves it
                continue
            mark = marked(item.before, item.equity, day=marked_at.date())
            if mark != item.before:
                await governance.save_equity(item.account_id, mark, at=marked_at)
            looked_at.append(item.account_id)
            uses += uses_of_loss(item.account_id, mark, item.controls, version=item.version)
            loss = loss_of(mark, item.controls)
            if loss is not None:
                beyond.append((item.account_id, loss))
        if looked_at:
            alerts = AlertTransaction(tx.session)
            rule = (await alerts.rules())[RuleName.LIMIT_NEAR]
            told = await warn(Warnings(tx.session), uses, looked_at, MARKED, rule=rule, at=at)
            await raise_alerts(alerts, told, ids=ids, context=service_context(ids), at=at)
    for account_id, loss in beyond:
        if await block(account_id, loss.state, reason=loss.reason, records=records, ids=ids, at=at):
            get_logger().warning("risk.loss_limit", account_id=str(account_id), state=loss.state, reason=loss.reason)


async def count_repeats(
    tx: RiskTransaction, account_id: AccountId, book_id: UUID | None, *, ids: IdSource, at: datetime
) -> None:
    """Latch a strategy whose executions repeat beyond its limit, in the transaction of the execution."""
    governance = Governance(tx.session)
    row = await governance.repeats(account_id, book_id, at=at)
    if row is None or row["executions"] <= row["repeat_max"]:
        return
    reason = f"{row['executions']} executions within {row['window_s']} s, the limit is {row['repeat_max']}"
    await _latch(tx, account_id, "RISK_REPEAT_LATCHED", reason=reason, symbol=None, book_id=book_id, ids=ids, at=at)


async def hear_break(delivery: Delivery[BreakFound], *, records: RiskRecords, ids: IdSource, at: datetime) -> None:
    """Block a symbol for an account that got more than it ordered, until a named person has looked."""
    event = delivery.event
    if event.code != "OVERFILL" or not event.symbol:
        return
    account_id = AccountId(event.account_id)
    if await records.account(account_id) is None:
        get_logger().error("risk.break_of_unknown_account", account_id=str(account_id), code=event.code)
        return
    async with records.transaction() as tx:
        reason = event.detail[:400] or "more was executed than was ordered"
        await _latch(tx, account_id, event.code, reason=reason, symbol=event.symbol, book_id=None, ids=ids, at=at)


async def note_orders(deliveries: Sequence[Delivery[OrderUpdated | CancelRequested]], *, records: RiskRecords) -> None:
    """Note which outcomes are unknown, by the version of each order, and take a message token for each cancel.

    News may come twice and late: an order's newest version counts; a cancel counted twice only makes orders wait.
    """
    news: dict[OrderId, tuple[int, bool]] = {}
    cancels: Counter[AccountId] = Counter()
    for event in (delivery.event for delivery in deliveries):
        if isinstance(event, CancelRequested):
            cancels[AccountId(event.account_id)] += 1
        else:
            told = (event.order.version, event.order.status is OrderStatus.UNKNOWN)
            order_id = OrderId(event.order.order_id)
            news[order_id] = max(news.get(order_id, told), told)
    async with records.transaction() as tx:
        governance = Governance(tx.session)
        await governance.note_unknown(dict(sorted(news.items())))
        await governance.spend_tokens(dict(sorted(cancels.items())))


async def learn_venue(delivery: Delivery[ConnectionOpened], *, records: RiskRecords) -> None:
    """Learn which venue an account trades at. Raises ACCOUNT_UNKNOWN until the account's opening was heard."""
    await records.set_venue(AccountId(delivery.event.account_id), delivery.event.adapter)


async def keep_session(
    command: KeepSession, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> SessionView:
    """Arm a session's switch anew, or close it. Raises ACCOUNT_NOT_FOUND, SESSION_TIMEOUT, SESSION_NAME."""
    account_id = AccountId(command.account_id)
    require_visible(await records.account(account_id), account_id, context)
    if not 0 <= command.timeout_s <= TIMEOUT_MAX_S:
        message = f"timeout_s is 1 to {TIMEOUT_MAX_S}, or 0 to close the session"
        raise AlphintraError("SESSION_TIMEOUT", message, pointer="/timeout_s")
    if not 0 < len(command.session_id) <= NAME_LENGTH_MAX or not command.session_id.isprintable():
        message = f"session_id is 1 to {NAME_LENGTH_MAX} printable characters"
        raise AlphintraError("SESSION_NAME", message, pointer="/session_id")
    state = "armed" if command.timeout_s else "closed"
    async with records.transaction() as tx:
        row = await Governance(tx.session).keep_session(
            account_id, command.session_id, life=timedelta(seconds=command.timeout_s), at=at, state=state
        )
        if state == "closed":  # opting out stays on record
            subject, detail = f"account:{account_id}", _facts(session_id=command.session_id)
            await append_audit(tx.session, "session.close", subject, detail, ids=ids, context=context, at=at)
    return (
        SessionView(**row)
        if row is not None
        else SessionView(account_id=account_id, session_id=command.session_id, state=state, deadline=at)
    )


async def find_lost_sessions(*, records: RiskRecords, ids: IdSource, at: datetime) -> int:
    """Cancel the orders of accounts whose sessions fell silent, and take no more; returns how many there were."""
    async with records.transaction() as tx:
        lost = await Governance(tx.session).lost_sessions(at=at)
    for row in lost:
        reason = f"SESSION_LOST: session {row['session_id']} was not heard of in time"
        await block(AccountId(row["account_id"]), KillState.CANCEL_ONLY, reason=reason, records=records, ids=ids, at=at)
        get_logger().warning("risk.session_lost", account_id=str(row["account_id"]), session_id=row["session_id"])
    return len(lost)


async def report_instance(command: ReportInstance, *, records: RiskRecords, at: datetime) -> ReportedView:
    """Note what an instance runs and return which services differ and which deployments run twice.

    Raises FLEET_FIELD.
    """
    for name in ("service", "instance", "build", "config_hash"):
        text: str = getattr(command, name)
        if not 0 < len(text) <= NAME_LENGTH_MAX or not text.isprintable():
            message = f"{name} is 1 to {NAME_LENGTH_MAX} printable characters"
            raise AlphintraError("FLEET_FIELD", message, pointer=f"/{name}")
    if len(command.deployments) > DEPLOYMENTS_MAX:
        message = f"at most {DEPLOYMENTS_MAX} deployments are reported at once"
        raise AlphintraError("FLEET_FIELD", message, pointer="/deployments")
    since = at - FLEET_SEEN
    async with records.transaction() as tx:
        governance = Governance(tx.session)
        doubled: tuple[UUID, ...] = ()
        if command.deployments:
            what = (command.instance, command.build, command.config_hash)
            doubled = await governance.report_deployments(command.deployments, *what, at, since)
        else:
            await governance.report_instance(command.service, command.instance, command.build, command.config_hash, at)
        return ReportedView(differing=await governance.differing(since=since), doubled=doubled)


async def _latch(  # noqa: PLR0913 - a block has these parts
    tx: RiskTransaction,
    account_id: AccountId,
    code: str,
    *,
    reason: str,
    symbol: str | None,
    book_id: UUID | None,
    ids: IdSource,
    at: datetime,
) -> None:
    book = None if book_id is None else BookId(book_id)
    latch_id = ids.new()
    governance = Governance(tx.session)
    if not await governance.latch(latch_id, account_id, code=code, symbol=symbol, book_id=book, reason=reason, at=at):
        return
    told = ControlChanged(kind="latch", key=code, change="set", account_id=account_id)
    await append_event(tx.session, told, ids=ids, aggregate_id=account_id, context=SYSTEM, at=at)
    subject = f"account:{account_id}"
    detail = _facts(latch_id=latch_id, code=code, symbol=symbol, book_id=book, reason=reason)
    await append_audit(tx.session, "latch.set", subject, detail, ids=ids, context=SYSTEM, at=at)


def _facts(**facts: object) -> dict[str, object]:
    return facts
