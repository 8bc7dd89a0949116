"""A case moves by people's actions, is closed by two of them, and stays closed; parameters have versions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.kernel.errors import AlphintraError
from alphintra.risk.domain.surveillance.cases import Case, CaseAction, CaseOutcome, CaseState, moved
from alphintra.risk.domain.surveillance.parameters import BUILT_IN, Parameters, next_parameters, require_detector
from unit.risk.books import NOON

CASE = Case(
    case_id=UUID(int=1),
    detector="layering",
    parameter_version=1,
    owner_id=UUID(int=2),
    symbol="AAPL",
    summary="three orders",
    first_at=NOON,
    last_at=NOON,
    state=CaseState.OPEN,
    opened_at=NOON,
)
PARAMETERS = Parameters(
    detector="layering",
    version=1,
    values=BUILT_IN["layering"],
    reason="built in",
    set_by="default",
    set_at=NOON,
    review_due=(NOON + timedelta(days=365)).date(),
)


def step(case: Case, action: CaseAction, person: str, *, reason: str = "because") -> Case:
    return moved(case, action, person=person, reason=reason, outcome=CaseOutcome.EXPLAINED, at=NOON)


def code_of(case: Case, action: CaseAction, person: str, *, reason: str = "because") -> str:
    with pytest.raises(AlphintraError) as refused:
        step(case, action, person, reason=reason)
    return refused.value.code


def test_a_case_is_reviewed_escalated_and_closed_by_two() -> None:
    case = step(step(CASE, CaseAction.REVIEW, "ada"), CaseAction.ESCALATE, "ada")
    case = step(case, CaseAction.PROPOSE_CLOSURE, "ada")
    assert code_of(case, CaseAction.CONFIRM_CLOSURE, "ada") == "CASE_FOUR_EYES"
    assert code_of(case, CaseAction.REJECT_CLOSURE, "ada") == "CASE_FOUR_EYES"
    closed = step(case, CaseAction.CONFIRM_CLOSURE, "bob")
    assert (closed.state, closed.closed_by, closed.outcome, closed.version) == (
        CaseState.CLOSED,
        "bob",
        CaseOutcome.EXPLAINED,
        5,
    )


def test_a_closure_that_is_rejected_goes_back_to_review() -> None:
    case = step(step(CASE, CaseAction.REVIEW, "ada"), CaseAction.PROPOSE_CLOSURE, "ada")
    back = step(case, CaseAction.REJECT_CLOSURE, "bob")
    assert (back.state, back.proposed_by, back.outcome) == (CaseState.UNDER_REVIEW, None, None)


def test_an_open_case_is_not_closed_unseen_and_nothing_goes_without_a_reason() -> None:
    assert code_of(CASE, CaseAction.PROPOSE_CLOSURE, "ada") == "CASE_ACTION"
    assert code_of(CASE, CaseAction.CONFIRM_CLOSURE, "bob") == "CASE_ACTION"
    assert code_of(CASE, CaseAction.REVIEW, "ada", reason=" ") == "REASON_REQUIRED"
    with pytest.raises(AlphintraError) as refused:
        moved(
            step(CASE, CaseAction.REVIEW, "ada"),
            CaseAction.PROPOSE_CLOSURE,
            person="ada",
            reason="x",
            outcome=None,
            at=NOON,
        )
    assert refused.value.code == "CASE_OUTCOME"


@given(st.lists(st.tuples(st.sampled_from(CaseAction), st.sampled_from(["ada", "bob"])), max_size=12))
def test_no_sequence_of_actions_closes_a_case_by_one_person_or_opens_a_closed_one(
    steps: list[tuple[CaseAction, str]],
) -> None:
    case = CASE
    for action, person in steps:
        before = case
        try:
            case = step(case, action, person)
        except AlphintraError:
            assert case == before
        if before.state is CaseState.CLOSED:
            assert case == before
    if case.state is CaseState.CLOSED:
        assert case.closed_by != case.proposed_by is not None


def test_parameters_keep_what_is_not_named_and_are_due_a_year_later() -> None:
    later = NOON + timedelta(days=100)
    changed = next_parameters(PARAMETERS, {"orders_min": Decimal(4)}, reason="review", set_by="ada", at=later)
    assert changed.values == {**PARAMETERS.values, "orders_min": Decimal(4)}
    assert (changed.version, changed.review_due) == (2, (later + timedelta(days=365)).date())


@pytest.mark.parametrize(
    ("values", "reason", "code"),
    [
        ({"orders": Decimal(1)}, "x", "PARAMETER_UNKNOWN"),
        ({"orders_min": Decimal(0)}, "x", "QTY_NOT_POSITIVE"),
        ({"orders_min": Decimal("NaN")}, "x", "NUMBER_NOT_FINITE"),
        ({"window_s": Decimal(86_401)}, "x", "PARAMETER_RANGE"),
        ({}, " ", "REASON_REQUIRED"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(values: dict[str, Decimal], reason: str, code: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        next_parameters(PARAMETERS, values, reason=reason, set_by="ada", at=NOON)
    assert refused.value.code == code


def test_there_is_no_detector_of_another_name() -> None:
    assert require_detector("ramping") == "ramping"
    with pytest.raises(AlphintraError) as refused:
        require_detector("ramp")
    assert refused.value.code == "DETECTOR_NOT_FOUND"
