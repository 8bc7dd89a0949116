"""Cases: opened by a detector, reviewed by people, closed by two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Case", "CaseAction", "CaseOutcome", "CaseState", "moved"]

REASON_LENGTH_MAX = 1000


class CaseState(StrEnum):
    """Where a case stands; from closed it never comes back."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    ESCALATED = "escalated"
    CLOSED = "closed"


class CaseAction(StrEnum):
    """What a person does to a case."""

    REVIEW = "review"
    ESCALATE = "escalate"
    PROPOSE_CLOSURE = "propose_closure"
    CONFIRM_CLOSURE = "confirm_closure"
    REJECT_CLOSURE = "reject_closure"


class CaseOutcome(StrEnum):
    """What a closed case came to."""

    FALSE_POSITIVE = "false_positive"
    EXPLAINED = "explained"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; ``proposed_by`` wants it closed with the outcome and reason, and somebody else has to confirm."""

    case_id: UUID
    detector: str
    parameter_version: int
    owner_id: UUID
    symbol: str
    summary: str
    first_at: datetime
    last_at: datetime
    state: CaseState
    opened_at: datetime
    reviewer: str | None = None
    proposed_by: str | None = None
    outcome: CaseOutcome | None = None
    reason: str = ""
    closed_by: str | None = None
    closed_at: datetime | None = None
    version: int = 1


def moved(
    case: Case, action: CaseAction, *, person: str, reason: str, outcome: CaseOutcome | None, at: datetime
) -> Case:
    """Return the case after a person's action.

    Raises CASE_CLOSED, CASE_ACTION where the action does not fit the state, CASE_FOUR_EYES where the person who
    proposed the closure would decide on it, REASON_REQUIRED and CASE_OUTCOME.
    """
    if case.state is CaseState.CLOSED:
        raise AlphintraError("CASE_CLOSED", "the case is closed and stays so", kind=Kind.CONFLICT)
    if not reason.strip() or len(reason) > REASON_LENGTH_MAX:
        message = f"give a reason of 1 to {REASON_LENGTH_MAX} characters: it stays with the case"
        raise AlphintraError("REASON_REQUIRED", message, pointer="/reason")
    changed = replace(case, version=case.version + 1)
    match action:
        case CaseAction.REVIEW if case.state is CaseState.OPEN:
            return replace(changed, state=CaseState.UNDER_REVIEW, reviewer=person)
        case CaseAction.ESCALATE if case.state is not CaseState.ESCALATED:
            return replace(changed, state=CaseState.ESCALATED)
        case CaseAction.PROPOSE_CLOSURE if case.state is not CaseState.OPEN and case.proposed_by is None:
            return replace(changed, proposed_by=person, outcome=_required(outcome), reason=reason.strip())
        case CaseAction.CONFIRM_CLOSURE | CaseAction.REJECT_CLOSURE if case.proposed_by is not None:
            return _decided(case, changed, action, person=person, at=at)
    proposed = "" if case.proposed_by is None else " with a closure proposed"
    message = f"a case that is {case.state}{proposed} takes no {action}"
    raise AlphintraError("CASE_ACTION", message, kind=Kind.CONFLICT, pointer="/action")


def _decided(case: Case, changed: Case, action: CaseAction, *, person: str, at: datetime) -> Case:
    if case.proposed_by == person:
        message = "whoever proposed to close a case does not decide on it: ask somebody else"
        raise AlphintraError("CASE_FOUR_EYES", message, kind=Kind.FORBIDDEN)
    if action is CaseAction.CONFIRM_CLOSURE:
        return replace(changed, state=CaseState.CLOSED, closed_by=person, closed_at=at)
    return replace(changed, state=CaseState.UNDER_REVIEW, proposed_by=None, outcome=None, reason="")


def _required(outcome: CaseOutcome | None) -> CaseOutcome:
    if outcome is None:
        raise AlphintraError("CASE_OUTCOME", f"say what it came to: {', '.join(CaseOutcome)}", pointer="/outcome")
    return outcome
