"""What db verify prints for people and for programs."""

from __future__ import annotations

import pytest

from alphintra.cli.verification import _document
from alphintra.cli.verification_tables import print_verification
from alphintra.dataplane.attack.accepted import Standing
from alphintra.dataplane.attack.findings import Assessment, assess_results
from alphintra.dataplane.attack.model import Answer, Level, Result
from alphintra.dataplane.attack.probes import CATALOGUE
from alphintra.dataplane.layouts import separate_layout
from alphintra.dataplane.matrix import AccessMatrix, Cell, Outcome, Probe

BY_NAME = {attack.name: attack for attack in CATALOGUE}
LAYOUT = tuple(item for item in separate_layout() if item.service in {"risk", "trading"})


def matrix(kind: str) -> AccessMatrix:
    cells = tuple(
        Cell(
            user=user,
            target=target,
            probes=(
                Probe(
                    name="read",
                    may=user == target,
                    outcome=Outcome.ALLOWED if user == target else Outcome.DENIED,
                    answer="said so",
                ),
            ),
        )
        for user in ("risk", "trading")
        for target in ("risk", "trading")
    )
    return AccessMatrix(kind=kind, cells=cells)


def assessed(*opened: str, errors: tuple[str, ...] = ()) -> Assessment:
    results = []
    for attacker in ("risk", "trading"):
        for victim in ("risk", "trading"):
            for attack in CATALOGUE:
                if (attack.place.value == "self") != (attacker == victim):
                    continue
                outcome = attack.open_outcome if attack.name in opened else Outcome.DENIED
                outcome = Outcome.ERROR if attack.name in errors else outcome
                answer = Answer(outcome=outcome, code="42501", text="permission denied for this")
                results.append(Result(attack=attack, attacker=attacker, victim=victim, answer=answer))
    return assess_results(results, layout=LAYOUT, levels={"main": Level.STRICT}, standings={"main": Standing.OURS})


MATRICES = (matrix("database"), matrix("bus"))


@pytest.mark.parametrize("with_details", [False, True])
def test_tables_fit_100_columns_and_end_in_the_verdict(
    capsys: pytest.CaptureFixture[str], *, with_details: bool
) -> None:
    found = assessed("data.read", "names.regrole", "own_role.password", errors=("names.pg_roles",))
    print_verification(MATRICES, found, only_findings=False, with_details=with_details)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    text = " ".join(" ".join(lines).split())
    assert "NOT isolated: database 2 allow, 2 deny; bus 2 allow, 2 deny" in text
    assert f"3 of {len(CATALOGUE)} probes open, 2 accepted; no drift" in text
    assert "! data.read" in text
    assert "proves nothing: names.pg_roles, risk against trading" in text
    assert ("permission denied for this" in text.replace("proves nothing", "")) or not with_details


def test_findings_alone_come_with_the_reason_they_may_stay(capsys: pytest.CaptureFixture[str]) -> None:
    print_verification(MATRICES, assessed("names.regrole"), only_findings=True, with_details=False)
    text = " ".join(capsys.readouterr().out.split())
    assert "Accepted:" in text
    assert "columns are whose" not in text
    assert "isolated: " in text
    assert "NOT isolated" not in text


def test_a_quick_look_says_nothing_of_probes(capsys: pytest.CaptureFixture[str]) -> None:
    print_verification(MATRICES, None, only_findings=False, with_details=False)
    assert "probes" not in capsys.readouterr().out
    assert "findings" not in _document(MATRICES, None, is_isolated=True, with_details=False)


def test_the_document_counts_what_is_open_and_names_why_it_may_stay() -> None:
    document = _document(MATRICES, assessed("data.read", "names.regrole"), is_isolated=False, with_details=True)
    assert document["counts"] == {
        "probes": len(CATALOGUE),
        "tries": len(document["results"]),
        "open": 2,
        "access": 0,
        "leaks": 2,
        "accepted": 1,
        "unaccepted": 1,
        "inconclusive": 0,
    }
    assert (document["layout"], document["level"]) == ("separate", "strict")
    read, regrole = document["findings"]
    assert (read["id"], read["is_accepted"], read["reasons"]) == ("data.read", False, [])
    assert read["unaccepted_pairs"] == [["risk", "trading"], ["trading", "risk"]]
    assert (regrole["id"], regrole["is_accepted"], regrole["closes_under"]) == ("names.regrole", True, "isolated")
    assert [each["kind"] for each in document["matrices"]] == ["database", "bus"]
    assert {pair["verdict"] for pair in document["pairs"]} == {"leaks", "denied"}
