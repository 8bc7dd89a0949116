"""Decisions on orders: a batch is judged one by one under its accounts' locks, stored with one commit, sealed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.contracts.approval import Approval, ApprovalSeal, OrderTerms, approval_leaf, proofs, seal_bytes
from alphintra.contracts.risk import Assessment, LimitBreached
from alphintra.infrastructure.events import encode_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, BookId, OrderId
from alphintra.kernel.messages import Context, subject_of
from alphintra.risk.domain.books import Book, Decision, Finding, FollowUp, Order, Reservation
from alphintra.risk.domain.controls import APPROVAL_LIFE, assess_in_family, check_order, inputs_of, reassess, spent
from alphintra.risk.domain.reservations import recounted
from alphintra.risk.repository import Decided
from alphintra.risk.service.views import finding_views

if TYPE_CHECKING:
    from alphintra.infrastructure.signing import SigningKey
    from alphintra.kernel.ids import IdSource
    from alphintra.risk.repository import RiskRecords, RiskTransaction

__all__ = ["Asked", "assess_orders"]

ATTEMPTS_MAX = 3
_RACED = "assessments_order_attempt_key"
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


@dataclass(frozen=True, slots=True)
class Asked:
    """One order to decide on, and who asks."""

    terms: OrderTerms
    context: Context
    book_id: UUID | None = None
    strategy_hash: str = ""

    def read(self) -> Order:
        """Return what the controls look at. Raises QTY_NOT_POSITIVE, NUMBER_* or ORDER_*."""
        terms = self.terms
        return check_order(
            Order(
                order_id=OrderId(terms.order_id),
                account_id=AccountId(terms.account_id),
                symbol=terms.symbol,
                side=terms.side,
                type=terms.type,
                qty=terms.qty,
                notional=terms.notional,
                time_in_force=terms.time_in_force,
                limit_price=terms.limit_price,
                stop_price=terms.stop_price,
                trail_price=terms.trail_price,
                trail_percent=terms.trail_percent,
                expire_at=terms.expire_at,
                extended_hours=terms.extended_hours,
                reduce_only=terms.reduce_only,
                position_intent=terms.position_intent,
                order_class=terms.order_class,
                leg=terms.leg,
                group_id=terms.group_id,
                replaces=None if terms.replaces is None else OrderId(terms.replaces),
                book_id=None if self.book_id is None else BookId(self.book_id),
                strategy_hash=self.strategy_hash,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What one order is answered with: findings, or a seal to come."""

    asked: Asked
    decision_id: UUID
    findings: tuple[Finding, ...]
    limit_version: int
    kill_epoch: int


@dataclass(slots=True, kw_only=True)
class _Batch:
    """A batch while it is decided: the books move with each approval, so that the next order sees it."""

    epoch: int
    books: dict[AccountId, Book]
    known: dict[OrderId, Decision]
    held: dict[OrderId, Reservation]
    overrides: dict[tuple[AccountId, str], UUID]
    ids: IdSource
    is_renewal: bool
    decided: list[Decided] = field(default_factory=list)
    refused: list[_Answer] = field(default_factory=list)
    reissued: list[OrderId] = field(default_factory=list)
    recounted: set[OrderId] = field(default_factory=set)
    used: list[tuple[UUID, OrderId]] = field(default_factory=list)

    def changed(self) -> list[Reservation]:
        """Return the reservations whose counts changed because another order joined them."""
        fresh = {item.order.order_id for item in self.decided}
        return [self.held[order_id] for order_id in sorted(self.recounted - fresh)]

    def store(self) -> list[Decided]:
        """Return what was decided, each with its reservation as it counts at the end of the batch."""
        held = self.held.get
        return [
            item if item.held is None or (now := held(item.order.order_id)) is item.held else replace(item, held=now)
            for item in self.decided
        ]

    def answer(self, asked: Asked, order: Order) -> _Answer:
        """Decide on one order, or repeat what was decided. Raises ORDER_ID_REUSED or DECISION_NOT_FOUND."""
        decision = self.known.get(order.order_id)
        if decision is None:
            if self.is_renewal:
                message = f"risk has never decided on order {order.order_id}: have it assessed first"
                raise AlphintraError("DECISION_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/terms/order_id")
            return self._decide(asked, order, attempt=1)
        leaf = approval_leaf(asked.terms, decision_id=decision.decision_id, limit_version=decision.limit_version)
        if leaf != decision.leaf:
            raise _reused(order)
        match decision.follow_up(is_renewal=self.is_renewal):
            case FollowUp.REPLAY:
                return self._repeat(asked, decision, decision.findings)
            case FollowUp.REASSESS:
                return self._decide(asked, order, attempt=decision.attempt + 1)
            case FollowUp.SPENT:
                return self._repeat(asked, decision, (spent(decision),))
            case FollowUp.REISSUE:
                held = self.held[order.order_id]
                findings = reassess(replace(order, book_id=held.book_id), held, self.books[order.account_id])
                if not findings:
                    self.reissued.append(order.order_id)
                return self._repeat(asked, decision, findings)

    def _decide(self, asked: Asked, order: Order, *, attempt: int) -> _Answer:
        book = self.books[order.account_id]
        family = self._family(order)
        verdict, new = assess_in_family(order, book, family)
        is_approved = not verdict.findings and verdict.claim is not None
        answer = _Answer(
            asked=asked,
            decision_id=self.ids.new(),
            findings=verdict.findings,
            limit_version=0 if book.limits is None else book.limits.version,
            kill_epoch=self.epoch,
        )
        leaf = approval_leaf(asked.terms, decision_id=answer.decision_id, limit_version=answer.limit_version)
        self.decided.append(
            Decided(
                order=order,
                decision_id=answer.decision_id,
                attempt=attempt,
                findings=answer.findings,
                limit_version=answer.limit_version,
                kill_epoch=answer.kill_epoch,
                leaf=leaf,
                inputs={"terms": asked.terms, **inputs_of(order, book, verdict)},
                held=self._hold(new, family) if is_approved and new is not None else None,
            )
        )
        after = book.spent_token()
        if is_approved and verdict.claim is not None:
            after = after.reserve(order, verdict.claim)
            if verdict.overridden:
                self.used.append((self.overrides.pop((order.account_id, order.content)), order.order_id))
                left = {content: codes for content, codes in after.allowed.items() if content != order.content}
                after = replace(after, allowed=left)
        else:
            self.refused.append(answer)
        self.books[order.account_id] = after
        return answer

    def _family(self, order: Order) -> tuple[Reservation, ...]:
        """Return the reservations an order counts together with, those of this batch included."""
        if order.group_id is None and order.replaces is None:
            return ()
        return tuple(
            item
            for item in self.held.values()
            if item.order_id in {order.order_id, order.replaces}
            or (order.replaces is not None and item.replaces == order.replaces)
            or (order.group_id is not None and item.group_id == order.group_id)
        )

    def _hold(self, new: Reservation, family: tuple[Reservation, ...]) -> Reservation:
        """Enter what an approved order reserves; returns it with its counts, as those it belongs to get theirs."""
        others = [item for item in family if item.order_id != new.order_id]
        for item in recounted((*others, new)):
            if self.held.get(item.order_id) != item:
                self.held[item.order_id] = item
                self.recounted.add(item.order_id)
        return self.held[new.order_id]

    def _repeat(self, asked: Asked, decision: Decision, findings: tuple[Finding, ...]) -> _Answer:
        return _Answer(
            asked=asked,
            decision_id=decision.decision_id,
            findings=findings,
            limit_version=decision.limit_version,
            kill_epoch=self.epoch if decision.reservation else decision.kill_epoch,
        )


async def assess_orders(
    requests: Sequence[Asked],
    *,
    is_renewal: bool,
    records: RiskRecords,
    ids: IdSource,
    key: SigningKey,
    at: datetime,
) -> list[Assessment | AlphintraError]:
    """Decide on a batch of orders; the outcomes come in the order of the batch.

    Each order is judged with all approved before it counted as open. Repeating an order with the same terms repeats
    the decision; an approval then gets a fresh seal while its reservation is open and the kill state allows it. A
    renewal only ever repeats. Raises STORE_* if nothing could be decided; repeating the batch is safe.
    """
    outcomes: dict[int, _Answer | AlphintraError] = {}
    waiting: dict[int, tuple[Asked, Order]] = {}
    first: dict[UUID, int] = {}
    for index, asked in enumerate(requests):
        try:
            order = asked.read()
        except AlphintraError as error:
            outcomes[index] = error
        else:
            if first.setdefault(order.order_id, index) == index:
                waiting[index] = (asked, order)
    if waiting:
        outcomes |= await _decided(waiting, is_renewal=is_renewal, records=records, ids=ids, at=at)
    for index, asked in enumerate(requests):
        if index not in outcomes:  # the same order twice in a batch: the first answer stands for both
            earlier = first[asked.terms.order_id]
            same = _fingerprint(asked.terms) == _fingerprint(requests[earlier].terms)
            outcomes[index] = outcomes[earlier] if same else _reused(asked.read())
    return _sealed([outcomes[index] for index in range(len(requests))], key=key, at=at)


async def _decided(
    waiting: dict[int, tuple[Asked, Order]], *, is_renewal: bool, records: RiskRecords, ids: IdSource, at: datetime
) -> dict[int, _Answer | AlphintraError]:
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            async with records.transaction() as tx:
                answers = await _decide_batch(tx, waiting, is_renewal=is_renewal, ids=ids, at=at)
                fault_point("risk.before_assess_commit")
        except AlphintraError as error:
            # Only orders of accounts unknown to risk, which have no lock, can be decided twice at a time.
            if getattr(error, "constraint", "") != _RACED or attempt == ATTEMPTS_MAX:
                raise
        else:
            fault_point("risk.assess_committed")
            return answers
    raise AlphintraError("STORE_BUSY", "the same order is being decided elsewhere", kind=Kind.UNAVAILABLE)


async def _decide_batch(
    tx: RiskTransaction,
    waiting: dict[int, tuple[Asked, Order]],
    *,
    is_renewal: bool,
    ids: IdSource,
    at: datetime,
) -> dict[int, _Answer | AlphintraError]:
    orders = [order for _asked, order in waiting.values()]
    await tx.session.keep_plans()
    await tx.lock_accounts([order.account_id for order in orders])
    known, held = await tx.decisions(
        [order.order_id for order in orders],
        kin=[order.replaces for order in orders if order.replaces is not None],
        groups=[order.group_id for order in orders if order.group_id is not None],
    )
    if is_renewal:  # which does not say whose order it is: the reservation does
        owned = {order_id: item.book_id for order_id, item in held.items()}
        orders = [replace(order, book_id=owned.get(order.order_id)) for order in orders]
    facts = await tx.facts(orders, at=at)
    batch = _Batch(
        epoch=facts.epoch,
        books=facts.books,
        known=known,
        held=held,
        overrides=facts.overrides,
        ids=ids,
        is_renewal=is_renewal,
    )
    answers: dict[int, _Answer | AlphintraError] = {}
    for index, (asked, order) in waiting.items():
        try:
            answers[index] = batch.answer(asked, order)
        except AlphintraError as error:
            answers[index] = error
    if batch.decided:
        await tx.decide(batch.store(), at=at)
        await tx.save_reservations(batch.changed(), at=at)
        await tx.save_tokens(batch.books.values(), at=at)
        await tx.use_overrides(batch.used, at=at)
    if batch.reissued:
        await tx.held_again(batch.reissued, at=at)
    if batch.refused:
        await _tell_refusals(tx, batch.refused, ids=ids, at=at)
    return answers


async def _tell_refusals(tx: RiskTransaction, refused: Sequence[_Answer], *, ids: IdSource, at: datetime) -> None:
    events = []
    audits = []
    for answer in refused:
        terms, context = answer.asked.terms, answer.asked.context
        event = LimitBreached(
            account_id=terms.account_id, order_id=terms.order_id, findings=finding_views(answer.findings)
        )
        event_id = ids.new()
        payload = encode_event(event, event_id=event_id, aggregate_id=terms.account_id, context=context, at=at)
        events.append((event_id, subject_of(LimitBreached), terms.account_id, payload, at))
        detail = {
            "account_id": terms.account_id,
            "decision_id": answer.decision_id,
            "codes": [finding.code for finding in answer.findings],
        }
        subject = f"order:{terms.order_id}"
        text = _encode(detail).decode()
        audits.append((ids.new(), context.actor.id, "order.refuse", subject, text, context.trace_id, at))
    await tx.append_events(events)
    await tx.append_audits(audits)


def _sealed(
    answers: Sequence[_Answer | AlphintraError], *, key: SigningKey, at: datetime
) -> list[Assessment | AlphintraError]:
    """Sign once for all approved orders and give each its proof."""
    approved = [answer for answer in answers if isinstance(answer, _Answer) and not answer.findings]
    if not approved:
        return [answer if isinstance(answer, AlphintraError) else _assessment(answer, None) for answer in answers]
    leaves = tuple(
        approval_leaf(answer.asked.terms, decision_id=answer.decision_id, limit_version=answer.limit_version)
        for answer in approved
    )
    root, paths = proofs(leaves)
    seal = ApprovalSeal(root=root, size=len(leaves), kill_epoch=approved[0].kill_epoch, expires_at=at + APPROVAL_LIFE)
    signature = key.sign(seal_bytes(seal))
    numbered = iter(range(len(approved)))
    outcomes: list[Assessment | AlphintraError] = []
    for answer in answers:
        if isinstance(answer, AlphintraError):
            outcomes.append(answer)
        elif answer.findings:
            outcomes.append(_assessment(answer, None))
        else:
            index = next(numbered)
            approval = Approval(
                decision_id=answer.decision_id,
                limit_version=answer.limit_version,
                seal=seal,
                signature=signature,
                index=index,
                path=paths[index],
            )
            outcomes.append(_assessment(answer, approval))
    return outcomes


def _assessment(answer: _Answer, approval: Approval | None) -> Assessment:
    return Assessment(
        decision_id=answer.decision_id,
        order_id=answer.asked.terms.order_id,
        findings=finding_views(answer.findings),
        limit_version=answer.limit_version,
        kill_epoch=answer.kill_epoch,
        approval=approval,
    )


def _fingerprint(terms: OrderTerms) -> bytes:
    return approval_leaf(terms, decision_id=terms.order_id, limit_version=0)


def _reused(order: Order) -> AlphintraError:
    message = f"order {order.order_id} was decided with other terms: an order's terms never change, use a new id"
    return AlphintraError("ORDER_ID_REUSED", message, kind=Kind.CONFLICT, pointer="/terms/order_id")
