"""Use cases of people who look at cases: list, read, move, set parameters, replay; never about themselves."""

from __future__ import annotations

import asyncio
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.contracts.risk import CaseChanged
from alphintra.contracts.surveillance import (
    ActionView,
    CaseStepView,
    CasesView,
    CaseView,
    DetectorsView,
    DetectorView,
    FindingView,
    ReplayView,
)
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.authority import require_all_accounts
from alphintra.kernel.clock import require_utc
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.risk.domain.surveillance.cases import Case, CaseAction, CaseOutcome, CaseState, moved
from alphintra.risk.domain.surveillance.detectors import DETECTORS, detect
from alphintra.risk.domain.surveillance.parameters import Parameters, next_parameters, require_detector
from alphintra.risk.repository import CaseStep
from alphintra.risk.service.watching import ensure_parameters

if TYPE_CHECKING:
    from alphintra.contracts.risk import GetCase, ListCases, MoveCase, ReplayDetector, SetDetector
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.risk.domain.surveillance.stream import Finding
    from alphintra.risk.repository import SurveillanceRecords, SurveillanceTransaction

__all__ = ["get_case", "list_cases", "list_detectors", "move_case", "replay_detector", "set_detector"]

LISTED_MAX = 1000
REPLAYED_MAX = 20_000
_REVIEWERS = {"owner", "operator"}
_decode_evidence = msgspec.json.Decoder(tuple[ActionView, ...]).decode


async def list_cases(command: ListCases, context: Context, *, records: SurveillanceRecords) -> CasesView:
    """Return cases, newest first, none about the acting person. Raises SURVEILLANCE_ROLE, CASE_STATE, LIMIT_RANGE."""
    _require_reviewer(context)
    if not 0 < command.limit <= LISTED_MAX:
        raise AlphintraError("LIMIT_RANGE", f"limit is 1 to {LISTED_MAX}", pointer="/limit")
    if command.state is not None and command.state not in tuple(CaseState):
        raise AlphintraError("CASE_STATE", f"a state is {', '.join(CaseState)}", pointer="/state")
    found = await records.cases(state=command.state, but_not=context.actor.user_id, count_max=command.limit)
    return CasesView(cases=tuple(_view(case) for case in found))


async def get_case(command: GetCase, context: Context, *, records: SurveillanceRecords) -> CaseView:
    """Return a case with its evidence and what was done to it. Raises SURVEILLANCE_ROLE and CASE_NOT_FOUND."""
    _require_reviewer(context)
    async with records.transaction() as tx:
        case = await _visible(tx, command.case_id, context)
        return await _whole(tx, case)


async def move_case(
    command: MoveCase, context: Context, *, records: SurveillanceRecords, ids: IdSource, at: datetime
) -> CaseView:
    """Move a case. Raises SURVEILLANCE_ROLE, CASE_NOT_FOUND, CASE_* and REASON_REQUIRED."""
    _require_reviewer(context)
    if command.action not in tuple(CaseAction):
        raise AlphintraError("CASE_ACTION", f"an action is {', '.join(CaseAction)}", pointer="/action")
    if command.outcome is not None and command.outcome not in tuple(CaseOutcome):
        raise AlphintraError("CASE_OUTCOME", f"an outcome is {', '.join(CaseOutcome)}", pointer="/outcome")
    person = _person(context)
    async with records.transaction() as tx:
        before = await _visible(tx, command.case_id, context)
        outcome = None if command.outcome is None else CaseOutcome(command.outcome)
        action = CaseAction(command.action)
        case = moved(before, action, person=person, reason=command.reason, outcome=outcome, at=at)
        await tx.save_case(case)
        step = CaseStep(case.version - 1, at, person, action, case.state, command.reason.strip())
        await tx.add_step(case.case_id, step)
        told = CaseChanged(case_id=case.case_id, action=action, state=case.state, version=case.version)
        await append_event(tx.session, told, ids=ids, aggregate_id=case.case_id, context=context, at=at)
        subject = f"case:{case.case_id}"
        await append_audit(tx.session, f"case.{action}", subject, told, ids=ids, context=context, at=at)
        fault_point("risk.before_case_commit")
        return await _whole(tx, case)


async def list_detectors(context: Context, *, records: SurveillanceRecords, at: datetime) -> DetectorsView:
    """Return the detectors with their parameters in force. Raises SURVEILLANCE_ROLE."""
    _require_reviewer(context)
    await ensure_parameters(records=records, at=at)
    async with records.transaction() as tx:
        known = await tx.parameters()
    return DetectorsView(detectors=tuple(_detector_view(known[name], at=at) for name in DETECTORS))


async def set_detector(
    command: SetDetector, context: Context, *, records: SurveillanceRecords, ids: IdSource, at: datetime
) -> DetectorView:
    """Store a new version of a detector's parameters, reviewed today.

    Raises SURVEILLANCE_ROLE, DETECTOR_NOT_FOUND, AUTH_SCOPE, PARAMETER_*, REASON_REQUIRED, QTY_NOT_POSITIVE and
    NUMBER_*.
    """
    _require_reviewer(context)
    detector = require_detector(command.detector)
    require_all_accounts(context.actor, "a detector looks at all accounts", pointer="/detector")
    await ensure_parameters(records=records, at=at)
    async with records.transaction() as tx:
        current = (await tx.parameters())[detector]
        wanted = next_parameters(current, command.values, reason=command.reason, set_by=_person(context), at=at)
        await tx.add_parameters(wanted)
        view = _detector_view(wanted, at=at)
        await append_audit(tx.session, "detector.set", f"detector:{detector}", view, ids=ids, context=context, at=at)
    return view


async def replay_detector(
    command: ReplayDetector, context: Context, *, records: SurveillanceRecords, at: datetime
) -> ReplayView:
    """Run a detector with its parameters in force over stored history; no case is opened.

    Raises SURVEILLANCE_ROLE, DETECTOR_NOT_FOUND, AUTH_SCOPE and RANGE.
    """
    _require_reviewer(context)
    detector = require_detector(command.detector)
    require_all_accounts(context.actor, "a detector looks at all accounts", pointer="/detector")
    since, until = require_utc(command.since, pointer="/since"), require_utc(command.until, pointer="/until")
    if since >= until:
        raise AlphintraError("RANGE", "since must be before until", pointer="/since")
    await ensure_parameters(records=records, at=at)
    async with records.transaction() as tx:
        parameters = (await tx.parameters())[detector]
    actions = await records.within(since, until, count_max=REPLAYED_MAX + 1)
    is_cut, actions = len(actions) > REPLAYED_MAX, actions[:REPLAYED_MAX]
    about_others = [action for action in actions if action.owner_id != context.actor.user_id]
    found = await asyncio.to_thread(detect, detector, about_others, parameters.values)
    known = await records.known(detector, [finding.anchor for finding in found])
    return ReplayView(
        detector=detector,
        parameter_version=parameters.version,
        actions=len(about_others),
        is_cut=is_cut,
        findings=tuple(_finding_view(finding, known.get(finding.anchor)) for finding in found),
    )


def _require_reviewer(context: Context) -> None:
    if not _REVIEWERS & set(context.actor.roles):
        raise AlphintraError("SURVEILLANCE_ROLE", "cases are for owner and operator alone", kind=Kind.FORBIDDEN)


def _person(context: Context) -> str:
    """Return who acts; a person is the same one with a session and with any of their keys."""
    user_id = context.actor.user_id
    return context.actor.id if user_id is None else f"user:{user_id}"


async def _visible(tx: SurveillanceTransaction, case_id: UUID, context: Context) -> Case:
    case = await tx.lock_case(case_id)
    if case is None or case.owner_id == context.actor.user_id:
        message = f"there is no case {case_id} for you: list the cases"
        raise AlphintraError("CASE_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/case_id")
    return case


async def _whole(tx: SurveillanceTransaction, case: Case) -> CaseView:
    text, digest, steps = await tx.evidence(case.case_id)
    if sha256(text.encode()).digest() != digest:
        message = f"the evidence of case {case.case_id} is not what was stored with it: compare with a backup"
        raise AlphintraError("EVIDENCE_CHANGED", message, kind=Kind.BUG)
    return msgspec.structs.replace(
        _view(case),
        evidence_sha256=digest.hex(),
        evidence=_decode_evidence(text),
        steps=tuple(msgspec.convert(step, CaseStepView, from_attributes=True) for step in steps),
    )


def _view(case: Case) -> CaseView:
    return msgspec.convert(case, CaseView, from_attributes=True)


def _detector_view(parameters: Parameters, *, at: datetime) -> DetectorView:
    return DetectorView(
        detector=parameters.detector,
        version=parameters.version,
        values=dict(parameters.values),
        reason=parameters.reason,
        set_by=parameters.set_by,
        set_at=parameters.set_at,
        review_due=parameters.review_due.isoformat(),
        is_overdue=parameters.review_due < at.date(),
    )


def _finding_view(finding: Finding, case_id: UUID | None) -> FindingView:
    return FindingView(
        owner_id=finding.evidence[0].owner_id,
        symbol=finding.evidence[0].symbol,
        first_at=finding.evidence[0].happened_at,
        last_at=finding.evidence[-1].happened_at,
        actions=len(finding.evidence),
        summary=finding.summary,
        case_id=case_id,
    )
