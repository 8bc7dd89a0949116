"""The recommendation: the seed's five questions, and the figures that go with the answer."""

from __future__ import annotations

import pytest

from alphintra.dataplane.assess.advise import Answers, advise, combinations_for, recommended
from alphintra.dataplane.assess.figures import Figure, Findings


def answers(  # every question answered as for a financial platform in use, unless said otherwise
    *, team_size: int = 5, financial: bool = True, prototype: bool = False, cost: bool = False, crud: bool = False
) -> Answers:
    """Return answers."""
    return Answers(
        team_size=team_size,
        is_financial=financial,
        is_prototype=prototype,
        has_extreme_cost_limits=cost,
        is_simple_crud=crud,
    )


def test_a_financial_platform_with_a_team_gets_an_instance_for_each_service() -> None:
    assert recommended(answers()) == "instances"


@pytest.mark.parametrize(
    "given", [answers(team_size=2), answers(cost=True), answers(team_size=1, cost=True, crud=True)]
)
def test_a_financial_platform_in_use_never_shares_a_database(given: Answers) -> None:
    assert recommended(given) == "separate"


def test_three_developers_are_no_very_small_team() -> None:
    assert answers(team_size=3).for_central == ()
    assert answers(team_size=2).for_central == ("a team of 2, fewer than 3",)


def test_three_of_the_five_reasons_decide_for_central_and_two_for_hybrid() -> None:
    assert recommended(answers(financial=False, prototype=True, cost=True)) == "central"
    assert recommended(answers(financial=False, prototype=True)) == "hybrid"
    assert recommended(answers(financial=False)) == "separate"


def test_every_set_of_answers_leads_to_one_layout_and_none_to_consolidated() -> None:
    counted = {name: len(combinations_for(name)) for name in ("separate", "hybrid", "central", "instances")}
    assert sum(counted.values()) == 32
    assert combinations_for("consolidated") == ()


def test_reasons_name_the_figures_that_were_measured() -> None:
    found = Findings(
        layout="instances",
        figures={
            "lost_with_instance": Figure(value=1, unit="services"),
            "pss_mib": Figure(value=165.2, unit="MiB"),
        },
    )
    central = Findings(layout="central", figures={"pss_mib": Figure(value=62, unit="MiB")})
    given = advise(answers(), (found, central))
    assert any("silences 1 of 8 services" in reason for reason in given.reasons)
    assert given.costs == ("165 MiB of memory, 62 in central.",)


def test_a_layout_that_was_not_measured_is_recommended_without_figures() -> None:
    given = advise(answers(), (Findings(layout="central"),))
    assert any("was not measured" in reason for reason in given.reasons)
    assert given.costs == ()
