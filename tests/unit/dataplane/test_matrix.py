"""When a matrix counts as proof."""

from __future__ import annotations

import pytest

from alphintra.dataplane.matrix import AccessMatrix, Cell, Outcome, Probe


def cell(user: str, target: str, *probes: Probe) -> Cell:
    return Cell(user=user, target=target, probes=probes)


def probe(*, may: bool, outcome: Outcome) -> Probe:
    return Probe(name="connect", may=may, outcome=outcome, answer="said so")


OWN = cell("a", "a", probe(may=True, outcome=Outcome.ALLOWED))
OTHER = cell("a", "b", probe(may=False, outcome=Outcome.DENIED))


def test_isolated_is_own_allowed_and_others_denied() -> None:
    matrix = AccessMatrix(kind="database", cells=(OWN, OTHER))
    assert matrix.is_isolated
    assert (matrix.allowed_count, matrix.denied_count, matrix.faults) == (1, 1, ())


@pytest.mark.parametrize(
    "bad",
    [
        cell("a", "b", probe(may=False, outcome=Outcome.ALLOWED)),
        cell("a", "b", probe(may=False, outcome=Outcome.ERROR)),
        cell("a", "a", probe(may=True, outcome=Outcome.DENIED)),
        cell("a", "a", probe(may=True, outcome=Outcome.ERROR)),
    ],
)
def test_any_other_outcome_is_a_fault_in_words(bad: Cell) -> None:
    matrix = AccessMatrix(kind="database", cells=(OWN, bad))
    assert not matrix.is_isolated
    (fault,) = matrix.faults
    assert fault.startswith(f"a against {bad.target}: connect was {bad.probes[0].outcome}")


def test_a_cell_nobody_tried_proves_nothing() -> None:
    assert not AccessMatrix(kind="database", cells=(OWN, cell("a", "b"))).is_isolated


def test_drift_or_an_outsider_spoils_the_proof() -> None:
    assert not AccessMatrix(kind="database", cells=(OWN, OTHER), drift=("grant too much",)).is_isolated
    intruder = cell("edge", "a", probe(may=False, outcome=Outcome.ALLOWED))
    assert not AccessMatrix(kind="bus", cells=(OWN, OTHER), outsiders=(intruder,)).is_isolated
