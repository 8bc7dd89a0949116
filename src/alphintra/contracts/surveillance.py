"""Cases of market surveillance and the parameters of its detectors as risk tells of them."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Command, Utc, View

__all__ = [
    "ActionView",
    "CaseStepView",
    "CaseView",
    "CasesView",
    "DetectorView",
    "DetectorsView",
    "FindingView",
    "GetCase",
    "ListCases",
    "ListDetectors",
    "MoveCase",
    "ReplayDetector",
    "ReplayView",
    "SetDetector",
]


class ActionView(View, frozen=True):
    """One entry of the stream of orders and trades, as evidence."""

    event_id: UUID
    happened_at: Utc
    kind: str
    account_id: UUID
    order_id: UUID
    symbol: str
    side: str
    type: str
    qty: Decimal
    price: Decimal | None
    reference: Decimal | None
    execution_id: str
    venue_at: Utc | None


class CaseStepView(View, frozen=True):
    """What somebody did to a case, and why."""

    step: int
    at: Utc
    actor: str
    action: str
    state: str
    reason: str


class CaseView(View, frozen=True):
    """A case; ``state`` is open, under_review, escalated or closed.

    Where ``proposed_by`` is named, somebody else is to confirm or reject the closure with that outcome and reason.
    """

    case_id: UUID
    detector: str
    parameter_version: int
    owner_id: UUID
    symbol: str
    summary: str
    first_at: Utc
    last_at: Utc
    state: str
    opened_at: Utc
    reviewer: str | None
    proposed_by: str | None
    outcome: str | None
    reason: str
    closed_by: str | None
    closed_at: Utc | None
    version: int
    evidence_sha256: str = ""
    evidence: tuple[ActionView, ...] = ()
    steps: tuple[CaseStepView, ...] = ()


class CasesView(View, frozen=True):
    """Cases, newest first, without their evidence."""

    cases: tuple[CaseView, ...]


class DetectorView(View, frozen=True):
    """A detector and its parameters in force; ``is_overdue`` where their yearly review is."""

    detector: str
    version: int
    values: dict[str, Decimal]
    reason: str
    set_by: str
    set_at: Utc
    review_due: str
    is_overdue: bool


class DetectorsView(View, frozen=True):
    """All detectors."""

    detectors: tuple[DetectorView, ...]


class FindingView(View, frozen=True):
    """What a detector found in stored history; ``case_id`` where a case was opened for it."""

    owner_id: UUID
    symbol: str
    first_at: Utc
    last_at: Utc
    actions: int
    summary: str
    case_id: UUID | None


class ReplayView(View, frozen=True):
    """A detector run over stored history: how many actions it saw, and what it found."""

    detector: str
    parameter_version: int
    actions: int
    is_cut: bool
    findings: tuple[FindingView, ...]


class ListCases(Command[CasesView], tag="risk.list_cases.v1", frozen=True):
    """List cases of surveillance, newest first; for owner and operator, and never about themselves."""

    state: str | None = None
    limit: int = 100


class GetCase(Command[CaseView], tag="risk.get_case.v1", frozen=True):
    """Fetch a case with its evidence."""

    case_id: UUID


class MoveCase(Command[CaseView], tag="risk.move_case.v1", frozen=True):
    """Act on a case: review, escalate, propose_closure with an outcome, confirm_closure or reject_closure."""

    case_id: UUID
    action: str
    reason: str
    outcome: str | None = None


class ListDetectors(Command[DetectorsView], tag="risk.list_detectors.v1", frozen=True):
    """List the detectors of surveillance with their parameters in force."""


class SetDetector(Command[DetectorView], tag="risk.set_detector.v1", frozen=True):
    """Store a new version of a detector's parameters; what is not named stays, and that is a review too."""

    detector: str
    values: dict[str, Decimal]
    reason: str


class ReplayDetector(Command[ReplayView], tag="risk.replay_detector.v1", frozen=True):
    """Run a detector over stored history; no case is opened."""

    detector: str
    since: Utc
    until: Utc
