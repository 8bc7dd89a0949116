"""What results come to: findings, verdicts, and when the exit status is 0."""

from __future__ import annotations

from alphintra.dataplane.attack.accepted import Standing
from alphintra.dataplane.attack.findings import Assessment, assess_results, name_layout
from alphintra.dataplane.attack.model import Answer, Level, Result
from alphintra.dataplane.attack.probes import CATALOGUE
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.matrix import Outcome

BY_NAME = {attack.name: attack for attack in CATALOGUE}
CENTRAL = choose_layout(LayoutChoice(name=LayoutName.CENTRAL))
HYBRID = choose_layout(LayoutChoice(name=LayoutName.HYBRID))


def result(
    name: str, outcome: Outcome, *, attacker: str = "trading", victim: str = "user", declared: bool = False
) -> Result:
    answer = Answer(outcome=outcome, code="42501", text="said so")
    return Result(attack=BY_NAME[name], attacker=attacker, victim=victim, answer=answer, is_declared=declared)


def assessed(*results: Result, level: Level = Level.STRICT) -> Assessment:
    return assess_results(results, layout=HYBRID, levels={"main": level}, standings={"main": Standing.OURS})


def test_one_finding_per_probe_names_every_pair_it_is_open_for() -> None:
    found = assessed(
        result("data.read", Outcome.LEAKS),
        result("data.read", Outcome.LEAKS, victim="auth"),
        result("data.insert", Outcome.DENIED),
    )
    (finding,) = found.findings
    assert finding.attack.name == "data.read"
    assert finding.pairs == (("trading", "user"), ("trading", "auth"))
    assert finding.unaccepted == finding.pairs
    assert not found.is_as_accepted


def test_an_accepted_probe_is_a_finding_with_its_reason_and_no_fault() -> None:
    found = assessed(result("names.regrole", Outcome.LEAKS))
    (finding,) = found.findings
    assert finding.is_accepted
    assert finding.reasons
    assert finding.closes_under == "isolated"
    assert found.is_as_accepted


def test_acceptance_within_a_database_does_not_reach_across_databases() -> None:
    found = assessed(
        result("messages.listen", Outcome.LEAKS, victim="risk"), result("messages.listen", Outcome.LEAKS, victim="user")
    )
    assert found.findings[0].unaccepted == (("trading", "user"),)
    assert not found.is_as_accepted


def test_an_answer_that_proves_nothing_is_no_pass() -> None:
    found = assessed(result("data.read", Outcome.ERROR))
    assert found.findings == ()
    assert len(found.errors) == 1
    assert not found.is_as_accepted


def test_what_the_layout_gives_is_no_finding() -> None:
    found = assessed(result("connect.victim_database", Outcome.ALLOWED, victim="risk", declared=True))
    assert found.findings == ()
    assert found.is_as_accepted


def test_a_pair_is_as_bad_as_the_worst_that_got_through() -> None:
    found = assessed(
        result("names.regrole", Outcome.LEAKS),
        result("data.delete", Outcome.ALLOWED),
        result("data.read", Outcome.DENIED),
        result("names.regrole", Outcome.LEAKS, victim="auth"),
        result("data.read", Outcome.DENIED, victim="nocode"),
    )
    assert [(pair.victim, pair.verdict) for pair in found.pairs] == [
        ("user", Outcome.ALLOWED),
        ("auth", Outcome.LEAKS),
        ("nocode", Outcome.DENIED),
    ]
    assert found.pairs[0].counts == {"leaks": 1, "allowed": 1, "denied": 1}


def test_a_looser_level_accepts_more() -> None:
    open_name = result("names.pg_roles", Outcome.LEAKS)
    assert not assessed(open_name).is_as_accepted
    assert assessed(open_name, level=Level.HARDENED).is_as_accepted


def test_layouts_are_told_by_where_services_live() -> None:
    assert name_layout(CENTRAL) == "central"
    assert name_layout(HYBRID) == "hybrid"
    assert name_layout(choose_layout(LayoutChoice(is_isolated=True))) == "separate (isolated)"
    assert name_layout(choose_layout(LayoutChoice())) == "separate"
    merged = choose_layout(LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True))
    assert name_layout(merged) == "consolidated"
