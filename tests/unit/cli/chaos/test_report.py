"""The page of a chaos run says what was broken, what traders met, which invariants hold, and how to repeat it."""

from __future__ import annotations

import re

from alphintra.cli.chaos.checks import Finding, broken_history
from alphintra.cli.chaos.load import Operation
from alphintra.cli.chaos.plan import Fault, FaultKind
from alphintra.cli.chaos.report import render_page
from alphintra.cli.chaos.run import ChaosOutcome


def outcome_of(*findings: Finding) -> ChaosOutcome:
    outcome = ChaosOutcome(seed=4711, minutes=2.0, processes="risk-apart")
    outcome.faults = [
        (Fault(at_s=3.0, kind=FaultKind.KILL_PROCESS, target="relay", lasts_s=0.0), "killed", 1.25),
        (Fault(at_s=6.0, kind=FaultKind.CRASH_AT_POINT, target="relay.published:2", lasts_s=0.0), "crashed", 0.5),
        (Fault(at_s=9.5, kind=FaultKind.STEP_CLOCK, target="-3600", lasts_s=4.0), "set right", 0.1),
    ]
    outcome.findings = list(findings)
    outcome.points_hit = {"trading.committed"}
    outcome.skipped = ["no network at all"]
    return outcome


def page_of(outcome: ChaosOutcome) -> str:
    operations = [
        Operation(at_s=1.0, kind="place", account_id="a", body={}, outcome="ok", took_s=0.02),
        Operation(at_s=4.0, kind="place", account_id="a", body={}, outcome="unknown", took_s=12.0),
    ]
    outcome.history.operations = operations
    return render_page(outcome.document(), operations)


def test_a_sound_run_shows_every_fault_operation_and_invariant() -> None:
    page = page_of(outcome_of(Finding("I1", "nothing is lost"), Finding("I4", "cash adds up")))
    assert "every invariant holds: 2 of 2" in page
    assert "NOT every" not in page
    assert "alphintra chaos run --seed 4711 --minutes 2 --processes risk-apart" in page
    assert "3 faults, 1 kill points hit. Operations: 1 place ok, 1 place unknown" in page
    assert "Not possible on this machine: no network at all" in page
    for cell in ("kill -9 a process", "relay", "killed", "1.2 s", "clock stepped", "-3600", "set right"):
        assert f"<td>{cell}</td>" in page, cell
    assert re.findall(r'<circle class="(\w+)"', page) == ["ok", "unknown"]
    assert page.count('<line class="fault"') == 3
    assert "http" not in page
    row = "<tr><td>S3, S4 event published, then off the queue</td><td>relay.published</td><td>1</td></tr>"
    assert row in page


def test_a_broken_invariant_is_shown_with_what_breaks_it_and_nothing_in_it_is_markup() -> None:
    page = page_of(outcome_of(Finding("I1", "nothing is lost"), Finding("I3", "fills", ("<b>order</b> 7 is missing",))))
    assert "NOT every invariant holds: 1 of 2" in page
    assert "&lt;b&gt;order&lt;/b&gt; 7 is missing" in page
    assert "<b>" not in page
    assert not outcome_of(Finding("I3", "fills", ("x",))).is_ok


def event(version: int, status: str, minute: int) -> dict[str, object]:
    return {"version": version, "status": status, "occurred_at": f"2026-03-02T14:{minute:02}:00Z"}


def test_a_sound_history_has_no_fault() -> None:
    events = [event(1, "pending_new", 1), event(2, "canceled", 2), event(3, "canceled", 2)]
    assert broken_history(events, "canceled") == []


def test_each_fault_of_a_history_is_found() -> None:
    gap = [event(1, "new", 1), event(3, "filled", 2)]
    reopened = [event(1, "canceled", 1), event(2, "new", 2)]
    back = [event(1, "new", 2), event(2, "filled", 1)]
    assert broken_history(gap, "filled") == ["has the versions [1, 3]"]
    assert broken_history(reopened, "new") == ["went canceled > new"]
    assert broken_history(back, "filled") == ["goes back in time"]
    assert broken_history([event(1, "new", 1)], "filled") == ["is filled, its last event says new"]
    assert broken_history([], "new") == ["is new, its last event says nothing"]
